//! The state as a picture. Pure: the same state gives the same screen.

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, Widget as _},
};
use unicode_width::UnicodeWidthStr as _;

use super::{
    app::{Deck, Device, Dialog, Model, Picture, Weight},
    layout::{self, Areas, LEAST, Size},
    widgets::{clips, dialog, meter, oscilloscope, spectrum, waveform},
};
use crate::status;

/// Draws the whole screen.
pub(crate) fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let size = Size { columns: area.width, rows: area.height };
    let Some(areas) = layout::areas(size) else { return too_small(model, area, frame.buffer_mut()) };
    let buffer = frame.buffer_mut();
    outline(model, &areas, buffer);
    status_line(model, areas.status, buffer);
    meter::render(model, areas.meter, buffer);
    match model.picture {
        Picture::Waveform => waveform::render(model, areas.picture, buffer),
        Picture::Oscilloscope => oscilloscope::render(model, areas.picture, buffer),
        Picture::Spectrum => spectrum::render(model, areas.picture, buffer),
    }
    clips::render(model, areas.list, buffer);
    bottom(model, areas.bottom, frame);
    let inside = Rect { x: 1, y: 1, width: area.width - 2, height: area.height - 2 };
    match &model.dialog {
        Some(Dialog::Help(first)) => dialog::help(model, *first, inside, frame.buffer_mut()),
        Some(Dialog::Inputs { rows, selected }) => {
            dialog::inputs(model, rows.as_deref(), *selected, inside, frame.buffer_mut());
        }
        _ => {}
    }
}

fn too_small(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Size { columns, rows } = LEAST;
    let lines = [head(model).0, status::clock(model.time), format!("too small, {columns}x{rows} needed")];
    for (line, row) in lines.into_iter().zip(area.rows()) {
        Line::raw(line).render(row, buffer);
    }
}

/// The frame, with the device above and the folder in the middle.
fn outline(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    let theme = model.theme;
    let width = usize::from(areas.frame.width);
    let device = match &model.device {
        Device::Opening => "opening the input".to_owned(),
        Device::Missing => "no input".to_owned(),
        Device::Open { name, format } => {
            let sound = format!(
                " {dot} {} kHz {} {dot} {} {}",
                f64::from(format.sample_rate) / 1_000.0,
                channels(format.channels),
                model.container,
                format.sample_format.name(),
                dot = theme.dot(),
            );
            let room = width.saturating_sub(17);
            // The name is shortened first, and then what it is recorded as goes.
            match room.checked_sub(sound.width()).filter(|left| *left >= 8) {
                Some(left) => format!("{}{sound}", theme.shortened(name, left)),
                None => theme.shortened(name, room),
            }
        }
    };
    Block::bordered()
        .border_set(theme.border())
        .title(Line::styled(" dictaphone ", theme.accent()))
        .title(Line::raw(format!(" {device} ")).right_aligned())
        .render(areas.frame, buffer);
    divide(model, areas.heading, buffer);
    let count = match (model.takes.shown.len(), model.takes.all.len()) {
        (shown, all) if !model.takes.filter.is_empty() => {
            format!(" {} {shown} of {all} with \"{}\"", theme.dot(), theme.shortened(&model.takes.filter, 12))
        }
        (_, 0) => String::new(),
        (_, all) => format!(" {} {all}", theme.dot()),
    };
    let count = match model.takes.unfinished {
        0 => count,
        more => format!("{count} {} {more} unfinished", theme.dot()),
    };
    let room = width.saturating_sub(14 + count.width()).max(8);
    let folder = format!(" clips {} {}{count} ", theme.dot(), theme.shortened(&model.folder, room));
    let place = Rect { x: 1, width: areas.heading.width.saturating_sub(2), ..areas.heading };
    Line::raw(folder).render(place, buffer);
    if let Some(divider) = areas.divider {
        divide(model, divider, buffer);
    }
}

fn channels(count: u16) -> String {
    match count {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        more => format!("{more} ch"),
    }
}

fn divide(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (left, middle, right) = model.theme.divider();
    let line = middle.repeat(usize::from(area.width).saturating_sub(2));
    Line::raw(format!("{left}{line}{right}")).render(area, buffer);
}

/// The sign and word of what the recorder does.
fn head(model: &Model) -> (String, ratatui::style::Style) {
    let theme = model.theme;
    let (unicode, ascii, word, style) = match model.deck {
        Deck::Idle if model.playing.as_ref().is_some_and(|playing| playing.is_paused) => {
            ("‖", "=", "HOLD", theme.paused())
        }
        Deck::Idle if model.playing.is_some() => ("▶", ">", "PLAY", theme.good()),
        Deck::Idle => ("○", "-", "READY", theme.plain()),
        Deck::Waiting => ("○", "-", "WAIT", theme.paused()),
        Deck::Recording => ("●", "*", "REC", theme.recording()),
        Deck::Paused => ("‖", "=", "PAUSE", theme.paused()),
        Deck::Saving => ("●", "*", "SAVE", theme.good()),
    };
    (format!("{} {word}", if theme.unicode { unicode } else { ascii }), style)
}

