//! What stands before the frames of a FLAC file: STREAMINFO, comments, where the frames begin (RFC 9639, section 8). An
//! ID3 tag before all of it, which some programs write, is skipped. Run by the thread that opens the file.

use std::io;

use crate::{
    audio::{AudioFormat, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
    format::{Input, comments::read as comments, flac::speakers, window::Window},
};

/// Blocks that are read; files have about five.
const BLOCKS_MAX: usize = 1024;

/// Bytes of STREAMINFO.
pub(super) const INFO_BYTES: usize = 34;

const STREAMINFO: u8 = 0;
const VORBIS_COMMENT: u8 = 4;
const PICTURE: u8 = 6;

/// Bytes of pictures that are read, over all blocks.
const PICTURES_MAX: usize = 64 << 20;

/// The content of STREAMINFO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::format::flac) struct Info {
    /// Frames of a block, where all have the same length.
    pub(super) block_frames: u32,
    /// Blocks differ in length, although the number in a frame may count blocks.
    pub(super) blocks_vary: bool,
    /// In hertz; not zero.
    pub(in crate::format::flac) sample_rate: u32,
    pub(super) channels: u16,
    /// Of one sample: 4 to 32.
    pub(in crate::format::flac) bits: u32,
    /// Frames in the file; 0 is unknown.
    pub(in crate::format::flac) frames: u64,
}

impl Info {
    fn parse(bytes: &[u8; INFO_BYTES]) -> Option<Self> {
        let &[min_high, min_low, max_high, max_low, _, _, _, _, _, _, ref packed @ ..] = bytes;
        let packed = u64::from_be_bytes(*packed.first_chunk()?);
        let (shortest, longest) = (u16::from_be_bytes([min_high, min_low]), u16::from_be_bytes([max_high, max_low]));
        let info = Self {
            block_frames: longest.into(),
            blocks_vary: shortest != longest,
            sample_rate: u32::try_from(packed >> 44).ok()?,
            channels: u16::try_from(packed >> 41 & 7).ok()? + 1,
            bits: u32::try_from(packed >> 36 & 31).ok()? + 1,
            frames: packed & ((1 << 36) - 1),
        };
        (info.sample_rate > 0 && info.bits >= 4).then_some(info)
    }

    pub(super) fn format(&self) -> AudioFormat {
        let sample_format = match self.bits {
            0..=16 => SampleFormat::S16,
            17..=24 => SampleFormat::S24,
            _ => SampleFormat::S32,
        };
        AudioFormat::new(self.sample_rate, self.channels, sample_format)
    }
}

/// What was found before the frames.
#[derive(Debug, Clone)]
pub(super) struct Start {
    /// As corrected by the first frame, if that differs.
    pub(super) info: Info,
    /// Where STREAMINFO is, in bytes, and its own content.
    pub(super) info_at: u64,
    pub(super) info_bytes: [u8; INFO_BYTES],
    /// Where the first frame should be, in bytes.
    pub(super) first: u64,
    pub(super) metadata: Metadata,
}

impl Start {
    /// # Errors
    /// [`ErrorKind::InvalidData`] if it does not begin as a FLAC file does; those of reading.
    pub(super) fn read<I: Input>(window: &mut Window<I>, name: &str) -> Result<Self> {
        let failed = |error| Error::from_io(error, format!("cannot read {name}"));
        let damaged = || Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it does not say its format"));
        let mut at = marker(window).map_err(failed)?.ok_or_else(damaged)?.saturating_add(4);
        let mut info: Option<(Info, u64, [u8; INFO_BYTES])> = None;
        let (mut tags, mut pictures, mut pictures_left) = (None, Vec::new(), PICTURES_MAX);
        for _ in 0..BLOCKS_MAX {
            let &[kind, high, middle, low] = window.at(at, 4).map_err(failed)? else { break };
            let length = u32::from_be_bytes([0, high, middle, low]);
            let payload = at.saturating_add(4);
            match kind & 0x7f {
                STREAMINFO if info.is_none() => {
                    let bytes = *window.at(payload, INFO_BYTES).map_err(failed)?.first_chunk().ok_or_else(damaged)?;
                    info = Some((Info::parse(&bytes).ok_or_else(damaged)?, payload, bytes));
                }
                VORBIS_COMMENT if tags.is_none() => {
                    tags = Some(window.at(payload, length as usize).map_err(failed)?.to_vec());
                }
                PICTURE if length as usize <= pictures_left => {
                    pictures_left -= length as usize;
                    pictures.push(window.at(payload, length as usize).map_err(failed)?.to_vec());
                }
                _ => {}
            }
            at = payload.saturating_add(length.into());
            if kind & 0x80 != 0 {
                break;
            }
        }
        let (info, info_at, info_bytes) = info.ok_or_else(damaged)?;
        let tags = tags.unwrap_or_default();
        let mut metadata = comments::metadata(&tags, info.sample_rate);
        metadata.speakers = speakers::read(info.channels, comments::field(&tags, speakers::FIELD).as_deref());
        metadata.pictures.extend(pictures);
        Ok(Self { info, info_at, info_bytes, first: at, metadata })
    }
}

/// Where the marker `fLaC` is: at the start, or after an ID3v2 tag.
fn marker<I: Input>(window: &mut Window<I>) -> io::Result<Option<u64>> {
    let at = window.id3_bytes()?;
    Ok((window.at(at, 4)? == b"fLaC").then_some(at))
}
