//! The microphones of the system and how to open one (Media Capture and Streams, § 9 "Enumerating Local Media Devices",
//! § 10 "Obtaining local multimedia content").

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use crate::{
    capture::{self, Backend, DeviceInfo, DeviceKind, Pace},
    error::{Error, ErrorKind, Result},
    media::{Constraints, MediaStream, MediaStreamTrack, constraints::Candidate, source::Source},
};

/// How often the list of devices is polled for those who subscribed to changes.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// How often a busy device is tried again: right after another program closed it, release may take a moment.
const BUSY_RETRIES: (u32, Duration) = (5, Duration::from_millis(100));

#[derive(Default)]
struct DeviceTable {
    backends: Mutex<Vec<Arc<dyn Backend>>>,
    open: Mutex<HashMap<String, Vec<Weak<Source>>>>,
    watchers: Mutex<Vec<Sender<Vec<DeviceInfo>>>>,
}

/// The devices of the system. Clones share them, and share what is open: two streams of one microphone use one source.
///
/// ```no_run
/// use dictaphone::{capture::DeviceKind, media::{Constraints, MediaDevices}};
///
/// let devices = MediaDevices::new();
/// for device in devices.enumerate_devices()? {
///     println!("{} {}", device.id, device.label);
/// }
/// let stream = devices.get_user_media(&Constraints::default())?;
/// assert!(stream.active());
/// # Ok::<(), dictaphone::Error>(())
/// ```
#[derive(Clone)]
pub struct MediaDevices {
    shared: Arc<DeviceTable>,
}

impl Default for MediaDevices {
    fn default() -> Self {
        Self::new()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MediaDevices {
    /// The system's devices and the built-in generators (`tone`, `tone:HZ`, `silence`, `noise`, `file:PATH`), which are
    /// not listed but can be opened by id. Nothing is opened or queried yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with_backends(capture::backends(Pace::RealTime))
    }

    /// Only the devices of these backends, in this order.
    #[must_use]
    pub fn with_backends(backends: Vec<Arc<dyn Backend>>) -> Self {
        Self { shared: Arc::new(DeviceTable { backends: Mutex::new(backends), ..DeviceTable::default() }) }
    }

    /// Adds a backend, such as a [`PushSource`](crate::capture::PushSource), in front of the others.
    pub fn attach(&self, backend: Arc<dyn Backend>) {
        lock(&self.shared.backends).insert(0, backend);
    }

    /// All inputs and outputs, inputs first, the system's default of each kind in front.
    ///
    /// # Errors
    /// [`Abort`](ErrorKind::Abort) if no sound system answers at all.
    pub fn enumerate_devices(&self) -> Result<Vec<DeviceInfo>> {
        self.shared.enumerate()
    }

    /// The devices of one sound system after the other, the preferred one first. Each is queried when its turn comes.
    pub fn enumerate_in_turn(&self) -> impl Iterator<Item = Result<Vec<DeviceInfo>>> + use<> {
        self.shared.backends().into_iter().map(|backend| backend.devices().map(arrange))
    }

    /// The system's default input; `None` if there is none.
    ///
    /// # Errors
    /// [`NotReadable`](ErrorKind::NotReadable) or [`Abort`](ErrorKind::Abort) if a sound system is there and does not
    /// answer, so that this is unknown.
    pub fn default_input(&self) -> Result<Option<DeviceInfo>> {
        self.shared.backends().iter().find_map(|backend| backend.default_input().transpose()).transpose()
    }

    /// The device of that id, listed or built in.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<DeviceInfo> {
        self.shared.backends().iter().find_map(|backend| backend.find(id))
    }

