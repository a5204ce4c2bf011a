//! What the terminal can show: colours or none, all characters or ASCII. Pure.
//!
//! Only the sixteen colours that a terminal's own scheme defines are used, so that light and dark ones both work, and
//! nothing is told by colour alone.

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
};
use unicode_width::UnicodeWidthChar;

use crate::{message::visible, status};

/// The look of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Theme {
    /// Characters outside ASCII.
    pub(crate) unicode: bool,
    /// Colours.
    pub(crate) colour: bool,
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

impl Theme {
    fn coloured(self, colour: Color, modifier: Modifier) -> Style {
        let style = Style::new().add_modifier(modifier);
        if self.colour { style.fg(colour) } else { style }
    }

    pub(crate) fn recording(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD)
    }

    pub(crate) fn paused(self) -> Style {
        self.coloured(Color::Yellow, Modifier::BOLD)
    }

    pub(crate) fn good(self) -> Style {
        self.coloured(Color::Green, Modifier::empty())
    }

    pub(crate) fn warm(self) -> Style {
        self.coloured(Color::Yellow, Modifier::empty())
    }

    pub(crate) fn hot(self) -> Style {
        self.coloured(Color::Red, Modifier::empty())
    }

    pub(crate) fn alarm(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD)
    }

    pub(crate) fn accent(self) -> Style {
        self.coloured(Color::Cyan, Modifier::empty())
    }

    pub(crate) fn key(self) -> Style {
        self.coloured(Color::Cyan, Modifier::BOLD)
    }

    pub(crate) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(crate) fn plain(self) -> Style {
        Style::new()
    }

    pub(crate) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(crate) fn border(self) -> border::Set<'static> {
        if self.unicode { border::PLAIN } else { ASCII_BORDER }
    }

    /// The line between two parts of the frame, and its ends.
    pub(crate) fn divider(self) -> (&'static str, &'static str, &'static str) {
        if self.unicode { ("├", "─", "┤") } else { ("+", "-", "+") }
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
}
