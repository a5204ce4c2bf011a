//! Recordings for the tests: as this program and as other programs leave them.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use dictaphone::{
    audio::{AudioFormat, Marker, Metadata, SampleFormat},
    format::{self, Decoder, Delivery, Encoder, EncoderSettings, Origin, Repair, Seal},
};

pub(crate) const MONO: AudioFormat = AudioFormat::new(8_000, 1, SampleFormat::S16);

/// Formats with frames of 2, 3, 6, 8 and 12 bytes, plain, extensible and float.
pub(crate) const FORMATS: [AudioFormat; 5] = [
    MONO,
    AudioFormat::new(48_000, 1, SampleFormat::S24),
    AudioFormat::new(48_000, 2, SampleFormat::S24),
    AudioFormat::new(44_100, 2, SampleFormat::F32),
    AudioFormat::new(44_100, 3, SampleFormat::S32),
];

/// Samples that tell where they are, exact in every format. None of them is a byte that an id could have.
pub(crate) fn ramp(frames: usize, channels: u16) -> Vec<f32> {
    (0..frames * usize::from(channels)).map(|n| (n as f32 * 37.0 % 256.0 - 128.0) / 128.0).collect()
}

pub(crate) fn tags() -> Metadata {
    let marker = Marker { frame: 3, text: "here".into() };
    Metadata::default().software(Some("dictaphone".into())).markers(vec![marker])
}

/// Everything that the encoder appends for a recording, never sealed, and the encoder.
pub(crate) fn unsealed(audio: AudioFormat, frames: usize, metadata: Option<Metadata>) -> (Vec<u8>, Box<dyn Encoder>) {
    let settings = EncoderSettings::new(audio, Delivery::File).metadata(metadata.clone().unwrap_or_default());
    let mut encoder = format::by_name("wav").unwrap().encoder(&settings).unwrap();
    let mut out = Vec::new();
    encoder.begin(&mut out).unwrap();
    encoder.encode(&ramp(frames, audio.channels), &mut out).unwrap();
    if metadata.is_some() {
        encoder.finish(&mut out).unwrap();
    }
    (out, encoder)
}

/// A whole recording.
pub(crate) fn take(audio: AudioFormat, frames: usize, metadata: Metadata) -> Vec<u8> {
    let (bytes, encoder) = unsealed(audio, frames, Some(metadata));
    let seal = encoder.seal(bytes.len() as u64);
    sealed(bytes, &seal)
}

/// `bytes` after `seal` was carried out.
pub(crate) fn sealed(mut bytes: Vec<u8>, seal: &Seal) -> Vec<u8> {
    for patch in &seal.patches {
        let at = usize::try_from(patch.at).unwrap();
        assert!(at <= bytes.len(), "a patch behind the end");
        bytes.resize(bytes.len().max(at + patch.bytes.len()), 0);
        bytes[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    assert!(seal.length <= bytes.len() as u64, "a seal beyond the end");
    bytes.truncate(usize::try_from(seal.length).unwrap());
    bytes
}

pub(crate) fn examined(bytes: &[u8], origin: Origin) -> Repair {
    format::examine(&mut Cursor::new(bytes), "test", Some("wav"), origin).unwrap()
}

/// The repaired file. Repairing it once more must change nothing.
pub(crate) fn repaired(bytes: &[u8], origin: Origin) -> Vec<u8> {
    let fixed = sealed(bytes.to_vec(), &examined(bytes, origin).seal);
    for origin in [Origin::Part, Origin::Named] {
        assert!(examined(&fixed, origin).is_whole(), "a repaired file needs another repair as {origin:?}");
    }
    fixed
}

pub(crate) fn decoder(bytes: &[u8]) -> Box<dyn Decoder> {
    format::from_reader(Cursor::new(bytes.to_vec()), "test").unwrap()
}

pub(crate) fn samples(bytes: &[u8]) -> Vec<f32> {
    let mut out = Vec::new();
    decoder(bytes).read(&mut out, usize::MAX).unwrap();
    out
}

/// Every size in the file is what a strict reader expects.
pub(crate) fn assert_strict(bytes: &[u8]) {
    let riff = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
    assert_eq!(&bytes[..4], b"RIFF");
    assert_eq!(riff as usize + 8, bytes.len(), "the RIFF size");
    assert!(bytes.len().is_multiple_of(2), "chunks are padded");
    // The reference library looks at the sizes and nothing else.
    let reader = hound::WavReader::new(bytes).unwrap();
    assert_eq!(u64::from(reader.duration()), decoder(bytes).frames().unwrap());
}

/// A header as other programs write it: `RIFF`, its size, `fmt ` for 8 kHz mono s16, chunks in front, the data size.
pub(crate) fn foreign(riff: u32, chunks: &[u8], data: u32, samples: &[u8]) -> Vec<u8> {
    let fmt = b"fmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0";
    let start = [&b"RIFF"[..], &riff.to_le_bytes(), b"WAVE", fmt, chunks, b"data"].concat();
    [&start[..], &data.to_le_bytes(), samples].concat()
}

/// A file of which most is zeros, so that it can be larger than the memory.
pub(crate) struct Sparse {
    pub(crate) head: Vec<u8>,
    pub(crate) len: u64,
    pub(crate) at: u64,
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX));
        for byte in &mut buffer[..count] {
            *byte = usize::try_from(self.at).ok().and_then(|at| self.head.get(at)).copied().unwrap_or(0);
            self.at += 1;
        }
        Ok(count)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.len.checked_add_signed(by).unwrap(),
            SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}
