//! What can be read from a session at any time. Nothing here changes anything.

use std::{path::PathBuf, sync::Arc};

use dictaphone::{
    audio::{AudioFormat, ChannelMixer},
    media::{MediaDevices, Progress, Tap},
    storage::place,
};

use super::{Session, Stage};
use crate::message::exit::Exit;

impl Session {
    /// Whether something is in progress that must not be abandoned.
    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    /// Whether a device is open or a recording runs.
    pub(crate) fn is_live(&self) -> bool {
        self.device.is_some() || self.is_busy()
    }

    /// The format of the recording, or of one that would be made from the open device.
    pub(crate) fn format(&self) -> Option<AudioFormat> {
        match (&self.stage, &self.device) {
            (Stage::Running(take), _) => Some(take.format),
            (_, Some(device)) => Some(device.format),
            _ => None,
        }
    }

    /// What is kept of the open device's channels.
    pub(crate) fn mixer(&self) -> Option<&ChannelMixer> {
        self.device.as_ref().map(|device| &device.mixer)
    }

    /// The progress of the running recording.
    pub(crate) fn progress(&self) -> Option<Progress> {
        if let Stage::Running(take) = &self.stage { Some(take.recorder.progress()) } else { None }
    }

    /// The name of the file that is recorded.
    pub(crate) fn name(&self) -> Option<String> {
        let Stage::Running(take) = &self.stage else { return None };
        // It is named by the time of its first frame, which can still move.
        let part = take.recorder.progress().path;
        let target = part.as_deref().and_then(place::target_of_part).or_else(|| take.target.clone());
        Some(target?.file_name()?.to_string_lossy().into_owned())
    }

    /// The sound of the open device as it passes, with room for so many blocks.
    pub(crate) fn tap(&self, blocks: usize) -> Option<Tap> {
        self.device.as_ref()?.stream.tracks().first().map(|track| track.tap(blocks))
    }

    /// All devices.
    pub(crate) fn devices(&self) -> &Arc<MediaDevices> {
        &self.devices
    }

    /// The unfinished file of the running recording.
    pub(crate) fn part(&self) -> Option<PathBuf> {
        self.progress()?.path
    }

    /// How the program ends because of the worst outcome of any recording.
    pub(crate) fn worst(&self) -> Option<Exit> {
        self.worst
    }
}
