//! An open microphone: building its stream, converting its samples, reporting what went wrong with it.
//!
//! The data callback runs on the thread of the sound system and only pushes into the ring. The error callback runs on
//! that thread or on another one of the sound system, and only tries to put the error into a bounded channel, which
//! takes no lock as long as no thread waits at its other end, and none ever does. Everything else runs on the reading
//! thread; starting and closing run on threads of their own, because a dead sound server can block them for ever.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use cpal::traits::{DeviceTrait, StreamTrait};

use crate::{
    audio::{
        AudioFormat,
        time::{duration_of, frames_in},
    },
    capture::{
        CaptureClock, CaptureStream, EndReason, Pace, Reading, Waker, Warning, WarningKind,
        bounded::bounded,
        drift::{Finding, LossWatch, other_rate},
        negotiate::{Choice, Encoding},
        ring::{CallbackSide, ReaderSide, RingClock, ring},
        sample,
        stall::StallWatch,
    },
    error::{Error, ErrorKind, Result},
};

/// Sound that the ring holds, in seconds: the disk may stall for that long.
const RING_SECONDS: u32 = 10;
/// How long the sound system may take to make a stream.
const BUILD_LIMIT: Duration = Duration::from_secs(5);
/// How long the first frames may take. The first reader of a sleeping PulseAudio source waits 2 s.
const START_LIMIT: Duration = Duration::from_secs(8);
/// How long closing may block its caller.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// How long a closed stream's callback may last before the ring is dropped without waiting for it.
const LINGER_LIMIT: Duration = Duration::from_secs(5);
/// Errors that wait for the reader.
const WAITING_ERRORS_MAX: usize = 64;
/// Errors in a row, without a frame in between, after which the stream is treated as dead.
const ERRORS_MAX: u32 = 10;
/// The same warning is not repeated before this has passed.
const NOTICE_INTERVAL: Duration = Duration::from_secs(1);

/// An error as the sound system reported it, and how many frames had been captured by then.
struct Fault {
    error: cpal::Error,
    captured: u64,
}

/// A stream that is built and not yet started.
pub(super) struct Built {
    stream: cpal::Stream,
    reader: ReaderSide,
    clock: Arc<RingClock>,
    faults: Receiver<Fault>,
    format: AudioFormat,
    frames: u32,
}

/// Builds a stream in exactly the chosen format, on a device that buffers `keeps` while nothing is read, if that can be
/// requested.
pub(super) fn build(device: &cpal::Device, choice: &Choice, keeps: Option<Duration>) -> Result<Built, cpal::Error> {
    let format = choice.format();
    let (callback, reader, clock) = ring(format, RING_SECONDS);
    let (sender, faults) = sync_channel(WAITING_ERRORS_MAX);
    let kept = keeps.map_or(0, |length| frames_in(length, choice.rate));
    let buffer = choice.frames.max(u32::try_from(kept).unwrap_or(u32::MAX));
    let stream = build_stream(device, choice, buffer, callback, Arc::clone(&clock), sender)?;
    // The length was only a hint; the stream's own value is used if it has one, unless more was requested for `keeps`.
    let told = stream.buffer_size().ok().filter(|&frames| frames > 0 && keeps.is_none());
    let frames = told.unwrap_or(choice.frames);
    Ok(Built { stream, reader, clock, faults, format, frames })
}

fn build_stream(
    device: &cpal::Device,
    choice: &Choice,
    buffer: u32,
    callback: CallbackSide,
    clock: Arc<RingClock>,
    faults: SyncSender<Fault>,
) -> Result<cpal::Stream, cpal::Error> {
    let config = cpal::StreamConfig {
        channels: choice.channels,
        sample_rate: choice.rate,
        buffer_size: cpal::BufferSize::Fixed(buffer),
    };
    let report = move |error: cpal::Error| {
        // A full channel means that many are waiting already: one more would add nothing.
        let _ = faults.try_send(Fault { error, captured: clock.captured() });
    };
    match choice.encoding {
        Encoding::I8 => build_as(device, config, callback, report, sample::from_i8),
        Encoding::I16 => build_as(device, config, callback, report, sample::from_i16),
        Encoding::I24 => build_as(device, config, callback, report, |s: cpal::I24| sample::from_i24(s.inner())),
        Encoding::I32 => build_as(device, config, callback, report, sample::from_i32),
        Encoding::I64 => build_as(device, config, callback, report, sample::from_i64),
        Encoding::U8 => build_as(device, config, callback, report, sample::from_u8),
        Encoding::U16 => build_as(device, config, callback, report, sample::from_u16),
        Encoding::U24 => build_as(device, config, callback, report, |s: cpal::U24| sample::from_u24(s.inner())),
        Encoding::U32 => build_as(device, config, callback, report, sample::from_u32),
        Encoding::U64 => build_as(device, config, callback, report, sample::from_u64),
        Encoding::F32 => build_as(device, config, callback, report, |s: f32| s),
        Encoding::F64 => build_as(device, config, callback, report, sample::from_f64),
    }
}

