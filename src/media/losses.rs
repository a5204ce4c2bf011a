//! Where frames were lost, for as long as that may be queried. Pure.

/// Places of lost frames, ascending, as `(frame, frames)`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Losses(Vec<(u64, u64)>);

impl Losses {
    /// Records that `frames` frames were lost from the frame `at` on, after all known places.
    pub(crate) fn count(&mut self, at: u64, frames: u64) {
        match self.0.last_mut() {
            Some((from, count)) if *from + *count == at => *count += frames,
            _ if frames > 0 => self.0.push((at, frames)),
            _ => {}
        }
    }

    /// Lost frames among those from `from` up to `to`.
    pub(crate) fn within(&self, from: u64, to: u64) -> u64 {
        let overlap = |&(at, count): &(u64, u64)| (at + count).min(to).saturating_sub(at.max(from));
        self.0.iter().map(overlap).sum()
    }

    /// The places from the frame `frame` on, counted from there.
    pub(crate) fn after(&self, frame: u64) -> Vec<(u64, u64)> {
        let rest = |&(at, count): &(u64, u64)| {
            let from = at.max(frame);
            (at + count > from).then(|| (from - frame, at + count - from))
        };
        self.0.iter().filter_map(rest).collect()
    }

    /// Discards the places before `frame`, which are not queried any more.
    pub(crate) fn forget_before(&mut self, frame: u64) {
        if self.0.first().is_some_and(|(at, count)| at + count <= frame) {
            self.0.retain(|(at, count)| at + count > frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_counted_where_they_are() {
        let mut losses = Losses::default();
        for (at, frames) in [(10, 5), (15, 5), (30, 0), (40, 10)] {
            losses.count(at, frames);
        }
        for (from, to, lost) in
            [(0, 100, 20), (0, 10, 0), (0, 12, 2), (12, 18, 6), (18, 45, 7), (45, 46, 1), (50, 100, 0), (9, 3, 0)]
        {
            assert_eq!(losses.within(from, to), lost, "{from}..{to}");
        }
        assert_eq!(losses.after(12), [(0, 8), (28, 10)]);
        assert_eq!(losses.after(50), []);
        losses.forget_before(20);
        assert_eq!((losses.0.len(), losses.within(0, 100)), (1, 10));
        losses.forget_before(45);
        assert_eq!(losses.within(45, 100), 5);
    }
}
