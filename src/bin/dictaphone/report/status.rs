//! The one live line about a running recording. Pure: facts and a width in, text out.
//!
//! `report` prints it, and not more often than ten times a second.

use std::{fmt::Write as _, time::Duration};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{message::visible, report::style::Style};

/// The lowest level that the bar shows, in dBFS.
const FLOOR_DBFS: f32 = -60.0;
/// From here on speech is loud enough, and from [`HOT_DBFS`] on it may clip soon.
const WARM_DBFS: f32 = -18.0;
const HOT_DBFS: f32 = -6.0;

const BAR_CELLS: usize = 20;
const BAR_CELLS_MIN: usize = 6;
const DEVICE_COLUMNS_MIN: usize = 6;

const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const DIM: &str = "2";
const ALARM: &str = "1;31";

/// What the recorder is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShownState {
    /// The device is opened, nothing has arrived yet.
    Waiting,
    /// Frames arrive and are kept.
    Recording,
    /// Frames arrive and are dropped.
    Paused,
    /// The file is made complete.
    Saving,
}

impl ShownState {
    /// Whether nothing is recorded any more.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Saving)
    }
}

/// Levels of the last tenth of a second, in dBFS; `f32::NEG_INFINITY` is true silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Levels {
    /// The highest sample.
    pub(crate) peak_dbfs: f32,
    /// The highest sample of the last seconds.
    pub(crate) hold_dbfs: f32,
}

/// What the line shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StatusFacts<'a> {
    /// What the recorder is doing.
    pub(crate) state: ShownState,
    /// Recorded time.
    pub(crate) time: Duration,
    /// The level, once there is one.
    pub(crate) levels: Option<Levels>,
    /// Samples that clipped.
    pub(crate) clipped: u64,
    /// Frames that were lost.
    pub(crate) lost: u64,
    /// The device's name, as it is.
    pub(crate) device: &'a str,
    /// How long the disk lasts, where the recording goes to one.
    pub(crate) disk_left: Option<Duration>,
}

/// The line, at most `width` columns wide. What matters least goes first when it gets narrow; the device's name is
/// shortened before it goes.
pub(crate) fn render(facts: &StatusFacts<'_>, width: usize, style: Style) -> String {
    let mut line = Line::new(width, style);
    let (sign, word, colour) = head(facts.state, style.unicode);
    line.push(&format!("{sign} {word}"), colour);
    line.push(" ", "");
    line.push(&clock(facts.time), "");

    let alarms = alarms(facts);
    let number = facts.levels.map(|levels| format!(" {} dBFS", decibels(levels.peak_dbfs)));
    let losses = format!("  lost {}", facts.lost);
    let device = visible(facts.device);
    let device_least = device.width().min(DEVICE_COLUMNS_MIN);
    let disk = facts.disk_left.map(|left| format!("  {} left", rough(left)));

    // Reserved from the most to the least important; what does not fit is left out.
    let mut left = line.left;
    let mut reserve = |columns: usize| left.checked_sub(columns).inspect(|rest| left = *rest).is_some();
    let shows_alarms = !alarms.is_empty() && reserve(alarms.width());
    let shows_bar = facts.levels.is_some() && reserve(BAR_CELLS_MIN + 3);
    let shows_number = number.as_ref().is_some_and(|number| reserve(number.width()));
    let shows_device = device_least > 0 && reserve(device_least + 2);
    let shows_losses = facts.lost == 0 && reserve(losses.width());
    let shows_disk = disk.as_ref().is_some_and(|disk| reserve(disk.width()));
    let wider_bar = if shows_bar { left.min(BAR_CELLS - BAR_CELLS_MIN) } else { 0 };
    let device_columns = device_least + left - wider_bar;

    if let Some(levels) = facts.levels.filter(|_| shows_bar) {
        line.push(" ", "");
        bar(&mut line, levels, BAR_CELLS_MIN + wider_bar);
    }
    if let Some(number) = number.filter(|_| shows_number) {
        line.push(&number, "");
    }
    if shows_device {
        line.push("  ", "");
        line.push(&shortened(&device, device_columns, style.unicode), "");
    }
    if shows_alarms {
        line.push(&alarms, ALARM);
    }
    if shows_losses {
        line.push(&losses, DIM);
    }
    if let Some(disk) = disk.filter(|_| shows_disk) {
        line.push(&disk, DIM);
    }
    line.text
}

/// A line that never grows beyond its width.
pub(crate) struct Line {
    text: String,
    left: usize,
    style: Style,
}

impl Line {
    /// An empty line of at most `width` columns.
    pub(crate) fn new(width: usize, style: Style) -> Self {
        Self { text: String::new(), left: width, style }
    }

