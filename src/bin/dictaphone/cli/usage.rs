//! Turns what clap says about a wrong command line into a [`Failure`] in the style of all other messages. Pure.

use std::ffi::OsString;

use crate::{cli, message::Failure};

/// The failure for an error of clap about `words`, which are those behind the program's name; not for its help and
/// version texts.
pub(crate) fn failure(error: &clap::Error, words: impl IntoIterator<Item = OsString>) -> Failure {
    let command = words.into_iter().find_map(|word| {
        let word = word.into_string().ok()?;
        cli::command().find_subcommand(&word).map(|command| format!("dictaphone {}", command.get_name()))
    });
    let (text, remedy) = reword(&error.render().to_string(), command.as_deref());
    Failure::usage(text, remedy)
}

/// The first paragraph is the message, its lists are joined to one line; a tip or the possible values are the remedy.
fn reword(rendered: &str, command: Option<&str>) -> (String, String) {
    let body = rendered.strip_prefix("error: ").unwrap_or(rendered);
    let mut text = String::new();
    let mut remedy = None;
    for line in body.lines().take_while(|line| !line.is_empty()).map(str::trim) {
        if let Some(values) = line.strip_prefix("[possible values: ").and_then(|rest| rest.strip_suffix(']')) {
            remedy = Some(format!("one of {values}"));
        } else {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(line);
        }
    }
    // All values say more than the one that looks similar.
    let tip = body.lines().find_map(|line| line.trim_start().strip_prefix("tip: "));
    // How a file is written that is called like a flag helps nobody who mistook one.
    let tip = tip.filter(|tip| !tip.starts_with("to pass "));
    let remedy = remedy.or(tip.map(str::to_owned));
    // Our own parsers put the remedy behind a semicolon, as clap has one place only for what they say.
    let (text, ours) = match text.split_once(": ").and_then(|(_, reason)| reason.split_once("; ")) {
        Some((_, ours)) => (text.strip_suffix(ours).and_then(|t| t.strip_suffix("; ")), Some(ours.to_owned())),
        None => (Some(text.as_str()), None),
    };
    let text = text.unwrap_or(body).trim_end_matches('.').to_owned();
    let usage = body.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or_default();
    // "dictaphone record [OPTIONS] [FILE]": the words before the first that stands for something.
    let path: Vec<&str> = usage.split_whitespace().take_while(|word| word.starts_with(char::is_lowercase)).collect();
    // What clap says about a value has no such line.
    let path = if path.is_empty() { command.unwrap_or("dictaphone").to_owned() } else { path.join(" ") };
    (text, ours.or(remedy).unwrap_or_else(|| format!("`{path} --help` tells what can be written here")))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn said(words: &[&str]) -> (String, String) {
        let all = std::iter::once("dictaphone").chain(words.iter().copied());
        let failure = failure(&Cli::try_parse_from(all).unwrap_err(), words.iter().map(OsString::from));
        (failure.message.text, failure.message.hint.unwrap())
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
                &["record", "--x"],
                "unexpected argument '--x' found",
                "`dictaphone record --help` tells what can be written here",
            ),
            (
                &["record", "-d", "-5s"],
                "invalid value '-5s' for '--duration <T>': a length cannot be negative",
                "write it as `90`, `1m30s`, `1.5h` or `00:01:30`",
            ),
            (&["devies"], "unrecognized subcommand 'devies'", "a similar subcommand exists: 'devices'"),
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
