//! The program: reads the command line, runs one command, and ends with its exit code.

mod cli;
mod commands;
mod duration;
mod exit;
mod inputs;
mod intent;
mod json;
mod keys;
mod limits;
mod message;
mod name;
mod plan;
mod report;
mod signals;
mod status;
mod terminal;
mod usage;

use std::{
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
};

use clap::{Parser as _, error::ErrorKind as Cause};

use crate::{
    cli::{Cli, Command, Common},
    exit::Exit,
    message::Failure,
    report::Report,
};

fn main() -> ExitCode {
    let (report, outcome) = match Cli::try_parse() {
        Ok(cli) => {
            let report = Report::new(cli.common);
            report.tell_panics();
            // A bug ends with a code of the table as well; the hook has told about it.
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(cli, &report))).unwrap_or(Ok(Exit::Failed));
            (report, outcome)
        }
        Err(error) => {
            let report = Report::new(Common::default());
            let outcome = answer(&error, &report);
            (report, outcome)
        }
    };
    outcome
        .unwrap_or_else(|failure| {
            report.error(&failure.message);
            failure.exit
        })
        .into()
}

fn run(cli: Cli, report: &Report) -> Result<Exit, Failure> {
    match cli.command {
        Some(Command::Record(args)) => commands::record::run(*args, report),
        Some(Command::Devices(args)) => commands::devices::run(&args, report),
        Some(Command::Recover(args)) => commands::recover::run(&args, report),
        Some(Command::Completions(args)) => commands::completions::run(&args, report),
        Some(Command::Man) => commands::man::run(report),
        None => {
            report.text(&cli::command().render_help().to_string());
            Ok(Exit::Usage)
        }
    }
}

/// Help and the version were asked for and go to standard output; everything else is a mistake.
fn answer(error: &clap::Error, report: &Report) -> Result<Exit, Failure> {
    match error.kind() {
        Cause::DisplayHelp | Cause::DisplayVersion => {
            // Nobody is left to tell when standard output fails.
            let _ = report.data(error.render().to_string().as_bytes());
            Ok(Exit::Done)
        }
        _ => Err(usage::failure(error, std::env::args_os().skip(1))),
    }
}
