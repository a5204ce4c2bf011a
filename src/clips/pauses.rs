//! Where nobody speaks in a clip, found by reading no more of it than is needed.
//!
//! A pause is a stretch in which every 20 ms are far quieter than the loud parts of the clip, or hardly louder than the
//! noise around them. Both are measured, so that neither a quiet recording nor a noisy one needs a setting. It
//! distinguishes loud from quiet, but not speech from music. Memory is that of a minute. Run by any thread but a
//! realtime one.

use std::{
    ops::{ControlFlow, Range},
    time::Duration,
};

use super::{Waveform, waveform::BLOCK_FRAMES};
use crate::{
    audio::{Dbfs, time::frames_in},
    error::Result,
    format::Decoder,
};

/// The shortest stretch whose level is measured.
const STEP_LENGTH: Duration = Duration::from_millis(20);
/// This much is read as one piece, with this much overlap, because a pause may lie across two pieces.
const PIECE_LENGTH: Duration = Duration::from_secs(60);
const OVERLAP_LENGTH: Duration = Duration::from_secs(5);
/// How much of a pause is heard before the next speech after a jump to the pause.
const LEAD_LENGTH: Duration = Duration::from_millis(150);
/// Two places that are this close count as one.
const SAME_PLACE_MAX: Duration = Duration::from_millis(50);
/// Steps that are loud within a pause and do not end it: a click.
const CLICK_STEPS: usize = 2;

/// How far below the loud parts a level counts as quiet, and how far above the noise it still does, in dB.
const BELOW_LOUD_DB: f64 = 22.0;
const ABOVE_NOISE_DB: f64 = 6.0;
/// Noise that is not further than this below the loud parts does not count as noise.
const NOISE_LIMIT_DB: f64 = 8.0;
/// The same where sound is removed: a whisper must stay.
const TRIM_BELOW_LOUD_DB: f64 = 40.0;
const TRIM_NOISE_LIMIT_DB: f64 = 14.0;
/// Trimming leaves this much before and after the sound.
const TRIM_MARGIN: Duration = Duration::from_millis(100);

impl Waveform {
    /// How loud the loud parts of the clip are (RMS), in dBFS; `None` for silence.
    #[must_use]
    pub fn loudness(&self) -> Option<f64> {
        let levels = self.bins().iter().map(|bin| Dbfs::from_amplitude(f64::from(bin.loudness())).value());
        percentile(levels.collect(), 0.9)
    }
}

/// Finds the pauses of an open clip.
pub struct Pauses<'a> {
    decoder: &'a mut dyn Decoder,
    /// The level of its loud parts, in dBFS.
    loud_db: Option<f64>,
    /// Shorter ones do not count.
    shortest: Duration,
}

impl<'a> Pauses<'a> {
    /// Pauses of at least `shortest`. A caller that has the [loudness](Waveform::loudness) of the clip passes it,
    /// otherwise it is measured from what is read.
    #[must_use]
    pub fn new(decoder: &'a mut dyn Decoder, loud_db: Option<f64>, shortest: Duration) -> Self {
        Self { decoder, loud_db, shortest }
    }

    /// The first pause after `frame` from which playback can go on: its frames, without those before the clip's sound
    /// ends. `watch` is called before each piece, and returns whether to go on.
    ///
    /// # Errors
    /// Those of the decoder, whose position differs afterwards.
    pub fn next(&mut self, frame: u64, watch: &mut dyn FnMut() -> ControlFlow<()>) -> Result<Option<Range<u64>>> {
        let mut at = frame.saturating_sub(self.frames(OVERLAP_LENGTH));
        let mut quiet_since = None;
        loop {
            if watch().is_break() {
                return Ok(None);
            }
            let piece = self.levels(at, self.frames(PIECE_LENGTH))?;
            let is_end = (piece.len() as u64) < self.frames(PIECE_LENGTH) / self.step();
            for pause in self.pauses(&piece, at) {
                // It began in the piece before.
                let pause = if pause.start == at { quiet_since.unwrap_or(at)..pause.end } else { pause };
                let goes_on = pause.end >= at + piece.len() as u64 * self.step() && !is_end;
                if !goes_on && self.is_long(&pause) && self.landing(&pause) > frame + self.frames(SAME_PLACE_MAX) {
                    return Ok(Some(pause));
                }
                quiet_since = goes_on.then_some(pause.start);
            }
            if is_end {
                return Ok(None);
            }
            at += piece.len() as u64 * self.step();
        }
    }

