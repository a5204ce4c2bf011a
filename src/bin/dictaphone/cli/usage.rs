//! Turns an error of clap about a wrong command line into a [`Failure`] in the style of all other messages. Pure.

use std::{error::Error as _, ffi::OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{
    cli,
    message::{Failure, Hint, WrongValue},
};

/// The failure for an error of clap about `words`, the arguments after the program's name; not for its help and version
/// texts.
pub(crate) fn failure(error: &clap::Error, words: impl IntoIterator<Item = OsString>) -> Failure {
    let command = words.into_iter().find_map(|word| {
        let word = word.into_string().ok()?;
        cli::command().find_subcommand(&word).map(|command| format!("dictaphone {}", command.get_name()))
    });
    let (text, remedy) = reword(error);
    let path = command.as_deref().unwrap_or("dictaphone");
    Failure::usage(text, remedy.unwrap_or_else(|| format!("`{path} --help` tells what can be written here").into()))
}

/// What is wrong, and what helps if that is known.
fn reword(error: &clap::Error) -> (String, Option<Hint>) {
    let said = |kind| error.get(kind).map(ToString::to_string);
    let argument = said(ContextKind::InvalidArg).unwrap_or_default();
    let value = said(ContextKind::InvalidValue).unwrap_or_default();
    let values = said(ContextKind::ValidValue).filter(|values| !values.is_empty());
    let values = values.map(|values| format!("one of {values}").into());
    match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => {
            (format!("a value is required for '{argument}' but none was supplied"), values)
        }
        ErrorKind::InvalidValue => (format!("invalid value '{value}' for '{argument}'"), values),
        ErrorKind::ValueValidation => {
            let source = error.source();
            let reason = source.map(ToString::to_string).unwrap_or_default();
            let hint = source.and_then(|source| source.downcast_ref::<WrongValue>()).map(|wrong| wrong.hint.clone());
            (format!("invalid value '{value}' for '{argument}': {reason}"), hint.filter(|hint| !hint.is_empty()))
        }
        ErrorKind::UnknownArgument => {
            (format!("unexpected argument '{argument}' found"), similar(error, ContextKind::SuggestedArg, "argument"))
        }
        ErrorKind::InvalidSubcommand => {
            let command = said(ContextKind::InvalidSubcommand).unwrap_or_default();
            (
                format!("unrecognized subcommand '{command}'"),
                similar(error, ContextKind::SuggestedSubcommand, "subcommand"),
            )
        }
        ErrorKind::MissingRequiredArgument => {
            (format!("the following required arguments were not provided: {argument}"), None)
        }
        ErrorKind::ArgumentConflict => match said(ContextKind::PriorArg).filter(|prior| *prior != argument) {
            Some(prior) => (format!("the argument '{argument}' cannot be used with '{prior}'"), None),
            None => (format!("the argument '{argument}' cannot be used multiple times"), None),
        },
        kind => {
            let what = kind.as_str().unwrap_or("this command line is not understood");
            (what.trim_end_matches('.').to_owned(), None)
        }
    }
}

/// What may have been meant.
fn similar(error: &clap::Error, kind: ContextKind, what: &str) -> Option<Hint> {
    match error.get(kind)? {
        ContextValue::Strings(several) if several.len() > 1 => {
            let several: Vec<String> = several.iter().map(|one| format!("'{one}'")).collect();
            Some(format!("similar {what}s exist: {}", several.join(", ")).into())
        }
        one => Some(format!("a similar {what} exists: '{one}'").into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn said(words: &[&str]) -> (String, String) {
        let all = std::iter::once("dictaphone").chain(words.iter().copied());
        let failure = failure(&Cli::try_parse_from(all).unwrap_err(), words.iter().map(OsString::from));
        (failure.message.text, failure.message.hint.unwrap().to_string())
    }

    #[test]
    fn wrong_command_lines_are_told_in_our_style() {
        for (words, text, hint) in [
            (
                &["record", "-d", "abc"][..],
                "invalid value 'abc' for '--duration <T>': not a length of time",
                "write it as `90`, `1m30s`, `1.5h` or `00:01:30`",
            ),
            (
                &["record", "-c", "0"],
                "invalid value '0' for '--channels <N>': from 1 to 64 channels can be recorded",
                "1 is mono, 2 is stereo",
            ),
            (&["record", "-f", "mp3"], "invalid value 'mp3' for '--format <FORMAT>'", "one of wav, flac, opus, raw"),
            (
                &["record", "--durations", "5"],
                "unexpected argument '--durations' found",
                "a similar argument exists: '--duration'",
            ),
            (
                &["record", "--preset", "vioce"],
                "invalid value 'vioce' for '--preset <PRESET>'",
                "one of voice, cd, studio",
            ),
            (
                &["record", "--zz"],
                "unexpected argument '--zz' found",
                "`dictaphone record --help` tells what can be written here",
            ),
            (
                &["record", "-d", "-5s"],
                "invalid value '-5s' for '--duration <T>': a length cannot be negative",
                "write it as `90`, `1m30s`, `1.5h` or `00:01:30`",
            ),
            (&["devies"], "unrecognized subcommand 'devies'", "similar subcommands exist: 'levels', 'devices'"),
            (&["completion"], "unrecognized subcommand 'completion'", "a similar subcommand exists: 'completions'"),
            (
                &["record", "a", "b"],
                "unexpected argument 'b' found",
                "`dictaphone record --help` tells what can be written here",
            ),
            (
                &["record", "--name", ""],
                "invalid value '' for '--name <TEMPLATE>': nothing is left of the name",
                "`dictaphone record --help` tells what can be written here",
            ),
            (
                &["completions"],
                "the following required arguments were not provided: <SHELL>",
                "`dictaphone completions --help` tells what can be written here",
            ),
        ] {
            assert_eq!(said(words), (text.to_owned(), hint.to_owned()), "{words:?}");
        }
    }

    #[test]
    fn every_message_is_one_line_and_lower_case() {
        for words in [
            &["record", "-r"][..],
            &["record", "-r", "0"],
            &["record", "--json", "--json"],
            &["record", "--name", "a:b"],
            &["record", "--gain", "x; y: z"],
            &["completions", "tcsh"],
            &["--color", "blue"],
            &["record", "-d", "1:2:3:4"],
        ] {
            let (text, hint) = said(words);
            assert!(!text.contains('\n') && !hint.contains('\n'), "{text} / {hint}");
            assert!(text.starts_with(|c: char| c.is_lowercase()) && !text.ends_with('.'), "{text}");
        }
    }
}
