//! The one live line while a recording plays. Pure: facts and a width in, text out.

use std::time::Duration;

use dictaphone::playback::{PlayerState, Status};
use unicode_width::UnicodeWidthStr;

use crate::{
    message::visible,
    report::{
        quantity::times,
        status::{Line, clock, shortened},
        style::Style,
    },
};

const BAR_CELLS: usize = 30;
const BAR_CELLS_MIN: usize = 6;
const NAME_COLUMNS_MIN: usize = 8;

const GREEN: &str = "32";
const YELLOW: &str = "33";
const DIM: &str = "2";

/// What the line shows.
#[derive(Debug, Clone)]
pub(super) struct LineFacts {
    playing: bool,
    elapsed: Duration,
    length: Option<Duration>,
    speed: f64,
    name: String,
}

impl LineFacts {
    /// The facts of a player that plays or waits.
    pub(super) fn new(state: &PlayerState, name: &str) -> Self {
        Self {
            playing: state.status == Status::Playing,
            elapsed: state.elapsed(),
            length: state.duration(),
            speed: state.speed,
            name: visible(name),
        }
    }
}

/// The line, at most `width` columns wide. What matters least goes first when it gets narrow.
pub(super) fn render(facts: &LineFacts, width: usize, style: Style) -> String {
    let mut line = Line::new(width, style);
    let (sign, word, colour) = match (facts.playing, style.unicode) {
        (true, true) => ("▶", "PLAY", GREEN),
        (true, false) => (">", "PLAY", GREEN),
        (false, true) => ("‖", "PAUSE", YELLOW),
        (false, false) => ("=", "PAUSE", YELLOW),
    };
    line.push(&format!("{sign} {word}"), colour);
    line.push(&format!(" {}", clock(facts.elapsed)), "");
    let length = facts.length.map(|length| format!(" / {}", clock(length))).unwrap_or_default();
    let speed = if facts.speed == 1.0 { String::new() } else { format!(" {}", times(facts.speed, style.unicode)) };
    // Reserved from the most to the least important; what does not fit is left out.
    let mut left = line.left();
    let mut reserve = |columns: usize| left.checked_sub(columns).inspect(|rest| left = *rest).is_some();
    let shows_speed = reserve(speed.width());
    let shows_length = reserve(length.width());
    let share = facts.length.filter(|length| !length.is_zero()).map(|length| facts.elapsed.div_duration_f64(length));
    let shows_bar = share.is_some() && reserve(BAR_CELLS_MIN + 3);
    let name_least = facts.name.width().min(NAME_COLUMNS_MIN);
    let shows_name = name_least > 0 && reserve(name_least + 2);
    let missing = if shows_name { facts.name.width() - name_least } else { 0 };
    let more_name = left.min(missing);
    let more_bar = (left - more_name).min(BAR_CELLS - BAR_CELLS_MIN);
    if shows_length {
        line.push(&length, DIM);
    }
    if let Some(share) = share.filter(|_| shows_bar) {
        bar(&mut line, share, BAR_CELLS_MIN + more_bar, style);
    }
    if shows_speed {
        line.push(&speed, YELLOW);
    }
    if shows_name {
        line.push("  ", "");
        line.push(&shortened(&facts.name, name_least + more_name, style.unicode), "");
    }
    line.into_text()
}

fn bar(line: &mut Line, share: f64, cells: usize, style: Style) {
    // Full only at the very end.
    let filled = ((share * cells as f64) as usize).min(cells);
    let (open, full, empty, close) = if style.unicode { (" ▕", "█", "░", "▏") } else { (" [", "#", ".", "]") };
    line.push(open, "");
    line.push(&full.repeat(filled), GREEN);
    line.push(&empty.repeat(cells - filled), DIM);
    line.push(close, "");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Style = Style { unicode: true, colour: false };

    fn facts() -> LineFacts {
        LineFacts {
            playing: true,
            elapsed: Duration::from_millis(30_250),
            length: Some(Duration::from_secs(60)),
            speed: 1.5,
            name: "interview with Zoë.wav".to_owned(),
        }
    }

    #[test]
    fn the_line_gives_up_what_matters_least_first() {
        for (width, expected) in [
            (90, "▶ PLAY 00:00:30.2 / 00:01:00.0 ▕██████████░░░░░░░░░░░▏ 1.5×  interview with Zoë.wav"),
            (60, "▶ PLAY 00:00:30.2 / 00:01:00.0 ▕███░░░▏ 1.5×  interview wit…"),
            (45, "▶ PLAY 00:00:30.2 / 00:01:00.0 ▕███░░░░▏ 1.5×"),
            (38, "▶ PLAY 00:00:30.2 / 00:01:00.0 1.5×"),
            (25, "▶ PLAY 00:00:30.2 1.5×"),
            (10, "▶ PLAY 00:"),
        ] {
            let line = render(&facts(), width, PLAIN);
            assert!(line.width() <= width, "{width}");
            assert_eq!(line.split_whitespace().next(), expected.split_whitespace().next());
            if width < 90 {
                assert_eq!(line, expected, "{width}");
            }
        }
        let ascii =
            render(&LineFacts { playing: false, speed: 1.0, ..facts() }, 60, Style { unicode: false, colour: false });
        assert!(ascii.is_ascii() && ascii.starts_with("= PAUSE 00:00:30.2 / 00:01:00.0 ["), "{ascii}");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_it_may_be(
            width in 0_usize..200, elapsed in 0_u64..1 << 40, length in proptest::option::of(0_u64..1 << 40), name in "\\PC{0,40}",
        ) {
            let facts = LineFacts {
                elapsed: Duration::from_millis(elapsed),
                length: length.map(Duration::from_millis),
                name: visible(&name),
                ..facts()
            };
            prop_assert!(render(&facts, width, PLAIN).width() <= width);
        }
    }
}
