//! What a player plays to: an [`Output`] that can be opened again and again, and the open [`Line`].
//!
//! Which sound systems there are is not known here.

use std::time::Duration;

use super::queue::Feeder;
use crate::{
    audio::AudioFormat,
    error::{Error, Result},
};

/// How far the player reads ahead: as long may the disk stall, and as late is a new speed heard.
pub(super) const READ_AHEAD: Duration = Duration::from_millis(200);

/// Something that plays frames. It is opened when there is something to play and closed when there is not, by the
/// thread `player`.
pub trait Output: Send {
    /// Opens a line, paused, in the given format or in one that the device likes better: rate and channels of the
    /// line's [`format`](Line::format) are what it must be fed with.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::ErrorKind::NotFound) without a loudspeaker, else
    /// [`NotAllowed`](crate::error::ErrorKind::NotAllowed), [`NotReadable`](crate::error::ErrorKind::NotReadable) or
    /// [`Abort`](crate::error::ErrorKind::Abort).
    fn open(&mut self, format: AudioFormat) -> Result<Line>;
}

/// What stands behind a line and drains it.
pub trait Device: Send {
    /// Why nothing will be heard any more, once that is so.
    fn fault(&mut self) -> Option<Error>;

    /// Told while the device takes frames: whatever it complained about before, it works.
    fn is_taking(&mut self) {}

    /// Closes the device without waiting for ever, and drops the feeder no earlier than nobody drains it any more.
    fn close(&mut self, feeder: Feeder);
}

/// An open way to be heard.
pub struct Line {
    device: Box<dyn Device>,
    feeder: Feeder,
    format: AudioFormat,
}

impl Line {
    /// A line of frames in `format`, whose other end `device` drains.
    #[must_use]
    pub fn new(format: AudioFormat, feeder: Feeder, device: Box<dyn Device>) -> Self {
        Self { device, feeder, format }
    }

    /// Rate and channels of the frames that it takes. Neither is zero.
    #[must_use]
    pub fn format(&self) -> AudioFormat {
        self.format
    }

    /// Where the frames are written to.
    pub fn feeder(&mut self) -> &mut Feeder {
        &mut self.feeder
    }

    /// The device behind it.
    pub fn device(&mut self) -> &mut dyn Device {
        self.device.as_mut()
    }

    /// Closes the device. A line that is only dropped is closed at the same time as its queue is.
    pub fn close(mut self) {
        self.device.close(self.feeder);
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({})", self.format)
    }
}
