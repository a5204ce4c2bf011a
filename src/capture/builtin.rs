//! The sources that need no sound system: signal generators and sound files that play as if they were a microphone.
//!
//! They begin with the first frame that is read, so that nothing of a file is missed, and run at the pace of real time
//! or as fast as they are read. They run no thread.

use std::{
    io,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    audio::{
        AudioFormat, Generator, SampleFormat, Speakers,
        time::{duration_of, frames_in},
    },
    capture::{
        Backend, CaptureClock, CaptureStream, DeviceInfo, DeviceKind, EndReason, OpenRequest, Pace, Reading, Waker,
    },
    error::{Error, ErrorKind, Result},
    format::{self, Decoder},
};

/// What a generator runs at unless another format is requested.
const GENERATED: AudioFormat = AudioFormat::new(48_000, 1, SampleFormat::F32);

/// How long frames wait to be read together unless another latency is requested.
const LATENCY: Duration = Duration::from_millis(100);

/// The generators `tone`, `tone:HZ`, `melody`, `silence`, `noise`, and `file:PATH`. They are found by id and never listed.
#[derive(Debug)]
pub struct Builtin {
    pace: Pace,
}

impl Builtin {
    /// Sources that run at `pace`; [`Pace::Live`] is taken as [`Pace::RealTime`].
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self { pace: if pace == Pace::Live { Pace::RealTime } else { pace } }
    }

    fn describe(&self, id: &str, format: AudioFormat, free: bool) -> DeviceInfo {
        DeviceInfo {
            id: id.to_owned(),
            label: id.to_owned(),
            host: "builtin".to_owned(),
            kind: DeviceKind::Input,
            is_default: false,
            is_monitor: false,
            converts: false,
            format,
            channels: if free { (1, 32) } else { (format.channels, format.channels) },
            sample_rates: if free { RATES.to_vec() } else { vec![format.sample_rate] },
            sample_formats: vec![format.sample_format.name().to_owned()],
        }
    }
}

/// The usual rates, all of which a generator can run at.
const RATES: [u32; 11] = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000];

impl Backend for Builtin {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        Ok(Vec::new())
    }

    fn default_input(&self) -> Result<Option<DeviceInfo>> {
        Ok(None)
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        if let Some(path) = id.strip_prefix("file:") {
            // A file that cannot be read still belongs to this backend; opening it reports why it cannot.
            let format = format::open(Path::new(path)).map_or(GENERATED, |decoder| decoder.format());
            return Some(self.describe(id, format, false));
        }
        Generator::parse(id).map(|_| self.describe(id, GENERATED, true))
    }

    fn open(&self, id: &str, request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        let signal = if let Some(path) = id.strip_prefix("file:") {
            let decoder = format::open(Path::new(path)).map_err(refusal)?;
            Signal { format: decoder.format(), origin: Origin::File(decoder) }
        } else {
            let generator = Generator::parse(id)
                .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no device '{id}'")))?
                .map_err(refusal)?;
            let format = AudioFormat {
                sample_rate: request.sample_rate.unwrap_or(GENERATED.sample_rate),
                channels: request.channels.unwrap_or(GENERATED.channels),
                ..GENERATED
            };
            generator.check(format.sample_rate).map_err(refusal)?;
            Signal { format, origin: Origin::Generator(generator) }
        };
        let clock = Arc::new(PacedClock {
            rate: signal.format.sample_rate,
            pace: self.pace,
            begun: OnceLock::new(),
            read: AtomicU64::new(0),
            end: AtomicU64::new(u64::MAX),
        });
        let latency = request.latency.unwrap_or(LATENCY);
        Ok(Box::new(BuiltinStream { signal, clock, latency, caught_up: false, ended: None }))
    }
}

/// Why a source does not open, as one of the failures of [`Backend::open`]. None of them counts as busy, because trying
/// again changes nothing.
fn refusal(error: Error) -> Error {
    match (error.kind(), error.io_kind()) {
        (ErrorKind::NotAllowed, _) => error,
        (_, Some(io::ErrorKind::NotFound)) => error.of_kind(ErrorKind::NotFound),
        _ => error.of_kind(ErrorKind::Abort),
    }
}

enum Origin {
    Generator(Generator),
    File(Box<dyn Decoder>),
}

struct Signal {
    format: AudioFormat,
    origin: Origin,
}

impl Signal {
    /// Appends the `frames` frames from `position` on, or fewer at the end of a file.
    fn fill(&mut self, position: u64, frames: usize, block: &mut Vec<f32>) -> Result<usize> {
        match &mut self.origin {
            Origin::Generator(generator) => {
                generator.fill(position, self.format.channels, self.format.sample_rate, frames, block)?;
                Ok(frames)
            }
            Origin::File(decoder) => decoder.read(block, frames),
        }
    }
}

struct PacedClock {
    rate: u32,
    pace: Pace,
    begun: OnceLock<Instant>,
    read: AtomicU64,
    /// The end of the signal, once it is known.
    end: AtomicU64,
}

