//! What a person should know about a recording that goes on, by kind, so that no program has to parse the sentence.
//!
//! Values only; what is worth a warning is decided where it is detected. For any thread.

use std::fmt;

/// What a [`Warning`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarningKind {
    /// From the beginning the source delivered nothing but the floor of a converter.
    Dead,
    /// The source delivered sound, and then only exact zeros.
    Silent,
    /// Samples clip at full scale.
    Clipping,
    /// The kept channels are much quieter than the loudest channel of the source.
    Weak,
    /// Channels in opposite phase cancel one another in the kept channels.
    Phase,
    /// The kept channels are too quiet to be understood.
    Quiet,
    /// The machine slept, and nothing of that time is recorded.
    Slept,
    /// The sound server suspended the source, which delivers nothing until it is resumed.
    Suspended,
    /// The sound server resumed a suspended source.
    Resumed,
    /// The device went away, and the recording waits for it.
    Waiting,
    /// The source was muted, by a switch of its own or of the sound server.
    Muted,
    /// The source is not muted any more.
    Unmuted,
    /// The system has another default input now; the recording stays with its own.
    DefaultChanged,
    /// The device that was chosen is not there, and the recording is from another one.
    OtherDevice,
    /// Only those channels are kept that were chosen before for this device.
    Map,
    /// Sound was lost and is silence in the recording.
    Lost,
    /// Sound was lost; how much is unknown.
    LostUnknown,
    /// The recording ended before it was meant to.
    EndedEarly,
    /// A new file could not be made, so that the old one goes on.
    Split,
    /// A marker is in no file: nothing was recorded after it.
    Marker,
    /// The second copy of the recording has failed.
    Copy,
    /// The disk will be full before long.
    LowSpace,
    /// The rate of the recording is not the one that was requested.
    Rate,
    /// The file has another name than it was meant to have.
    Renamed,
    /// Something else that the sound system reports.
    Device,
}

impl WarningKind {
    /// The word for machine output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Silent => "silent",
            Self::Clipping => "clipping",
            Self::Weak => "weak",
            Self::Phase => "phase",
            Self::Quiet => "quiet",
            Self::Slept => "slept",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::Waiting => "waiting",
            Self::Muted => "muted",
            Self::Unmuted => "unmuted",
            Self::DefaultChanged => "default_changed",
            Self::OtherDevice => "other_device",
            Self::Map => "map",
            Self::Lost => "lost",
            Self::LostUnknown => "lost_unknown",
            Self::EndedEarly => "ended_early",
            Self::Split => "split",
            Self::Marker => "marker",
            Self::Copy => "copy",
            Self::LowSpace => "low_space",
            Self::Rate => "rate",
            Self::Renamed => "renamed",
            Self::Device => "device",
        }
    }

    /// Whether nothing is delivered from then on until the cause is gone: a recording that is stopped meanwhile lacks its
    /// end.
    #[must_use]
    pub const fn interrupts(self) -> bool {
        matches!(self, Self::Suspended | Self::Waiting)
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something that a person should know; everything goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    kind: WarningKind,
    message: String,
    channel: Option<u16>,
}

impl Warning {
    /// A warning of `kind`; `message` is lower case but for names, has no full stop, and names the thing.
    #[must_use]
    pub fn new(kind: WarningKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), channel: None }
    }

    /// The same about one channel of the source, counted from 1: the one to keep, or the one to mend.
    #[must_use]
    pub fn of_channel(self, channel: u16) -> Self {
        Self { channel: Some(channel), ..self }
    }

    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> WarningKind {
        self.kind
    }

    /// The sentence for a person.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The channel of the source that it is about, counted from 1.
    #[must_use]
    pub const fn channel(&self) -> Option<u16> {
        self.channel
    }
}

impl fmt::Display for Warning {
    /// The sentence alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.message)
    }
}
