//! Where the parts of the screen are, for drawing and for the mouse. Pure.

use ratatui::layout::Rect;

use super::app::{Deck, Model, Picture, Size};

/// Below this nothing useful can be shown.
pub(crate) const SIZE_MIN: Size = Size { columns: 40, rows: 10 };

/// Rows of the live picture at most.
const PICTURE_ROWS: u16 = 8;

/// The parts. All but `frame` and the dividers lie inside the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Areas {
    pub(crate) frame: Rect,
    pub(crate) status: Rect,
    pub(crate) meter: Rect,
    pub(crate) picture: Rect,
    /// The line with the folder's name.
    pub(crate) heading: Rect,
    pub(crate) list: Rect,
    /// The line above the keys, where there is room for it.
    pub(crate) divider: Option<Rect>,
    pub(crate) bottom: Rect,
}

/// The parts of a screen; `None` if it is too small.
pub(crate) fn areas(size: Size) -> Option<Areas> {
    let Size { columns, rows } = size;
    if columns < SIZE_MIN.columns || rows < SIZE_MIN.rows {
        return None;
    }
    let row = |y: u16, height: u16| Rect { x: 1, y, width: columns - 2, height };
    let across = |y: u16| Rect { x: 0, y, width: columns, height: 1 };
    // Frame, status, meter, heading and the bottom line are 6 rows; the picture and the list share what is left.
    let left = rows - 6;
    let has_divider = rows >= 16;
    let left = left - u16::from(has_divider);
    let picture = (left / 3).clamp(1, PICTURE_ROWS);
    let list = left - picture;
    let heading = 3 + picture;
    Some(Areas {
        frame: Rect { x: 0, y: 0, width: columns, height: rows },
        status: row(1, 1),
        meter: row(2, 1),
        picture: row(3, picture),
        heading: across(heading),
        list: row(heading + 1, list),
        divider: has_divider.then(|| across(heading + 1 + list)),
        bottom: row(rows - 2, 1),
    })
}

/// All that the frame encloses.
pub(crate) fn inside(Size { columns, rows }: Size) -> Rect {
    Rect { x: 1, y: 1, width: columns.saturating_sub(2), height: rows.saturating_sub(2) }
}

/// What shares the place of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pictures {
    /// The input, live.
    pub(crate) live: Option<Rect>,
    /// The clip that is played.
    pub(crate) clip: Option<Rect>,
}

/// Both pictures while a clip is played and something is recorded, if there is room for both; else what matters more.
pub(crate) fn pictures(area: Rect, model: &Model) -> Pictures {
    let half = area.height / 2;
    match (model.player.playing.is_some() && model.live.picture == Picture::Waveform, model.recorder.deck) {
        (false, _) => Pictures { live: Some(area), clip: None },
        (true, Deck::Idle) => Pictures { live: None, clip: Some(area) },
        (true, _) if half == 0 => Pictures { live: Some(area), clip: None },
        (true, _) => Pictures {
            live: Some(Rect { height: area.height - half, ..area }),
            clip: Some(Rect { y: area.y + area.height - half, height: half, ..area }),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_parts_fill_the_frame_and_do_not_overlap(columns in 40_u16..=500, rows in 10_u16..=300) {
            let areas = areas(Size { columns, rows }).unwrap();
            let mut taken = vec![0; usize::from(rows)];
            let parts = [areas.status, areas.meter, areas.picture, areas.heading, areas.list, areas.bottom];
            for part in parts.into_iter().chain(areas.divider) {
                prop_assert!(part.height >= 1 && part.right() <= columns);
                (part.y..part.bottom()).for_each(|y| taken[usize::from(y)] += 1);
            }
            prop_assert!(taken[1..usize::from(rows) - 1].iter().all(|&times| times == 1), "{:?}", taken);
            prop_assert_eq!((taken[0], taken[usize::from(rows) - 1]), (0, 0));
        }

        #[test]
        fn a_screen_that_is_too_small_has_no_parts(columns in 0_u16..40, rows in 0_u16..100) {
            prop_assert_eq!(areas(Size { columns, rows }), None);
            prop_assert_eq!(areas(Size { columns: rows, rows: columns.min(9) }), None);
        }
    }
}
