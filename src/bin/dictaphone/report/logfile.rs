//! The log of `--log FILE`: what the library and the program write about what happens, for finding out why.
//!
//! Any thread may log but the sound system's callback. The lines are written by a `printer` of their own, so that with
//! a full disk or a pipe that is not read lines are dropped and no thread waits.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    path::Path,
    sync::OnceLock,
    time::Duration,
};

use dictaphone::{audio::local_time, clips::name::is_clip_name, storage::place};
use jiff::Zoned;
use log::{LevelFilter, Log, Metadata, Record};

use crate::{
    cli::ordinary,
    message::{Failure, visible},
    report::printer::{Printer, Worth},
};

/// Finer than that are things that happen many times a second.
const FINEST: LevelFilter = LevelFilter::Debug;

/// Other libraries log every message of their protocols at `Debug`.
const FINEST_OF_OTHERS: LevelFilter = LevelFilter::Info;

/// How long the end of the program waits for a file that accepts no data.
const LOG_TIMEOUT: Duration = Duration::from_secs(1);

static LOG: OnceLock<LogFile> = OnceLock::new();

struct LogFile(Printer);

/// From now on everything that is logged is appended to the file. At most once in a process.
///
/// # Errors
/// A usage failure if the file cannot be opened, or is a sound file.
pub(crate) fn open(path: &Path) -> Result<(), Failure> {
    refuse_sound(path)?;
    let printer = append(path).and_then(|file| Printer::start(Box::new(file))).map_err(|error| {
        Failure::usage(
            format!("cannot open the log {}: {error}", path.display()),
            "`--log` takes a file that can be written",
        )
    })?;
    if log::set_logger(LOG.get_or_init(|| LogFile(printer))).is_ok() {
        log::set_max_level(FINEST);
        log::info!("dictaphone {} begins, process {}", env!("CARGO_PKG_VERSION"), std::process::id());
    }
    Ok(())
}

/// Waits until everything is written, for a limited time: the program ends.
pub(crate) fn finish() {
    log::logger().flush();
}

/// Private, as recordings are.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    ordinary::open(path, &mut options)
}

/// A typing mistake must not append lines of text to a recording.
fn refuse_sound(path: &Path) -> Result<(), Failure> {
    let shown = visible(&path.to_string_lossy());
    let hint = "`--log` takes a file of text, such as dictaphone.log, and appends to it";
    if is_clip_name(path) || place::target_of_part(path).is_some() {
        return Err(Failure::usage(format!("{shown} is the name of a sound file, not of a log"), hint));
    }
    let mut start = Vec::new();
    // A file that cannot be read may still be appended to, and a file that does not exist yet is not a sound file.
    let _ =
        ordinary::open(path, OpenOptions::new().read(true)).and_then(|file| file.take(START).read_to_end(&mut start));
    if is_text(&start) {
        return Ok(());
    }
    Err(Failure::usage(format!("{shown} holds something else than text, so it is no log"), hint))
}

/// Bytes that show whether a file is one of text; the head of every sound file is within them.
const START: u64 = 512;

/// Whether the start of a file can be that of a text: UTF-8, cut off anywhere, without the control characters that no
/// log has.
fn is_text(start: &[u8]) -> bool {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            start.get(..error.valid_up_to()).and_then(|whole| std::str::from_utf8(whole).ok()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    text.chars().all(|c| !c.is_ascii_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}'))
}

impl Log for LogFile {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_ours = metadata.target().starts_with(env!("CARGO_PKG_NAME"));
        metadata.level() <= if is_ours { FINEST } else { FINEST_OF_OTHERS }
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = line(record, &local_time::now());
            // An error is ignored, as nothing depends on the log.
            let _ = self.0.print(line.into_bytes(), Worth::Kept);
        }
    }

    fn flush(&self) {
        self.0.settle(LOG_TIMEOUT);
    }
}

/// The time as in RFC 3339, the level, where it comes from, and the text.
fn line(record: &Record<'_>, at: &Zoned) -> String {
    let text = visible(&record.args().to_string());
    format!("{} {:5} {}: {text}\n", at.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z"), record.level(), record.target())
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    #[test]
    fn what_happens_many_times_a_second_is_left_out() {
        let log = LogFile(Printer::start(Box::new(io::sink())).unwrap());
        for (target, level, expected) in [
            ("dictaphone::capture", Level::Debug, true),
            ("dictaphone::capture", Level::Trace, false),
            ("pulseaudio::client", Level::Info, true),
            ("pulseaudio::client", Level::Debug, false),
        ] {
            let metadata = Metadata::builder().target(target).level(level).build();
            assert_eq!(log.enabled(&metadata), expected, "{target} {level}");
        }
    }

    #[test]
    fn sound_is_no_text() {
        for start in [
            &b"RIFF\x24\0\0\0WAVE"[..],
            b"fLaC\0\0\0\x22",
            b"OggS\0\x02",
            b"ID3\x04\0",
            b"\xff\xfb\x90",
            b"FORM\0\0\x10\0AIFF",
            b"\0\0\0\x20ftypM4A ",
        ] {
            assert!(!is_text(start), "{start:?}");
        }
        for start in ["", "2026-11-20 INFO dictaphone\n", "colours \u{1b}[1m, tabs\t and Ä"] {
            assert!(is_text(start.as_bytes()), "{start}");
        }
        assert!(is_text(&"xÄ".as_bytes()[..2]));
    }

    #[test]
    fn a_line_is_one_line_with_time_level_and_source() {
        let at: Zoned = "2026-11-20T14:05:09.25+01:00[Europe/Berlin]".parse().unwrap();
        let said = |level, text: &str| {
            line(
                &Record::builder().level(level).target("dictaphone::capture").args(format_args!("{text}")).build(),
                &at,
            )
        };
        assert_eq!(
            said(Level::Warn, "lost\n5 \u{1b}frames"),
            "2026-11-20T14:05:09.250+01:00 WARN  dictaphone::capture: lost\\u{a}5 \\u{1b}frames\n"
        );
        assert!(said(Level::Error, "x").contains(" ERROR dictaphone"));
    }
}
