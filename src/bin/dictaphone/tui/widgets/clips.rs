//! The list of clips. Pure.

use std::time::Duration;

use dictaphone::clips::{
    Bin, SortKey,
    draw::{self, Scale},
};
use jiff::Zoned;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget as _,
};
use unicode_width::UnicodeWidthStr as _;

use crate::{
    report::{quantity::size, status},
    tui::{
        app::{ClipRow, Kind, Model, SKETCH_COLUMNS, Sketch},
        keymap::Action,
    },
};

/// Columns of length, format, date and size, with the gap before each.
const LENGTH: usize = 10;
const FORMAT: usize = 6;
const DATE: usize = 14;
const SIZE: usize = 9;
/// Columns before the small waveform, and the fewest that it has.
const GAP: usize = 2;
const SKETCH_LEAST: usize = 12;
/// A name gets at least so many columns before anything else is shown, and no more than that of a wide screen.
const NAME_LEAST: usize = 20;
const NAME_MOST: usize = 36;

pub(crate) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let takes = &model.shelf.takes;
    let rows = takes.shown.iter().enumerate().skip(takes.offset);
    for ((place, index), row) in rows.zip(area.rows()) {
        if let Some(take) = takes.all.get(*index) {
            let line = line(model, take, usize::from(area.width), place == takes.selected);
            line.render(row, buffer);
        }
    }
    scrollbar(model, area, buffer);
    if takes.shown.is_empty() {
        let key = model.keymap.key_of(Action::Record, model.theme.unicode);
        let begin = key.map_or_else(|| "no clips yet".to_owned(), |key| format!("no clips yet; press {key} to record"));
        let (text, style) = match &takes.trouble {
            Some(trouble) => (trouble.as_str(), model.theme.alarm()),
            None if !takes.known => ("reading the folder", model.theme.dim()),
            None if takes.all.is_empty() => (begin.as_str(), model.theme.plain()),
            None => ("no clip has all of that in its name", model.theme.dim()),
        };
        let text = model.theme.shortened(text, usize::from(area.width).saturating_sub(2));
        Line::styled(format!("  {text}"), style).render(area, buffer);
    }
}

/// Where in the list the rows are, on the frame beside them.
fn scrollbar(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (all, page) = (model.shelf.takes.shown.len(), usize::from(area.height));
    if all <= page {
        return;
    }
    let thumb = (page * page / all).max(1);
    let offset = model.shelf.takes.offset * (page - thumb) / (all - page);
    let symbol = if model.theme.unicode { "┃" } else { "#" };
    for row in area.rows().skip(offset).take(thumb) {
        if let Some(cell) = buffer.cell_mut((row.right(), row.y)) {
            cell.set_symbol(symbol).set_style(model.theme.key());
        }
    }
}

/// Which columns there is room for. Room for the more important ones is reserved first.
struct Columns {
    name: usize,
    length: bool,
    format: bool,
    date: bool,
    size: bool,
    sketch: usize,
}

impl Columns {
    fn fit(width: usize, order: SortKey) -> Self {
        let mut left = width.saturating_sub(2 + NAME_LEAST);
        let mut reserve = |columns: usize| left.checked_sub(columns).inspect(|rest| left = *rest).is_some();
        let by_size = order == SortKey::Size && reserve(SIZE);
        let (length, format, date) = (reserve(LENGTH), reserve(FORMAT), reserve(DATE));
        let has_sketch = reserve(GAP + SKETCH_LEAST);
        let size = by_size || (has_sketch && reserve(SIZE));
        // What is left goes to both, to a name first.
        let wider = if has_sketch { left.saturating_sub(NAME_MOST - NAME_LEAST).max(left / 3) } else { 0 };
        let sketch = if has_sketch { (SKETCH_LEAST + wider).min(SKETCH_COLUMNS) } else { 0 };
        let left = left - sketch.saturating_sub(SKETCH_LEAST);
        Self { name: NAME_LEAST.min(width.saturating_sub(2)) + left, length, format, date, size, sketch }
    }
}

