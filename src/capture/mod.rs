//! Where frames come from: microphones, generators, files, callers.
//!
//! A [`Backend`] lists devices and opens them; an open device is a [`CaptureStream`] that the pump thread reads from.

#[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
pub(crate) mod alsa;
mod bounded;
pub(crate) mod builtin;
pub(crate) mod cpal;
pub(crate) mod drift;
#[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
mod inlet;
#[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
mod layout;
#[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
mod nap;
mod negotiate;
#[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
pub(crate) mod pulse;
pub(crate) mod push;
pub(crate) mod reconnect;
pub mod ring;
mod sample;
mod stall;
#[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
mod suspension;
pub(crate) mod warning;

use std::{sync::Arc, time::Duration};

use crate::{
    audio::{AudioFormat, Speakers},
    error::{Error, Result},
};

pub use builtin::Builtin;
pub(crate) use cpal::CpalBackend;
pub use push::PushSource;
pub use reconnect::Reconnecting;
pub use warning::{Warning, WarningKind};

/// The [constraint](Error::constraint) of an error about a sound server that the user has named: it must not be replaced
/// by another one, or by another sound system.
pub const SERVER: &str = "server";

/// Every backend that this system has: the built-in sources, running at `pace`, and the hosts of the sound system.
#[must_use]
pub fn backends(pace: Pace) -> Vec<Arc<dyn Backend>> {
    let mut backends: Vec<Arc<dyn Backend>> = vec![Arc::new(Builtin::new(pace))];
    backends.extend(CpalBackend::hosts());
    backends
}

/// Whether frames come out of a device or go into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// A microphone or another source (`audioinput`).
    Input,
    /// A loudspeaker or another sink (`audiooutput`).
    Output,
}

named! { DeviceKind: Input "audioinput", Output "audiooutput" }

/// What is known about a device without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Stable across runs and unique across hosts, such as `pulseaudio:alsa_input.usb-…`.
    pub id: String,
    /// The name for people.
    pub label: String,
    /// The sound system behind it, such as `pulseaudio` or `alsa`; `builtin` for generators.
    pub host: String,
    /// Input or output.
    pub kind: DeviceKind,
    /// Whether it is the system's default of its kind. At most one device of a kind is.
    pub is_default: bool,
    /// Whether it delivers the output of a loudspeaker, and is no microphone.
    pub is_monitor: bool,
    /// Whether rates, channels and sample formats other than its own are only reached by conversion, on a sound server.
    /// It is opened in its own [`format`](Self::format) then, unless another one is [required](OpenRequest::exact).
    pub converts: bool,
    /// The format that it runs at when nothing else is requested.
    pub format: AudioFormat,
    /// Smallest and largest channel count that can be requested.
    pub channels: (u16, u16),
    /// The usual sample rates that can be requested, in hertz, ascending.
    pub sample_rates: Vec<u32>,
    /// The sample formats that it delivers, by their names on the host (`s16`, `f32`, `u8` …).
    pub sample_formats: Vec<String>,
}

impl DeviceInfo {
    /// What lists of devices are sorted by: inputs first, the default in front, monitors after microphones.
    #[must_use]
    pub fn place_in_lists(&self) -> (bool, bool, bool) {
        (self.kind == DeviceKind::Output, !self.is_default, self.is_monitor)
    }
}

/// What the caller of `open` requests. Where the device cannot provide it, the nearest that it can is used; the
/// stream's [`format`](CaptureStream::format) is the actual one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OpenRequest {
    /// Frames a second in hertz, or the device's own.
    pub sample_rate: Option<u32>,
    /// Channels, or the device's own.
    pub channels: Option<u16>,
    /// Bits of one sample, or the device's own.
    pub sample_size: Option<u16>,
    /// All of that is required, not only preferred: a sound server that converts by itself is requested to do so,
    /// instead of being opened in its native format.
    pub exact: bool,
    /// Length of one buffer, or the one that costs least.
    pub latency: Option<Duration>,
}

/// Why a stream ended by itself.
#[derive(Debug, Clone)]
pub enum EndReason {
    /// The device was unplugged or removed, or the server behind it went away.
    DeviceLost(Error),
    /// A file or a generator came to its end.
    Exhausted,
}

named! { EndReason: DeviceLost "device-lost", Exhausted "exhausted" }

/// What one [`CaptureStream::read`] found.
#[derive(Debug, Clone)]
pub enum Reading {
    /// At least one whole frame was appended to the block.
    Frames,
    /// This many frames were lost right before whatever comes next.
    Lost(u64),
    /// The source muted (`true`) or unmuted itself right before whatever comes next.
    Muted(bool),
    /// Something about the device that a person should know, such as a source that its server suspended.
    Notice(Warning),
    /// Nothing has arrived since the last read.
    Idle,
    /// Nothing will arrive any more. Every later read returns the same.
    Ended(EndReason),
}

