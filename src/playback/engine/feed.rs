//! From the decoder to the open line: reading ahead, and the level that is heard.

use std::{ops::Range, time::Instant};

use super::{BLOCK, CLOSE_DELAY, Engine, LEVEL_WINDOW, LEVELS_MAX, MOST_BLOCKS, Open, STALL_TIMEOUT};
use crate::{
    audio::time::frames_in,
    error::{Error, ErrorKind, Result},
    playback::{Status, chain::Chain},
};

impl Engine {
    pub(super) fn update_position(&mut self) {
        let Some(open) = &mut self.open else { return };
        if self.state.status != Status::Ended {
            let heard = open.line.feeder().heard(Instant::now());
            self.state.position = self.timeline.at(heard);
        }
        self.state.peak = if self.state.status == Status::Playing { self.peak() } else { 0.0 };
    }

    /// The level of the sound being heard.
    fn peak(&self) -> f32 {
        let (from, to) = (frames_in(LEVEL_WINDOW, self.format.sample_rate), self.state.position);
        let heard = |frames: &Range<u64>| frames.start <= to && frames.end > to.saturating_sub(from);
        let peaks = self.levels.iter().filter(|(frames, _)| heard(frames)).map(|(_, peak)| *peak);
        peaks.fold(0.0, f32::max) * self.state.volume
    }

    /// Opens the line if need be, fills it, and checks whether it still works and has more to play.
    pub(super) fn feed(&mut self) -> Result<()> {
        if self.open.is_none() {
            self.open_line()?;
        }
        for _ in 0..MOST_BLOCKS {
            if !self.write_pending() || self.done.is_some() {
                break;
            }
            self.produce();
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        if let Some(error) = open.line.device().fault() {
            return Err(error);
        }
        let now = Instant::now();
        // The process was stopped or the machine was asleep, and so was the device.
        let slept = now.duration_since(std::mem::replace(&mut open.looked, now)) >= STALL_TIMEOUT / 2;
        let feeder = open.line.feeder();
        let (taken, heard, written) = (feeder.taken(), feeder.heard(now), feeder.written());
        if taken != open.alive.1 || taken == written || slept {
            open.alive = (now, taken);
            open.line.device().is_taking();
        } else if now.duration_since(open.alive.0) >= STALL_TIMEOUT {
            let context = format!("the loudspeaker has taken nothing for {} s", STALL_TIMEOUT.as_secs());
            return Err(Error::new(ErrorKind::NotReadable, context));
        }
        if heard >= written
            && self.written >= self.pending.len()
            && let Some(result) = self.done.take()
        {
            self.finish(result)?;
        }
        Ok(())
    }

    fn finish(&mut self, result: Result<()>) -> Result<()> {
        self.state.position = self.next;
        result?;
        self.state.status = Status::Ended;
        self.state.length = Some(self.state.length.map_or(self.next, |length| length.min(self.next)));
        self.done = Some(Ok(()));
        self.hold();
        self.release = Some(Instant::now() + CLOSE_DELAY);
        Ok(())
    }

    fn open_line(&mut self) -> Result<()> {
        let mut line = self.output.open(self.format)?;
        let chain = Chain::new(self.format, line.format(), self.state.speed)?;
        line.feeder().set_volume(self.state.volume);
        line.feeder().set_playing(true);
        let now = Instant::now();
        self.open = Some(Open { line, chain, alive: (now, 0), looked: now });
        self.reposition(self.state.position);
        Ok(())
    }

    /// Writes what is pending; returns whether all of it fitted.
    fn write_pending(&mut self) -> bool {
        let Some(open) = &mut self.open else { return false };
        let rest = self.pending.get(self.written..).unwrap_or_default();
        let frames = open.line.feeder().write(rest);
        self.written += frames * usize::from(open.chain.format.channels);
        let all = self.written >= self.pending.len();
        if all {
            self.pending.clear();
            self.written = 0;
        }
        all
    }

    /// Reads one block and converts it to frames for the line.
    fn produce(&mut self) {
        if let Err(error) = self.read_block() {
            self.done = Some(Err(error));
        }
        let Some(open) = &mut self.open else { return };
        let from = open.chain.stretcher.position();
        let line = open.line.feeder().written();
        let result = match open.chain.push(&self.block, &mut self.pending) {
            Ok(()) => self.turn(),
            failed => failed,
        };
        if let Err(error) = result {
            self.done = Some(Err(error));
        }
        let Some(open) = &mut self.open else { return };
        let to = open.chain.stretcher.position();
        let frames = self.pending.len() / usize::from(open.chain.format.channels.max(1));
        if self.done.is_none() {
            self.timeline.mark(line, frames, from, to);
            return;
        }
        // The stretcher starts afresh when it is finished, so that its position has to be read before.
        let end = open.chain.stretcher.pushed() as f64;
        open.chain.stretcher.finish(&mut self.pending);
        let frames = self.pending.len() / usize::from(open.chain.format.channels.max(1));
        self.timeline.mark(line, frames, from, end.max(from));
        self.timeline.close(self.next);
    }

    /// Reads up to the end of the block, of the repeat or of the recording, whichever comes first.
    fn read_block(&mut self) -> Result<()> {
        self.block.clear();
        if self.moved {
            self.decoder.seek(self.next)?;
            self.moved = false;
        }
        let wanted = frames_in(BLOCK, self.format.sample_rate).max(1);
        let wanted = self.until_turn().map_or(wanted, |left| wanted.min(left));
        let result = self.decoder.read(&mut self.block, usize::try_from(wanted).unwrap_or(usize::MAX));
        let damage = self.decoder.damage();
        if !damage.is_none() {
            self.state.damage = damage.sentence(self.format.sample_rate);
        }
        let got = (self.block.len() / usize::from(self.format.channels.max(1))) as u64;
        let peak = self.block.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
        self.levels.push_back((self.next..self.next + got, peak));
        self.levels.drain(..self.levels.len().saturating_sub(LEVELS_MAX));
        self.next += got;
        if result.is_ok() && got < wanted {
            self.done = Some(Ok(()));
        }
        result.map(|_| ())
    }

    /// Frames up to the end of the repeat, if the position is before it.
    fn until_turn(&self) -> Option<u64> {
        self.state.repeat.as_ref().and_then(|range| range.end.checked_sub(self.next)).filter(|&left| left > 0)
    }

    /// Jumps back to the start of the repeat if its end was reached; ends the segment if the recording's was.
    fn turn(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let (ended, failed) = (matches!(self.done, Some(Ok(()))), matches!(self.done, Some(Err(_))));
        let start = match &self.state.repeat {
            // A file that became shorter still has an end before that of the repeat.
            Some(range)
                if (self.next == range.end && !failed) || (ended && (range.start..range.end).contains(&self.next)) =>
            {
                Some(range.start).filter(|&start| start < self.next)
            }
            _ => None,
        };
        if start.is_some() || self.done.is_some() {
            open.chain.end_segment(&mut self.pending)?;
        }
        if let Some(start) = start {
            self.timeline.jump(self.next, open.chain.stretcher.pushed(), start);
            (self.next, self.moved, self.done) = (start, true, None);
        }
        Ok(())
    }
}
