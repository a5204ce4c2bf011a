//! Microphones of the system's sound servers and drivers, through the cpal crate: one [`Backend`] for each sound system.
//!
//! Here devices are found and opened (those of ALSA and PulseAudio by the modules of that name); the description of one
//! is in `describe`, an open one in `stream`, the choice of a format in `negotiate`. A sound system is connected to
//! when it is first used, on a thread of its own and for a limited time, because a dead server can block its callers
//! for ever; one that cannot be reached has no devices. Any thread may call. What C libraries print on standard error
//! meanwhile is not suppressed here.

mod describe;
#[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
mod direct;
mod hosts;
mod stream;
mod system;

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use cpal::traits::{DeviceTrait, HostTrait};

use self::{
    describe::{default_channels, describe, label, native, offers, stands_in},
    stream::{Built, CpalStream},
    system::System,
};
use super::{Backend, CaptureStream, DeviceInfo, DeviceKind, OpenRequest, bounded::bounded, negotiate};
use crate::error::{Error, ErrorKind, Result};

/// How long a sound system may take to list its devices.
const LIST_LIMIT: Duration = Duration::from_secs(5);
/// How long opening may take: connecting, waiting for a busy device, building the stream.
const OPEN_LIMIT: Duration = Duration::from_secs(10);
/// How long a busy device is tried again: another program may be about to close it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
const BUSY_INTERVAL: Duration = Duration::from_millis(100);
/// A buffer that the device refuses is halved until it is below this.
const SMALLEST_BUFFER: u32 = 64;

/// The devices of one sound system.
#[derive(Clone)]
pub(crate) struct CpalBackend {
    id: cpal::HostId,
    // Kept between calls only where connecting is costly and the connection cannot die.
    kept: Arc<Mutex<Option<Arc<cpal::Host>>>>,
}

impl fmt::Debug for CpalBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpalBackend").field("id", &self.id).finish_non_exhaustive()
    }
}

impl CpalBackend {
    fn new(id: cpal::HostId) -> Self {
        Self { id, kept: Arc::default() }
    }

    fn system(&self) -> System {
        System::of(self.id)
    }

