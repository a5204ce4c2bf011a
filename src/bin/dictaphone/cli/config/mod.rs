//! The config file: what the flags of `record` and the keys of the screen are where the command line is silent.
//!
//! Its keys are the flags themselves: each is handed to the parser of the command line, so that whatever is taken or
//! refused there is taken or refused here, in the same words, with file and line before them. What a default means next
//! to the words of the command line is decided in `plan`. Read once, before anything else, on the main thread.

mod document;
mod habits;
mod keys;

use std::{
    env,
    fs::{self, OpenOptions},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, Parser as _, ValueHint, error::ContextKind};

use self::document::{Document, Entry, Value};
pub(crate) use self::habits::Habits;
use crate::{
    cli::{self, Cli, Common, RecordArgs, Subcommand, ordinary, usage},
    message::Failure,
    tui::keymap::Keymap,
};

/// The largest file that is read; nobody writes more by hand.
const LIMIT: u64 = 1 << 20;

/// Flags that make no sense as a default.
const NOT_IN_CONFIG: [&str; 3] = ["config", "help", "version"];

/// The table of the screen's keys.
const KEYS: &str = "keys";

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The flags of `record`.
    pub(crate) record: RecordArgs,
    /// The flags of every command.
    pub(crate) common: Common,
    /// The keys of the screen.
    pub(crate) keymap: Keymap,
    /// How the screen behaves.
    pub(crate) habits: Habits,
}

impl Config {
    /// Reads that file, or the one in the user's config folder if there is one.
    ///
    /// # Errors
    /// A usage failure if it cannot be read, or says something that the command line would not take.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file.map(Path::to_owned).or_else(usual_place) else { return Ok(Self::default()) };
        match read(&path) {
            Ok(text) => Self::parse(&path, &text),
            Err(error) if file.is_none() && is_missing(&error) => Ok(Self::default()),
            Err(error) => Err(Failure::usage(
                format!("cannot read the config {}: {error}", path.display()),
                match file {
                    Some(_) => "`--config` names a file in TOML",
                    None => "mend it, or leave it out with `--config /dev/null`",
                },
            )),
        }
    }

    /// The flags of every command, with what the config says in the gaps. NO_COLOR is no gap.
    pub(crate) fn fill(&self, given: &Common) -> Common {
        let Common { quiet, color, config: _, log } = &self.common;
        Common {
            quiet: given.quiet || *quiet,
            color: given.color.or(color.filter(|_| !no_color())),
            config: given.config.clone(),
            log: given.log.clone().or_else(|| log.clone()),
        }
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Failure> {
        let document = Document::parse(path, bytes)?;
        let record = record_command();
        let mut words = Vec::new();
        let mut keymap = Keymap::default();
        let mut habits = Habits::default();
        for entry in document.entries() {
            if entry.key == KEYS {
                keys::rebind(&mut keymap, &document, &entry)?;
            } else if !habits.take(&entry, &document)? {
                words.extend(words_of(&entry, &record, &document)?);
            }
        }
        // Each of them was taken alone; together only flags that exclude each other can fail.
        let (record, common) = parse_words(&words).map_err(|error| {
            let failure = usage::failure(&error, words.iter().map(Into::into));
            Failure::usage(format!("{}: {}", path.display(), failure.message.text), "leave one of them out")
        })?;
        Ok(Self { record, common, keymap, habits })
    }
}

/// Whether the environment asks for no colours.
pub(crate) fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// `dictaphone/config.toml` in the user's config folder.
fn usual_place() -> Option<PathBuf> {
    dirs::config_dir().map(|folder| folder.join("dictaphone").join("config.toml"))
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if is_null(path) {
        return Ok(bytes);
    }
    ordinary::open(path, OpenOptions::new().read(true))?.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB, which no config is"));
    }
    Ok(bytes)
}

