//! What the terminal can show: colours or none, all characters or ASCII. Pure.
//!
//! Only the sixteen colours that a terminal's own scheme defines are used, black and white not among them, so that
//! light and dark ones both work; yellow and cyan, which are pale on white, are replaced by others there. Nothing is
//! shown by colour alone.

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::{
    message::visible,
    report::{quantity, status},
};

/// The look of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Theme {
    /// Characters outside ASCII.
    pub(crate) unicode: bool,
    /// Colours.
    pub(crate) colour: bool,
    /// The background is light.
    pub(crate) light: bool,
}

/// Frames of ASCII.
const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Whether a terminal that sets `COLORFGBG` to this has a light background: the last number is the background's colour,
/// of which 7 and 9 to 15 are light.
pub(crate) fn is_light(colorfgbg: &str) -> bool {
    matches!(colorfgbg.rsplit(';').next().and_then(|colour| colour.parse().ok()), Some(7 | 9..=15))
}

impl Theme {
    fn pale(self, on_dark: Color, on_light: Color) -> Color {
        if self.light { on_light } else { on_dark }
    }

    fn coloured(self, colour: Color, modifier: Modifier) -> Style {
        let style = Style::new().add_modifier(modifier);
        if self.colour { style.fg(colour) } else { style }
    }

    pub(crate) fn recording(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD)
    }

    pub(crate) fn paused(self) -> Style {
        self.coloured(self.pale(Color::Yellow, Color::Magenta), Modifier::BOLD)
    }

    pub(crate) fn good(self) -> Style {
        self.coloured(Color::Green, Modifier::empty())
    }

    pub(crate) fn warm(self) -> Style {
        self.coloured(self.pale(Color::Yellow, Color::Magenta), Modifier::empty())
    }

    pub(crate) fn hot(self) -> Style {
        self.coloured(Color::Red, Modifier::empty())
    }

    pub(crate) fn alarm(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD)
    }

    pub(crate) fn accent(self) -> Style {
        self.coloured(self.pale(Color::Cyan, Color::Blue), Modifier::empty())
    }

    pub(crate) fn key(self) -> Style {
        self.coloured(self.pale(Color::Cyan, Color::Blue), Modifier::BOLD)
    }

    pub(crate) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(crate) fn plain(self) -> Style {
        Style::new()
    }

    /// The row under the cursor, which has a mark as well.
    pub(crate) fn selected(self) -> Style {
        self.key()
    }

    /// The sign before the row under the cursor, and before the others.
    pub(crate) fn pointer(self, selected: bool) -> &'static str {
        match (selected, self.unicode) {
            (true, true) => "▸",
            (true, false) => ">",
            (false, _) => " ",
        }
    }

    pub(crate) fn border(self) -> border::Set<'static> {
        if self.unicode { border::PLAIN } else { ASCII_BORDER }
    }

    /// The line between two parts of the frame, and its ends.
    pub(crate) fn divider(self) -> (&'static str, &'static str, &'static str) {
        if self.unicode { ("├", "─", "┤") } else { ("+", "-", "+") }
    }

    /// A speed, such as `1.6×`.
    pub(crate) fn times(self, speed: f64) -> String {
        quantity::times(speed, self.unicode)
    }

    /// What separates facts.
    pub(crate) fn dot(self) -> &'static str {
        if self.unicode { "·" } else { "-" }
    }

    /// Text from outside, harmless and in characters that the terminal has.
    pub(crate) fn text(self, text: &str) -> String {
        let text = visible(text);
        if self.unicode { text } else { status::ascii(&text) }
    }

    /// [`text`](Self::text), cut to so many columns.
    pub(crate) fn shortened(self, text: &str, columns: usize) -> String {
        let text: String = self.text(text).chars().filter(|c| c.width().is_some()).collect();
        if columns == 0 { String::new() } else { status::shortened(&text, columns, self.unicode) }
    }

    /// [`text`](Self::text) with so much left out of its middle that it takes so many columns.
    pub(crate) fn without_middle(self, text: &str, columns: usize) -> String {
        let text: String = self.text(text).chars().filter(|c| c.width().is_some()).collect();
        if text.width() <= columns {
            return text;
        }
        let ellipsis = if self.unicode { "…" } else { "~" };
        let room = columns.saturating_sub(ellipsis.width());
        let start = fitting(text.chars(), room / 2);
        let end: String = fitting(text.chars().rev(), room - start.width()).chars().rev().collect();
        format!("{start}{ellipsis}{end}")
    }
}

/// As many of the characters as take at most so many columns.
fn fitting(text: impl Iterator<Item = char>, columns: usize) -> String {
    let mut left = columns;
    text.map_while(|c| {
        left = left.checked_sub(c.width().unwrap_or(0))?;
        Some(c)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_background_is_light_where_the_terminal_says_so() {
        for (text, light) in [
            ("0;15", true),
            ("12;default;7", true),
            ("15;0", false),
            ("0;8", false),
            ("7", true),
            ("15;default", false),
            ("", false),
            ("0;256", false),
            ("0;-1", false),
        ] {
            assert_eq!(is_light(text), light, "{text}");
        }
    }

    #[test]
    fn a_text_loses_its_middle_to_a_column() {
        let theme = Theme { unicode: true, colour: false, light: false };
        for (columns, shown) in [(9, "ab cd ef"), (8, "ab cd ef"), (7, "ab … ef"), (2, "…f"), (1, "…"), (0, "…")]
        {
            assert_eq!(theme.without_middle("ab cd ef", columns), shown, "{columns}");
        }
        assert_eq!(theme.without_middle("マイクマイク", 7), "マ…イク");
        assert_eq!(Theme { unicode: false, ..theme }.without_middle("abcdef", 5), "ab~ef");
    }

    #[test]
    fn no_colour_is_black_or_white_and_none_is_pale_on_white() {
        for light in [false, true] {
            let theme = Theme { unicode: true, colour: true, light };
            for style in [
                theme.recording(),
                theme.paused(),
                theme.good(),
                theme.warm(),
                theme.hot(),
                theme.alarm(),
                theme.accent(),
                theme.key(),
                theme.dim(),
                theme.plain(),
                theme.selected(),
            ] {
                assert_eq!(style.bg, None);
                assert!(!matches!(style.fg, Some(Color::Black | Color::White | Color::Gray | Color::DarkGray)));
                assert!(!light || !matches!(style.fg, Some(Color::Yellow | Color::Cyan)));
            }
        }
    }
}