named! { Reading: Frames "frames", Lost "lost", Muted "muted", Notice "notice", Idle "idle", Ended "ended" }

/// How fast a stream delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pace {
    /// As time passes, whether it is read or not: a microphone.
    Live,
    /// As time passes, beginning with the first read: a generator or a file, of which no frame is to be missed.
    RealTime,
    /// As fast as it is read. Frames wait for their reader and are never lost.
    Fast,
}

named! { Pace: Live "live", RealTime "real-time", Fast "fast" }

/// The frame position of a stream, available to any thread at any time.
pub trait CaptureClock: Send + Sync {
    /// Frames that the device has captured up to now, lost ones included. Never goes back. May run ahead of what was
    /// read by the frames that wait in a buffer, so that a cut can be placed where a key was pressed.
    fn position(&self) -> u64;
}

/// Wakes the thread that reads a stream; kept by streams whose frames arrive from an ordinary thread.
#[derive(Debug, Clone)]
pub struct Waker(std::thread::Thread);

impl Waker {
    /// Wakes that thread.
    #[must_use]
    pub fn new(thread: std::thread::Thread) -> Self {
        Self(thread)
    }

    /// Whether the calling thread is the one that would be woken.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.0.id() == std::thread::current().id()
    }

    /// Makes the reading thread run now. Not for realtime callbacks.
    pub fn wake(&self) {
        self.0.unpark();
    }
}

/// An open source of frames. Dropping it closes the device.
pub trait CaptureStream: Send {
    /// What it delivers. `sample_format` is the depth that the source really has.
    fn format(&self) -> AudioFormat;

    /// The speakers that its channels are meant for. Separate inputs, as those of an interface, have none, and then
    /// nothing follows from their number.
    fn speakers(&self) -> Option<Speakers> {
        Speakers::usual(self.format().channels)
    }

    /// Length of the device's buffer: how long after their capture frames arrive. `None` where there is none.
    fn latency(&self) -> Option<Duration>;

    /// Whether it wakes its reader whenever it has something. A realtime callback must not, so that the reader of a
    /// stream of that kind polls it from time to time.
    fn wakes_reader(&self) -> bool {
        self.latency().is_none()
    }

    /// Whether the source was muted when it was opened. Whatever it does later is [read](Reading::Muted).
    fn muted(&self) -> bool {
        false
    }

    /// What the sound server behind it records for it, by the name on the server, as soon as that is known: the id of
    /// such a device may lead somewhere else the next time. `None` where the id is unambiguous.
    fn source(&self) -> Option<String> {
        None
    }

    /// The frames that the device really delivers in a second of the system's clock, about as many as its format
    /// states. `None` while that is not known well, and for sources without a clock of their own.
    fn device_rate(&self) -> Option<f64> {
        None
    }

    /// How fast it delivers.
    fn pace(&self) -> Pace;

    /// Its clock; stays valid after the stream is dropped.
    fn clock(&self) -> Arc<dyn CaptureClock>;

    /// Called once by the reading thread before its first read. The frames begin to flow.
    ///
    /// # Errors
    /// [`NotReadable`](crate::error::ErrorKind::NotReadable), [`NotAllowed`](crate::error::ErrorKind::NotAllowed).
    fn start(&mut self, waker: Waker) -> Result<()>;

    /// Called before the reader sleeps: it waits for what is captured by the end of `wait`, which is not to be left in
    /// the device until the next poll.
    fn expect(&mut self, _wait: Duration) {}

    /// Appends at most `max_frames` frames of interleaved samples (full scale ±1.0) to `block`. Does not wait.
    fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading;
}

/// A way to reach devices.
pub trait Backend: Send + Sync {
    /// The devices that it lists, its default first.
    ///
    /// # Errors
    /// [`Abort`](crate::error::ErrorKind::Abort) when the sound system does not answer.
    fn devices(&self) -> Result<Vec<DeviceInfo>>;

    /// The default input, without listing the others; `None` if there is none, or no sound system.
    ///
    /// # Errors
    /// [`NotReadable`](crate::error::ErrorKind::NotReadable) or [`Abort`](crate::error::ErrorKind::Abort) when the
    /// sound system is there and does not answer; [`NotFound`](crate::error::ErrorKind::NotFound) when it answers that
    /// there is no input, and the backends after it could only report the same.
    fn default_input(&self) -> Result<Option<DeviceInfo>>;

    /// The device of that id, listed or not; `None` if the id is not one of this backend's.
    fn find(&self, id: &str) -> Option<DeviceInfo>;

    /// Opens an input.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::ErrorKind::NotFound), [`NotAllowed`](crate::error::ErrorKind::NotAllowed),
    /// [`NotReadable`](crate::error::ErrorKind::NotReadable), [`Abort`](crate::error::ErrorKind::Abort).
    fn open(&self, id: &str, request: &OpenRequest) -> Result<Box<dyn CaptureStream>>;
}
