//! A part of a clip as if it were a clip of its own: from one frame up to another, without the silence around it, with soft
//! ends. Run by any thread but a realtime one.

use std::{ops::Range, time::Duration};

use super::pauses::Pauses;
use crate::{
    audio::{AudioFormat, Marker, Metadata, SampleFormat, broadcast, time::frames_in},
    error::{Error, ErrorKind, Result},
    format::Decoder,
};

/// How long ends that were cut fade in and out.
const FADE: Duration = Duration::from_millis(5);

/// A part of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excerpt {
    /// From this frame of the clip on.
    pub from: u64,
    /// Up to this frame; beyond the end of the clip, its end.
    pub to: u64,
    /// Without the silence before the first and after the last sound.
    pub trims_silence: bool,
    /// Ends that were cut fade in and out for 5 ms, so that they do not click.
    pub soft: bool,
}

impl Default for Excerpt {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl Excerpt {
    /// All of it.
    pub const WHOLE: Self = Self { from: 0, to: u64::MAX, trims_silence: false, soft: false };

    /// The part of the clip that `decoder` reads; itself if that is all of it. Markers are those of the part.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] if nothing is left, which names the clip by its name in errors; those of the decoder.
    pub(super) fn of(self, mut decoder: Box<dyn Decoder>, name: &str) -> Result<Box<dyn Decoder>> {
        if self == (Self { soft: self.soft, ..Self::WHOLE }) {
            return Ok(decoder);
        }
        let nothing = |what: &str| Error::new(ErrorKind::InvalidData, format!("{what} of {name}"));
        let whole = decoder.frames();
        let mut frames = self.from..self.to.min(whole.unwrap_or(u64::MAX));
        if self.trims_silence {
            let sound = Pauses::new(decoder.as_mut(), None, Duration::ZERO).sound()?;
            let sound = sound.ok_or_else(|| nothing("nothing but silence would be left"))?;
            frames = frames.start.max(sound.start)..frames.end.min(sound.end);
        }
        if frames.is_empty() {
            return Err(nothing("nothing would be left"));
        }
        let fade = if self.soft { frames_in(FADE, decoder.format().sample_rate) } else { 0 };
        let fade_in = if frames.start > 0 { fade } else { 0 };
        let fade_out = if whole.is_some_and(|whole| frames.end < whole) { fade } else { 0 };
        let metadata = part_of(decoder.metadata().clone(), &frames, decoder.format().sample_rate);
        decoder.seek(frames.start)?;
        let at = frames.start;
        Ok(Box::new(ExcerptPart { decoder, frames, at, fade_in, fade_out, metadata }))
    }
}

/// The tags of a clip with the markers of these frames of it, and the time at which they begin.
fn part_of(mut tags: Metadata, frames: &Range<u64>, sample_rate: u32) -> Metadata {
    if let Some(payload) = &mut tags.broadcast {
        broadcast::delay(payload, frames.start, sample_rate);
    }
    tags.markers.retain(|marker| frames.contains(&marker.frame) || marker.frame == frames.end);
    for marker in &mut tags.markers {
        *marker = Marker { frame: marker.frame - frames.start, text: std::mem::take(&mut marker.text) };
    }
    tags
}

struct ExcerptPart {
    decoder: Box<dyn Decoder>,
    frames: Range<u64>,
    /// The frame of the clip that is read next.
    at: u64,
    fade_in: u64,
    fade_out: u64,
    metadata: Metadata,
}

impl ExcerptPart {
    fn most(&self, max_frames: usize) -> usize {
        max_frames.min(usize::try_from(self.frames.end.saturating_sub(self.at)).unwrap_or(usize::MAX))
    }

    /// The gain of a frame of the clip, as a factor.
    fn gain(&self, frame: u64) -> f32 {
        let part = |frames: u64, fade: u64| ((frames as f32 + 0.5) / fade.max(1) as f32).min(1.0);
        let (before, behind) = (frame - self.frames.start, (self.frames.end - 1).saturating_sub(frame));
        let fade_in = if self.fade_in > 0 { part(before, self.fade_in) } else { 1.0 };
        let fade_out = if self.fade_out > 0 { part(behind, self.fade_out) } else { 1.0 };
        fade_in * fade_out
    }
}

impl Decoder for ExcerptPart {
    fn container(&self) -> &'static str {
        self.decoder.container()
    }

    fn format(&self) -> AudioFormat {
        self.decoder.format()
    }

    fn frames(&self) -> Option<u64> {
        self.decoder.frames().map(|whole| self.frames.end.min(whole) - self.frames.start)
    }

    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize> {
        let most = self.most(max_frames);
        let (before, channels) = (out.len(), usize::from(self.format().channels.max(1)));
        let outcome = if most == 0 { Ok(0) } else { self.decoder.read(out, most) };
        let read = out.len().saturating_sub(before) / channels;
        for (frame, samples) in (self.at..).zip(out.iter_mut().skip(before).collect::<Vec<_>>().chunks_mut(channels)) {
            let gain = self.gain(frame);
            if gain < 1.0 {
                samples.iter_mut().for_each(|sample| **sample *= gain);
            }
        }
        self.at += read as u64;
        outcome.map(|_| read)
    }

