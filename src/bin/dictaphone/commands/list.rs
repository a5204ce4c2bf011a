//! `dictaphone list`: the clips of a folder.

use std::io::{self, IsTerminal as _};

use dictaphone::clips::{Clip, Listing, SortKey};

use crate::{
    cli::{ListArgs, SortBy, config::Config},
    message::{Failure, Message, cannot_write, exit::Exit, file_failure, visible},
    plan::{self, Surroundings},
    report::{
        Report,
        quantity::{length, size},
        status::shortened,
        table,
    },
};

/// Columns that the facts behind a name take, and the fewest that are left for a name.
const FACTS: usize = 46;
const SHORTEST: usize = 12;

/// Lists the clips on standard output.
///
/// # Errors
/// If the folder cannot be read, or standard output fails. The clips folder need not exist before the first recording,
/// but one that was named must.
pub(crate) fn run(args: &ListArgs, config: Config, report: &Report) -> Result<Exit, Failure> {
    let folder = plan::usable_clips_folder(args.folder.dir.as_deref(), &Surroundings::look_around(config.record))?;
    let mut listing = match Listing::read(&folder) {
        Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) && args.folder.dir.is_none() => {
            Listing::default()
        }
        listing => listing.map_err(|error| file_failure(&error).hint(plan::CLIPS_FOLDER))?,
    };
    listing.sort(key(args.sort), args.reverse);
    let written = if args.json {
        report.facts(&listing.clips)
    } else {
        let columns = name_columns();
        let rows: Vec<_> = listing.clips.iter().map(|clip| row(clip, columns, report.speaks_utf8())).collect();
        report.data(table::render(&rows).as_bytes())
    };
    written.map_err(cannot_write)?;
    if !args.json {
        remark(&listing, &folder.display().to_string(), report);
    }
    Ok(Exit::Done)
}

/// What the table does not tell.
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
        .map_or(usize::MAX, |(columns, _)| usize::from(columns).saturating_sub(FACTS).max(SHORTEST))
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