    /// The last pause before `frame` from which playback can go on.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn previous(&mut self, frame: u64, watch: &mut dyn FnMut() -> ControlFlow<()>) -> Result<Option<Range<u64>>> {
        let mut end = frame.saturating_add(self.frames(OVERLAP_LENGTH));
        loop {
            if watch().is_break() {
                return Ok(None);
            }
            let at = end.saturating_sub(self.frames(PIECE_LENGTH));
            let piece = self.levels(at, end - at)?;
            let before =
                |pause: &Range<u64>| self.is_long(pause) && self.landing(pause) + self.frames(SAME_PLACE_MAX) < frame;
            if let Some(pause) = self.pauses(&piece, at).into_iter().rfind(before) {
                return Ok(Some(pause));
            }
            if at == 0 {
                return Ok(None);
            }
            end = at.saturating_add(self.frames(OVERLAP_LENGTH));
        }
    }

    /// Where in a pause playback goes on: shortly before its end.
    #[must_use]
    pub fn landing(&self, pause: &Range<u64>) -> u64 {
        pause.end.saturating_sub(self.frames(LEAD_LENGTH)).max(pause.start)
    }

    /// The frames from the first to the last sound of the clip with a margin; `None` if all of it is silence.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn sound(&mut self) -> Result<Option<Range<u64>>> {
        let levels = self.levels(0, u64::MAX)?;
        let Some(threshold) = threshold(&levels, self.loud_db, (TRIM_BELOW_LOUD_DB, TRIM_NOISE_LIMIT_DB)) else {
            return Ok(None);
        };
        let is_loud = |level: &f64| *level > threshold;
        let ends = levels.iter().position(is_loud).zip(levels.iter().rposition(is_loud));
        let (step, margin) = (self.step(), self.frames(TRIM_MARGIN));
        let length = self.decoder.frames().unwrap_or(levels.len() as u64 * step);
        Ok(ends.map(|(first, last)| {
            let (first, last) = (first as u64 * step, (last as u64 + 1) * step);
            first.saturating_sub(margin)..last.saturating_add(margin).min(length)
        }))
    }

    fn is_long(&self, pause: &Range<u64>) -> bool {
        pause.end - pause.start >= self.frames(self.shortest)
    }

    fn frames(&self, time: Duration) -> u64 {
        frames_in(time, self.decoder.format().sample_rate).max(1)
    }

    fn step(&self) -> u64 {
        self.frames(STEP_LENGTH)
    }

    /// The level of every step from `at` on, in dBFS; fewer at the end of the clip.
    fn levels(&mut self, at: u64, frames: u64) -> Result<Vec<f64>> {
        let channels = usize::from(self.decoder.format().channels.max(1));
        let step = usize::try_from(self.step()).unwrap_or(usize::MAX) * channels;
        let mut left = frames / self.step() * self.step();
        let (mut samples, mut levels) = (Vec::new(), Vec::new());
        self.decoder.seek(self.decoder.frames().map_or(at, |length| at.min(length)))?;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK_FRAMES);
            let read = self.decoder.read(&mut samples, wanted)?;
            left -= (read as u64).min(left);
            let (steps, rest) = samples.split_at(samples.len() / step * step);
            levels.extend(steps.chunks_exact(step).map(level));
            samples = rest.to_vec();
            if read == 0 {
                // The last step may be shorter.
                levels.extend((!samples.is_empty()).then(|| level(&samples)));
                break;
            }
        }
        Ok(levels)
    }

    /// The pauses of any length in a piece that begins at frame `at`; those at its ends may go on beyond them.
    fn pauses(&self, levels: &[f64], at: u64) -> Vec<Range<u64>> {
        let Some(threshold) = threshold(levels, self.loud_db, (BELOW_LOUD_DB, NOISE_LIMIT_DB)) else {
            return Vec::new();
        };
        let mut pauses: Vec<Range<usize>> = Vec::new();
        for (place, _) in levels.iter().enumerate().filter(|(_, level)| **level <= threshold) {
            match pauses.last_mut() {
                Some(pause) if place - pause.end <= CLICK_STEPS => pause.end = place + 1,
                _ => pauses.push(place..place + 1),
            }
        }
        let frame = |place: usize| at + place as u64 * self.step();
        pauses.into_iter().map(|pause| frame(pause.start)..frame(pause.end)).collect()
    }
}

#[allow(clippy::cast_possible_truncation, reason = "of a block")]
fn level(samples: &[f32]) -> f64 {
    let power: f64 = samples.iter().filter(|sample| sample.is_finite()).map(|sample| f64::from(*sample).powi(2)).sum();
    Dbfs::from_amplitude((power / samples.len().max(1) as f64).sqrt()).value()
}

/// Up to which level it is quiet; `None` if all is silent and the loud level is not known.
fn threshold(levels: &[f64], loud_db: Option<f64>, (below_loud, noise_limit): (f64, f64)) -> Option<f64> {
    let loud = loud_db.or_else(|| percentile(levels.to_vec(), 0.9))?;
    let silence = levels.iter().filter(|level| !level.is_finite()).count();
    let noise = if silence * 20 >= levels.len() { None } else { percentile(levels.to_vec(), 0.05) };
    let noise = noise.unwrap_or(f64::NEG_INFINITY);
    Some((loud - below_loud).max((noise + ABOVE_NOISE_DB).min(loud - noise_limit)))
}