    /// Opens the microphone that fits best: a stream with one live track. The device is open when this returns, and
    /// meets everything that is required.
    ///
    /// Devices that fit equally well are tried in the order of the list, the default first, until one opens; each once,
    /// and no further one after access was denied.
    ///
    /// # Errors
    /// In this order: [`NotFound`](ErrorKind::NotFound) without any input device, or if the one that was named is gone;
    /// [`Overconstrained`](ErrorKind::Overconstrained) for a required constraint that no device meets;
    /// [`NotAllowed`](ErrorKind::NotAllowed) if access is denied; [`NotReadable`](ErrorKind::NotReadable) if none of
    /// the devices can be opened; [`Abort`](ErrorKind::Abort) for anything else. If devices fail in different ways, the
    /// error is that of the first that cannot be opened, or else of the first.
    pub fn get_user_media(&self, constraints: &Constraints) -> Result<MediaStream> {
        // A requested id may belong to a device that is not listed.
        let named = constraints.device_id.required().and_then(|id| self.find(id));
        if let Some(device) = named.filter(|device| device.kind == DeviceKind::Input) {
            return self.shared.open_best(constraints, &[device]);
        }
        // In the usual case there is no need to wait for a list of all devices.
        let usual = if *constraints == Constraints::default() { self.default_input()? } else { None };
        let Some(usual) = usual else { return self.shared.open_best(constraints, &self.inputs()?) };
        let failure = match self.shared.open_best(constraints, std::slice::from_ref(&usual)) {
            Err(error) if error.kind() != ErrorKind::NotAllowed => error,
            outcome => return outcome,
        };
        let mut others = self.inputs().unwrap_or_default();
        others.retain(|device| device.id != usual.id);
        match self.shared.open_best(constraints, &others) {
            Err(_) if others.is_empty() => Err(failure),
            Err(error) => Err(graver(failure, error)),
            opened => opened,
        }
    }

    fn inputs(&self) -> Result<Vec<DeviceInfo>> {
        let devices = self.enumerate_devices()?;
        Ok(devices.into_iter().filter(|device| device.kind == DeviceKind::Input).collect())
    }

    /// Subscribes to changes, the standard's `devicechange`: the new list of devices, whenever it differs from the one
    /// before.
    ///
    /// # Errors
    /// [`Abort`](ErrorKind::Abort) if the watching thread cannot be started.
    pub fn device_changes(&self) -> Result<Receiver<Vec<DeviceInfo>>> {
        let (sender, receiver) = channel();
        let mut watchers = lock(&self.shared.watchers);
        let watched = !watchers.is_empty();
        watchers.push(sender);
        drop(watchers);
        if !watched {
            let shared = Arc::downgrade(&self.shared);
            let known = self.shared.enumerate().unwrap_or_default();
            thread::Builder::new()
                .name("devices".to_owned())
                .spawn(move || watch(&shared, known))
                .map_err(|error| Error::new(ErrorKind::Abort, "cannot watch the devices").with_source(error))?;
        }
        Ok(receiver)
    }
}

impl DeviceTable {
    fn backends(&self) -> Vec<Arc<dyn Backend>> {
        lock(&self.backends).clone()
    }

    fn enumerate(&self) -> Result<Vec<DeviceInfo>> {
        let backends = self.backends();
        let (mut devices, mut failure) = (Vec::new(), None);
        for backend in &backends {
            match backend.devices() {
                Ok(found) => devices.extend(found),
                // A server that the user has named is not replaced by anything else.
                Err(error) if error.constraint() == Some(capture::SERVER) => return Err(error),
                // The sound systems after it may use the same server, and report less.
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) if devices.is_empty() => Err(error),
            _ => Ok(arrange(devices)),
        }
    }

    /// All devices of all sound systems; `None` if one of them does not answer.
    fn enumerate_all(&self) -> Option<Vec<DeviceInfo>> {
        let found: Result<Vec<_>> = self.backends().iter().map(|backend| backend.devices()).collect();
        found.ok().map(|found| arrange(found.concat()))
    }

