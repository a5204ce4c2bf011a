//! The level meter: a bar in dBFS with the highest peak held, and the numbers beside it. Pure.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget as _,
};

use crate::{
    report::status,
    tui::{app::Model, meter::FLOOR_DBFS, theme::Theme},
};

/// From here on speech is loud enough, and from [`HOT_DBFS`] on it may clip soon.
const WARM_DBFS: f64 = -18.0;
const HOT_DBFS: f64 = -6.0;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// From so many columns on the ends of the scale are written.
const SCALE_COLUMNS_MIN: u16 = 64;
/// A bar of fewer cells is of no use.
const BAR_LEAST: usize = 10;

#[allow(clippy::cast_possible_truncation, reason = "decibels for a screen")]
pub(crate) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let meter = model.meter();
    let clipping = meter.is_clipping(model.now);
    let clipped = format!("  clipped {}", meter.clipped);
    let lost = format!("  lost {}", model.recorder.lost);
    let marked = |alarm: bool| if alarm { theme.alarm() } else { theme.dim() };
    // What matters most is reserved first; what does not fit is left out.
    let wide = area.width >= SCALE_COLUMNS_MIN;
    let peak = format!(" {}", status::decibels(meter.hold_dbfs as f32));
    let parts = [
        (4, peak, theme.plain(), true),
        (6, lost.clone(), marked(true), model.recorder.lost > 0),
        (5, clipped.clone(), marked(true), meter.clipped > 0),
        (4, " dBFS".to_owned(), theme.plain(), !wide),
        (2, " 0 dBFS".to_owned(), theme.dim(), wide),
        (3, "  peak".to_owned(), theme.dim(), wide),
        (0, "-60 ".to_owned(), theme.dim(), wide),
        (5, clipped, marked(clipping), meter.clipped == 0),
        (6, lost, marked(false), model.recorder.lost == 0),
    ];
    let ends = if theme.unicode {
        ("▕", if clipping { "█" } else { "▏" })
    } else {
        ("[", if clipping { "!" } else { "]" })
    };
    let mut left = usize::from(area.width).saturating_sub(BAR_LEAST + 2);
    let mut shown: Vec<(usize, Span<'_>)> = Vec::new();
    for (place, text, style, wanted) in parts {
        if wanted && let Some(rest) = left.checked_sub(text.len()) {
            left = rest;
            shown.push((place, Span::styled(text, style)));
        }
    }
    let mut bar = vec![Span::styled(ends.0, theme.dim())];
    bar.extend(cells(model, BAR_LEAST + left));
    bar.push(Span::styled(ends.1, if clipping { theme.alarm() } else { theme.dim() }));
    shown.extend(bar.into_iter().map(|span| (1, span)));
    shown.sort_by_key(|(place, _)| *place);
    Line::from_iter(shown.into_iter().map(|(_, span)| span)).render(area, buffer);
}

/// The part of the bar that a level fills.
fn filled(dbfs: f64) -> f64 {
    // NaN and minus infinity fill nothing.
    if dbfs > FLOOR_DBFS { ((dbfs - FLOOR_DBFS) / -FLOOR_DBFS).min(1.0) } else { 0.0 }
}

fn colour(theme: Theme, cell: usize, cells: usize) -> Style {
    match FLOOR_DBFS * (1.0 - (cell as f64 + 0.5) / cells as f64) {
        hot if hot >= HOT_DBFS => theme.hot(),
        warm if warm >= WARM_DBFS => theme.warm(),
        _ => theme.good(),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the columns of a screen")]
fn cells(model: &Model, cells: usize) -> Vec<Span<'static>> {
    let theme = model.theme;
    let eighths = (filled(model.meter().bar_dbfs) * (cells * 8) as f64).round() as usize;
    let hold = filled(model.meter().hold_dbfs);
    let held = (hold > 0.0).then(|| ((hold * cells as f64) as usize).min(cells.saturating_sub(1)));
    let shape = |cell: usize| {
        let part = eighths.saturating_sub(cell * 8).min(8);
        let colour = colour(theme, cell, cells);
        match (part, theme.unicode) {
            (8, true) => ("█", colour),
            (8, false) => ("#", colour),
            _ if held == Some(cell) => (if theme.unicode { "│" } else { "|" }, colour),
            (0, true) => ("░", theme.dim()),
            (part, true) => (EIGHTHS.get(part).copied().unwrap_or(" "), colour),
            (4.., false) => ("=", colour),
            (_, false) => (".", theme.dim()),
        }
    };
    (0..cells).map(shape).map(|(shape, style)| Span::styled(shape, style)).collect()
}
