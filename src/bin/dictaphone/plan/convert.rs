//! From arguments to decisions for `convert`. Pure.

use std::path::{Path, PathBuf};

use dictaphone::{
    audio::{ChannelMap, SampleFormat},
    storage::Existing,
};

use super::{
    JsonTo, PathKind, Surroundings, container_of, is_stdout, preset, refuse_stdout, shown,
    target::{ends_like_a_folder, explicit},
};
use crate::{
    cli::{ConvertArgs, container::Container},
    message::Failure,
};

/// Where the new clip goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Out {
    /// Standard output, which is not a terminal.
    Stdout,
    /// This file; what to do if it exists.
    File(PathBuf, Existing),
}

/// All decisions about one conversion.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Convert {
    /// Where it goes.
    pub(crate) out: Out,
    /// The format of the file or stream.
    pub(crate) container: Container,
    /// Frames a second in hertz, or the clip's own.
    pub(crate) sample_rate: Option<u32>,
    /// Channels, or the clip's own.
    pub(crate) channels: Option<u16>,
    /// Which of the clip's channels are kept, or all.
    pub(crate) map: Option<ChannelMap>,
    /// How a sample is stored, or as in the clip.
    pub(crate) sample_format: Option<SampleFormat>,
    /// Bits a second, for formats that can choose.
    pub(crate) bits_per_second: Option<u32>,
    /// How loud it is to be, in LUFS; else as it is.
    pub(crate) loudness_lufs: Option<f64>,
    /// Facts as JSON.
    pub(crate) json: Option<JsonTo>,
    /// The path of the finished file goes to standard output.
    pub(crate) prints_path: bool,
}

/// Decides what `convert` does.
///
/// # Errors
/// A usage failure for arguments that do not make sense, alone or together.
pub(crate) fn convert(args: &ConvertArgs, around: &Surroundings<'_>) -> Result<Convert, Failure> {
    let out = out(args, around)?;
    let to_stdout = out == Out::Stdout;
    let container = match (args.format, &out) {
        (Some(format), _) => format,
        (None, Out::Stdout) => Container::usual(),
        (None, Out::File(file, _)) => container_of(file, Container::usual())?,
    };
    let (sample_rate, channels, sample_format) = preset(args.preset);
    Ok(Convert {
        json: args.json.then_some(if to_stdout { JsonTo::Stderr } else { JsonTo::Stdout }),
        prints_path: !to_stdout && !args.json && (args.print_path || !around.stdout_is_terminal),
        out,
        container,
        sample_rate: args.rate.or(sample_rate),
        channels: args.channels.or(channels),
        map: args.map.clone(),
        sample_format: args.sample_format.or(args.preset.map(|_| sample_format)),
        bits_per_second: container.bits_per_second(args.bitrate)?,
        loudness_lufs: args.loudness,
    })
}

fn out(args: &ConvertArgs, around: &Surroundings<'_>) -> Result<Out, Failure> {
    if is_stdout(&args.out) {
        for (given, flag) in [(args.force, "--force"), (args.print_path, "--print-path")] {
            if given {
                let hint = format!("leave {flag} out, or write a file name instead of `-`");
                return Err(Failure::usage(format!("{flag} needs a file, and `-` is standard output"), hint));
            }
        }
        return refuse_stdout(around, "dictaphone convert CLIP - | aplay").map(|()| Out::Stdout);
    }
    if args.print_path && args.json {
        let hint = "leave one of them out; the JSON object has the path";
        return Err(Failure::usage("--print-path and --json both want standard output", hint));
    }
    refuse_folder(&args.out, around)?;
    explicit(&args.out, args.force, around).map(|(out, existing)| Out::File(out, existing))
}

fn refuse_folder(out: &Path, around: &Surroundings<'_>) -> Result<(), Failure> {
    if ends_like_a_folder(out) || (around.look)(out) == PathKind::Folder {
        return Err(Failure::usage(format!("{} is a folder", shown(out)), "write the name of the new file behind it"));
    }
    Ok(())
}
