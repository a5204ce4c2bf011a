//! From the plan to an open device and a recorder that is ready to start.

use std::{path::PathBuf, sync::Arc, time::Duration};

use dictaphone::{
    Error,
    audio::{AudioFormat, ChannelMixer, Metadata, time::frames_in},
    capture::{self, Backend, Pace, Reconnecting},
    media::{
        Constraint, Constraints, MediaDevices, MediaRecorder, MediaStream, MediaStreamTrack, RecorderOptions, Storage,
    },
};
use jiff::Zoned;

use super::source;
use crate::{
    message::{Failure, visible},
    plan::{Record, Target},
    report::Report,
};

/// How long frames may wait in the device's buffer. A pipe is read by something that follows along, a screen is looked
/// at; where nobody watches, long buffers save power and survive a busy machine. Whole seconds end with one of them.
const PIPE_LATENCY: Duration = Duration::from_millis(30);
const SCREEN_LATENCY: Duration = Duration::from_millis(100);
const UNWATCHED_LATENCY: Duration = Duration::from_millis(250);

/// An open device and its recorder.
pub(crate) struct Opened {
    pub(crate) stream: MediaStream,
    pub(crate) recorder: MediaRecorder,
    /// The device's name.
    pub(crate) device: String,
    /// Format of the recording.
    pub(crate) format: AudioFormat,
    /// Where the file was to go when recording began.
    pub(crate) target: Option<PathBuf>,
    /// The folder to which a relative path belongs.
    pub(crate) started_in: PathBuf,
}

impl Opened {
    /// # Errors
    /// When there is no such device, it cannot be opened, or the plan does not fit it.
    pub(crate) fn open(plan: &Record, report: &Report) -> Result<Self, Failure> {
        let devices = MediaDevices::with_backends(backends(plan));
        let (stream, device) = stream(&devices, plan, latency(plan, report))?;
        let (recorder, format, target) = recorder(plan, &stream)?;
        let started_in = std::env::current_dir().unwrap_or_default();
        Ok(Self { stream, recorder, device, format, target, started_in })
    }
}

/// The device that the plan means, open, and its name.
///
/// # Errors
/// When there is no such device or it cannot be opened.
pub(crate) fn stream(
    devices: &MediaDevices,
    plan: &Record,
    latency: Duration,
) -> Result<(MediaStream, String), Failure> {
    let device = source::resolve(devices, plan.device.as_deref())?;
    let stream = devices.get_user_media(&Constraints {
        device_id: Constraint::exact(device.id.clone()),
        sample_rate: plan.sample_rate.map(Constraint::ideal).unwrap_or_default(),
        channel_count: wanted_channels(plan).map(Constraint::ideal).unwrap_or_default(),
        latency: Constraint::ideal(latency.as_secs_f64()),
        ..Constraints::default()
    });
    let stream = stream.map_err(|error| source::unopened(&device.id, error))?;
    Ok((stream, device.label))
}

/// A recorder for that stream, what it records, and the file it goes to.
///
/// # Errors
/// When the plan does not fit the stream, or no name can be made.
pub(crate) fn recorder(
    plan: &Record,
    stream: &MediaStream,
) -> Result<(MediaRecorder, AudioFormat, Option<PathBuf>), Failure> {
    let format = format(plan, stream)?;
    plan.container.refuse_unless_fitting(format)?;
    let target = target(plan, &Zoned::now())?;
    let storage = target.clone().map_or(Storage::Temporary, Storage::Beside);
    let options = RecorderOptions {
        broadcast: true,
        mime_type: plan.container.mime_type().to_owned(),
        audio_bits_per_second: plan.bits_per_second,
        sample_rate: Some(format.sample_rate),
        map: plan.map.clone(),
        channels: plan.channels,
        sample_format: Some(format.sample_format),
        gain_db: plan.gain_db,
        max_frames: max_frames(plan, format)?,
        starts_paused: plan.starts_paused,
        storage,
        metadata: Metadata { title: title(plan), ..Metadata::default() },
        ..RecorderOptions::default()
    };
    let recorder = MediaRecorder::new(stream, options)?;
    Ok((recorder, format, target))
}

