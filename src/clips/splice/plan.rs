//! Which frames follow each other when a new take goes into an old one, and where the markers are afterwards. Pure.

use crate::audio::{Marker, Metadata};

/// Where a new take goes. Frames count from the first frame of the old take, at its rate; beyond its end counts as its
/// end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seam {
    /// After the last frame.
    End,
    /// Before this frame, which follows the new take then.
    Insert(u64),
    /// Replaces this frame and as many of the following ones as the new take is long; a new take that goes beyond the
    /// end of the old one makes it longer.
    Overwrite(u64),
}

named! { Seam: End "end", Insert "insert", Overwrite "overwrite" }

/// The old take up to `at`, the new take, the old take from `resumes` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// Frames of the old take.
    pub(super) old: u64,
    /// Frames of the new take, at the rate of the old one.
    pub(super) new: u64,
    /// Frames of the old take before the new one.
    pub(super) at: u64,
    /// The frame of the old take that follows the new one; `old` if none does.
    pub(super) resumes: u64,
}

impl Plan {
    pub(super) fn new(seam: Seam, old: u64, new: u64) -> Self {
        let (at, resumes) = match seam {
            Seam::End => (old, old),
            Seam::Insert(at) => (at.min(old), at.min(old)),
            Seam::Overwrite(at) => (at.min(old), at.saturating_add(new).min(old)),
        };
        Self { old, new, at, resumes }
    }

    /// Frames of the result.
    pub(super) fn frames(&self) -> u64 {
        self.at.saturating_add(self.new).saturating_add(self.old.saturating_sub(self.resumes))
    }

    /// Where a frame of the old take is afterwards, if it is still there. The end of the take is removed with its last
    /// frame.
    fn old_place(&self, frame: u64) -> Option<u64> {
        match self.old.checked_sub(1) {
            Some(last) if frame > last => Some(self.old_place(last)?.saturating_add(1)),
            _ if frame < self.at || self.old == 0 => Some(frame.min(self.old)),
            _ if frame < self.resumes => None,
            _ => Some((frame - self.resumes).saturating_add(self.at).saturating_add(self.new)),
        }
    }

    fn new_place(&self, frame: u64) -> u64 {
        self.at.saturating_add(frame.min(self.new))
    }

    /// The tags of the old take, with the markers and the lost frames of both. `new` counts at the rate of `old`.
    pub(super) fn metadata(&self, mut old: Metadata, mut new: Metadata) -> Metadata {
        let lost = old.take_lost_frames().saturating_add(new.take_lost_frames());
        old.note_lost_frames(lost);
        let kept = old.markers.into_iter().filter_map(|marker| {
            let frame = self.old_place(marker.frame)?;
            Some(Marker { frame, ..marker })
        });
        let added = new.markers.into_iter().map(|marker| Marker { frame: self.new_place(marker.frame), ..marker });
        let mut markers: Vec<Marker> = kept.chain(added).collect();
        markers.sort_by_key(|marker| marker.frame);
        Metadata { markers, ..old }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seams() -> impl Strategy<Value = Seam> {
        prop_oneof![Just(Seam::End), (0..40_u64).prop_map(Seam::Insert), (0..40_u64).prop_map(Seam::Overwrite)]
    }

    /// The same with lists, one element per frame.
    fn spliced<T: Clone>(seam: Seam, old: &[T], new: &[T]) -> Vec<T> {
        let mut result = old.to_vec();
        let at = |frame: u64| usize::try_from(frame).unwrap().min(old.len());
        let replaced = match seam {
            Seam::End => old.len()..old.len(),
            Seam::Insert(frame) => at(frame)..at(frame),
            Seam::Overwrite(frame) => at(frame)..(at(frame) + new.len()).min(old.len()),
        };
        result.splice(replaced, new.iter().cloned());
        result
    }

    fn marker(frame: u64, text: &str) -> Marker {
        Marker { frame, text: text.to_owned() }
    }

    fn marked(markers: &[(u64, &str)]) -> Metadata {
        let markers = markers.iter().map(|&(frame, text)| marker(frame, text)).collect();
        Metadata { markers, ..Metadata::default() }
    }

    #[test]
    fn markers_go_with_their_frames() {
        let old = [(0, "first"), (4, "before"), (5, "at"), (6, "in"), (7, "after"), (10, "end")];
        let new = [(0, "new"), (2, "new end")];
        for (seam, expected) in [
            (
                Seam::End,
                &[
                    (0, "first"),
                    (4, "before"),
                    (5, "at"),
                    (6, "in"),
                    (7, "after"),
                    (10, "end"),
                    (10, "new"),
                    (12, "new end"),
                ][..],
            ),
            (
                Seam::Insert(5),
                &[
                    (0, "first"),
                    (4, "before"),
                    (5, "new"),
                    (7, "at"),
                    (7, "new end"),
                    (8, "in"),
                    (9, "after"),
                    (12, "end"),
                ],
            ),
            (Seam::Overwrite(5), &[(0, "first"), (4, "before"), (5, "new"), (7, "after"), (7, "new end"), (10, "end")]),
            (
                Seam::Overwrite(9),
                &[(0, "first"), (4, "before"), (5, "at"), (6, "in"), (7, "after"), (9, "new"), (11, "new end")],
            ),
        ] {
            let tags = Plan::new(seam, 10, 2).metadata(marked(&old), marked(&new));
            assert_eq!(tags, marked(expected), "{seam:?}");
        }
    }

    #[test]
    fn tags_are_those_of_the_old_take_and_losses_are_those_of_both() {
        let mut old = Metadata { title: Some("old".into()), comment: Some("noisy".into()), ..Metadata::default() };
        let mut new = Metadata { title: Some("new".into()), date: Some("2026".into()), ..Metadata::default() };
        let tags = Plan::new(Seam::End, 9, 9).metadata(old.clone(), new.clone());
        assert_eq!(tags, old);
        old.note_lost_frames(3);
        new.note_lost_frames(4);
        let tags = Plan::new(Seam::End, 9, 9).metadata(old, new);
        assert_eq!((tags.lost_frames(), tags.title.as_deref(), tags.date), (Some(7), Some("old"), None));
    }

    proptest! {
        #[test]
        fn a_plan_is_what_a_splice_of_lists_is(seam in seams(), old in 0..30_u64, new in 0..30_u64) {
            let plan = Plan::new(seam, old, new);
            let old: Vec<(char, u64)> = (0..old).map(|frame| ('o', frame)).collect();
            let new: Vec<(char, u64)> = (0..new).map(|frame| ('n', frame)).collect();
            let result = spliced(seam, &old, &new);
            prop_assert_eq!(plan.frames(), result.len() as u64);
            let place = |frame| result.iter().position(|&found| found == frame).map(|place| place as u64);
            for &(_, frame) in &old {
                prop_assert_eq!(plan.old_place(frame), place(('o', frame)));
            }
            for &(_, frame) in &new {
                prop_assert_eq!(Some(plan.new_place(frame)), place(('n', frame)));
            }
        }

        #[test]
        fn no_number_is_too_large_and_no_marker_is_behind_the_end(at: u64, old: u64, new: u64, frame: u64) {
            for seam in [Seam::End, Seam::Insert(at), Seam::Overwrite(at)] {
                let plan = Plan::new(seam, old, new);
                prop_assert!(plan.at <= plan.resumes && plan.resumes <= old);
                let places = [plan.old_place(frame), Some(plan.new_place(frame))];
                prop_assert!(places.into_iter().flatten().all(|place| place <= plan.frames()));
            }
        }
    }
}
