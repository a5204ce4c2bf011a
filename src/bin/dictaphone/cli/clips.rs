//! The arguments of the commands that work on clips.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, ValueHint};
use dictaphone::audio::{ChannelMap, SampleFormat};

use super::{
    Preset,
    container::Container,
    duration, limits,
    notes::{DELETE_NOTES, INFO_NOTES, LIST_NOTES, RECOVER_NOTES, RENAME_NOTES, convert_notes, play_notes},
    paths,
};

/// Where the clips are.
#[derive(Debug, Args)]
pub(crate) struct ClipsFolder {
    /// The clips folder; else DICTAPHONE_DIR, else the config, else `Recordings` in the user's music folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, value_parser = paths())]
    pub(crate) dir: Option<PathBuf>,
}

/// The words of `play`.
#[derive(Debug, Args)]
#[command(after_long_help = play_notes())]
pub(crate) struct PlayArgs {
    /// A path, a file in the clips folder, or its name without extension; else the newest clip
    #[arg(value_name = "CLIP", value_hint = ValueHint::FilePath, value_parser = paths())]
    pub(crate) clip: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) folder: ClipsFolder,
    /// Speed from 0.5 to 3, with the pitch kept
    #[arg(short, long, value_name = "FACTOR", default_value = "1", value_parser = limits::speed, allow_negative_numbers = true)]
    pub(crate) speed: f64,
    /// Where to begin: `90`, `1m30s`, `00:01:30`
    #[arg(long, value_name = "T", value_parser = duration::parse_position, allow_negative_numbers = true)]
    pub(crate) start: Option<Duration>,
    /// The id of an output from `devices --all`; else the system's default
    #[arg(short, long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
}

/// The words of `list`.
#[derive(Debug, Args)]
#[command(after_long_help = LIST_NOTES)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) folder: ClipsFolder,
    /// By what: newest, longest and largest come first
    #[arg(long, value_name = "KEY", value_enum, default_value_t)]
    pub(crate) sort: SortBy,
    /// The other way round
    #[arg(long, short)]
    pub(crate) reverse: bool,
    /// One JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// By what clips are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum SortBy {
    /// When it was recorded
    #[default]
    Date,
    /// Name, numbers by value
    Name,
    /// Length
    Length,
    /// Size of the file
    Size,
    /// Format
    Format,
}

/// The words of `info`.
#[derive(Debug, Args)]
#[command(after_long_help = INFO_NOTES)]
pub(crate) struct InfoArgs {
    /// A path, a file in the clips folder, or its name without extension; else the newest clip
    #[arg(value_name = "CLIP", value_hint = ValueHint::FilePath, value_parser = paths())]
    pub(crate) clip: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) folder: ClipsFolder,
    #[command(flatten)]
    pub(crate) part: PartArgs,
    /// Only the markers, in this form
    #[arg(long, value_name = "FORM", value_enum, conflicts_with_all = ["json", "from", "to"])]
    pub(crate) markers: Option<MarkerForm>,
    /// One JSON object
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub(crate) json: bool,
}

/// How markers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MarkerForm {
    /// Time and text, a line each
    Text,
    /// A table with the columns `at_s` and `text`
    Csv,
    /// A label track of Audacity
    Audacity,
    /// A cue sheet
    Cue,
}

/// A part of a clip.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct PartArgs {
    /// From this place on: `90`, `1m30s`, `00:01:30`
    #[arg(long, value_name = "T", value_parser = duration::parse_position, allow_negative_numbers = true)]
    pub(crate) from: Option<Duration>,
    /// Up to this place
    #[arg(long, value_name = "T", value_parser = duration::parse_position, allow_negative_numbers = true)]
    pub(crate) to: Option<Duration>,
}

