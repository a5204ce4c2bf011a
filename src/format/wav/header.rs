//! The header of a WAV file as a pure function of its format and its sizes.
//!
//! Up to 4 GiB the file is plain RIFF/WAVE; above that it is RF64 with the same header length (EBU Tech 3306): a `JUNK`
//! chunk of 28 bytes stands where the `ds64` chunk will be, so that a growing file changes its kind without moving a
//! sample. A stream gets a header without that room, because nothing in it can be changed later.
//!
//! `bext` and iXML, which also have to stand before the samples, follow that room.
//!
//! No input or output, no state; what stands after the samples is in [`trailer`](super::trailer). For any thread.

use crate::{
    audio::{AudioFormat, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
};

/// The largest RIFF size, in bytes, of a plain RIFF file. One more is the placeholder that RF64 uses.
pub(crate) const PLAIN_SIZE_LIMIT: u64 = 0xffff_fffe;

/// The value of a 32-bit size that is unknown, or that is stored in `ds64`.
const UNKNOWN: u32 = u32::MAX;

const TAG_PCM: u16 = 0x0001;
const TAG_FLOAT: u16 = 0x0003;
const TAG_EXTENSIBLE: u16 = 0xfffe;

/// Bytes of `ds64` without a table of further chunks: three 64-bit sizes and the length of the table.
const DS64_PAYLOAD: u32 = 28;

/// The last 14 bytes of the sub-format GUIDs that are made from a format tag (`KSDATAFORMAT_SUBTYPE_*`).
const GUID_TAIL: [u8; 14] = [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71];

/// The mask that mono and stereo imply; a higher number of channels implies nothing, and then it is 0.
const fn usual_mask(channels: u16) -> u32 {
    match channels {
        1 => 0x004,
        2 => 0x003,
        _ => 0,
    }
}

/// The header of a WAV file of one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    sample_rate: u32,
    channels: u16,
    sample_format: SampleFormat,
    block_align: u16,
    bytes_per_second: u32,
    /// `dwChannelMask`.
    mask: u32,
    /// Whole chunks before the format; of even length.
    front: Vec<u8>,
}

/// The sizes in a header.
#[derive(Debug, Clone, Copy)]
enum Sizes {
    /// Nothing is known and nothing will be.
    Stream,
    /// Bytes of the `data` chunk without its pad byte, and what follows the size in the RIFF chunk.
    File { data: u64, riff: u64 },
    /// As a stream, but with the room that a file reserves.
    Unsealed,
}

impl Header {
    /// The header for `audio`.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] if a field of `fmt ` cannot hold the format: no channels, a rate of zero, more than
    /// 65,535 bytes a frame, or 4 GiB a second and more.
    pub fn new(audio: AudioFormat) -> Result<Self> {
        let refuse = |what: &str| Err(Error::new(ErrorKind::NotSupported, format!("a WAV file cannot hold {what}")));
        if audio.channels == 0 || audio.sample_rate == 0 {
            return refuse("sound without channels or without a sample rate");
        }
        let Ok(block_align) = u16::try_from(audio.frame_bytes()) else {
            return refuse(&format!("{} channels of {}", audio.channels, audio.sample_format));
        };
        let Some(bytes_per_second) = audio.sample_rate.checked_mul(u32::from(block_align)) else {
            return refuse(&format!("{} channels at {} Hz", audio.channels, audio.sample_rate));
        };
        Ok(Self {
            sample_rate: audio.sample_rate,
            channels: audio.channels,
            sample_format: audio.sample_format,
            block_align,
            bytes_per_second,
            mask: usual_mask(audio.channels),
            front: Vec::new(),
        })
    }

    /// The same with the speakers that its channels are meant for, as a mask (`dwChannelMask`): 0 for separate channels.
    #[must_use]
    pub fn with_mask(self, mask: u32) -> Self {
        Self { mask, ..self }
    }

    /// The same with the chunks of `metadata` that belong before the samples: `bext` and iXML.
    #[must_use]
    pub fn with_front(self, metadata: &Metadata) -> Self {
        let mut front = Vec::new();
        for (id, payload) in [(b"bext", &metadata.broadcast), (b"iXML", &metadata.ixml)] {
            let Some((payload, size)) = payload.as_ref().and_then(|p| Some((p, u32::try_from(p.len()).ok()?))) else {
                continue;
            };
            put_chunk(&mut front, id, size);
            front.extend_from_slice(payload);
            front.extend((size % 2 == 1).then_some(0));
        }
        Self { front, ..self }
    }

    /// The same with whole chunks as they are in a file.
    #[must_use]
    pub(super) fn with_chunks(self, front: Vec<u8>) -> Self {
        Self { front, ..self }
    }

