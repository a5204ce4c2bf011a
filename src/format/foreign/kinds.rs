//! What files begin with. Pure.

/// A kind of file of other programs.
pub(crate) struct Kind {
    /// Its name in listings, unless the codec is known.
    #[cfg_attr(not(feature = "foreign"), allow(dead_code))]
    pub(super) name: &'static str,
    /// What is in it, for builds that cannot read it.
    pub(super) codec: &'static str,
    /// Whether a file that begins with these bytes is one.
    pub(super) begins: fn(&[u8]) -> bool,
    /// Whether the library reads it.
    pub(super) is_read: bool,
}

/// In the order in which they are tried; what is found by chance most easily comes last.
pub(super) static KINDS: &[Kind] = &[
    read("wav", |start| start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WAVE")),
    read("aiff", |start| start.starts_with(b"FORM") && matches!(start.get(8..12), Some(b"AIFF" | b"AIFC"))),
    read("caf", |start| start.starts_with(b"caff")),
    read("m4a", |start| start.get(4..8) == Some(b"ftyp")),
    read("ogg", |start| start.starts_with(b"OggS")),
    other("WMA", |start| start.starts_with(&[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11])),
    other("AVI", |start| start.starts_with(b"RIFF") && start.get(8..12) == Some(b"AVI ")),
    other("Flash video", |start| start.starts_with(b"FLV\x01")),
    other("AMR", |start| start.starts_with(b"#!AMR")),
    other("Sun or NeXT audio", |start| start.starts_with(b".snd")),
    other("WavPack", |start| start.starts_with(b"wvpk")),
    other("Monkey's Audio", |start| start.starts_with(b"MAC ")),
    other("Matroska or WebM", |start| start.starts_with(&[0x1a, 0x45, 0xdf, 0xa3])),
    other("Sony Wave64", |start| start.starts_with(b"riff\x2e\x91\xcf\x11")),
    other("True Audio", |start| start.starts_with(b"TTA")),
    other("DSD", |start| start.starts_with(b"DSD ") || start.starts_with(b"FRM8")),
    other("Musepack", |start| start.starts_with(b"MPCK") || start.starts_with(b"MP+")),
    other("VOC", |start| start.starts_with(b"Creative Voic")),
    other("AC-3", |start| start.starts_with(&[0x0b, 0x77])),
    other("Dolby or other", |start| start.starts_with(b"FORM") && start.get(8..12) == Some(b"8SVX")),
    // ADTS: twelve bits of sync, two of layer, which are zero.
    read("aac", |start| matches!(start, [0xff, second, ..] if second & 0xf6 == 0xf0)),
    // MPEG audio: eleven bits of sync, a layer, a bit rate and a sample rate that exist.
    read("mp3", |start| {
        matches!(start, [0xff, second, third, ..]
            if second & 0xe0 == 0xe0 && second & 0x18 != 0x08 && second & 0x06 != 0
                && !matches!(third >> 4, 0 | 15) && third & 0x0c != 0x0c)
    }),
];

/// What a file that begins with `start` is, if it is nothing that could hold sound; as words that continue a sentence.
pub(crate) fn silent_kind(start: &[u8]) -> Option<&'static str> {
    let is_text = |start: &[u8]| {
        // A letter may be cut off at the end of what was read.
        let text = match std::str::from_utf8(start) {
            Ok(text) => text,
            Err(error) if error.error_len().is_some() => return false,
            Err(error) => std::str::from_utf8(start.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default(),
        };
        !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
    };
    let begins: &[(&[u8], &str)] = &[
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "a compressed file (gzip)"),
        (b"7z\xbc\xaf", "a 7-Zip archive"),
        (b"MThd", "a MIDI file (notes, no sound)"),
        (b"\x7fELF", "a program"),
        (b"SQLite form", "a database"),
    ];
    let known = begins.iter().find(|(begin, _)| start.starts_with(begin)).map(|&(_, what)| what);
    known.or_else(|| (start.len() >= 8 && is_text(start)).then_some("text"))
}

/// Extensions of sound that other programs write, without the dot, and its name in listings until more of the file is
/// read.
pub(super) static EXTENSIONS: &[(&[&str], &str)] = &[
    (&["mp3"], "mp3"),
    (&["mp2", "mpa"], "mp2"),
    (&["m4a", "m4b", "mp4", "3gp", "3ga"], "m4a"),
    (&["aac"], "aac"),
    (&["aif", "aiff", "aifc"], "aiff"),
    (&["caf"], "caf"),
    (&["wma"], "wma"),
    (&["amr"], "amr"),
    (&["au", "snd"], "au"),
    (&["wv"], "wavpack"),
    (&["ape"], "ape"),
    (&["mka", "weba"], "matroska"),
    (&["spx"], "speex"),
    (&["w64"], "w64"),
    (&["rf64", "bwf", "bw64"], "wav"),
];

/// The name of the sound in listings, and its MIME type (RFC 3003, 4337, 5334, 8081).
pub(super) static MIME_TYPES: &[(&str, &str)] = &[
    ("mp3", "audio/mpeg"),
    ("mp2", "audio/mpeg"),
    ("mp1", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("alac", "audio/mp4;codecs=alac"),
    ("aac", "audio/aac"),
    ("aiff", "audio/aiff"),
    ("caf", "audio/x-caf"),
    ("vorbis", "audio/ogg;codecs=vorbis"),
    ("ogg-flac", "audio/ogg;codecs=flac"),
    ("speex", "audio/ogg;codecs=speex"),
    ("wma", "audio/x-ms-wma"),
    ("amr", "audio/AMR"),
    ("au", "audio/basic"),
];

const fn read(name: &'static str, begins: fn(&[u8]) -> bool) -> Kind {
    Kind { name, codec: "unknown", begins, is_read: true }
}

const fn other(codec: &'static str, begins: fn(&[u8]) -> bool) -> Kind {
    Kind { name: "", codec, begins, is_read: false }
}

#[cfg(test)]
mod tests {
    use super::super::kind;

    #[test]
    fn a_file_is_what_it_begins_with() {
        for (start, name) in [
            (&b"FORM\0\0\0\0AIFC"[..], Some("aiff")),
            (b"\0\0\0\x18ftypM4A ", Some("m4a")),
            (b"\xff\xfb\x90\0\0\0\0\0\0\0\0\0", Some("mp3")),
            (b"\xff\xf1\x50\x80\0\0\0\0\0\0\0\0", Some("aac")),
            (b"#!AMR\n\0\0\0\0\0\0", Some("")),
            (b"\xff\xff\xff\xff\0\0\0\0\0\0\0\0", None),
            (b"hello, world", None),
            (b"", None),
        ] {
            assert_eq!(kind(start).map(|kind| kind.name), name, "{start:?}");
        }
    }
}
