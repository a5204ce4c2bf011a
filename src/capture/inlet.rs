//! The reading end of a microphone that is read by a capture thread of the program's own: frames come out of the ring,
//! everything else that concerns a person out of a bounded channel, and both are watched for what a sound system keeps
//! to itself: sound that it drops, and a device that falls silent.
//!
//! Runs on the reading thread and never waits. How the capture thread gets its frames is its own business.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    time::{Duration, Instant},
};

use super::{
    CaptureClock, EndReason, Reading, Warning, WarningKind,
    drift::LossWatch,
    ring::{CallbackSide, ReaderSide, RingClock, ring},
    stall::StallWatch,
};
use crate::{
    audio::AudioFormat,
    error::{Error, ErrorKind},
};

/// Sound that is kept for a reader who does not come, in seconds: so long may the disk stall.
const KEPT_SECONDS: u64 = 10;
/// What the ring holds at least.
const LEAST_SECONDS: u64 = 3;
/// News that wait for the reader. Nobody unplugs and mutes faster.
const NEWS: usize = 64;

/// What a capture thread tells besides frames.
#[derive(Debug)]
pub(super) enum News {
    Muted(bool),
    /// Nothing is due from the source for a while, or again.
    Suspended(bool),
    Notice(Warning),
    /// Nothing will come any more.
    End(Error),
}

/// One open microphone, seen from its reader.
#[derive(Debug)]
pub(super) struct Inlet {
    reader: ReaderSide,
    clock: Arc<RingClock>,
    news: Receiver<News>,
    format: AudioFormat,
    latency: Duration,
    label: String,
    stall: StallWatch,
    losses: LossWatch,
    suspended: bool,
    // News of the end, until the ring is empty; then the end.
    dying: Option<Error>,
    over: bool,
}

impl Inlet {
    /// A reader of a device called `label` whose frames arrive about every `latency`, and the two ends that its capture
    /// thread fills. The ring may hold less than usual by what the device keeps itself while nobody takes it.
    pub(super) fn new(
        format: AudioFormat,
        latency: Duration,
        kept_by_device: Duration,
        label: String,
    ) -> (CallbackSide, SyncSender<News>, Self) {
        let seconds = KEPT_SECONDS.saturating_sub(kept_by_device.as_secs()).max(LEAST_SECONDS);
        let (callback, reader, clock) = ring(format, u32::try_from(seconds).unwrap_or(u32::MAX));
        let (sender, news) = sync_channel(NEWS);
        let inlet = Self {
            reader,
            clock,
            news,
            format,
            latency,
            label,
            stall: StallWatch::new(latency),
            losses: LossWatch::new(format.sample_rate, latency),
            suspended: false,
            dying: None,
            over: false,
        };
        (callback, sender, inlet)
    }

    pub(super) fn format(&self) -> AudioFormat {
        self.format
    }

    pub(super) fn latency(&self) -> Duration {
        self.latency
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn clock(&self) -> Arc<dyn CaptureClock> {
        Arc::clone(&self.clock) as Arc<dyn CaptureClock>
    }

    /// As [`CaptureStream::read`](super::CaptureStream::read), for a stream that was started.
    pub(super) fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        if let Some(reading) = self.hear() {
            return reading;
        }
        if !self.over
            && let Some((at, frames)) = self.clock.last_callback()
            && let Some(lost) = self.losses.look(at, frames, self.clock.grain())
        {
            self.clock.add_missing(lost);
            return Reading::Lost(lost);
        }
        let reading = if self.over { Reading::Idle } else { self.reader.read(block, max_frames) };
        if !matches!(reading, Reading::Idle) {
            return reading;
        }
        if self.dying.is_none() {
            self.dying = self.silence();
        }
        match &self.dying {
            Some(error) => {
                self.over = true;
                Reading::Ended(EndReason::DeviceLost(error.clone()))
            }
            None => Reading::Idle,
        }
    }

    fn hear(&mut self) -> Option<Reading> {
        if self.dying.is_some() || self.over {
            return None;
        }
        match self.news.try_recv() {
            Ok(News::Muted(muted)) => return Some(Reading::Muted(muted)),
            Ok(News::Suspended(suspended)) => {
                self.suspended = suspended;
                self.stall.reset();
                if suspended {
                    let message = format!("{} was suspended by the sound server and delivers nothing", self.label);
                    return Some(Reading::Notice(Warning::new(WarningKind::Suspended, message)));
                }
            }
            Ok(News::Notice(notice)) => return Some(Reading::Notice(notice)),
            Ok(News::End(error)) => self.dying = Some(error),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                self.dying = Some(Error::new(ErrorKind::NotReadable, format!("{} is closed", self.label)));
            }
        }
        None
    }

    /// What to say of a device that has delivered nothing for too long. From a suspended one nothing is due.
    fn silence(&mut self) -> Option<Error> {
        if self.suspended {
            return None;
        }
        let silent = self.stall.look(self.clock.captured(), Instant::now())?;
        let message = format!("{} has delivered nothing for {} s", self.label, silent.as_secs());
        Some(Error::new(ErrorKind::NotReadable, message))
    }
}
