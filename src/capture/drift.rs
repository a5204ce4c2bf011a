//! Finding frames that were lost on their way to the callback, and the true rate of the device: the frames that came are
//! counted against a clock.
//!
//! Some sound systems drop sound without reporting it. What is missing shows as lateness: by the clock more frames
//! should have come. Most lateness is no loss: a busy machine delivers late and then all at once, and no device runs at
//! exactly the rate that it reports (up to half a percent off was seen). So only the *smallest* lateness of each
//! quarter of a second counts, its floor, which late delivery does not raise. A straight line through the floors of the
//! last half minute, by least squares, is the part that the device's own clock causes; it follows when that slowly
//! changes. (The usual filter for such clocks is the delay-locked loop of F. Adriaensen, "Using a DLL to filter time",
//! LAC 2005. It treats every delivery as equally good and needs its bandwidth set; here late ones are worthless, and
//! the aim is to find steps, which a line on either side of them measures better.)
//!
//! A step of the floors off that line, which stays, is a loss. Two looks are taken: a short one finds large losses soon, a
//! long one finds smaller ones, because what stays for so long is no jitter, however busy the machine is. As long as the
//! lateness still becomes smaller, as when what was held up arrives bit by bit, nothing is judged, nor after a break
//! before a whole window has passed without another one.
//!
//! Losses shorter than the threshold are not found. The place of a loss is known to about the length of the window. A
//! rate that is far from the nominal one is neither clock nor loss, and is reported as another rate. Pure; it is called
//! by the reading thread.

mod heights;
mod line;
mod other_rate;
mod slope;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use self::{
    heights::{Floor, catches_up, low, lowest, lowest_of, spread},
    line::Line,
    slope::CLOCK_ERROR_MAX,
};

pub(super) use self::other_rate::other_rate;

/// The length of time for which one floor is kept, in seconds.
const FLOOR_SECONDS: f64 = 0.25;
/// A step of more than this is found by the short look, after the time below, in seconds.
const SHORT_LOOK_STEP_SECONDS: f64 = 0.150;
const SHORT_LOOK_SECONDS: f64 = 1.0;
/// A step of more than this is found by the long look, after the time below, in seconds.
const LONG_LOOK_STEP_SECONDS: f64 = 0.040;
const LONG_LOOK_SECONDS: f64 = 6.0;
/// The line goes through the floors of this many seconds, the latest ones.
const LINE_SECONDS: f64 = 30.0;
/// The lowest of this many floors is settled, and this many settled ones determine the current height of the line.
const FLOORS_PER_SETTLED: usize = 4;
const SETTLED_PER_HEIGHT: usize = 8;
/// How many single floors the scatter of deliveries is measured over.
const SCATTER_FLOORS: usize = 100;
/// The first deliveries of a device are ignored for this long; the line begins from what follows for the time below, in
/// seconds.
const UNSTEADY_SECONDS: f64 = 0.5;
const BEGINNING_SECONDS: f64 = 3.0;
/// Callbacks further apart than this are a break.
const CALLBACK_GAP_MAX: Duration = Duration::from_millis(300);
/// Floors further off the line carry no information about the clock, in seconds.
const FLOOR_ERROR_MAX_SECONDS: f64 = 0.020;
/// If all floors of the long look are lower than this, the line was too high, in seconds.
const HEIGHT_ERROR_MAX_SECONDS: f64 = 0.010;
/// How many floors in a row that would be settled may be off before the line is taken to be wrong.
const OFF_IN_A_ROW_MAX: u32 = 2;
/// How exactly a delivery can be timed at best, in seconds.
const DELIVERY_ERROR_MIN_SECONDS: f64 = 0.001;
/// The rate of the device is known when its standard error is below this, as a part of it, and after the time below, in
/// seconds.
const RATE_ERROR_MAX: f64 = 100e-6;
const RATE_SECONDS_MIN: f64 = 10.0;

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// This many frames were lost before it.
    Lost(u64),
    /// The device runs at this many frames a second, which is another rate than it reports.
    OtherRate(u32),
}

