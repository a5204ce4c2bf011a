//! The arguments of `ctl`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{limits, notes::CTL_NOTES};

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
