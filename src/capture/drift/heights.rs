//! How high deliveries are above the earliest ones, and what many such heights have in common. Pure.

/// The smallest lateness within a stretch of time, and when that was, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Floor {
    pub(super) at: f64,
    pub(super) late: f64,
}

impl Floor {
    /// How high it is above a line of that slope through the origin.
    pub(super) fn height(self, slope: f64) -> f64 {
        self.late - slope * self.at
    }

    /// As a point of a line.
    pub(super) fn point(self) -> (f64, f64) {
        (self.at, self.late)
    }
}

/// The lowest of them.
pub(super) fn lowest_of(floors: &[Floor]) -> Floor {
    let lowest = floors.iter().copied().min_by(|a, b| a.late.total_cmp(&b.late));
    lowest.unwrap_or(Floor { at: 0.0, late: 0.0 })
}

/// The lowest of them.
pub(super) fn lowest(above: &[f64]) -> f64 {
    above.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The height of the lowest eighth: where deliveries come without delay, without relying on a single one.
pub(super) fn low(heights: impl Iterator<Item = f64>) -> f64 {
    let mut heights: Vec<f64> = heights.collect();
    heights.sort_by(f64::total_cmp);
    heights.truncate((heights.len() / 8).max(1));
    let count = heights.len().max(1) as f64;
    heights.iter().sum::<f64>() / count
}

/// Whether the lateness still becomes smaller: what was held up is arriving, and it is not yet known how much of it.
pub(super) fn catches_up(above: &[f64], threshold: f64) -> bool {
    let (earlier, later) = above.split_at(above.len() / 2);
    let (before, now) = (lowest(earlier), lowest(later));
    before.is_finite() && before - now > threshold / 2.0
}

/// How far apart they are, except for the outermost.
pub(super) fn spread(heights: impl Iterator<Item = f64>) -> f64 {
    let mut heights: Vec<f64> = heights.collect();
    heights.sort_by(f64::total_cmp);
    let at = |part: usize| heights.get(heights.len() * part / 10).copied().unwrap_or_default();
    at(9) - at(1)
}
