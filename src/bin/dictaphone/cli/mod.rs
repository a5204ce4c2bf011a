//! The arguments of the command line, each by itself: what they mean together is decided in `plan`.

mod clips;
pub(crate) mod config;
pub(crate) mod container;
mod ctl;
pub(crate) mod duration;
pub(crate) mod limits;
pub(crate) mod name;
mod notes;
pub(crate) mod ordinary;
mod record;
pub(crate) mod size;
pub(crate) mod steps;
pub(crate) mod usage;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{
    Args, CommandFactory, Parser, ValueEnum, ValueHint,
    builder::{PathBufValueParser, StringValueParser, TypedValueParser},
};

#[cfg(unix)]
pub(crate) use self::ctl::{CtlAction, StatusFormat};
use self::notes::{COMPLETIONS_NOTES, CONFIG_COMMAND_NOTES, DEVICES_NOTES, MAN_NOTES, root_notes};
pub(crate) use self::{
    clips::{
        ClipsFolder, ConvertArgs, DeleteArgs, InfoArgs, ListArgs, MarkerForm, PartArgs, PlayArgs, RecoverArgs,
        RenameArgs, SortBy,
    },
    ctl::CtlArgs,
    record::{CaptureArgs, Preset, RecordArgs},
};

/// A path, in which a leading `~/` is the home folder: not every shell replaces it everywhere, such as in `--dir=~/x`.
fn paths() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| at_home(path, dirs::home_dir().as_deref()))
}

/// The word for a device, in which the path of a sound file may begin at home as well: no shell replaces it there.
fn devices() -> impl TypedValueParser<Value = String> {
    StringValueParser::new().map(|word| device_at_home(word, dirs::home_dir().as_deref()))
}

fn device_at_home(word: String, home: Option<&Path>) -> String {
    match word.strip_prefix("file:").map(|path| at_home(path.into(), home).into_os_string().into_string()) {
        Some(Ok(path)) => format!("file:{path}"),
        _ => word,
    }
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
    // Before the flags of the screen, whose heading would otherwise apply to these too.
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

/// The words of `config`.
#[derive(Debug, Args)]
#[command(after_long_help = CONFIG_COMMAND_NOTES)]
pub(crate) struct ConfigArgs {
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
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
        for (word, expected) in [("file:~/x.wav", "file:/home/zoe/x.wav"), ("file:x~/y", "file:x~/y"), ("~/x", "~/x")] {
            assert_eq!(device_at_home(word.into(), Some(Path::new("/home/zoe"))), expected);
        }
    }

    #[test]
    fn help_lists_every_exit_code() {
        let help = command().find_subcommand_mut("record").unwrap().render_long_help().to_string();
        for exit in Exit::ALL {
            assert!(help.contains(exit.meaning()), "{exit:?}");
        }
    }
}
