//! A TOML file as entries with their positions. Pure.

use std::path::Path;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::message::{Failure, Hint};

/// The text and the tables in it.
pub(super) struct Document<'a> {
    path: &'a Path,
    text: &'a str,
    root: DeTable<'a>,
}

/// A key and its value.
pub(super) struct Entry<'a> {
    pub(super) key: &'a str,
    pub(super) value: Value<'a>,
    /// Where the key is, in bytes.
    pub(super) at: usize,
}

/// A value of one of the kinds that a config uses.
pub(super) enum Value<'a> {
    /// A text, a number or a time, as it is written on a command line.
    Text(String),
    Bool(bool),
    List(Vec<Value<'a>>),
    Table(Vec<Entry<'a>>),
}

impl<'a> Document<'a> {
    /// # Errors
    /// A usage failure that names the line, if the file is not text or not TOML.
    pub(super) fn parse(path: &'a Path, bytes: &'a [u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = 1 + bytes.iter().take(error.valid_up_to()).filter(|&&byte| byte == b'\n').count();
            Failure::usage(
                format!("{}:{line}: not a text in UTF-8", path.display()),
                "a config is TOML, as in `preset = \"voice\"`",
            )
        })?;
        let parsed = DeTable::parse(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            let what = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
            Failure::usage(
                format!("{}:{line}: {what}", path.display()),
                "a config is TOML, as in `preset = \"voice\"`; texts stand in quotes",
            )
        })?;
        Ok(Self { path, text, root: parsed.into_inner() })
    }

    /// Everything in it, in the order of the file.
    pub(super) fn entries(&self) -> Vec<Entry<'_>> {
        entries(&self.root, self.text)
    }

    /// The line of that position, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        line_of(self.text, at)
    }

    /// A failure about what is wrong at that position.
    pub(super) fn failure(&self, at: usize, text: impl std::fmt::Display, hint: impl Into<Hint>) -> Failure {
        Failure::usage(format!("{}:{}: {text}", self.path.display(), line_of(self.text, at)), hint)
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count()
}

fn entries<'a>(table: &'a DeTable<'_>, text: &str) -> Vec<Entry<'a>> {
    let entry = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'_>>)| {
        let key: &'a Spanned<std::borrow::Cow<'_, str>> = key;
        Entry { key: key.get_ref(), value: read(value, text), at: key.span().start }
    };
    let mut entries: Vec<Entry<'_>> = table.iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn read<'a>(value: &'a Spanned<DeValue<'_>>, text: &str) -> Value<'a> {
    match value.get_ref() {
        DeValue::String(string) => Value::Text(string.clone().into_owned()),
        // Without the underscores that TOML allows.
        DeValue::Integer(number) if number.radix() == 10 => Value::Text(number.as_str().to_owned()),
        DeValue::Float(number) => Value::Text(number.as_str().to_owned()),
        DeValue::Boolean(is) => Value::Bool(*is),
        DeValue::Array(values) => Value::List(values.iter().map(|value| read(value, text)).collect()),
        DeValue::Table(table) => Value::Table(entries(table, text)),
        // `00:01:30` is a time of day in TOML, and a length of time here.
        DeValue::Integer(_) | DeValue::Datetime(_) => {
            Value::Text(text.get(value.span()).unwrap_or_default().to_owned())
        }
    }
}
