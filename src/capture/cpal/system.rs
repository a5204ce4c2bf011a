//! What is peculiar to each sound system that cpal reaches.

use std::time::Duration;

use cpal::traits::DeviceTrait;

use super::stream::Silence;

/// ALSA's names for conversions, parts and copies of devices that are listed under their own name. They can still be
/// opened by id.
const ALSA_CHAFF: [&str; 24] = [
    "null",
    "samplerate",
    "speexrate",
    "lavrate",
    "upmix",
    "vdownmix",
    "speex",
    "jack",
    "oss",
    "usbstream",
    "plughw",
    "sysdefault",
    "dsnoop",
    "dmix",
    "front",
    "rear",
    "center_lfe",
    "side",
    "surround",
    "iec958",
    "hdmi",
    "modem",
    "phoneline",
    "default",
];

/// What is peculiar to a sound system. Named by their ids as text, because each platform has only some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    PulseAudio,
    PipeWire,
    Alsa,
    Jack,
    Wasapi,
    Other,
}

impl System {
    /// The one of that id.
    pub(super) fn of(id: cpal::HostId) -> Self {
        match id.to_string().as_str() {
            "pulseaudio" => Self::PulseAudio,
            "pipewire" => Self::PipeWire,
            "alsa" => Self::Alsa,
            "jack" => Self::Jack,
            "wasapi" => Self::Wasapi,
            _ => Self::Other,
        }
    }

    /// Which is tried first.
    pub(super) fn order(self) -> u8 {
        match self {
            Self::PulseAudio => 0,
            Self::PipeWire => 1,
            Self::Wasapi | Self::Other => 2,
            Self::Alsa => 3,
            Self::Jack => 4,
        }
    }

    /// Whether it resamples and remixes to whatever format is requested.
    pub(super) fn converts(self) -> bool {
        matches!(self, Self::PulseAudio | Self::PipeWire | Self::Jack)
    }

    /// Whether one connection serves for ever: it is a library, not a server that can be restarted.
    pub(super) fn stays(self) -> bool {
        matches!(self, Self::Alsa | Self::Wasapi | Self::Other)
    }

    /// What it means when that device delivers nothing. The monitor of a loudspeaker delivers nothing while nothing
    /// plays.
    pub(super) fn silence(self, device: &cpal::Device) -> Silence {
        match self {
            Self::Wasapi | Self::Other if !device.supports_input() => Silence::Usual,
            _ => Silence::Fatal,
        }
    }

    /// How much a device is requested to buffer for a late reader, where the length of a buffer decides that, and not
    /// how often it delivers. With the 30 ms that WASAPI takes by itself, takes lost 20 to 30 ms each; with these none.
    pub(super) fn keeps(self) -> Option<Duration> {
        (self == Self::Wasapi).then_some(Duration::from_millis(500))
    }

    /// Whether the device is one that a person would look for.
    pub(super) fn lists(self, device: &cpal::Device) -> bool {
        let Ok(id) = device.id() else { return false };
        self != Self::Alsa || is_worth_listing(id.id())
    }
}

fn is_worth_listing(pcm: &str) -> bool {
    let (plugin, arguments) = pcm.split_once(':').unwrap_or((pcm, ""));
    let family = plugin.trim_end_matches(|c: char| c.is_ascii_digit());
    // Cards have a name and a number, and only the name stays when another card is plugged in.
    let numbered = arguments.strip_prefix("CARD=").is_some_and(|card| card.starts_with(|c: char| c.is_ascii_digit()));
    !(ALSA_CHAFF.contains(&plugin) || ALSA_CHAFF.contains(&family) || numbered)
}