/// What the user called the recording; a name that was made for it is no title.
fn title(plan: &Record) -> Option<String> {
    match &plan.target {
        Target::File(path, _) => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
        Target::NewIn(..) | Target::Stdout => None,
    }
}

fn backends(plan: &Record) -> Vec<Arc<dyn Backend>> {
    let backends = capture::backends(plan.pace).into_iter();
    match plan.reconnect {
        Some(limit) => backends.map(|backend| Arc::new(Reconnecting::new(backend, limit)) as _).collect(),
        None => backends.collect(),
    }
}

fn latency(plan: &Record, report: &Report) -> Duration {
    match () {
        () if plan.target == Target::Stdout => PIPE_LATENCY,
        () if report.has_live_line() || plan.json.is_some() => SCREEN_LATENCY,
        () => UNWATCHED_LATENCY,
    }
}

/// What was asked for, and the device's own where nothing was.
///
/// # Errors
/// When the device does not have the channels that are to be kept, or they cannot be mixed to so few.
pub(crate) fn format(plan: &Record, stream: &MediaStream) -> Result<AudioFormat, Failure> {
    let track = stream.tracks().into_iter().next();
    let settings = track.as_ref().map(MediaStreamTrack::settings);
    let own = settings.map(|settings| (settings.sample_rate, settings.channel_count));
    let (rate, channels) = own.unwrap_or_default();
    let speakers = track.as_ref().and_then(MediaStreamTrack::speakers);
    let mixer = ChannelMixer::keep(channels.unwrap_or(1), speakers.as_ref(), plan.map.as_ref(), plan.channels)?;
    Ok(AudioFormat {
        sample_rate: plan.container.format().sample_rate(plan.sample_rate.or(rate).unwrap_or(48_000)),
        channels: u16::try_from(mixer.channels_out()).unwrap_or(u16::MAX),
        sample_format: plan.sample_format,
    })
}

/// How many channels the device should be opened with, where it has a choice: the map counts in them.
fn wanted_channels(plan: &Record) -> Option<u16> {
    match &plan.map {
        Some(map) => Some(map.highest()),
        None => plan.channels,
    }
}

fn max_frames(plan: &Record, format: AudioFormat) -> Result<Option<u64>, Failure> {
    let frames = plan.duration.map(|duration| frames_in(duration, format.sample_rate));
    match frames {
        Some(0) => {
            Err(Failure::usage("the duration is shorter than one frame", "write something like `90` or `1m30s`"))
        }
        frames => Ok(frames),
    }
}

/// The file, named by the time of `at`.
///
/// # Errors
/// When the template makes no name out of that time.
pub(crate) fn target(plan: &Record, at: &Zoned) -> Result<Option<PathBuf>, Failure> {
    match &plan.target {
        Target::Stdout => Ok(None),
        Target::File(path, _) => Ok(Some(path.clone())),
        Target::NewIn(folder, template) => {
            let file = |name: &str| folder.join(format!("{name}.{}", plan.container.extension()));
            let name = template
                .choose(at, |name| file(name).exists())
                .map_err(|reason| Failure::usage(reason, "`--name` takes strftime fields and {n}"))?;
            Ok(Some(file(&name)))
        }
    }
}

impl Opened {
    /// Starts the recorder; paused, where that was asked for.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(crate) fn start(&self, plan: &Record) -> Result<(), Failure> {
        let timeslice = match (&plan.target, plan.pace) {
            (Target::Stdout, Pace::Fast) => Some(FAST_SLICE),
            (Target::Stdout, _) => Some(SLICE),
            _ => None,
        };
        self.recorder.start(timeslice).map_err(|error| self.refused(error))
    }

    /// The recorder knows what went wrong, but not which file the user wanted.
    fn refused(&self, error: Error) -> Failure {
        let (Some(target), Some(_)) = (&self.target, error.io_kind()) else { return error.into() };
        let path = visible(&target.to_string_lossy());
        Failure::of(&error, Some(format!("it was to become {path}; FILE or `--dir` names another place")))
    }
}

/// How much sound goes to standard output in one piece.
const SLICE: Duration = Duration::from_millis(5);
const FAST_SLICE: Duration = Duration::from_millis(250);
