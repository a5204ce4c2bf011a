//! `dictaphone recover`: makes unfinished recordings whole.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context as _;
use dictaphone::{
    Error, ErrorKind,
    clips::{self, Change, FileDamage, Outcome, Recovered, Twins, path_fields, retention},
    format,
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::convert::line;
use crate::{
    cli::{RecoverArgs, config::Config},
    message::{
        Hint, Message,
        exit::{Exit, code_of},
        quoted,
    },
    plan::{self, Surroundings},
    report::{Report, status},
    shelf,
};

/// Recovers what there is and reports it line by line.
///
/// # Errors
/// When it is not clear where to look, the folder of the second copies is missing, or standard output fails. A recording
/// that cannot be recovered is reported, does not prevent the recovery of the others, and makes the exit code 1.
pub(crate) fn run(args: &RecoverArgs, config: Config, report: &Report) -> anyhow::Result<Exit> {
    if let Some(also) = args.also.as_deref().filter(|also| !also.is_dir()) {
        return Err(plan::no_second_folder(also).into());
    }
    let mut places = places(args, config)?;
    let firsts = places.clone();
    places.extend(args.also.clone());
    let outcomes = clips::run_watched(&places, args.dry_run, &mut |path, advance| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        report.draw_line(Instant::now(), |width, style| line::render(advance, &name, width, style));
    });
    report.clear();
    // The answer reaches the same terminal through another stream.
    report.finish();
    let written = if args.json {
        let rows: Vec<RecoveredRow> = outcomes.iter().map(RecoveredRow::from).collect();
        report.facts(&rows)
    } else {
        let text: String = outcomes.iter().filter_map(|outcome| line(outcome, args.dry_run)).collect();
        report.data(text.as_bytes())
    };
    written.context("cannot write the list")?;
    for outcome in &outcomes {
        if let Outcome::Failed(path, error) = outcome {
            let message = Message::new(error.to_string());
            report.error(&match remedy(path, error) {
                Some(hint) => message.hint(hint),
                None => message,
            });
        }
    }
    if outcomes.is_empty() {
        report.note("nothing is unfinished");
    }
    let compared = args.also.as_deref().map_or(Exit::Done, |also| compare(&firsts, also, args.dry_run, report));
    Ok(match exit(&outcomes) {
        Exit::Done => compared,
        exit => exit,
    })
}

/// Compares every clip with its second copy, and completes the one that has less.
fn compare(firsts: &[PathBuf], also: &Path, dry_run: bool, report: &Report) -> Exit {
    let folders = firsts.iter().filter(|first| first.is_dir());
    let clips = folders.flat_map(|folder| retention::own_clips(folder).unwrap_or_default());
    let files = firsts.iter().filter(|first| first.is_file()).cloned();
    let mut exit = Exit::Done;
    for first in clips.map(|clip| clip.path).chain(files) {
        match clips::complete_twins(&first, also, dry_run) {
            Ok(Twins::Same) => {}
            Ok(Twins::Completed(path)) => {
                let done = if dry_run { "would be completed" } else { "completed" };
                report.note(&format!("{}  {done} from its other copy", shown(&path)));
            }
            Ok(Twins::Differ) => {
                let text = format!("{} and its second copy differ", shown(&first));
                report.warning(&Message::new(text).hint("neither was changed; listen to both"));
                exit = Exit::Incomplete;
            }
            Err(error) => {
                report.error(&Message::new(error.to_string()));
                exit = Exit::Failed;
            }
        }
    }
    exit
}

/// The remedy where there is nothing to repair: to read what can be read.
fn remedy(path: &Path, error: &Error) -> Option<Hint> {
    if !matches!(error.kind(), ErrorKind::NotSupported | ErrorKind::InvalidData) || error.io_kind().is_some() {
        return None;
    }
    if let Err(error) = format::open(path) {
        return shelf::unreadable(path, &error).message.hint;
    }
    if FileDamage::read(path, true).is_ok_and(|found| found.is_total()) {
        return Some("nothing of it can be read; another copy may be whole".into());
    }
    let name = path.display().to_string();
    let (from, to) = (quoted(&name), quoted(&format!("{name}.flac")));
    Some(format!("`dictaphone convert {from} {to}` makes a new file of what can be read of it").into())
}

