//! Keys of the config, each of which is a flag of `record`.

use clap::{Arg, ArgAction, Parser as _, ValueHint, error::ContextKind};

use super::{
    Habits, KEYS, NOT_IN_CONFIG, PROFILE,
    document::{Document, Entry, Value},
};
use crate::{
    cli::{self, Cli, Common, RecordArgs, Subcommand, usage},
    message::Failure,
};

/// The flags of `record` that can stand in the file.
pub(crate) fn keys() -> Vec<String> {
    let command = record_command();
    let longs = command.get_arguments().filter_map(Arg::get_long).filter(|key| !NOT_IN_CONFIG.contains(key));
    longs.map(str::to_owned).collect()
}

pub(super) fn record_command() -> clap::Command {
    let mut command = cli::command();
    command.build();
    command.find_subcommand("record").cloned().unwrap_or_default()
}

pub(super) fn parse_words(words: &[String]) -> Result<(RecordArgs, Common), clap::Error> {
    let line = ["dictaphone", "record"].into_iter().chain(words.iter().map(String::as_str));
    let cli = Cli::try_parse_from(line)?;
    Ok(match cli.command {
        Some(Subcommand::Record(args)) => (*args, cli.common),
        _ => Default::default(),
    })
}

/// A key and its value as arguments of the command line, whose parser checks them; and the value as it is written on a
/// command line.
pub(super) fn words_of(
    entry: &Entry<'_>,
    record: &clap::Command,
    document: &Document<'_>,
) -> Result<(Vec<String>, String), Failure> {
    // With underscores, as is usual in TOML, or with hyphens, as in the flag.
    let flag = entry.key.replace('_', "-");
    let known = record.get_arguments().find(|arg| arg.get_long() == Some(flag.as_str()));
    let Some(arg) = known.filter(|_| !NOT_IN_CONFIG.contains(&flag.as_str())) else {
        return Err(unknown(entry, record, document));
    };
    let (words, value) = match (takes_value(arg), &entry.value) {
        (false, Value::Bool(true)) => (vec![format!("--{flag}")], "true".to_owned()),
        (false, Value::Bool(false)) => (Vec::new(), "false".to_owned()),
        (false, _) => {
            let text = format!("`{}` is either true or false", entry.key);
            return Err(document.failure(entry.at, text, format!("write it as `{} = true`", entry.key)));
        }
        (true, Value::List(values)) if matches!(arg.get_action(), ArgAction::Append) => {
            let texts =
                values.iter().map(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None });
            let texts: Option<Vec<&str>> = texts.collect();
            let Some(texts) = texts else {
                let text = format!("`{}` is a text or a list of texts", entry.key);
                return Err(document.failure(entry.at, text, format!("write it as `{} = [\"…\"]`", entry.key)));
            };
            (texts.iter().map(|text| format!("--{flag}={text}")).collect(), texts.join(" · "))
        }
        (true, Value::Text(text)) => {
            let text = expanded(text, arg);
            (vec![format!("--{flag}={text}")], text)
        }
        (true, _) => {
            let text = format!("`{}` is a text or a number", entry.key);
            return Err(document.failure(entry.at, text, format!("write it as `{} = \"…\"`", entry.key)));
        }
    };
    match parse_words(&words) {
        Ok(_) => Ok((words, value)),
        Err(error) => {
            let Failure { message, .. } = usage::failure(&error, ["record".into()]);
            Err(document.failure(entry.at, message.text, message.hint.unwrap_or_default()))
        }
    }
}

pub(super) fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// Replaces a leading `~/` in a path, as the shell does on the command line.
fn expanded(text: &str, arg: &Arg) -> String {
    let is_path = matches!(arg.get_value_hint(), ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath);
    let home = dirs::home_dir().filter(|_| is_path);
    let below = home.and_then(|home| Some(home.join(text.strip_prefix("~/")?).to_str()?.to_owned()));
    below.unwrap_or_else(|| text.to_owned())
}

fn unknown(entry: &Entry<'_>, record: &clap::Command, document: &Document<'_>) -> Failure {
    if let Value::Table(_) = entry.value {
        let hint =
            format!("the flags of `record` stand above every table; the tables are [{KEYS}] and [{PROFILE}.NAME]");
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
            format!(
                "the keys are {}, and the tables [{KEYS}] and [{PROFILE}.NAME]",
                keys.collect::<Vec<_>>().join(", ")
            )
        }
    };
    document.failure(entry.at, format!("unknown key `{}`", entry.key), hint)
}
