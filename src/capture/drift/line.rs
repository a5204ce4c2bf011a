//! Straight lines through points, by least squares. Pure.

/// Sums over points `(x, y)`, from which the slope of the line through them follows. Kept around the mean, so that
/// nothing cancels after hours (B. P. Welford, "Note on a method for calculating corrected sums of squares and products",
/// Technometrics 4(3), 1962).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Line {
    count: f64,
    mean: (f64, f64),
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Line {
    /// The sums over all of `points`.
    pub(super) fn through(points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut line = Self::default();
        points.into_iter().for_each(|(x, y)| line.add(x, y));
        line
    }

    pub(super) fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        let before = (x - self.mean.0, y - self.mean.1);
        self.mean = (self.mean.0 + before.0 / self.count, self.mean.1 + before.1 / self.count);
        self.xx += before.0 * (x - self.mean.0);
        self.xy += before.0 * (y - self.mean.1);
        self.yy += before.1 * (y - self.mean.1);
    }

    /// The slope that this line and `other` share, each at a height of its own.
    pub(super) fn common_slope(&self, other: &Self) -> f64 {
        let xx = self.xx + other.xx;
        if xx > 0.0 { (self.xy + other.xy) / xx } else { 0.0 }
    }

    /// The standard error of that, if the points scatter by at least `scatter` around their lines.
    pub(super) fn common_slope_error(&self, other: &Self, scatter: f64) -> f64 {
        let xx = self.xx + other.xx;
        if self.count + other.count < 3.0 || xx <= 0.0 {
            return f64::INFINITY;
        }
        self.scatter().max(other.scatter()).max(scatter) / xx.sqrt()
    }

    /// Moves all points up by `by`.
    pub(super) fn lift(&mut self, by: f64) {
        self.mean.1 += by;
    }

    pub(super) fn slope(&self) -> f64 {
        self.common_slope(&Self::default())
    }

    /// The squares of the distances from the mean height.
    pub(super) fn squares(&self) -> f64 {
        self.yy
    }

    /// The distance of the points from the line, root of the mean square.
    pub(super) fn scatter(&self) -> f64 {
        let square = self.yy - self.slope() * self.xy;
        (square.max(0.0) / (self.count - 2.0).max(1.0)).sqrt()
    }

    /// The standard error of the slope, as of [`common_slope_error`](Self::common_slope_error).
    pub(super) fn slope_error(&self, scatter: f64) -> f64 {
        self.common_slope_error(&Self::default(), scatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_line_give_its_slope_and_no_scatter_far_from_the_origin_too() {
        for origin in [0.0, 1e6] {
            let line = Line::through((0..100).map(|n| (origin + f64::from(n), 3.0 + f64::from(n) * 0.005)));
            assert!((line.slope() - 0.005).abs() < 1e-9, "{line:?}");
            assert!(line.scatter() < 1e-6);
        }
    }

    #[test]
    fn two_pieces_of_one_slope_at_different_heights_have_it_in_common() {
        let piece = |from: i32, height: f64| {
            Line::through((from..from + 20).map(|n| (f64::from(n), height - f64::from(n) * 0.002)))
        };
        let (before, behind) = (piece(0, 0.0), piece(20, 7.0));
        assert!((before.common_slope(&behind) + 0.002).abs() < 1e-9);
    }

    #[test]
    fn the_error_of_the_slope_is_that_of_the_textbook() {
        // y = x + (-1)^n on 0..10: s^2 = SSE / 8, Sxx = 82.5.
        let line = Line::through((0..10).map(|n| (f64::from(n), f64::from(n) + if n % 2 == 0 { 1.0 } else { -1.0 })));
        let sse = 10.0 - (line.slope() - 1.0).powi(2) * 82.5;
        assert!((line.slope_error(0.0) - (sse / 8.0 / 82.5).sqrt()).abs() < 1e-9, "{line:?}");
        assert_eq!(Line::default().slope_error(1.0), f64::INFINITY);
    }
}
