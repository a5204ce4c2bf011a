//! What a caller requires of a microphone, and how well a device meets it (Media Capture and Streams, § 11
//! "Constrainable Pattern", § 4.3 "SelectSettings"). Pure: it uses device descriptions, never devices.

use crate::{
    audio::{AudioFormat, SampleFormat},
    capture::{DeviceInfo, OpenRequest},
    error::{Error, Result},
};
use std::time::Duration;

/// What is requested of one property. The default requests nothing.
///
/// What is exact or a limit is required: a device that cannot meet it is excluded. What is ideal is only preferred.
/// Only numbers have limits; an id has none.
///
/// ```
/// use dictaphone::media::Constraint;
///
/// assert!(Constraint::exact(48_000).is_required());
/// assert!(!Constraint::ideal(48_000).is_required());
/// let range = Constraint::between(1, 2);
/// assert!(range.is_required());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint<T> {
    ideal: Option<T>,
    exact: Option<T>,
    min: Option<T>,
    max: Option<T>,
}

impl<T> Default for Constraint<T> {
    fn default() -> Self {
        Self { ideal: None, exact: None, min: None, max: None }
    }
}

impl<T> Constraint<T> {
    /// Prefers `value`; never a reason to fail.
    #[must_use]
    pub fn ideal(value: T) -> Self {
        Self { ideal: Some(value), ..Self::default() }
    }

    /// Requires `value`.
    #[must_use]
    pub fn exact(value: T) -> Self {
        Self { exact: Some(value), ..Self::default() }
    }

    /// Whether it can exclude a device.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.exact.is_some() || self.min.is_some() || self.max.is_some()
    }

    /// The value that is required.
    pub(crate) fn required(&self) -> Option<&T> {
        self.exact.as_ref()
    }
}

impl<T: Copy + PartialOrd + Into<f64>> Constraint<T> {
    /// Requires a value from `min` to `max`, both included.
    #[must_use]
    pub fn between(min: T, max: T) -> Self {
        Self::default().min(min).max(max)
    }

    /// Requires `min` or more as well.
    #[must_use]
    pub fn min(self, min: T) -> Self {
        Self { min: Some(min), ..self }
    }

    /// Requires `max` or less as well.
    #[must_use]
    pub fn max(self, max: T) -> Self {
        Self { max: Some(max), ..self }
    }

    /// Whether `value` meets every required part.
    fn allows(&self, value: T) -> bool {
        self.exact.is_none_or(|exact| exact == value)
            && self.min.is_none_or(|min| value >= min)
            && self.max.is_none_or(|max| value <= max)
    }

    /// The allowed one of `values` that comes nearest to the ideal, or to `own` if there is no ideal.
    fn nearest(&self, values: &[T], own: T) -> Option<T> {
        let goal: f64 = self.exact.or(self.ideal).unwrap_or(own).into();
        let far = |value: &T| ((*value).into() - goal).abs();
        values
            .iter()
            .copied()
            .filter(|value| self.allows(*value))
            .min_by(|left, right| far(left).total_cmp(&far(right)))
    }
}

/// What is requested of a microphone. The default accepts any.
///
/// ```
/// use dictaphone::media::{Constraint, Constraints};
///
/// // Fails unless it has two channels; takes another rate if it has no 48 kHz.
/// let stereo = Constraints::default().channel_count(Constraint::exact(2)).sample_rate(Constraint::ideal(48_000));
/// assert!(stereo.channel_count.is_required() && !stereo.sample_rate.is_required());
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Constraints {
    /// The device, by its id in `enumerate_devices`.
    pub device_id: Constraint<String>,
    /// Frames a second, in hertz.
    pub sample_rate: Constraint<u32>,
    /// Channels.
    pub channel_count: Constraint<u16>,
    /// Bits of one sample.
    pub sample_size: Constraint<u16>,
    /// Seconds from capture to delivery.
    pub latency: Constraint<f64>,
}

