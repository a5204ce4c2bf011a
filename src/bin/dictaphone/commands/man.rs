//! `dictaphone man`: one page with all commands, on standard output.

use std::io;

use anyhow::Context as _;
use clap_mangen::Man;

use crate::{cli, message::exit::Exit, report::Report};

/// Prints the page.
///
/// # Errors
/// When standard output fails.
pub(crate) fn run(report: &Report) -> anyhow::Result<Exit> {
    page().and_then(|page| report.data(page.as_bytes())).context("cannot write the man page")?;
    Ok(Exit::Done)
}

fn page() -> io::Result<String> {
    let mut command = cli::command();
    command.build();
    let man = Man::new(command.clone());
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    let mut page = lossy(&out);
    for sub in command.get_subcommands() {
        page.push_str(&section(sub)?);
    }
    page.push_str(".SH NOTES\n");
    page.push_str(&notes(&command));
    Ok(page)
}

/// One command as a section: what it does, its synopsis, its options, its examples.
fn section(command: &clap::Command) -> io::Result<String> {
    let mut page = format!(".SH {}\n", escaped(&command.get_name().to_uppercase()));
    if let Some(about) = command.get_about() {
        page.push_str(&format!("{}\n", escaped(&about.to_string())));
    }
    let mut out = Vec::new();
    let man = Man::new(command.clone());
    man.render_synopsis_section(&mut out)?;
    man.render_options_section(&mut out)?;
    // The page has one level of sections for commands, so what clap_mangen makes sections of becomes subsections.
    page.push_str(&lossy(&out).replace(".SH SYNOPSIS", ".SS Synopsis").replace(".SH OPTIONS", ".SS Options"));
    page.push_str(&notes(command));
    Ok(page)
}

/// The notes behind the options, line by line as they are.
fn notes(command: &clap::Command) -> String {
    let Some(notes) = command.get_after_long_help() else { return String::new() };
    let lines: String = notes.to_string().lines().map(|line| format!("{}\n", escaped(line))).collect();
    format!(".PP\n.nf\n{lines}.fi\n")
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Text as roff reads it literally.
fn escaped(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_command_flag_and_exit_code() {
        let page = page().unwrap();
        for word in [".SH RECORD", ".SH DEVICES", ".SH COMPLETIONS", "\\-\\-duration", "\\-\\-preset", "Exit codes:"] {
            assert!(page.contains(word), "{word}");
        }
        for exit in Exit::ALL {
            assert!(page.contains(&escaped(exit.meaning())), "{exit:?}");
        }
    }

    #[test]
    fn text_cannot_become_a_request() {
        assert_eq!(escaped(".so x"), "\\&.so x");
        assert_eq!(escaped("a\\b-c"), "a\\eb\\-c");
    }
}
