//! Microphones of the system's sound servers and drivers, through the cpal crate: one [`Backend`] for each sound system.
//!
//! Here devices are found, described and opened (those of ALSA and PulseAudio by the modules of that name); what an open
//! one does is in `stream`, the choice of a format in `negotiate`. A sound system is reached when it is first asked for
//! something, on a thread of its own and for a limited time, because a dead server can hold its callers for ever; one
//! that cannot be reached has no devices. Any thread may call. What C libraries print on standard error meanwhile is not
//! stopped here.

mod stream;

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use cpal::traits::{DeviceTrait, HostTrait};

use self::stream::{Built, CpalStream, Silence};
use super::{
    Backend, CaptureStream, DeviceInfo, DeviceKind, OpenRequest,
    bounded::bounded,
    negotiate::{self, Encoding, Native, Offer},
};
use crate::{
    audio::AudioFormat,
    error::{Error, ErrorKind, Result},
};

/// How long a sound system may take to list its devices.
const LIST_LIMIT: Duration = Duration::from_secs(5);
/// How long opening may take: connecting, waiting for a busy device, building the stream.
const OPEN_LIMIT: Duration = Duration::from_secs(10);
/// How long a busy device is tried again: another program may be about to close it.
const BUSY_LIMIT: Duration = Duration::from_secs(1);
const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// A buffer that the device refuses is halved until it is below this.
const SMALLEST_BUFFER: u32 = 64;

/// How many channels may be asked of a device that does not tell how many it has.
const STAND_IN_CHANNELS: std::ops::RangeInclusive<u16> = 1..=8;

/// ALSA's names for conversions, parts and copies of devices that are listed under their own name. They can still be
/// asked for by id.
const ALSA_CHAFF: [&str; 24] = [
    "null",
    "samplerate",
    "speexrate",
    "lavrate",
    "upmix",
    "vdownmix",
    "speex",
    "jack",
    "oss",
    "usbstream",
    "plughw",
    "sysdefault",
    "dsnoop",
    "dmix",
    "front",
    "rear",
    "center_lfe",
    "side",
    "surround",
    "iec958",
    "hdmi",
    "modem",
    "phoneline",
    "default",
];

/// The devices of one sound system.
#[derive(Clone)]
pub struct CpalBackend {
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
    /// Every sound system that this program was built for, the one to be asked first in front.
    ///
    /// On Linux that is PulseAudio, which is also how PipeWire is reached on a desktop, then PipeWire itself, then the
    /// drivers (ALSA), and JACK last. None of them is connected to yet.
    #[must_use]
    pub fn hosts() -> Vec<Arc<dyn Backend>> {
        let mut ids = cpal::ALL_HOSTS.to_vec();
        ids.sort_by_key(|id| System::of(*id).order());
        ids.into_iter().map(Self::backend).collect()
    }

    fn backend(id: cpal::HostId) -> Arc<dyn Backend> {
        match System::of(id) {
            #[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
            System::PulseAudio => Arc::new(super::pulse::PulseBackend::new()),
            #[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
            System::Alsa => Arc::new(super::alsa::AlsaBackend::new(Self::new(id))),
            _ => Arc::new(Self::new(id)),
        }
    }

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

    /// Does `work` on a thread of its own; `None` when the sound system does not answer in time.
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
        // Not `device_by_id`, which takes a loudspeaker for a microphone of the same name.
        let device = host.devices().ok()?.find(|device| {
            is_it(device)
                && match kind {
                    DeviceKind::Input => device.supports_input(),
                    DeviceKind::Output => device.supports_output(),
                }
        });
        device.map(|device| (device, false))
    }

    /// What the input of that id is called; `None` if there is none. Opens nothing.
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
        let mut wish = negotiate::wish(request, self.system().converts());
        if stands_in(&device) {
            wish.channels = request.channels.or_else(default_channels);
        }
        let choice = native(self.system(), &device, DeviceKind::Input, &offers)
            .and_then(|native| negotiate::choose(&offers, native, &wish))
            .ok_or_else(|| {
                Error::new(ErrorKind::NotReadable, format!("{label} offers no format that can be recorded"))
            })?;
        let built = build(&device, choice).map_err(|error| stream::failure(error, cannot))?;
        Ok(CpalStream::new(built, label, self.system().silence()))
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

