//! A source whose frames are pushed by its caller: a network, a synthesiser, a test.
//!
//! For tracks, streams and recorders it does not differ from a microphone. Its clock is exact: a command that is given
//! after `push` returned takes effect right after the last pushed frame. It leaves pacing to its caller and runs no
//! thread.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    audio::AudioFormat,
    capture::{
        Backend, CaptureClock, CaptureStream, DeviceInfo, DeviceKind, EndReason, OpenRequest, Pace, Reading, Waker,
        Warning,
    },
    error::{Error, ErrorKind, Result},
};

/// A microphone played by the program itself. Clones are handles to the same microphone.
///
/// It can be opened once at a time, like a sound card; what is pushed while it is not open is lost. Frames that were
/// pushed and not yet read are kept, however many.
///
/// ```
/// use dictaphone::{audio::{AudioFormat, SampleFormat}, capture::PushSource};
///
/// let microphone = PushSource::new("line in", AudioFormat::new(48_000, 2, SampleFormat::F32));
/// microphone.push(&[0.0; 960])?; // 480 frames × 2 channels, which nobody hears yet
/// assert!(!microphone.is_open());
/// # Ok::<(), dictaphone::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PushSource {
    info: DeviceInfo,
    shared: Arc<PushQueue>,
}

#[derive(Debug, Default)]
struct PushQueue {
    state: Mutex<PushState>,
}

#[derive(Debug, Default)]
struct PushState {
    queue: VecDeque<Item>,
    delivered: u64,
    open: bool,
    unplugged: bool,
    muted: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
enum Item {
    Samples { samples: Vec<f32>, read: usize },
    Lost(u64),
    Muted(bool),
    Notice(Warning),
    Ended(EndReason),
}

impl PushQueue {
    fn lock(&self) -> MutexGuard<'_, PushState> {
        // Every change of the state is complete before anything can panic, so the state behind a poisoned lock is
        // valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, frames: u64, item: Item) {
        let waker = {
            let mut state = self.lock();
            if !state.open {
                return;
            }
            state.delivered += frames;
            state.queue.push_back(item);
            state.waker.clone()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl CaptureClock for PushQueue {
    fn position(&self) -> u64 {
        self.lock().delivered
    }
}

impl PushSource {
    /// A microphone of that name that delivers `format`.
    #[must_use]
    pub fn new(label: &str, format: AudioFormat) -> Self {
        let info = DeviceInfo {
            id: format!("push:{label}"),
            label: label.to_owned(),
            host: "push".to_owned(),
            kind: DeviceKind::Input,
            is_default: true,
            is_monitor: false,
            converts: false,
            format,
            channels: (format.channels, format.channels),
            sample_rates: vec![format.sample_rate],
            sample_formats: vec![format.sample_format.name().to_owned()],
        };
        Self { info, shared: Arc::default() }
    }

    /// Its entry in `enumerate_devices`.
    #[must_use]
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Delivers interleaved `samples` (frames × channels, full scale ±1.0).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] if `samples` is not a whole number of frames; nothing is delivered.
    pub fn push(&self, samples: &[f32]) -> Result<()> {
        let channels = usize::from(self.info.format.channels.max(1));
        if !samples.len().is_multiple_of(channels) {
            let context = format!("{} samples are not whole frames of {channels} channels", samples.len());
            return Err(Error::new(ErrorKind::InvalidData, context));
        }
        if !samples.is_empty() {
            let frames = (samples.len() / channels) as u64;
            self.shared.send(frames, Item::Samples { samples: samples.to_vec(), read: 0 });
        }
        Ok(())
    }

    /// Reports that `frames` frames were captured but lost on the way. They are recorded as silence and counted.
    pub fn lose(&self, frames: u64) {
        if frames > 0 {
            self.shared.send(frames, Item::Lost(frames));
        }
    }

    /// Mutes or unmutes the source itself, as a switch on the microphone does.
    pub fn set_muted(&self, muted: bool) {
        self.shared.lock().muted = muted;
        self.shared.send(0, Item::Muted(muted));
    }

    /// Reports something that a person should know; the frames go on.
    pub fn notice(&self, notice: Warning) {
        self.shared.send(0, Item::Notice(notice));
    }

    /// Unplugs it: open tracks end with an event, and the device is no longer listed.
    pub fn unplug(&self) {
        self.shared.lock().unplugged = true;
        let error = Error::new(ErrorKind::NotFound, format!("'{}' was unplugged", self.info.label));
        self.shared.send(0, Item::Ended(EndReason::DeviceLost(error)));
    }

    /// Plugs it in again: it is listed and can be opened.
    pub fn plug_in(&self) {
        self.shared.lock().unplugged = false;
    }

    /// Ends the sound, as a file ends: open tracks end with an event; the device stays.
    pub fn finish(&self) {
        self.shared.send(0, Item::Ended(EndReason::Exhausted));
    }

    /// Whether it is open now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shared.lock().open
    }
}

impl Backend for PushSource {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        Ok(self.default_input()?.into_iter().collect())
    }