/// The lateness that the clock of the device accounts for, at every moment.
#[derive(Debug, Clone, Copy)]
struct Expected {
    height: f64,
    slope: f64,
    /// How far the slope may be off.
    doubt: f64,
    /// Where it was known last, in seconds.
    until: f64,
}

impl Expected {
    /// How much later than expected a floor is.
    fn above(&self, floor: Floor) -> f64 {
        floor.height(self.slope) - self.height
    }

    /// How much of that the doubt about the slope may account for.
    fn doubt_at(&self, at: f64) -> f64 {
        self.doubt * (at - self.until).max(0.0)
    }
}

/// Watches one stream. Positions are in frames, times in nanoseconds of a monotonic clock.
#[derive(Debug)]
pub(crate) struct LossWatch {
    rate: u32,
    longest_pause: f64,
    short: f64,
    long: f64,
    /// The shortest loss that the short look finds, in seconds.
    coarse: f64,
    /// When the first callback came, and the last one.
    first: Option<u64>,
    last: Option<u64>,
    /// Since when there was no break, in seconds.
    unbroken: f64,
    bucket: Option<(u64, Floor)>,
    /// The first floor of all.
    begun: Option<Floor>,
    /// Floors that are no step, the oldest in front.
    settled: VecDeque<Floor>,
    /// Later ones, about which nothing is certain yet.
    open: VecDeque<Floor>,
    /// How high above the line the latest floors were that are not open any more.
    left: VecDeque<f64>,
    /// Those among which the next one to be settled is chosen.
    leaving: Vec<Floor>,
    /// How many of these were too far off, in a row.
    left_out: u32,
    /// Through everything that was ever settled.
    whole: Line,
    /// Frames that were found to be lost.
    found: u64,
}

impl LossWatch {
    /// A watch over a stream of `rate` frames a second with buffers of that length.
    pub(crate) fn new(rate: u32, latency: Duration) -> Self {
        let buffer = latency.as_secs_f64();
        Self {
            rate: rate.max(1),
            longest_pause: CALLBACK_GAP_MAX.max(latency * 3).as_secs_f64(),
            short: SHORT_LOOK_SECONDS.max(buffer * 4.0),
            long: LONG_LOOK_SECONDS.max(buffer * 4.0),
            coarse: SHORT_LOOK_STEP_SECONDS.max(buffer / 2.0),
            first: None,
            last: None,
            unbroken: 0.0,
            bucket: None,
            begun: None,
            settled: VecDeque::new(),
            open: VecDeque::new(),
            left: VecDeque::new(),
            leaving: Vec::new(),
            left_out: 0,
            whole: Line::default(),
            found: 0,
        }
    }

    /// The frames that the device really delivers in a second of the system's clock; `None` while that is not well
    /// known.
    pub(crate) fn device_rate(&self) -> Option<f64> {
        let now = self.open.back()?.at;
        let expected = self.expected()?;
        let mut line = self.whole;
        for floor in self.open.iter().filter(|floor| expected.above(**floor).abs() < FLOOR_ERROR_MAX_SECONDS) {
            line.add(floor.at, floor.late);
        }
        let known = now >= RATE_SECONDS_MIN && line.slope_error(DELIVERY_ERROR_MIN_SECONDS) < RATE_ERROR_MAX;
        known.then(|| f64::from(self.rate) * (1.0 - line.slope()))
    }

    /// Records that a callback came at `now`, after which `frames` frames had come in all.
    pub(crate) fn look(&mut self, now: u64, frames: u64) -> Option<Finding> {
        let first = *self.first.get_or_insert(now);
        if self.last.is_some_and(|last| now <= last) {
            return None;
        }
        let before = self.last.replace(now);
        let floor = self.floor(first, now, frames);
        if before.is_some_and(|before| now.saturating_sub(before) as f64 / 1e9 > self.longest_pause) {
            self.break_off(floor.at);
        }
        let number = (floor.at / FLOOR_SECONDS) as u64;
        match &mut self.bucket {
            Some((current, lowest)) if *current == number => {
                if floor.late < lowest.late {
                    *lowest = floor;
                }
                None
            }
            bucket => {
                let full = bucket.replace((number, floor))?;
                self.judge(full.1)
            }
        }
    }