/// The one device that stands for an empty file: `--config /dev/null` leaves the config out.
#[cfg(unix)]
fn is_null(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| fs::metadata(path).ok().map(|there| (there.mode(), there.rdev()));
    id(path).is_some_and(|there| Some(there) == id(Path::new("/dev/null")))
}

#[cfg(not(unix))]
fn is_null(_path: &Path) -> bool {
    false
}

fn record_command() -> clap::Command {
    let mut command = cli::command();
    command.build();
    command.find_subcommand("record").cloned().unwrap_or_default()
}

fn parse_words(words: &[String]) -> Result<(RecordArgs, Common), clap::Error> {
    let line = ["dictaphone", "record"].into_iter().chain(words.iter().map(String::as_str));
    let cli = Cli::try_parse_from(line)?;
    Ok(match cli.command {
        Some(Subcommand::Record(args)) => (*args, cli.common),
        _ => Default::default(),
    })
}

/// A key and its value as words of the command line, which takes them.
fn words_of(entry: &Entry<'_>, record: &clap::Command, document: &Document<'_>) -> Result<Vec<String>, Failure> {
    let known = record.get_arguments().find(|arg| arg.get_long() == Some(entry.key));
    let Some(arg) = known.filter(|arg| !NOT_IN_CONFIG.contains(&arg.get_id().as_str())) else {
        return Err(unknown(entry, record, document));
    };
    let words = match (takes_value(arg), &entry.value) {
        (false, Value::Bool(true)) => vec![format!("--{}", entry.key)],
        (false, Value::Bool(false)) => Vec::new(),
        (false, _) => {
            let text = format!("`{}` is either true or false", entry.key);
            return Err(document.failure(entry.at, text, format!("write it as `{} = true`", entry.key)));
        }
        (true, Value::Text(text)) => vec![format!("--{}={}", entry.key, expanded(text, arg))],
        (true, _) => {
            let text = format!("`{}` is a text or a number", entry.key);
            return Err(document.failure(entry.at, text, format!("write it as `{} = \"…\"`", entry.key)));
        }
    };
    match parse_words(&words) {
        Ok(_) => Ok(words),
        Err(error) => {
            let Failure { message, .. } = usage::failure(&error, ["record".into()]);
            Err(document.failure(entry.at, message.text, message.hint.unwrap_or_default()))
        }
    }
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// A leading `~/` in a path, which on the command line the shell replaces.
fn expanded(text: &str, arg: &Arg) -> String {
    let is_path = matches!(arg.get_value_hint(), ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath);
    let home = dirs::home_dir().filter(|_| is_path);
    let below = home.and_then(|home| Some(home.join(text.strip_prefix("~/")?).to_str()?.to_owned()));
    below.unwrap_or_else(|| text.to_owned())
}

fn unknown(entry: &Entry<'_>, record: &clap::Command, document: &Document<'_>) -> Failure {
    if let Value::Table(_) = entry.value {
        let hint = format!("the flags of `record` stand above every table; the only table is [{KEYS}]");
        return document.failure(entry.at, format!("unknown table `{}`", entry.key), hint);
    }
    let error = parse_words(&[format!("--{}=", entry.key)]).err();
    let similar = error.and_then(|error| error.get(ContextKind::SuggestedArg).map(ToString::to_string));
    let similar = similar.map(|flag| flag.trim_start_matches('-').to_owned());
    let hint = match similar.filter(|flag| !NOT_IN_CONFIG.contains(&flag.as_str())) {
        Some(flag) => format!("a similar key exists: `{flag}`"),
        None => {
            let keys = record.get_arguments().filter_map(Arg::get_long).filter(|key| !NOT_IN_CONFIG.contains(key));
            let keys = keys.chain(Habits::KEYS);
            format!("the keys are {}, and the table [{KEYS}]", keys.collect::<Vec<_>>().join(", "))
        }
    };
    document.failure(entry.at, format!("unknown key `{}`", entry.key), hint)
}

#[cfg(test)]
mod tests;
