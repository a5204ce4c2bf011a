//! A message, whole: in as many lines as it needs, over what is above. Pure.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::Line,
    widgets::{Clear, Widget as _},
};

use crate::tui::{app::Weight, theme::Theme};

/// Lines that a message may take. What went wrong is shown whole, even where it hides the list for a while.
const ROWS: usize = 3;
const ERROR_ROWS: usize = 5;

/// The message, `last` the lowest of its lines.
pub(crate) fn render(theme: Theme, weight: Weight, text: &str, last: Rect, buffer: &mut Buffer) {
    let style = match weight {
        Weight::Note => theme.plain(),
        Weight::Warning => theme.warm(),
        Weight::Error => theme.alarm(),
    };
    let rows = if weight == Weight::Error { ERROR_ROWS } else { ROWS };
    for (line, y) in lines(theme, text, (usize::from(last.width), rows)).into_iter().rev().zip((0..=last.y).rev()) {
        let row = Rect { y, ..last };
        Clear.render(row, buffer);
        Line::styled(line, style).render(row, buffer);
        // It may lie over the line that divides the list from the keys.
        for side in [last.x.saturating_sub(1), last.right()] {
            buffer.set_string(side, y, theme.border().vertical_left, theme.plain());
        }
    }
}

/// What does not fit is left out of the middle, where the long name of a file is: before it stands what failed, and
/// behind it why.
fn lines(theme: Theme, text: &str, (columns, rows): (usize, usize)) -> Vec<String> {
    let wrapped = |room: usize| -> Vec<String> {
        let text = theme.without_middle(text, room);
        textwrap::wrap(&text, columns.max(1)).into_iter().map(|line| line.into_owned()).collect()
    };
    // Lines are broken between words and not all of them are full, so that how much fits is found by trying.
    let rooms = (1..=columns * rows).rev();
    rooms.map(wrapped).find(|lines| lines.len() <= rows).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    const THEME: Theme = Theme { unicode: true, colour: false, light: false };

    #[test]
    fn a_long_name_gives_way_and_the_reason_stays() {
        let name = "x".repeat(251);
        for text in [
            format!("cannot read /home/me/Music/Recordings/{name}.wav: permission denied"),
            format!("cannot read /home/me/Music/{}.wav: permission denied", "long name ".repeat(25)),
            format!("cannot rename /{}.wav: permission denied", "マ".repeat(80)),
        ] {
            for columns in [38, 78] {
                let lines = lines(THEME, &text, (columns, ROWS));
                let whole = lines.join(" ");
                assert!(whole.starts_with("cannot re") && whole.ends_with("permission denied"), "{lines:?}");
                assert!(whole.contains('…') && lines.len() <= ROWS, "{lines:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_fits(text in "(\\PC{0,12} ?){0,60}", unicode: bool, columns in 1_usize..130) {
            let lines = lines(Theme { unicode, ..THEME }, &text, (columns, ROWS));
            prop_assert!(lines.len() <= ROWS);
            prop_assert!(columns < 2 || lines.iter().all(|line| line.width() <= columns), "{:?}", lines);
        }
    }
}
