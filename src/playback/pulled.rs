//! An output whose frames are pulled by the caller, as fast as it likes: for tests, without any device.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{
    output::{Device, Line, Output, READ_AHEAD},
    queue::{Feeder, LineDrain, queue},
};
use crate::{
    audio::AudioFormat,
    error::{Error, Result},
};

/// What both sides share: the drain of the open line, and the failures to simulate.
#[derive(Debug, Default)]
struct LineState {
    drain: Option<LineDrain>,
    refuse: Option<Error>,
    fault: Option<Error>,
    opened: usize,
}

/// The output that is passed to a player.
#[derive(Debug)]
pub struct PulledOutput {
    shared: Arc<Mutex<LineState>>,
    format: Option<AudioFormat>,
}

/// The side that acts as the loudspeaker.
#[derive(Debug, Clone)]
pub struct Puller(Arc<Mutex<LineState>>);

impl PulledOutput {
    /// An output that is fed in `format`, or in the format of the recording.
    #[must_use]
    pub fn new(format: Option<AudioFormat>) -> (Self, Puller) {
        let shared = Arc::default();
        (Self { shared: Arc::clone(&shared), format }, Puller(shared))
    }
}

struct Pulled(Arc<Mutex<LineState>>);

impl Device for Pulled {
    fn fault(&mut self) -> Option<Error> {
        locked(&self.0).fault.take()
    }

    fn close(&mut self, feeder: Feeder) {
        locked(&self.0).drain = None;
        drop(feeder);
    }
}

impl Output for PulledOutput {
    fn open(&mut self, format: AudioFormat) -> Result<Line> {
        let mut shared = locked(&self.shared);
        if let Some(error) = shared.refuse.take() {
            return Err(error);
        }
        let format = self.format.unwrap_or(format);
        let (feeder, drain) = queue(format, READ_AHEAD);
        shared.drain = Some(drain);
        shared.opened += 1;
        Ok(Line::new(format, feeder, Box::new(Pulled(Arc::clone(&self.shared)))))
    }
}

impl Puller {
    /// Takes exactly `samples` samples of sound, silence left out, or fewer when none have come for `patience`.
    #[must_use]
    pub fn pull(&self, samples: usize, channels: u16, patience: Duration) -> Vec<f32> {
        let width = usize::from(channels.max(1));
        let mut out = Vec::new();
        let mut since = Instant::now();
        while out.len() < samples && since.elapsed() < patience {
            let got = self.take(samples - out.len(), width, &mut out);
            if got == 0 {
                thread::sleep(Duration::from_millis(1));
            } else {
                since = Instant::now();
            }
        }
        out
    }

    fn take(&self, samples: usize, width: usize, out: &mut Vec<f32>) -> usize {
        let mut shared = locked(&self.0);
        let Some(drain) = &mut shared.drain else { return 0 };
        let mut block = vec![0.0; samples.min(256 * width)];
        let got = drain.fill(&mut block, |sample| sample, Duration::ZERO);
        out.extend(block.iter().take(got * width));
        got
    }

    /// How many times a line was opened.
    #[must_use]
    pub fn opened(&self) -> usize {
        locked(&self.0).opened
    }

    /// Whether a line is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        locked(&self.0).drain.is_some()
    }

    /// Makes the next opening fail.
    pub fn refuse(&self, error: Error) {
        locked(&self.0).refuse = Some(error);
    }

    /// Makes the device get lost.
    pub fn lose(&self, error: Error) {
        locked(&self.0).fault = Some(error);
    }
}

fn locked(shared: &Mutex<LineState>) -> std::sync::MutexGuard<'_, LineState> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
