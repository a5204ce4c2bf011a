//! What get_user_media returns and refuses, in the order of the rules.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use dictaphone::{
    Error, ErrorKind, Result,
    audio::{AudioFormat, SampleFormat},
    capture::{Backend, Builtin, CaptureStream, DeviceInfo, DeviceKind, OpenRequest, Pace, PushSource},
    media::{Constraint, Constraints, MediaDevices},
};

/// A microphone that does not open, and counts how often it was asked to.
struct Broken {
    microphone: PushSource,
    kind: ErrorKind,
    asked: Arc<AtomicU32>,
}

impl Backend for Broken {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        self.microphone.devices()
    }

    fn default_input(&self) -> Result<Option<DeviceInfo>> {
        self.microphone.default_input()
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        self.microphone.find(id)
    }

    fn open(&self, id: &str, _request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Err(Error::new(self.kind, format!("{id} does not open")))
    }
}

/// A microphone that is described as something else, and opens as what it is.
struct Disguised {
    microphone: PushSource,
    info: DeviceInfo,
}

impl Disguised {
    fn backend(microphone: &PushSource, disguise: impl FnOnce(&mut DeviceInfo)) -> Arc<dyn Backend> {
        let mut info = microphone.info().clone();
        disguise(&mut info);
        Arc::new(Self { microphone: microphone.clone(), info })
    }
}

impl Backend for Disguised {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        Ok(vec![self.info.clone()])
    }

    fn default_input(&self) -> Result<Option<DeviceInfo>> {
        Ok(Some(self.info.clone()).filter(|info| info.kind == DeviceKind::Input))
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        Some(self.info.clone()).filter(|info| info.id == id)
    }

    fn open(&self, id: &str, request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        self.microphone.open(id, request)
    }
}

fn microphone(name: &str, rate: u32) -> PushSource {
    PushSource::new(name, AudioFormat::new(rate, 1, SampleFormat::F32))
}

fn counting(name: &str, kind: ErrorKind) -> (Arc<dyn Backend>, Arc<AtomicU32>) {
    let asked = Arc::<AtomicU32>::default();
    (Arc::new(Broken { microphone: microphone(name, 48_000), kind, asked: Arc::clone(&asked) }), asked)
}

fn broken(name: &str, kind: ErrorKind) -> Arc<dyn Backend> {
    counting(name, kind).0
}

fn named(id: &str) -> Constraints {
    Constraints::default().device_id(Constraint::exact(id.to_owned()))
}

fn refusal(backends: Vec<Arc<dyn Backend>>, constraints: &Constraints) -> Error {
    MediaDevices::with_backends(backends).get_user_media(constraints).unwrap_err()
}

#[test]
fn without_an_input_device_it_is_not_found() {
    let error = refusal(Vec::new(), &Constraints::default());
    assert_eq!(error.name(), "NotFoundError");
    let impossible = Constraints::default().sample_rate(Constraint::exact(7));
    assert_eq!(refusal(Vec::new(), &impossible).name(), "NotFoundError", "comes before constraints");
}

#[test]
fn a_required_constraint_that_nothing_meets_is_named() {
    let constraints = Constraints::default().sample_rate(Constraint::exact(7));
    let error = refusal(vec![Arc::new(microphone("a", 48_000))], &constraints);
    assert_eq!((error.name(), error.constraint()), ("OverconstrainedError", Some("sample_rate")));
    let error = refusal(vec![Arc::new(microphone("a", 48_000))], &named("push:x"));
    assert_eq!((error.name(), error.constraint()), ("OverconstrainedError", Some("device_id")));
}