    /// Records that at `now` this many frames are known to be missing, and were reported.
    #[cfg(any(test, target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
    pub(super) fn note_missing(&mut self, now: u64, frames: u64) {
        self.found += frames;
        if let Some(first) = self.first {
            self.break_off(now.saturating_sub(first) as f64 / 1e9);
        }
    }

    fn frames_in(&self, seconds: f64) -> u64 {
        (seconds * f64::from(self.rate)).round() as u64
    }

    fn floor(&self, first: u64, now: u64, frames: u64) -> Floor {
        let at = now.saturating_sub(first) as f64 / 1e9;
        Floor { at, late: at - (frames + self.found) as f64 / f64::from(self.rate) }
    }

    /// What follows is compared with what was settled before.
    fn break_off(&mut self, at: f64) {
        self.unbroken = at;
        self.bucket = None;
        self.open.clear();
        self.leaving.clear();
    }

    /// What follows from one more floor.
    fn judge(&mut self, floor: Floor) -> Option<Finding> {
        let begun = *self.begun.get_or_insert(floor);
        if floor.at - begun.at < UNSTEADY_SECONDS {
            return None;
        }
        self.open.push_back(floor);
        if self.settled.is_empty() {
            if floor.at - self.unbroken >= (UNSTEADY_SECONDS + BEGINNING_SECONDS).max(self.short) {
                let open: Vec<Floor> = self.open.drain(..).collect();
                open.chunks(FLOORS_PER_SETTLED).for_each(|group| self.settle(lowest_of(group)));
            }
            return None;
        }
        let expected = self.expected()?;
        match other_rate::found(self.rate, &self.open, begun, floor) {
            Some(Some(rate)) => return Some(Finding::OtherRate(rate)),
            // It will be known in a moment.
            Some(None) => return None,
            None => {}
        }
        let lost = self.look_shortly(&expected, floor.at).or_else(|| self.look_long(&expected, floor.at))?;
        Some(Finding::Lost(lost))
    }

    /// The lateness that the settled floors predict; a slope that is unlikely for a clock only as far as it is well
    /// measured.
    fn expected(&self) -> Option<Expected> {
        let until = self.settled.back()?.at;
        let line = Line::through(self.settled.iter().map(|floor| floor.point()));
        let (slope, error) = slope::weighed(line.slope(), line.slope_error(DELIVERY_ERROR_MIN_SECONDS));
        let recent = self.settled.iter().rev().take(SETTLED_PER_HEIGHT);
        let height = low(recent.map(|floor| floor.height(slope)));
        Some(Expected { height, slope, doubt: (3.0 * error).min(CLOCK_ERROR_MAX), until })
    }

    /// How much the settled floors scatter, except for the outermost.
    fn scatter(&self, expected: &Expected) -> f64 {
        spread(self.settled.iter().map(|floor| expected.above(*floor)))
    }

    /// Before which of the open floors the step is. They may all be higher than was expected, and the first ones only
    /// by chance: they are cut in two where both parts differ least from their own heights.
    fn edge(&self, expected: &Expected) -> usize {
        let before: Vec<f64> =
            self.settled.iter().rev().take(SETTLED_PER_HEIGHT).map(|floor| expected.above(*floor)).collect();
        let open: Vec<f64> = self.open.iter().map(|floor| expected.above(*floor)).collect();
        let squares = |heights: &[f64]| Line::through(heights.iter().map(|height| (0.0, *height))).squares();
        let cost = |at: usize| {
            let (left, right) = open.split_at(at);
            squares(&[&before, left].concat()) + squares(right)
        };
        let cuts = 0..=open.len() / 3;
        cuts.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(0)
    }

    /// Large losses.
    fn look_shortly(&mut self, expected: &Expected, now: f64) -> Option<u64> {
        if self.open.front()?.at > now - self.short + FLOOR_SECONDS {
            return None;
        }
        let recent: Vec<f64> =
            self.open.iter().filter(|floor| floor.at > now - self.short).map(|floor| expected.above(*floor)).collect();
        let threshold = self.coarse + expected.doubt_at(now);
        let step = lowest(&recent);
        if recent.len() < 2 || step <= threshold || catches_up(&recent, threshold) {
            return None;
        }
        let before = self.open.iter().rposition(|floor| expected.above(*floor) < step / 2.0);
        self.forgive(before.map_or(0, |last| last + 1), self.coarse)
    }

