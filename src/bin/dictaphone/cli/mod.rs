//! The words of the command line, and nothing but the words: what they mean together is decided in `plan`.

pub(crate) mod config;
pub(crate) mod container;
pub(crate) mod duration;
pub(crate) mod limits;
pub(crate) mod name;
mod notes;
pub(crate) mod ordinary;
pub(crate) mod size;
pub(crate) mod steps;
pub(crate) mod usage;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{
    ArgAction, Args, CommandFactory, Parser, ValueEnum, ValueHint,
    builder::{PathBufValueParser, TypedValueParser},
};
use dictaphone::audio::{ChannelMap, SampleFormat};

use self::{
    container::Container,
    name::Template,
    notes::{
        COMPLETIONS_NOTES, CONFIG_COMMAND_NOTES, CTL_NOTES, DELETE_NOTES, DEVICES_NOTES, INFO_NOTES, LIST_NOTES,
        MAN_NOTES, RECOVER_NOTES, RENAME_NOTES, convert_notes, play_notes, record_notes, root_notes,
    },
};

/// A path, in which a leading `~/` is the home folder: not every shell replaces it everywhere, such as in `--dir=~/x`.
fn paths() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| at_home(path, dirs::home_dir().as_deref()))
}

/// That path below the home folder, if it begins with `~`.
pub(crate) fn at_home(path: PathBuf, home: Option<&Path>) -> PathBuf {
    let Some((home, below)) = home.zip(path.strip_prefix("~").ok()) else { return path };
    let home = if below.as_os_str().is_empty() { home.to_owned() } else { home.join(below) };
    // A slash at the end says that it is a folder, and is lost between the parts of a path.
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") { home.join("") } else { home }
}

/// A voice recorder for the terminal that never loses a recording
#[derive(Debug, Parser)]
#[command(
    name = "dictaphone",
    version,
    after_long_help = root_notes(),
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Option<Subcommand>,
    // In front of the screen's, whose heading would be theirs too.
    #[command(flatten)]
    pub(crate) common: Common,
    /// The screen as lines, one for each change: for screen readers and logs; also with DICTAPHONE_PLAIN=1
    #[arg(long, display_order = 899)]
    pub(crate) plain: bool,
    #[command(flatten, next_help_heading = "Options of the screen")]
    pub(crate) screen: CaptureArgs,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Common {
    /// Say only what went wrong
    #[arg(long, short = 'q', global = true, display_order = 900)]
    pub(crate) quiet: bool,
    /// When to use colours (NO_COLOR is respected)
    #[arg(long, value_name = "WHEN", value_enum, global = true, display_order = 901)]
    pub(crate) color: Option<Color>,
    /// Defaults from this file; else `dictaphone/config.toml` in the user's config folder
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true, display_order = 902, value_parser = paths())]
    pub(crate) config: Option<PathBuf>,
    /// Flags of `record` from `[profile.NAME]` of the config
    #[arg(long, value_name = "NAME", global = true, display_order = 902)]
    pub(crate) profile: Option<String>,
    /// Append what happens to this file, for finding out why
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true, display_order = 903, value_parser = paths())]
    pub(crate) log: Option<PathBuf>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Record until stopped
    Record(Box<RecordArgs>),
    /// Play a recording
    Play(PlayArgs),
    /// List the devices that can be recorded from
    Devices(DevicesArgs),
    /// List the clips
    List(ListArgs),
    /// Tell everything about a clip
    Info(InfoArgs),
    /// Listen for a moment and say how loud room and voice are
    Levels(LevelsArgs),
    /// Give a clip another name
    Rename(RenameArgs),
    /// Move clips to the trash
    Delete(DeleteArgs),
    /// Write a clip in another format, rate or number of channels
    Convert(ConvertArgs),
    /// Make unfinished recordings whole
    Recover(RecoverArgs),
    /// Show the config: where it is, what is in force, and where each value comes from
    Config(ConfigArgs),
    /// Control a running recorder
    #[cfg_attr(not(unix), command(about = "Control a running recorder: not on this system yet"))]
    Ctl(CtlArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the man page
    #[command(after_long_help = MAN_NOTES)]
    Man,
}

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
    #[arg(short = 'i', long, value_name = "DEVICE")]
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

