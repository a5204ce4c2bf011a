//! The config file: the flags of `record` that apply unless the command line sets them, and the keys of the screen.
//!
//! Its keys are the flags themselves: each is passed to the parser of the command line, so that whatever is accepted or
//! refused there is accepted or refused here, with the same messages, preceded by file and line. How a default combines
//! with the arguments of the command line is decided in `plan`. Read once, before anything else, on the main thread.
//!
//! A mistake in it is kept as a [`Problem`]: whether it matters depends on the command, and a mistake among the keys of
//! the screen must not prevent a recording.

mod document;
mod flags;
mod habits;
mod keys;

use std::{
    env,
    fs::OpenOptions,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use self::document::{Document, Entry, Value};
use self::flags::{parse_words, record_command, words_of};
pub(crate) use self::{flags::keys, habits::Habits};
use crate::{
    cli::{Common, RecordArgs, ordinary, usage},
    message::{Failure, Message, visible},
    tui::keymap::Keymap,
};

/// The largest file that is read; files written by hand are smaller.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Flags that make no sense as a default.
const NOT_IN_CONFIG: [&str; 5] = ["config", "profile", "help", "version", "dry-run"];

/// The table of the screen's keys.
const KEYS: &str = "keys";

/// The table of profiles: each a table of flags that replace those above.
const PROFILE: &str = "profile";

/// Prefix of the key of a problem in a profile that was not asked for; the name of the profile follows.
const UNUSED: &str = "profile.";

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
    /// The path of the file, whether it exists or not; `None` for a user without a place for one.
    pub(crate) path: Option<PathBuf>,
    /// The settings in force, in the order of the file.
    pub(crate) settings: Vec<Setting>,
    /// Names of the profiles in it.
    pub(crate) profiles: Vec<String>,
    problems: Vec<Problem>,
}

/// One line of the file that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The flag without its dashes, a habit of the screen, or `keys.` and an action.
    pub(crate) key: String,
    /// As it is written on a command line.
    pub(crate) value: String,
    /// Line in the file, from 1 on.
    pub(crate) line: usize,
}

/// Something in the file that cannot be applied.
#[derive(Debug)]
struct Problem {
    /// The key that it is about; empty for the file as a whole.
    key: String,
    failure: Failure,
}

/// What a command takes from the config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// All flags, not the keys.
    Recording,
    /// Flags and keys.
    Screen,
    /// Where the clips are.
    Folder,
    /// Nothing but colours and the log.
    Nothing,
}

impl Need {
    fn includes(self, key: &str) -> bool {
        let is_of_keys = key == KEYS || key.starts_with("keys.");
        match self {
            _ if key.starts_with(UNUSED) => false,
            Self::Screen => true,
            Self::Recording => !is_of_keys,
            Self::Folder => matches!(key, "dir" | ""),
            Self::Nothing => false,
        }
    }
}

impl Config {
    /// Reads that file, or the one in the user's config folder if there is one. The flags of the profile replace those
    /// above it.
    ///
    /// # Errors
    /// A usage failure if it cannot be read, or has no such profile.
    pub(crate) fn load(file: Option<&Path>, profile: Option<&str>) -> Result<Self, Failure> {
        let path = file.map(Path::to_owned).or_else(usual_place);
        let Some(path) = path else { return Self::default().with_profile(profile) };
        let read = match read(&path) {
            Ok(text) => Ok(Self::parse(&path, &text, profile)),
            Err(error) if file.is_none() && is_missing(&error) => Ok(Self::default()),
            Err(error) => Err(Failure::usage(
                format!("cannot read the config {}: {error}", path.display()),
                match file {
                    Some(_) => "`--config` names a file in TOML",
                    None => "mend it, or leave it out with `--config /dev/null`",
                },
            )),
        };
        Self { path: Some(path), ..read? }.with_profile(profile)
    }

    fn with_profile(self, profile: Option<&str>) -> Result<Self, Failure> {
        let Some(name) = profile.filter(|name| !self.profiles.iter().any(|known| known == name)) else {
            return Ok(self);
        };
        let hint = match self.profiles.is_empty() {
            true => "write [profile.NAME] into the config, and below it flags of `record`".to_owned(),
            false => format!("the profiles are {}", self.profiles.join(", ")),
        };
        Err(Failure::usage(format!("the config has no profile '{}'", visible(name)), hint))
    }

    /// The problems of the file: one in what the command needs is a failure, the rest is returned to be reported.
    ///
    /// # Errors
    /// The first problem in something that the command needs.
    pub(crate) fn settle(&mut self, need: Need) -> Result<Vec<Message>, Failure> {
        let problems = std::mem::take(&mut self.problems);
        if let Some(problem) = problems.iter().find(|problem| need.includes(&problem.key)) {
            return Err(problem.failure.clone());
        }
        Ok(problems.into_iter().map(|problem| problem.failure.message).collect())
    }

