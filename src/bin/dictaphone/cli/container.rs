//! The file formats as arguments of the command line, made from the library's table of formats. This module only
//! decides which row an argument means, and what the message is when it does not fit. Pure.

use std::sync::LazyLock;

use clap::{ValueEnum, builder::PossibleValue};
use dictaphone::{
    audio::AudioFormat,
    format::{self, Format},
};

use crate::message::{Failure, Remedy};

/// A row of the library's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Container(&'static Format);

static ALL: LazyLock<Vec<Container>> = LazyLock::new(|| format::formats().iter().map(Container).collect());

impl ValueEnum for Container {
    fn value_variants<'a>() -> &'a [Self] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name).help(self.0.summary))
    }
}

impl Container {
    /// What is recorded when nothing is asked for.
    pub(crate) fn usual() -> Self {
        Self(format::default_format())
    }

    /// The names of all, for a message.
    pub(crate) fn names() -> String {
        let names: Vec<&str> = ALL.iter().map(|known| known.0.name).collect();
        names.join(", ")
    }

    /// The row of the library's table.
    pub(crate) const fn format(self) -> &'static Format {
        self.0
    }

    /// The extension of a new file, without the dot.
    pub(crate) fn extension(self) -> &'static str {
        self.0.extension()
    }

    /// The MIME type that the recorder is asked for.
    pub(crate) fn mime_type(self) -> &'static str {
        self.0.mime_type
    }

    pub(crate) fn of_extension(extension: &str) -> Option<Self> {
        format::by_extension(extension).map(Self)
    }

    /// Refuses sound that does not fit into a file of this format.
    ///
    /// # Errors
    /// A usage failure that names what does not fit and what does.
    pub(crate) fn refuse_unless_fitting(self, audio: AudioFormat) -> Result<(), Failure> {
        self.0
            .supported(audio)
            .map_err(|error| Failure::usage(error.to_string(), Remedy::Flag(self.0.remedy.to_owned())))
    }

    /// The bits a second that `--bitrate` asks for, in thousands.
    ///
    /// # Errors
    /// A usage failure if the format has no choice of bit rate, or does not allow that one.
    pub(crate) fn bits_per_second(self, kilobits: Option<u32>) -> Result<Option<u32>, Failure> {
        let Some(kilobits) = kilobits else { return Ok(None) };
        let Some(limits) = &self.0.bits_per_second else {
            return Err(Failure::usage(
                format!("--bitrate is for opus, not for {}", self.0.name),
                "`--format opus`, or a FILE that ends in .opus",
            ));
        };
        let bits = kilobits.saturating_mul(1_000);
        if limits.contains(&bits) {
            return Ok(Some(bits));
        }
        let (low, high) = (limits.start() / 1_000, limits.end() / 1_000);
        Err(Failure::usage(
            format!(
                "{kilobits} kbit/s is too {} for {}",
                if bits < *limits.start() { "few" } else { "many" },
                self.0.name
            ),
            format!("from {low} to {high} can be asked for; a voice needs 24 to 40"),
        ))
    }
}

#[cfg(test)]
impl Container {
    /// The row of that name.
    pub(crate) fn named(name: &str) -> Self {
        Self(format::by_name(name).unwrap())
    }
}
