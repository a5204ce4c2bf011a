//! What was found to be missing in a file, for reports about it. Pure values, for any thread.

use std::ops::Range;

use crate::audio::time::seconds;

/// Places that are stored one by one; beyond them only their number and length is.
const PLACES_MAX: usize = 64;

/// A stretch that could not be read and is silence of the same length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// Frames before it.
    pub at: u64,
    /// Its length in frames.
    pub frames: u64,
}

/// What is missing in a file, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Damage {
    gaps: Vec<Gap>,
    places: u64,
    silent: u64,
    cut_off: u64,
    differs: bool,
    remark: Option<&'static str>,
}

impl Damage {
    /// Records that `frames` frames from `at` on are silence because they could not be read.
    pub fn note_gap(&mut self, at: u64, frames: u64) {
        if frames == 0 {
            return;
        }
        self.silent = self.silent.saturating_add(frames);
        match self.gaps.last_mut() {
            Some(last) if last.at.saturating_add(last.frames) == at => last.frames += frames,
            _ => {
                self.places += 1;
                if self.gaps.len() < PLACES_MAX {
                    self.gaps.push(Gap { at, frames });
                }
            }
        }
    }

    /// Records that the file ends `frames` frames before its stated length.
    pub fn note_end(&mut self, frames: u64) {
        self.cut_off = frames;
    }

    /// Records that the samples do not match the file's own checksum.
    pub fn note_difference(&mut self) {
        self.differs = true;
    }

    /// Records damage whose cost in frames is unknown, in the words of a sentence about the file.
    pub fn note_remark(&mut self, remark: &'static str) {
        self.remark = Some(remark);
    }

    /// The first places, in their order.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Frames that are silence or missing at the end.
    #[must_use]
    pub fn lost_frames(&self) -> u64 {
        self.silent.saturating_add(self.cut_off)
    }

    /// Frames of `stretch` that are silence because they could not be read, as far as the places are known.
    pub(crate) fn silent_in(&self, stretch: &Range<u64>) -> u64 {
        let mut gaps = self.gaps.clone();
        gaps.sort_by_key(|gap| gap.at);
        let (mut until, mut silent) = (stretch.start, 0);
        for Gap { at, frames } in gaps {
            // A place may have been read twice.
            let (from, to) = (at.max(until), at.saturating_add(frames).min(stretch.end));
            silent += to.saturating_sub(from);
            until = until.max(to);
        }
        silent
    }

    /// Frames that are missing at the end.
    #[must_use]
    pub fn cut_off(&self) -> u64 {
        self.cut_off
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What is missing, where and how long, at `rate` frames a second: the end of a sentence that names the file. `None`
    /// if nothing is.
    #[must_use]
    pub fn sentence(&self, rate: u32) -> Option<String> {
        let length = |frames| format!("{:.3} s ({frames} frames)", seconds(frames, rate));
        let mut parts = Vec::new();
        if let Some(first) = self.gaps.first() {
            let at = seconds(first.at, rate);
            parts.push(match self.places {
                1 => format!("{} at {at:.3} s are missing and are silence", length(self.silent)),
                places => {
                    format!(
                        "{} at {places} places are missing and are silence, the first at {at:.3} s",
                        length(self.silent)
                    )
                }
            });
        }
        if self.cut_off > 0 {
            parts.push(format!("the last {} are missing", length(self.cut_off)));
        }
        parts.extend(self.remark.map(str::to_owned));
        if self.differs && parts.is_empty() {
            parts.push("its samples are not those of which its MD5 was made".to_owned());
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_with_its_place_and_length() {
        let mut damage = Damage::default();
        assert_eq!((damage.sentence(8_000), damage.is_none()), (None, true));
        damage.note_gap(0, 0);
        damage.note_gap(4_000, 400);
        damage.note_gap(4_400, 400);
        assert_eq!(
            damage.sentence(8_000).as_deref(),
            Some("0.100 s (800 frames) at 0.500 s are missing and are silence")
        );
        damage.note_gap(8_000, 8);
        damage.note_end(16_000);
        damage.note_difference();
        assert_eq!(
            damage.sentence(8_000).as_deref(),
            Some(
                "0.101 s (808 frames) at 2 places are missing and are silence, the first at 0.500 s; the last 2.000 s \
                 (16000 frames) are missing"
            )
        );
        assert_eq!((damage.lost_frames(), damage.gaps().len()), (16_808, 2));
        damage.note_gap(4_100, 100);
        for (stretch, silent) in [(0..4_000, 0), (4_300..8_004, 504), (4_799..4_800, 1), (0..20_000, 808)] {
            assert_eq!(damage.silent_in(&stretch), silent, "{stretch:?}");
        }
        let mut other = Damage::default();
        other.note_difference();
        assert!(other.sentence(1).unwrap().contains("MD5") && !other.is_none());
    }
}