    /// The flags of every command; those not given are filled in from the config. NO_COLOR counts as given.
    pub(crate) fn fill(&self, given: &Common) -> Common {
        let Common { quiet, color, config: _, profile: _, log } = &self.common;
        Common {
            quiet: given.quiet || *quiet,
            color: given.color.or(color.filter(|_| !no_color())),
            log: given.log.clone().or_else(|| log.clone()),
            ..given.clone()
        }
    }

    fn parse(path: &Path, bytes: &[u8], profile: Option<&str>) -> Self {
        let mut config = Self::default();
        let document = match Document::parse(path, bytes) {
            Ok(document) => document,
            Err(failure) => {
                config.problems.push(Problem { key: String::new(), failure });
                return config;
            }
        };
        let record = record_command();
        let mut flags = Vec::new();
        for entry in document.entries() {
            match entry.key {
                KEYS => config.take_keys(&document, &entry),
                PROFILE => config.take_profiles(&document, &entry, &record, profile, &mut flags),
                _ => match config.habits.take(&entry, &document) {
                    Ok(Some(setting)) => config.settings.push(setting),
                    Ok(None) => config.take_flag(&document, &entry, &record, &mut flags),
                    Err(failure) => config.problem(&format!("{KEYS}.{}", entry.key), failure),
                },
            }
        }
        config.join(path, flags);
        config
    }

    fn problem(&mut self, key: &str, failure: Failure) {
        self.problems.push(Problem { key: key.to_owned(), failure });
    }

    fn take_keys(&mut self, document: &Document<'_>, table: &Entry<'_>) {
        let mut keymap = Keymap::default();
        match keys::rebind(&mut keymap, document, table) {
            Ok(settings) => {
                self.keymap = keymap;
                self.settings.extend(settings);
            }
            Err(failure) => self.problem(KEYS, failure),
        }
    }

    fn take_flag(&mut self, document: &Document<'_>, entry: &Entry<'_>, record: &clap::Command, flags: &mut Vec<Flag>) {
        match words_of(entry, record, document) {
            Ok((words, value)) => {
                let setting = Setting { key: entry.key.replace('_', "-"), value, line: document.line(entry.at) };
                // A flag of a profile replaces the same flag above it.
                flags.retain(|flag| flag.setting.key != setting.key);
                flags.push(Flag { setting, words });
            }
            Err(failure) => self.problem(&entry.key.replace('_', "-"), failure),
        }
    }

    fn take_profiles(
        &mut self,
        document: &Document<'_>,
        table: &Entry<'_>,
        record: &clap::Command,
        wanted: Option<&str>,
        flags: &mut Vec<Flag>,
    ) {
        let hint = "write [profile.NAME] and below it flags of `record`";
        let Value::Table(profiles) = &table.value else {
            return self.problem(PROFILE, document.failure(table.at, "`profile` is a table of profiles", hint));
        };
        for profile in profiles {
            let Value::Table(entries) = &profile.value else {
                let text = format!("`profile.{}` is a table", profile.key);
                self.problem(PROFILE, document.failure(profile.at, text, hint));
                continue;
            };
            self.profiles.push(profile.key.to_owned());
            let is_wanted = wanted == Some(profile.key);
            let (mut unused, known) = (Vec::new(), self.problems.len());
            for entry in entries {
                self.take_flag(document, entry, record, if is_wanted { &mut *flags } else { &mut unused });
            }
            // A problem in a profile that was not asked for concerns no command.
            for problem in self.problems.iter_mut().skip(known).filter(|_| !is_wanted) {
                problem.key = format!("{UNUSED}{}", profile.key);
            }
        }
    }

    /// Each flag was accepted alone; together only flags that exclude each other can fail.
    fn join(&mut self, path: &Path, flags: Vec<Flag>) {
        let words: Vec<String> = flags.iter().flat_map(|flag| flag.words.clone()).collect();
        match parse_words(&words) {
            Ok((record, common)) => (self.record, self.common) = (record, common),
            Err(error) => {
                let failure = usage::failure(&error, words.iter().map(Into::into));
                let text = format!("{}: {}", path.display(), failure.message.text);
                self.problem("", Failure::usage(text, "leave one of them out"));
            }
        }
        self.settings.extend(flags.into_iter().map(|flag| flag.setting));
        self.settings.sort_by_key(|setting| setting.line);
    }
}

/// A line of the file and the words of the command line that it stands for.
struct Flag {
    setting: Setting,
    words: Vec<String>,
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
    ordinary::open(path, OpenOptions::new().read(true))?.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB, which no config is"));
    }
    Ok(bytes)
}

/// The one device that stands for an empty file: `--config /dev/null` leaves the config out.
#[cfg(unix)]
fn is_null(path: &Path) -> bool {
    use std::{fs, os::unix::fs::MetadataExt};
    let id = |path: &Path| fs::metadata(path).ok().map(|there| (there.mode(), there.rdev()));
    id(path).is_some_and(|there| Some(there) == id(Path::new("/dev/null")))
}

#[cfg(not(unix))]
fn is_null(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests;
