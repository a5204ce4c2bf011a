//! From arguments to decisions: what `record` will do, and in [`convert`] what `convert` will do, decided before
//! anything is opened.
//!
//! Pure but for [`Surroundings::look_around`]: everything that depends on the machine comes in through it.

pub(crate) mod convert;
mod defaults;
pub(crate) mod hook;
mod link;
pub(crate) mod part;
mod steps;
mod surroundings;
mod target;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use dictaphone::{
    audio::{AudioFormat, ChannelMap, SampleFormat},
    capture::Pace,
    storage::Existing,
};

use self::{hook::Hook, target::target};
use crate::{
    cli::{Preset, RecordArgs, container::Container, name::Template},
    message::{Failure, visible},
};

pub(crate) use self::{
    steps::{Steps, no_second_folder},
    surroundings::{PathKind, Surroundings},
    target::{CLIPS_FOLDER, clips_folder, usable_clips_folder},
};

/// Where the recording goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    /// Standard output, which is not a terminal.
    Stdout,
    /// This file; what to do if it exists when the recording is complete.
    File(PathBuf, Existing),
    /// A new name in this folder, which may have to be made.
    NewIn(PathBuf, Template),
}

/// Where the events go as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonTo {
    /// Standard output.
    Stdout,
    /// Standard error, because the audio goes to standard output.
    Stderr,
}

/// All decisions about one recording.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// Where it goes.
    pub(crate) target: Target,
    /// The format of the file or stream.
    pub(crate) container: Container,
    /// Frames a second in hertz, or the device's own.
    pub(crate) sample_rate: Option<u32>,
    /// The rate that the user asked for, if the format does not have it and another one is used.
    pub(crate) overruled_rate: Option<u32>,
    /// Channels, or the device's own.
    pub(crate) channels: Option<u16>,
    /// Which of the device's channels are kept, or all.
    pub(crate) map: Option<ChannelMap>,
    /// How a sample is stored.
    pub(crate) sample_format: SampleFormat,
    /// Bits a second, for formats that can choose.
    pub(crate) bits_per_second: Option<u32>,
    /// The length of recorded audio after which it stops.
    pub(crate) duration: Option<Duration>,
    /// What the user calls the device; `None` is the system's default input.
    pub(crate) device: Option<String>,
    /// As time passes, or (generators and files only) as fast as possible.
    pub(crate) pace: Pace,
    /// Gain before encoding, in decibels.
    pub(crate) gain_db: f64,
    /// The device is opened, but nothing is recorded before resume.
    pub(crate) starts_paused: bool,
    /// A caller waits for its first frame.
    pub(crate) is_awaited: bool,
    /// What happens during the recording.
    pub(crate) steps: Steps,
    /// How long to wait for a device that went away.
    pub(crate) reconnect: Option<Duration>,
    /// What is run for every finished file, in this order.
    pub(crate) hooks: Vec<Hook>,
    /// Events as JSON.
    pub(crate) json: Option<JsonTo>,
    /// The path of the finished file goes to standard output.
    pub(crate) prints_path: bool,
}

/// Decides what `record` does.
///
/// # Errors
/// A usage failure for arguments that do not make sense, alone or together.
pub(crate) fn record(args: RecordArgs, around: &Surroundings<'_>) -> Result<Record, Failure> {
    refuse_contradictions(&args, around)?;
    let target = target(&args, around)?;
    let container = container(&args, &target, around)?;
    // The config applies to all recordings, and only some formats have a choice.
    let usual_bitrate = around.defaults.capture.bitrate.filter(|_| container.format().bits_per_second.is_some());
    let bits_per_second = container.bits_per_second(args.capture.bitrate.or(usual_bitrate))?;
    let overruled_rate = args.capture.rate.filter(|rate| container.format().sample_rate(*rate) != *rate);
    let args = defaults::fill(args, &defaults::fitting(&around.defaults, &target, &container));
    let steps = steps::steps(&args, &target, container, around)?;
    if steps.numbers_files() {
        refuse_taken_numbers(&target, around)?;
    }
    let pace = pace(&args, &target)?;
    let to_stdout = target == Target::Stdout;
    let (sample_rate, channels, sample_format) = preset(args.capture.preset);
    let sample_rate = args.capture.rate.or(sample_rate);
    let channels = args.capture.channels.or(channels);
    let sample_format = args.capture.sample_format.unwrap_or(sample_format);
    // What the device decides fits every format, or is refused when it is known.
    container.refuse_unless_fitting(AudioFormat::new(
        container.format().sample_rate(sample_rate.unwrap_or(48_000)),
        channels.or(args.capture.map.as_ref().map(ChannelMap::count)).unwrap_or(1),
        sample_format,
    ))?;
    Ok(Record {
        json: args.json.then_some(if to_stdout { JsonTo::Stderr } else { JsonTo::Stdout }),
        prints_path: !to_stdout && !args.json && (args.print_path || !around.stdout_is_terminal),
        target,
        container,
        sample_rate,
        overruled_rate,
        channels,
        map: args.capture.map,
        sample_format,
        bits_per_second,
        duration: args.duration,
        steps,
        reconnect: args.reconnect,
        hooks: args.on_saved.iter().map(|line| hook::parse(line)).collect::<Result<_, _>>()?,
        device: args.capture.device,
        pace,
        gain_db: args.capture.gain.unwrap_or(0.0),
        starts_paused: args.paused,
        is_awaited: false,
    })
}

impl Record {
    /// Only its gate decides when it has recorded enough: a file has an end, and a generator has none.
    pub(crate) fn may_never_end(&self) -> bool {
        let is_file = self.device.as_deref().is_some_and(|device| device.starts_with("file:"));
        self.pace == Pace::Fast && self.steps.gate.is_some() && !is_file
    }

