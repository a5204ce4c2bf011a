//! The clip that is played: the part of its waveform that fills the screen, the current place in it, its markers, and
//! the part that is repeated. Pure.

use std::time::Duration;

use dictaphone::{audio::time::frames_in, clips::Bin};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    canvas::Canvas,
    waveform::{MIRRORED_ROWS, bar, put_marker},
};
use crate::tui::app::{Model, Outline, Repeat, Stretch};

pub(crate) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Some(playing) = &model.player.playing else { return };
    let theme = model.theme;
    // Without a length, only what was played is known.
    let shown = model.player.shown().unwrap_or(Stretch { from: Duration::ZERO, to: playing.at });
    let column = |place: Duration| column(place, shown, area.width);
    let here = column(playing.at);
    if let Some(outline) = model.player.outline_of_playing() {
        draw(model, outline, shown, area, buffer, |cell| match () {
            () if !is_repeated(model, cell, column) => theme.dim(),
            () if cell <= here => theme.good(),
            () => theme.plain(),
        });
        for mark in outline.markers.iter().filter(|mark| shown.contains(mark.at)) {
            put_marker(theme, buffer, area.x + column(mark.at), area.y);
        }
    }
    let (a, b) = ends(model);
    let last = area.bottom().saturating_sub(1);
    for (place, letter) in [(a, "A"), (b, "B")] {
        if let Some(place) = place.filter(|&place| shown.contains(place)) {
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

/// Whether the part that is repeated includes that column.
fn is_repeated(model: &Model, cell: u16, column: impl Fn(Duration) -> u16) -> bool {
    match model.player.repeat {
        Repeat::Between(a, b) => (column(a)..=column(b)).contains(&cell),
        _ => true,
    }
}

/// The column that a place is in; the nearest for one that is not shown.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the columns of a screen")]
fn column(place: Duration, shown: Stretch, width: u16) -> u16 {
    let (before, length) = (place.saturating_sub(shown.from).as_secs_f64(), shown.length().as_secs_f64());
    let part = if length > 0.0 { (before / length).clamp(0.0, 1.0) } else { 0.0 };
    (part * f64::from(width.saturating_sub(1))).round() as u16
}

fn put(buffer: &mut Buffer, x: u16, y: u16, symbol: &str, style: Style) {
    if let Some(cell) = buffer.cell_mut((x, y)) {
        cell.set_symbol(symbol).set_style(style);
    }
}

fn draw(
    model: &Model,
    outline: &Outline,
    shown: Stretch,
    area: Rect,
    buffer: &mut Buffer,
    style: impl Fn(u16) -> Style,
) {
    let mut canvas = Canvas::new(area, model.theme.unicode);
    for (x, bin) in columns(model, outline, shown, canvas.columns()).into_iter().enumerate() {
        let heights = (outline.scale.body(bin), outline.scale.outline(bin));
        bar(&mut canvas, x, heights, area.height >= MIRRORED_ROWS);
    }
    canvas.draw_outlined(buffer, |cell, is_solid| {
        if is_solid { style(u16::try_from(cell).unwrap_or(u16::MAX)) } else { model.theme.dim() }
    });
}

/// What is shown in so many columns; while it is being read, the rest of it stays empty.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the columns of a screen")]
fn columns(model: &Model, outline: &Outline, shown: Stretch, count: usize) -> Vec<Bin> {
    let frame = |place| frames_in(place, outline.rate);
    let detail = model.player.detail.as_ref();
    if let Some(detail) = detail.filter(|detail| detail.path == outline.path && detail.stretch.covers(shown)) {
        let first = frame(detail.stretch.from);
        return detail.waveform.columns_of(frame(shown.from) - first..frame(shown.to).saturating_sub(first), count);
    }
    let length = outline.frames.filter(|&frames| frames > 0);
    let (from, to) = match (model.player.zoom, length) {
        (Some(_), _) => (frame(shown.from), frame(shown.to)),
        (None, Some(length)) => (0, length),
        (None, None) => (0, outline.waveform.frames()),
    };
    let read = outline.waveform.frames().clamp(from, to.max(from));
    let part = (read - from) as f64 / (to - from).max(1) as f64;
    outline.waveform.columns_of(from..read, (count as f64 * part).round() as usize)
}
