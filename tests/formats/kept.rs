//! Metadata of a file comes back from every format that has a place for it, whatever its size, and other programs find
//! it there.

use dictaphone::{
    audio::{AudioFormat, Metadata, SampleFormat, Tag},
    format::{self, Delivery, EncoderSettings, Keeps},
};

use crate::takes::*;

fn tag(name: &str, text: &str) -> Tag {
    Tag { name: name.into(), text: text.into() }
}

/// A picture block with so many bytes of picture.
fn picture(bytes: usize) -> Vec<u8> {
    let png = [b"\x89PNG\r\n\x1a\n".to_vec(), (0..bytes).map(|n| (n * 7 % 251) as u8).collect()].concat();
    let counted = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    [&3_u32.to_be_bytes()[..], &counted(b"image/png"), &counted("Hülle".as_bytes()), &[0; 16], &counted(&png)].concat()
}

fn rich(picture_bytes: usize) -> Metadata {
    tags()
        .comment(Some("noisy".into()))
        .tags(vec![
            tag("ARTIST", "Anna"),
            tag("ARTIST", "Bo & Çelik"),
            tag("GENRE", "Speech"),
            tag("COPYRIGHT", "2024 Anna, CC BY 4.0"),
            tag("DESCRIPTION", "hello"),
            tag("Custom", "two\nlines"),
        ])
        .pictures(vec![picture(picture_bytes)])
        .broadcast(Some([&b"hello"[..], &[0; 597], b"A=PCM\r\n"].concat()))
        .ixml(Some(b"<BWFXML/>".to_vec()))
}

fn encoded(format: &format::Format, metadata: &Metadata, delivery: Delivery) -> Vec<u8> {
    let audio = AudioFormat::new(48_000, 1, SampleFormat::S16);
    let settings = EncoderSettings::new(audio, delivery).metadata(metadata.clone());
    let mut encoder = format.encoder(&settings).unwrap();
    let mut bytes = Vec::new();
    encoder.begin(&mut bytes).unwrap();
    encoder.encode(&vec![0.25; 9_600], &mut bytes).unwrap();
    encoder.finish(&mut bytes).unwrap();
    if delivery == Delivery::File {
        let seal = encoder.seal(bytes.len() as u64);
        for patch in &seal.patches {
            let at = usize::try_from(patch.at).unwrap();
            bytes[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
        }
    }
    bytes
}

#[test]
fn everything_that_a_format_has_a_place_for_comes_back() {
    for format in format::formats().iter().filter(|format| format.keeps != Keeps::Nothing) {
        for picture_bytes in [100, 70_000, 300_000] {
            let whole = rich(picture_bytes);
            let mut expected = whole.clone();
            if format.keeps == Keeps::Comments {
                (expected.broadcast, expected.ixml) = (None, None);
                assert_eq!(format.left_out(&whole, Delivery::File), ["bext", "iXML"]);
            } else {
                assert!(format.left_out(&whole, Delivery::File).is_empty());
            }
            let decoder = opened(&encoded(format, &whole, Delivery::File));
            assert_eq!(decoder.frames(), Some(9_600), "{format:?}");
            let mut found = decoder.metadata().clone();
            // The order of equal names counts, that of others does not.
            found.tags.sort_by(|a, b| a.name.cmp(&b.name));
            expected.tags.sort_by(|a, b| a.name.cmp(&b.name));
            assert_eq!(found.pictures.len(), 1, "{format:?}");
            assert_eq!(found, expected, "{format:?} with a picture of {picture_bytes} bytes");
        }
    }
}

#[test]
fn a_stream_has_what_can_stand_in_front_of_the_sound() {
    let whole = rich(70_000);
    for format in format::formats().iter().filter(|format| format.keeps == Keeps::Comments) {
        let decoder = opened(&encoded(format, &whole, Delivery::Stream));
        assert_eq!(decoder.metadata().pictures, whole.pictures, "{format:?}");
        assert!(whole.tags.iter().all(|tag| decoder.metadata().tags.contains(tag)), "{format:?}");
    }
    let wav = format::by_name("wav").unwrap();
    let decoder = opened(&encoded(wav, &whole, Delivery::Stream));
    assert_eq!((&decoder.metadata().broadcast, &decoder.metadata().ixml), (&whole.broadcast, &whole.ixml));
    let missed = wav.left_out(&whole, Delivery::Stream);
    assert!(missed.contains(&"ARTIST".to_owned()) && missed.contains(&"the picture".to_owned()), "{missed:?}");
}

#[test]
fn other_programs_find_tags_and_pictures() {
    let folder = tempfile::tempdir().unwrap();
    for format in format::formats().iter().filter(|format| format.keeps != Keeps::Nothing) {
        let path = folder.path().join("a").with_extension(format.extension());
        std::fs::write(&path, encoded(format, &rich(70_000), Delivery::File)).unwrap();
        let output = std::process::Command::new("ffprobe")
            .args(["-v", "error", "-show_entries", "format_tags:stream_tags:stream=codec_name", "-of", "json"])
            .arg(&path)
            .output()
            .expect("ffprobe, which apt-get installs with ffmpeg");
        let text = String::from_utf8(output.stdout).unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.contains("Speech") && text.contains("CC BY 4.0") && text.contains("png"),
            "{format:?}: {text} {said}"
        );
    }
}
