//! A silent output: frames go by as time passes, for machines without a loudspeaker and for tests.
//!
//! Its frames are taken on a thread `clock-output` that ends with the line.

use std::{
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use super::{
    output::{Device, Line, Output, READ_AHEAD},
    queue::{Feeder, LineDrain, queue},
};
use crate::{
    audio::{AudioFormat, time::frames_in},
    error::{Error, ErrorKind, Result},
};

const TICK: Duration = Duration::from_millis(10);
/// Frames taken at a time.
const BLOCK: u64 = 1024;

/// Plays into nothing, in any format, at the pace of real time.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClockOutput;

struct Clock {
    // Dropping it is the signal to end.
    _running: Sender<()>,
}

impl Device for Clock {
    fn fault(&mut self) -> Option<Error> {
        None
    }

    fn close(&mut self, feeder: Feeder) {
        drop(feeder);
    }
}

impl Output for ClockOutput {
    fn open(&mut self, format: AudioFormat) -> Result<Line> {
        let (feeder, mut drain) = queue(format, READ_AHEAD);
        let (running, ended) = channel::<()>();
        let run = move || {
            let begin = Instant::now();
            let mut passed = 0;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(TICK) {
                let now = frames_in(begin.elapsed(), format.sample_rate);
                pass(&mut drain, now - passed, format.channels);
                passed = now;
            }
        };
        thread::Builder::new().name("clock-output".to_owned()).spawn(run).map_err(|error| {
            Error::new(ErrorKind::Unknown, "cannot start the thread of the silent output").with_source(error)
        })?;
        Ok(Line::new(format, feeder, Box::new(Clock { _running: running })))
    }
}

fn pass(drain: &mut LineDrain, mut frames: u64, channels: u16) {
    let mut block = Vec::new();
    while frames > 0 {
        let now = frames.min(BLOCK);
        // Samples of size zero: they are not used.
        block.resize(usize::try_from(now).unwrap_or(0) * usize::from(channels), ());
        drain.fill(&mut block, |_| (), Duration::ZERO);
        frames -= now;
    }
}
