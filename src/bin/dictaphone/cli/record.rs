//! The arguments of `record`, and those that the screen shares with it.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, ValueEnum, ValueHint};
use dictaphone::audio::{ChannelMap, SampleFormat};

use super::{container::Container, devices, duration, limits, name::Template, notes::record_notes, paths, steps};

/// The words of `record`.
#[derive(Debug, Clone, Args, Default)]
#[command(after_long_help = record_notes())]
pub(crate) struct RecordArgs {
    /// Where to: a file, `-` for standard output, a folder for a new name in it
    ///
    /// Without FILE a new name in the clips folder: --dir, else DICTAPHONE_DIR, else the config, else `Recordings` in
    /// the user's music folder. An existing file is never overwritten without --force.
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath, value_parser = paths())]
    pub(crate) file: Option<PathBuf>,
    /// Stop after this much recorded audio: `90`, `1m30s`, `00:01:30`
    #[arg(short, long, value_name = "T", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) duration: Option<Duration>,
    #[command(flatten)]
    pub(crate) capture: CaptureArgs,
    /// Replace FILE if it exists, once the new recording is complete
    #[arg(long)]
    pub(crate) force: bool,
    /// Run a generator or a `file:` as fast as it can be encoded
    #[arg(long)]
    pub(crate) fast: bool,
    /// When the device goes away, wait this long for it to come back and go on in the same file
    ///
    /// The time without it is silence in the recording, and is reported as lost: exit code 3.
    #[arg(long, value_name = "T", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) reconnect: Option<Duration>,
    /// Run this for every file that is complete and safe; `{}` in it is the file's path
    ///
    /// It is split into words as a shell would, and run without one. What it prints goes to standard error. Its
    /// environment has DICTAPHONE_PATH, _NAME, _FORMAT, _DURATION_S, _LOST_FRAMES and _EVENT. Can be given more than once.
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString)]
    pub(crate) on_saved: Vec<String>,
    /// Open the device and wait for resume
    #[arg(long)]
    pub(crate) paused: bool,
    #[command(flatten, next_help_heading = "On the way")]
    pub(crate) steps: steps::StepArgs,
    /// Print the path of the finished file also to a terminal
    #[arg(long)]
    pub(crate) print_path: bool,
    /// One JSON object a line for everything that happens
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) json: bool,
}

/// The words that say what is recorded, how, and into which folder: those of `record` and of the screen.
#[derive(Debug, Clone, PartialEq, Args, Default)]
pub(crate) struct CaptureArgs {
    /// An id from `devices`, a part of a name, `tone[:HZ]`, `melody`, `silence`, `noise`, or `file:PATH`
    #[arg(short = 'i', long, value_name = "DEVICE", value_parser = devices())]
    pub(crate) device: Option<String>,
    /// File format; else the extension of FILE decides, else wav
    #[arg(short, long, value_enum, ignore_case = true)]
    pub(crate) format: Option<Container>,
    /// Sample rate in hertz: `48000`, `44.1k`; else the device's
    #[arg(short, long, value_name = "HZ", value_parser = limits::sample_rate, allow_negative_numbers = true)]
    pub(crate) rate: Option<u32>,
    /// Channels; else the device's
    #[arg(short, long, value_name = "N", value_parser = limits::channels, allow_negative_numbers = true)]
    pub(crate) channels: Option<u16>,
    /// Which of the device's channels to keep: `3`, `1,4`, `left`; `1+2` mixes two; else all
    #[arg(long, value_name = "CHANNELS", value_parser = limits::channel_map, allow_hyphen_values = true)]
    pub(crate) map: Option<ChannelMap>,
    /// How a sample is stored: s16, s24, s32, f32
    #[arg(short = 'b', long, value_name = "FORMAT", value_parser = limits::sample_format)]
    pub(crate) sample_format: Option<SampleFormat>,
    /// Kilobits a second of an opus file [default: 40 mono, 64 stereo]
    #[arg(long, value_name = "KBPS", value_parser = limits::kilobits, allow_negative_numbers = true)]
    pub(crate) bitrate: Option<u32>,
    /// Rate, channels and sample format in one word
    #[arg(long, value_enum, ignore_case = true)]
    pub(crate) preset: Option<Preset>,
    /// Make it louder or quieter; samples that clip are counted
    #[arg(long, value_name = "DB", value_parser = limits::gain_db, allow_hyphen_values = true)]
    pub(crate) gain: Option<f64>,
    // Spelt out: clap makes a line break of an "n" in braces.
    /// Name of a new file: strftime fields, and the letter n in braces counts up [default: %Y-%m-%d_%H-%M-%S]
    #[arg(long, value_name = "TEMPLATE", value_parser = Template::parse)]
    pub(crate) name: Option<Template>,
    /// The clips folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, value_parser = paths())]
    pub(crate) dir: Option<PathBuf>,
}

/// Settings in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// 16 kHz mono s16, what speech-to-text wants
    Voice,
    /// 44.1 kHz stereo s16
    Cd,
    /// 48 kHz stereo s24
    Studio,
}
