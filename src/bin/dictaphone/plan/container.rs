//! The formats of a file as words of the command line. What each can hold is in the library's table of formats; here is
//! only which row a word means, and what to say when it does not fit. Pure.

use clap::ValueEnum;
use dictaphone::{
    audio::AudioFormat,
    encode::format::{self, Format},
};

use crate::message::Failure;

/// The formats of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Container {
    /// RIFF/WAVE, past 4 GiB RF64
    Wav,
    /// Half the size, every bit kept (16 and 24 bit)
    Flac,
    /// Small, made for voice: Ogg Opus, 48 kHz, mono or stereo
    Opus,
    /// PCM with nothing else
    Raw,
}

impl Container {
    const fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::Opus => "opus",
            Self::Raw => "raw",
        }
    }

    /// The names of all, for a message.
    pub(super) fn names() -> String {
        let names: Vec<&str> = Self::value_variants().iter().map(|known| known.name()).collect();
        names.join(", ")
    }

    /// The row of the library's table.
    pub(crate) fn format(self) -> &'static Format {
        format::by_name(self.name()).unwrap_or_else(format::default_format)
    }

    /// The extension of a new file, without the dot.
    pub(crate) fn extension(self) -> &'static str {
        self.format().extension()
    }

    /// The MIME type that the recorder is asked for.
    pub(crate) fn mime_type(self) -> &'static str {
        self.format().mime_type
    }

    pub(super) fn of_extension(extension: &str) -> Option<Self> {
        let format = format::by_extension(extension)?;
        Self::value_variants().iter().copied().find(|known| known.name() == format.name)
    }

    /// Refuses sound that does not fit into a file of this format.
    ///
    /// # Errors
    /// A usage failure that names what does not fit and what does.
    pub(crate) fn refuse_unless_fitting(self, audio: AudioFormat) -> Result<(), Failure> {
        self.format().supported(audio).map_err(|error| Failure::usage(error.to_string(), self.remedy()))
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::Flac => {
                "`--sample-format` takes s16 and s24 here, `--channels` up to 8; `--format wav` holds the rest"
            }
            Self::Opus => "`--channels 2` mixes to stereo; `--format wav` holds more",
            Self::Wav | Self::Raw => "`--channels` and `--rate` set something else",
        }
    }

    /// The bits a second that `--bitrate` asks for, in thousands.
    ///
    /// # Errors
    /// A usage failure if the format has no choice, or not that one.
    pub(super) fn bits_per_second(self, kilobits: Option<u32>) -> Result<Option<u32>, Failure> {
        let Some(kilobits) = kilobits else { return Ok(None) };
        let Some(limits) = &self.format().bits_per_second else {
            return Err(Failure::usage(
                format!("--bitrate is for opus, not for {}", self.name()),
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
                self.name()
            ),
            format!("from {low} to {high} can be asked for; a voice needs 24 to 40"),
        ))
    }
}