impl CaptureClock for PacedClock {
    fn position(&self) -> u64 {
        let read = self.read.load(Ordering::Acquire);
        let Some(begun) = self.begun.get().filter(|_| self.pace == Pace::RealTime) else { return read };
        frames_in(begun.elapsed(), self.rate).min(self.end.load(Ordering::Acquire)).max(read)
    }
}

struct BuiltinStream {
    signal: Signal,
    clock: Arc<PacedClock>,
    latency: Duration,
    /// Whether everything that was due has been read: what has become due since waits for the next round of reads, so
    /// that a round gives one block and not many tiny ones after it.
    caught_up: bool,
    ended: Option<EndReason>,
}

impl BuiltinStream {
    fn end(&mut self, reason: EndReason) -> Reading {
        self.clock.end.store(self.clock.read.load(Ordering::Acquire), Ordering::Release);
        self.ended = Some(reason.clone());
        Reading::Ended(reason)
    }
}

impl CaptureStream for BuiltinStream {
    fn format(&self) -> AudioFormat {
        self.signal.format
    }

    fn speakers(&self) -> Option<Speakers> {
        let usual = Speakers::usual(self.signal.format.channels);
        match &self.signal.origin {
            Origin::File(decoder) => usual.or_else(|| decoder.metadata().speakers.clone()),
            Origin::Generator(_) => usual,
        }
    }

    fn latency(&self) -> Option<Duration> {
        (self.clock.pace == Pace::RealTime).then_some(self.latency)
    }

    fn pace(&self) -> Pace {
        self.clock.pace
    }

    fn clock(&self) -> Arc<dyn CaptureClock> {
        Arc::clone(&self.clock) as Arc<dyn CaptureClock>
    }

    fn start(&mut self, _waker: Waker) -> Result<()> {
        Ok(())
    }

    fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        if let Some(reason) = &self.ended {
            return Reading::Ended(reason.clone());
        }
        if std::mem::take(&mut self.caught_up) {
            return Reading::Idle;
        }
        // The first block is due as if the signal had begun one frame ago, so that it is never empty.
        let first = duration_of(1, self.clock.rate);
        self.clock.begun.get_or_init(|| Instant::now().checked_sub(first).unwrap_or_else(Instant::now));
        let read = self.clock.read.load(Ordering::Acquire);
        let due = match self.clock.pace {
            Pace::Fast => max_frames,
            Pace::Live | Pace::RealTime => {
                usize::try_from(self.clock.position() - read).unwrap_or(max_frames).min(max_frames)
            }
        };
        if due == 0 {
            return Reading::Idle;
        }
        self.caught_up = self.clock.pace == Pace::RealTime && due < max_frames;
        match self.signal.fill(read, due, block) {
            Ok(0) => self.end(EndReason::Exhausted),
            Ok(frames) => {
                self.clock.read.store(read + frames as u64, Ordering::Release);
                Reading::Frames
            }
            Err(error) => self.end(EndReason::DeviceLost(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(id: &str, pace: Pace, request: &OpenRequest) -> Box<dyn CaptureStream> {
        Builtin::new(pace).open(id, request).unwrap()
    }

    #[test]
    fn a_fast_generator_delivers_whatever_is_asked() {
        let request = OpenRequest { sample_rate: Some(96_000), channels: Some(2), ..OpenRequest::default() };
        let mut stream = open("tone", Pace::Fast, &request);
        assert_eq!((stream.format().sample_rate, stream.format().channels), (96_000, 2));
        let mut block = Vec::new();
        for _ in 0..3 {
            assert!(matches!(stream.read(&mut block, 1_000), Reading::Frames));
        }
        assert_eq!(block.len(), 6_000);
        assert_eq!(stream.clock().position(), 3_000);
    }

    #[test]
    fn real_time_begins_with_the_first_read_and_catches_up() {
        let mut stream = open("silence", Pace::RealTime, &OpenRequest::default());
        let clock = stream.clock();
        assert_eq!(clock.position(), 0);
        let mut block = Vec::new();
        assert!(matches!(stream.read(&mut block, usize::MAX), Reading::Frames));
        while clock.position() < 1_000 {
            std::thread::yield_now();
        }
        assert!(matches!(stream.read(&mut block, usize::MAX), Reading::Idle), "one block a look");
        assert!(matches!(stream.read(&mut block, usize::MAX), Reading::Frames));
        assert!(block.len() >= 1_000);
    }

    #[test]
    fn a_frequency_is_judged_by_the_rate() {
        for id in ["tone:0", "tone:-3", "tone:x", "tone:24000", "tone:nan"] {
            assert!(Builtin::new(Pace::Fast).open(id, &OpenRequest::default()).is_err(), "{id}");
        }
        assert!(Builtin::new(Pace::Fast).open("tone:23999", &OpenRequest::default()).is_ok());
    }

    #[test]
    fn a_file_that_is_not_there_is_found_but_does_not_open() {
        let builtin = Builtin::new(Pace::Fast);
        let id = "file:/nonexistent/take.wav";
        assert!(builtin.find(id).is_some());
        let error = builtin.open(id, &OpenRequest::default()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("/nonexistent/take.wav"), "{error}");
        assert!(builtin.find("pulseaudio:mic").is_none());
    }
}