/// The words of `convert`.
#[derive(Debug, Args)]
#[command(after_long_help = convert_notes())]
pub(crate) struct ConvertArgs {
    /// A path, a file in the clips folder, or its name without extension
    #[arg(value_name = "CLIP", value_hint = ValueHint::FilePath, value_parser = paths())]
    pub(crate) clip: PathBuf,
    /// The new file, or `-` for standard output; an existing file is never overwritten without --force
    #[arg(value_name = "OUT", value_hint = ValueHint::AnyPath, value_parser = paths())]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) folder: ClipsFolder,
    /// File format; else the extension of OUT decides, else wav
    #[arg(short, long, value_enum, ignore_case = true)]
    pub(crate) format: Option<Container>,
    /// Sample rate in hertz: `48000`, `44.1k`; else the clip's
    #[arg(short, long, value_name = "HZ", value_parser = limits::sample_rate, allow_negative_numbers = true)]
    pub(crate) rate: Option<u32>,
    /// Channels; else the clip's
    #[arg(short, long, value_name = "N", value_parser = limits::channels, allow_negative_numbers = true)]
    pub(crate) channels: Option<u16>,
    /// Which of the clip's channels to keep: `3`, `1,4`, `left`; `1+2` mixes two; else all
    #[arg(long, value_name = "CHANNELS", value_parser = limits::channel_map, allow_hyphen_values = true)]
    pub(crate) map: Option<ChannelMap>,
    /// How a sample is stored: s16, s24, s32, f32; else as in the clip
    #[arg(short = 'b', long, value_name = "FORMAT", value_parser = limits::sample_format)]
    pub(crate) sample_format: Option<SampleFormat>,
    /// Kilobits a second of an opus file [default: 40 mono, 64 stereo]
    #[arg(long, value_name = "KBPS", value_parser = limits::kilobits, allow_negative_numbers = true)]
    pub(crate) bitrate: Option<u32>,
    /// Rate, channels and sample format in one word
    #[arg(long, value_enum, ignore_case = true)]
    pub(crate) preset: Option<Preset>,
    #[command(flatten)]
    pub(crate) part: PartArgs,
    /// Leave out the silence before the first and behind the last sound
    #[arg(long)]
    pub(crate) trim_silence: bool,
    /// Fade in and out for 5 ms where something was cut off, so that it does not click
    #[arg(long)]
    pub(crate) crossfade: bool,
    /// Make it so loud: integrated loudness (EBU R 128), true peaks at most -1 dBTP; speech: -16
    #[arg(long, value_name = "LUFS", value_parser = limits::loudness_lufs, allow_negative_numbers = true)]
    pub(crate) loudness: Option<f64>,
    /// Replace OUT if it exists, once the new file is complete
    #[arg(long)]
    pub(crate) force: bool,
    /// Print the path of the finished file also to a terminal
    #[arg(long)]
    pub(crate) print_path: bool,
    /// The new clip as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// The words of `recover`.
#[derive(Debug, Args)]
#[command(after_long_help = RECOVER_NOTES)]
pub(crate) struct RecoverArgs {
    /// Folders, or files of any recorder; else the clips folder
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, value_parser = paths())]
    pub(crate) paths: Vec<PathBuf>,
    /// The clips folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, conflicts_with = "paths", value_parser = paths())]
    pub(crate) dir: Option<PathBuf>,
    /// Compare with the second copies in this folder (`record --also`), and complete what has less from the other
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, value_parser = paths())]
    pub(crate) also: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    /// One JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// The words of `rename`.
#[derive(Debug, Args)]
#[command(after_long_help = RENAME_NOTES)]
pub(crate) struct RenameArgs {
    /// A path, a file in the clips folder, or its name without extension
    #[arg(value_name = "CLIP", value_hint = ValueHint::FilePath, value_parser = paths())]
    pub(crate) clip: PathBuf,
    /// The new name; folder and extension stay
    #[arg(value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) folder: ClipsFolder,
    /// The renamed clip as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// The words of `delete`.
#[derive(Debug, Args)]
#[command(after_long_help = DELETE_NOTES)]
pub(crate) struct DeleteArgs {
    /// Paths, files in the clips folder, or their names without extension
    #[arg(value_name = "CLIP", required = true, value_hint = ValueHint::FilePath, value_parser = paths())]
    pub(crate) clips: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) folder: ClipsFolder,
    /// For good, not into the trash
    #[arg(long)]
    pub(crate) permanent: bool,
    /// One JSON array of what was deleted
    #[arg(long)]
    pub(crate) json: bool,
}
