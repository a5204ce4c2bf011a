//! Waiting for a device that went away, and going on with it when it comes back.
//!
//! [`Reconnecting`] wraps a backend. A stream that it opens outlives its device: when the device is lost, the stream
//! reports that, delivers nothing for a while, and meanwhile a thread `reopen` tries to open the same device again. If
//! that succeeds in time, the time without it is reported as lost frames, measured by the clock, and frames go on; if
//! not, the stream ends. Everything but opening and closing runs on the reading thread. Listing is done by the backend.

mod attempt;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, TryRecvError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use self::attempt::{Attempt, width};
use super::{
    Backend, CaptureClock, CaptureStream, DeviceInfo, EndReason, OpenRequest, Pace, Reading, Waker, Warning,
    WarningKind,
};
use crate::{
    audio::{AudioFormat, Speakers, time::frames_in},
    error::{Error, ErrorKind, Result},
};

/// A backend whose devices may go away for a while.
pub struct Reconnecting {
    inner: Arc<dyn Backend>,
    limit: Duration,
}

impl Reconnecting {
    /// The devices of `inner`, for each of which the stream waits up to `limit` whenever it goes away.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>, limit: Duration) -> Self {
        Self { inner, limit }
    }
}

impl fmt::Debug for Reconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnecting").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Backend for Reconnecting {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        self.inner.devices()
    }

    fn default_input(&self) -> Result<Option<DeviceInfo>> {
        self.inner.default_input()
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        self.inner.find(id)
    }

    fn open(&self, id: &str, request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        let stream = self.inner.open(id, request)?;
        let mut stream = ReconnectingStream::new(Arc::clone(&self.inner), id, request, self.limit, stream);
        stream.width = width(self.inner.as_ref(), id);
        Ok(Box::new(stream))
    }
}

/// The clocks of all streams of one device, one after the other. While there is none the position stands still.
struct Clock {
    state: Mutex<(u64, Option<Arc<dyn CaptureClock>>)>,
}

impl Clock {
    fn lock(&self) -> MutexGuard<'_, (u64, Option<Arc<dyn CaptureClock>>)> {
        // The guarded state is replaced as a whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, base: u64, clock: Option<Arc<dyn CaptureClock>>) {
        *self.lock() = (base, clock);
    }
}

impl CaptureClock for Clock {
    fn position(&self) -> u64 {
        let state = self.lock();
        state.0 + state.1.as_ref().map_or(0, |clock| clock.position())
    }
}

enum LinkState {
    Open(Box<dyn CaptureStream>),
    /// The device is gone; the thread that opens it again sends it here.
    Waiting {
        news: Receiver<Result<Box<dyn CaptureStream>>>,
        cause: Error,
        /// The attempt goes on as long as this exists.
        _wanted: Arc<()>,
    },
    Over(EndReason),
}

/// A stream that outlives its device.
struct ReconnectingStream {
    backend: Arc<dyn Backend>,
    id: String,
    request: OpenRequest,
    limit: Duration,
    format: AudioFormat,
    speakers: Option<Speakers>,
    /// The channels of the device itself, where they may differ from those of the stream.
    width: Option<u16>,
    latency: Option<Duration>,
    wakes_reader: bool,
    muted: bool,
    /// What the sound server recorded for it, from when that was known until the device was lost.
    source: Option<String>,
    pace: Pace,
    /// What its clock was measured to be before it was lost.
    device_rate: Option<f64>,
    clock: Arc<Clock>,
    waker: Option<Waker>,
    state: LinkState,
    /// Frames delivered or reported as lost.
    delivered: u64,
    /// When the last frame came.
    last_frame: Instant,
    /// When the device went away, until its first frame after that.
    gone: Option<Instant>,
    /// Samples that wait after the gap that was reported before them.
    kept: Vec<f32>,
}

