//! What a caller wants of a microphone, and how well a device meets it (Media Capture and Streams, § 11 "Constrainable
//! Pattern", § 4.3 "SelectSettings"). Pure: it looks at device descriptions, never at devices.

use crate::{
    audio::SampleFormat,
    capture::{DeviceInfo, OpenRequest},
    error::{Error, Result},
};
use std::time::Duration;

/// What is wanted of one property. The default wants nothing.
///
/// `exact`, `min` and `max` are required: a device that cannot meet them is out. `ideal` only prefers.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint<T> {
    /// Preferred value; never a reason to fail.
    pub ideal: Option<T>,
    /// Required value.
    pub exact: Option<T>,
    /// Smallest value allowed.
    pub min: Option<T>,
    /// Largest value allowed.
    pub max: Option<T>,
}

impl<T> Default for Constraint<T> {
    fn default() -> Self {
        Self { ideal: None, exact: None, min: None, max: None }
    }
}

impl<T> Constraint<T> {
    /// Prefers `value`.
    #[must_use]
    pub fn ideal(value: T) -> Self {
        Self { ideal: Some(value), ..Self::default() }
    }

    /// Requires `value`.
    #[must_use]
    pub fn exact(value: T) -> Self {
        Self { exact: Some(value), ..Self::default() }
    }

    /// Requires a value from `min` to `max`, both included.
    #[must_use]
    pub fn between(min: T, max: T) -> Self {
        Self { min: Some(min), max: Some(max), ..Self::default() }
    }

    /// Whether a device can be out because of it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.exact.is_some() || self.min.is_some() || self.max.is_some()
    }
}

impl<T: PartialOrd + Copy> Constraint<T> {
    /// Whether `value` meets every required part.
    fn allows(&self, value: T) -> bool {
        self.exact.is_none_or(|exact| exact == value)
            && self.min.is_none_or(|min| value >= min)
            && self.max.is_none_or(|max| value <= max)
    }
}

/// What is wanted of a microphone. The default takes any.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Constraints {
    /// The device, by the id that `enumerate_devices` tells.
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

/// A device that meets every required constraint, how it is to be opened, and how far it is from the ideal.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) device: DeviceInfo,
    pub(crate) request: OpenRequest,
    distance: f64,
}

/// The shortest and the longest buffer that can be asked of a device, in seconds.
const LATENCIES: (f64, f64) = (0.001, 10.0);

/// The fitness distance of a number, from 0 (meets the ideal or there is none) to 1.
fn distance(actual: f64, ideal: Option<f64>) -> f64 {
    match ideal {
        Some(ideal) if actual != ideal => (actual - ideal).abs() / actual.abs().max(ideal.abs()),
        _ => 0.0,
    }
}

/// The allowed value that comes nearest to the ideal, or to `own` if there is no ideal.
fn nearest<T: Copy + PartialOrd + Into<f64>>(constraint: &Constraint<T>, values: &[T], own: T) -> Option<T> {
    let goal: f64 = constraint.exact.or(constraint.ideal).unwrap_or(own).into();
    let far = |value: &T| ((*value).into() - goal).abs();
    values
        .iter()
        .copied()
        .filter(|value| constraint.allows(*value))
        .min_by(|left, right| far(left).total_cmp(&far(right)))
}

fn failed(name: &'static str, device: &DeviceInfo) -> Error {
    Error::overconstrained(name, format!("'{}' cannot meet the required {name}", device.label))
}

impl Constraints {
    /// Judges one device.
    ///
    /// # Errors
    /// `Overconstrained` with the name of the first required constraint that it cannot meet.
    fn judge(&self, device: &DeviceInfo) -> Result<Candidate> {
        if self.device_id.exact.as_ref().is_some_and(|id| *id != device.id) {
            return Err(failed("device_id", device));
        }
        let mut rates = device.sample_rates.clone();
        rates.push(device.format.sample_rate);
        let rate = nearest(&self.sample_rate, &rates, device.format.sample_rate)
            .ok_or_else(|| failed("sample_rate", device))?;
        let counts: Vec<u16> = (device.channels.0..=device.channels.1).collect();
        let count = nearest(&self.channel_count, &counts, device.format.channels)
            .ok_or_else(|| failed("channel_count", device))?;
        let size = nearest(&self.sample_size, &sample_sizes(device), device.format.sample_format.bits())
            .ok_or_else(|| failed("sample_size", device))?;
        let latency = self.reachable_latency().ok_or_else(|| failed("latency", device))?;
        let foreign = self.device_id.ideal.as_ref().is_some_and(|id| *id != device.id);
        let distance = f64::from(u8::from(foreign))
            + distance(rate.into(), self.sample_rate.ideal.map(Into::into))
            + distance(count.into(), self.channel_count.ideal.map(Into::into))
            + distance(size.into(), self.sample_size.ideal.map(Into::into));
        let request = OpenRequest {
            sample_rate: (self.sample_rate != Constraint::default()).then_some(rate),
            channels: (self.channel_count != Constraint::default()).then_some(count),
            exact: self.sample_rate.is_required() || self.channel_count.is_required(),
            latency,
        };
        Ok(Candidate { device: device.clone(), request, distance })
    }

    /// The latency to ask for: `Some(None)` if nothing is wanted, `None` if what is required cannot be had.
    fn reachable_latency(&self) -> Option<Option<Duration>> {
        let wanted = &self.latency;
        let goal = wanted.exact.or(wanted.ideal).or(wanted.max).or(wanted.min);
        let Some(goal) = goal else { return Some(None) };
        if goal.is_nan() {
            return None;
        }
        let reached = goal.clamp(LATENCIES.0, LATENCIES.1);
        wanted.allows(reached).then(|| Duration::try_from_secs_f64(reached).ok())
    }

    /// The devices that meet every required constraint, nearest to the ideal first, the system's default first among
    /// equals.
    ///
    /// # Errors
    /// `Overconstrained` if no device is left, with the constraint that the most fitting one failed at.
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

fn sample_sizes(device: &DeviceInfo) -> Vec<u16> {
    let parsed = device.sample_formats.iter().filter_map(|name| name.parse::<SampleFormat>().ok());
    let mut sizes: Vec<u16> = parsed.map(SampleFormat::bits).collect();
    sizes.push(device.format.sample_format.bits());
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audio::AudioFormat, capture::DeviceKind, error::ErrorKind};

    fn device(id: &str, rate: u32, channels: u16, is_default: bool) -> DeviceInfo {
        DeviceInfo {
            id: id.to_owned(),
            label: id.to_uppercase(),
            host: "test".to_owned(),
            kind: DeviceKind::Input,
            is_default,
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
    fn the_distance_is_that_of_the_standard() {
        assert!((distance(44_100.0, Some(48_000.0)) - 3_900.0 / 48_000.0).abs() < 1e-12);
        assert_eq!(distance(0.0, Some(0.0)), 0.0);
        assert_eq!(distance(5.0, None), 0.0);
    }
}
