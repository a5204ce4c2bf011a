//! The slope that a device's clock gives to the lateness of its deliveries. Pure.

use super::{
    DELIVERY_ERROR_MIN_SECONDS,
    heights::{Floor, lowest},
    line::Line,
};

/// No clock of a device that runs at its nominal rate is further off: half a percent, and what measuring adds.
pub(super) const CLOCK_ERROR_MAX: f64 = 0.0055;
/// The usual error of clocks, used as long as nothing is known about this one.
const CLOCK_ERROR_USUAL: f64 = 0.003;
/// How often the range of slopes is made a third smaller: to a billionth of itself.
const NARROWINGS: usize = 50;

/// The slope that deliveries `before` a step have in common with those `after` it, in seconds per second: the one for
/// which they rise least, in all, above the lowest of their side, because deliveries are late and never early (S. B. Moon,
/// P. Skelly and D. Towsley, "Estimation and removal of clock skew from network delay measurements", INFOCOM 1999). Few
/// deliveries, or widely scattered ones, count less than what is known about clocks in general.
pub(super) fn shared(before: &[Floor], after: &[Floor]) -> f64 {
    let cost = |slope: f64| above_the_lowest(before, slope) + above_the_lowest(after, slope);
    let (mut least, mut most) = (-CLOCK_ERROR_MAX, CLOCK_ERROR_MAX);
    for _ in 0..NARROWINGS {
        let third = (most - least) / 3.0;
        if cost(least + third) < cost(most - third) { most -= third } else { least += third }
    }
    let [left, right] = [before, after].map(|floors| Line::through(floors.iter().map(|floor| floor.point())));
    weighed((least + most) / 2.0, left.common_slope_error(&right, DELIVERY_ERROR_MIN_SECONDS)).0
}

/// How much higher than the lowest of them they are in all, above a line of that slope.
fn above_the_lowest(floors: &[Floor], slope: f64) -> f64 {
    let heights: Vec<f64> = floors.iter().map(|floor| floor.height(slope)).collect();
    let low = lowest(&heights);
    heights.iter().map(|height| height - low).sum()
}

/// A slope of which `error` is the standard error, weighed against what is known about clocks in general, and the error
/// that remains.
pub(super) fn weighed(slope: f64, error: f64) -> (f64, f64) {
    if !error.is_finite() {
        return (0.0, CLOCK_ERROR_USUAL);
    }
    let (usual, measured) = (CLOCK_ERROR_USUAL * CLOCK_ERROR_USUAL, error * error);
    let weight = usual / (usual + measured);
    ((slope * weight).clamp(-CLOCK_ERROR_MAX, CLOCK_ERROR_MAX), (measured * weight).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_deliveries_do_not_bend_the_slope_and_both_sides_have_a_height_of_their_own() {
        // Every third comes on time; the others are the later, the later it is: a line through all of them is too steep.
        let floor = |n: u32, height: f64| {
            let at = f64::from(n);
            Floor { at, late: height + 0.003 * at + f64::from(n % 3) * 0.0004 * at }
        };
        let before: Vec<Floor> = (0..30).map(|n| floor(n, 0.0)).collect();
        let after: Vec<Floor> = (30..36).map(|n| floor(n, 0.1)).collect();
        assert!((shared(&before, &after) - 0.003).abs() < 30e-6, "{}", shared(&before, &after));
        let all = Line::through(before.iter().map(|floor| floor.point()));
        assert!((all.slope() - 0.003).abs() > 300e-6, "{}", all.slope());
    }

    #[test]
    fn a_slope_that_cannot_be_measured_is_none() {
        let alone = [Floor { at: 1.0, late: 0.5 }];
        assert_eq!(shared(&alone, &alone), 0.0);
    }
}
