//! Machine-readable output: devices and events as JSON. Fields are only ever added.
//!
//! A path that is not Unicode has its bytes beside it, see [`path_fields`]. Characters that would control a terminal
//! are written as escapes, which mean the same.

use std::{io, path::Path};

use dictaphone::{
    capture::{DeviceInfo, DeviceKind, Warning},
    clips::path_fields,
};
use serde::{Serialize, ser::SerializeMap as _};
use serde_json::{Serializer, ser::Formatter};

use crate::message::steers;

/// One thing that happened, with the recorded time at which it did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Event<'a> {
    event: &'static str,
    at_s: f64,
    frame: u64,
    #[serde(flatten)]
    what: What<'a>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum What<'a> {
    /// The first frames arrived.
    Start {
        /// The device's name.
        device: &'a str,
        /// The file.
        #[serde(flatten)]
        path: FilePath<'a>,
        /// Hertz, of the output.
        sample_rate: u32,
        /// Of the output.
        channels: u16,
    },
    /// The level of the last tenth of a second.
    Level {
        /// The highest sample.
        #[serde(serialize_with = "finite")]
        peak_dbfs: f64,
        /// The root of the mean square.
        #[serde(serialize_with = "finite")]
        rms_dbfs: f64,
        /// Samples that clipped, from the start on.
        clipped: u64,
    },
    /// Nothing is kept from here on.
    Pause {},
    /// Frames are kept again.
    Resume {},
    /// A marker was set.
    Mark {
        /// Its text; may be empty.
        text: &'a str,
    },
    /// A file is complete, or the last byte went to standard output.
    #[serde(rename_all = "snake_case")]
    DataAvailable {
        /// The file.
        #[serde(flatten)]
        path: FilePath<'a>,
        /// Its size.
        size_bytes: u64,
        /// Its length.
        duration_s: f64,
        /// Its length in frames.
        frames: u64,
        /// Frames of it that were lost and are silence.
        lost_frames: u64,
    },
    /// There is no device yet; it is waited for.
    Waiting {
        /// What is missing.
        message: &'a str,
    },
    /// The voice gate opened or closed.
    Gate {
        /// What comes is recorded.
        open: bool,
        /// What was cut out before.
        cut_s: f64,
    },
    /// Nobody has spoken for long, and it ends soon; or not after all.
    Countdown {
        /// In so many seconds.
        left_s: Option<f64>,
    },
    /// Files were deleted to make room.
    Deleted {
        /// These.
        paths: Vec<String>,
    },
    /// Something failed.
    Error {
        /// The standard's name.
        name: &'static str,
        /// The sentence for people.
        message: String,
    },
    /// Something that a person should know; everything goes on.
    Warning {
        /// What it is about, one word of a fixed list.
        kind: &'static str,
        /// The sentence for people.
        message: &'a str,
        /// What helps.
        hint: Option<&'a str>,
        /// The channel of the source that it is about, counted from 1.
        channel: Option<u16>,
    },
    /// Nothing follows.
    Stop {
        /// Frames that the device really made in a second, `None` where that is not known.
        device_rate_hz: Option<f64>,
    },
}

impl<'a> Event<'a> {
    /// `what` at that frame of the recording and the same place in seconds.
    pub(crate) fn new(frame: u64, at_s: f64, what: What<'a>) -> Self {
        let event = match what {
            What::Start { .. } => "start",
            What::Level { .. } => "level",
            What::Pause {} => "pause",
            What::Resume {} => "resume",
            What::Mark { .. } => "mark",
            What::DataAvailable { .. } => "dataavailable",
            What::Waiting { .. } => "waiting",
            What::Gate { .. } => "gate",
            What::Countdown { .. } => "countdown",
            What::Deleted { .. } => "deleted",
            What::Error { .. } => "error",
            What::Warning { .. } => "warning",
            What::Stop { .. } => "stop",
        };
        Self { event, at_s, frame, what }
    }
}

impl<'a> What<'a> {
    /// A warning as an event.
    pub(crate) fn warning(warning: &'a Warning, hint: Option<&'a str>) -> Self {
        Self::Warning { kind: warning.kind().name(), message: warning.message(), hint, channel: warning.channel() }
    }
}

/// The field `path` and what else it takes to reach the file; null for standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FilePath<'a>(pub(crate) Option<&'a Path>);

impl Serialize for FilePath<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        match self.0 {
            Some(path) => path_fields(&mut map, "path", path)?,
            None => map.serialize_entry("path", &None::<&str>)?,
        }
        map.end()
    }
}

/// What `devices` reports about a device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct DeviceFacts<'a> {
    id: &'a str,
    name: &'a str,
    host: &'a str,
    kind: &'static str,
    default: bool,
    channels: u16,
    sample_rate: u32,
    sample_rates: &'a [u32],
    sample_formats: &'a [String],
}

impl<'a> From<&'a DeviceInfo> for DeviceFacts<'a> {
    fn from(info: &'a DeviceInfo) -> Self {
        Self {
            id: &info.id,
            name: &info.label,
            host: &info.host,
            kind: match info.kind {
                DeviceKind::Input => "input",
                DeviceKind::Output => "output",
            },
            default: info.is_default,
            channels: info.format.channels,
            sample_rate: info.format.sample_rate,
            sample_rates: &info.sample_rates,
            sample_formats: &info.sample_formats,
        }
    }
}