    fn stored(&self) -> Option<SampleFormat> {
        // What fades is not handed on as stored.
        self.decoder.stored().filter(|_| self.fade_in == 0 && self.fade_out == 0)
    }

    fn read_stored(&mut self, out: &mut Vec<u8>, max_frames: usize) -> Result<usize> {
        let most = self.most(max_frames);
        if most == 0 {
            return Ok(0);
        }
        let read = self.decoder.read_stored(out, most)?;
        self.at += read as u64;
        Ok(read)
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        self.at = self.frames.start.saturating_add(frame).min(self.frames.end);
        self.decoder.seek(self.at)
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{clips::clip::tests::wav, format};

    fn clip(samples: &[f32], markers: &[u64]) -> Box<dyn Decoder> {
        let markers = markers.iter().map(|&frame| Marker { frame, text: frame.to_string() }).collect();
        let bytes = wav(samples, 1, Metadata { markers, ..Metadata::default() });
        format::from_reader(Cursor::new(bytes), "x").unwrap()
    }

    fn all(decoder: &mut dyn Decoder) -> Vec<f32> {
        let mut out = Vec::new();
        while decoder.read(&mut out, 7).unwrap() > 0 {}
        out
    }

    #[test]
    fn a_part_has_exactly_its_frames_and_markers() {
        let samples: Vec<f32> = (0..1_000_u16).map(|frame| f32::from(frame) / 32_768.0).collect();
        for (from, to, left) in [(0, u64::MAX, 0..1_000), (100, 300, 100..300), (900, 5_000, 900..1_000), (0, 1, 0..1)]
        {
            let excerpt = Excerpt { from, to, ..Excerpt::default() };
            let mut part = excerpt.of(clip(&samples, &[0, 100, 200, 950]), "x").unwrap();
            assert_eq!(part.frames(), Some((left.end - left.start) as u64));
            assert_eq!(all(part.as_mut()), samples[left.clone()], "{left:?}");
            let found: Vec<u64> = part.metadata().markers.iter().map(|marker| marker.frame).collect();
            let expected = [0, 100, 200, 950]
                .into_iter()
                .filter(|&frame| (left.start as u64..left.end as u64).contains(&frame) || frame == left.end as u64);
            assert_eq!(found, expected.map(|frame| frame - left.start as u64).collect::<Vec<_>>());
            part.seek(0).unwrap();
            let mut stored = Vec::new();
            while part.read_stored(&mut stored, 33).unwrap() > 0 {}
            assert_eq!(stored.len(), left.len() * 2);
        }
        for (from, to) in [(1_000, u64::MAX), (7, 7), (8, 3)] {
            let nothing = Excerpt { from, to, ..Excerpt::default() }.of(clip(&samples, &[]), "x");
            assert!(nothing.is_err_and(|error| error.to_string() == "nothing would be left of x"));
        }
    }

    #[test]
    fn soft_ends_begin_and_end_near_nothing_and_only_where_something_was_cut() {
        let ends = |from, to| {
            let excerpt = Excerpt { from, to, soft: true, ..Excerpt::default() };
            let part = all(excerpt.of(clip(&[0.5; 8_000], &[]), "x").unwrap().as_mut());
            (part[0] < 0.02, part[part.len() - 1] < 0.02, (part[part.len() / 2] - 0.5).abs() < 1e-3)
        };
        assert_eq!(ends(1_000, 7_000), (true, true, true));
        assert_eq!(ends(0, 7_000), (false, true, true));
        assert_eq!(ends(1_000, u64::MAX), (true, false, true));
        assert_eq!(ends(0, u64::MAX), (false, false, true));
    }

    #[test]
    fn silence_is_trimmed_within_the_part_and_alone_is_an_error() {
        let mut samples = vec![0.0; 24_000];
        samples[8_000..16_000].fill(0.5);
        let trimmed = Excerpt { trims_silence: true, ..Excerpt::default() };
        let part = trimmed.of(clip(&samples, &[]), "x").unwrap();
        // A tenth of a second is left on both sides.
        assert_eq!(part.frames(), Some(8_000 + 2 * 800));
        let from = Excerpt { from: 12_000, ..trimmed };
        assert_eq!(from.of(clip(&samples, &[]), "x").unwrap().frames(), Some(4_000 + 800));
        let nothing = trimmed.of(clip(&[0.0; 8_000], &[]), "x");
        assert!(nothing.is_err_and(|error| error.to_string().contains("nothing but silence")));
    }
}
