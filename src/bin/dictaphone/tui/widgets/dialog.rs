//! What lies over the rest: the list of inputs and the help; and the bottom line when a text is typed. Pure.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::{Block, Clear, Widget as _},
};
use textwrap::{Options, WordSplitter};
use tui_input::Input;
use unicode_width::UnicodeWidthStr;

use crate::{
    report::status,
    tui::{
        app::{InputLevel, InputRow, Model},
        keymap::{Bound, FIXED, When},
        layout,
        theme::Theme,
    },
};

/// Cells of the meter of an input, and of one of its channels.
const METER_CELLS: usize = 12;
const CHANNEL_CELLS: usize = 6;

/// Columns of an input, and of one of its channels.
const INPUT_COLUMNS: u16 = 64;
const CHANNEL_COLUMNS: usize = 12;

/// A frame with a title over the middle of `area`; returns what is inside.
fn window(model: &Model, area: Rect, (columns, rows): (u16, u16), title: &str, buffer: &mut Buffer) -> Rect {
    let (width, height) = ((columns + 4).min(area.width), (rows + 2).min(area.height));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    clear(place, buffer);
    let block = Block::bordered().border_set(model.theme.border()).title(format!(" {title} "));
    let inside = block.inner(place);
    block.render(place, buffer);
    Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
}

/// Makes room, also where the left half of a letter of two columns would reach into it.
fn clear(place: Rect, buffer: &mut Buffer) {
    Clear.render(place, buffer);
    for y in place.y..place.bottom() {
        let before = place.x.checked_sub(1).and_then(|x| buffer.cell_mut((x, y)));
        if let Some(cell) = before.filter(|cell| cell.symbol().width() > 1) {
            cell.set_symbol(" ");
        }
    }
}

fn rows_of(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX - 4)
}

/// Columns of the help, if there are as many.
const HELP_COLUMNS: usize = 54;
/// Columns before the keys of the help, and at least between them and what they do.
const INDENT: usize = 2;
const GAP: usize = 2;

/// Keys and what they do, in as many lines as that takes. What they do stands from column `place` on; keys that are too
/// long to stand before it have lines of their own.
fn help_lines(theme: Theme, keys: &str, help: &str, (place, columns): (usize, usize)) -> Vec<Line<'static>> {
    let line = |keys: &str, text: &str| {
        let padding = " ".repeat(if text.is_empty() { 0 } else { place.saturating_sub(INDENT + keys.width()) });
        let keys = Span::styled(keys.to_owned(), theme.key());
        Line::from(vec![Span::raw(" ".repeat(INDENT)), keys, Span::raw(format!("{padding}{text}"))])
    };
    let between_keys = Options::new(columns.saturating_sub(INDENT).max(1)).word_splitter(WordSplitter::NoHyphenation);
    let keys = textwrap::wrap(keys, between_keys);
    let texts = textwrap::wrap(help, columns.saturating_sub(place).max(1));
    let is_short = matches!(keys.as_slice(), [keys] if INDENT + keys.width() + GAP <= place);
    let alone = if is_short { 0 } else { keys.len() };
    let beside = keys.iter().skip(alone).map(AsRef::as_ref).chain(std::iter::repeat(""));
    let own = keys.iter().take(alone).map(|keys| line(keys, ""));
    own.chain(texts.iter().zip(beside).map(|(text, keys)| line(keys, text))).collect()
}

fn help_text(model: &Model, area: Rect) -> Vec<Line<'static>> {
    let theme = model.theme;
    let columns = HELP_COLUMNS.min(usize::from(area.width.saturating_sub(4)));
    let row = |bound: &Bound| (bound.binding.when, bound.names(theme.unicode), bound.binding.help);
    let rows: Vec<_> = model.keymap.rows().iter().map(row).collect();
    let keys = rows.iter().map(|(_, keys, _)| keys.as_str()).chain(FIXED.map(|(keys, _)| keys));
    let widest = keys.map(UnicodeWidthStr::width).max().unwrap_or(0);
    let widths = ((INDENT + widest + GAP).min(columns / 2), columns);
    let mut lines = Vec::new();
    for when in When::ALL {
        let heading = textwrap::wrap(when.heading(), columns.max(1));
        lines.extend(heading.into_iter().map(|line| Line::styled(line, theme.accent())));
        let rows = rows.iter().filter(|(then, ..)| *then == when);
        lines.extend(rows.flat_map(|(_, keys, help)| help_lines(theme, keys, help, widths)));
    }
    lines.extend(FIXED.iter().flat_map(|(keys, help)| help_lines(theme, keys, help, widths)));
    lines
}

