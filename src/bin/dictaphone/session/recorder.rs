//! From the plan and an open device to a recorder that is ready to start, and to the file it is for.

use std::{path::PathBuf, time::Duration};

use dictaphone::{
    Error,
    audio::{AudioFormat, Metadata, local_time, time::frames_in},
    capture::Pace,
    media::{MediaRecorder, RecorderOptions, Storage},
};

use super::{
    SessionInput,
    device::OpenDevice,
    files::{self, Twins},
    target,
};
use crate::{
    message::{Failure, Remedy, visible},
    plan::{Record, Target},
    work::Post,
};

/// How much sound goes to standard output in one piece.
const SLICE_LENGTH: Duration = Duration::from_millis(5);
const FAST_SLICE: Duration = Duration::from_millis(250);

/// A recorder for that device, and the file it goes to. Its recording can be made to begin earlier, as far as `reach`
/// goes.
///
/// # Errors
/// When the plan does not fit the device, or no name can be made.
pub(super) fn prepare(
    plan: &Record,
    (device, reach): (&OpenDevice, Duration),
    twins: &Twins,
    post: &Post<SessionInput>,
) -> Result<(MediaRecorder, Option<PathBuf>), Failure> {
    let format = device.format;
    plan.container.refuse_unless_fitting(format)?;
    let target = target::of(plan, 1, &local_time::now())?;
    let storage = target.clone().map_or(Storage::Temporary, |target| files::storage(plan, target, twins, post));
    let options = RecorderOptions::default()
        .mime_type(plan.container.mime_type())
        .audio_bits_per_second(plan.bits_per_second)
        .sample_rate(format.sample_rate)
        .map(device.map.clone())
        .channels(plan.channels)
        .sample_format(format.sample_format)
        .gain_db(plan.gain_db)
        .max_frames(max_frames(plan, format)?)
        .starts_paused(plan.starts_paused)
        .max_bytes(plan.steps.max_bytes)
        .split(plan.steps.split)
        .pre_roll(plan.steps.pre_roll)
        .reach(reach)
        .gate(plan.steps.gate)
        .stop_on_silence(plan.steps.stop_on_silence)
        .storage(storage)
        .metadata(Metadata::default().title(title(plan)))
        .broadcast(true);
    let recorder = MediaRecorder::new(&device.stream, options)?;
    Ok((recorder, target))
}

/// Starts it; paused, where that was asked for.
///
/// # Errors
/// When the file cannot be made.
pub(super) fn start(recorder: &MediaRecorder, plan: &Record, target: Option<&PathBuf>) -> Result<(), Failure> {
    let timeslice = match (&plan.target, plan.pace) {
        (Target::Stdout, Pace::Fast) => Some(FAST_SLICE),
        (Target::Stdout, _) => Some(SLICE_LENGTH),
        _ => None,
    };
    recorder.start(timeslice).map_err(|error| refused(error, target))
}

/// The recorder's error says what went wrong, but not which file the user asked for.
fn refused(error: Error, target: Option<&PathBuf>) -> Failure {
    let (Some(target), Some(_)) = (target, error.io_kind()) else { return error.into() };
    let path = visible(&target.to_string_lossy());
    let remedies = [
        Remedy::Text(format!("it was to become {path}")),
        Remedy::Flag("FILE or `--dir` names another place".to_owned()),
    ];
    Failure::of(&error, Some(remedies.into()))
}

/// The name that the user gave the recording; a generated name is not a title.
fn title(plan: &Record) -> Option<String> {
    match &plan.target {
        Target::File(path, _) => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
        Target::NewIn(..) | Target::Stdout => None,
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
