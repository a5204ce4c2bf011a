//! A recording that is made to begin before it was started, with the sound of that time that is still in memory: it is
//! rewritten from there on, and replaces what was written so far only when it is whole. Run by the pump thread.

use std::time::{Duration, Instant, SystemTime};

use super::{Ending, Take, reserve};
use crate::{
    audio::{Chain, LevelMeter, time::duration_of},
    capture::{Warning, WarningKind},
    error::{Error, ErrorKind, Result},
    media::{NewFile, RecorderEvent, history::History, losses::Losses, timeline::Timeline},
};

/// How long after its start a recording can be made to begin earlier, or later again.
const MOVABLE_LENGTH: Duration = Duration::from_secs(30);

/// The start of a recording while it can be moved.
pub(super) struct LateStart {
    /// The sound from before the start, as far as it was kept, and everything gathered since.
    sound: History,
    /// Frames of the source in it from before the start, those of them that are recorded, and those that are to be.
    kept: u64,
    taken: u64,
    wanted: u64,
}

impl LateStart {
    /// With at most `reach` frames of the sound kept `before` the start; `None` if there is none.
    pub(super) fn new(reach: u64, channels: usize, before: Option<&History>) -> Option<Self> {
        let mut sound = History::new(reach, channels);
        sound.adopt(before?);
        sound.keep_all();
        let kept = sound.len();
        (kept > 0).then_some(Self { sound, kept, taken: 0, wanted: 0 })
    }

    fn since_start(&self) -> u64 {
        self.sound.len().saturating_sub(self.kept)
    }
}

impl Take {
    /// Records samples that were gathered.
    pub(super) fn note_for_start(&mut self, samples: &[f32]) {
        let Some(late) = &mut self.late_start else { return };
        late.sound.push(samples);
        if duration_of(late.since_start(), self.plan.source_format.sample_rate) > MOVABLE_LENGTH {
            self.fix_start();
        }
    }

    /// Records that the next gathered frames were lost.
    pub(super) fn note_loss_for_start(&mut self, frames: u64) {
        if let Some(late) = &mut self.late_start {
            late.sound.count_loss(frames);
        }
    }

    /// Requests that the recording begin `frames` frames of the source before its start, or as many as are kept.
    pub(super) fn want_start(&mut self, frames: u64) {
        if let Some(late) = &mut self.late_start {
            late.wanted = frames.min(late.kept);
        }
    }

    /// Fixes the start where it was requested last.
    pub(super) fn fix_start(&mut self) {
        self.settle_start();
        self.late_start = None;
        self.publish_start();
    }

    /// Moves the start to where it was requested. Done while nothing is waiting to be read, as it may take some time.
    pub(crate) fn settle_start(&mut self) {
        let Some(mut late) = self.late_start.take_if(|late| late.wanted != late.taken) else { return };
        match self.begin_anew(&late) {
            Ok(()) => {
                late.taken = late.wanted;
                self.late_start = Some(late);
            }
            Err(error) => {
                let message = format!("the start of the recording stays where it is: {error}");
                let warning = Warning::new(WarningKind::Device, message);
                self.fire(&RecorderEvent::Warning { warning, frame: self.frames });
            }
        }
        self.publish();
        self.publish_start();
    }

    /// Publishes how far the start was moved, and can be.
    pub(super) fn publish_start(&self) {
        let rate = self.plan.source_format.sample_rate;
        let (taken, kept) = self.late_start.as_ref().map_or((None, 0), |late| (Some(late.taken), late.kept));
        self.shared.with_progress(|progress| {
            progress.reach = duration_of(kept, rate);
            progress.begins_before = taken.map_or(progress.begins_before, |taken| duration_of(taken, rate));
        });
    }

    /// # Errors
    /// Those of making, encoding and writing the new file; then everything is as it was.
    fn begin_anew(&mut self, late: &LateStart) -> Result<()> {
        let (rate, source_rate) = (self.plan.format.sample_rate, self.plan.source_format.sample_rate);
        let (before, now) = (self.recorded_rate(late.taken), self.recorded_rate(late.wanted));
        let started_at = self.timeline.as_ref().map(|timeline| timeline.time_of(before));
        let begins_at = started_at.and_then(|at| at.checked_sub(duration_of(late.wanted, source_rate)));
        let chain = Chain::new(self.plan.mixer.clone(), source_rate, rate, self.plan.gain_db)?;
        let file = NewFile { number: 1, begins_at };
        let piece = self.plan.files.begin(file, reserve(self.plan.files.bits_per_second))?;
        let clocks = (SystemTime::now(), Instant::now());
        let timeline = begins_at.map(|at| Timeline::new(rate, 0, at, clocks));
        let level = self.shared.level();
        let progress = self.shared.change_progress(|progress| {
            (progress.bytes, progress.clipped, progress.lost_frames) = (0, 0, 0);
            progress.losses.clear();
            (progress.peak, progress.path) = (LevelMeter::new().take().peak, piece.path());
        });
        let old = (
            std::mem::replace(&mut self.piece, piece),
            std::mem::replace(&mut self.chain, chain),
            std::mem::replace(&mut self.timeline, timeline),
            std::mem::take(&mut self.losses),
            std::mem::take(&mut self.meter),
            self.splitter.clone(),
            (std::mem::take(&mut self.frames), std::mem::take(&mut self.gathered), self.recorded_at),
        );
        self.recorded_at = begins_at.or(self.recorded_at);
        self.move_markers(before, now);
        self.splitter.begin_earlier(duration_of(late.wanted, source_rate));
        let written = self.record_anew(late);
        self.shared.set_level(level);
        let (piece, chain, timeline, losses, meter, splitter, numbers) = old;
        match written {
            Ok(()) => {
                piece.discard();
                if self.limit_reached() {
                    self.end(Ending::Complete);
                }
                Ok(())
            }
            Err(error) => {
                std::mem::replace(&mut self.piece, piece).discard();
                (self.chain, self.timeline, self.losses, self.meter) = (chain, timeline, losses, meter);
                (self.frames, self.gathered, self.recorded_at) = numbers;
                // A limit that was not reached before the start was to be moved.
                (self.splitter, self.full) = (splitter, false);
                self.move_markers(now, before);
                self.shared.change_progress(|now| *now = progress);
                Err(error)
            }
        }
    }

    fn move_markers(&mut self, before: u64, now: u64) {
        for marker in &mut self.markers {
            marker.frame = (marker.frame + now).saturating_sub(before);
        }
    }

    /// Records everything into one file, because one that was handed over cannot begin anew.
    ///
    /// # Errors
    /// Those of encoding and writing, and if it would be longer than its first file may become.
    fn record_anew(&mut self, late: &LateStart) -> Result<()> {
        let header = self.piece.open()?;
        self.count(&header);
        let (samples, losses) = late.sound.after(late.kept - late.wanted);
        let mut all = Losses::default();
        for (at, frames) in losses {
            let from = self.recorded_rate(at);
            let lost = self.recorded_rate(at + frames) - from;
            all.count(from, lost);
            self.shared.with_progress(|progress| progress.count_loss(from, lost));
        }
        self.losses = all;
        if samples.is_empty() {
            return Ok(());
        }
        // No new file for as long as this takes.
        self.retry_at = u64::MAX;
        let gathered = self.gather_in(&samples);
        self.retry_at = 0;
        gathered?;
        if self.room_in_piece() == 0 {
            let context = "earlier it would be longer than its first file may become";
            return Err(Error::new(ErrorKind::InvalidState, context));
        }
        Ok(())
    }
}