    /// The folder that it goes to; `None` for standard output.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match &self.target {
            Target::Stdout => None,
            Target::NewIn(folder, _) => Some(folder.clone()),
            Target::File(path, _) => Some(match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                Some(parent) => parent.to_owned(),
                None => ".".into(),
            }),
        }
    }
}

/// `NAME-1.EXT` of a file that is split.
pub(crate) fn numbered(path: &Path, number: u32) -> PathBuf {
    dictaphone::storage::place::marked(path, &format!("-{number}"))
}

/// The first file of a split recording must not exist, just like that of a recording that is not split.
fn refuse_taken_numbers(target: &Target, around: &Surroundings<'_>) -> Result<(), Failure> {
    let Target::File(path, Existing::Keep) = target else { return Ok(()) };
    let first = numbered(path, 1);
    match (around.look)(&first) {
        PathKind::Nothing | PathKind::Blocked => Ok(()),
        _ => Err(Failure::usage(format!("{} exists", shown(&first)), "write another name, or a folder")),
    }
}

pub(crate) const fn preset(preset: Option<Preset>) -> (Option<u32>, Option<u16>, SampleFormat) {
    match preset {
        None => (None, None, SampleFormat::S16),
        Some(Preset::Voice) => (Some(16_000), Some(1), SampleFormat::S16),
        Some(Preset::Cd) => (Some(44_100), Some(2), SampleFormat::S16),
        Some(Preset::Studio) => (Some(48_000), Some(2), SampleFormat::S24),
    }
}

fn is_stdout(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy())
}

fn refuse_contradictions(args: &RecordArgs, around: &Surroundings<'_>) -> Result<(), Failure> {
    if args.capture.device.as_deref().is_some_and(|device| device.trim().is_empty()) {
        return Err(Failure::usage(
            "the device has an empty name",
            "`dictaphone devices` lists what can be written here",
        ));
    }
    if args.capture.device.as_deref() == Some("file:") {
        return Err(Failure::usage("`file:` needs a path", "`--device file:PATH` plays a sound file"));
    }
    if args.print_path && args.json {
        return Err(Failure::usage(
            "--print-path and --json both want standard output",
            "the event dataavailable of --json has the path",
        ));
    }
    let Some(file) = &args.file else {
        return match args.force {
            true => Err(Failure::usage(
                "--force needs a FILE to replace",
                "a new name in the clips folder never overwrites anything",
            )),
            false => Ok(()),
        };
    };
    if args.capture.dir.is_some() {
        return Err(Failure::usage("--dir and FILE both say where the recording goes", "leave one of them out"));
    }
    if !is_stdout(file) {
        return Ok(());
    }
    for (given, flag) in
        [(args.force, "--force"), (args.capture.name.is_some(), "--name"), (args.print_path, "--print-path")]
    {
        if given {
            return Err(Failure::usage(
                format!("{flag} needs a file, and `-` is standard output"),
                format!("leave {flag} out, or write a file name instead of `-`"),
            ));
        }
    }
    refuse_stdout(around, "dictaphone record - | aplay")
}

/// Audio goes to a program or a file, not to people; `example` is how that is written.
fn refuse_stdout(around: &Surroundings<'_>, example: &str) -> Result<(), Failure> {
    let hint = format!("send it to a file or a program: `{example}`");
    match (around.stdout_is_closed, around.stdout_is_terminal) {
        (true, _) => Err(Failure::usage("standard output is closed", hint)),
        (_, true) => Err(Failure::usage("audio is not written to a terminal", hint)),
        (false, false) => Ok(()),
    }
}

fn container(args: &RecordArgs, target: &Target, around: &Surroundings<'_>) -> Result<Container, Failure> {
    if let Some(format) = args.capture.format {
        return Ok(format);
    }
    let usual = around.defaults.capture.format.unwrap_or_else(Container::usual);
    let Target::File(file, _) = target else { return Ok(usual) };
    container_of(file, usual)
}

/// The container of the file's extension; `usual` without one.
fn container_of(file: &Path, usual: Container) -> Result<Container, Failure> {
    let Some(extension) = file.extension() else { return Ok(usual) };
    extension.to_str().and_then(Container::of_extension).ok_or_else(|| {
        Failure::usage(
            format!("unknown file format `{}` of {}", visible(&extension.to_string_lossy()), shown(file)),
            format!("the formats are {}; `--format` sets one whatever the name is", Container::names()),
        )
    })
}

fn pace(args: &RecordArgs, target: &Target) -> Result<Pace, Failure> {
    if !args.fast {
        return Ok(Pace::RealTime);
    }
    let device = args.capture.device.as_deref().unwrap_or_default();
    let word = device.split(':').next().unwrap_or_default();
    match word {
        "file" => Ok(Pace::Fast),
        // It would fill the disk as fast as it can.
        "tone" | "melody" | "silence" | "noise"
            if args.duration.is_none() && args.steps.max_size.is_none() && *target != Target::Stdout =>
        {
            Err(Failure::usage(
                format!("--fast with `{}` never ends", visible(device)),
                "say how long with `--duration`",
            ))
        }
        "tone" | "melody" | "silence" | "noise" => Ok(Pace::Fast),
        _ => Err(Failure::usage(
            "--fast works for generators and files only, a microphone has its own pace",
            "add `--device tone`, `melody`, `silence`, `noise` or `file:PATH`, or leave --fast out",
        )),
    }
}

#[cfg(test)]
mod tests;
