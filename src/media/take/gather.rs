//! What arrives at a take: sound, silence and loss, held back while it is paused or its gate is closed.

use std::time::{Duration, Instant, SystemTime};

use super::{Ending, SILENCE_FRAMES, Sound, Take};
use crate::{
    audio::{Marker, time::duration_of, voice::Quiet},
    capture::Pace,
    error::Result,
    media::{
        RecorderEvent,
        listening::Listening,
        piece,
        timeline::{Seen, Timeline},
    },
};

impl Take {
    /// Takes what the source delivered.
    pub(crate) fn gather(&mut self, sound: Sound<'_>) {
        if self.over {
            return;
        }
        let outcome = match sound {
            Sound::Samples(samples) => {
                self.watch(samples);
                self.record(samples)
            }
            Sound::Silence(frames) => self.record_silence(frames),
            Sound::Lost(frames) => {
                if self.paused {
                    self.history.count_loss(frames as u64);
                } else {
                    self.note_loss_for_start(frames as u64);
                    self.count_loss(frames as u64);
                }
                self.record_silence(frames)
            }
        };
        self.end_on_error(outcome);
        if let Some(error) = self.shortage.take() {
            self.end(Ending::Ended(error));
        }
        self.publish();
    }

    /// Reports what is wrong with the sound that goes into the recording.
    fn watch(&mut self, samples: &[f32]) {
        if !self.paused {
            let gathered = self.gathered + self.frames_of(samples);
            let frame = self.place_of(gathered);
            let warnings = self.kept.look(samples).into_iter();
            warnings.for_each(|warning| self.fire(&RecorderEvent::Warning { warning, frame }));
        }
    }

    /// Whether the sound of a pause may be recorded when it ends.
    pub(super) fn keeps_paused(&self) -> bool {
        !self.plan.pre_roll.is_zero()
    }

    fn record_silence(&mut self, frames: usize) -> Result<()> {
        let channels = usize::from(self.plan.source_format.channels);
        let silence = std::mem::take(&mut self.silence);
        let mut left = frames;
        let mut outcome = Ok(());
        while left > 0 && outcome.is_ok() && !self.over {
            let frames = left.min(SILENCE_FRAMES);
            left -= frames;
            outcome = self.record(silence.get(..frames * channels).unwrap_or_default());
        }
        self.silence = silence;
        outcome
    }

    fn record(&mut self, samples: &[f32]) -> Result<()> {
        self.shared.with_progress(|progress| progress.arrived += self.frames_of(samples));
        if self.paused {
            self.shared.add_level(self.chain.amplified(samples));
            let dropped = if self.keeps_paused() { self.history.push(samples) } else { self.frames_of(samples) };
            self.skip(dropped);
            return Ok(());
        }
        match self.listening.as_ref().map(Listening::hop) {
            None => self.take_in(samples)?,
            Some(hop) => samples.chunks(hop).try_for_each(|samples| self.pass_gate(samples))?,
        }
        self.look_at_the_clock();
        Ok(())
    }

    /// Records these samples if the gate is open.
    fn pass_gate(&mut self, samples: &[f32]) -> Result<()> {
        let Some(listening) = self.listening.as_mut().filter(|_| !self.over) else { return Ok(()) };
        let finding = listening.push(samples);
        let was_open = std::mem::replace(&mut self.open, finding.open);
        match (was_open, finding.open) {
            (true, open) => {
                self.take_in(samples)?;
                if !open {
                    self.close_gate()?;
                }
            }
            (false, open) => {
                self.shared.add_level(self.chain.amplified(samples));
                let dropped = self.history.push(samples);
                self.cut += dropped;
                self.skip(dropped);
                if open {
                    self.open_gate()?;
                }
            }
        }
        self.on_quiet(finding.quiet);
        Ok(())
    }