/// What is peculiar to a sound system. Named by their ids as text, because each platform has only some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    PulseAudio,
    PipeWire,
    Alsa,
    Jack,
    Wasapi,
    Other,
}

impl System {
    fn of(id: cpal::HostId) -> Self {
        match id.to_string().as_str() {
            "pulseaudio" => Self::PulseAudio,
            "pipewire" => Self::PipeWire,
            "alsa" => Self::Alsa,
            "jack" => Self::Jack,
            "wasapi" => Self::Wasapi,
            _ => Self::Other,
        }
    }

    fn order(self) -> u8 {
        match self {
            Self::PulseAudio => 0,
            Self::PipeWire => 1,
            Self::Wasapi | Self::Other => 2,
            Self::Alsa => 3,
            Self::Jack => 4,
        }
    }

    /// Whether it resamples and remixes whatever it is asked for.
    fn converts(self) -> bool {
        matches!(self, Self::PulseAudio | Self::PipeWire | Self::Jack)
    }

    /// Whether one connection serves for ever: it is a library, not a server that can be restarted.
    fn stays(self) -> bool {
        matches!(self, Self::Alsa | Self::Wasapi | Self::Other)
    }

    fn silence(self) -> Silence {
        match self {
            Self::Wasapi => Silence::Usual,
            _ => Silence::Fatal,
        }
    }

    fn lists(self, device: &cpal::Device) -> bool {
        let Ok(id) = device.id() else { return false };
        self != Self::Alsa || is_worth_listing(id.id())
    }
}

fn is_worth_listing(pcm: &str) -> bool {
    let (plugin, arguments) = pcm.split_once(':').unwrap_or((pcm, ""));
    let family = plugin.trim_end_matches(|c: char| c.is_ascii_digit());
    // Cards have a name and a number, and only the name stays when another card is plugged in.
    let numbered = arguments.strip_prefix("CARD=").is_some_and(|card| card.starts_with(|c: char| c.is_ascii_digit()));
    !(ALSA_CHAFF.contains(&plugin) || ALSA_CHAFF.contains(&family) || numbered)
}

fn describe(system: System, device: &cpal::Device, kind: DeviceKind, is_default: bool) -> Option<DeviceInfo> {
    let id = device.id().ok()?;
    let offers = offers(device, kind).ok()?;
    let native = native(system, device, kind, &offers)?;
    let format = match native.encoding {
        Some(encoding) => AudioFormat::new(native.rate, native.channels, encoding.sample_format()),
        None => negotiate::choose(&offers, native, &OpenRequest::default())?.format(),
    };
    Some(DeviceInfo {
        id: id.to_string(),
        label: label(device),
        host: id.host().to_string(),
        kind,
        is_default,
        converts: system.converts(),
        format,
        channels: negotiate::channel_range(&offers)?,
        sample_rates: negotiate::usual_rates(&offers, native.rate),
        sample_formats: negotiate::encoding_names(&offers),
    })
}

fn label(device: &cpal::Device) -> String {
    let Ok(description) = device.description() else { return "the device".to_owned() };
    match description.name() {
        // The PipeWire host's stand-ins for whatever the session's defaults are.
        "default_input" => "Default input".to_owned(),
        "default_output" => "Default output".to_owned(),
        "default_sink" => "Default output, and what it plays".to_owned(),
        name => name.to_owned(),
    }
}

