//! From what the user calls a device to the device.

use std::io;

use dictaphone::{
    Error, ErrorKind,
    capture::{DeviceInfo, DeviceKind, SERVER},
    media::MediaDevices,
};

use crate::message::{Failure, Message, Remedy, exit::Exit, visible};

/// The input that `word` means: an id, a built-in source, or a part of a name that fits one device only; the system's
/// default without a word.
///
/// # Errors
/// Exit code 4 if there is no such device or none at all, 2 if the word fits several of one sound system: each has its
/// own name for the same microphone, and the first in which the word is found decides.
pub(crate) fn resolve(devices: &MediaDevices, word: Option<&str>) -> Result<DeviceInfo, Failure> {
    let Some(word) = word else { return default_input(devices) };
    if let Some(device) = devices.find(word).filter(|device| device.kind == DeviceKind::Input) {
        return Ok(device);
    }
    let mut unheard = None;
    for found in devices.enumerate_in_turn() {
        match found.map(|found| pick(&found, word)) {
            Ok(None) => {}
            Ok(Some(picked)) => return picked,
            // A server that the user has named is not replaced by anything else.
            Err(error) if error.constraint() == Some(SERVER) => return Err(error.into()),
            Err(error) => unheard = unheard.or(Some(error)),
        }
    }
    Err(unheard.map_or_else(|| missing(format!("no device `{}`", visible(word))), Failure::from))
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
    let (remedy, exit) = match (id.split(':').next(), kind) {
        (Some("file"), _) if io_kind == Some(io::ErrorKind::NotFound) => {
            ("`--device file:PATH` plays a sound file", Exit::NoDevice)
        }
        (Some("file"), ErrorKind::NotAllowed) => ("`ls -l` shows who may read it", failure.exit),
        (Some("file"), _) => {
            ("`sox FILE x.wav` or `ffmpeg -i FILE x.wav` makes a WAV file of most others", failure.exit)
        }
        (Some("tone" | "melody" | "silence" | "noise"), ErrorKind::Abort) => (
            "the generators are `tone`, `tone:HZ`, `melody`, `silence` and `noise`; `--rate` sets their sample rate",
            Exit::Usage,
        ),
        _ => return failure,
    };
    Failure { exit, ..failure.hint(Remedy::Command(remedy.to_owned())) }
}

fn missing(text: String) -> Failure {
    let remedies = [
        Remedy::Command("`dictaphone devices` lists what was found".to_owned()),
        Remedy::Flag("`--device tone` records a test tone".to_owned()),
    ];
    Failure::new(Message::new(text).hint(remedies), Exit::NoDevice)
}

/// The one input whose id is `word`, in any case and with or without its sound system; else whose name is; else whose
/// name contains it; else whose id does.
fn pick(devices: &[DeviceInfo], word: &str) -> Option<Result<DeviceInfo, Failure>> {
    let wanted = word.to_lowercase();
    let names = |device: &DeviceInfo| device.label.to_lowercase();
    let ids = |device: &DeviceInfo| device.id.to_lowercase();
    // The name in the sound system itself.
    let own = |id: &str| id.split_once(':').is_some_and(|(_, own)| own == wanted);
    let inputs = || devices.iter().filter(|device| device.kind == DeviceKind::Input);
    let is_id = |device: &&DeviceInfo| ids(device) == wanted || own(&ids(device));
    let fitting = [
        inputs().filter(is_id).collect::<Vec<_>>(),
        inputs().filter(|device| names(device) == wanted).collect(),
        inputs().filter(|device| names(device).contains(&wanted)).collect(),
        inputs().filter(|device| ids(device).contains(&wanted)).collect(),
    ];
    let fitting = fitting.into_iter().find(|fitting| !fitting.is_empty())?;
    match fitting.as_slice() {
        [device] => Some(Ok((*device).clone())),
        _ => {
            let ids: Vec<String> = fitting.iter().map(|device| format!("`{}`", visible(&device.id))).collect();
            Some(Err(Failure::usage(
                format!("`{}` fits {} devices: {}", visible(word), ids.len(), ids.join(", ")),
                "write more of the name, or the whole id",
            )))
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

    fn picked(word: &str) -> Result<DeviceInfo, Failure> {
        pick(&inputs(), word).unwrap()
    }

    #[test]
    fn a_part_of_a_name_finds_the_one_device_that_has_it() {
        for (word, label) in [("line", "Line In"), ("phone 2", "USB Microphone 2"), ("push:line in", "Line In")] {
            assert_eq!(picked(word).unwrap().label, label);
        }
    }

    #[test]
    fn a_part_of_a_name_comes_before_a_part_of_an_id() {
        let mut inputs = inputs();
        inputs[1].id = "line:7".to_owned();
        assert_eq!(pick(&inputs, "line").unwrap().unwrap().label, "Line In");
        assert_eq!(pick(&inputs, "line:").unwrap().unwrap().label, "USB Microphone 2");
    }

    #[test]
    fn the_first_sound_system_that_knows_the_word_decides() {
        let format = AudioFormat::new(48_000, 1, SampleFormat::S16);
        let systems = ["Desk", "USB Microphone", "USB Microphone, hardware"];
        let systems = systems.map(|label| std::sync::Arc::new(PushSource::new(label, format)) as _);
        let devices = MediaDevices::with_backends(systems.to_vec());
        assert_eq!(resolve(&devices, Some("usb")).unwrap().label, "USB Microphone");
        assert_eq!(resolve(&devices, Some("hard")).unwrap().label, "USB Microphone, hardware");
    }

    #[test]
    fn a_whole_name_comes_before_a_part_of_another() {
        assert_eq!(picked("usb microphone").unwrap().label, "USB Microphone");
    }

    #[test]
    fn a_whole_id_comes_before_a_part_of_another_name() {
        let mut inputs = inputs();
        inputs[0].label = "usb1 dock".into();
        inputs[2].id = "pulseaudio:usb1".into();
        for word in ["usb1", "USB1", "pulseaudio:usb1"] {
            assert_eq!(pick(&inputs, word).unwrap().unwrap().label, "Line In", "{word}");
        }
    }

    #[test]
    fn several_and_none_are_different_mistakes() {
        let failure = picked("usb").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.text.contains("fits 2 devices"), "{}", failure.message.text);
        assert!(pick(&inputs(), "x\u{1b}").is_none());
    }

    #[test]
    fn without_any_device_the_remedy_is_said() {
        let none = MediaDevices::with_backends(Vec::new());
        let failure = resolve(&none, None).unwrap_err();
        assert_eq!((failure.exit, failure.message.text.as_str()), (Exit::NoDevice, "no input device"));
        assert!(failure.message.hint.is_some_and(|hint| hint.contains("--device tone")));
    }
}
