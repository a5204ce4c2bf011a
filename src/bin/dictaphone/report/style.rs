//! What a terminal can show: characters outside ASCII, colours.

use std::env;

use crate::cli::{Color, config::no_color};

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// Characters outside ASCII.
    pub(crate) unicode: bool,
    /// SGR colours.
    pub(crate) colour: bool,
}

impl Style {
    /// The style of a terminal, or of an output that is not one, according to flag and environment.
    pub(crate) fn of_environment(color: Color, is_terminal: bool) -> Self {
        let term = env::var("TERM").unwrap_or_default();
        Self {
            unicode: speaks_utf8(|name| env::var(name).ok()),
            colour: colours(color, no_color(), is_terminal, &term),
        }
    }
}

fn colours(color: Color, no_color: bool, is_terminal: bool, term: &str) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && !no_color && has_colours(term),
    }
}

/// Whether a terminal of that name has colours. Those that have none are old and have well-known names: `vt100` and its
/// relatives, and monochrome ones.
fn has_colours(term: &str) -> bool {
    let is_video_terminal = term.strip_prefix("vt").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let is_coloured = term.contains("color") || term.starts_with("vt525");
    !(term.ends_with("-mono") || term.ends_with("-m") || (is_video_terminal && !is_coloured))
}

/// Whether the locale of the environment has UTF-8; the first variable that is set decides.
fn speaks_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    if cfg!(windows) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| variable(name).filter(|v| !v.is_empty()));
    locale.is_some_and(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_flag_then_the_environment_then_the_terminal() {
        for (color, no_color, terminal, term, expected) in [
            (Color::Auto, false, true, "xterm", true),
            (Color::Auto, false, true, "vt100", false),
            (Color::Auto, true, true, "xterm", false),
            (Color::Auto, false, false, "xterm", false),
            (Color::Always, true, false, "vt100", true),
            (Color::Never, false, true, "xterm", false),
        ] {
            assert_eq!(colours(color, no_color, terminal, term), expected, "{color:?} {no_color} {terminal} {term}");
        }
    }

    #[test]
    #[cfg(not(windows))]
    fn the_first_variable_that_is_set_decides_the_locale() {
        for (variables, expected) in [
            (&[("LANG", "de_DE.UTF-8")][..], true),
            (&[("LANG", "de_DE.utf8")], true),
            (&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], true),
            (&[("LANG", "de_DE")], false),
            (&[], false),
        ] {
            let look = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            assert_eq!(speaks_utf8(look), expected, "{variables:?}");
        }
    }

    #[test]
    fn old_and_monochrome_terminals_have_no_colours() {
        for term in ["vt52", "vt100", "vt102", "vt220", "vt100-w", "vt420", "xterm-mono", "linux-m"] {
            assert!(!has_colours(term), "{term}");
        }
        for term in
            ["xterm", "xterm-256color", "linux", "screen", "tmux", "vt525", "vte", "vt220-color", "xterm-vt220", ""]
        {
            assert!(has_colours(term), "{term}");
        }
    }
}
