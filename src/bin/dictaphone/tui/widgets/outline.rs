//! The clip that is played: its waveform, where in it one is, its markers, and the part that is repeated. Pure.

use std::time::Duration;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    canvas::Canvas,
    waveform::{MIRRORED_ROWS, bar, put_marker},
};
use crate::tui::{
    app::{Model, Outline, Playing, Repeat},
    update::listening::outline,
};

pub(crate) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Some(playing) = &model.player.playing else { return };
    let theme = model.theme;
    let column = |place: Duration| column(place, playing, area.width);
    let here = column(playing.at);
    if let Some(outline) = outline(model) {
        draw(model, outline, area, buffer, |cell| match () {
            () if !is_repeated(model, cell, column) => theme.dim(),
            () if cell <= here => theme.good(),
            () => theme.plain(),
        });
        outline.markers.iter().for_each(|&marker| {
            put_marker(theme, buffer, area.x + column(marker), area.y);
        });
    }
    let (a, b) = ends(model);
    let last = area.bottom().saturating_sub(1);
    for (place, letter) in [(a, "A"), (b, "B")] {
        if let Some(place) = place {
            put(buffer, area.x + column(place), last, letter, theme.key());
        }
    }
    for row in area.rows() {
        put(buffer, area.x + here, row.y, if theme.unicode { "│" } else { "|" }, theme.alarm());
    }
}

fn ends(model: &Model) -> (Option<Duration>, Option<Duration>) {
    match model.player.repeat {
        Repeat::Off => (None, None),
        Repeat::From(a) => (Some(a), None),
        Repeat::Between(a, b) => (Some(a), Some(b)),
    }
}

/// Whether the part that is heard includes that column.
fn is_repeated(model: &Model, cell: u16, column: impl Fn(Duration) -> u16) -> bool {
    match model.player.repeat {
        Repeat::Between(a, b) => (column(a)..=column(b)).contains(&cell),
        _ => true,
    }
}

/// The column that a place is in.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the columns of a screen")]
fn column(place: Duration, playing: &Playing, width: u16) -> u16 {
    let length = playing.length.unwrap_or(place).as_secs_f64();
    let part = if length > 0.0 { (place.as_secs_f64() / length).clamp(0.0, 1.0) } else { 0.0 };
    (part * f64::from(width.saturating_sub(1))).round() as u16
}

fn put(buffer: &mut Buffer, x: u16, y: u16, symbol: &str, style: Style) {
    if let Some(cell) = buffer.cell_mut((x, y)) {
        cell.set_symbol(symbol).set_style(style);
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the columns of a screen")]
fn draw(model: &Model, outline: &Outline, area: Rect, buffer: &mut Buffer, style: impl Fn(u16) -> Style) {
    let mut canvas = Canvas::new(area, model.theme.unicode);
    // While it is being read, the rest of it stays empty.
    let read = outline
        .frames
        .filter(|&frames| frames > 0)
        .map_or(1.0, |frames| (outline.waveform.frames() as f64 / frames as f64).min(1.0));
    let columns = (canvas.columns() as f64 * read).round() as usize;
    for (x, bin) in outline.waveform.columns(columns).into_iter().enumerate() {
        let heights = (outline.scale.body(bin), outline.scale.outline(bin));
        bar(&mut canvas, x, heights, area.height >= MIRRORED_ROWS);
    }
    canvas.draw_outlined(buffer, |cell, is_solid| {
        if is_solid { style(u16::try_from(cell).unwrap_or(u16::MAX)) } else { model.theme.dim() }
    });
}
