//! From the mouse to actions. Pure.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::{Effect, list, listening};
use crate::tui::{
    app::Model,
    layout::{self, pictures},
};

pub(super) fn point(model: &mut Model, mouse: MouseEvent) -> Vec<Effect> {
    let Some(areas) = layout::areas(model.size) else { return Vec::new() };
    if model.leaving || model.dialog.is_some() {
        return Vec::new();
    }
    let over = |area: Rect| area.contains((mouse.column, mouse.row).into());
    let pictures = pictures(areas.picture, model);
    // How far along the picture of the clip that is played, from 0 to 1.
    let part =
        |area: Rect| f64::from(mouse.column.saturating_sub(area.x)) / f64::from(area.width.saturating_sub(1).max(1));
    match mouse.kind {
        MouseEventKind::ScrollUp => list::select(model, |at, _| at.saturating_sub(1)),
        MouseEventKind::ScrollDown => list::select(model, |at, _| at + 1),
        MouseEventKind::Down(MouseButton::Left) => {
            model.player.dragged_from = None;
            match pictures.clip {
                Some(clip) if over(clip) => return listening::touch(model, part(clip)),
                _ if over(areas.list) => pick(model, usize::from(mouse.row - areas.list.y)),
                _ if pictures.live.is_some_and(over) => model.live.picture = model.live.picture.next(),
                _ => {}
            }
        }
        MouseEventKind::Drag(MouseButton::Left) => {
            if let Some(clip) = pictures.clip {
                return listening::drag(model, part(clip));
            }
        }
        MouseEventKind::Up(MouseButton::Left) => model.player.dragged_from = None,
        _ => {}
    }
    Vec::new()
}

fn pick(model: &mut Model, row: usize) {
    let row = model.shelf.takes.offset + row;
    if row < model.shelf.takes.shown.len() {
        model.shelf.takes.selected = row;
    }
}
