//! MIME types of recordings: what a text such as `audio/wav; codecs="1"` requests.
//!
//! Types and parameters follow RFC 9110 §8.3.1 (token or quoted-string, names in any case, blanks around `;`), the
//! `codecs` parameter RFC 6381 §3.3 (a list with commas). RFC 2361 calls it `codec`; both are understood. Parameters of
//! other names are parsed and ignored. Pure; for any thread.

use super::{Codec, Format, table};
use crate::error::{Error, ErrorKind, Result};

/// A MIME type, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MimeType {
    /// Type and subtype, in lower case, such as `audio/wav`.
    pub essence: String,
    /// The list of the `codecs` parameter, as it was written; empty without one.
    pub codecs: Vec<String>,
}

/// Whether a recording of that MIME type can be made. The empty text requests nothing and is always supported; a
/// malformed type, an unknown container, or a codec that the container cannot hold is not.
#[must_use]
pub fn is_type_supported(text: &str) -> bool {
    find(text).is_ok()
}

/// The format that `text` requests; the default one if it is empty.
///
/// # Errors
/// [`ErrorKind::NotSupported`] in every case in which [`is_type_supported`] is false.
pub(crate) fn find(text: &str) -> Result<&'static Format> {
    resolve(text).map(|(format, _)| format)
}

/// The format that `text` requests and the codecs that it lists.
///
/// # Errors
/// Those of [`find`].
pub(crate) fn resolve(text: &str) -> Result<(&'static Format, Vec<&'static Codec>)> {
    if text.is_empty() {
        return Ok((table::default_format(), Vec::new()));
    }
    let refuse = |why: String| Error::new(ErrorKind::NotSupported, why);
    let mime = parse(text).ok_or_else(|| refuse(format!("'{text}' is not a MIME type")))?;
    let format = table::by_mime_type(&mime.essence)
        .ok_or_else(|| refuse(format!("recordings of type '{}' are not supported", mime.essence)))?;
    if mime.codecs.len() > 1 {
        return Err(refuse(format!("a recording has one codec, and '{text}' names {}", mime.codecs.len())));
    }
    let codecs = mime.codecs.iter().map(|name| {
        let codec = format.codec(name);
        codec.ok_or_else(|| refuse(format!("{} files cannot hold the codec '{name}'", format.name)))
    });
    Ok((format, codecs.collect::<Result<_>>()?))
}

/// Takes a MIME type apart; `None` if it is malformed. A type with a parameter twice is malformed.
#[must_use]
pub(crate) fn parse(text: &str) -> Option<MimeType> {
    let (kind, rest) = token(text.trim_matches(BLANKS))?;
    let (subtype, mut rest) = token(rest.strip_prefix('/')?)?;
    let mut parameters: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if rest.is_empty() {
            break;
        }
        rest = rest.strip_prefix(';')?.trim_start_matches(BLANKS);
        // RFC 9110 allows a parameter to be left out: `a/b;` and `a/b;;c=d`.
        if rest.is_empty() || rest.starts_with(';') {
            continue;
        }
        let (name, value, behind) = parameter(rest)?;
        if parameters.iter().any(|(known, _)| *known == name) {
            return None;
        }
        parameters.push((name, value));
        rest = behind;
    }
    let named = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let codecs = match named("codecs").or_else(|| named("codec")) {
        Some(list) => codecs(list)?,
        None => Vec::new(),
    };
    Some(MimeType { essence: format!("{kind}/{subtype}").to_ascii_lowercase(), codecs })
}

/// Optional white space of RFC 9110 §5.6.3.
const BLANKS: [char; 2] = [' ', '\t'];

/// The names in a list with commas; `None` if one of them is empty.
fn codecs(list: &str) -> Option<Vec<String>> {
    let names = list.split(',').map(|name| name.trim_matches(BLANKS));
    names.map(|name| (!name.is_empty()).then(|| name.to_owned())).collect()
}

/// The name in lower case and the value of the parameter at the start of `text`, and what follows it.
fn parameter(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = token(text)?;
    let rest = rest.strip_prefix('=')?;
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted_string(quoted)?,
        None => token(rest).map(|(value, rest)| (value.to_owned(), rest))?,
    };
    Some((name.to_ascii_lowercase(), value, rest))
}

/// The token (RFC 9110 §5.6.2) at the start of `text`, and what follows it.
fn token(text: &str) -> Option<(&str, &str)> {
    let part_of_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !part_of_token(c)).unwrap_or(text.len());
    let (token, rest) = text.split_at_checked(end)?;
    (!token.is_empty()).then_some((token, rest))
}

