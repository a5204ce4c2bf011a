//! The state as a picture. Pure: the same state gives the same screen.

mod hints;

use std::{path::Path, time::Duration};

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, Widget as _},
};
use unicode_width::UnicodeWidthStr as _;

use super::{
    app::{Deck, Dialog, InputState, Marked, Model, Picture, Place, Repeat, Size, Weight, order_name},
    keymap::Scene,
    layout::{self, Areas, SIZE_MIN},
    widgets::{clips, dialog, jobs, meter, notice, oscilloscope, outline, spectrum, waveform},
};
use crate::report::{quantity, status};

/// Draws the whole screen.
pub(crate) fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let size = Size { columns: area.width, rows: area.height };
    let Some(areas) = layout::areas(size) else { return too_small(model, area, frame) };
    let buffer = frame.buffer_mut();
    outline_of_parts(model, &areas, buffer);
    status_line(model, areas.status, buffer);
    meter::render(model, areas.meter, buffer);
    let pictures = layout::pictures(areas.picture, model);
    if let Some(area) = pictures.live {
        match model.live.picture {
            Picture::Waveform => waveform::render(model, area, buffer),
            Picture::Oscilloscope => oscilloscope::render(model, area, buffer),
            Picture::Spectrum => spectrum::render(model, area, buffer),
        }
    }
    if let Some(area) = pictures.clip {
        outline::render(model, area, buffer);
    }
    clips::render(model, areas.list, buffer);
    bottom(model, areas.bottom, frame);
    if let Some((weight, text, last)) = message(model, &areas) {
        notice::render(model.theme, weight, text, last, frame.buffer_mut());
    }
    let inside = layout::inside(size);
    match &model.dialog {
        Some(Dialog::Help(first)) => dialog::help(model, *first, inside, frame.buffer_mut()),
        Some(Dialog::Inputs { rows, selected }) => {
            dialog::inputs(model, rows.as_deref(), *selected, inside, frame.buffer_mut());
        }
        Some(Dialog::Markers { selected }) => dialog::markers(model, *selected, inside, frame.buffer_mut()),
        Some(Dialog::Export { formats, selected, .. }) => {
            dialog::export(model, formats, *selected, inside, frame.buffer_mut());
        }
        _ => {}
    }
}

/// The title of the terminal meanwhile, so that the state can be seen from another window.
pub(crate) fn title(model: &Model) -> String {
    let name = |path: &Path| model.theme.text(&path.file_stem().unwrap_or_default().to_string_lossy());
    let minutes = |time: Duration| format!("{} min", time.as_secs() / 60);
    let recorder = &model.recorder;
    let is_in_trouble = model.notices.shown.as_ref().is_some_and(|notice| notice.weight == Weight::Error);
    match recorder.deck {
        _ if is_in_trouble && !recorder.deck.is_busy() => "! dictaphone: look here".to_owned(),
        Deck::Recording => format!("{} {} - dictaphone", head(model).0, minutes(recorder.time)),
        Deck::Waiting | Deck::Paused | Deck::Saving => format!("{} - dictaphone", head(model).0),
        Deck::Idle if recorder.device == InputState::Missing => "NO INPUT - dictaphone".to_owned(),
        Deck::Idle => match &model.player.playing {
            Some(playing) => format!("{} - dictaphone", name(&playing.path)),
            None => "dictaphone".to_owned(),
        },
    }
}

/// What matters most, what is needed, and below it the question that waits for a key.
fn too_small(model: &Model, area: Rect, frame: &mut Frame<'_>) {
    let Size { columns, rows } = SIZE_MIN;
    let needed = format!("{columns}x{rows} needed");
    let whole = format!("too small, {needed}");
    let needs =
        if whole.width() <= usize::from(area.width) { vec![whole] } else { vec!["too small,".to_owned(), needed] };
    let lines = [head(model).0, status::clock(time(model))].into_iter().chain(needs);
    for (line, row) in lines.zip(area.rows()) {
        Line::raw(line).render(row, frame.buffer_mut());
    }
    if let Some(last) = area.rows().nth(4).filter(|_| model.dialog.is_some()) {
        bottom(model, last, frame);
    }
}

