//! The one live line while a clip is read or converted. Pure: facts and a width in, text out.

use dictaphone::clips::Advance;
use unicode_width::UnicodeWidthStr;

use crate::{
    message::visible,
    report::{
        status::{Line, shortened},
        style::Style,
    },
};

const BAR_CELLS: usize = 40;
const BAR_CELLS_MIN: usize = 6;
const NAME_COLUMNS_MIN: usize = 8;

const GREEN: &str = "32";
const DIM: &str = "2";

/// The line, at most `width` columns wide. When it gets narrow the bar and the name are shortened, and then go.
pub(in crate::commands) fn render(advance: Advance, name: &str, width: usize, style: Style) -> String {
    let mut line = Line::new(width, style);
    let share = share(advance);
    line.push(&format!("{:3} %", (share * 100.0) as u64), GREEN);
    let name = visible(name);
    let name_least = name.width().min(NAME_COLUMNS_MIN);
    let mut left = line.left();
    let mut reserve = |columns: usize| left.checked_sub(columns).inspect(|rest| left = *rest).is_some();
    let shows_bar = reserve(BAR_CELLS_MIN + 3);
    let shows_name = name_least > 0 && reserve(name_least + 2);
    let more_name = if shows_name { left.min(name.width() - name_least) } else { 0 };
    let more_bar = (left - more_name).min(BAR_CELLS - BAR_CELLS_MIN);
    if shows_bar {
        bar(&mut line, share, BAR_CELLS_MIN + more_bar, style.unicode);
    }
    if shows_name {
        line.push("  ", "");
        line.push(&shortened(&name, name_least + more_name, style.unicode), "");
    }
    line.into_text()
}

/// From 0 to 1; 0 as long as the length is unknown.
fn share(advance: Advance) -> f64 {
    match advance.total {
        Some(total) if total > 0 => (advance.frames as f64 / total as f64).min(1.0),
        _ => 0.0,
    }
}

fn bar(line: &mut Line, share: f64, cells: usize, unicode: bool) {
    let (ends, full, empty) = if unicode { (("▕", "▏"), "█", "░") } else { (("[", "]"), "#", ".") };
    // Full only at the very end.
    let filled = (share * cells as f64) as usize;
    line.push(" ", "");
    line.push(ends.0, "");
    line.push(&full.repeat(filled), GREEN);
    line.push(&empty.repeat(cells.saturating_sub(filled)), DIM);
    line.push(ends.1, "");
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { unicode: false, colour: false };

    fn shown(frames: u64, total: Option<u64>, width: usize) -> String {
        render(Advance { frames, total }, "take.wav", width, PLAIN)
    }

    #[test]
    fn the_line_tells_how_far_it_is() {
        assert_eq!(shown(0, None, 30), "  0 % [............]  take.wav");
        assert_eq!(shown(50, Some(100), 30), " 50 % [######......]  take.wav");
        assert_eq!(shown(999, Some(1_000), 30), " 99 % [###########.]  take.wav");
        assert_eq!(shown(100, Some(100), 30), "100 % [############]  take.wav");
        assert_eq!(shown(5, Some(0), 14), "  0 % [......]");
        let unicode = Style { unicode: true, colour: false };
        assert_eq!(render(Advance { frames: 1, total: Some(2) }, "a\u{1b}", 24, unicode), " 50 % ▕███░░░░▏  a\\u{1b}");
    }

    #[test]
    fn the_line_is_never_wider_than_the_terminal() {
        for width in 0..100 {
            let line =
                render(Advance { frames: 7, total: Some(9) }, "録音 of something with a long name", width, PLAIN);
            assert!(line.width() <= width, "{line}");
        }
    }
}
