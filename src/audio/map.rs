//! Which channels of a source are kept, as a person writes it: `3`, `1,4`, `left`, `1+2`.
//!
//! Values only, for any thread. How samples are mixed is in [`mix`](super::mix).

use std::{fmt, str::FromStr};

use crate::error::{Error, ErrorKind};

/// The channels of a recording, each made of one or more channels of the source.
///
/// Written as a list of channels that are counted from 1, `left` (1) or `right` (2), with commas between them; `1+2` is
/// the mean of two.
///
/// ```
/// use dictaphone::audio::ChannelMap;
///
/// let map: ChannelMap = "1,3".parse()?;
/// assert_eq!(map.count(), 2);
/// # Ok::<(), dictaphone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChannelMap {
    /// Channels of the source, counted from 0. None of the lists is empty.
    kept: Vec<Vec<u16>>,
}

/// Channels that can be kept at most, which is more than any source has.
const KEPT_MAX: usize = 255;

impl ChannelMap {
    /// How many channels are kept.
    #[must_use]
    pub fn count(&self) -> u16 {
        u16::try_from(self.kept.len()).unwrap_or(u16::MAX)
    }

    /// The highest channel of the source that it names, counted from 1.
    #[must_use]
    pub fn highest(&self) -> u16 {
        self.kept.iter().flatten().max().map_or(1, |&channel| channel.saturating_add(1))
    }

    /// For each channel of the recording, the channels of the source whose mean it is, counted from 0.
    #[must_use]
    pub fn kept(&self) -> &[Vec<u16>] {
        &self.kept
    }
}

impl FromStr for ChannelMap {
    type Err = Error;

    /// # Errors
    /// [`ErrorKind::InvalidData`] in one line that says what is wrong.
    fn from_str(text: &str) -> Result<Self, Error> {
        let kept: Vec<Vec<u16>> = text.split(',').map(one).collect::<Result<_, _>>()?;
        if kept.len() > KEPT_MAX {
            return Err(wrong(&format!("more than {KEPT_MAX} channels cannot be kept")));
        }
        Ok(Self { kept })
    }
}

/// `3` or `1+2`.
fn one(text: &str) -> Result<Vec<u16>, Error> {
    text.split('+').map(channel).collect()
}

fn channel(text: &str) -> Result<u16, Error> {
    let text = text.trim();
    match text.to_lowercase().as_str() {
        "" => return Err(wrong("a channel is missing")),
        "left" => return Ok(0),
        "right" => return Ok(1),
        _ => {}
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(0) => Err(wrong("channels are counted from 1")),
        Ok(number) if digits => Ok(number - 1),
        Err(_) if digits => Err(wrong("no source has so many channels")),
        _ => Err(wrong("not a list of channels")),
    }
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

impl fmt::Display for ChannelMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |channels: &Vec<u16>| -> String {
            channels.iter().map(|channel| (channel + 1).to_string()).collect::<Vec<_>>().join("+")
        };
        f.pad(&self.kept.iter().map(sum).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn channels_are_counted_from_1_and_kept_in_the_order_in_which_they_are_written() {
        for (text, kept, highest, shown) in [
            ("3", vec![vec![2]], 3, "3"),
            ("1,4", vec![vec![0], vec![3]], 4, "1,4"),
            ("4, 1", vec![vec![3], vec![0]], 4, "4,1"),
            ("left", vec![vec![0]], 1, "1"),
            ("Right,LEFT", vec![vec![1], vec![0]], 2, "2,1"),
            ("1+2", vec![vec![0, 1]], 2, "1+2"),
            ("left+right,3,3", vec![vec![0, 1], vec![2], vec![2]], 3, "1+2,3,3"),
            ("65535", vec![vec![65_534]], 65_535, "65535"),
        ] {
            let map: ChannelMap = text.parse().unwrap();
            assert_eq!((map.kept(), map.highest(), map.to_string()), (&kept[..], highest, shown.to_owned()), "{text}");
            assert_eq!(usize::from(map.count()), kept.len());
        }
    }

    #[test]
    fn what_is_no_map_is_refused_with_what_is_wrong() {
        for (text, part) in [
            ("0", "counted from 1"),
            ("1,0", "counted from 1"),
            ("", "missing"),
            ("1,", "missing"),
            ("1+", "missing"),
            ("+1", "missing"),
            ("1,,2", "missing"),
            ("x", "not a list"),
            ("1-2", "not a list"),
            ("-1", "not a list"),
            ("1.5", "not a list"),
            ("65536", "so many"),
            ("99999999999999999999", "so many"),
            (&["1"; 256].join(","), "more than 255"),
        ] {
            let error = text.parse::<ChannelMap>().unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_shown_reads_back(text in "[0-9+,a-z ]{0,12}") {
            if let Ok(map) = text.parse::<ChannelMap>() {
                prop_assert_eq!(map.to_string().parse::<ChannelMap>().unwrap(), map);
            }
        }
    }
}