/// Recorded time, or the place of what is played.
fn time(model: &Model) -> Duration {
    let playing = model.player.playing.as_ref().filter(|_| model.recorder.deck == Deck::Idle);
    playing.map_or(model.recorder.time, |playing| playing.at)
}

/// The frame, with the device above and the folder in the middle.
fn outline_of_parts(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    let theme = model.theme;
    let width = usize::from(areas.frame.width);
    let trouble = if model.recorder.device == InputState::Missing { theme.alarm() } else { theme.plain() };
    Block::bordered()
        .border_set(theme.border())
        .title(Line::styled(" dictaphone ", theme.accent()))
        .title(Line::styled(format!(" {} ", device(model, width.saturating_sub(17))), trouble).right_aligned())
        .render(areas.frame, buffer);
    divide(model, areas.heading, buffer);
    let place = Rect { x: 1, width: areas.heading.width.saturating_sub(2), ..areas.heading };
    // The pane that receives the keys is the bold one.
    let style = if model.scene() == Scene::Clips { theme.key() } else { theme.plain() };
    let heading = Line::styled(heading(model, width), style);
    let takes = &model.shelf.takes;
    // Where in the list the cursor is, at the right end, if there is room.
    let position = format!(" {}/{} ", takes.selected + 1, takes.shown.len());
    if !takes.shown.is_empty() && heading.width() + position.width() + 2 < usize::from(place.width) {
        let end = Rect { width: place.width.saturating_sub(1), ..place };
        Line::styled(position, theme.dim()).right_aligned().render(end, buffer);
    }
    heading.render(place, buffer);
    if let Some(divider) = areas.divider {
        divide(model, divider, buffer);
    }
}

/// The input, and what a recording of it will be like.
pub(super) fn device(model: &Model, room: usize) -> String {
    let theme = model.theme;
    let (name, format) = match &model.recorder.device {
        InputState::Opening => return "opening the input".to_owned(),
        InputState::Missing => return "NO INPUT".to_owned(),
        InputState::Open { name, format } => (name, format),
    };
    let dot = theme.dot();
    let gain =
        if model.recorder.gain_db == 0.0 { String::new() } else { format!(" {dot} {:+} dB", model.recorder.gain_db) };
    let sound = format!(
        " {dot} {} kHz {} {dot} {} {}{gain}",
        f64::from(format.sample_rate) / 1_000.0,
        channels(format.channels),
        model.recorder.container,
        format.sample_format.name(),
    );
    // The name is shortened first, and then what it is recorded as goes.
    match room.checked_sub(sound.width()).filter(|left| *left >= 8) {
        Some(left) => format!("{}{sound}", theme.shortened(name, left)),
        None => theme.shortened(name, room),
    }
}