fn build_as<T: cpal::SizedSample>(
    device: &cpal::Device,
    config: cpal::StreamConfig,
    mut callback: CallbackSide,
    report: impl FnMut(cpal::Error) + Send + 'static,
    convert: impl Fn(T) -> f32 + Copy + Send + 'static,
) -> Result<cpal::Stream, cpal::Error> {
    let take = move |data: &cpal::Data, _: &cpal::InputCallbackInfo| {
        if let Some(samples) = data.as_slice::<T>() {
            callback.push_block(samples, convert);
        }
    };
    device.build_input_stream_raw(config, T::FORMAT, take, report, Some(BUILD_LIMIT))
}

/// What it means that a device delivers nothing for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// It is normal, as with a Windows loopback while nothing plays.
    Usual,
    /// It is dead and does not report it, as ALSA's plugins are when their server died.
    Fatal,
}

/// An open microphone.
pub(super) struct CpalStream {
    // Both or none; gone when closed or when starting failed.
    open: Option<(cpal::Stream, ReaderSide)>,
    clock: Arc<RingClock>,
    faults: Receiver<Fault>,
    format: AudioFormat,
    latency: Duration,
    label: String,
    silence: Silence,
    trouble: Trouble,
    stall: StallWatch,
    losses: LossWatch,
    over: bool,
}

impl CpalStream {
    pub(super) fn new(built: Built, label: String, silence: Silence) -> Self {
        let Built { stream, reader, clock, faults, format, frames } = built;
        let latency = duration_of(u64::from(frames), format.sample_rate);
        Self {
            open: Some((stream, reader)),
            clock,
            faults,
            format,
            latency,
            label,
            silence,
            trouble: Trouble::default(),
            stall: StallWatch::new(latency),
            losses: LossWatch::new(format.sample_rate, latency),
            over: false,
        }
    }

    /// Checks whether the callback is still called, when there is nothing to read.
    fn watch(&mut self) {
        let Some(silent) = self.stall.look(self.clock.captured(), Instant::now()) else { return };
        let message = format!("{} has delivered nothing for {} s", self.label, silent.as_secs());
        let error = Error::new(ErrorKind::NotReadable, message);
        match self.silence {
            Silence::Usual => {}
            Silence::Fatal => self.trouble.end = Some(error),
        }
    }
}

impl CaptureStream for CpalStream {
    fn format(&self) -> AudioFormat {
        self.format
    }

    fn latency(&self) -> Option<Duration> {
        Some(self.latency)
    }

    fn device_rate(&self) -> Option<f64> {
        self.losses.device_rate()
    }

    fn pace(&self) -> Pace {
        Pace::Live
    }

    fn clock(&self) -> Arc<dyn CaptureClock> {
        Arc::clone(&self.clock) as Arc<dyn CaptureClock>
    }

    // The waker stays unused: waking is not for realtime threads, so that the reader of a microphone polls it from time
    // to time.
    fn start(&mut self, _waker: Waker) -> Result<()> {
        let Some((stream, reader)) = self.open.take() else {
            return Err(Error::new(ErrorKind::InvalidState, format!("{} is closed", self.label)));
        };
        // If it hangs, the thread keeps stream and ring, and drops them in this order if it ever comes back.
        let played = bounded("start-microphone", START_LIMIT, move || {
            let result = stream.play();
            (stream, reader, result)
        });
        match played {
            Some((stream, reader, Ok(()))) => {
                self.open = Some((stream, reader));
                Ok(())
            }
            Some((stream, reader, Err(error))) => {
                close(stream, reader);
                Err(failure(error, format!("cannot start {}", self.label)))
            }
            None => Err(Error::new(
                ErrorKind::NotReadable,
                format!("{} delivered nothing within {} s", self.label, START_LIMIT.as_secs()),
            )),
        }
    }

    fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        while let Ok(fault) = self.faults.try_recv() {
            self.trouble.note(fault, &self.label, Instant::now());
        }
        if !self.over
            && let Some(notice) = self.trouble.notices.pop_front()
        {
            return Reading::Notice(notice);
        }
        // Where silence is usual, a pause is no loss.
        if !self.over
            && self.silence == Silence::Fatal
            && let Some((at, frames)) = self.clock.last_callback()
            && let Some(finding) = self.losses.look(at, frames)
        {
            match finding {
                Finding::Lost(lost) => {
                    self.clock.add_missing(lost);
                    return Reading::Lost(lost);
                }
                Finding::OtherRate(rate) => self.trouble.end = Some(other_rate(&self.label, self.format, rate)),
            }
        }
        let reading = match &mut self.open {
            Some((_, reader)) if !self.over => reader.read(block, max_frames),
            _ => Reading::Idle,
        };
        if !matches!(reading, Reading::Idle) {
            return reading;
        }
        if self.trouble.end.is_none() && self.open.is_some() {
            self.watch();
        }
        let ended = match (&self.trouble.end, &self.open) {
            (Some(error), _) => error.clone(),
            (None, None) => Error::new(ErrorKind::NotReadable, format!("{} is closed", self.label)),
            (None, Some(_)) => return Reading::Idle,
        };
        // Anything that a dying stream still delivers comes too late.
        self.over = true;
        Reading::Ended(EndReason::DeviceLost(ended))
    }
}

impl Drop for CpalStream {
    fn drop(&mut self) {
        if let Some((stream, reader)) = self.open.take() {
            close(stream, reader);
        }
    }
}

