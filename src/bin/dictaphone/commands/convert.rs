//! `dictaphone convert`: a clip in another format, rate or number of channels, into a file or a pipe.

pub(super) mod line;

use std::{
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use anyhow::Context as _;
use dictaphone::{
    Error, ErrorKind,
    audio::time::{duration_of, seconds},
    clips::{self as library, Advance, Clip, Conversion, Converted, Excerpt, Leveled, Loudness},
    format::{self, Format},
    storage::Existing,
};
use serde::Serialize;

use crate::{
    cli::{ConvertArgs, config::Config},
    input::{Inputs, command::Command},
    message::{self, Failure, Hint, Message, exit::Exit, visible},
    plan::{
        JsonTo, Surroundings, clips_folder,
        convert::{self as plan, Convert, Out},
        part,
    },
    report::{Report, json::FilePath, printer::Worth, status::clock},
    shelf,
};

/// Its name in messages.
const STDOUT: &str = "standard output";

/// Converts.
///
/// # Errors
/// A usage failure before anything is opened; later whatever prevented a complete new clip, and then there is none.
pub(crate) fn run(args: &ConvertArgs, config: Config, report: &Report) -> anyhow::Result<Exit> {
    let around = Surroundings::look_around(config.record);
    let plan = plan::convert(args, &around)?;
    let clip = shelf::find(&clips_folder(args.folder.dir.as_deref(), &around)?, &args.clip)?;
    let conversion = Conversion {
        sample_rate: plan.sample_rate,
        channels: plan.channels,
        map: plan.map.clone(),
        sample_format: plan.sample_format,
        bits_per_second: plan.bits_per_second,
        excerpt: excerpt(args, &clip)?,
        loudness_lufs: plan.loudness_lufs,
        ..Conversion::new(plan.container.format())
    };
    let cancelled = Arc::new(AtomicBool::new(false));
    let _inputs = listen(&cancelled, report)?;
    let name = clip.file_name().unwrap_or(clip.as_os_str()).to_string_lossy().into_owned();
    let mut watch = |advance: Advance| {
        report.draw_line(Instant::now(), |width, style| line::render(advance, &name, width, style));
        if cancelled.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let outcome = match &plan.out {
        Out::Stdout => library::convert_to_stream(&clip, &mut io::stdout().lock(), STDOUT, &conversion, &mut watch)
            .map(|converted| (None, converted)),
        Out::File(target, existing) => library::convert(&clip, target, &conversion, *existing, &mut watch)
            .map(|(path, converted)| (Some(path), converted)),
    };
    report.clear();
    match outcome {
        Ok((path, converted)) => {
            if let Some(damage) = &converted.damage {
                report.warning(&Message::new(format!("{} is damaged: {damage}", visible(&clip.to_string_lossy()))));
            }
            report_outcome(&plan, report, conversion.format, path, converted)
        }
        // The reader has closed the pipe.
        Err(error) if error.io_kind() == Some(io::ErrorKind::BrokenPipe) => Ok(Exit::Done),
        // The clip does not contain the part that was asked for; nothing is wrong with the clip.
        Err(error) if error.kind() == ErrorKind::InvalidData && conversion.excerpt != Excerpt::default() => {
            Err(Failure::of(&error, None).into())
        }
        Err(error) => Err(failure(&error, &clip, &plan).into()),
    }
}

/// Which part of the clip is meant.
fn excerpt(args: &ConvertArgs, clip: &Path) -> Result<Excerpt, Failure> {
    let whole = Excerpt { trims_silence: args.trim_silence, soft: args.crossfade, ..Excerpt::default() };
    // A clip that cannot be read is reported by the conversion.
    let Ok(decoder) = format::open(clip) else { return Ok(whole) };
    let part = part::frames(args.part, decoder.frames(), decoder.format().sample_rate)?;
    Ok(part.map_or(whole, |frames| Excerpt { from: frames.start, to: frames.end, ..whole }))
}

/// Ctrl-C and the like cancel.
fn listen(cancelled: &Arc<AtomicBool>, report: &Report) -> anyhow::Result<Inputs> {
    let cancelled = Arc::clone(cancelled);
    let deliver = move |intent| {
        if intent == Command::Stop {
            cancelled.store(true, Ordering::Relaxed);
        }
    };
    let inputs = Inputs::of_signals(Arc::new(deliver), report).context("cannot listen to signals")?;
    let hint = "nothing was converted; what is left of it is removed by the next run";
    inputs.set_last_words(Message::new("left before the conversion was cancelled").hint(hint));
    Ok(inputs)
}

/// Reports the outcome.
fn report_outcome(
    plan: &Convert,
    report: &Report,
    format: &'static Format,
    path: Option<PathBuf>,
    converted: Converted,
) -> anyhow::Result<Exit> {
    let audio = converted.audio;
    let exit = if converted.damage.is_some() { Exit::Incomplete } else { Exit::Done };
    let place = path.as_ref().map_or_else(|| STDOUT.to_owned(), |path| path.display().to_string());
    if path.is_some() {
        let length = clock(duration_of(converted.frames, audio.sample_rate));
        report.note(&format!("saved {place} · {length} · {audio}"));
    }
    if plan.sample_rate.is_none() && audio.sample_rate != converted.from.sample_rate {
        let (from, to) = (converted.from.sample_rate, audio.sample_rate);
        report.note(&format!("{} has no {from} Hz: resampled to {to} Hz in {place}", format.name));
    }
    if let Some(leveled) = &converted.loudness {
        report.note(&loudness(leveled));
    }
    if !converted.left_out.is_empty() {
        let missed = visible(&converted.left_out.join(", "));
        report.note(&format!("{} has no place for {missed}: not in {place}", format.name));
    }
    if converted.clipped > 0 {
        let text = format!("{} samples clipped at full scale in {place}", converted.clipped);
        report.warning(&Message::new(text).hint("`-b f32` keeps what is beyond full scale"));
    }
    if let Some(to) = plan.json {
        let facts = facts(format, path.as_deref(), &converted);
        let told = match to {
            JsonTo::Stdout => report.facts(&facts),
            JsonTo::Stderr => report.event(to, &facts, Worth::Kept),
        };
        told.context("cannot write the answer")?;
    } else if let Some(path) = path.filter(|_| plan.prints_path) {
        report.path(&path).context("cannot write the answer")?;
    }
    Ok(exit)
}

/// What was done about the loudness: before, after, and how.
fn loudness(leveled: &Leveled) -> String {
    let told = |loudness: Loudness| match (loudness.lufs, loudness.true_peak_dbtp) {
        (Some(lufs), Some(peak)) => format!("{lufs:.1} LUFS, true peak {peak:.1} dBTP"),
        _ => "silence".to_owned(),
    };
    let limited = if leveled.limited { ", peaks limited" } else { "" };
    let (before, after) = (told(leveled.before), told(leveled.after));
    format!("loudness before: {before} · after: {after} · gain {:+.1} dB{limited}", leveled.gain_db)
}

fn failure(error: &Error, clip: &Path, plan: &Convert) -> Failure {
    if error.kind() == ErrorKind::InvalidData {
        return shelf::unreadable(clip, error);
    }
    if error.kind() == ErrorKind::Abort {
        let message = Message::new("the conversion was cancelled").hint("nothing is left of it");
        return Failure::new(message, Exit::Interrupted);
    }
    Failure::of(error, remedy(error, plan))
}

fn remedy(error: &Error, plan: &Convert) -> Option<Hint> {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let hint = match (error.kind(), error.io_kind()) {
        _ if error.constraint().is_some() => return message::remedy(error),
        (_, Some(_)) if plan.out == Out::Stdout => return None,
        (_, Some(StorageFull | QuotaExceeded | FileTooLarge)) => {
            "nothing is left of it; make room, or write to another disk".to_owned()
        }
        (ErrorKind::AlreadyExists, _) if matches!(plan.out, Out::File(_, Existing::Replace)) => {
            "write another name; the clip itself is never changed".to_owned()
        }
        (ErrorKind::AlreadyExists, _) => "`--force` replaces it once the new one is complete".to_owned(),
        (ErrorKind::NotAllowed, _) => "write to a folder of your own, or change the rights".to_owned(),
        (ErrorKind::NotSupported, _) => "without -r, -c, -b and --preset it stays as it is in the clip".to_owned(),
        _ => return None,
    };
    Some(hint.into())
}

/// The new clip in the machine-readable output, with null for what is unknown.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    name: Option<String>,
    #[serde(flatten)]
    path: FilePath<'a>,
    format: &'static str,
    mime_type: String,
    duration_s: f64,
    frames: u64,
    sample_rate: u32,
    channels: u16,
    sample_format: &'static str,
    size_bytes: u64,
    recorded_at: Option<String>,
    clipped: u64,
    lost_frames: u64,
    left_out: &'a [String],
    #[serde(flatten)]
    loudness: Option<LoudnessFacts>,
}

/// A loudness that was changed, in the machine-readable output.
#[derive(Debug, Serialize)]
struct LoudnessFacts {
    loudness_lufs: Option<f64>,
    true_peak_dbtp: Option<f64>,
    loudness_before_lufs: Option<f64>,
    true_peak_before_dbtp: Option<f64>,
    gain_db: f64,
}

impl From<Leveled> for LoudnessFacts {
    fn from(leveled: Leveled) -> Self {
        Self {
            loudness_lufs: leveled.after.lufs,
            true_peak_dbtp: leveled.after.true_peak_dbtp,
            loudness_before_lufs: leveled.before.lufs,
            true_peak_before_dbtp: leveled.before.true_peak_dbtp,
            gain_db: leveled.gain_db,
        }
    }
}

fn facts<'a>(format: &Format, path: Option<&'a Path>, converted: &'a Converted) -> Facts<'a> {
    let audio = converted.audio;
    let clip = path.and_then(|path| Clip::read(path).ok());
    Facts {
        name: path.and_then(Path::file_stem).map(|name| name.to_string_lossy().into_owned()),
        path: FilePath(path),
        format: format.name,
        mime_type: format.full_mime_type(audio),
        duration_s: seconds(converted.frames, audio.sample_rate),
        frames: converted.frames,
        sample_rate: audio.sample_rate,
        channels: audio.channels,
        sample_format: audio.sample_format.name(),
        size_bytes: converted.size_bytes,
        recorded_at: clip.and_then(|clip| clip.recorded_at).map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()),
        clipped: converted.clipped,
        lost_frames: converted.lost_frames,
        left_out: &converted.left_out,
        loudness: converted.loudness.map(Into::into),
    }
}
