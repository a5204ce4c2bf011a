//! `dictaphone completions SHELL`: the script on standard output.

use crate::{
    cli::{self, CompletionsArgs},
    message::{Failure, Message, exit::Exit},
    report::Report,
};

/// Prints the script.
///
/// # Errors
/// When standard output fails.
pub(crate) fn run(args: &CompletionsArgs, report: &Report) -> Result<Exit, Failure> {
    report
        .data(&script(args.shell))
        .map_err(|error| Failure::new(Message::new(format!("cannot write the script: {error}")), Exit::Failed))?;
    Ok(Exit::Done)
}

fn script(shell: clap_complete::Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "dictaphone", &mut out);
    out
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_completes_every_command() {
        for &shell in clap_complete::Shell::value_variants() {
            let script = String::from_utf8(script(shell)).unwrap();
            for word in ["record", "devices", "completions", "preset"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