    /// Continues with the kept sound, so that the first syllable is whole.
    fn open_gate(&mut self) -> Result<()> {
        let cut = duration_of(std::mem::take(&mut self.cut), self.plan.source_format.sample_rate);
        self.shared.with_progress(|progress| progress.cut += cut);
        let frame = self.place();
        self.fire(&RecorderEvent::Gate { open: true, frame, cut });
        if frame > 0 && !cut.is_zero() && !self.plan.splits_at_gate {
            self.mark(&Marker::cut_text(cut));
        }
        self.record_history()
    }

    fn close_gate(&mut self) -> Result<()> {
        self.fire(&RecorderEvent::Gate { open: false, frame: self.place(), cut: Duration::ZERO });
        if self.plan.splits_at_gate && !self.over { self.end_piece() } else { Ok(()) }
    }

    /// Called when nobody has spoken for some time.
    pub(super) fn on_quiet(&mut self, quiet: Quiet) {
        match quiet {
            Quiet::Same => {}
            Quiet::Closing(frames) => {
                let left = self.listening.as_ref().map(|listening| listening.length(frames));
                self.fire(&RecorderEvent::Countdown { left });
            }
            Quiet::Cancelled => self.fire(&RecorderEvent::Countdown { left: None }),
            Quiet::Over => self.end(Ending::Complete),
        }
    }

    /// Records the sound that was kept while nothing was recorded.
    pub(super) fn record_history(&mut self) -> Result<()> {
        if self.history.len() == 0 {
            return Ok(());
        }
        let mut kept = Vec::new();
        let lost = self.history.drain_into(&mut kept);
        self.count_loss(lost);
        self.take_in(&kept)
    }

    /// Skips frames of the source that are not recorded, while time goes on.
    pub(super) fn skip(&mut self, frames: u64) {
        if let Some(timeline) = &mut self.timeline {
            self.skipped += frames;
            timeline.skip(duration_of(frames, self.plan.source_format.sample_rate));
            let (frame, at) = (self.frames, timeline.time_of(self.frames));
            self.splitter.aim(frame, Some(at));
        }
    }

    pub(super) fn take_in(&mut self, samples: &[f32]) -> Result<()> {
        self.gather_in(samples)?;
        self.note_for_start(samples);
        if self.limit_reached() {
            self.end(Ending::Complete);
        }
        Ok(())
    }

    /// Records them, whether or not a limit is reached.
    pub(super) fn gather_in(&mut self, samples: &[f32]) -> Result<()> {
        let frames = self.frames_of(samples);
        if self.timeline.is_none() {
            self.note_begin(duration_of(frames, self.plan.source_format.sample_rate));
        }
        self.gathered += frames;
        self.samples.clear();
        self.chain.push(samples, &mut self.samples)?;
        self.encode()
    }

    /// Records that the first frame was captured `ago` before now.
    fn note_begin(&mut self, ago: Duration) {
        let now = SystemTime::now();
        let at = now.checked_sub(ago).unwrap_or(now);
        self.recorded_at = Some(at);
        self.timeline = Some(Timeline::new(self.plan.format.sample_rate, 0, at, (now, Instant::now())));
    }

    /// Checks the wall clock, where a file is to end with the hour.
    fn look_at_the_clock(&mut self) {
        let place = self.place();
        let Some(timeline) = self.timeline.as_mut().filter(|_| self.pace != Pace::Fast && !self.over) else { return };
        let seen = timeline.look(place, (SystemTime::now(), Instant::now()));
        if seen == Seen::Steady || !self.splitter.follows_the_clock() {
            return;
        }
        let at = timeline.time_of(self.frames);
        if seen == Seen::Set {
            self.splitter.clock_was_set(at);
        }
        self.splitter.aim(self.frames, Some(at));
    }

    fn frames_of(&self, samples: &[f32]) -> u64 {
        (samples.len() / piece::channels_of(self.plan.source_format)) as u64
    }

    fn count_loss(&mut self, frames: u64) {
        let at = self.place();
        let lost = self.place_of(self.gathered + frames) - at;
        self.losses.count(at, lost);
        self.shared.with_progress(|progress| progress.count_loss(at, lost));
    }
}
