//! The program: reads the command line, runs one command, and ends with its exit code.

mod cli;
mod commands;
mod input;
mod message;
mod plan;
mod report;
mod session;
mod shelf;
mod tui;
mod work;

use std::{
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
};

use clap::{Parser as _, error::ErrorKind as Cause};

use crate::{
    cli::{
        CaptureArgs, Cli, Common, Subcommand,
        config::{Config, Need},
    },
    message::{Failure, exit::Exit},
    report::{Report, explain, logfile},
};

fn main() -> ExitCode {
    #[cfg(unix)]
    commands::ctl::detach();
    if let Some(exit) = commands::completions::answer_shell() {
        return exit.into();
    }
    let (report, outcome) = match Cli::try_parse() {
        Ok(cli) => start(cli),
        Err(error) => {
            let report = Report::new(&Common::default());
            let outcome = answer(error, &report);
            (report, outcome)
        }
    };
    let exit = outcome.unwrap_or_else(|error| {
        let failure = explain(&error, std::env::args_os().skip(1));
        report.error(&failure.message);
        failure.exit
    });
    log::info!("dictaphone ends with exit code {}", exit.code());
    logfile::finish();
    report.finish();
    exit.into()
}

fn start(cli: Cli) -> (Report, anyhow::Result<Exit>) {
    let mut config = match &cli.command {
        // What these print is the same for everybody.
        Some(Subcommand::Completions(_) | Subcommand::Man) => Config::default(),
        _ => match Config::load(cli.common.config.as_deref(), cli.common.profile.as_deref()) {
            Ok(config) => config,
            Err(failure) => return (Report::new(&cli.common), Err(failure.into())),
        },
    };
    let common = config.fill(&cli.common);
    let report = Report::new(&common);
    let unneeded = match config.settle(need(cli.command.as_ref())) {
        Ok(unneeded) => unneeded,
        Err(failure) => return (report, Err(failure.into())),
    };
    unneeded.iter().for_each(|message| report.warning(message));
    if let Err(failure) = common.log.as_deref().map_or(Ok(()), logfile::open) {
        return (report, Err(failure.into()));
    }
    report.tell_panics();
    // A bug ends with a code of the table as well; the panic hook has reported it.
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(cli, config, !unneeded.is_empty(), &report)))
        .unwrap_or(Ok(Exit::Failed));
    (report, outcome)
}

/// What the command takes from the config: a mistake in the rest is no reason not to do it.
fn need(command: Option<&Subcommand>) -> Need {
    match command {
        None => Need::Screen,
        Some(Subcommand::Record(_)) => Need::Recording,
        Some(Subcommand::Devices(_) | Subcommand::Config(_) | Subcommand::Completions(_) | Subcommand::Man) => {
            Need::Nothing
        }
        Some(_) => Need::Folder,
    }
}

fn run(cli: Cli, config: Config, had_problems: bool, report: &Report) -> anyhow::Result<Exit> {
    if cli.command.is_some() && cli.screen != CaptureArgs::default() {
        let hint = "write them behind the command: `dictaphone record --device tone`";
        return Err(Failure::usage("options before the command are those of the screen", hint).into());
    }
    match cli.command {
        Some(Subcommand::Record(args)) => commands::record::run(*args, config, report),
        Some(Subcommand::Play(args)) => commands::play::run(&args, config, report),
        Some(Subcommand::Devices(args)) => commands::devices::run(&args, report),
        Some(Subcommand::List(args)) => commands::list::run(&args, config, report),
        Some(Subcommand::Info(args)) => commands::info::run(&args, config, report),
        Some(Subcommand::Levels(args)) => Ok(commands::levels::run(&args, config, report)?),
        Some(Subcommand::Rename(args)) => commands::rename::run(&args, config, report),
        Some(Subcommand::Delete(args)) => commands::delete::run(&args, config, report),
        Some(Subcommand::Convert(args)) => commands::convert::run(&args, config, report),
        Some(Subcommand::Recover(args)) => commands::recover::run(&args, config, report),
        #[cfg(unix)]
        Some(Subcommand::Ctl(args)) => Ok(commands::ctl::run(args, report)?),
        #[cfg(not(unix))]
        Some(Subcommand::Ctl(_)) => {
            let text = "`ctl` is not on this system yet: its socket needs Unix";
            Err(Failure::usage(text, "the keys of `record` and of the screen control a recorder").into())
        }
        Some(Subcommand::Config(args)) => commands::config::run(&args, config, had_problems, report),
        Some(Subcommand::Completions(args)) => commands::completions::run(&args, report),
        Some(Subcommand::Man) => commands::man::run(report),
        None => match tui::obstacle(tui::is_plain(cli.plain)) {
            None => tui::run(cli.screen, tui::is_plain(cli.plain), config, report),
            Some(obstacle) => {
                report.error(&obstacle);
                report.text(&format!("\n{}", cli::command().render_help()));
                Ok(Exit::Usage)
            }
        },
    }
}

/// Help and the version were asked for and go to standard output; everything else is a mistake.
fn answer(error: clap::Error, report: &Report) -> anyhow::Result<Exit> {
    match error.kind() {
        Cause::DisplayHelp | Cause::DisplayVersion => {
            // If standard output fails, there is nowhere left to report it.
            let _ = report.data(error.render().to_string().as_bytes());
            Ok(Exit::Done)
        }
        _ => Err(error.into()),
    }
}