/// The value of the quoted string (RFC 9110 §5.6.4) whose opening quote stands before `text`, and what follows it.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        let c = match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => chars.next()?,
            c => c,
        };
        if c.is_control() && c != '\t' {
            return None;
        }
        value.push(c);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn supported_types_find_their_format() {
        for (text, name, codec) in [
            ("", "wav", None),
            ("audio/wav", "wav", None),
            ("AUDIO/X-WAV", "wav", None),
            ("audio/wav;codecs=1", "wav", Some("1")),
            ("audio/wav ; codecs=\"3\"", "wav", Some("3")),
            ("audio/vnd.wave;codec=1", "wav", Some("1")),
            ("audio/wave;\tCODECS=PCM", "wav", Some("1")),
            ("audio/wav;codecs=\"\\1\"", "wav", Some("1")),
            ("audio/wav;", "wav", None),
            ("audio/wav;;codecs=1;", "wav", Some("1")),
            (" audio/wav ", "wav", None),
            ("audio/wav;note=\"a;b, \\\"c\\\"\";codecs=3", "wav", Some("3")),
            ("audio/pcm;rate=48000;codecs=pcm", "raw", Some("pcm")),
            ("audio/flac", "flac", None),
            ("audio/x-flac;codecs=flac", "flac", Some("flac")),
            ("audio/ogg", "opus", None),
            ("audio/ogg;codecs=opus", "opus", Some("opus")),
            ("audio/ogg; codecs=\"opus\"", "opus", Some("opus")),
        ] {
            assert!(is_type_supported(text), "{text}");
            let (format, found) = resolve(text).unwrap();
            assert_eq!((format.name, found.first().map(|codec| codec.name)), (name, codec), "{text}");
        }
    }

    #[test]
    fn malformed_and_unknown_types_are_not_supported() {
        for text in [
            " ",
            "audio",
            "audio/",
            "/wav",
            "audio/wav/x",
            "audio /wav",
            "audio/ wav",
            "audio/wäv",
            "wav",
            "audio/wav codecs=1",
            "audio/wav;codecs",
            "audio/wav;codecs=",
            "audio/wav;codecs =1",
            "audio/wav;codecs= 1",
            "audio/wav;codecs=\"1",
            "audio/wav;codecs=\"1\\",
            "audio/wav;codecs=1\"",
            "audio/wav;codecs=\"1\"x",
            "audio/wav;codecs=\"\"",
            "audio/wav;codecs=\"1,\"",
            "audio/wav;codecs=1,3",
            "audio/wav;codecs=1;codecs=1",
            "audio/wav;codecs=\"1\n\"",
            "audio/wav,",
            "audio/*",
            "*/*",
            "video/wav",
            "audio/mpeg",
            "audio/wav;codecs=opus",
            "audio/wav;codecs=\"1,opus\"",
            "audio/wav;codecs=2",
            "audio/pcm;codecs=1",
            "audio/flac;codecs=opus",
            "audio/ogg;codecs=flac",
            "audio/ogg;codecs=vorbis",
            "audio/ogg; codecs=\"opus, vorbis\"",
        ] {
            assert!(!is_type_supported(text), "{text}");
            assert_eq!(find(text).unwrap_err().kind(), ErrorKind::NotSupported, "{text}");
        }
    }

    #[test]
    fn quotes_and_blanks_make_no_difference() {
        let plain = parse("audio/ogg;codecs=opus").unwrap();
        assert_eq!(plain, MimeType { essence: "audio/ogg".into(), codecs: vec!["opus".into()] });
        for text in ["audio/ogg; codecs=\"opus\"", "Audio/Ogg\t;\tCodecs=opus ", "audio/ogg;codecs=\" o\\pus \""] {
            assert_eq!(parse(text).as_ref(), Some(&plain), "{text}");
        }
    }

    #[test]
    fn what_a_format_says_about_itself_is_supported() {
        for row in table::formats() {
            for sample_format in row.codecs.iter().flat_map(|codec| codec.sample_formats) {
                let audio = crate::audio::AudioFormat::new(48_000, 1, *sample_format);
                assert_eq!(find(&row.full_mime_type(audio)).unwrap(), row);
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in "(audio/wav)?[ \t;,=\"\\\\a-z1ö/]*") {
            prop_assert_eq!(is_type_supported(&text), find(&text).is_ok());
        }

        #[test]
        fn a_quoted_value_reads_back(value in "[ -~ä]*") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let (read, rest) = quoted_string(&format!("{quoted}\"rest")).map(|(v, r)| (v, r.to_owned())).unwrap();
            prop_assert_eq!((read, rest.as_str()), (value, "rest"));
        }
    }
}
