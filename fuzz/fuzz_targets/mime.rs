//! Any text as a MIME type: a recorder accepts exactly what is supported.

#![no_main]

use dictaphone::{
    AudioFormat, SampleFormat,
    capture::PushSource,
    format::is_type_supported,
    media::{Constraints, MediaDevices, MediaRecorder, RecorderOptions},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = PushSource::new("fuzz", AudioFormat::new(48_000, 1, SampleFormat::F32));
    let devices = MediaDevices::with_backends(vec![std::sync::Arc::new(source)]);
    let stream = devices.get_user_media(&Constraints::default()).expect("the source is there");
    let options = RecorderOptions::default().mime_type(text.to_owned());
    assert_eq!(MediaRecorder::new(&stream, options).is_ok(), is_type_supported(text));
});