    /// Where those chunks begin in a [`file`](Self::file), in bytes.
    pub(super) const FRONT_AT: u64 = 12 + 8 + DS64_PAYLOAD as u64;

    /// Bytes of one frame; at least 1.
    #[must_use]
    pub const fn frame_bytes(&self) -> u64 {
        self.block_align as u64
    }

    /// Bytes of [`file`](Self::file), which is where its samples begin. Always even.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.stream_len() + 8 + u64::from(DS64_PAYLOAD)
    }

    /// Bytes of [`stream`](Self::stream), which is where its samples begin.
    #[must_use]
    pub fn stream_len(&self) -> u64 {
        let fact = if self.has_fact() { 12 } else { 0 };
        // RIFF, its size and WAVE; the ids and sizes of fmt and data.
        12 + self.front.len() as u64 + 8 + u64::from(self.fmt_payload()) + fact + 8
    }

    /// The header of a file of `file_bytes` bytes in all, `data_bytes` of which are samples (without a pad byte).
    ///
    /// RF64 exactly when the RIFF size, `file_bytes` - 8, is above `PLAIN_SIZE_LIMIT`.
    #[must_use]
    pub fn file(&self, data_bytes: u64, file_bytes: u64) -> Vec<u8> {
        self.bytes(Sizes::File { data: data_bytes, riff: file_bytes.saturating_sub(8) })
    }

    /// The header of a stream of unknown length: both sizes are `0xFFFFFFFF`, to be read as "up to the end".
    #[must_use]
    pub fn stream(&self) -> Vec<u8> {
        self.bytes(Sizes::Stream)
    }

    /// The header of a [`file`](Self::file) that is handed over before its end is known: as long as that one, with the
    /// sizes of a [`stream`](Self::stream).
    #[must_use]
    pub fn unsealed_file(&self) -> Vec<u8> {
        self.bytes(Sizes::Unsealed)
    }

    fn bytes(&self, sizes: Sizes) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        let frame_bytes = self.frame_bytes();
        // The data size is below the RIFF size, so that one comparison decides for both.
        let (id, riff, data, frames) = match sizes {
            Sizes::File { data, riff } if riff <= PLAIN_SIZE_LIMIT => {
                (b"RIFF", low(riff), low(data), low(data / frame_bytes))
            }
            Sizes::File { .. } => (b"RF64", UNKNOWN, UNKNOWN, UNKNOWN),
            Sizes::Stream | Sizes::Unsealed => (b"RIFF", UNKNOWN, UNKNOWN, UNKNOWN),
        };
        put_chunk(&mut out, id, riff);
        out.extend_from_slice(b"WAVE");
        match sizes {
            Sizes::Stream => {}
            Sizes::File { data, riff } if id == b"RF64" => {
                put_chunk(&mut out, b"ds64", DS64_PAYLOAD);
                for size in [riff, data, data / frame_bytes] {
                    out.extend_from_slice(&size.to_le_bytes());
                }
                out.extend_from_slice(&0_u32.to_le_bytes());
            }
            Sizes::File { .. } | Sizes::Unsealed => {
                put_chunk(&mut out, b"JUNK", DS64_PAYLOAD);
                out.resize(out.len() + DS64_PAYLOAD as usize, 0);
            }
        }
        out.extend_from_slice(&self.front);
        self.put_fmt(&mut out);
        if self.has_fact() {
            put_chunk(&mut out, b"fact", 4);
            out.extend_from_slice(&frames.to_le_bytes());
        }
        put_chunk(&mut out, b"data", data);
        out
    }

    /// The tag of the samples.
    const fn codec(&self) -> u16 {
        match self.sample_format {
            SampleFormat::S16 | SampleFormat::S24 | SampleFormat::S32 => TAG_PCM,
            SampleFormat::F32 => TAG_FLOAT,
        }
    }

    /// The tag in `fmt `. Microsoft requires the extensible one above two channels or, with integers, above 16 bits.
    const fn tag(&self) -> u16 {
        match self.sample_format {
            _ if self.channels > 2 => TAG_EXTENSIBLE,
            SampleFormat::S24 | SampleFormat::S32 => TAG_EXTENSIBLE,
            SampleFormat::S16 => TAG_PCM,
            SampleFormat::F32 => TAG_FLOAT,
        }
    }

    const fn fmt_payload(&self) -> u32 {
        match self.tag() {
            TAG_PCM => 16,
            TAG_EXTENSIBLE => 40,
            _ => 18,
        }
    }

    /// Every format except plain PCM requires a `fact` chunk.
    const fn has_fact(&self) -> bool {
        self.tag() != TAG_PCM
    }

    fn put_fmt(&self, out: &mut Vec<u8>) {
        let (tag, bits) = (self.tag(), self.sample_format.bits());
        put_chunk(out, b"fmt ", self.fmt_payload());
        out.extend_from_slice(&tag.to_le_bytes());
        out.extend_from_slice(&self.channels.to_le_bytes());
        out.extend_from_slice(&self.sample_rate.to_le_bytes());
        out.extend_from_slice(&self.bytes_per_second.to_le_bytes());
        out.extend_from_slice(&self.block_align.to_le_bytes());
        out.extend_from_slice(&bits.to_le_bytes());
        match tag {
            TAG_PCM => {}
            TAG_EXTENSIBLE => {
                out.extend_from_slice(&22_u16.to_le_bytes());
                out.extend_from_slice(&bits.to_le_bytes());
                out.extend_from_slice(&self.mask.to_le_bytes());
                out.extend_from_slice(&self.codec().to_le_bytes());
                out.extend_from_slice(&GUID_TAIL);
            }
            _ => out.extend_from_slice(&0_u16.to_le_bytes()),
        }
    }
}

