//! What a stream of samples looks like: sample rate, channels, and how one sample is stored.

use std::{fmt, str::FromStr};

use crate::error::{Error, ErrorKind};

/// How one sample is stored, always little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SampleFormat {
    /// Signed 16-bit integer.
    S16,
    /// Signed 24-bit integer in three bytes.
    S24,
    /// Signed 32-bit integer.
    S32,
    /// IEEE 754 32-bit float, full scale ±1.0.
    F32,
}

impl SampleFormat {
    /// Every format, shallowest first.
    pub const ALL: [Self; 4] = [Self::S16, Self::S24, Self::S32, Self::F32];

    /// Bytes that one sample takes.
    #[must_use]
    pub const fn bytes(self) -> u16 {
        match self {
            Self::S16 => 2,
            Self::S24 => 3,
            Self::S32 | Self::F32 => 4,
        }
    }

    /// Bits that one sample takes.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.bytes() * 8
    }

    /// The name on the command line and in machine output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::S16 => "s16",
            Self::S24 => "s24",
            Self::S32 => "s32",
            Self::F32 => "f32",
        }
    }
}

impl fmt::Display for SampleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for SampleFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| Error::new(ErrorKind::NotSupported, format!("unknown sample format '{text}'")))
    }
}

/// Sample rate, channel count and sample format of a stream or a file.
///
/// ```
/// use dictaphone::{AudioFormat, SampleFormat};
///
/// let format = AudioFormat::new(48_000, 2, SampleFormat::S24);
/// assert_eq!((format.frame_bytes(), format.sample_format.bits()), (6, 24));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AudioFormat {
    /// Frames a second, in hertz.
    pub sample_rate: u32,
    /// Samples in one frame.
    pub channels: u16,
    /// How a sample is stored.
    pub sample_format: SampleFormat,
}

impl AudioFormat {
    /// A format from its parts.
    #[must_use]
    pub const fn new(sample_rate: u32, channels: u16, sample_format: SampleFormat) -> Self {
        Self { sample_rate, channels, sample_format }
    }

    /// Bytes that one frame (one sample of every channel) takes.
    #[must_use]
    pub const fn frame_bytes(self) -> u32 {
        self.sample_format.bytes() as u32 * self.channels as u32
    }
}

impl fmt::Display for AudioFormat {
    /// As people say it: `48 kHz mono s16`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let khz = f64::from(self.sample_rate) / 1000.0;
        match self.channels {
            1 => write!(f, "{khz} kHz mono {}", self.sample_format),
            2 => write!(f, "{khz} kHz stereo {}", self.sample_format),
            n => write!(f, "{khz} kHz {n} channels {}", self.sample_format),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for format in SampleFormat::ALL {
            assert_eq!(format.name().parse::<SampleFormat>().unwrap(), format);
        }
        assert_eq!("s8".parse::<SampleFormat>().unwrap_err().kind(), ErrorKind::NotSupported);
    }

    #[test]
    fn formats_print_as_people_say_them() {
        assert_eq!(AudioFormat::new(44_100, 2, SampleFormat::S24).to_string(), "44.1 kHz stereo s24");
        assert_eq!(AudioFormat::new(48_000, 6, SampleFormat::F32).to_string(), "48 kHz 6 channels f32");
    }
}