    fn open_best(&self, constraints: &Constraints, inputs: &[DeviceInfo]) -> Result<MediaStream> {
        if inputs.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "no input device"));
        }
        let mut failure = None;
        for candidate in constraints.select(inputs)? {
            match self.open_with_retries(constraints, &candidate) {
                Err(error) if error.kind() != ErrorKind::NotAllowed => {
                    failure = Some(match failure {
                        Some(before) => graver(before, error),
                        None => error,
                    });
                }
                outcome => return outcome,
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::Abort, "no device could be opened")))
    }

    /// A device that was just closed may still count as busy.
    fn open_with_retries(&self, constraints: &Constraints, candidate: &Candidate) -> Result<MediaStream> {
        let (mut retries, pause) = BUSY_RETRIES;
        loop {
            match self.open(constraints, candidate).map_err(listed) {
                Err(error) if error.kind() == ErrorKind::NotReadable && retries > 0 => retries -= 1,
                outcome => return outcome,
            }
            thread::sleep(pause);
        }
    }

    fn open(&self, constraints: &Constraints, candidate: &Candidate) -> Result<MediaStream> {
        let mut open = lock(&self.open);
        open.retain(|_, sources| {
            sources.retain(|source| source.upgrade().is_some_and(|source| !source.is_closed()));
            !sources.is_empty()
        });
        let check = |source: &Source| constraints.check(source.device(), source.format(), source.latency());
        let sources = open.entry(candidate.device.id.clone()).or_default();
        let shared = sources.iter().filter_map(Weak::upgrade).find(|source| check(source).is_ok());
        if let Some(track) = shared.and_then(|source| MediaStreamTrack::attach(&source, true, constraints.clone())) {
            return Ok(MediaStream::new([track]));
        }
        let source = self.open_source(candidate)?;
        check(&source).inspect_err(|_| source.close())?;
        sources.push(Arc::downgrade(&source));
        let track = MediaStreamTrack::attach(&source, true, constraints.clone());
        let track = track.ok_or_else(|| Error::new(ErrorKind::NotReadable, "the device ended at once"))?;
        Ok(MediaStream::new([track]))
    }

    fn open_source(&self, candidate: &Candidate) -> Result<Arc<Source>> {
        let device = &candidate.device;
        let backends = self.backends();
        let backend = backends.iter().find(|backend| backend.find(&device.id).is_some());
        let backend = backend.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("'{}' is gone", device.label)))?;
        Source::open(backend.as_ref(), device.clone(), candidate.request)
    }
}

/// The one to report of two failures, in the order in which they happened: a device that cannot be opened is more
/// informative than any other error, and the first device is the one that was meant.
fn graver(first: Error, second: Error) -> Error {
    let unreadable = |error: &Error| error.kind() == ErrorKind::NotReadable;
    if unreadable(&second) && !unreadable(&first) { second } else { first }
}

/// The failure to open a device as one of the outcomes of the standard.
fn listed(error: Error) -> Error {
    use ErrorKind::{Abort, NotAllowed, NotFound, NotReadable, Overconstrained};
    match error.kind() {
        NotFound | Overconstrained | NotAllowed | NotReadable | Abort => error,
        _ => error.of_kind(Abort),
    }
}

/// Inputs first, one default of each kind in front, else the order of the backends.
fn arrange(mut devices: Vec<DeviceInfo>) -> Vec<DeviceInfo> {
    let mut seen = [false; 2];
    for device in &mut devices {
        let seen = &mut seen[usize::from(device.kind == DeviceKind::Output)];
        device.is_default &= !*seen;
        *seen |= device.is_default;
    }
    devices.sort_by_key(DeviceInfo::place_in_lists);
    devices
}

/// Runs on its own thread while there are subscribers.
fn watch(shared: &Weak<DeviceTable>, mut known: Vec<DeviceInfo>) {
    loop {
        let Some(devices) = shared.upgrade() else { return };
        // A sound system that gives no answer for a moment is no change.
        let now = devices.enumerate_all();
        if let Some(now) = now.filter(|now| *now != known) {
            known = now;
            let mut watchers = lock(&devices.watchers);
            watchers.retain(|watcher| watcher.send(known.clone()).is_ok());
            if watchers.is_empty() {
                return;
            }
        }
        drop(devices);
        thread::sleep(WATCH_INTERVAL);
    }
}

impl std::fmt::Debug for MediaDevices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaDevices").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audio::{AudioFormat, SampleFormat},
        capture::PushSource,
    };

    fn microphone(name: &str) -> PushSource {
        PushSource::new(name, AudioFormat::new(48_000, 1, SampleFormat::F32))
    }

    #[test]
    fn one_default_and_it_comes_first() {
        let mut first = microphone("first").info().clone();
        first.is_default = false;
        let devices = arrange(vec![first, microphone("second").info().clone(), microphone("third").info().clone()]);
        let listed: Vec<_> = devices.iter().map(|device| (device.label.as_str(), device.is_default)).collect();
        assert_eq!(listed, [("second", true), ("first", false), ("third", false)]);
    }

    #[test]
    fn changes_of_the_list_are_told() {
        let microphone = microphone("line in");
        let devices = MediaDevices::with_backends(vec![Arc::new(microphone.clone())]);
        let changes = devices.device_changes().unwrap();
        microphone.unplug();
        assert_eq!(changes.recv_timeout(Duration::from_secs(20)).unwrap(), []);
        microphone.plug_in();
        assert_eq!(changes.recv_timeout(Duration::from_secs(20)).unwrap().len(), 1);
    }
}