/// The folder, how many clips of it are shown, and in which order.
fn heading(model: &Model, width: usize) -> String {
    let (theme, takes) = (model.theme, &model.shelf.takes);
    let dot = theme.dot();
    let mut facts = match (takes.shown.len(), takes.all.len()) {
        (shown, all) if !takes.filter.is_empty() => {
            format!(" {dot} {shown} of {all} with \"{}\"", theme.shortened(&takes.filter, 12))
        }
        (_, 0) => String::new(),
        (_, all) => format!(" {dot} {all}"),
    };
    let unfinished = match takes.unfinished() {
        0 => String::new(),
        more => format!(" {dot} {more} unfinished"),
    };
    if facts.width() + unfinished.width() + 9 <= width {
        facts.push_str(&unfinished);
    }
    // What matters least goes first on a narrow screen.
    let order = format!(" {dot} {}", order_name(takes.order));
    if facts.width() + order.width() + 32 <= width {
        facts.push_str(&order);
    }
    let room = width.saturating_sub(14 + facts.width()).max(8);
    let whole = format!(" clips {dot} {}{facts} ", theme.shortened(&model.shelf.folder, room));
    if whole.width() + 2 <= width { whole } else { format!(" clips{facts} ") }
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

/// The sign and word for the state of the recorder.
fn head(model: &Model) -> (String, ratatui::style::Style) {
    let theme = model.theme;
    let (unicode, ascii, word, style) = match model.recorder.deck {
        Deck::Idle if model.player.playing.as_ref().is_some_and(|playing| playing.is_paused) => {
            ("‖", "=", "HOLD", theme.paused())
        }
        Deck::Idle if model.player.playing.is_some() => ("▶", ">", "PLAY", theme.good()),
        Deck::Idle if model.recorder.device == InputState::Missing => ("✗", "!", "NO INPUT", theme.alarm()),
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
    let playing = model.player.playing.as_ref().filter(|_| model.recorder.deck == Deck::Idle);
    push(format!("  {}", status::clock(time(model))), theme.plain(), &mut left);
    if let Some(playing) = playing {
        if model.player.speed != 1.0 {
            push(format!("  {}", theme.times(model.player.speed)), theme.accent(), &mut left);
        }
        if model.player.skips {
            push("  no silence".to_owned(), theme.accent(), &mut left);
        }
        if model.player.volume != 1.0 {
            push(format!("  vol {:.0}%", model.player.volume * 100.0), theme.accent(), &mut left);
        }
        if let Some(repeat) = repeat(model) {
            push(repeat, theme.accent(), &mut left);
        }
        if let Some(length) = playing.length {
            push(format!("  of {}", status::clock(length)), theme.dim(), &mut left);
        }
        if let Some(zoom) = model.player.zoom {
            push(format!("  zoom {}", status::clock(zoom.length())), theme.dim(), &mut left);
        }
    }
    if let Some(kept) = kept(model) {
        push(kept, theme.accent(), &mut left);
    }
    if model.recorder.markers > 0 && model.recorder.deck != Deck::Idle {
        push(
            format!("  {} {}", model.recorder.markers, if model.recorder.markers == 1 { "marker" } else { "markers" }),
            theme.accent(),
            &mut left,
        );
    }
    let disk =
        model.recorder.disk_left.map_or_else(String::new, |left| format!("  {} of disk left", status::rough(left)));
    let short = model.recorder.disk_left.map_or_else(String::new, |left| format!("  {} left", status::rough(left)));
    let disk = [disk, short].into_iter().find(|disk| disk.width() <= left).unwrap_or_default();
    left -= disk.width();
    if model.recorder.deck != Deck::Idle && left > 10 {
        push(format!("  {}", theme.shortened(&goes_to(model), left - 2)), theme.plain(), &mut left);
    }
    spans.push(Span::raw(" ".repeat(left)));
    let scarce = model.recorder.disk_left.is_some_and(|left| left.as_secs() < 300);
    spans.push(Span::styled(disk, if scarce { theme.alarm() } else { theme.dim() }));
    Line::from(spans).render(area, buffer);
}

/// How much of the input is kept in memory, and how much of that the recording begins with.
fn kept(model: &Model) -> Option<String> {
    let recorder = &model.recorder;
    match recorder.deck {
        Deck::Idle if recorder.keeps.is_zero() || matches!(recorder.device, InputState::Missing) => None,
        Deck::Idle => Some(format!("  keeps the last {}", quantity::span(recorder.keeps))),
        _ if recorder.begins_before.is_zero() => None,
        _ => Some(format!("  from {} before", quantity::span(recorder.begins_before))),
    }
}

/// The file that is recorded, or the take into which it goes.
fn goes_to(model: &Model) -> String {
    let Some(dictation) = &model.recorder.dictation else { return model.recorder.name.clone() };
    let name = dictation.path.file_stem().unwrap_or_default().to_string_lossy();
    match dictation.place {
        Place::End => format!("append to {name}"),
        Place::Insert(at) => format!("insert into {name} at {}", status::clock(at)),
        Place::Overwrite(at) => format!("overwrite {name} from {}", status::clock(at)),
    }
}

/// The ends of the part that is repeated.
fn repeat(model: &Model) -> Option<String> {
    match model.player.repeat {
        Repeat::Off => None,
        Repeat::From(a) => Some(format!("  A {}", status::clock(a))),
        Repeat::Between(a, b) => Some(format!("  A-B {}-{}", status::clock(a), status::clock(b))),
    }
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
        Some(Dialog::GoTo { input, .. }) => {
            return field(("go to:", "1:20:00, +5m, 50%; Enter, Esc"), input, frame);
        }
        Some(Dialog::Marker { of, input }) => {
            let (question, hint) = marker_question(model, of);
            return field((&question, hint), input, frame);
        }
        Some(Dialog::Filter(input)) => return field(("show:", "Enter, Esc for all"), input, frame),
        Some(Dialog::Discard) => {
            let whole = format!("delete {}, to the trash? y, n", status::clock(model.recorder.time));
            let text = if whole.width() <= usize::from(area.width) { whole } else { "delete it? y, n".to_owned() };
            return Line::styled(text, model.theme.alarm()).render(area, frame.buffer_mut());
        }
        _ => {}
    }
    let width = usize::from(area.width);
    let line = match () {
        // Leaving waits for it.
        () if model.shelf.job.is_some() && (model.leaving || note_beside(model, area).is_none()) => {
            jobs::line(model, width)
        }
        () if model.leaving => Line::raw("saving before leaving"),
        () => match note_beside(model, area) {
            Some(note) => beside(model, note, width),
            None => hints::line(model, width),
        },
    };
    line.render(area, frame.buffer_mut());
}

/// Which marker is named, and what its keys do.
fn marker_question(model: &Model, of: &Marked) -> (String, &'static str) {
    match of {
        Marked::Recording(number) => (format!("marker {}; name:", number + 1), "Enter, Esc for none"),
        Marked::New(_, at) => (format!("marker at {}; name:", status::clock(*at)), "Enter sets it, Esc does not"),
        Marked::Known(_, place) => {
            let mark = model.player.outline_of_playing().and_then(|outline| outline.markers.get(*place));
            let at = mark.map_or_else(String::new, |mark| format!(" at {}", status::clock(mark.at)));
            (format!("marker{at}; name:"), "Enter, Esc")
        }
    }
}

/// A note that there is room for beside the most important keys.
fn note_beside(model: &Model, area: Rect) -> Option<&str> {
    let notice = model.notices.shown.as_ref().filter(|notice| notice.weight == Weight::Note)?;
    let fits = model.theme.text(&notice.text).width() + hints::COLUMNS_MIN <= usize::from(area.width);
    fits.then_some(notice.text.as_str())
}

/// The keys, and a note at the right end.
fn beside(model: &Model, note: &str, width: usize) -> Line<'static> {
    let note = model.theme.text(note);
    let mut line = hints::line(model, width.saturating_sub(note.width() + 1));
    let gap = width.saturating_sub(line.width() + note.width());
    line.spans.push(Span::raw(" ".repeat(gap)));
    line.spans.push(Span::styled(note, model.theme.accent()));
    line
}

/// The message, and the lowest line that it takes.
fn message<'a>(model: &'a Model, areas: &Areas) -> Option<(Weight, &'a str, Rect)> {
    let said = model.notices.shown.as_ref().map(|notice| (notice.weight, notice.text.as_str()));
    let (weight, text) = match &model.dialog {
        // Most of all why what was typed is refused.
        Some(Dialog::Name { wrong: Some(why), .. } | Dialog::GoTo { wrong: Some(why), .. }) => {
            (Weight::Error, why.as_str())
        }
        Some(
            Dialog::Name { .. } | Dialog::Filter(_) | Dialog::GoTo { .. } | Dialog::Marker { .. } | Dialog::Discard,
        ) => said.filter(|(weight, _)| *weight != Weight::Note)?,
        _ => said.filter(|_| !model.leaving && note_beside(model, areas.bottom).is_none())?,
    };
    Some((weight, text, above_bottom(areas)))
}

/// The line above the bottom one, inside the frame.
fn above_bottom(areas: &Areas) -> Rect {
    Rect { y: areas.bottom.y.saturating_sub(1), ..areas.bottom }
}

#[cfg(test)]
mod tests;
