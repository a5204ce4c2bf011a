//! From the plan to an open device, and its name. Opening may take long: it is called on a thread of its own.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use dictaphone::{
    audio::{AudioFormat, ChannelMap, ChannelMixer},
    capture::{self, Backend, Reconnecting, Warning, WarningKind},
    media::{Constraint, Constraints, MediaDevices, MediaStream, MediaStreamTrack},
};

use super::{
    remembered::{self, Remembered},
    source,
};
use crate::{
    message::{Failure, Message, exit::Exit},
    plan::{Record, Target},
};

/// How long frames may wait in the device's buffer. A pipe has a reader that follows along, a screen is looked at;
/// without either, long buffers save power and survive a busy machine. Whole seconds end with one of them.
const PIPE_LATENCY: Duration = Duration::from_millis(30);
pub(crate) const PICTURE_LATENCY: Duration = Duration::from_millis(50);
const LINE_LATENCY: Duration = Duration::from_millis(100);
const UNWATCHED_LATENCY: Duration = Duration::from_millis(250);

/// How long frames may wait, depending on whether a person or a program follows the recording.
pub(super) fn latency(plan: &Record, is_watched: bool) -> Duration {
    match () {
        () if plan.target == Target::Stdout => PIPE_LATENCY,
        () if plan.is_awaited => PICTURE_LATENCY,
        () if is_watched => LINE_LATENCY,
        () => UNWATCHED_LATENCY,
    }
}

/// Which device is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The one of the plan, else the one that was chosen last, else the system's default.
    Last,
    /// The one of that id, and these channels of it if not what the plan says; both are remembered.
    This(String, Option<ChannelMap>),
    /// The one that went away, if it is there again, and no other.
    Back(Remembered),
}

/// All devices; if the plan says so, each is waited for when it goes away.
pub(super) fn devices(plan: &Record) -> MediaDevices {
    let backends = capture::backends(plan.pace).into_iter();
    MediaDevices::with_backends(match plan.reconnect {
        Some(limit) => {
            backends.map(|backend| Arc::new(Reconnecting::new(backend, limit)) as Arc<dyn Backend>).collect()
        }
        None => backends.collect(),
    })
}

/// An open device.
pub(crate) struct OpenDevice {
    pub(super) stream: MediaStream,
    /// The id by which it was opened.
    pub(super) id: String,
    /// Its name, as it is.
    pub(super) name: String,
    /// What a recording of it is like.
    pub(super) format: AudioFormat,
    /// Which channels of it are kept, if not all.
    pub(super) map: Option<ChannelMap>,
    /// What is kept of it.
    pub(super) mixer: ChannelMixer,
    /// The warning that it is not the one which was chosen last, or that not all of its channels are kept because of a
    /// choice.
    pub(super) note: Option<Warning>,
}

impl OpenDevice {
    /// Opens the device that is meant.
    ///
    /// # Errors
    /// When there is no such device, it cannot be opened, or it does not have what is to be kept of it.
    pub(super) fn open(
        devices: &MediaDevices,
        plan: &Record,
        choice: &Choice,
        latency: Duration,
    ) -> Result<Self, Failure> {
        match choice {
            Choice::This(id, map) => {
                let device = Self::named(devices, plan, Some(id), plan.map.as_ref(), latency)?;
                remember(id, &device.name, map.clone());
                Ok(device)
            }
            Choice::Back(lost) if devices.find(&lost.id).is_some() => {
                Self::named(devices, plan, Some(&lost.id), lost.map.as_ref(), latency)
            }
            Choice::Back(lost) => {
                Err(Failure::new(Message::new(format!("{} is not there", lost.label)), Exit::NoDevice))
            }
            Choice::Last if plan.device.is_none() => Self::last_or_default(devices, plan, latency),
            Choice::Last => Self::named(devices, plan, plan.device.as_deref(), plan.map.as_ref(), latency),
        }
    }