impl ReconnectingStream {
    fn new(
        backend: Arc<dyn Backend>,
        id: &str,
        request: &OpenRequest,
        limit: Duration,
        stream: Box<dyn CaptureStream>,
    ) -> Self {
        let format = stream.format();
        // What was only preferred is required from now on: the recording has its format.
        let request = OpenRequest {
            sample_rate: Some(format.sample_rate),
            channels: Some(format.channels),
            sample_size: Some(format.sample_format.bits()),
            exact: true,
            ..*request
        };
        Self {
            backend,
            id: id.to_owned(),
            request,
            limit,
            format,
            speakers: stream.speakers(),
            width: None,
            latency: stream.latency(),
            wakes_reader: stream.wakes_reader(),
            muted: stream.muted(),
            source: None,
            pace: stream.pace(),
            device_rate: None,
            clock: Arc::new(Clock { state: Mutex::new((0, Some(stream.clock()))) }),
            waker: None,
            state: LinkState::Open(stream),
            delivered: 0,
            last_frame: Instant::now(),
            gone: None,
            kept: Vec::new(),
        }
    }

    fn channels(&self) -> usize {
        usize::from(self.format.channels.max(1))
    }

    /// The device is gone: reports it and begins to wait for it, unless the device is there and would only fail in the
    /// same way.
    fn lose(&mut self, cause: Error) -> Reading {
        if cause.kind() == ErrorKind::NotSupported {
            let reason = EndReason::DeviceLost(cause);
            self.state = LinkState::Over(reason.clone());
            return Reading::Ended(reason);
        }
        self.clock.set(self.delivered, None);
        self.gone.get_or_insert_with(Instant::now);
        let (news, receiver) = sync_channel(1);
        let wanted = Arc::new(());
        let attempt_wanted = Arc::downgrade(&wanted);
        let waiting = LinkState::Waiting { news: receiver, cause: cause.clone(), _wanted: wanted };
        let dead = std::mem::replace(&mut self.state, waiting);
        if let LinkState::Open(dead) = &dead {
            self.source = dead.source().or(self.source.take());
            self.device_rate = dead.device_rate().or(self.device_rate);
        }
        let attempt = Attempt {
            backend: Arc::clone(&self.backend),
            id: self.id.clone(),
            request: self.request,
            format: self.format,
            width: self.width,
            source: self.source.clone(),
            until: Instant::now() + self.limit,
            wanted: attempt_wanted,
        };
        let waker = self.waker.clone();
        let spawned = thread::Builder::new().name("reopen".to_owned()).spawn(move || {
            // Closing may take long where the server is dead, and nothing waits for it here.
            drop(dead);
            // If nothing waits any more, the new stream is closed right here.
            let _ = news.send(attempt.run(waker.as_ref()));
            drop(news);
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        if spawned.is_err() {
            self.state = LinkState::Over(EndReason::DeviceLost(cause.clone()));
        }
        let limit = self.limit.as_secs_f64();
        Reading::Notice(Warning::new(WarningKind::Waiting, format!("{cause}; waiting up to {limit:.0} s for it")))
    }

    /// Checks whether the device is back.
    fn wait(&mut self) -> Reading {
        let LinkState::Waiting { news, cause, .. } = &self.state else { return Reading::Idle };
        match news.try_recv() {
            Ok(Ok(stream)) => {
                self.clock.set(self.delivered, Some(stream.clock()));
                self.state = LinkState::Open(stream);
                Reading::Idle
            }
            Err(TryRecvError::Empty) => Reading::Idle,
            outcome => {
                let limit = self.limit.as_secs_f64();
                let message = match outcome {
                    Ok(Err(error)) if error.kind() == ErrorKind::NotSupported => format!("{cause}; {error}"),
                    _ => format!("{cause}, and did not come back within {limit:.0} s"),
                };
                let reason = EndReason::DeviceLost(Error::new(cause.kind(), message));
                self.state = LinkState::Over(reason.clone());
                Reading::Ended(reason)
            }
        }
    }

    /// The first frames after the device was gone have come: how many are missing before them?
    fn close_gap(&mut self, samples: Vec<f32>) -> Reading {
        self.gone = None;
        self.kept = samples;
        let LinkState::Open(stream) = &self.state else { return Reading::Idle };
        // The new stream has captured this many up to now.
        let captured = stream.clock().position();
        let gap = frames_in(self.last_frame.elapsed(), self.format.sample_rate).saturating_sub(captured).max(1);
        self.delivered += gap;
        let before = self.delivered;
        self.clock.set(before, Some(stream.clock()));
        Reading::Lost(gap)
    }

    /// Returns what was kept after a gap.
    fn hand_out(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        let count = self.kept.len().min(max_frames.max(1).saturating_mul(self.channels()));
        block.extend(self.kept.drain(..count));
        self.note_frames(count);
        Reading::Frames
    }

    fn note_frames(&mut self, samples: usize) {
        self.delivered += (samples / self.channels()) as u64;
        self.last_frame = Instant::now();
    }
}

impl CaptureStream for ReconnectingStream {
    fn format(&self) -> AudioFormat {
        self.format
    }

    fn speakers(&self) -> Option<Speakers> {
        self.speakers.clone()
    }

    fn latency(&self) -> Option<Duration> {
        self.latency
    }

    fn wakes_reader(&self) -> bool {
        self.wakes_reader
    }

    fn muted(&self) -> bool {
        self.muted
    }

    fn device_rate(&self) -> Option<f64> {
        match &self.state {
            LinkState::Open(stream) => stream.device_rate().or(self.device_rate),
            _ => self.device_rate,
        }
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn clock(&self) -> Arc<dyn CaptureClock> {
        Arc::clone(&self.clock) as Arc<dyn CaptureClock>
    }

    fn start(&mut self, waker: Waker) -> Result<()> {
        self.waker = Some(waker.clone());
        match &mut self.state {
            LinkState::Open(stream) => stream.start(waker),
            _ => Err(Error::new(ErrorKind::InvalidState, "the stream was started before")),
        }
    }

    fn expect(&mut self, wait: Duration) {
        if let LinkState::Open(stream) = &mut self.state {
            stream.expect(wait);
        }
    }

    fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        if !self.kept.is_empty() {
            return self.hand_out(block, max_frames);
        }
        let stream = match &mut self.state {
            LinkState::Open(stream) => stream,
            LinkState::Waiting { .. } => return self.wait(),
            LinkState::Over(reason) => return Reading::Ended(reason.clone()),
        };
        if self.gone.is_some() {
            let mut samples = Vec::new();
            return match stream.read(&mut samples, max_frames) {
                Reading::Frames => self.close_gap(samples),
                // It is part of the gap, which is measured by the clock.
                Reading::Lost(_) => Reading::Idle,
                Reading::Ended(EndReason::DeviceLost(cause)) => self.lose(cause),
                reading => reading,
            };
        }
        let before = block.len();
        match stream.read(block, max_frames) {
            Reading::Frames => self.note_frames(block.len().saturating_sub(before)),
            Reading::Lost(frames) => {
                self.delivered += frames;
                return Reading::Lost(frames);
            }
            Reading::Ended(EndReason::DeviceLost(cause)) => return self.lose(cause),
            reading => return reading,
        }
        Reading::Frames
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::*;
    use crate::{audio::SampleFormat, capture::PushSource};

    const LIMIT: Duration = Duration::from_secs(30);

    fn microphone() -> PushSource {
        PushSource::new("mic", AudioFormat::new(1_000, 1, SampleFormat::F32))
    }

    fn open(microphone: &PushSource, limit: Duration) -> Box<dyn CaptureStream> {
        let backend = Reconnecting::new(Arc::new(microphone.clone()), limit);
        let mut stream = backend.open("push:mic", &OpenRequest::default()).unwrap();
        stream.start(Waker::new(thread::current())).unwrap();
        stream
    }

    /// Brings the microphone back, and reads until it is open. The lost stream is closed on the other thread first, and
    /// would swallow what is pushed.
    fn plug_in_again(microphone: &PushSource, stream: &mut dyn CaptureStream) {
        while microphone.is_open() {
            thread::yield_now();
        }
        microphone.plug_in();
        while !microphone.is_open() {
            assert!(matches!(stream.read(&mut Vec::new(), 2), Reading::Idle));
            thread::yield_now();
        }
    }

    fn next(stream: &mut dyn CaptureStream, block: &mut Vec<f32>) -> Reading {
        loop {
            match stream.read(block, 2) {
                Reading::Idle => thread::park_timeout(Duration::from_millis(5)),
                reading => return reading,
            }
        }
    }

    #[test]
    fn a_device_that_comes_back_goes_on_behind_a_gap_measured_by_the_clock() {
        let (microphone, mut block) = (microphone(), Vec::new());
        let mut stream = open(&microphone, LIMIT);
        microphone.push(&[0.1]).unwrap();
        assert!(matches!(next(stream.as_mut(), &mut block), Reading::Frames));
        let before = Instant::now();
        microphone.unplug();
        let Reading::Notice(notice) = next(stream.as_mut(), &mut block) else { panic!("no notice") };
        assert_eq!(notice.to_string(), "'mic' was unplugged; waiting up to 30 s for it");
        assert_eq!(stream.clock().position(), 1);
        plug_in_again(&microphone, stream.as_mut());
        microphone.push(&[0.2, 0.3, 0.4]).unwrap();
        let Reading::Lost(gap) = next(stream.as_mut(), &mut block) else { panic!("no gap") };
        assert!(gap >= 1 && gap <= before.elapsed().as_millis() as u64 + 1, "{gap}");
        assert!(matches!(next(stream.as_mut(), &mut block), Reading::Frames));
        assert!(matches!(next(stream.as_mut(), &mut block), Reading::Frames));
        assert_eq!(block, [0.1, 0.2, 0.3, 0.4]);
        assert_eq!(stream.clock().position(), 4 + gap);
    }

    #[test]
    fn what_a_device_has_captured_since_it_is_back_is_no_part_of_the_gap() {
        let (microphone, mut block) = (microphone(), Vec::new());
        let mut stream = open(&microphone, LIMIT);
        microphone.push(&[0.1]).unwrap();
        assert!(matches!(next(stream.as_mut(), &mut block), Reading::Frames));
        microphone.unplug();
        assert!(matches!(next(stream.as_mut(), &mut block), Reading::Notice(_)));
        plug_in_again(&microphone, stream.as_mut());
        // More than the time without it can be: a quarter of an hour.
        microphone.push(&[0.2; 1_000_000]).unwrap();
        assert!(matches!(next(stream.as_mut(), &mut block), Reading::Lost(1)));
    }

    #[test]
    fn a_device_that_stays_away_ends_the_stream_and_says_so_again_and_again() {
        let (microphone, mut block) = (microphone(), Vec::new());
        let mut stream = open(&microphone, Duration::from_millis(1));
        microphone.unplug();
        assert!(matches!(next(stream.as_mut(), &mut block), Reading::Notice(_)));
        for _ in 0..2 {
            let Reading::Ended(EndReason::DeviceLost(error)) = next(stream.as_mut(), &mut block) else {
                panic!("no end")
            };
            assert_eq!(error.to_string(), "'mic' was unplugged, and did not come back within 0 s");
        }
    }

    #[test]
    fn the_end_of_a_file_is_not_waited_for() {
        let microphone = microphone();
        let mut stream = open(&microphone, LIMIT);
        microphone.finish();
        assert!(matches!(next(stream.as_mut(), &mut Vec::new()), Reading::Ended(EndReason::Exhausted)));
    }

    #[test]
    fn a_device_that_comes_back_in_another_format_is_refused() {
        let attempt = Attempt {
            backend: Arc::new(microphone()),
            id: "push:mic".to_owned(),
            request: OpenRequest::default(),
            format: AudioFormat::new(1_000, 2, SampleFormat::F32),
            width: None,
            source: None,
            until: Instant::now(),
            wanted: Weak::new(),
        };
        let error = attempt.open(None).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotSupported);
    }
}