setters! { Constraints:
    device_id: Constraint<String>,
    sample_rate: Constraint<u32>,
    channel_count: Constraint<u16>,
    sample_size: Constraint<u16>,
    latency: Constraint<f64>,
}

/// A device that meets every required constraint, how it is to be opened, and how far it is from the ideal.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) device: DeviceInfo,
    pub(crate) request: OpenRequest,
    distance: f64,
}

/// The shortest and the longest buffer that can be requested of a device, in seconds.
pub(crate) const LATENCIES: (f64, f64) = (0.001, 10.0);

/// The fitness distance of a number, from 0 (meets the ideal or there is none) to 1.
fn distance(actual: f64, ideal: Option<f64>) -> f64 {
    match ideal {
        Some(ideal) if actual != ideal => (actual - ideal).abs() / actual.abs().max(ideal.abs()),
        _ => 0.0,
    }
}

fn failed(name: &'static str, device: &DeviceInfo) -> Error {
    Error::overconstrained(name, format!("'{}' cannot meet the required {name}", device.label))
}

impl Constraints {
    /// Evaluates one device by the format in which it would be opened.
    ///
    /// # Errors
    /// `Overconstrained` with the name of the first required constraint that it cannot meet.
    fn judge(&self, device: &DeviceInfo) -> Result<Candidate> {
        if self.device_id.exact.as_ref().is_some_and(|id| *id != device.id) {
            return Err(failed("device_id", device));
        }
        let own = device.format;
        let mut rates = device.sample_rates.clone();
        rates.push(own.sample_rate);
        let rate = self.sample_rate.nearest(&rates, own.sample_rate).ok_or_else(|| failed("sample_rate", device))?;
        let counts: Vec<u16> = (device.channels.0..=device.channels.1).collect();
        let count = self.channel_count.nearest(&counts, own.channels).ok_or_else(|| failed("channel_count", device))?;
        let size = self.sample_size.nearest(&sample_sizes(device), own.sample_format.bits());
        let size = size.ok_or_else(|| failed("sample_size", device))?;
        let latency = self.reachable_latency().ok_or_else(|| failed("latency", device))?;
        let required =
            self.sample_rate.is_required() || self.channel_count.is_required() || self.sample_size.is_required();
        let request = OpenRequest {
            sample_rate: (self.sample_rate != Constraint::default()).then_some(rate),
            channels: (self.channel_count != Constraint::default()).then_some(count),
            sample_size: (self.sample_size != Constraint::default()).then_some(size),
            exact: required,
            latency,
        };
        // A device that only converts is opened in its own format, as long as nothing is required of it.
        let opened = match device.converts && !required {
            true => (own.sample_rate, own.channels, own.sample_format.bits()),
            false => (rate, count, size),
        };
        Ok(Candidate { device: device.clone(), request, distance: self.distance(&device.id, opened) })
    }

    /// The distance from the ideal of a device of that id, opened with that rate, that many channels and that sample
    /// size.
    fn distance(&self, id: &str, (rate, channels, size): (u32, u16, u16)) -> f64 {
        let foreign = self.device_id.ideal.as_ref().is_some_and(|ideal| ideal != id);
        f64::from(u8::from(foreign))
            + distance(rate.into(), self.sample_rate.ideal.map(Into::into))
            + distance(channels.into(), self.channel_count.ideal.map(Into::into))
            + distance(size.into(), self.sample_size.ideal.map(Into::into))
    }

    /// The latency to request: `Some(None)` if none is requested, `None` if a required one is impossible.
    fn reachable_latency(&self) -> Option<Option<Duration>> {
        let wanted = &self.latency;
        let ideal = wanted.ideal.filter(|ideal| !ideal.is_nan());
        let Some(goal) = wanted.exact.or(ideal).or(wanted.max).or(wanted.min) else { return Some(None) };
        let (shortest, longest) = LATENCIES;
        // A limit that is NaN is ignored here, and allows nothing.
        let reached = goal.min(wanted.max.unwrap_or(longest)).max(wanted.min.unwrap_or(shortest));
        let reached = reached.max(shortest).min(longest);
        wanted.allows(reached).then(|| Duration::try_from_secs_f64(reached).ok())
    }

