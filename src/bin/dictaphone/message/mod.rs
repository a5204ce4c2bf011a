//! Sentences for people, and the failures that carry them. Nothing is printed here.
//!
//! Whatever comes from outside (the name of a device, of a file, an argument of the command line) may contain
//! characters that move the cursor, change colours or turn the writing direction; [`visible`] makes them harmless.

pub(crate) mod exit;
mod remedy;
mod wrong_value;

use std::fmt::{self, Write as _};

use dictaphone::{
    Error, ErrorKind,
    capture::{SERVER, Warning, WarningKind},
};

use self::exit::Exit;
pub(crate) use self::{
    remedy::{Hint, Remedy},
    wrong_value::WrongValue,
};

/// What is wrong, and what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Lower case, without a full stop, naming the thing.
    pub(crate) text: String,
    /// The remedy, on a line of its own.
    pub(crate) hint: Option<Hint>,
}

impl Message {
    /// A message without a remedy.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: without_numbers(text.into()), hint: None }
    }

    /// The same message with a remedy.
    pub(crate) fn hint(self, hint: impl Into<Hint>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// The system's text of an error ends with its number, which means nothing to people.
fn without_numbers(mut text: String) -> String {
    while let Some(start) = text.find(" (os error ") {
        let rest = text.get(start..).unwrap_or_default();
        let Some(end) = rest.find(')') else { break };
        text.replace_range(start..=start + end, "");
    }
    text
}

/// Why a command ended without doing what it was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What is reported.
    pub(crate) message: Message,
    /// How the program ends.
    pub(crate) exit: Exit,
    /// The standard's name for it, for programs that read events.
    pub(crate) name: &'static str,
}

impl Failure {
    /// A failure for which the library has no error.
    pub(crate) fn new(message: Message, exit: Exit) -> Self {
        Self { message, exit, name: exit.standard_name() }
    }

    /// An error of the library, with the remedy that helps there.
    pub(crate) fn of(error: &Error, hint: Option<Hint>) -> Self {
        let hint = error.file().map(|file| Remedy::Command(ffmpeg_hint(file)).into()).or(hint);
        Self { message: Message { text: error.to_string(), hint }, exit: exit::code_of(error), name: error.name() }
    }

    /// The user stopped it.
    pub(crate) fn stopped(message: Message) -> Self {
        Self { name: ErrorKind::Abort.name(), ..Self::new(message, Exit::Failed) }
    }

    /// The same failure with another remedy.
    pub(crate) fn hint(self, hint: impl Into<Hint>) -> Self {
        Self { message: self.message.hint(hint), ..self }
    }

    /// The arguments on the command line do not make sense.
    pub(crate) fn usage(text: impl Into<String>, hint: impl Into<Hint>) -> Self {
        Self::new(Message::new(text).hint(hint), Exit::Usage)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.message.text)
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error, remedy(&error))
    }
}

/// A failure with exit code 1.
pub(crate) fn failed(text: impl Into<String>, hint: &str) -> Failure {
    Failure::new(Message::new(text).hint(hint), Exit::Failed)
}

/// An error about a file, to which the remedies for a missing microphone do not apply.
pub(crate) fn file_failure(error: &Error) -> Failure {
    Failure::of(error, None)
}

/// The remedy that turns a file which cannot be read into one that can.
fn ffmpeg_hint(file: &str) -> String {
    format!("`ffmpeg -i {} {}` makes a file of it that can be read", quoted(file), quoted(&format!("{file}.flac")))
}

/// A file name as an argument of a command that is typed into a shell.
pub(crate) fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    // A name that begins with a dash would be an option.
    let name = if name.starts_with('-') { format!("./{name}") } else { name.to_owned() };
    if name.chars().all(is_plain) { name } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

