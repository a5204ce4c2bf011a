//! The level of the last seconds, from left to right; when the right end is reached, the picture moves on by a quarter.
//! Moving on with every step would send the whole picture again and again. Pure.

use dictaphone::clips::draw::Scale;
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::canvas::Canvas;
use crate::tui::{
    app::{Column, Model},
    theme::Theme,
};

/// From three rows on the picture is mirrored, as the waveform of an editor.
pub(super) const MIRRORED_ROWS: u16 = 3;

pub(crate) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut canvas = Canvas::new(area, theme.unicode);
    let shown = shown(model, canvas.columns(), canvas.columns_of(0).len());
    for (x, column) in shown.iter().enumerate() {
        let heights = (Scale::FULL.height(column.loudness), Scale::FULL.height(column.peak));
        bar(&mut canvas, x, heights, area.height >= MIRRORED_ROWS);
    }
    let columns_of = |cell: usize| shown.get(canvas.columns_of(cell).start..).unwrap_or_default().iter().copied();
    let across = canvas.columns_of(0).len();
    canvas.draw_outlined(buffer, |cell, is_solid| {
        style(theme, columns_of(cell).take(across).max_by(|a, b| a.peak.total_cmp(&b.peak)), is_solid)
    });
    for (x, _) in shown.iter().enumerate().filter(|(_, column)| column.is_marked) {
        let x = area.x + u16::try_from(x / across.max(1)).unwrap_or(u16::MAX);
        put_marker(theme, buffer, x, area.y);
    }
}

/// The columns that the picture begins with and all that follow.
fn shown(model: &Model, columns: usize, across: usize) -> Vec<Column> {
    let live = &model.live;
    let first = first(live.passed + live.columns.len() as u64, columns as u64, across as u64);
    let skipped = usize::try_from(first.saturating_sub(live.passed)).unwrap_or(usize::MAX);
    // Sound from before the start may have gone into the recording as well.
    let taken = live.started.map_or(0..0, |(started, taken)| started.saturating_sub(taken)..started);
    let column = |(place, column): (usize, &Column)| {
        let kept = column.kept || taken.contains(&(live.passed + place as u64));
        Column { kept, ..*column }
    };
    live.columns.iter().enumerate().skip(skipped).take(columns).map(column).collect()
}

/// The first column of a picture that shows the last of `total`.
fn first(total: u64, columns: u64, across: u64) -> u64 {
    let step = (columns / 4 / across.max(1) * across).max(across.max(1));
    total.saturating_sub(columns).div_ceil(step) * step
}

pub(super) fn put_marker(theme: Theme, buffer: &mut Buffer, x: u16, y: u16) {
    if let Some(cell) = buffer.cell_mut((x, y)) {
        cell.set_symbol(if theme.unicode { "▾" } else { "v" }).set_style(theme.accent());
    }
}

fn style(theme: Theme, column: Option<Column>, is_solid: bool) -> Style {
    match column {
        Some(column) if column.peak >= dictaphone::audio::LevelMeter::CLIPPED => theme.hot(),
        Some(column) if column.kept && is_solid => theme.good(),
        _ => theme.dim(),
    }
}

/// A bar from the bottom, or to both sides of the middle, and a dot where its peak is. Silence is a line, to show that
/// time goes on.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the rows of a screen")]
pub(super) fn bar(canvas: &mut Canvas, x: usize, (body, peak): (f64, f64), mirrored: bool) {
    let rows = canvas.rows();
    if mirrored {
        let middle = rows / 2;
        let reach = |height: f64| (height * (middle as f64 - 1.0)).round() as usize;
        canvas.line(x, middle.saturating_sub(1 + reach(body)), middle + reach(body));
        canvas.trace(x, middle.saturating_sub(1 + reach(peak)));
        canvas.trace(x, middle + reach(peak));
    } else {
        let reach = |height: f64| rows.saturating_sub(1 + (height * (rows as f64 - 1.0)).round() as usize);
        canvas.line(x, reach(body), rows.saturating_sub(1));
        canvas.trace(x, reach(peak));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_column_is_always_in_the_picture_and_it_moves_by_quarters() {
        for (total, expected) in [(0, 0), (156, 0), (157, 38), (194, 38), (195, 76), (1_000, 874)] {
            assert_eq!(first(total, 156, 2), expected, "{total}");
        }
        for total in 0..500 {
            for columns in [1, 2, 3, 77, 156] {
                let first = first(total, columns, 2);
                assert!(
                    total - first <= columns && first.is_multiple_of(2) || columns < 2,
                    "{total} {columns} {first}"
                );
            }
        }
    }
}