    /// The name of the device in an id of this backend.
    fn name_in<'a>(&self, id: &'a str) -> Option<&'a str> {
        let (host, name) = id.split_once(':')?;
        (cpal::HostId::from_str(host).ok()? == self.id).then_some(name)
    }

    fn connect(&self) -> Option<Arc<cpal::Host>> {
        if !cpal::available_hosts().contains(&self.id) {
            return None;
        }
        if !self.system().stays() {
            return self.connect_anew();
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            *kept = self.connect_anew();
        }
        kept.clone()
    }

    fn connect_anew(&self) -> Option<Arc<cpal::Host>> {
        match cpal::host_from_id(self.id) {
            Ok(host) => Some(Arc::new(host)),
            Err(error) => {
                log::debug!("{}: {error}", self.id);
                None
            }
        }
    }

    /// Runs `work` on a thread of its own; `None` when the sound system does not answer in time.
    fn ask<T: Send + 'static>(&self, limit: Duration, work: impl FnOnce(&Self) -> T + Send + 'static) -> Option<T> {
        let this = self.clone();
        bounded("sound-system", limit, move || work(&this))
    }

    fn no_answer(&self) -> Error {
        Error::new(ErrorKind::Abort, format!("the sound system {} does not answer", self.id))
    }

    fn list(&self) -> Result<Vec<DeviceInfo>> {
        let Some(host) = self.connect() else { return Ok(Vec::new()) };
        let listed = host.devices().map_err(|error| {
            Error::new(ErrorKind::Abort, format!("cannot list the devices of {}", self.id)).with_source(error)
        })?;
        let defaults = (host.default_input_device(), host.default_output_device());
        let mut infos: Vec<DeviceInfo> = Vec::new();
        let mut add = |device: &cpal::Device, kind, is_default| {
            if let Some(info) = describe(self.system(), device, kind, is_default)
                && !infos.iter().any(|known| known.kind == kind && known.id == info.id)
            {
                infos.push(info);
            }
        };
        // The defaults first, so that a device which is listed as well keeps the mark.
        for (device, kind) in [(defaults.0, DeviceKind::Input), (defaults.1, DeviceKind::Output)] {
            if let Some(device) = device {
                add(&device, kind, true);
            }
        }
        for device in listed.filter(|device| self.system().lists(device)) {
            if device.supports_input() {
                add(&device, DeviceKind::Input, false);
            }
            if device.supports_output() {
                add(&device, DeviceKind::Output, false);
            }
        }
        infos.sort_by_key(|info| (info.kind == DeviceKind::Output, !info.is_default));
        Ok(infos)
    }

    fn default_of_kind(&self, kind: DeviceKind) -> Option<cpal::Device> {
        let host = self.connect()?;
        match kind {
            DeviceKind::Input => host.default_input_device(),
            DeviceKind::Output => host.default_output_device(),
        }
    }

    /// The device of that name and kind, and whether it is the default one.
    fn device(&self, name: &str, kind: DeviceKind) -> Option<(cpal::Device, bool)> {
        let wanted = cpal::DeviceId::new(self.id, name);
        let is_it = |device: &cpal::Device| device.id().is_ok_and(|id| id == wanted);
        if let Some(device) = self.default_of_kind(kind).filter(is_it) {
            return Some((device, true));
        }
        let host = self.connect()?;
        if self.system() == System::Alsa {
            return Some((host.device_by_id(&wanted)?, false));
        }
        // Not `device_by_id`, which confuses a loudspeaker with a microphone of the same name.
        let device = host.devices().ok()?.find(|device| {
            is_it(device)
                && match kind {
                    DeviceKind::Input => device.supports_input(),
                    DeviceKind::Output => device.supports_output(),
                }
        });
        device.map(|device| (device, false))
    }

    /// The label of the input of that id; `None` if there is none. Opens nothing.
    #[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
    pub(super) fn label_of(&self, id: &str) -> Option<String> {
        self.device(self.name_in(id)?, DeviceKind::Input).map(|(device, _)| label(&device))
    }

    fn lookup(&self, name: &str) -> Option<DeviceInfo> {
        [DeviceKind::Input, DeviceKind::Output].into_iter().find_map(|kind| {
            let (device, is_default) = self.device(name, kind)?;
            describe(self.system(), &device, kind, is_default)
        })
    }

    fn open_now(&self, id: &str, request: &OpenRequest) -> Result<CpalStream> {
        let not_found = || Error::new(ErrorKind::NotFound, format!("there is no input device '{id}'"));
        let name = self.name_in(id).ok_or_else(not_found)?;
        let (device, _) = self.device(name, DeviceKind::Input).ok_or_else(not_found)?;
        let label = label(&device);
        let cannot = format!("cannot open {label}");
        let offers = match offers(&device, DeviceKind::Input) {
            Ok(offers) => offers,
            Err(error) => return Err(stream::failure(error, cannot)),
        };
        let mut wish = negotiate::asked(request, self.system().converts());
        if stands_in(&device) {
            wish.channels = request.channels.or_else(default_channels);
        }
        let choice = native(self.system(), &device, DeviceKind::Input, &offers)
            .and_then(|native| negotiate::choose(&offers, native, &wish))
            .ok_or_else(|| {
                Error::new(ErrorKind::NotReadable, format!("{label} offers no format that can be recorded"))
            })?;
        let built = build(self.system(), &device, choice).map_err(|error| stream::failure(error, cannot))?;
        Ok(CpalStream::new(built, label, self.system().silence(&device)))
    }
}

impl Backend for CpalBackend {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        self.ask(LIST_LIMIT, Self::list).unwrap_or_else(|| Err(self.no_answer()))
    }

    fn default_input(&self) -> Result<Option<DeviceInfo>> {
        let found = self.ask(LIST_LIMIT, |this| {
            let device = this.default_of_kind(DeviceKind::Input)?;
            describe(this.system(), &device, DeviceKind::Input, true)
        });
        found.ok_or_else(|| self.no_answer())
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        let name = self.name_in(id)?.to_owned();
        self.ask(LIST_LIMIT, move |this| this.lookup(&name))?
    }

    fn open(&self, id: &str, request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        let (id, request) = (id.to_owned(), *request);
        match self.ask(OPEN_LIMIT, move |this| this.open_now(&id, &request)) {
            Some(Ok(stream)) => Ok(Box::new(stream)),
            Some(Err(error)) => Err(error),
            None => Err(self.no_answer()),
        }
    }
}

/// Builds the stream; waits for a busy device, and requests a smaller buffer where one is refused.
fn build(system: System, device: &cpal::Device, mut choice: negotiate::Choice) -> Result<Built, cpal::Error> {
    let until = Instant::now() + BUSY_TIMEOUT;
    loop {
        match stream::build(device, &choice, system.keeps()) {
            Err(error) if error.kind() == cpal::ErrorKind::DeviceBusy && Instant::now() < until => {
                thread::sleep(BUSY_INTERVAL);
            }
            Err(error)
                if error.kind() == cpal::ErrorKind::UnsupportedConfig && choice.frames / 2 >= SMALLEST_BUFFER =>
            {
                choice.frames /= 2;
            }
            result => return result,
        }
    }
}
