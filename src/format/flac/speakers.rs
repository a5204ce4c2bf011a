//! For which speakers the channels of a FLAC file are meant (RFC 9639, sections 9.1.3 and 8.6.2). Pure.

use crate::audio::Speakers;

/// The comment that states the speakers where the number of channels would imply others.
pub(super) const FIELD: &str = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK";

/// What the number of channels alone implies, as a mask: 3.0, quad, 5.0, 5.1, 6.1, 7.1; mono and stereo need no
/// statement.
const fn usual(channels: u16) -> u32 {
    match channels {
        3 => 0x007,
        4 => 0x033,
        5 => 0x037,
        6 => 0x03f,
        7 => 0x70f,
        8 => 0x63f,
        _ => 0,
    }
}

/// The speakers of a file of `channels` channels in which that comment is `text`, if it is there.
pub(super) fn read(channels: u16, text: Option<&str>) -> Option<Speakers> {
    let mask = match text.map(str::trim) {
        Some(text) => {
            let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
            u32::from_str_radix(digits, 16).ok()?
        }
        None => usual(channels),
    };
    Speakers::of_mask(mask, channels).filter(|speakers| speakers.count() > 2)
}

/// The comment for a file of `channels` channels, if one is needed.
pub(super) fn written(channels: u16, speakers: Option<&Speakers>) -> Option<(&'static str, String)> {
    let mask = speakers.filter(|speakers| speakers.count() == channels).map_or(0, Speakers::mask);
    (channels > 2 && mask != usual(channels)).then(|| (FIELD, format!("0x{mask:04X}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separate_channels_say_so_and_usual_layouts_need_no_word() {
        for (channels, mask, text) in [
            (1, None, None),
            (2, None, None),
            (4, None, Some("0x0000")),
            (6, Some(0x3f), None),
            (6, Some(0x60f), Some("0x060F")),
            (6, None, Some("0x0000")),
            (8, Some(0x3f), Some("0x0000")),
        ] {
            let speakers = mask.and_then(|mask: u32| Speakers::of_mask(mask, mask.count_ones() as u16));
            let comment = written(channels, speakers.as_ref());
            assert_eq!(comment.as_ref().map(|(_, text)| text.as_str()), text, "{channels} {mask:?}");
            let kept = speakers.filter(|speakers| speakers.count() == channels);
            assert_eq!(read(channels, comment.as_ref().map(|(_, text)| text.as_str())), kept, "{channels} {mask:?}");
        }
        assert_eq!(read(6, Some("x")), None);
        assert_eq!(read(6, Some("0xFFFFFFFFFF")), None);
    }
}