    /// Checks that an open device meets what is required.
    ///
    /// # Errors
    /// `Overconstrained` with the name of the first required constraint that is not met.
    pub(crate) fn check(&self, device: &DeviceInfo, format: AudioFormat, latency: Option<Duration>) -> Result<()> {
        let met = [
            ("sample_rate", self.sample_rate.allows(format.sample_rate)),
            ("channel_count", self.channel_count.allows(format.channels)),
            ("sample_size", self.sample_size.allows(format.sample_format.bits())),
            ("latency", self.allows_latency(latency.unwrap_or_default(), format.sample_rate)),
        ];
        match met.into_iter().find(|(_, met)| !met) {
            Some((name, _)) => {
                Err(Error::overconstrained(name, format!("'{}' does not keep the required {name}", device.label)))
            }
            None => Ok(()),
        }
    }

    /// A buffer is a whole number of frames, and meets a limit that falls between two.
    fn allows_latency(&self, latency: Duration, rate: u32) -> bool {
        let frames = |seconds: f64| (seconds * f64::from(rate)).round();
        let Constraint { exact, min, max, .. } = self.latency;
        let wanted = Constraint { ideal: None, exact: exact.map(frames), min: min.map(frames), max: max.map(frames) };
        wanted.allows(frames(latency.as_secs_f64()))
    }

    /// The devices that meet every required constraint, nearest to the ideal first, the system's default first among
    /// equals.
    ///
    /// # Errors
    /// `Overconstrained` if no device is left, with the constraint that the best-fitting one failed.
    pub(crate) fn select(&self, devices: &[DeviceInfo]) -> Result<Vec<Candidate>> {
        let (mut candidates, mut failure) = (Vec::new(), None);
        for device in devices {
            match self.judge(device) {
                Ok(candidate) => candidates.push(candidate),
                // A device that only fails later on the list of constraints fits better than one that fails earlier.
                Err(error) if failure.is_none() || error.constraint() != Some("device_id") => failure = Some(error),
                Err(_) => {}
            }
        }
        match failure {
            Some(error) if candidates.is_empty() => Err(error),
            _ => {
                candidates.sort_by(|left, right| {
                    let order = left.distance.total_cmp(&right.distance);
                    order.then(right.device.is_default.cmp(&left.device.is_default))
                });
                Ok(candidates)
            }
        }
    }
}