#[test]
fn denied_access_is_not_allowed_and_no_other_device_is_tried() {
    let second = microphone("second", 48_000);
    let error = refusal(
        vec![broken("first", ErrorKind::NotAllowed), Arc::new(second.clone())],
        &Constraints::default().sample_rate(Constraint::ideal(48_000)),
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
    let constraints = Constraints::default().sample_rate(Constraint::ideal(88_200));
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
    let constraints = Constraints::default().device_id(Constraint::exact("silence".to_owned()));
    let stream = devices.get_user_media(&constraints).unwrap();
    assert_eq!(stream.tracks()[0].settings().sample_rate, Some(48_000));
}

#[test]
fn an_output_cannot_be_asked_for_as_a_microphone() {
    let loudspeaker = microphone("loudspeaker", 48_000);
    let output = Disguised::backend(&loudspeaker, |info| info.kind = DeviceKind::Output);
    let error = refusal(vec![output.clone(), Arc::new(microphone("a", 48_000))], &named("push:loudspeaker"));
    assert_eq!((error.name(), error.constraint()), ("OverconstrainedError", Some("device_id")));
    assert_eq!(refusal(vec![output], &named("push:loudspeaker")).name(), "NotFoundError", "there is no input at all");
    assert!(!loudspeaker.is_open());
}

#[test]
fn what_was_opened_keeps_everything_that_is_required() {
    let stubborn = microphone("stubborn", 48_000);
    let promising = |info: &mut DeviceInfo| {
        info.sample_rates = vec![44_100, 48_000];
        info.channels = (1, 2);
        info.sample_formats = vec!["s16".to_owned(), "f32".to_owned()];
    };
    let devices = MediaDevices::with_backends(vec![Disguised::backend(&stubborn, promising)]);
    let any = Constraints::default;
    for (constraints, name) in [
        (any().sample_rate(Constraint::exact(44_100)), "sample_rate"),
        (any().channel_count(Constraint::default().min(2)), "channel_count"),
        (any().sample_size(Constraint::default().max(16)), "sample_size"),
        // It has no buffer, so that its frames do not wait.
        (any().latency(Constraint::exact(0.02)), "latency"),
    ] {
        let error = devices.get_user_media(&constraints).unwrap_err();
        assert_eq!((error.name(), error.constraint()), ("OverconstrainedError", Some(name)));
        assert!(!stubborn.is_open(), "it is closed again");
    }
    assert!(devices.get_user_media(&any().sample_size(Constraint::ideal(16))).is_ok());
}

#[test]
fn a_source_is_shared_only_if_it_keeps_what_is_required() {
    let devices = MediaDevices::with_backends(vec![Arc::new(Builtin::new(Pace::RealTime))]);
    let latency = |constraint| {
        let stream = devices.get_user_media(&named("silence").latency(constraint)).unwrap();
        let latency = stream.tracks()[0].settings().latency;
        (stream, latency.unwrap())
    };
    let (_first, usual) = latency(Constraint::default());
    assert_eq!(latency(Constraint::ideal(0.02)).1, usual, "a wish does not open it again");
    assert_eq!(latency(Constraint::exact(0.02)).1, 0.02);
    assert_eq!(latency(Constraint::default().max(0.05)).1, 0.05);
    assert_eq!(latency(Constraint::default().max(0.5)).1, usual);
}

#[test]
fn an_ideal_never_fails() {
    let devices = MediaDevices::with_backends(vec![Arc::new(Builtin::new(Pace::RealTime))]);
    for (latency, reached) in [
        (Constraint::ideal(0.01).min(0.05), 0.05),
        (Constraint::ideal(0.5).max(0.05), 0.05),
        (Constraint::ideal(f64::NAN), 0.1),
    ] {
        let stream = devices.get_user_media(&named("silence").latency(latency)).unwrap();
        assert_eq!(stream.tracks()[0].settings().latency, Some(reached));
    }
}

#[test]
fn the_first_device_that_cannot_be_opened_tells_why() {
    use ErrorKind::{Abort, InvalidData, NotFound, NotReadable, Unknown};
    for (kinds, name, culprit) in [
        ([NotReadable, NotReadable, Abort], "NotReadableError", "push:a"),
        ([Abort, NotReadable, NotReadable], "NotReadableError", "push:b"),
        ([Abort, Abort, Abort], "AbortError", "push:a"),
        ([Unknown, InvalidData, Abort], "AbortError", "push:a"),
        ([NotFound, Abort, Abort], "NotFoundError", "push:a"),
    ] {
        let devices = || ["a", "b", "c"].into_iter().zip(kinds).map(|(name, kind)| broken(name, kind)).collect();
        let constrained = Constraints::default().sample_rate(Constraint::ideal(48_000));
        for constraints in [Constraints::default(), constrained] {
            let error = refusal(devices(), &constraints);
            assert_eq!(error.name(), name, "{kinds:?}");
            assert!(error.to_string().starts_with(culprit), "{kinds:?}: {error}");
        }
    }
}

#[test]
fn the_default_device_is_asked_once() {
    for kind in [ErrorKind::NotAllowed, ErrorKind::Abort] {
        let (first, asked) = counting("first", kind);
        let (second, _) = counting("second", ErrorKind::Abort);
        assert_eq!(refusal(vec![first, second], &Constraints::default()).kind(), kind);
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{kind:?}");
    }
    // A busy one may be released in a moment, and is asked again for as long as that takes.
    let (busy, asked) = counting("busy", ErrorKind::NotReadable);
    refusal(vec![busy.clone()], &named("push:busy"));
    let once = asked.swap(0, Ordering::SeqCst);
    refusal(vec![busy], &Constraints::default());
    assert_eq!(asked.load(Ordering::SeqCst), once);
}

#[test]
fn a_sound_file_that_does_not_open_is_one_of_the_outcomes() {
    let builtin = || vec![Arc::new(Builtin::new(Pace::Fast)) as Arc<dyn Backend>];
    let garbage = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(garbage.path(), "no sound").unwrap();
    for (path, name) in [(Path::new("/nonexistent.wav"), "NotFoundError"), (garbage.path(), "AbortError")] {
        let error = refusal(builtin(), &named(&format!("file:{}", path.display())));
        assert_eq!(error.name(), name);
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    assert_eq!(refusal(builtin(), &named("tone:loud")).name(), "AbortError");
}
