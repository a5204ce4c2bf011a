//! Frames to a WAV file: plain PCM or float, RF64 above 4 GiB, tags and markers after the samples.
//!
//! The bytes of the header are in [`header`](super::header), those after the samples in [`trailer`]. Holds no sample
//! back. Run by the pump thread.

use super::{header::Header, trailer};
use crate::{
    audio::{AudioFormat, SampleFormat, convert},
    error::{Error, ErrorKind, Result},
    format::{Delivery, Encoder, EncoderSettings, Metadata, Patch, Seal},
};

/// The encoder of WAV files.
#[derive(Debug)]
pub(crate) struct WavEncoder {
    audio: AudioFormat,
    delivery: Delivery,
    metadata: Metadata,
    header: Header,
    /// Bytes of samples that were appended.
    data_bytes: u64,
    /// The header of a file was changed so that it states no length.
    unsealed: bool,
    /// Bytes that [`Encoder::finish`] appended: the pad byte, if one is needed, and the trailer.
    tail_bytes: Option<u64>,
}

/// The header with the layout of the channels, where it is known.
fn with_speakers(header: Header, settings: &EncoderSettings) -> Header {
    let known = settings.metadata.speakers.as_ref().filter(|speakers| speakers.count() == settings.audio.channels);
    match known {
        Some(speakers) => header.with_mask(speakers.mask()),
        None => header,
    }
}

impl WavEncoder {
    /// An encoder for `settings`; the bit rate follows from the format.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] if a WAV file cannot hold the format, see [`Header::new`].
    pub(crate) fn new(settings: &EncoderSettings) -> Result<Self> {
        Ok(Self {
            audio: settings.audio,
            delivery: settings.delivery,
            metadata: settings.metadata.clone(),
            header: with_speakers(Header::new(settings.audio)?, settings).with_front(&settings.metadata),
            data_bytes: 0,
            unsealed: false,
            tail_bytes: None,
        })
    }

    /// Whether the sound extends to the end of the output, whatever sizes are in the header.
    fn open_ended(&self) -> bool {
        self.unsealed || self.delivery == Delivery::Stream
    }

    fn check_unfinished(&self) -> Result<()> {
        match self.tail_bytes {
            None => Ok(()),
            Some(_) => Err(Error::new(ErrorKind::InvalidState, "the WAV file is already finished")),
        }
    }

    /// Counts bytes of samples that were appended.
    fn count(&mut self, bytes: usize) -> Result<()> {
        let total = u64::try_from(bytes).ok().and_then(|bytes| self.data_bytes.checked_add(bytes));
        self.data_bytes = total.ok_or_else(|| Error::new(ErrorKind::NotSupported, "the WAV file is too long"))?;
        Ok(())
    }

    fn header_len(&self) -> u64 {
        match self.delivery {
            Delivery::File => self.header.file_len(),
            Delivery::Stream => self.header.stream_len(),
        }
    }

    /// For a file cut after `written` bytes: the samples in it, and where it has to end, in bytes.
    fn whole(&self, written: u64) -> Option<(u64, u64)> {
        let header = self.header_len();
        let behind = written.checked_sub(header)?;
        match self.tail_bytes {
            Some(tail) if behind >= self.data_bytes => {
                let found = behind - self.data_bytes;
                // A part of the trailer is useless, but its samples keep their pad byte.
                let pad = self.data_bytes % 2;
                let kept = if found >= tail { tail } else { found.min(pad) };
                Some((self.data_bytes, header + self.data_bytes + kept))
            }
            _ => {
                let behind = behind.min(self.data_bytes);
                let data = behind - behind % self.header.frame_bytes();
                Some((data, header + data))
            }
        }
    }
}