fn status_line(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let (head, style) = head(model);
    let mut left = usize::from(area.width).saturating_sub(head.width());
    let mut spans = vec![Span::styled(head, style)];
    let mut push = |text: String, style, left: &mut usize| {
        if let Some(rest) = left.checked_sub(text.width()) {
            *left = rest;
            spans.push(Span::styled(text, style));
        }
    };
    let playing = model.playing.as_ref().filter(|_| model.deck == Deck::Idle);
    let time = playing.map_or(model.time, |playing| playing.at);
    push(format!("  {}", status::clock(time)), theme.plain(), &mut left);
    if let Some(playing) = playing {
        if playing.speed != 1.0 {
            push(format!("  {:.1}x", playing.speed), theme.accent(), &mut left);
        }
        if let Some(length) = playing.length {
            push(format!("  of {}", status::clock(length)), theme.dim(), &mut left);
        }
    }
    if model.markers > 0 && model.deck != Deck::Idle {
        push(
            format!("  {} {}", model.markers, if model.markers == 1 { "marker" } else { "markers" }),
            theme.accent(),
            &mut left,
        );
    }
    let disk = model.disk_left.map_or_else(String::new, |left| format!("  {} of disk left", status::rough(left)));
    let short = model.disk_left.map_or_else(String::new, |left| format!("  {} left", status::rough(left)));
    let disk = [disk, short].into_iter().find(|disk| disk.width() <= left).unwrap_or_default();
    left -= disk.width();
    if model.deck != Deck::Idle && left > 10 {
        push(format!("  {}", theme.shortened(&model.recording, left - 2)), theme.plain(), &mut left);
    }
    spans.push(Span::raw(" ".repeat(left)));
    let scarce = model.disk_left.is_some_and(|left| left.as_secs() < 300);
    spans.push(Span::styled(disk, if scarce { theme.alarm() } else { theme.dim() }));
    Line::from(spans).render(area, buffer);
}

/// A question, a message, or the keys.
fn bottom(model: &Model, area: Rect, frame: &mut Frame<'_>) {
    let field = |question, input, frame: &mut Frame<'_>| {
        let cursor = dialog::field(model, question, input, area, frame.buffer_mut());
        frame.set_cursor_position(cursor);
    };
    match &model.dialog {
        Some(Dialog::Name { input, fresh: true, .. }) => {
            return field(("saved; name:", "Enter renames, Esc keeps"), input, frame);
        }
        Some(Dialog::Name { input, .. }) => return field(("new name:", "Enter, Esc"), input, frame),
        Some(Dialog::Filter(input)) => return field(("show:", "Enter, Esc for all"), input, frame),
        Some(Dialog::Discard) => {
            let text = format!("throw away {}? y, n", status::clock(model.time));
            return Line::styled(text, model.theme.alarm()).render(area, frame.buffer_mut());
        }
        _ => {}
    }
    let line = match (&model.notice, model.leaving) {
        (_, true) => Line::raw("saving before leaving"),
        (Some(notice), _) => {
            let text = model.theme.shortened(&notice.text, usize::from(area.width));
            let style = match notice.weight {
                Weight::Note => model.theme.plain(),
                Weight::Warning => model.theme.warm(),
                Weight::Error => model.theme.alarm(),
            };
            Line::styled(text, style)
        }
        (None, _) => keys(model, usize::from(area.width)),
    };
    line.render(area, frame.buffer_mut());
}

/// As many keys as there is room for; the last two of the table always.
fn keys(model: &Model, columns: usize) -> Line<'static> {
    let theme = model.theme;
    let hints: Vec<(String, &str)> = model
        .keymap
        .active(model.deck.is_busy())
        .filter_map(|bound| Some((bound.keys.first()?.name(theme.unicode), bound.binding.short?)))
        .map(|(key, short)| if model.deck == Deck::Paused && short == "pause" { (key, "resume") } else { (key, short) })
        .collect();
    let width = |(key, short): &(String, &str)| key.width() + 1 + short.width() + 2;
    let always = hints.len().saturating_sub(2);
    let mut left = columns.saturating_sub(hints.iter().skip(always).map(width).sum());
    let mut spans = Vec::new();
    for (place, hint) in hints.into_iter().enumerate() {
        let needed = width(&hint);
        if place < always {
            let Some(rest) = left.checked_sub(needed) else { continue };
            left = rest;
        }
        spans.push(Span::styled(hint.0, theme.key()));
        spans.push(Span::raw(format!(" {}  ", hint.1)));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests;
