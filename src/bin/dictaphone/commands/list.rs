//! `dictaphone list`: the clips of a folder.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use dictaphone::clips::{Clip, FileDamage, Listing, SortKey};
use serde::Serialize;

use crate::{
    cli::{ListArgs, SortBy, config::Config},
    message::{Message, exit::Exit, file_failure, visible},
    plan::{self, Surroundings},
    report::{
        Report,
        quantity::{length, size},
        status::shortened,
        table,
    },
};

/// Columns that the facts behind a name take, and the fewest that are left for a name.
const FACTS_COLUMNS: usize = 46;
const NAME_COLUMNS_MIN: usize = 12;

/// Lists the clips on standard output.
///
/// # Errors
/// If the folder cannot be read, or standard output fails. The clips folder need not exist before the first recording,
/// but one that was named must.
pub(crate) fn run(args: &ListArgs, config: Config, report: &Report) -> anyhow::Result<Exit> {
    let folder = plan::usable_clips_folder(args.folder.dir.as_deref(), &Surroundings::look_around(config.record))?;
    let mut listing = match Listing::read(&folder) {
        Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) && args.folder.dir.is_none() => {
            Listing::default()
        }
        listing => listing.map_err(|error| file_failure(&error).hint(plan::CLIPS_FOLDER))?,
    };
    listing.sort(key(args.sort), args.reverse);
    let written = if args.json {
        report.facts(&with_losses(&listing.clips))
    } else {
        let columns = name_columns();
        let rows: Vec<_> = listing.clips.iter().map(|clip| row(clip, columns, report.speaks_utf8())).collect();
        let broken: Vec<bool> = listing.clips.iter().map(|clip| clip.error.is_some()).collect();
        let text = match io::stdout().is_terminal() {
            true => headed(&rows, &broken, report.style_of_screen().colour),
            false => table::render(&rows),
        };
        report.data(text.as_bytes())
    };
    written.context("cannot write the answer")?;
    if !args.json {
        remark(&listing, &folder.display().to_string(), report);
    }
    Ok(Exit::Done)
}

/// Bytes of clips that are read to their end by one list: about a second's work.
const READ_BYTES_MAX: u64 = 32 << 20;

/// A clip in the machine-readable output.
#[derive(Debug, Serialize)]
struct ListRow<'a> {
    #[serde(flatten)]
    clip: &'a Clip,
    /// Null where it is noted nowhere and the list would take too long to find out.
    lost_frames: Option<u64>,
}

/// The clips with what is missing in them. Formats with checksums are read to their end, the first ones of the list at
/// least.
fn with_losses(clips: &[Clip]) -> Vec<ListRow<'_>> {
    let mut left = READ_BYTES_MAX;
    let mut lost = |clip: &Clip| {
        let size = clip.size_bytes.unwrap_or(0);
        let all = clip.format.as_deref().is_some_and(|format| format != "wav") && size <= left;
        left -= if all { size } else { 0 };
        let is_read = clip.error.is_none() && clip.sample_rate.is_some();
        is_read.then(|| FileDamage::read(&clip.path, all).ok()?.frames()).flatten()
    };
    clips.iter().map(|clip| ListRow { clip, lost_frames: lost(clip) }).collect()
}

/// What the table does not show.
fn remark(listing: &Listing, folder: &str, report: &Report) {
    for error in listing.clips.iter().filter_map(|clip| clip.error.as_ref()) {
        report.warning(&Message::new(error));
    }
    if listing.clips.is_empty() {
        report.note(&format!("no clips in {folder}"));
    }
    let growing = listing.unfinished.iter().filter(|unfinished| unfinished.is_being_written).count();
    for (count, what) in [
        (growing, "being recorded"),
        (listing.unfinished.len() - growing, "unfinished, which `dictaphone recover` makes whole"),
    ] {
        if count > 0 {
            report.note(&format!("{count} {what}"));
        }
    }
}

fn key(sort: SortBy) -> SortKey {
    match sort {
        SortBy::Date => SortKey::Date,
        SortBy::Name => SortKey::Name,
        SortBy::Length => SortKey::Length,
        SortBy::Size => SortKey::Size,
        SortBy::Format => SortKey::Format,
    }
}

/// Columns for a name on a terminal, where one long name would break every line; programs get all of it.
fn name_columns() -> usize {
    if !io::stdout().is_terminal() {
        return usize::MAX;
    }
    crossterm::terminal::size()
        .map_or(usize::MAX, |(columns, _)| usize::from(columns).saturating_sub(FACTS_COLUMNS).max(NAME_COLUMNS_MIN))
}

/// The table with a line of column headings above it, for people. Clips that cannot be read are red.
fn headed(rows: &[[String; 5]], broken: &[bool], colour: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head = ["name", "length", "format", "size", "recorded"].map(str::to_owned);
    let text = table::render(&[&[head], rows].concat());
    if !colour {
        return text;
    }
    let sgr = |line: usize| match line.checked_sub(1) {
        None => Some("1"),
        Some(clip) => broken.get(clip).filter(|&&broken| broken).map(|_| "31"),
    };
    let painted = text.lines().enumerate().map(|(number, line)| match sgr(number) {
        Some(sgr) => format!("\u{1b}[{sgr}m{line}\u{1b}[0m\n"),
        None => format!("{line}\n"),
    });
    painted.collect()
}

/// Name, length, format, size, date; what is unknown is a dash.
fn row(clip: &Clip, columns: usize, utf8: bool) -> [String; 5] {
    let dash = || "-".to_owned();
    [
        shortened(&visible(&clip.name), columns, utf8),
        clip.duration_s.map_or_else(dash, length),
        clip.format.as_deref().map_or_else(dash, visible),
        clip.size_bytes.map_or_else(dash, size),
        clip.recorded_at.as_ref().map_or_else(dash, |time| time.strftime("%Y-%m-%d %H:%M").to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_a_head_and_colours_where_it_has_them() {
        let rows = [["a", "00:00:01", "wav", "1 kB", "today"], ["b", "-", "flac", "2 B", "-"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        let plain = "name  length    format  size  recorded\na     00:00:01  wav     1 kB  today\nb     -         flac    2 B   -\n";
        assert_eq!(headed(&rows, &[false, true], false), plain);
        let coloured = headed(&rows, &[false, true], true);
        assert!(coloured.starts_with("\u{1b}[1mname") && coloured.contains("\n\u{1b}[31mb "), "{coloured:?}");
        assert_eq!(coloured.replace("\u{1b}[1m", "").replace("\u{1b}[31m", "").replace("\u{1b}[0m", ""), plain);
        assert_eq!(headed(&[], &[], true), "");
    }
}
