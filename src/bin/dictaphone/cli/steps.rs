//! The arguments of `record` for what happens during a recording: new files, the voice gate, what runs unattended.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, ValueHint};

use super::{
    duration, limits, paths,
    size::{self, Amount},
};

/// What opens the gate of `--vox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Vox {
    /// Somebody speaks; music and noise do not count
    Speech,
    /// The level is above the threshold
    Level,
}

/// The words.
#[derive(Debug, Clone, PartialEq, Default, Args)]
pub(crate) struct StepArgs {
    /// Go on in a new file every T or SIZE, `10m` or `100MB`, without losing a frame between
    ///
    /// In a folder each file is named by its own first frame; FILE becomes NAME-1.EXT, NAME-2.EXT and so on. Each is
    /// saved while the next one is recorded.
    #[arg(long, value_name = "T|SIZE", value_parser = size::parse_amount, allow_hyphen_values = true)]
    pub(crate) split: Option<Amount>,
    /// With `--split T`: at the full multiples of T of the wall clock, so that the first file is shorter
    #[arg(long)]
    pub(crate) split_align: bool,
    /// Stop before the files together are larger than this
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_hyphen_values = true)]
    pub(crate) max_size: Option<u64>,
    /// Record only while somebody speaks, or while it is loud
    ///
    /// What lies between is cut out and counted, and markers show the cuts.
    #[arg(long, value_name = "WHAT", value_enum, ignore_case = true, num_args = 0..=1, require_equals = true,
        default_missing_value = "speech")]
    pub(crate) vox: Option<Vox>,
    /// A new file each time that somebody speaks; implies --vox
    #[arg(long)]
    pub(crate) vox_split: bool,
    /// The lowest level in dBFS that opens the gate [default: -40 for `--vox=level`]; `dictaphone levels` finds one
    #[arg(long, value_name = "DB", value_parser = limits::threshold_dbfs, allow_hyphen_values = true)]
    pub(crate) threshold: Option<f32>,
    /// How long the gate stays open after that [default: 2s]
    #[arg(long, value_name = "T", value_parser = duration::parse_position, allow_hyphen_values = true)]
    pub(crate) hang: Option<Duration>,
    /// Keep the last T in memory while paused or while the gate is closed, and go on with it [default: with --vox 500ms
    /// of the closed gate]
    #[arg(long, value_name = "T", value_parser = limits::pre_roll, allow_hyphen_values = true)]
    pub(crate) pre_roll: Option<Duration>,
    /// Stop when nobody has spoken for T in any channel, once somebody has; music is not speech
    #[arg(long, value_name = "T", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) stop_on_silence: Option<Duration>,
    /// Wait so long for a device or sound server that is not there yet
    #[arg(long, value_name = "T", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) wait_device: Option<Duration>,
    /// After each saved file delete the oldest files that dictaphone made in its folder, until the rest fits
    ///
    /// For good, not into the trash. T is recorded time. Never deleted are the newest, files with markers, which count
    /// all the same, and whatever another program made. A disk that gets full costs the oldest files and not the recording.
    #[arg(long, value_name = "T|SIZE", value_parser = size::parse_amount, allow_hyphen_values = true)]
    pub(crate) keep: Option<Amount>,
    /// With --keep: say what would be deleted now, and do nothing
    #[arg(long, requires = "keep")]
    pub(crate) dry_run: bool,
    /// Write a second copy into this folder at the same time
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, value_parser = paths())]
    pub(crate) also: Option<PathBuf>,
    /// Play a short tone at the start and at the stop, which is not in the recording
    #[arg(long)]
    pub(crate) cue: bool,
}