impl Encoder for WavEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.extend(match self.delivery {
            Delivery::File => self.header.file(0, self.header.file_len()),
            Delivery::Stream => self.header.stream(),
        });
        Ok(())
    }

    fn encode(&mut self, samples: &[f32], out: &mut Vec<u8>) -> Result<()> {
        self.check_unfinished()?;
        if !samples.len().is_multiple_of(usize::from(self.audio.channels)) {
            let (samples, channels) = (samples.len(), self.audio.channels);
            let context = format!("{samples} samples are not whole frames of {channels} channels");
            return Err(Error::new(ErrorKind::InvalidData, context));
        }
        let before = out.len();
        convert::encode_samples(samples, self.audio.sample_format, out);
        self.count(out.len() - before)
    }

    fn stored(&self) -> Option<SampleFormat> {
        Some(self.audio.sample_format)
    }

    fn encode_stored(&mut self, frames: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.check_unfinished()?;
        out.extend_from_slice(frames);
        self.count(frames.len())
    }

    fn flush(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    /// Appends the pad byte, the tags and the markers; to a stream nothing, because its samples extend to its end.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.check_unfinished()?;
        let mut tail = Vec::new();
        if !self.open_ended() {
            tail.extend((self.data_bytes % 2 == 1).then_some(0));
            tail.extend(trailer::trailer(&self.metadata)?);
        }
        self.tail_bytes = Some(tail.len() as u64);
        out.extend(tail);
        Ok(())
    }

    /// One patch with the whole header, so that no cut between two patches can leave sizes that contradict each
    /// other, and so that a file that is cut back below 4 GiB is plain RIFF again.
    fn seal(&self, written_bytes: u64) -> Seal {
        let Some((data, length)) = self.whole(written_bytes) else { return Seal::default() };
        let patches =
            if self.open_ended() { Vec::new() } else { vec![Patch { at: 0, bytes: self.header.file(data, length) }] };
        Seal { length, patches }
    }

    fn frames_in(&self, written_bytes: u64) -> Option<u64> {
        let data = self.whole(written_bytes).map_or(0, |(data, _)| data);
        Some(data / self.header.frame_bytes())
    }

    fn unseal(&mut self) -> Vec<Patch> {
        if self.open_ended() {
            return Vec::new();
        }
        self.unsealed = true;
        vec![Patch { at: 0, bytes: self.header.unsealed_file() }]
    }

    fn set_metadata(&mut self, metadata: Metadata) {
        // What stands before the samples may change, but not move them.
        let header = self.header.clone().with_front(&metadata);
        if header.file_len() == self.header.file_len() {
            self.header = header;
        }
        self.metadata = metadata;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoder(delivery: Delivery, title: Option<&str>) -> WavEncoder {
        WavEncoder::new(&EncoderSettings {
            audio: AudioFormat::new(8_000, 1, SampleFormat::S24),
            delivery,
            bits_per_second: None,
            metadata: Metadata { title: title.map(Into::into), ..Metadata::default() },
        })
        .unwrap()
    }

    fn written(encoder: &mut WavEncoder, frames: usize) -> Vec<u8> {
        let mut out = Vec::new();
        encoder.begin(&mut out).unwrap();
        encoder.encode(&vec![0.5; frames], &mut out).unwrap();
        out
    }

    #[test]
    fn every_cut_of_a_finished_file_has_its_known_end() {
        let mut encoder = encoder(Delivery::File, Some("t"));
        let mut out = written(&mut encoder, 3);
        encoder.finish(&mut out).unwrap();
        // 116 bytes of header, 9 of samples, a pad byte, 22 of tags.
        assert_eq!(out.len(), 148);
        for (cut, length) in [
            (0, 0),
            (115, 0),
            (116, 116),
            (118, 116),
            (119, 119),
            (124, 122),
            (125, 125),
            (126, 126),
            (127, 126),
            (147, 126),
            (148, 148),
            (1_000, 148),
            (u64::MAX, 148),
        ] {
            let seal = encoder.seal(cut);
            assert_eq!(seal.length, length, "cut at {cut}");
            assert_eq!(seal.patches.is_empty(), length == 0, "cut at {cut}");
        }
        assert_eq!(out[125], 0);
        assert_eq!(&out[126..130], b"LIST");
    }

    #[test]
    fn an_unfinished_file_is_sealed_after_its_last_whole_frame() {
        let mut encoder = encoder(Delivery::File, None);
        let out = written(&mut encoder, 2);
        assert_eq!(encoder.seal(121).length, 119);
        let seal = encoder.seal(out.len() as u64);
        assert_eq!(seal.patches, [Patch { at: 0, bytes: encoder.header.file(6, 122) }]);
    }

    #[test]
    fn a_file_that_is_cut_back_below_4_gib_is_plain_riff_again() {
        let mut encoder = encoder(Delivery::File, None);
        encoder.data_bytes = 3 << 31;
        let id = |seal: Seal| seal.patches[0].bytes[..4].to_vec();
        assert_eq!(id(encoder.seal(5 << 30)), b"RF64");
        assert_eq!(id(encoder.seal(3 << 30)), b"RIFF");
    }

    #[test]
    fn a_stream_is_never_patched_and_has_no_trailer() {
        let mut encoder = encoder(Delivery::Stream, Some("t"));
        let mut out = written(&mut encoder, 1);
        let before = out.len();
        encoder.finish(&mut out).unwrap();
        assert_eq!(out.len(), before);
        let header = encoder.header.stream_len();
        for (cut, length) in [(header - 1, 0), (header, header), (header + 2, header), (header + 3, header + 3)] {
            assert_eq!(encoder.seal(cut), Seal { length, patches: Vec::new() });
        }
    }

    #[test]
    fn misuse_is_an_error_and_changes_nothing() {
        let settings = EncoderSettings {
            audio: AudioFormat::new(8_000, 2, SampleFormat::S16),
            delivery: Delivery::File,
            bits_per_second: None,
            metadata: Metadata::default(),
        };
        let mut encoder = WavEncoder::new(&settings).unwrap();
        let mut out = Vec::new();
        assert_eq!(encoder.encode(&[0.0; 3], &mut out).unwrap_err().kind(), ErrorKind::InvalidData);
        encoder.finish(&mut out).unwrap();
        assert_eq!(encoder.encode(&[0.0; 2], &mut out).unwrap_err().kind(), ErrorKind::InvalidState);
        assert_eq!(encoder.finish(&mut out).unwrap_err().kind(), ErrorKind::InvalidState);
        assert!(out.is_empty());
    }

    proptest! {
        #[test]
        fn a_seal_never_grows_the_file_and_patches_only_inside(data in 0..=u64::MAX / 4, cut: u64, finished: bool) {
            let mut encoder = encoder(Delivery::File, Some("t"));
            encoder.data_bytes = data - data % 3;
            encoder.tail_bytes = finished.then_some(22 + encoder.data_bytes % 2);
            let seal = encoder.seal(cut);
            prop_assert!(seal.length <= cut);
            for patch in &seal.patches {
                prop_assert!(patch.at + patch.bytes.len() as u64 <= seal.length);
            }
            prop_assert_eq!(encoder.seal(seal.length), seal);
        }
    }
}
