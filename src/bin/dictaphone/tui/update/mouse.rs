//! What the mouse asks for. Pure.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::{Effect, list};
use crate::tui::{app::Model, layout};

pub(super) fn point(model: &mut Model, mouse: MouseEvent) -> Vec<Effect> {
    let over = |area: ratatui::layout::Rect| area.contains((mouse.column, mouse.row).into());
    let Some(areas) = layout::areas(model.size) else { return Vec::new() };
    if model.leaving || model.dialog.is_some() {
        return Vec::new();
    }
    match mouse.kind {
        MouseEventKind::ScrollUp => list::select(model, |at, _| at.saturating_sub(1)),
        MouseEventKind::ScrollDown => list::select(model, |at, _| at + 1),
        MouseEventKind::Down(MouseButton::Left) if over(areas.list) => {
            let row = model.takes.offset + usize::from(mouse.row - areas.list.y);
            if row < model.takes.shown.len() {
                model.takes.selected = row;
            }
        }
        MouseEventKind::Down(MouseButton::Left) if over(areas.picture) => model.picture = model.picture.next(),
        _ => {}
    }
    Vec::new()
}
