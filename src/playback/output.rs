//! What a player plays to: an [`Output`] that can be opened again and again, and the open [`Line`].
//!
//! The sound systems are not handled here.

use std::time::Duration;

use super::queue::Feeder;
use crate::{
    audio::AudioFormat,
    error::{Error, Result},
};

/// How far the player reads ahead: the disk may stall for that long, and a new speed is heard that late.
pub(super) const READ_AHEAD: Duration = Duration::from_millis(200);

/// Something that plays frames. It is opened when there is something to play and closed when there is not, by the
/// thread `player`.
pub trait Output: Send {
    /// Opens a line, paused, in the given format or in one that suits the device better: frames must have the rate and
    /// channels of the line's [`format`](Line::format).
    ///
    /// # Errors
    /// [`NotFound`](crate::error::ErrorKind::NotFound) without a loudspeaker, else
    /// [`NotAllowed`](crate::error::ErrorKind::NotAllowed), [`NotReadable`](crate::error::ErrorKind::NotReadable) or
    /// [`Abort`](crate::error::ErrorKind::Abort).
    fn open(&mut self, format: AudioFormat) -> Result<Line>;
}

/// The device behind a line, which drains it.
pub trait Device: Send {
    /// Why nothing will be heard any more, if that is so.
    fn fault(&mut self) -> Option<Error>;

    /// Called while the device takes frames: whatever errors it reported before, it works.
    fn is_taking(&mut self) {}

    /// Closes the device without waiting for ever, and drops the feeder only when nothing drains its other end any
    /// more.
    fn close(&mut self, feeder: Feeder);
}

/// An open connection to an output.
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

    /// Rate and channels of the frames that it requires. Neither is zero.
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

    /// Closes the device. A line that is only dropped is closed together with its queue.
    pub fn close(mut self) {
        self.device.close(self.feeder);
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({})", self.format)
    }
}
