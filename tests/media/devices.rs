//! What get_user_media gives and refuses, in the order of the rules.

use std::sync::Arc;

use dictaphone::{
    Error, ErrorKind, Result,
    audio::{AudioFormat, SampleFormat},
    capture::{Backend, CaptureStream, DeviceInfo, DeviceKind, OpenRequest, PushSource},
    media::{Constraint, Constraints, MediaDevices},
};

/// A microphone that does not open.
struct Broken(PushSource, ErrorKind);

impl Backend for Broken {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        self.0.devices()
    }

    fn default_input(&self) -> Option<DeviceInfo> {
        self.0.default_input()
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        self.0.find(id)
    }

    fn open(&self, _id: &str, _request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        Err(Error::new(self.1, "it does not open"))
    }
}

fn microphone(name: &str, rate: u32) -> PushSource {
    PushSource::new(name, AudioFormat::new(rate, 1, SampleFormat::F32))
}

fn broken(name: &str, kind: ErrorKind) -> Arc<dyn Backend> {
    Arc::new(Broken(microphone(name, 48_000), kind))
}

fn refusal(backends: Vec<Arc<dyn Backend>>, constraints: &Constraints) -> Error {
    MediaDevices::with_backends(backends).get_user_media(constraints).unwrap_err()
}

#[test]
fn without_an_input_device_it_is_not_found() {
    let error = refusal(Vec::new(), &Constraints::default());
    assert_eq!(error.name(), "NotFoundError");
    let impossible = Constraints { sample_rate: Constraint::exact(7), ..Constraints::default() };
    assert_eq!(refusal(Vec::new(), &impossible).name(), "NotFoundError", "comes before constraints");
}

#[test]
fn a_required_constraint_that_nothing_meets_is_named() {
    let constraints = Constraints { sample_rate: Constraint::exact(7), ..Constraints::default() };
    let error = refusal(vec![Arc::new(microphone("a", 48_000))], &constraints);
    assert_eq!((error.name(), error.constraint()), ("OverconstrainedError", Some("sample_rate")));
    let unknown = Constraints { device_id: Constraint::exact("push:x".to_owned()), ..Constraints::default() };
    let error = refusal(vec![Arc::new(microphone("a", 48_000))], &unknown);
    assert_eq!((error.name(), error.constraint()), ("OverconstrainedError", Some("device_id")));
}

#[test]
fn denied_access_is_not_allowed_and_no_other_device_is_tried() {
    let second = microphone("second", 48_000);
    let error = refusal(
        vec![broken("first", ErrorKind::NotAllowed), Arc::new(second.clone())],
        &Constraints { sample_rate: Constraint::ideal(48_000), ..Constraints::default() },
    );
    assert_eq!(error.name(), "NotAllowedError");
    assert!(!second.is_open());
}

#[test]
fn a_device_that_does_not_open_gives_way_to_the_next() {
    let second = microphone("second", 48_000);
    let devices = MediaDevices::with_backends(vec![broken("first", ErrorKind::NotReadable), Arc::new(second.clone())]);
    let stream = devices.get_user_media(&Constraints::default()).unwrap();
    assert_eq!(stream.tracks()[0].label(), "second");
}

#[test]
fn when_no_device_opens_it_is_not_readable_or_aborted() {
    for (kind, name) in [(ErrorKind::NotReadable, "NotReadableError"), (ErrorKind::Abort, "AbortError")] {
        assert_eq!(refusal(vec![broken("first", kind)], &Constraints::default()).name(), name);
    }
}

#[test]
fn the_device_that_fits_best_is_opened() {
    let (low, high) = (microphone("low", 16_000), microphone("high", 96_000));
    let devices = MediaDevices::with_backends(vec![Arc::new(low.clone()), Arc::new(high.clone())]);
    let constraints = Constraints { sample_rate: Constraint::ideal(88_200), ..Constraints::default() };
    let stream = devices.get_user_media(&constraints).unwrap();
    assert_eq!(stream.tracks()[0].label(), "high");
    assert!(high.is_open() && !low.is_open());
    assert_eq!(stream.tracks().len(), 1);
}

#[test]
fn devices_are_listed_with_the_default_first() {
    let devices = MediaDevices::with_backends(vec![
        Arc::new(microphone("first", 48_000)),
        Arc::new(microphone("second", 48_000)),
    ]);
    let list = devices.enumerate_devices().unwrap();
    let listed: Vec<_> = list.iter().map(|device| (device.id.as_str(), device.kind, device.is_default)).collect();
    assert_eq!(listed, [("push:first", DeviceKind::Input, true), ("push:second", DeviceKind::Input, false)]);
}

#[test]
fn generators_are_found_by_id_but_not_listed() {
    let devices = MediaDevices::new();
    assert!(devices.find("tone:440").is_some());
    let constraints = Constraints { device_id: Constraint::exact("silence".to_owned()), ..Constraints::default() };
    let stream = devices.get_user_media(&constraints).unwrap();
    assert_eq!(stream.tracks()[0].settings().sample_rate, Some(48_000));
}