/// Lines of the help that do not fit on the screen.
pub(crate) fn hidden_help(model: &Model) -> u16 {
    let area = layout::inside(model.size);
    rows_of(help_text(model, area).len()).saturating_sub(area.height.saturating_sub(2))
}

/// All keys, from the given line on.
pub(crate) fn help(model: &Model, first: u16, area: Rect, buffer: &mut Buffer) {
    let lines = help_text(model, area);
    let hidden = rows_of(lines.len()).saturating_sub(area.height.saturating_sub(2));
    let title = match (hidden, model.theme.unicode) {
        (0, _) => "keys",
        (_, true) => "keys · ↑↓ Esc",
        (_, false) => "keys - j k Esc",
    };
    let inside = window(model, area, (rows_of(HELP_COLUMNS), rows_of(lines.len())), title, buffer);
    for (line, row) in lines.into_iter().skip(usize::from(first.min(hidden))).zip(inside.rows()) {
        line.render(row, buffer);
    }
}

/// The inputs that can be chosen.
pub(crate) fn inputs(model: &Model, rows: Option<&[InputRow]>, selected: usize, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let Some(rows) = rows else {
        let inside = window(model, area, (30, 1), "input", buffer);
        return Line::styled("looking for inputs", theme.dim()).render(inside, buffer);
    };
    if rows.is_empty() {
        let inside = window(model, area, (30, 1), "input", buffer);
        return Line::styled("no input was found", theme.alarm()).render(inside, buffer);
    }
    let title = if theme.unicode { "input · Enter Esc" } else { "input - Enter Esc" };
    let width = usize::from(INPUT_COLUMNS.min(area.width.saturating_sub(4)));
    let channels = rows.get(selected).map(|input| channel_lines(model, input, width)).unwrap_or_default();
    let inside = window(model, area, (INPUT_COLUMNS, rows_of(rows.len() + channels.len())), title, buffer);
    // As much of the channels as fits, and always the input itself.
    let first = (selected + channels.len() + 1).saturating_sub(usize::from(inside.height).max(1)).min(selected);
    let line = |(place, input)| input_line(model, input, place == selected, usize::from(inside.width));
    let mut lines: Vec<Line<'_>> = rows.iter().enumerate().map(line).collect();
    let below = (selected + 1).min(lines.len());
    lines.splice(below..below, channels);
    for (line, row) in lines.into_iter().skip(first).zip(inside.rows()) {
        line.render(row, buffer);
    }
}

/// Which channels of an input are to be kept, and the level of each of them.
fn channel_lines(model: &Model, input: &InputRow, width: usize) -> Vec<Line<'static>> {
    let theme = model.theme;
    let peaks = input.peaks();
    if peaks.len() < 2 {
        return Vec::new();
    }
    let last = rows_of(peaks.len());
    let (one, all) = (input.name_of(1), input.name_of(0));
    let kept = match (input.map(), input.digit) {
        (_, Some(digit)) => format!("    channel {digit}_"),
        (Some(map), None) => format!("    keeps {map} {} {all} keeps all", theme.dot()),
        (None, None) => format!("    keeps all {} {one} to {last} choose", theme.dot()),
    };
    let cell = |(channel, dbfs): (u16, &f64)| {
        let is_chosen = input.chosen.contains(&channel);
        let name = format!("{}{:>2}", if is_chosen { "*" } else { " " }, input.name_of(channel));
        let style = if is_chosen { theme.accent() } else { theme.plain() };
        let text = format!("{name} {}", meter(model, *dbfs, CHANNEL_CELLS));
        Span::styled(format!("{text}{}", " ".repeat(CHANNEL_COLUMNS.saturating_sub(text.width()))), style)
    };
    let cells: Vec<Span<'static>> = (1..).zip(peaks).map(cell).collect();
    let in_line = (width.saturating_sub(4) / CHANNEL_COLUMNS).max(1);
    let indented = |cells: &[Span<'static>]| Line::from([&[Span::raw("    ")], cells].concat());
    std::iter::once(Line::styled(kept, theme.dim())).chain(cells.chunks(in_line).map(indented)).collect()
}

/// Default, name, level, sound system; on a narrow screen without the last.
fn input_line(model: &Model, input: &InputRow, selected: bool, width: usize) -> Line<'static> {
    let theme = model.theme;
    let style = if selected { theme.selected() } else { theme.plain() };
    let mark = format!("{}{} ", theme.pointer(selected), if input.is_default { "*" } else { " " });
    let host = if width >= 48 { theme.shortened(&input.host, 10) } else { String::new() };
    let level = level(model, &input.level);
    let room = width.saturating_sub(mark.width() + level.width() + 1 + 12 * usize::from(width >= 48));
    let label = theme.shortened(&input.label, room);
    let gap = " ".repeat(room.saturating_sub(label.width()));
    Line::from(vec![
        Span::styled(mark, style),
        Span::styled(label, style),
        Span::raw(gap),
        Span::raw(format!(" {level}  ")),
        Span::styled(host, theme.dim()),
    ])
}