/// Appends the id and the payload size of a chunk.
fn put_chunk(out: &mut Vec<u8>, id: &[u8; 4], size: u32) {
    out.extend_from_slice(id);
    out.extend_from_slice(&size.to_le_bytes());
}

fn low(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(sample_rate: u32, channels: u16, sample_format: SampleFormat) -> Header {
        Header::new(AudioFormat::new(sample_rate, channels, sample_format)).unwrap()
    }

    /// Bytes from words of hexadecimal digits and, in quotes of their own, chunk ids.
    fn bytes(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for word in text.split_whitespace() {
            match word.strip_prefix('\'') {
                Some(id) => out.extend_from_slice(id.replace('_', " ").as_bytes()),
                None => {
                    out.extend((0..word.len()).step_by(2).map(|i| u8::from_str_radix(&word[i..i + 2], 16).unwrap()))
                }
            }
        }
        out
    }

    const JUNK: &str = "'JUNK 1c000000 00000000000000 00000000000000 00000000000000 00000000000000";

    #[test]
    fn headers_of_files_are_byte_for_byte_the_standards() {
        for (header, data, file, expected) in [
            (
                header(48_000, 1, SampleFormat::S16),
                4,
                80 + 4,
                format!(
                    "'RIFF 4c000000 'WAVE {JUNK} 'fmt_ 10000000 0100 0100 80bb0000 00770100 0200 1000 'data 04000000"
                ),
            ),
            (
                header(44_100, 2, SampleFormat::F32),
                16,
                94 + 16,
                format!(
                    "'RIFF 66000000 'WAVE {JUNK} 'fmt_ 12000000 0300 0200 44ac0000 20620500 0800 2000 0000
                     'fact 04000000 02000000 'data 10000000"
                ),
            ),
            (
                header(48_000, 1, SampleFormat::S24),
                3,
                116 + 4 + 10,
                format!(
                    "'RIFF 7a000000 'WAVE {JUNK} 'fmt_ 28000000 feff 0100 80bb0000 80320200 0300 1800 1600 1800 04000000
                     0100 0000 0000 1000 8000 00aa00389b71 'fact 04000000 01000000 'data 03000000"
                ),
            ),
            (
                header(48_000, 6, SampleFormat::F32).with_mask(0x3f),
                24,
                116 + 24,
                format!(
                    "'RIFF 84000000 'WAVE {JUNK} 'fmt_ 28000000 feff 0600 80bb0000 00941100 1800 2000 1600 2000 3f000000
                     0300 0000 0000 1000 8000 00aa00389b71 'fact 04000000 01000000 'data 18000000"
                ),
            ),
        ] {
            assert_eq!(header.file(data, file), bytes(&expected), "{header:?}");
            assert_eq!(header.file_len(), header.file(data, file).len() as u64);
        }
    }

    #[test]
    fn headers_of_streams_promise_no_size_and_no_ds64() {
        for (header, expected) in [
            (
                header(16_000, 1, SampleFormat::S16),
                "'RIFF ffffffff 'WAVE 'fmt_ 10000000 0100 0100 803e0000 007d0000 0200 1000 'data ffffffff",
            ),
            (
                header(16_000, 1, SampleFormat::F32),
                "'RIFF ffffffff 'WAVE 'fmt_ 12000000 0300 0100 803e0000 00fa0000 0400 2000 0000
                 'fact 04000000 ffffffff 'data ffffffff",
            ),
        ] {
            assert_eq!(header.stream(), bytes(expected));
            assert_eq!(header.stream_len(), header.stream().len() as u64);
        }
    }

    #[test]
    fn only_a_known_layout_has_a_mask() {
        let mask = |header: Header| header.stream()[12 + 8 + 20..][..4].to_vec();
        let wide = header(48_000, 6, SampleFormat::S16);
        assert_eq!(mask(wide.clone()), [0; 4]);
        assert_eq!(mask(wide.with_mask(0x60f)), [0x0f, 0x06, 0, 0]);
        assert_eq!(mask(header(48_000, 2, SampleFormat::S24)), [3, 0, 0, 0]);
    }

    #[test]
    fn what_belongs_in_front_of_the_samples_stands_there() {
        let metadata = Metadata { broadcast: Some(vec![1; 5]), ixml: Some(b"<x/>".to_vec()), ..Metadata::default() };
        let header = header(8_000, 1, SampleFormat::S16).with_front(&metadata);
        let front = "'bext 05000000 0101010101 00 'iXML 04000000 3c782f3e";
        let fmt = "'fmt_ 10000000 0100 0100 401f0000 803e0000 0200 1000";
        assert_eq!(header.stream(), bytes(&format!("'RIFF ffffffff 'WAVE {front} {fmt} 'data ffffffff")));
        let file = header.file(2, header.file_len() + 2);
        assert_eq!(file, bytes(&format!("'RIFF 64000000 'WAVE {JUNK} {front} {fmt} 'data 02000000")));
        assert_eq!((header.file_len(), header.stream_len()), (file.len() as u64, header.stream().len() as u64));
    }

    #[test]
    fn a_file_becomes_rf64_exactly_where_its_riff_size_no_longer_fits() {
        // (format, trailer): 2, 3 and 4 bytes a frame, with and without a trailer and, with three bytes, a pad.
        for (format, trailer) in [
            (SampleFormat::S16, 0_u64),
            (SampleFormat::S16, 26),
            (SampleFormat::S24, 0),
            (SampleFormat::S24, 26),
            (SampleFormat::F32, 26),
        ] {
            let header = header(48_000, 1, format);
            let around = (PLAIN_SIZE_LIMIT - trailer) / header.frame_bytes();
            let mut kinds = Vec::new();
            for frames in around - 50..around + 50 {
                let data = frames * header.frame_bytes();
                let file = header.file_len() + data + data % 2 + trailer;
                let bytes = header.file(data, file);
                let plain = file - 8 < 0xffff_ffff;
                kinds.push(plain);
                assert_eq!(bytes.len() as u64, header.file_len());
                let tail = &bytes[bytes.len() - 4..];
                if plain {
                    assert_eq!((&bytes[..4], &bytes[12..20]), (&b"RIFF"[..], &b"JUNK\x1c\0\0\0"[..]));
                    assert_eq!(bytes[4..8], u32::try_from(file - 8).unwrap().to_le_bytes());
                    assert_eq!(tail, u32::try_from(data).unwrap().to_le_bytes());
                } else {
                    assert_eq!(&bytes[..20], b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0");
                    assert_eq!(bytes[20..28], (file - 8).to_le_bytes());
                    assert_eq!(bytes[28..36], data.to_le_bytes());
                    assert_eq!(bytes[36..44], frames.to_le_bytes());
                    assert_eq!(bytes[44..48], [0; 4]);
                    assert_eq!(tail, [0xff; 4]);
                }
            }
            assert!(kinds.first() == Some(&true) && kinds.last() == Some(&false), "{format} {trailer}");
        }
    }

    #[test]
    fn the_very_last_plain_size_is_4_294_967_294() {
        let header = header(48_000, 1, SampleFormat::S16);
        let file = PLAIN_SIZE_LIMIT + 8;
        assert_eq!(&header.file(file - 80, file)[..8], b"RIFF\xfe\xff\xff\xff");
        assert_eq!(&header.file(file - 78, file + 2)[..8], b"RF64\xff\xff\xff\xff");
    }

    #[test]
    fn formats_beyond_the_fields_of_fmt_are_refused() {
        for (rate, channels, format) in [
            (0, 1, SampleFormat::S16),
            (48_000, 0, SampleFormat::S16),
            (1, 32_768, SampleFormat::S16),
            (1, 16_384, SampleFormat::F32),
            (u32::MAX, 1, SampleFormat::S16),
        ] {
            let error = Header::new(AudioFormat::new(rate, channels, format)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{rate} {channels} {format}");
        }
        assert!(Header::new(AudioFormat::new(1, 32_767, SampleFormat::S16)).is_ok());
    }

    proptest! {
        #[test]
        fn any_sizes_give_a_header_of_the_same_length(
            data: u64, file: u64, channels in 1_u16..16_000, format in prop::sample::select(&SampleFormat::ALL)
        ) {
            let header = header(48_000, channels, format);
            prop_assert_eq!(header.file(data, file).len() as u64, header.file_len());
            prop_assert_eq!(header.file_len() % 2, 0);
        }
    }
}