    fn default_input(&self) -> Result<Option<DeviceInfo>> {
        Ok(self.find(&self.info.id))
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        (self.info.id == id && !self.shared.lock().unplugged).then(|| self.info.clone())
    }

    fn open(&self, id: &str, _request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        let mut state = self.shared.lock();
        if state.unplugged || id != self.info.id {
            return Err(Error::new(ErrorKind::NotFound, format!("no device '{id}'")));
        }
        if state.open {
            return Err(Error::new(ErrorKind::NotReadable, format!("'{}' is busy", self.info.label)));
        }
        let muted = state.muted;
        *state = PushState { open: true, muted, ..PushState::default() };
        if muted {
            state.queue.push_back(Item::Muted(true));
        }
        Ok(Box::new(PushStream { format: self.info.format, muted, shared: Arc::clone(&self.shared) }))
    }
}

struct PushStream {
    format: AudioFormat,
    muted: bool,
    shared: Arc<PushQueue>,
}

impl CaptureStream for PushStream {
    fn format(&self) -> AudioFormat {
        self.format
    }

    fn latency(&self) -> Option<Duration> {
        None
    }

    fn muted(&self) -> bool {
        self.muted
    }

    fn pace(&self) -> Pace {
        Pace::Live
    }

    fn clock(&self) -> Arc<dyn CaptureClock> {
        Arc::clone(&self.shared) as Arc<dyn CaptureClock>
    }

    fn start(&mut self, waker: Waker) -> Result<()> {
        self.shared.lock().waker = Some(waker);
        Ok(())
    }

    fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        let mut state = self.shared.lock();
        let Some(item) = state.queue.pop_front() else { return Reading::Idle };
        match item {
            Item::Samples { samples, read } => {
                let wanted = max_frames.saturating_mul(usize::from(self.format.channels));
                let end = samples.len().min(read.saturating_add(wanted));
                block.extend_from_slice(samples.get(read..end).unwrap_or_default());
                if end < samples.len() {
                    state.queue.push_front(Item::Samples { samples, read: end });
                }
                Reading::Frames
            }
            Item::Lost(frames) => Reading::Lost(frames),
            Item::Muted(muted) => Reading::Muted(muted),
            Item::Notice(notice) => Reading::Notice(notice),
            Item::Ended(reason) => {
                state.queue.clear();
                state.queue.push_back(Item::Ended(reason.clone()));
                Reading::Ended(reason)
            }
        }
    }
}

impl Drop for PushStream {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.open = false;
        state.waker = None;
        state.queue.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::SampleFormat;

    fn stereo() -> PushSource {
        PushSource::new("test", AudioFormat::new(48_000, 2, SampleFormat::F32))
    }

    #[test]
    fn frames_are_read_in_order_and_never_split() {
        let source = stereo();
        let mut stream = source.open("push:test", &OpenRequest::default()).unwrap();
        source.push(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        source.lose(7);
        assert_eq!(stream.clock().position(), 10);
        let mut block = Vec::new();
        assert!(matches!(stream.read(&mut block, 2), Reading::Frames));
        assert_eq!(block, [1.0, 2.0, 3.0, 4.0]);
        assert!(matches!(stream.read(&mut block, 2), Reading::Frames));
        assert_eq!(block, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!(matches!(stream.read(&mut block, 2), Reading::Lost(7)));
        assert!(matches!(stream.read(&mut block, 2), Reading::Idle));
    }

    #[test]
    fn half_a_frame_is_refused() {
        assert_eq!(stereo().push(&[0.0; 3]).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn it_is_open_once_and_free_after_the_drop() {
        let source = stereo();
        let stream = source.open("push:test", &OpenRequest::default()).unwrap();
        assert_eq!(source.open("push:test", &OpenRequest::default()).err().unwrap().kind(), ErrorKind::NotReadable);
        drop(stream);
        assert!(source.open("push:test", &OpenRequest::default()).is_ok());
    }

    #[test]
    fn an_unplugged_device_is_not_listed_until_it_is_plugged_in() {
        let source = stereo();
        source.unplug();
        assert!(source.devices().unwrap().is_empty());
        source.plug_in();
        assert_eq!(source.devices().unwrap().len(), 1);
    }

    #[test]
    fn the_end_is_said_again_and_again() {
        let source = stereo();
        let mut stream = source.open("push:test", &OpenRequest::default()).unwrap();
        source.finish();
        for _ in 0..3 {
            assert!(matches!(stream.read(&mut Vec::new(), 1), Reading::Ended(EndReason::Exhausted)));
        }
    }
}
