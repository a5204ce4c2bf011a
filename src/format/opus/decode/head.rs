//! The identification header of an Opus stream (RFC 7845, section 5.1) and the length of a packet (RFC 6716, section 3).
//! Pure.

use crate::error::{Error, ErrorKind, Result};

/// The content of the identification header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// 1 or 2.
    pub(super) channels: u16,
    /// Frames before the sound, at 48 kHz.
    pub(super) pre_skip: u16,
    /// What is to be added to every sample, in 1/256 dB.
    pub(super) gain: i16,
}

impl Head {
    /// # Errors
    /// [`ErrorKind::InvalidData`] if it is cut off; [`ErrorKind::Undecodable`] for more than two channels and for a
    /// version that does not exist yet.
    pub(super) fn parse(packet: &[u8], name: &str) -> Result<Self> {
        let damaged = || Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it does not say its format"));
        let unread = |what: String| Error::undecodable(name, format!("{name} has {what}, which is not read"));
        let fields = packet.get(8..19).ok_or_else(damaged)?;
        let &[version, channels, skip_low, skip_high, _, _, _, _, gain_low, gain_high, family] = fields else {
            return Err(damaged());
        };
        // The upper half changes with versions that older readers cannot read.
        if version >> 4 != 0 {
            return Err(unread(format!("Opus of version {version}")));
        }
        match (channels, family) {
            (1 | 2, 0 | 1) => {}
            (0, _) => return Err(damaged()),
            _ => return Err(unread(format!("Opus sound of {channels} channels (mapping family {family})"))),
        }
        Ok(Self {
            channels: channels.into(),
            pre_skip: u16::from_le_bytes([skip_low, skip_high]),
            gain: i16::from_le_bytes([gain_low, gain_high]),
        })
    }
}

/// The longest packet in frames: 120 ms.
pub(super) const PACKET_FRAMES_MAX: usize = 5_760;

/// Frames of 48 kHz in a packet; `None` if it is none.
pub(super) fn packet_frames(packet: &[u8]) -> Option<u64> {
    let &first = packet.first()?;
    let frame = match first >> 3 {
        config @ 0..=11 => [480, 960, 1_920, 2_880].get(usize::from(config % 4)).copied()?,
        config @ 12..=15 => [480, 960].get(usize::from(config % 2)).copied()?,
        config => [120, 240, 480, 960].get(usize::from(config % 4)).copied()?,
    };
    let count = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 0x3f),
    };
    Some(frame * count).filter(|&frames| (1..=PACKET_FRAMES_MAX as u64).contains(&frames))
}

/// The name of an Ogg stream that is no Opus, by what it begins with.
pub(super) fn codec_of(start: &[u8]) -> &'static str {
    let known: [(&[u8], &str); 7] = [
        (b"\x01vorbis", "Vorbis"),
        (b"\x7fFLAC", "FLAC"),
        (b"Speex   ", "Speex"),
        (b"\x80theora", "Theora"),
        (b"BBCD\0", "Dirac"),
        (b"fishead\0", "Skeleton"),
        (b"OpusHead", "Opus"),
    ];
    known.iter().find(|(begins, _)| start.starts_with(begins)).map_or("unknown", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_or_refused_by_what_they_say() {
        let head = |version: u8, channels: u8, family: u8| {
            let fields = [version, channels, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0xff, family];
            Head::parse(&[b"OpusHead", &fields[..]].concat(), "x").map_err(|error| error.kind())
        };
        let mono = Head { channels: 1, pre_skip: 312, gain: -256 };
        assert_eq!((head(1, 1, 0), head(15, 1, 1)), (Ok(mono), Ok(mono)));
        assert_eq!(head(1, 2, 0).map(|head| head.channels), Ok(2));
        for (version, channels, family) in [(16, 1, 0), (1, 6, 1), (1, 2, 255), (1, 3, 0)] {
            assert_eq!(head(version, channels, family), Err(ErrorKind::Undecodable));
        }
        assert_eq!(head(1, 0, 0), Err(ErrorKind::InvalidData));
        assert_eq!(Head::parse(b"OpusHead\x01\x01", "x").unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn the_length_of_a_packet_is_in_its_first_bytes() {
        for (packet, frames) in [
            (&[0b0000_0000][..], Some(480)),
            (&[0b0001_1001], Some(5_760)),
            (&[0b0110_1000], Some(960)),
            (&[0b1000_0010], Some(240)),
            (&[0b1111_1000], Some(960)),
            (&[0b1111_1011, 0b1100_0110], Some(5_760)),
            (&[0b1111_1011, 7], None),
            (&[0b1111_1011, 0], None),
            (&[0b1111_1011], None),
            (&[], None),
        ] {
            assert_eq!(packet_frames(packet), frames, "{packet:?}");
        }
    }
}