/// The level below which this part of everything that is not silence is.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
fn percentile(mut levels: Vec<f64>, part: f64) -> Option<f64> {
    levels.retain(|level| level.is_finite());
    levels.sort_by(f64::total_cmp);
    let place = (part * levels.len() as f64) as usize;
    levels.get(place.min(levels.len().saturating_sub(1))).copied()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{audio::Metadata, clips::clip::tests::wav, format};

    const RATE: u64 = 8_000;

    /// Test speech: noise of that level for `seconds` seconds, which swells where it is loud.
    fn speech(seconds: f64, level: f32, out: &mut Vec<f32>) {
        let count = (seconds * RATE as f64) as u32;
        let mut random = 1_u32;
        out.extend((0..count).map(|frame| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let swell = if level > 0.2 { 0.6 + 0.4 * (f64::from(frame) / 650.0).sin() } else { 1.0 };
            (f64::from(random >> 8) / f64::from(1_u32 << 23) - 1.0) as f32 * level * swell as f32
        }));
    }

    fn clip(parts: &[(f64, f32)]) -> Box<dyn Decoder> {
        let mut samples = Vec::new();
        parts.iter().for_each(|&(seconds, level)| speech(seconds, level, &mut samples));
        format::from_reader(Cursor::new(wav(&samples, 1, Metadata::default())), "x").unwrap()
    }

    fn go_on() -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn seconds(frame: u64) -> f64 {
        frame as f64 / RATE as f64
    }

    #[test]
    fn pauses_are_found_in_both_directions_in_clean_and_in_noisy_clips() {
        for (loud, quiet) in [(0.5, 0.0), (0.5, 0.001), (0.3, 0.0005), (0.5, 0.1)] {
            let mut decoder = clip(&[(4.0, loud), (1.0, quiet), (3.0, loud), (2.0, quiet), (4.0, loud)]);
            let mut pauses = Pauses::new(decoder.as_mut(), None, Duration::from_millis(400));
            // Where the noise is loud, swelling speech falls to its level.
            let near = if quiet < 0.05 { 0.05 } else { 0.2 };
            let mut at = 0;
            for (start, end) in [(4.0, 5.0), (8.0, 10.0)] {
                let pause = pauses.next(at, &mut go_on).unwrap().expect("a pause");
                assert!((seconds(pause.start) - start).abs() < near, "{pause:?} {quiet}");
                assert!((seconds(pause.end) - end).abs() < near, "{pause:?} {quiet}");
                at = pauses.landing(&pause);
                assert!(seconds(at) > start && seconds(at) < end);
            }
            assert_eq!(pauses.next(at, &mut go_on).unwrap(), None, "{quiet}");
            let before = pauses.previous(at, &mut go_on).unwrap().expect("the first");
            assert!((seconds(before.end) - 5.0).abs() < near);
            let first = pauses.landing(&before);
            assert_eq!(pauses.previous(first, &mut go_on).unwrap(), None);
        }
    }

    #[test]
    fn a_break_that_is_longer_than_a_piece_is_one_pause() {
        let mut decoder = clip(&[(50.0, 0.3), (150.0, 0.001), (5.0, 0.3)]);
        let mut pauses = Pauses::new(decoder.as_mut(), Some(-15.0), Duration::from_millis(400));
        let pause = pauses.next(0, &mut go_on).unwrap().expect("the break");
        assert!((seconds(pause.start) - 50.0).abs() < 0.1 && (seconds(pause.end) - 200.0).abs() < 0.1, "{pause:?}");
        assert_eq!(pauses.next(0, &mut || ControlFlow::Break(())).unwrap(), None, "given up");
    }

    #[test]
    fn steady_sound_and_silence_have_no_pauses() {
        for level in [0.0, 0.3] {
            let mut decoder = clip(&[(20.0, level)]);
            let mut pauses = Pauses::new(decoder.as_mut(), None, Duration::from_millis(400));
            assert_eq!(pauses.next(0, &mut go_on).unwrap(), None);
            assert_eq!(pauses.previous(20 * RATE, &mut go_on).unwrap(), None);
        }
    }

    #[test]
    fn what_is_trimmed_is_silence_alone() {
        for quiet in [0.0, 0.002] {
            let mut decoder = clip(&[(2.0, quiet), (0.5, 0.02), (3.0, 0.4), (1.5, quiet)]);
            let sound = Pauses::new(decoder.as_mut(), None, Duration::ZERO).sound().unwrap().expect("sound");
            assert!((seconds(sound.start) - 1.9).abs() < 0.03, "{sound:?}: the whisper stays");
            assert!((seconds(sound.end) - 5.6).abs() < 0.03, "{sound:?}");
        }
        let mut decoder = clip(&[(2.0, 0.0)]);
        assert_eq!(Pauses::new(decoder.as_mut(), None, Duration::ZERO).sound().unwrap(), None);
    }
}