/// A small meter, from -60 to 0 dBFS.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the cells of the meter")]
fn meter(model: &Model, dbfs: f64, width: usize) -> String {
    let (full, empty) = if model.theme.unicode { ("█", "░") } else { ("#", ".") };
    let cells = ((1.0 + dbfs / 60.0).clamp(0.0, 1.0) * width as f64).round() as usize;
    full.repeat(cells) + &empty.repeat(width - cells)
}

fn level(model: &Model, level: &InputLevel) -> String {
    match level {
        InputLevel::Unheard => " ".repeat(18),
        InputLevel::Opening => format!("{:<18}", "opening"),
        InputLevel::Nothing => format!("{:<18}", "cannot be opened"),
        InputLevel::Peaks(peaks) => {
            let loudest = peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            format!("{} {}", meter(model, loudest, METER_CELLS), status::decibels(loudest as f32))
        }
    }
}

/// The formats that a clip can be exported to.
pub(crate) fn export(model: &Model, formats: &[&'static str], selected: usize, area: Rect, buffer: &mut Buffer) {
    let title = if model.theme.unicode { "export as · Enter Esc" } else { "export as - Enter Esc" };
    let inside = window(model, area, (30, rows_of(formats.len())), title, buffer);
    for ((place, format), row) in formats.iter().enumerate().zip(inside.rows()) {
        let style = if place == selected { model.theme.selected() } else { model.theme.plain() };
        Line::styled(format!("{} {format}", model.theme.pointer(place == selected)), style).render(row, buffer);
    }
}

/// The markers of the clip that is played.
pub(crate) fn markers(model: &Model, selected: usize, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let marks = model.player.outline_of_playing().map(|outline| outline.markers.as_slice()).unwrap_or_default();
    let dot = theme.dot();
    let title = format!("markers {dot} Enter goes there, n names, d deletes, Esc");
    let inside = window(model, area, (60, rows_of(marks.len().max(1))), &title, buffer);
    if marks.is_empty() {
        return Line::styled("no markers yet", theme.dim()).render(inside, buffer);
    }
    let height = usize::from(inside.height).max(1);
    let first = (selected + 1).saturating_sub(height);
    for ((place, mark), row) in marks.iter().enumerate().skip(first).zip(inside.rows()) {
        let style = if place == selected { theme.selected() } else { theme.plain() };
        let text = theme.shortened(&mark.text, usize::from(row.width).saturating_sub(15));
        let line = format!("{} {}  {text}", theme.pointer(place == selected), status::clock(mark.at));
        Line::styled(line, style).render(row, buffer);
    }
}

/// A question with a text field behind it; returns where the cursor is.
pub(crate) fn field(
    model: &Model,
    (question, hint): (&str, &str),
    input: &Input,
    area: Rect,
    buffer: &mut Buffer,
) -> Position {
    let theme = model.theme;
    let width = usize::from(area.width);
    let question = format!("{question} ");
    let hint = if question.width() + hint.width() + 24 <= width { format!("  {hint}") } else { String::new() };
    let columns = width.saturating_sub(question.width() + hint.width()).max(2);
    // As they are shown: characters that would control the terminal are shown wider than they are.
    let letters: Vec<String> = input.value().chars().map(|c| theme.text(&c.to_string())).collect();
    let before = letters.get(..input.cursor()).unwrap_or(&letters);
    let mut left = columns - 1;
    let fitting = before.iter().rev().take_while(|letter| {
        let rest = left.checked_sub(letter.width());
        left = rest.unwrap_or(left);
        rest.is_some()
    });
    let first = before.len() - fitting.count();
    // What belongs to a letter that is not shown is not shown either.
    let lone = if first > 0 { before.iter().skip(first).take_while(|letter| letter.width() == 0).count() } else { 0 };
    let mut text = String::new();
    for letter in letters.iter().skip(first + lone) {
        if text.width() + letter.width() < columns {
            text.push_str(letter);
        }
    }
    let cursor = question.width() + before.iter().skip(first).map(|letter| letter.width()).sum::<usize>();
    let gap = " ".repeat(columns.saturating_sub(text.width()));
    let line = Line::from(vec![
        Span::styled(question, theme.key()),
        Span::raw(text),
        Span::raw(gap),
        Span::styled(hint, theme.dim()),
    ]);
    line.render(area, buffer);
    Position { x: area.x + rows_of(cursor), y: area.y }
}
