//! Any text as a MIME type: what is supported parses, and the name of its format is supported.

#![no_main]

use dictaphone::format::mime;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parsed = mime::parse(text);
    if let Some(mime) = &parsed {
        assert_eq!(mime.essence, mime.essence.to_ascii_lowercase());
    }
    assert_eq!(mime::is_type_supported(text), mime::find(text).is_ok());
    if let Ok((format, codecs)) = mime::resolve(text) {
        assert!(text.is_empty() || parsed.is_some());
        assert!(mime::is_type_supported(format.mime_type));
        assert!(codecs.iter().all(|codec| format.codec(codec.name).is_some()));
    }
});