/// JSON has no infinity: the level of true silence is null.
fn finite<S: serde::Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    // One digit behind the point is finer than any meter; two keep a sum of them exact enough.
    value.is_finite().then(|| (value * 100.0).round() / 100.0).serialize(to)
}

/// One object as a line.
///
/// # Errors
/// When `value` cannot be expressed in JSON.
pub(crate) fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut line, Visible))?;
    line.push(b'\n');
    Ok(line)
}

/// Escapes more than JSON asks for.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        for plain in fragment.split_inclusive(steers) {
            let Some(c) = plain.chars().next_back().filter(|c| steers(*c)) else {
                to.write_all(plain.as_bytes())?;
                continue;
            };
            to.write_all(plain.strip_suffix(c).unwrap_or_default().as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(to, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dictaphone::audio::{AudioFormat, SampleFormat};

    use super::*;

    fn line(what: What<'_>) -> String {
        String::from_utf8(super::line(&Event::new(72_000, 1.5, what)).unwrap()).unwrap()
    }

    #[test]
    fn every_event_is_one_line_with_its_fields() {
        for (what, json) in [
            (
                What::Start {
                    device: "USB \"Mic\"",
                    path: FilePath(Some(Path::new("/a b.wav"))),
                    sample_rate: 48_000,
                    channels: 1,
                },
                r#""start","at_s":1.5,"frame":72000,"device":"USB \"Mic\"","path":"/a b.wav","sample_rate":48000,"channels":1"#,
            ),
            (
                What::Start { device: "tone", path: FilePath(None), sample_rate: 48_000, channels: 1 },
                r#""start","at_s":1.5,"frame":72000,"device":"tone","path":null,"sample_rate":48000,"channels":1"#,
            ),
            (
                What::Level { peak_dbfs: -12.345, rms_dbfs: f64::NEG_INFINITY, clipped: 3 },
                r#""level","at_s":1.5,"frame":72000,"peak_dbfs":-12.35,"rms_dbfs":null,"clipped":3"#,
            ),
            (What::Pause {}, r#""pause","at_s":1.5,"frame":72000"#),
            (What::Resume {}, r#""resume","at_s":1.5,"frame":72000"#),
            (What::Mark { text: "" }, r#""mark","at_s":1.5,"frame":72000,"text":"""#),
            (
                What::DataAvailable {
                    path: FilePath(None),
                    size_bytes: 44,
                    duration_s: 0.0,
                    frames: 0,
                    lost_frames: 0,
                },
                r#""dataavailable","at_s":1.5,"frame":72000,"path":null,"size_bytes":44,"duration_s":0.0,"frames":0,"lost_frames":0"#,
            ),
            (
                What::Error { name: "NotReadableError", message: "the microphone \"x\"\nis busy".to_owned() },
                r#""error","at_s":1.5,"frame":72000,"name":"NotReadableError","message":"the microphone \"x\"\nis busy""#,
            ),
            (
                What::Warning { kind: "clipping", message: "it clips", hint: None, channel: Some(2) },
                r#""warning","at_s":1.5,"frame":72000,"kind":"clipping","message":"it clips","hint":null,"channel":2"#,
            ),
            (
                What::Stop { device_rate_hz: Some(47_952.5) },
                r#""stop","at_s":1.5,"frame":72000,"device_rate_hz":47952.5"#,
            ),
        ] {
            assert_eq!(line(what), format!("{{\"event\":{json}}}\n"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_unicode_can_be_reached() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/a\xff.wav"));
        let told = serde_json::to_string(&FilePath(Some(path))).unwrap();
        assert_eq!(told, "{\"path\":\"/a\u{fffd}.wav\",\"path_bytes\":\"L2H/Lndhdg==\"}");
    }

    #[test]
    fn what_would_steer_a_terminal_is_escaped_and_means_the_same() {
        let text = "é\u{9b}2J\u{202e}gpj\u{e0041}\u{1b}\"";
        let line = line(What::Warning { kind: "device", message: text, hint: Some(text), channel: None });
        assert!(line.contains(r#""é\u009b2J\u202egpj\udb40\udc41\u001b\"""#), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap()["message"], text);
    }

    #[test]
    fn a_device_has_all_its_fields() {
        let info = DeviceInfo {
            id: "alsa:hw:0".into(),
            label: "Mic".into(),
            host: "alsa".into(),
            kind: DeviceKind::Input,
            is_default: true,
            is_monitor: false,
            converts: false,
            format: AudioFormat::new(48_000, 2, SampleFormat::S16),
            channels: (1, 2),
            sample_rates: vec![44_100, 48_000],
            sample_formats: vec!["s16".into()],
        };
        assert_eq!(
            serde_json::to_string(&[DeviceFacts::from(&info)]).unwrap(),
            r#"[{"id":"alsa:hw:0","name":"Mic","host":"alsa","kind":"input","default":true,"channels":2,"sample_rate":48000,"sample_rates":[44100,48000],"sample_formats":["s16"]}]"#
        );
    }
}