    /// Columns that are left.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// The line as it is.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Appends `text`, cut to the columns that are left, in the colour of that SGR parameter.
    pub(crate) fn push(&mut self, text: &str, sgr: &str) {
        let text = if self.style.unicode { text.to_owned() } else { ascii(text) };
        let text = cut(&text, self.left);
        self.left = self.left.saturating_sub(text.width());
        if self.style.colour && !sgr.is_empty() && !text.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(self.text, "\x1b[{sgr}m{text}\x1b[0m");
        } else {
            self.text.push_str(text);
        }
    }
}

fn head(state: ShownState, unicode: bool) -> (&'static str, &'static str, &'static str) {
    match (state, unicode) {
        (ShownState::Waiting, true) => ("○", "WAIT", YELLOW),
        (ShownState::Waiting, false) => ("-", "WAIT", YELLOW),
        (ShownState::Recording, true) => ("●", "REC", RED),
        (ShownState::Recording, false) => ("*", "REC", RED),
        (ShownState::Paused, true) => ("‖", "PAUSE", YELLOW),
        (ShownState::Paused, false) => ("=", "PAUSE", YELLOW),
        (ShownState::Saving, true) => ("●", "SAVE", GREEN),
        (ShownState::Saving, false) => ("*", "SAVE", GREEN),
    }
}

fn alarms(facts: &StatusFacts<'_>) -> String {
    let mut text = String::new();
    if facts.lost > 0 {
        let _ = write!(text, "  lost {}", facts.lost);
    }
    if facts.clipped > 0 {
        let _ = write!(text, "  clipped {}", facts.clipped);
    }
    text
}

/// `00:01:23.4`, cut to the tenth, so that it never runs ahead.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{h:02}:{m:02}:{s:02}.{}", time.subsec_millis() / 100)
}

/// `-12.3`, always five columns wide from −99.9 to +99.9.
pub(crate) fn decibels(dbfs: f32) -> String {
    if dbfs.is_finite() { format!("{:5.1}", dbfs.clamp(-99.9, 99.9)) } else { " -inf".to_owned() }
}

/// `41 h 12 min`, `12 min`, `45 s`.
pub(crate) fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..360_000 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// The part of a bar of 1.0 that a level fills.
fn filled(dbfs: f32) -> f32 {
    // NaN and minus infinity fill nothing.
    if dbfs > FLOOR_DBFS { ((dbfs - FLOOR_DBFS) / -FLOOR_DBFS).min(1.0) } else { 0.0 }
}

fn bar(line: &mut Line, levels: Levels, cells: usize) {
    let unicode = line.style.unicode;
    let eighths = (filled(levels.peak_dbfs) * (cells * 8) as f32).round() as usize;
    let hold = ((filled(levels.hold_dbfs) * cells as f32) as usize).min(cells.saturating_sub(1));
    line.push(if unicode { "▕" } else { "[" }, "");
    for cell in 0..cells {
        let dbfs = FLOOR_DBFS * (1.0 - (cell as f32 + 0.5) / cells as f32);
        let colour = match dbfs {
            hot if hot >= HOT_DBFS => RED,
            warm if warm >= WARM_DBFS => YELLOW,
            _ => GREEN,
        };
        let part = eighths.saturating_sub(cell * 8).min(8);
        let (shape, colour) = match (part, unicode) {
            (8, true) => ('█', colour),
            (8, false) => ('#', colour),
            _ if cell == hold && filled(levels.hold_dbfs) > 0.0 => (if unicode { '│' } else { '|' }, colour),
            (0, true) => ('░', DIM),
            (1.., true) => (EIGHTHS.get(part).copied().unwrap_or(' '), colour),
            (4.., false) => ('=', colour),
            (_, false) => ('.', DIM),
        };
        line.push(shape.encode_utf8(&mut [0; 4]), colour);
    }
    line.push(if unicode { "▏" } else { "]" }, "");
}

/// `text` in at most `columns`, with an ellipsis where something is missing.
pub(crate) fn shortened(text: &str, columns: usize, unicode: bool) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let ellipsis = if unicode { "…" } else { "~" };
    format!("{}{ellipsis}", cut(text, columns.saturating_sub(1)))
}

/// The longest beginning of `text` that takes at most `columns`.
fn cut(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// Every character outside ASCII as a question mark for each of its columns.
pub(crate) fn ascii(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let (shown, times) = if c.is_ascii() { (c, 1) } else { ('?', c.width().unwrap_or(0)) };
            std::iter::repeat_n(shown, times)
        })
        .collect()
}

#[cfg(test)]
mod tests;
