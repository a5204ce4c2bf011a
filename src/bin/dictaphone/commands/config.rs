//! `dictaphone config`: where the config is, what is in force, and where each value comes from.

use std::{env, path::Path};

use anyhow::Context as _;
use clap::ValueEnum as _;
use serde::Serialize;

use crate::{
    cli::{
        ConfigArgs,
        config::{self, Config, Habits},
    },
    message::{exit::Exit, visible},
    plan::{self, Surroundings},
    report::{Report, table},
};

/// Where a value comes from.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum SetBy {
    /// That line of the config.
    Config(usize),
    /// That variable.
    Environment(&'static str),
    /// The preset of that name, which the config asks for.
    Preset(String),
    /// The program.
    BuiltIn,
}

/// A value in force.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Value {
    key: String,
    value: String,
    source: SetBy,
}

/// The whole output.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    path: Option<&'a Path>,
    exists: bool,
    clips_folder: Option<String>,
    profiles: &'a [String],
    values: Vec<Value>,
}

/// Prints it. Problems in the config were reported before; they make the exit code 2.
///
/// # Errors
/// When standard output fails.
pub(crate) fn run(args: &ConfigArgs, mut config: Config, had_problems: bool, report: &Report) -> anyhow::Result<Exit> {
    let values = values(&config);
    let folder = plan::clips_folder(None, &Surroundings::look_around(std::mem::take(&mut config.record))).ok();
    let facts = Facts {
        path: config.path.as_deref(),
        exists: config.path.as_deref().is_some_and(Path::exists),
        clips_folder: folder.map(|folder| folder.display().to_string()),
        profiles: &config.profiles,
        values,
    };
    let written = if args.json { report.facts(&facts) } else { report.data(text(&facts).as_bytes()) };
    written.context("cannot write the answer")?;
    Ok(if had_problems { Exit::Usage } else { Exit::Done })
}

fn values(config: &Config) -> Vec<Value> {
    let set = |key: &str| config.settings.iter().find(|setting| setting.key == key);
    let preset = of_preset(config);
    let habits = Habits::KEYS.map(str::to_owned);
    let flags = config::keys().into_iter().chain(habits).map(|key| {
        let (value, source) = match (key.as_str(), set(&key)) {
            ("dir", _) if !dir_of_environment().is_empty() => {
                (dir_of_environment(), SetBy::Environment("DICTAPHONE_DIR"))
            }
            ("color", _) if config::no_color() => ("never".to_owned(), SetBy::Environment("NO_COLOR")),
            (_, Some(setting)) => (setting.value.clone(), SetBy::Config(setting.line)),
            (key, None) => match preset.iter().find(|(flag, ..)| *flag == key) {
                Some((_, value, name)) => (value.clone(), SetBy::Preset(name.clone())),
                None => (built_in(key).to_owned(), SetBy::BuiltIn),
            },
        };
        Value { key, value, source }
    });
    let keys = config.settings.iter().filter(|setting| setting.key.starts_with("keys."));
    let keys = keys.map(|setting| Value {
        key: setting.key.clone(),
        value: setting.value.clone(),
        source: SetBy::Config(setting.line),
    });
    flags.chain(keys).collect()
}

/// What the preset of the config makes of the flags that it stands for: flag, value and the preset's name.
fn of_preset(config: &Config) -> Vec<(&'static str, String, String)> {
    let Some(preset) = config.record.capture.preset else { return Vec::new() };
    let name = preset.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let (rate, channels, depth) = plan::preset(Some(preset));
    let rate = rate.map(|rate| ("rate", rate.to_string()));
    let channels = channels.map(|channels| ("channels", channels.to_string()));
    let values = rate.into_iter().chain(channels).chain([("sample-format", depth.to_string())]);
    values.map(|(flag, value)| (flag, value, name.clone())).collect()
}

fn dir_of_environment() -> String {
    env::var_os("DICTAPHONE_DIR").unwrap_or_default().to_string_lossy().into_owned()
}

/// The default where nothing is set, worded for people.
fn built_in(key: &str) -> &'static str {
    match key {
        "duration" => "until it is stopped",
        "device" => "the system's default",
        "format" => "by the name of the file, else wav",
        "rate" | "channels" => "the device's",
        "sample-format" => "s16",
        "bitrate" => "40 mono, 64 stereo",
        "gain" => "0",
        "name" => "%Y-%m-%d_%H-%M-%S",
        "dir" => "Recordings in the music folder",
        "color" => "auto",
        "threshold" => "-40 with vox = \"level\"",
        "hang" => "2s with vox",
        "pre-roll" => "500ms with vox",
        _ => "no",
    }
}

fn text(facts: &Facts<'_>) -> String {
    let path = match facts.path {
        Some(path) if facts.exists => visible(&path.to_string_lossy()),
        Some(path) => format!("{} (not there)", visible(&path.to_string_lossy())),
        None => "there is no place for one".to_owned(),
    };
    let mut text = format!("config        {path}\n");
    if let Some(folder) = &facts.clips_folder {
        text += &format!("clips folder  {}\n", visible(folder));
    }
    if !facts.profiles.is_empty() {
        text += &format!("profiles      {}\n", visible(&facts.profiles.join(", ")));
    }
    let rows: Vec<[String; 3]> = facts.values.iter().map(row).collect();
    text + "\n" + &table::render(&rows)
}

fn row(value: &Value) -> [String; 3] {
    let source = match value.source {
        SetBy::Config(line) => format!("config, line {line}"),
        SetBy::Environment(name) => name.to_owned(),
        SetBy::Preset(ref name) => format!("preset {name}"),
        SetBy::BuiltIn => "built in".to_owned(),
    };
    [value.key.clone(), visible(&value.value), source]
}
