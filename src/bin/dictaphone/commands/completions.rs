//! `dictaphone completions SHELL`: the script on standard output; and the answer to the script when Tab is pressed.
//!
//! The scripts of bash, zsh and fish call the program itself with `COMPLETE` in the environment, so that they offer the
//! devices, clips and profiles of this moment. The scripts of other shells have only the fixed words of the command
//! line.

use std::{env, ffi::OsStr, fs, path::PathBuf, sync::mpsc::channel, thread, time::Duration};

use anyhow::Context as _;
use clap_complete::{
    engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _},
    env::{CompleteEnv, Shells},
};
use dictaphone::{
    capture::{DeviceInfo, DeviceKind},
    clips::name::is_clip_name,
    media::MediaDevices,
};

#[cfg(unix)]
use crate::input::control;
use crate::{
    cli::{self, CompletionsArgs, config::Config},
    message::exit::Exit,
    plan::{self, Surroundings},
    report::Report,
};

/// The variable with which a script requests the possible completions.
const VARIABLE: &str = "COMPLETE";

/// How long a sound system may take to list its devices: users do not wait longer for a Tab.
const DEVICES_TIMEOUT: Duration = Duration::from_millis(250);

/// Prints the script.
///
/// # Errors
/// When standard output fails.
pub(crate) fn run(args: &CompletionsArgs, report: &Report) -> anyhow::Result<Exit> {
    report.data(&script(args.shell)).context("cannot write the script")?;
    Ok(Exit::Done)
}

fn script(shell: clap_complete::Shell) -> Vec<u8> {
    let mut out = Vec::new();
    let name = shell.to_string();
    match Shells::builtins().completer(&name).filter(|_| matches!(name.as_str(), "bash" | "zsh" | "fish")) {
        // Writing into memory does not fail.
        Some(completer) => {
            let _ = completer.write_registration(VARIABLE, "dictaphone", "dictaphone", "dictaphone", &mut out);
        }
        None => clap_complete::generate(shell, &mut cli::command(), "dictaphone", &mut out),
    }
    out
}

/// Answers a script that requests what can stand at the cursor; `None` if no script called the program.
pub(crate) fn answer_shell() -> Option<Exit> {
    env::var_os(VARIABLE)?;
    let folder = env::current_dir().ok();
    match CompleteEnv::with_factory(command).var(VARIABLE).try_complete(env::args_os(), folder.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(Exit::Done),
        // The shell shows nothing, and the user types on.
        Err(_) => Some(Exit::Failed),
    }
}

/// The command line with what can stand for a device and a clip.
fn command() -> clap::Command {
    let mut command = cli::command();
    let with_device = |arg: clap::Arg| arg.add(ArgValueCompleter::new(inputs));
    command = command.mut_arg("device", with_device).mut_subcommand("record", |sub| sub.mut_arg("device", with_device));
    command = command.mut_subcommand("play", |sub| {
        sub.mut_arg("clip", |arg| arg.add(ArgValueCompleter::new(clips_of_folder)))
            .mut_arg("device", |arg| arg.add(ArgValueCompleter::new(outputs)))
    });
    for (name, second) in [("info", None), ("rename", Some("name")), ("convert", Some("out"))] {
        let add = |arg: clap::Arg| arg.add(ArgValueCompleter::new(clips_of_folder));
        command = command.mut_subcommand(name, |sub| {
            let sub = sub.mut_arg("clip", add);
            // An argument that was changed last is moved to the end.
            match second {
                Some(second) => sub.mut_arg(second, |arg| arg),
                None => sub,
            }
        });
    }
    command = command
        .mut_subcommand("delete", |sub| sub.mut_arg("clips", |arg| arg.add(ArgValueCompleter::new(clips_of_folder))));
    #[cfg(unix)]
    {
        command = command
            .mut_subcommand("ctl", |sub| sub.mut_arg("id", |arg| arg.add(ArgValueCompleter::new(running_recorders))));
    }
    command.mut_arg("profile", |arg| arg.add(ArgValueCompleter::new(profiles)))
}

fn inputs(typed: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = devices(DeviceKind::Input);
    found.extend(["tone", "melody", "silence", "noise", "file:"].map(CompletionCandidate::new));
    beginning_with(typed, found)
}

fn outputs(typed: &OsStr) -> Vec<CompletionCandidate> {
    beginning_with(typed, devices(DeviceKind::Output))
}

/// Devices that are listed in time; a sound server that hangs is not waited for.
fn devices(kind: DeviceKind) -> Vec<CompletionCandidate> {
    let (sender, answer) = channel();
    let list = move || drop(sender.send(MediaDevices::new().enumerate_devices().unwrap_or_default()));
    if thread::Builder::new().name("devices".to_owned()).spawn(list).is_err() {
        return Vec::new();
    }
    let found: Vec<DeviceInfo> = answer.recv_timeout(DEVICES_TIMEOUT).unwrap_or_default();
    let found = found.into_iter().filter(|device| device.kind == kind);
    found.map(|device| CompletionCandidate::new(device.id).help(Some(device.label.into()))).collect()
}

/// Clips of the folder by their names, and sound files anywhere.
fn clips_of_folder(typed: &OsStr) -> Vec<CompletionCandidate> {
    let entries = clips_folder().and_then(|folder| fs::read_dir(folder).ok());
    let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path());
    let names = paths.filter(|path| is_clip_name(path)).filter_map(|path| Some(path.file_stem()?.to_owned()));
    let names = names.map(CompletionCandidate::new).collect();
    let files = PathCompleter::any().filter(|path| path.is_dir() || is_clip_name(path));
    let mut found = beginning_with(typed, names);
    found.extend(files.complete(typed));
    found
}

fn clips_folder() -> Option<PathBuf> {
    let config = Config::load(None, None).unwrap_or_default();
    plan::clips_folder(None, &Surroundings::look_around(config.record)).ok()
}

/// Ids of the recorders that listen on a control socket.
#[cfg(unix)]
fn running_recorders(typed: &OsStr) -> Vec<CompletionCandidate> {
    let ids = control::folder::folder().and_then(|folder| control::folder::recorders(&folder)).unwrap_or_default();
    beginning_with(typed, ids.into_iter().map(CompletionCandidate::new).collect())
}

fn profiles(typed: &OsStr) -> Vec<CompletionCandidate> {
    let config = Config::load(None, None).unwrap_or_default();
    beginning_with(typed, config.profiles.into_iter().map(CompletionCandidate::new).collect())
}

fn beginning_with(typed: &OsStr, candidates: Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    candidates.into_iter().filter(|found| found.get_value().to_string_lossy().starts_with(typed.as_ref())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_has_a_script() {
        for &shell in clap_complete::Shell::value_variants() {
            let script = String::from_utf8(script(shell)).unwrap();
            let words: &[&str] = match shell.to_string().as_str() {
                "bash" | "zsh" | "fish" => &["dictaphone", VARIABLE],
                _ => &["record", "devices", "completions", "preset"],
            };
            assert!(words.iter().all(|word| script.contains(word)), "{shell}");
        }
    }

    #[test]
    fn the_command_line_that_completes_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn what_completes_has_the_words_in_the_order_of_the_command_line() {
        let places = |mut command: clap::Command| -> BTreeMap<String, Vec<String>> {
            command.build();
            let words = |sub: &clap::Command| sub.get_positionals().map(|arg| arg.get_id().to_string()).collect();
            command.get_subcommands().map(|sub| (sub.get_name().to_owned(), words(sub))).collect()
        };
        assert_eq!(places(command()), places(cli::command()));
    }
}