/// Closes the stream on a thread of its own and waits a while for it.
///
/// The ring stays until the callback is gone as well, so that its memory is never freed on the thread of the sound
/// system.
fn close(stream: cpal::Stream, reader: ReaderSide) {
    let (closed, wait) = sync_channel(1);
    let closing = std::thread::Builder::new().name("close-microphone".to_owned()).spawn(move || {
        drop(stream);
        let _ = closed.send(());
        let limit = Instant::now() + LINGER_LIMIT;
        while !reader.is_abandoned() && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    if closing.is_ok() && wait.recv_timeout(CLOSE_LIMIT).is_err() {
        log::warn!("closing a microphone takes longer than {} s and goes on by itself", CLOSE_LIMIT.as_secs());
    }
}

/// What the errors of a stream amount to.
#[derive(Debug, Default)]
struct Trouble {
    notices: VecDeque<Warning>,
    end: Option<Error>,
    in_a_row: u32,
    captured: u64,
    last: Option<(cpal::ErrorKind, Instant)>,
}

impl Trouble {
    fn note(&mut self, fault: Fault, label: &str, now: Instant) {
        use cpal::ErrorKind as Kind;
        let Fault { error, captured } = fault;
        log::debug!("{label}: {:?}: {error}", error.kind());
        if self.end.is_some() {
            return;
        }
        match error.kind() {
            Kind::RealtimeDenied => {}
            Kind::DeviceNotAvailable
            | Kind::StreamInvalidated
            | Kind::HostUnavailable
            | Kind::PermissionDenied
            | Kind::UnsupportedConfig => self.end = Some(lost(error, label)),
            // Never another microphone in place of the chosen one.
            Kind::DeviceChanged => self.end = Some(moved(label)),
            kind => {
                // An overrun is followed by frames; if not, nothing comes any more.
                self.in_a_row = if captured == self.captured { self.in_a_row + 1 } else { 1 };
                self.captured = captured;
                if self.in_a_row >= ERRORS_MAX {
                    self.end = Some(lost(error, label));
                } else if self.is_news(kind, now) {
                    self.notices.push_back(remark(&error, label));
                }
            }
        }
    }

    fn is_news(&mut self, kind: cpal::ErrorKind, now: Instant) -> bool {
        let repeated = self.last.is_some_and(|(last, when)| last == kind && now.duration_since(when) < NOTICE_INTERVAL);
        if !repeated {
            self.last = Some((kind, now));
        }
        !repeated
    }
}

/// How many frames an overrun cost is not known here: comparing the count of frames with the clock finds it.
fn remark(error: &cpal::Error, label: &str) -> Warning {
    match error.kind() {
        cpal::ErrorKind::Xrun => {
            let message = format!("{label} was not read in time, sound was lost, amount unknown");
            Warning::new(WarningKind::LostUnknown, message)
        }
        _ => Warning::new(WarningKind::Device, format!("{label} reports an error: {error}")),
    }
}

fn moved(label: &str) -> Error {
    Error::new(
        ErrorKind::NotReadable,
        format!("{label} is gone: the sound system moved the recording to another device"),
    )
}

fn lost(error: cpal::Error, label: &str) -> Error {
    let kind = match error.kind() {
        cpal::ErrorKind::PermissionDenied => ErrorKind::NotAllowed,
        _ => ErrorKind::NotReadable,
    };
    Error::new(kind, format!("{label} is gone")).with_source(error)
}

/// An error of opening or starting, with the kind that the standards give it.
pub(super) fn failure(error: cpal::Error, context: String) -> Error {
    use cpal::ErrorKind as Kind;
    let kind = match error.kind() {
        Kind::PermissionDenied => ErrorKind::NotAllowed,
        Kind::DeviceNotAvailable => ErrorKind::NotFound,
        Kind::InvalidInput | Kind::Other => ErrorKind::Abort,
        _ => ErrorKind::NotReadable,
    };
    Error::new(kind, context).with_source(error)
}

#[cfg(test)]
mod tests {
    use cpal::ErrorKind as Kind;

    use super::*;

    fn note(trouble: &mut Trouble, kind: Kind, captured: u64, now: Instant) {
        trouble.note(Fault { error: cpal::Error::new(kind), captured }, "mic", now);
    }

    #[test]
    fn a_device_that_is_gone_or_another_one_ends_the_stream() {
        for (kind, notices, end) in [
            (Kind::RealtimeDenied, 0, None),
            (Kind::Xrun, 1, None),
            (Kind::DeviceChanged, 0, Some(ErrorKind::NotReadable)),
            (Kind::BackendError, 1, None),
            (Kind::DeviceNotAvailable, 0, Some(ErrorKind::NotReadable)),
            (Kind::StreamInvalidated, 0, Some(ErrorKind::NotReadable)),
            (Kind::HostUnavailable, 0, Some(ErrorKind::NotReadable)),
            (Kind::PermissionDenied, 0, Some(ErrorKind::NotAllowed)),
        ] {
            let mut trouble = Trouble::default();
            note(&mut trouble, kind, 1, Instant::now());
            assert_eq!(trouble.notices.len(), notices, "{kind:?}");
            assert_eq!(trouble.end.map(|error| error.kind()), end, "{kind:?}");
        }
    }

    #[test]
    fn ten_errors_without_a_frame_in_between_are_the_end() {
        let (mut trouble, now) = (Trouble::default(), Instant::now());
        for _ in 0..9 {
            note(&mut trouble, Kind::BackendError, 5, now);
        }
        note(&mut trouble, Kind::BackendError, 6, now);
        for _ in 0..8 {
            note(&mut trouble, Kind::BackendError, 6, now);
        }
        assert!(trouble.end.is_none());
        note(&mut trouble, Kind::Xrun, 6, now);
        assert!(trouble.end.is_some());
    }

    #[test]
    fn the_same_complaint_is_made_once_a_second() {
        let (mut trouble, now) = (Trouble::default(), Instant::now());
        for (kind, millis, told) in [
            (Kind::Xrun, 0, 1),
            (Kind::Xrun, 999, 1),
            (Kind::Xrun, 1000, 2),
            (Kind::BackendError, 1001, 3),
            (Kind::BackendError, 1002, 3),
        ] {
            note(&mut trouble, kind, millis, now + Duration::from_millis(millis));
            assert_eq!(trouble.notices.len(), told, "{kind:?} after {millis} ms");
        }
    }

    #[test]
    fn failures_to_open_carry_the_kinds_of_the_standards() {
        for (kind, expected) in [
            (Kind::PermissionDenied, ErrorKind::NotAllowed),
            (Kind::DeviceNotAvailable, ErrorKind::NotFound),
            (Kind::DeviceBusy, ErrorKind::NotReadable),
            (Kind::UnsupportedConfig, ErrorKind::NotReadable),
            (Kind::HostUnavailable, ErrorKind::NotReadable),
            (Kind::BackendError, ErrorKind::NotReadable),
            (Kind::Other, ErrorKind::Abort),
        ] {
            assert_eq!(failure(cpal::Error::new(kind), "x".to_owned()).kind(), expected, "{kind:?}");
        }
    }
}