/// The remedy that helps against most errors of that kind.
pub(crate) fn remedy(error: &Error) -> Option<Hint> {
    use Remedy::{Command, Flag, Text};
    let devices = |what: &str| Command(format!("`dictaphone devices` lists what {what}found"));
    match error.kind() {
        _ if error.constraint() == Some("channels") => Some(
            Flag(
                "`--map` says which are kept: `--map 3`, `--map 1,4`, `--map 1+2` for the mean of two; `--channels 1` mixes all"
                    .into(),
            )
            .into(),
        ),
        ErrorKind::NotFound | ErrorKind::NotReadable if error.constraint() == Some(SERVER) => {
            Some(Text("`PULSE_SERVER` or `client.conf` names this server; without it the local one is used".into()).into())
        }
        _ if error.constraint() == Some("source") => {
            Some([Text("`PULSE_SOURCE` or `client.conf` names it".into()), devices("was ")].into())
        }
        _ if error.constraint() == Some("map") => {
            Some(Flag("`--map` counts the channels of the source from 1; without it all are kept".into()).into())
        }
        ErrorKind::NotFound => {
            Some([devices("was "), Flag("`--device tone` records a test tone".into())].into())
        }
        // With an input or output error underneath it is a file, whose path the message already names.
        ErrorKind::NotAllowed if error.io_kind().is_none() => Some(
            "allow this terminal the microphone in the system's privacy settings, or be the user of the sound server"
                .into(),
        ),
        ErrorKind::NotReadable => {
            Some([Text("another program may be using it".into()), devices("else was ")].into())
        }
        ErrorKind::Abort => Some("look whether the sound server runs and the device is connected".into()),
        ErrorKind::AlreadyExists => {
            Some(Flag("`--force` replaces it once the new recording is complete".into()).into())
        }
        _ => None,
    }
}

/// What helps against what a warning is about.
pub(crate) fn remedy_of(warning: &Warning) -> Option<Hint> {
    use Remedy::Flag;
    let channel = warning.channel().unwrap_or(1);
    match warning.kind() {
        WarningKind::Weak | WarningKind::Phase | WarningKind::Dead if warning.channel().is_some() => {
            Some(Flag(format!("`--map {channel}` keeps that channel alone")).into())
        }
        WarningKind::Quiet => Some(
            [
                Flag("`--gain 20` makes it ten times louder".into()),
                Remedy::Text("better is more level at the microphone".into()),
            ]
            .into(),
        ),
        WarningKind::LowSpace => Some("the recording is saved when that happens".into()),
        _ => None,
    }
}

/// `text` with every character that would control a terminal, break the line or turn the writing direction written out
/// as `\u{…}`.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a terminal would act on that character instead of showing it.
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}'                     // Arabic letter mark
            // A zero width space and direction marks; the joiners between them belong to words and emoji.
            | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'     // line and paragraph separators, embeddings and overrides
            | '\u{2060}'..='\u{206f}'     // invisible operators, isolates, deprecated format characters
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn joiners_are_shown_and_controls_and_direction_marks_are_written_out() {
        for (text, shown) in [
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("👩\u{200d}🚀", "👩\u{200d}🚀"),
            ("a\u{200b}b\u{200e}c\u{200f}d", "a\\u{200b}b\\u{200e}c\\u{200f}d"),
            ("\u{1b}[2J\u{202e}", "\\u{1b}[2J\\u{202e}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn numbers_of_system_errors_are_not_told() {
        for (text, expected) in [
            ("cannot write x: full (os error 28); y (os error 5)", "cannot write x: full; y"),
            ("nothing (os error", "nothing (os error"),
            ("plain", "plain"),
        ] {
            assert_eq!(Message::new(text).text, expected);
        }
    }

    #[test]
    fn characters_that_steer_a_terminal_become_visible() {
        for (text, shown) in [
            ("USB Mikrofon für Zoë", "USB Mikrofon für Zoë"),
            ("マイク", "マイク"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\nb\r\t", "a\\u{a}b\\u{d}\\u{9}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("evil\u{202e}vaw.exe", "evil\\u{202e}vaw.exe"),
            ("\u{2066}x\u{2069}\u{7f}", "\\u{2066}x\\u{2069}\\u{7f}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn an_error_becomes_a_failure_with_its_code_and_remedy() {
        let failure = Failure::from(Error::new(ErrorKind::NotFound, "no input device"));
        assert_eq!((failure.exit, failure.message.text.as_str()), (Exit::NoDevice, "no input device"));
        assert!(failure.message.hint.is_some_and(|hint| hint.contains("dictaphone devices")));
    }

    #[test]
    fn a_device_that_is_denied_or_busy_has_its_code_and_remedy() {
        for (kind, exit, remedy) in [
            (ErrorKind::NotAllowed, Exit::Denied, "privacy settings"),
            (ErrorKind::NotReadable, Exit::Failed, "another program may be using it"),
        ] {
            let failure = Failure::from(Error::new(kind, "cannot record from USB"));
            assert_eq!((failure.exit, failure.message.text.as_str()), (exit, "cannot record from USB"));
            assert!(failure.message.hint.is_some_and(|hint| hint.contains(remedy)), "{kind:?}");
        }
    }

    #[test]
    fn a_denied_file_is_not_blamed_on_the_microphone() {
        let error = Error::from_io(io::ErrorKind::PermissionDenied.into(), "cannot create x.wav");
        let failure = Failure::from(error);
        assert_eq!((failure.exit, failure.message.hint), (Exit::Denied, None));
    }
}