/// Bits of one sample that the device delivers.
pub(crate) fn sample_sizes(device: &DeviceInfo) -> Vec<u16> {
    let parsed = device.sample_formats.iter().filter_map(|name| name.parse::<SampleFormat>().ok());
    let mut sizes: Vec<u16> = parsed.map(SampleFormat::bits).collect();
    sizes.push(device.format.sample_format.bits());
    sizes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{capture::DeviceKind, error::ErrorKind};

    fn device(id: &str, rate: u32, channels: u16, is_default: bool) -> DeviceInfo {
        DeviceInfo {
            id: id.to_owned(),
            label: id.to_uppercase(),
            host: "test".to_owned(),
            kind: DeviceKind::Input,
            is_default,
            is_monitor: false,
            converts: false,
            format: AudioFormat::new(rate, channels, SampleFormat::S16),
            channels: (channels, channels),
            sample_rates: vec![rate],
            sample_formats: vec!["s16".to_owned()],
        }
    }

    fn order(constraints: &Constraints, devices: &[DeviceInfo]) -> Vec<String> {
        constraints.select(devices).unwrap().into_iter().map(|candidate| candidate.device.id).collect()
    }

    fn shelf() -> [DeviceInfo; 3] {
        [device("a", 44_100, 2, false), device("b", 48_000, 1, true), device("c", 96_000, 2, false)]
    }

    #[test]
    fn the_default_device_wins_among_equals() {
        assert_eq!(order(&Constraints::default(), &shelf()), ["b", "a", "c"]);
    }

    #[test]
    fn an_ideal_prefers_and_never_fails() {
        let constraints = Constraints { sample_rate: Constraint::ideal(90_000), ..Constraints::default() };
        assert_eq!(order(&constraints, &shelf()), ["c", "b", "a"]);
        let constraints = Constraints { device_id: Constraint::ideal("c".into()), ..Constraints::default() };
        assert_eq!(order(&constraints, &shelf()), ["c", "b", "a"]);
    }

    #[test]
    fn a_device_has_its_own_rate_also_where_it_lists_none() {
        let unlisted = DeviceInfo { sample_rates: Vec::new(), ..device("a", 44_100, 1, true) };
        let constraints = Constraints { sample_rate: Constraint::exact(44_100), ..Constraints::default() };
        assert_eq!(order(&constraints, &[unlisted]), ["a"]);
    }

    #[test]
    fn required_constraints_leave_only_what_meets_them() {
        let constraints = Constraints { channel_count: Constraint::exact(2), ..Constraints::default() };
        assert_eq!(order(&constraints, &shelf()), ["a", "c"]);
        let constraints = Constraints { sample_rate: Constraint::between(45_000, 50_000), ..Constraints::default() };
        assert_eq!(order(&constraints, &shelf()), ["b"]);
    }

    #[test]
    fn a_failure_names_its_constraint() {
        let any = Constraints::default;
        let cases = [
            (Constraints { device_id: Constraint::exact("x".into()), ..any() }, "device_id"),
            (Constraints { sample_rate: Constraint::exact(7), ..any() }, "sample_rate"),
            (Constraints { channel_count: Constraint::between(3, 9), ..any() }, "channel_count"),
            (Constraints { sample_size: Constraint::exact(24), ..any() }, "sample_size"),
            (Constraints { latency: Constraint::exact(0.0), ..any() }, "latency"),
            (Constraints { latency: Constraint::exact(f64::NAN), ..any() }, "latency"),
            (
                Constraints { device_id: Constraint::exact("a".into()), sample_rate: Constraint::exact(7), ..any() },
                "sample_rate",
            ),
        ];
        for (constraints, name) in cases {
            let error = constraints.select(&shelf()).unwrap_err();
            assert_eq!((error.kind(), error.constraint()), (ErrorKind::Overconstrained, Some(name)));
        }
    }

    #[test]
    fn an_ideal_latency_never_fails() {
        let (ideal, none) = (Constraint::<f64>::ideal, f64::NAN);
        for (latency, asked) in [
            (ideal(0.02), Some(0.02)),
            (ideal(0.01).min(0.05), Some(0.05)),
            (ideal(0.5).max(0.05), Some(0.05)),
            (ideal(0.5).min(0.1).max(1.0), Some(0.5)),
            (ideal(none), None),
            (ideal(none).max(0.05), Some(0.05)),
            (ideal(-1.0), Some(LATENCIES.0)),
            (ideal(f64::INFINITY), Some(LATENCIES.1)),
            (ideal(f64::NEG_INFINITY), Some(LATENCIES.0)),
            (Constraint::default(), None),
        ] {
            let constraints = Constraints { latency: latency.clone(), ..Constraints::default() };
            let chosen = constraints.select(&shelf()).unwrap().remove(0);
            assert_eq!(chosen.request.latency.map(|latency| latency.as_secs_f64()), asked, "{latency:?}");
        }
    }

    #[test]
    fn a_required_latency_that_nothing_can_have_fails() {
        for latency in [
            Constraint::between(0.2, 0.1),
            Constraint::default().min(11.0),
            Constraint::default().max(0.0),
            Constraint::default().min(f64::NAN),
            Constraint::ideal(0.1).max(f64::NAN),
            Constraint::exact(0.02).min(0.1),
        ] {
            let constraints = Constraints { latency: latency.clone(), ..Constraints::default() };
            assert_eq!(constraints.select(&shelf()).unwrap_err().constraint(), Some("latency"), "{latency:?}");
        }
    }

    proptest! {
        #[test]
        fn a_latency_that_is_asked_for_is_allowed_and_nearest_to_the_ideal(
            ideal in proptest::num::f64::ANY,
            limits in (0.001..10.0, 0.001..10.0),
        ) {
            let (min, max): (f64, f64) = limits;
            let latency = Constraint::ideal(ideal).min(min.min(max)).max(min.max(max));
            let constraints = Constraints { latency: latency.clone(), ..Constraints::default() };
            let asked = constraints.reachable_latency().unwrap().unwrap().as_secs_f64();
            let expected = if ideal.is_nan() { min.max(max) } else { ideal.clamp(min.min(max), min.max(max)) };
            prop_assert!((asked - expected).abs() < 1e-8, "{asked} instead of {expected}");
        }
    }

    #[test]
    fn a_server_is_judged_by_the_format_that_it_would_be_opened_in() {
        let server = DeviceInfo {
            converts: true,
            channels: (1, 32),
            sample_rates: vec![44_100, 48_000],
            sample_formats: ["s16", "s24", "f32"].map(str::to_owned).to_vec(),
            ..device("server", 48_000, 2, true)
        };
        let devices = [server.clone(), device("card", 44_100, 2, false)];
        // It would be opened at 48 kHz, so that the sound card is nearer.
        let ideal = Constraints { sample_rate: Constraint::ideal(44_100), ..Constraints::default() };
        assert_eq!(order(&ideal, &devices), ["card", "server"]);
        // It converts to what is required.
        let exact = Constraints { sample_rate: Constraint::exact(44_100), ..Constraints::default() };
        assert_eq!(order(&exact, &devices), ["server", "card"]);
        let exact = Constraints { sample_size: Constraint::exact(24), ..Constraints::default() };
        let chosen = exact.select(&devices).unwrap().remove(0).request;
        assert_eq!((chosen.sample_size, chosen.exact, chosen.sample_rate), (Some(24), true, None));
    }

    #[test]
    fn what_was_opened_is_checked_against_everything_that_is_required() {
        let any = Constraints::default;
        let cases = [
            (any(), None),
            (Constraints { sample_rate: Constraint::ideal(7), latency: Constraint::ideal(7.0), ..any() }, None),
            (Constraints { sample_rate: Constraint::exact(44_100), ..any() }, Some("sample_rate")),
            (Constraints { channel_count: Constraint::default().min(3), ..any() }, Some("channel_count")),
            (Constraints { sample_size: Constraint::exact(16), ..any() }, None),
            (Constraints { sample_size: Constraint::exact(24), ..any() }, Some("sample_size")),
            (Constraints { latency: Constraint::exact(0.02), ..any() }, Some("latency")),
            (Constraints { latency: Constraint::exact(0.1), ..any() }, None),
            // A third of a frame off.
            (Constraints { latency: Constraint::exact(0.1 + 1.0 / 144_000.0), ..any() }, None),
            (Constraints { latency: Constraint::exact(0.1 + 1.0 / 48_000.0), ..any() }, Some("latency")),
        ];
        let opened = AudioFormat::new(48_000, 2, SampleFormat::S16);
        for (constraints, name) in cases {
            let outcome = constraints.check(&device("a", 48_000, 2, true), opened, Some(Duration::from_millis(100)));
            assert_eq!(outcome.err().and_then(|error| error.constraint()), name, "{constraints:?}");
        }
        let at_once = Constraints { latency: Constraint::default().max(0.1), ..any() };
        assert!(
            at_once.check(&device("a", 48_000, 2, true), opened, None).is_ok(),
            "without a buffer there is no wait"
        );
    }

    #[test]
    fn the_distance_is_that_of_the_standard() {
        assert!((distance(44_100.0, Some(48_000.0)) - 3_900.0 / 48_000.0).abs() < 1e-12);
        assert_eq!(distance(0.0, Some(0.0)), 0.0);
        assert_eq!(distance(5.0, None), 0.0);
    }
}
