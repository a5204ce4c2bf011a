//! From what the user calls a device to the device.

use std::io;

use dictaphone::{
    Error, ErrorKind,
    capture::{DeviceInfo, DeviceKind},
    media::MediaDevices,
};

use crate::{
    exit::Exit,
    message::{Failure, Message, visible},
};

/// The input that `word` means: an id, a built-in source, or a part of a name that fits one device only; the system's
/// default without a word.
///
/// # Errors
/// Exit code 4 if there is no such device or none at all, 2 if the word fits several.
pub(crate) fn resolve(devices: &MediaDevices, word: Option<&str>) -> Result<DeviceInfo, Failure> {
    let Some(word) = word else { return default_input(devices) };
    if let Some(device) = devices.find(word).filter(|device| device.kind == DeviceKind::Input) {
        return Ok(device);
    }
    let mut inputs = devices.enumerate_devices()?;
    inputs.retain(|device| device.kind == DeviceKind::Input);
    pick(inputs, word)
}

fn default_input(devices: &MediaDevices) -> Result<DeviceInfo, Failure> {
    if let Some(device) = devices.default_input()? {
        return Ok(device);
    }
    let first = devices.enumerate_devices()?.into_iter().find(|device| device.kind == DeviceKind::Input);
    first.ok_or_else(|| missing("no input device".to_owned()))
}

/// Why a device could not be opened; for a built-in source, which the user has spelt, with the right spelling.
pub(crate) fn unopened(id: &str, error: Error) -> Failure {
    let (kind, io_kind) = (error.kind(), error.io_kind());
    let failure = Failure::from(error);
    let (hint, exit) = match (id.split(':').next(), kind) {
        (Some("file"), _) if io_kind == Some(io::ErrorKind::NotFound) => {
            ("`--device file:PATH` plays a sound file", Exit::NoDevice)
        }
        (Some("file"), _) => {
            ("`sox FILE x.wav` or `ffmpeg -i FILE x.wav` makes a WAV file of most others", failure.exit)
        }
        (Some("tone" | "silence" | "noise"), ErrorKind::Abort) => (
            "the generators are `tone`, `tone:HZ`, `silence` and `noise`; `--rate` sets their sample rate",
            Exit::Usage,
        ),
        _ => return failure,
    };
    Failure { message: Message::new(failure.message.text).hint(hint), exit }
}

fn missing(text: String) -> Failure {
    let hint = "`dictaphone devices` lists what was found; `--device tone` records a test tone";
    Failure { message: Message::new(text).hint(hint), exit: Exit::NoDevice }
}

/// The one device whose name or id holds `word`, in any case; a whole name or id comes before a part.
fn pick(inputs: Vec<DeviceInfo>, word: &str) -> Result<DeviceInfo, Failure> {
    let wanted = word.to_lowercase();
    let names = |device: &DeviceInfo| [device.label.to_lowercase(), device.id.to_lowercase()];
    let mut fitting: Vec<DeviceInfo> =
        inputs.into_iter().filter(|device| names(device).iter().any(|name| name.contains(&wanted))).collect();
    if fitting.iter().filter(|device| names(device).contains(&wanted)).count() == 1 {
        fitting.retain(|device| names(device).contains(&wanted));
    }
    match fitting.len() {
        1 => fitting.pop().ok_or_else(|| missing(format!("no device `{}`", visible(word)))),
        0 => Err(missing(format!("no device `{}`", visible(word)))),
        _ => {
            let ids: Vec<String> = fitting.iter().map(|device| format!("`{}`", visible(&device.id))).collect();
            Err(Failure::usage(
                format!("`{}` fits {} devices: {}", visible(word), ids.len(), ids.join(", ")),
                "write more of the name, or the whole id",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use dictaphone::{AudioFormat, SampleFormat, capture::PushSource};

    use super::*;

    fn inputs() -> Vec<DeviceInfo> {
        let format = AudioFormat::new(48_000, 1, SampleFormat::S16);
        ["USB Microphone", "USB Microphone 2", "Line In"]
            .map(|label| PushSource::new(label, format).info().clone())
            .to_vec()
    }

    #[test]
    fn a_part_of_a_name_finds_the_one_device_that_has_it() {
        for (word, label) in [("line", "Line In"), ("phone 2", "USB Microphone 2"), ("push:line in", "Line In")] {
            assert_eq!(pick(inputs(), word).unwrap().label, label);
        }
    }

    #[test]
    fn a_whole_name_comes_before_a_part_of_another() {
        assert_eq!(pick(inputs(), "usb microphone").unwrap().label, "USB Microphone");
    }

    #[test]
    fn several_and_none_are_different_mistakes() {
        let failure = pick(inputs(), "usb").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.text.contains("fits 2 devices"), "{}", failure.message.text);
        assert_eq!(pick(inputs(), "x\u{1b}").unwrap_err().exit, Exit::NoDevice);
    }

    #[test]
    fn without_any_device_the_remedy_is_said() {
        let none = MediaDevices::with_backends(Vec::new());
        let failure = resolve(&none, None).unwrap_err();
        assert_eq!((failure.exit, failure.message.text.as_str()), (Exit::NoDevice, "no input device"));
        assert!(failure.message.hint.is_some_and(|hint| hint.contains("--device tone")));
    }
}