    /// Small ones.
    fn look_long(&mut self, expected: &Expected, now: f64) -> Option<u64> {
        let front = *self.open.front()?;
        if front.at > now - self.long {
            return None;
        }
        let above: Vec<f64> = self.open.iter().map(|floor| expected.above(*floor)).collect();
        let scatter = spread(self.left.iter().copied()).max(2.0 * self.scatter(expected));
        let threshold = LONG_LOOK_STEP_SECONDS.max(scatter) + expected.doubt_at(now);
        let step = lowest(&above);
        let highest = above.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let is_loss = step > threshold && !catches_up(&above, threshold);
        if is_loss && let Some(lost) = self.forgive(self.edge(expected), LONG_LOOK_STEP_SECONDS.max(scatter)) {
            return Some(lost);
        }
        if highest < -HEIGHT_ERROR_MAX_SECONDS {
            self.shift(highest);
        }
        self.open.pop_front();
        if !is_loss && step <= threshold {
            self.left.push_back(expected.above(front));
            if self.left.len() > SCATTER_FLOORS {
                self.left.pop_front();
            }
        }
        self.leaving.push(front);
        if self.leaving.len() == FLOORS_PER_SETTLED {
            let floor = lowest_of(&self.leaving);
            self.leaving.clear();
            let off = expected.above(floor).abs();
            // What looks like a step and is none shows that the slope was wrong, and so does a small error that lasts.
            let agrees = off < FLOOR_ERROR_MAX_SECONDS.max(scatter) + expected.doubt_at(floor.at);
            let was_wrong =
                is_loss || (step <= threshold && self.left_out >= OFF_IN_A_ROW_MAX && off < 2.0 * threshold);
            self.left_out = if agrees || was_wrong { 0 } else { self.left_out + 1 };
            if agrees || was_wrong {
                self.settle(floor);
            }
        }
        None
    }

    fn settle(&mut self, floor: Floor) {
        self.whole.add(floor.at, floor.late);
        self.settled.push_back(floor);
        while self.settled.front().is_some_and(|oldest| oldest.at < floor.at - LINE_SECONDS) {
            self.settled.pop_front();
        }
    }

    /// Corrects the height of the settled floors.
    fn shift(&mut self, by: f64) {
        self.settled.iter_mut().for_each(|floor| floor.late += by);
        self.whole.lift(by);
    }

    /// Measures the step in front of the open floor `from`; if it is a loss of at least `least` seconds, subtracts it
    /// from what follows.
    fn forgive(&mut self, from: usize, least: f64) -> Option<u64> {
        let (ahead, behind) = (self.open.iter().take(from).copied(), self.open.iter().skip(from).copied());
        let (ahead, mut behind): (Vec<Floor>, Vec<Floor>) = (ahead.collect(), behind.collect());
        if behind.len() > FLOORS_PER_SETTLED {
            // It may lie in the middle of the loss.
            behind.remove(0);
        }
        let mut before: Vec<Floor> = self.settled.iter().copied().collect();
        before.extend(ahead.chunks(FLOORS_PER_SETTLED).map(lowest_of));
        let after: Vec<Floor> = behind.chunks(FLOORS_PER_SETTLED).map(lowest_of).collect();
        let slope = slope::shared(&before, &after);
        let height = |floor: &Floor| floor.height(slope);
        let (left, right) =
            (low(before.iter().rev().take(SETTLED_PER_HEIGHT).map(height)), low(after.iter().map(height)));
        if right - left < least {
            return None;
        }
        let lost = self.frames_in(right - left);
        let seconds = lost as f64 / f64::from(self.rate);
        self.open.iter_mut().skip(from).for_each(|floor| floor.late -= seconds);
        self.bucket = None;
        self.found += lost;
        Some(lost)
    }
}
