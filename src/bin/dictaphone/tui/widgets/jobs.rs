//! What is being made in the background, and its progress. Pure.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use crate::tui::{app::Model, keymap::Action};

/// Cells of the bar.
const BAR_CELLS: usize = 20;

/// One line: what, how much of it is done, and how to cancel it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the cells of the bar")]
pub(crate) fn line(model: &Model, columns: usize) -> Line<'static> {
    let theme = model.theme;
    let Some(job) = &model.shelf.job else { return Line::default() };
    let done = job.done.unwrap_or(0.0);
    let (full, empty) = if theme.unicode { ("█", "░") } else { ("#", ".") };
    let cells = ((done * BAR_CELLS as f64) as usize).min(BAR_CELLS);
    let bar = format!(" {}{} {:3.0}%", full.repeat(cells), empty.repeat(BAR_CELLS - cells), done * 100.0);
    // A user who is leaving has no keys any more.
    let is_told = columns >= 70 && !model.leaving;
    let key = model.keymap.key_of(Action::Clear, theme.unicode).filter(|_| is_told);
    let hint = key.map_or_else(String::new, |key| format!("  {key} gives up"));
    let what = theme.shortened(&job.what, columns.saturating_sub(bar.width() + hint.width()));
    Line::from(vec![Span::raw(what), Span::styled(bar, theme.good()), Span::styled(hint, theme.dim())])
}