    /// The input that was chosen last; without a choice, or when it is not there, the system's default.
    fn last_or_default(devices: &MediaDevices, plan: &Record, latency: Duration) -> Result<Self, Failure> {
        let last = remembered::last();
        let found = last.as_ref().filter(|last| devices.find(&last.id).is_some());
        let id = found.map(|last| last.id.as_str());
        let chosen = found.and_then(|last| last.map.as_ref()).filter(|_| plan.map.is_none());
        let device = match Self::named(devices, plan, id, chosen.or(plan.map.as_ref()), latency) {
            // It may have fewer channels than it had.
            Err(failure) if chosen.is_some() && failure.exit == Exit::Usage => {
                return Self::named(devices, plan, id, None, latency);
            }
            opened => opened?,
        };
        let missing = last.as_ref().filter(|_| found.is_none());
        let note = match (missing, chosen) {
            (Some(last), _) => {
                let text = format!("{} is not there, this is {}", last.label, device.name);
                Some(Warning::new(WarningKind::OtherDevice, text))
            }
            (None, Some(map)) => {
                let text = format!("of {} only channel {map} is kept, as it was chosen last", device.name);
                Some(Warning::new(WarningKind::Map, text))
            }
            (None, None) => None,
        };
        Ok(Self { note, ..device })
    }

    fn named(
        devices: &MediaDevices,
        plan: &Record,
        word: Option<&str>,
        map: Option<&ChannelMap>,
        latency: Duration,
    ) -> Result<Self, Failure> {
        let device = source::resolve(devices, word)?;
        let channels = map.map(ChannelMap::highest).or(plan.channels);
        let stream = devices.get_user_media(
            &Constraints::default()
                .device_id(Constraint::exact(device.id.clone()))
                .sample_rate(plan.sample_rate.map(Constraint::ideal).unwrap_or_default())
                .channel_count(channels.map(Constraint::ideal).unwrap_or_default())
                .latency(Constraint::ideal(latency.as_secs_f64())),
        );
        let stream = stream.map_err(|error| source::unopened(&device.id, error))?;
        let (format, mixer) = format(plan, map, &stream)?;
        Ok(Self { stream, id: device.id, name: device.label, format, map: map.cloned(), mixer, note: None })
    }

    /// Closes it, which may take long when the sound server is dead.
    pub(super) fn close(&self) {
        self.stream.tracks().iter().for_each(MediaStreamTrack::stop);
    }
}

/// How often to look for a device that is not there yet.
const LOOK_FOR_DEVICE: Duration = Duration::from_millis(500);

/// Opens the device that is meant, as soon as it is there, within the time of the plan. `still` receives what is
/// missing, once, and returns whether the device is still needed.
///
/// # Errors
/// Those of [`OpenDevice::open`].
pub(super) fn open_in_time(
    devices: &MediaDevices,
    plan: &Record,
    choice: &Choice,
    latency: Duration,
    still: impl Fn(Option<&str>) -> bool,
) -> Result<OpenDevice, Failure> {
    let begun = Instant::now();
    let is_in_time = || plan.steps.wait_device.is_some_and(|wait| begun.elapsed() < wait);
    let mut is_told = false;
    loop {
        let failure = match OpenDevice::open(devices, plan, choice, latency) {
            Err(failure) if is_in_time() && may_come(&failure) => failure,
            outcome => return outcome,
        };
        let why = Some(failure.message.text.as_str()).filter(|_| !std::mem::replace(&mut is_told, true));
        if !still(why) {
            return Err(failure);
        }
        thread::sleep(LOOK_FOR_DEVICE);
    }
}

/// Whether waiting may help: nothing is there, or it cannot be opened now.
fn may_come(failure: &Failure) -> bool {
    matches!(failure.exit, Exit::NoDevice | Exit::Failed)
}

/// The format that was asked for, and the device's own where none was.
fn format(
    plan: &Record,
    map: Option<&ChannelMap>,
    stream: &MediaStream,
) -> Result<(AudioFormat, ChannelMixer), Failure> {
    let track = stream.tracks().into_iter().next();
    let settings = track.as_ref().map(MediaStreamTrack::settings);
    let own = settings.map(|settings| (settings.sample_rate, settings.channel_count));
    let (rate, channels) = own.unwrap_or_default();
    let speakers = track.as_ref().and_then(MediaStreamTrack::speakers);
    let mixer = ChannelMixer::keep(channels.unwrap_or(1), speakers.as_ref(), map, plan.channels)?;
    let format = AudioFormat {
        sample_rate: plan.container.format().sample_rate(plan.sample_rate.or(rate).unwrap_or(48_000)),
        channels: u16::try_from(mixer.channels_out()).unwrap_or(u16::MAX),
        sample_format: plan.sample_format,
    };
    Ok((format, mixer))
}

fn remember(id: &str, name: &str, map: Option<ChannelMap>) {
    let Some(place) = remembered::place() else { return };
    if let Err(error) = (Remembered { id: id.to_owned(), label: name.to_owned(), map }).store(&place) {
        log::warn!("cannot remember the input in {}: {error}", place.display());
    }
}
