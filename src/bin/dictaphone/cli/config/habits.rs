//! How the screen behaves, where that is a matter of taste and not a flag of `record`. Pure.

use std::time::Duration;

use super::{
    Setting,
    document::{Document, Entry, Value},
};
use crate::{cli::duration, message::Failure};

/// What the config says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Habits {
    /// How far before the place of a pause playback resumes.
    pub(crate) back_step: Duration,
    /// The two ends at a cut are crossfaded.
    pub(crate) crossfade: bool,
}

impl Habits {
    /// The names of their keys in the config.
    pub(crate) const KEYS: [&str; 2] = ["back_step", "crossfade"];

    /// Applies the entry if its key is one of these, and returns the setting then in force; `None` for any other key.
    ///
    /// # Errors
    /// A usage failure for a value that the key cannot have.
    pub(super) fn take(&mut self, entry: &Entry<'_>, document: &Document<'_>) -> Result<Option<Setting>, Failure> {
        let key = entry.key.replace('-', "_");
        let value = match (key.as_str(), &entry.value) {
            ("back_step", Value::Text(text)) => {
                self.back_step = duration::parse_position(text).map_err(|wrong| {
                    document.failure(entry.at, format!("`{}`: {}", entry.key, wrong.what), wrong.hint)
                })?;
                text.clone()
            }
            ("back_step", _) => {
                return Err(document.failure(
                    entry.at,
                    format!("`{}` is a length of time", entry.key),
                    format!("write it as `{} = \"2s\"`", entry.key),
                ));
            }
            ("crossfade", Value::Bool(crossfade)) => {
                self.crossfade = *crossfade;
                crossfade.to_string()
            }
            ("crossfade", _) => {
                return Err(document.failure(
                    entry.at,
                    "`crossfade` is either true or false",
                    "write it as `crossfade = true`",
                ));
            }
            _ => return Ok(None),
        };
        Ok(Some(Setting { key, value, line: document.line(entry.at) }))
    }
}