/// Denied if that was the only kind of failure.
fn exit(outcomes: &[Outcome]) -> Exit {
    let mut failures = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Failed(_, error) => Some(code_of(error)),
        Outcome::Recovered(_) | Outcome::BeingWritten(_) => None,
    });
    match failures.next() {
        None => Exit::Done,
        Some(Exit::Denied) if failures.all(|exit| exit == Exit::Denied) => Exit::Denied,
        Some(_) => Exit::Failed,
    }
}

/// Where to look.
fn places(args: &RecoverArgs, config: Config) -> anyhow::Result<Vec<PathBuf>> {
    if !args.paths.is_empty() {
        return Ok(args.paths.clone());
    }
    let folder = plan::usable_clips_folder(args.dir.as_deref(), &Surroundings::look_around(config.record))?;
    // The clips folder is made by the first recording; before that there is nothing in it.
    Ok(if args.dir.is_none() && !folder.exists() { Vec::new() } else { vec![folder] })
}

fn line(outcome: &Outcome, dry_run: bool) -> Option<String> {
    let text = match outcome {
        Outcome::Recovered(recovered) => sentence(recovered, dry_run),
        Outcome::BeingWritten(path) => format!("{}  is still being written", shown(path)),
        Outcome::Failed(..) => return None,
    };
    Some(text + "\n")
}

fn sentence(recovered: &Recovered, dry_run: bool) -> String {
    let to = shown(&recovered.to);
    let length = recovered.duration().map_or_else(String::new, |length| format!("  {}", status::clock(length)));
    let damage = recovered.damage.as_ref().map(|damage| format!("is damaged: {damage}"));
    match (recovered.change, dry_run) {
        (Change::Nothing, _) if damage.is_some() => format!("{to}{length}  {}", damage.unwrap_or_default()),
        (Change::Nothing, _) => format!("{to}{length}  is whole"),
        (Change::Empty, _) => format!("{}  has no sound in it", shown(&recovered.from)),
        (_, false) => match damage {
            Some(damage) => format!("{to}{length}  recovered, {damage}"),
            None => format!("{to}{length}  recovered"),
        },
        (_, true) => format!("{to}{length}  would be recovered from {}", shown(&recovered.from)),
    }
}

fn shown(path: &Path) -> String {
    crate::message::visible(&path.to_string_lossy())
}

/// One path in the machine-readable output.
#[derive(Debug, Serialize)]
struct RecoveredRow<'a> {
    #[serde(flatten)]
    places: Places<'a>,
    outcome: &'static str,
    format: Option<&'static str>,
    frames: Option<u64>,
    duration_s: Option<f64>,
    size_bytes: Option<u64>,
    lost_frames: Option<u64>,
    error: Option<String>,
}

/// Where the recording is, and where it was.
#[derive(Debug)]
struct Places<'a> {
    path: &'a Path,
    from: Option<&'a Path>,
}

impl Serialize for Places<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        path_fields(&mut map, "path", self.path)?;
        match self.from {
            Some(from) => path_fields(&mut map, "from", from)?,
            None => map.serialize_entry("from", &None::<&str>)?,
        }
        map.end()
    }
}

impl<'a> From<&'a Outcome> for RecoveredRow<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        let bare = |path: &'a Path, outcome, error| Self {
            places: Places { path, from: None },
            outcome,
            format: None,
            frames: None,
            duration_s: None,
            size_bytes: None,
            lost_frames: None,
            error,
        };
        match outcome {
            Outcome::Recovered(recovered) => Self {
                places: Places { path: &recovered.to, from: Some(&recovered.from) },
                outcome: match recovered.change {
                    Change::Repaired => "repaired",
                    Change::Renamed => "renamed",
                    Change::Nothing if recovered.damage.is_some() => "damaged",
                    Change::Nothing => "whole",
                    Change::Empty => "empty",
                },
                format: Some(recovered.container),
                frames: recovered.frames,
                duration_s: recovered.duration().map(|duration| duration.as_secs_f64()),
                size_bytes: Some(recovered.size_bytes),
                lost_frames: Some(recovered.lost_frames),
                error: None,
            },
            Outcome::BeingWritten(path) => bare(path, "being_written", None),
            Outcome::Failed(path, error) => bare(path, "failed", Some(error.to_string())),
        }
    }
}