fn offers(device: &cpal::Device, kind: DeviceKind) -> Result<Vec<Offer>, cpal::Error> {
    let mut offers: Vec<Offer> = match kind {
        DeviceKind::Input => device.supported_input_configs()?.filter_map(offer).collect(),
        DeviceKind::Output => device.supported_output_configs()?.filter_map(offer).collect(),
    };
    if stands_in(device) {
        let any = offers.iter().flat_map(|&offer| STAND_IN_CHANNELS.map(move |channels| Offer { channels, ..offer }));
        offers = any.collect();
    }
    Ok(offers)
}

/// Whether this is one of the PipeWire host's stand-ins for whatever the session's defaults are. It says that they have
/// two channels because it does not know; PipeWire gives as many as it is asked for.
fn stands_in(device: &cpal::Device) -> bool {
    let id = device.id();
    id.is_ok_and(|id| {
        System::of(id.host()) == System::PipeWire
            && ["input_default", "output_default", "sink_default"].contains(&id.id())
    })
}

/// How many channels the session's default source has. PipeWire's bridge for PulseAudio's clients knows, if it runs.
fn default_channels() -> Option<u16> {
    #[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
    return super::pulse::PulseBackend::new().default_input().ok()?.map(|source| source.format.channels);
    #[cfg(not(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd")))]
    None
}

fn offer(range: cpal::SupportedStreamConfigRange) -> Option<Offer> {
    let frames = match range.buffer_size() {
        cpal::SupportedBufferSize::Range { min, max } => Some((*min, *max)),
        cpal::SupportedBufferSize::Unknown => None,
    };
    Some(Offer {
        channels: range.channels(),
        rates: (range.min_sample_rate(), range.max_sample_rate()),
        frames: frames.filter(|(_, max)| *max > 0),
        encoding: encoding(range.sample_format())?,
    })
}

/// What the device runs at by itself. ALSA does not tell, and cpal's guess for it goes by another taste.
fn native(system: System, device: &cpal::Device, kind: DeviceKind, offers: &[Offer]) -> Option<Native> {
    let config = match kind {
        _ if system == System::Alsa => return negotiate::assume_native(offers),
        DeviceKind::Input => device.default_input_config(),
        DeviceKind::Output => device.default_output_config(),
    };
    match config {
        Ok(config) => Some(Native {
            rate: config.sample_rate(),
            channels: config.channels(),
            encoding: encoding(config.sample_format()),
        }),
        Err(_) => negotiate::assume_native(offers),
    }
}

/// `None` for DSD, which is no sequence of samples that could be mixed or measured.
fn encoding(format: cpal::SampleFormat) -> Option<Encoding> {
    match format {
        cpal::SampleFormat::I8 => Some(Encoding::I8),
        cpal::SampleFormat::I16 => Some(Encoding::I16),
        cpal::SampleFormat::I24 => Some(Encoding::I24),
        cpal::SampleFormat::I32 => Some(Encoding::I32),
        cpal::SampleFormat::I64 => Some(Encoding::I64),
        cpal::SampleFormat::U8 => Some(Encoding::U8),
        cpal::SampleFormat::U16 => Some(Encoding::U16),
        cpal::SampleFormat::U24 => Some(Encoding::U24),
        cpal::SampleFormat::U32 => Some(Encoding::U32),
        cpal::SampleFormat::U64 => Some(Encoding::U64),
        cpal::SampleFormat::F32 => Some(Encoding::F32),
        cpal::SampleFormat::F64 => Some(Encoding::F64),
        _ => None,
    }
}

/// Builds the stream; waits for a busy device, and asks for less where the buffer is refused.
fn build(device: &cpal::Device, mut choice: negotiate::Choice) -> Result<Built, cpal::Error> {
    let patience = Instant::now() + BUSY_LIMIT;
    loop {
        match stream::build(device, &choice) {
            Err(error) if error.kind() == cpal::ErrorKind::DeviceBusy && Instant::now() < patience => {
                thread::sleep(BUSY_PAUSE);
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
