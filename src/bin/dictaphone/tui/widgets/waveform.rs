//! The level of the last seconds, scrolling from right to left. Pure.

use ratatui::{buffer::Buffer, layout::Rect};

use super::canvas::{Canvas, height};
use crate::tui::{
    app::{Column, Model},
    theme::Theme,
};

/// From three rows on the picture is mirrored, as the waveform of an editor.
pub(super) const MIRRORED_ROWS: u16 = 3;

pub(crate) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut canvas = Canvas::new(area, theme.unicode);
    let count = model.live.columns.len().min(canvas.columns());
    let skipped = model.live.columns.len() - count;
    let first = canvas.columns() - count;
    let newest: Vec<&Column> = model.live.columns.iter().skip(skipped).collect();
    for (x, column) in newest.iter().enumerate() {
        bar(&mut canvas, first + x, height(column.peak), area.height >= MIRRORED_ROWS);
    }
    let style = |cell| {
        let columns = canvas.columns_of(cell).filter_map(|x| newest.get(x.checked_sub(first)?).copied());
        style(theme, columns.max_by(|a, b| a.peak.total_cmp(&b.peak)))
    };
    canvas.draw(buffer, style);
}

fn style(theme: Theme, column: Option<&Column>) -> ratatui::style::Style {
    match column {
        Some(column) if column.peak >= dictaphone::audio::LevelMeter::CLIPPED => theme.hot(),
        Some(column) if column.kept => theme.good(),
        _ => theme.dim(),
    }
}

/// A bar from the bottom, or to both sides of the middle. Silence is a line, so that one sees that time goes on.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the rows of a screen")]
pub(super) fn bar(canvas: &mut Canvas, x: usize, height: f32, mirrored: bool) {
    let rows = canvas.rows();
    if mirrored {
        let middle = rows / 2;
        let reach = (height * (middle as f32 - 1.0)).round() as usize;
        canvas.line(x, middle.saturating_sub(1 + reach), middle + reach);
    } else {
        let reach = (height * (rows as f32 - 1.0)).round() as usize;
        canvas.line(x, rows.saturating_sub(1 + reach), rows.saturating_sub(1));
    }
}
