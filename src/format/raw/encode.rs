//! Frames to bare samples: little-endian, interleaved, with nothing before, between or after them.
//!
//! There is no place for tags. Holds no sample back. Run by the pump thread.

use crate::{
    audio::{AudioFormat, SampleFormat, convert},
    error::{Error, ErrorKind, Result},
    format::{Encoder, EncoderSettings, Metadata, Patch, Seal},
};

/// The encoder of bare samples.
#[derive(Debug)]
pub(crate) struct RawEncoder {
    audio: AudioFormat,
}

impl RawEncoder {
    /// An encoder for `settings`; the bit rate follows from the format, tags are left out.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] for no channels or a rate of zero.
    pub(crate) fn new(settings: &EncoderSettings) -> Result<Self> {
        check(settings.audio)?;
        Ok(Self { audio: settings.audio })
    }
}

/// Checks that there is any sound to be written.
///
/// # Errors
/// [`ErrorKind::NotSupported`] for no channels or a rate of zero.
pub(super) fn check(audio: AudioFormat) -> Result<()> {
    if audio.channels == 0 || audio.sample_rate == 0 {
        let context = "raw samples need at least one channel and a sample rate";
        return Err(Error::new(ErrorKind::NotSupported, context));
    }
    Ok(())
}

impl Encoder for RawEncoder {
    fn begin(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn encode(&mut self, samples: &[f32], out: &mut Vec<u8>) -> Result<()> {
        if !samples.len().is_multiple_of(usize::from(self.audio.channels)) {
            let (samples, channels) = (samples.len(), self.audio.channels);
            let context = format!("{samples} samples are not whole frames of {channels} channels");
            return Err(Error::new(ErrorKind::InvalidData, context));
        }
        convert::encode_samples(samples, self.audio.sample_format, out);
        Ok(())
    }

    fn stored(&self) -> Option<SampleFormat> {
        Some(self.audio.sample_format)
    }

    fn encode_stored(&mut self, frames: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(frames);
        Ok(())
    }

    fn flush(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn seal(&self, written_bytes: u64) -> Seal {
        let partial = written_bytes % u64::from(self.audio.frame_bytes());
        Seal { length: written_bytes - partial, patches: Vec::new() }
    }

    fn frames_in(&self, written_bytes: u64) -> Option<u64> {
        Some(written_bytes / u64::from(self.audio.frame_bytes()))
    }

    fn unseal(&mut self) -> Vec<Patch> {
        Vec::new()
    }

    fn set_metadata(&mut self, _metadata: Metadata) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audio::SampleFormat, format::Delivery};

    fn encoder(channels: u16) -> Result<RawEncoder> {
        RawEncoder::new(&EncoderSettings {
            audio: AudioFormat::new(8_000, channels, SampleFormat::S16),
            delivery: Delivery::File,
            bits_per_second: None,
            metadata: Metadata { title: Some("t".into()), ..Metadata::default() },
        })
    }

    #[test]
    fn the_output_is_the_samples_and_nothing_else() {
        let mut encoder = encoder(2).unwrap();
        let mut out = Vec::new();
        encoder.begin(&mut out).unwrap();
        encoder.encode(&[0.5, -1.0], &mut out).unwrap();
        encoder.finish(&mut out).unwrap();
        assert_eq!(out, [0x00, 0x40, 0x00, 0x80]);
        assert_eq!(encoder.encode(&[0.5], &mut out).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_seal_ends_after_a_whole_frame() {
        let encoder = encoder(2).unwrap();
        for (cut, length) in [(0, 0), (3, 0), (4, 4), (7, 4), (u64::MAX, u64::MAX - 3)] {
            assert_eq!(encoder.seal(cut), Seal { length, patches: Vec::new() });
        }
    }

    #[test]
    fn no_channels_are_refused() {
        assert_eq!(encoder(0).unwrap_err().kind(), ErrorKind::NotSupported);
    }
}