/// The words of `devices`.
#[derive(Debug, Args)]
#[command(after_long_help = DEVICES_NOTES)]
pub(crate) struct DevicesArgs {
    /// Outputs too
    #[arg(long, short)]
    pub(crate) all: bool,
    /// One JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the clips are.
#[derive(Debug, Args)]
pub(crate) struct ClipsFolder {
    /// The clips folder; else DICTAPHONE_DIR, else the config, else `Recordings` in the user's music folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, value_parser = paths())]
    pub(crate) dir: Option<PathBuf>,
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
    pub(crate) part: Part,
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
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) also: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
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
pub(crate) struct Part {
    /// From this place on: `90`, `1m30s`, `00:01:30`
    #[arg(long, value_name = "T", value_parser = duration::parse_position, allow_negative_numbers = true)]
    pub(crate) from: Option<Duration>,
    /// Up to this place
    #[arg(long, value_name = "T", value_parser = duration::parse_position, allow_negative_numbers = true)]
    pub(crate) to: Option<Duration>,
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
    pub(crate) part: Part,
    /// Only the markers, in this form
    #[arg(long, value_name = "FORM", value_enum, conflicts_with_all = ["json", "from", "to"])]
    pub(crate) markers: Option<MarkerForm>,
    /// One JSON object
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub(crate) json: bool,
}

/// The words of `levels`.
#[derive(Debug, Args)]
#[command(after_long_help = notes::LEVELS_NOTES)]
pub(crate) struct LevelsArgs {
    /// An id from `devices`, a part of a name, `tone[:HZ]`, `silence`, `noise`, or `file:PATH`
    #[arg(short = 'i', long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// How long to listen: `5s`, `1m`
    #[arg(short, long, value_name = "T", default_value = "5s", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) duration: Duration,
    /// One JSON object
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

/// The words of `config`.
#[derive(Debug, Args)]
#[command(after_long_help = CONFIG_COMMAND_NOTES)]
pub(crate) struct ConfigArgs {
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// The words of `ctl`.
#[cfg_attr(not(unix), allow(dead_code, reason = "refused there"))]
#[derive(Debug, Args)]
#[command(after_long_help = CTL_NOTES)]
pub(crate) struct CtlArgs {
    /// What to do
    #[command(subcommand)]
    pub(crate) action: CtlAction,
    /// Which recorder, where several run; `status` tells the ids
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) id: Option<String>,
    /// The answer as a JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What a running recorder is asked.
#[cfg_attr(not(unix), allow(dead_code, reason = "refused there"))]
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CtlAction {
    /// Start to record; without a running recorder in the background
    Start {
        /// Words for `record`, behind `--`
        #[arg(last = true, value_name = "RECORD OPTIONS")]
        record: Vec<String>,
    },
    /// Pause
    Pause,
    /// Go on into the same file
    Resume,
    /// Start when nothing is recorded, else stop and print the path
    Toggle {
        /// Words for `record`, behind `--`
        #[arg(last = true, value_name = "RECORD OPTIONS")]
        record: Vec<String>,
    },
    /// Stop, save, and print the path
    Stop {
        /// Go on for so long first, an hour at most: `300ms`, `1.5`
        #[arg(long, value_name = "T", value_parser = limits::tail, allow_hyphen_values = true)]
        tail: Option<Duration>,
    },
    /// Do not stop although nobody speaks
    Keep,
    /// Set a marker
    Mark {
        /// What it says
        #[arg(value_name = "TEXT")]
        text: Vec<String>,
    },
    /// Go on in a new file, and print the path of the one so far
    Next,
    /// Tell how it stands
    Status {
        /// For people and `--json`, or for a status bar
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
        format: StatusFormat,
    },
    /// Tell how it stands at every change
    Follow {
        /// For people and `--json`, or for a status bar, which goes on from one recorder to the next
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
        format: StatusFormat,
    },
    /// Stop, save, and leave
    Quit,
}

/// For whom a status is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum StatusFormat {
    /// A sentence
    #[default]
    Text,
    /// A JSON object with text, tooltip, class and alt
    Waybar,
}

/// The words of `completions`.
#[derive(Debug, Args)]
#[command(after_long_help = COMPLETIONS_NOTES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// The whole command line, for completions, the man page and help.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::exit::Exit;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn negative_numbers_reach_their_own_messages() {
        let cli = Cli::try_parse_from(["dictaphone", "record", "--gain", "-6.5", "x.wav"]).unwrap();
        assert!(matches!(cli.command, Some(Subcommand::Record(args)) if args.capture.gain == Some(-6.5)));
        let error = Cli::try_parse_from(["dictaphone", "record", "-d", "-5"]).unwrap_err();
        assert!(error.to_string().contains("cannot be negative"), "{error}");
    }

    #[test]
    fn a_tilde_in_front_is_the_home_folder_and_elsewhere_a_name() {
        for (path, expected) in [
            ("~/rec", "/home/zoe/rec"),
            ("~/rec/", "/home/zoe/rec/"),
            ("~", "/home/zoe"),
            ("~zoe/x", "~zoe/x"),
            ("a/~/b", "a/~/b"),
            ("./~/b", "./~/b"),
            ("/x", "/x"),
        ] {
            let found = at_home(path.into(), Some(Path::new("/home/zoe")));
            assert_eq!(found.as_os_str(), expected, "{path}");
        }
        assert_eq!(at_home("~/x".into(), None), Path::new("~/x"));
    }

    #[test]
    fn help_lists_every_exit_code() {
        let help = command().find_subcommand_mut("record").unwrap().render_long_help().to_string();
        for exit in Exit::ALL {
            assert!(help.contains(exit.meaning()), "{exit:?}");
        }
    }
}