fn line(model: &Model, take: &ClipRow, width: usize, selected: bool) -> Line<'static> {
    let theme = model.theme;
    let columns = Columns::fit(width, model.shelf.takes.order);
    let name = theme.shortened(&take.clip.name, columns.name);
    let name = format!("{name}{}", " ".repeat(columns.name.saturating_sub(name.width())));
    let chosen = if selected { theme.selected() } else { Style::new() };
    let mut spans = vec![Span::styled(mark(model, take, selected), chosen), Span::styled(name, chosen)];
    let quiet = theme.dim();
    if columns.length {
        let (text, style) = length(model, take);
        spans.push(Span::styled(format!("{text:>LENGTH$}"), style));
    }
    if columns.format {
        let format = take.clip.format.as_deref().unwrap_or_else(|| extension(take));
        spans.push(Span::styled(format!("  {:<4}", theme.shortened(format, 4)), quiet));
    }
    if columns.size {
        let size = take.clip.size_bytes.map_or_else(String::new, size);
        spans.push(Span::styled(format!("{size:>SIZE$}"), quiet));
    }
    if columns.date {
        let date = take.clip.recorded_at.as_ref().map_or_else(String::new, |at| date(model, at));
        spans.push(Span::styled(format!("{date:>DATE$}"), quiet));
    }
    if columns.sketch > 0 {
        spans.push(Span::styled(format!("{:>GAP$}{}", "", sketch(model, take, columns.sketch)), theme.good()));
    }
    Line::from(spans)
}

/// What is played, what is unfinished, and where the cursor is.
fn mark(model: &Model, take: &ClipRow, selected: bool) -> &'static str {
    let played = model.player.playing.as_ref().filter(|playing| playing.path == take.clip.path);
    match (played.map(|playing| playing.is_paused), take.kind, selected, model.theme.unicode) {
        (Some(true), _, _, true) => "‖ ",
        (Some(true), _, _, false) => "= ",
        (Some(false), _, _, true) => "▶ ",
        (Some(false), _, _, false) => "* ",
        (None, Kind::Unfinished, ..) => "! ",
        (None, _, true, true) => "▸ ",
        (None, _, true, false) => "> ",
        (None, _, false, _) => "  ",
    }
}

fn length(model: &Model, take: &ClipRow) -> (String, Style) {
    let alarm = model.theme.alarm();
    match (take.kind, take.clip.duration_s.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())) {
        (Kind::Unfinished, _) => ("unfinished".to_owned(), alarm),
        (Kind::Whole, Some(length)) => (clock(length), Style::new()),
        (Kind::Whole, None) if take.clip.error.is_none() || take.is_raw() => {
            ("no length".to_owned(), model.theme.dim())
        }
        (Kind::Whole, None) => ("unreadable".to_owned(), alarm),
    }
}

/// The day, with the time or, if it was in another year, with that.
fn date(model: &Model, at: &Zoned) -> String {
    let is_of_another_year = model.year.is_some_and(|year| year != at.year());
    at.strftime(if is_of_another_year { "%d %b %Y" } else { "%d %b %H:%M" }).to_string()
}

fn extension(take: &ClipRow) -> &str {
    take.clip.path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

/// `00:42:10`, to the second.
fn clock(length: Duration) -> String {
    let clock = status::clock(length);
    clock.rsplit_once('.').map_or_else(|| clock.clone(), |(seconds, _)| seconds.to_owned())
}

/// The small waveform in so many columns.
fn sketch(model: &Model, take: &ClipRow, columns: usize) -> String {
    let Sketch::Known(bins) = &take.sketch else { return String::new() };
    let part = |column: usize| {
        let (from, to) = (column * bins.len() / columns.max(1), (column + 1) * bins.len() / columns.max(1));
        Bin::of(bins.get(from..to.max(from + 1).min(bins.len())).unwrap_or_default())
    };
    let parts: Vec<Bin> = (0..columns).map(part).collect();
    draw::bars(&parts, Scale::of_bodies(&parts), model.theme.unicode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_keeps_its_room_and_every_column_is_used() {
        for width in 0..200 {
            for order in [SortKey::Date, SortKey::Size] {
                let columns = Columns::fit(width, order);
                let part = |shown, width| if shown { width } else { 0 };
                let used = 2
                    + columns.name
                    + part(columns.length, LENGTH)
                    + part(columns.format, FORMAT)
                    + part(columns.date, DATE)
                    + part(columns.size, SIZE)
                    + part(columns.sketch > 0, GAP + columns.sketch);
                assert_eq!(used, width.max(2), "{width}");
                assert!(columns.name >= NAME_LEAST.min(width.saturating_sub(2)), "{width}");
            }
        }
    }
}
