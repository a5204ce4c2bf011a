//! The list of clips. Pure.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget as _,
};
use unicode_width::UnicodeWidthStr as _;

use crate::{
    status,
    tui::app::{Model, Take},
};

/// Columns of length, format and date, with the gap before each.
const LENGTH: usize = 10;
const FORMAT: usize = 6;
const DATE: usize = 14;
/// A name gets at least so many columns before anything else is shown.
const NAME_LEAST: usize = 20;

pub(crate) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let takes = &model.takes;
    let rows = takes.shown.iter().enumerate().skip(takes.offset);
    for ((place, index), row) in rows.zip(area.rows()) {
        if let Some(take) = takes.all.get(*index) {
            let line = line(model, take, usize::from(area.width), place == takes.selected);
            line.render(row, buffer);
        }
    }
    if takes.shown.is_empty() {
        let text = match () {
            () if !takes.known => "reading the folder",
            () if takes.all.is_empty() => "no clips yet",
            () => "no clip has that in its name",
        };
        Line::styled(format!("  {text}"), model.theme.dim()).render(area, buffer);
    }
}

fn line(model: &Model, take: &Take, width: usize, selected: bool) -> Line<'static> {
    let theme = model.theme;
    let mut left = width.saturating_sub(2 + NAME_LEAST);
    let mut reserve = |columns: usize| left.checked_sub(columns).inspect(|rest| left = *rest).is_some();
    let (has_length, has_format, has_date) = (reserve(LENGTH), reserve(FORMAT), reserve(DATE));
    let name_columns = NAME_LEAST.min(width.saturating_sub(2)) + left;
    let name = theme.shortened(&take.name, name_columns);
    let name = format!("{name}{}", " ".repeat(name_columns.saturating_sub(name.width())));
    let played = model.playing.as_ref().filter(|playing| playing.path == take.path);
    let mark = match (selected, theme.unicode) {
        (_, true) if played.is_some_and(|playing| playing.is_paused) => "‖ ",
        (_, false) if played.is_some_and(|playing| playing.is_paused) => "= ",
        (_, true) if played.is_some() => "▶ ",
        (_, false) if played.is_some() => "* ",
        (true, true) => "▸ ",
        (true, false) => "> ",
        (false, _) => "  ",
    };
    let mut spans = vec![Span::raw(mark), Span::raw(name)];
    let quiet = if selected { Style::new() } else { theme.dim() };
    if has_length {
        let length = take.length.map_or_else(|| "unreadable".to_owned(), clock);
        let style = if take.error.is_some() && !selected { theme.alarm() } else { Style::new() };
        spans.push(Span::styled(format!("{length:>LENGTH$}"), style));
    }
    if has_format {
        spans.push(Span::styled(format!("  {:<4}", theme.shortened(&take.format, 4)), quiet));
    }
    if has_date {
        let date = take.at.as_ref().map_or_else(String::new, |at| at.strftime("%d %b %H:%M").to_string());
        spans.push(Span::styled(format!("{date:>DATE$}"), quiet));
    }
    let line = Line::from(spans);
    if selected { line.style(theme.selected()) } else { line }
}

/// `00:42:10`, to the second.
fn clock(length: std::time::Duration) -> String {
    let clock = status::clock(length);
    clock.rsplit_once('.').map_or_else(|| clock.clone(), |(seconds, _)| seconds.to_owned())
}
