//! Devices that run at another rate than they report. Their sound is complete, and neither their clock nor a loss
//! explains how much of it comes. Pure.

use std::collections::VecDeque;

use super::{FLOOR_SECONDS, SHORT_LOOK_SECONDS, heights::Floor, line::Line};
use crate::{
    audio::AudioFormat,
    capture::negotiate::USUAL_RATES,
    error::{Error, ErrorKind},
};

/// A rate that is further off than this, for this many seconds on end, is another rate, if it is a usual one within the
/// tolerance and the deliveries are this steady, as a part of what the device is behind or ahead.
const OTHER_RATE: f64 = 0.03;
const OTHER_RATE_SECONDS: f64 = 4.0;
const OTHER_RATE_TOLERANCE: f64 = 0.01;
const OTHER_RATE_SCATTER: f64 = 0.05;

/// Whether the device has run at another rate than it reports since it began, and at which one; `Some(None)` while it
/// looks like that and is not certain.
pub(super) fn found(rate: u32, open: &VecDeque<Floor>, begun: Floor, now: Floor) -> Option<Option<u32>> {
    let span = now.at - open.front()?.at;
    if span < SHORT_LOOK_SECONDS - 2.0 * FLOOR_SECONDS {
        return None;
    }
    let line = Line::through(open.iter().map(|floor| floor.point()));
    let slope = line.slope();
    let since_the_beginning = (now.late - begun.late) / (now.at - begun.at);
    let steady = line.scatter() < OTHER_RATE_SCATTER * slope.abs() * span
        && (since_the_beginning - slope).abs() < 0.1 * slope.abs();
    if slope.abs() < OTHER_RATE || !steady {
        return None;
    }
    if span < OTHER_RATE_SECONDS {
        return Some(None);
    }
    let measured = f64::from(rate) * (1.0 - slope);
    let usual = USUAL_RATES.into_iter().chain([rate / 2, rate.saturating_mul(2)]);
    let near = usual.min_by(|a, b| (f64::from(*a) - measured).abs().total_cmp(&(f64::from(*b) - measured).abs()))?;
    let off = (f64::from(near) - measured).abs() / f64::from(near.max(1));
    (near != rate && off < OTHER_RATE_TOLERANCE).then_some(Some(near))
}

/// The end of a device that runs at `rate` and reports that it runs in `format`: the recording does not have the rate
/// of the sound, and opening the device again gives the same.
pub(in crate::capture) fn other_rate(label: &str, format: AudioFormat, rate: u32) -> Error {
    let said = format.sample_rate;
    Error::new(
        ErrorKind::NotSupported,
        format!("{label} says that it runs at {said} Hz, and delivers {rate} frames a second"),
    )
}
