//! Names of new recordings, from a template.
//!
//! Pure. The extension is added by the caller, and so is the `-2`, `-3` … of a name that is taken.

use dictaphone::storage::place::is_safe_char;
use jiff::Zoned;

use crate::message::{Remedy, WrongValue};

/// The template that is used when none was given: no `:`, sorts by time.
pub(crate) const DEFAULT: &str = "%Y-%m-%d_%H-%M-%S";

/// The longest name in bytes, without extension: file systems take 255, and the dot and the `.part` of an unfinished
/// recording, an extension and a number have to fit as well.
const NAME_BYTES_MAX: usize = 230;

/// A template that has been checked: `strftime` fields, and `{n}` for a number that counts up from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(String);

impl Template {
    /// Checks a template by making a name of it.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, WrongValue> {
        let template = Self(text.to_owned());
        // The widest values that dates and times can take, except for the names of days and months.
        let sample = jiff::civil::date(2026, 12, 30).at(23, 59, 58, 999_999_999).to_zoned(jiff::tz::TimeZone::UTC);
        template.render(&sample.map_err(|error| WrongValue::from(error.to_string()))?, u32::MAX)?;
        Ok(template)
    }

    /// Whether the name has a number in it.
    pub(crate) fn is_numbered(&self) -> bool {
        self.0.contains("{n}")
    }

    /// The name of a recording whose first frame came at `at`, without extension.
    ///
    /// # Errors
    /// One line that says why the result cannot name a file.
    pub(crate) fn render(&self, at: &Zoned, number: u32) -> Result<String, WrongValue> {
        let plain = self.0.replace("{n}", "");
        if let Some(brace) = plain.find(['{', '}']) {
            let rest = plain.get(brace..).unwrap_or_default();
            return Err(format!("only {{n}} is filled in, not `{rest}`").into());
        }
        // Filled in last, so that a time zone's name or the like cannot bring a placeholder in.
        let pieces: Result<Vec<String>, WrongValue> = self.0.split("{n}").map(|piece| strftime(piece, at)).collect();
        let name = pieces?.join(&number.to_string());
        check(&name)?;
        Ok(name)
    }

    /// The name for `at` with the first number from 1 on that makes it free; if the template has no number or none is
    /// free, the name as it is.
    ///
    /// # Errors
    /// Those of [`render`](Self::render).
    pub(crate) fn choose(&self, at: &Zoned, is_taken: impl Fn(&str) -> bool) -> Result<String, WrongValue> {
        let mut name = self.render(at, 1)?;
        if self.is_numbered() {
            for number in 2..=100_000 {
                if !is_taken(&name) {
                    break;
                }
                name = self.render(at, number)?;
            }
        }
        Ok(name)
    }
}

fn strftime(template: &str, at: &Zoned) -> Result<String, WrongValue> {
    jiff::fmt::strtime::format(template, at).map_err(|error| {
        let text = error.to_string();
        let reason = text.strip_prefix("strftime formatting failed: ").unwrap_or(&text);
        WrongValue::new(reason, "`%%` stands for a percent sign")
    })
}

/// Whether `name` can name a file on every system, and does not hide it.
fn check(name: &str) -> Result<(), WrongValue> {
    if name.trim().is_empty() {
        return Err("nothing is left of the name".into());
    }
    if name.contains(['/', '\\']) {
        return Err(WrongValue::new("a name holds no folder", Remedy::Flag("`--dir` or FILE says where".to_owned())));
    }
    if name.starts_with('.') {
        return Err("a name that starts with a dot would be hidden".into());
    }
    if name.contains(':') {
        return Err(WrongValue::new(
            "no `:` in a name, other systems refuse it",
            "`%H-%M-%S` gives the time with dashes",
        ));
    }
    if !name.chars().all(is_safe_char) {
        return Err("no control characters in a name, nor such as turn the direction of writing".into());
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(format!("a name of {} bytes is too long, {NAME_BYTES_MAX} are the most", name.len()).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at() -> Zoned {
        "2026-11-20T14:05:09.25+01:00[Europe/Berlin]".parse().unwrap()
    }

    #[test]
    fn templates_are_filled_in() {
        for (template, number, name) in [
            (DEFAULT, 1, "2026-11-20_14-05-09"),
            ("take {n}", 7, "take 7"),
            ("%d %b {n}{n}", 2, "20 Nov 22"),
            ("100%%", 1, "100%"),
            ("%H%M%S%z", 1, "140509+0100"),
            ("Besprechung – %A", 1, "Besprechung – Friday"),
        ] {
            assert_eq!(Template::parse(template).unwrap().render(&at(), number).as_deref(), Ok(name));
        }
    }

    #[test]
    fn a_template_that_cannot_name_a_file_is_refused() {
        for (template, word) in [
            ("", "nothing is left"),
            ("   ", "nothing is left"),
            ("..", "hidden"),
            (".x", "hidden"),
            ("a/b", "folder"),
            ("a\\b", "folder"),
            ("%D", "folder"),
            ("%H:%M", "`:`"),
            ("%T", "`:`"),
            ("a%nb", "control"),
            ("a\u{1b}b", "control"),
            ("a\0b", "control"),
            ("%!", "%"),
            ("%", "%"),
            ("%E", "%"),
            ("%{n}", "%"),
            ("{m}", "{n}"),
            ("{n", "{n}"),
            ("n}", "{n}"),
        ] {
            let message = Template::parse(template).unwrap_err().whole();
            assert!(message.contains(word), "{template:?} gave {message:?}");
            assert!(!message.contains('\n'), "{template:?}");
        }
        assert!(Template::parse(&"x".repeat(231)).unwrap_err().whole().contains("too long"));
        assert!(Template::parse(&"x".repeat(230)).is_ok());
        assert!(Template::parse(&"ä".repeat(120)).is_err());
    }

    #[test]
    fn a_numbered_name_counts_up_until_it_is_free() {
        let template = Template::parse("take {n}").unwrap();
        let taken = ["take 1", "take 2", "take 4"];
        assert_eq!(template.choose(&at(), |name| taken.contains(&name)).as_deref(), Ok("take 3"));
        let plain = Template::parse("take").unwrap();
        assert_eq!(plain.choose(&at(), |_| true).as_deref(), Ok("take"));
    }

    proptest! {
        #[test]
        fn any_template_is_taken_or_refused(text in "\\PC{0,16}") {
            if let Ok(template) = Template::parse(&text) {
                let _ = template.render(&at(), 1);
            }
        }

        #[test]
        fn any_specifier_is_taken_or_refused(text in "(%[-_0^#]?[0-9]{0,12}[.:]{0,3}[A-Za-z]){1,3}") {
            let _ = Template::parse(&text);
        }
    }
}
