//! From the channels of a source to those that are kept, or played.
//!
//! The inputs of an interface are separate microphones far more often than a surround mix, and only the maker of the
//! source knows which it is: nothing is guessed from a number of channels. Pure arithmetic, for any thread that may
//! allocate.

use super::{ChannelMap, Speaker, Speakers};
use crate::error::{Error, ErrorKind, Result};

/// Maps interleaved frames of some channels to frames of other channels.
///
/// What is [kept](Self::keep) of a source, after the channels that its map names, if there is one:
///
/// | from → to | result |
/// |---|---|
/// | n → n | untouched, bit for bit; channels of a known layout come in the order in which files store them |
/// | n → 1 | the mean of all channels, which cannot clip |
/// | 1 → m | the one channel in every channel |
/// | n → 2, a known layout | the downmix of Recommendation ITU-R BS.775, below |
/// | n → fewer, otherwise | an error: no channel is dropped without an error |
/// | n → more | the channels, then silence |
///
/// The downmix follows Recommendation ITU-R BS.775-4, annex 4, table 2 (3/2 to 2/0): left = `L + 0.7071 C + 0.7071 Ls`,
/// right = `R + 0.7071 C + 0.7071 Rs`. Low frequencies are left out, as in the recommendation; where there are
/// surrounds at the sides and behind, each counts as one, and one in the middle behind goes to both at 0.5, which is
/// 0.7071 as it would be between two surrounds. All is divided by the larger sum of coefficients (1 + √2 for 5.1), so
/// that it cannot clip.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelMixer {
    from: usize,
    rows: Vec<GainRow>,
    mapping: Mapping,
    speakers: Option<Speakers>,
}

/// One channel of the result: the weighted sum of channels of the source, divided.
#[derive(Debug, Clone, PartialEq, Default)]
struct GainRow {
    terms: Vec<(usize, f32)>,
    divisor: f32,
}

/// What can be done faster than by adding up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mapping {
    Identity,
    Mean,
    Sums,
}

impl GainRow {
    fn mean(channels: impl IntoIterator<Item = usize>) -> Self {
        let terms: Vec<(usize, f32)> = channels.into_iter().map(|channel| (channel, 1.0)).collect();
        Self { divisor: terms.len().max(1) as f32, terms }
    }

    /// The same sum of other rows.
    fn of(&self, rows: &[Self]) -> Self {
        let inner = |&(row, weight): &(usize, f32)| {
            let row = rows.get(row).cloned().unwrap_or_default();
            row.terms.into_iter().map(move |(channel, inner)| (channel, weight * inner / row.divisor))
        };
        Self { terms: self.terms.iter().flat_map(inner).collect(), divisor: self.divisor }
    }

    fn is_only(&self, channel: usize) -> bool {
        self.terms == [(channel, 1.0)] && self.divisor == 1.0
    }

    fn mix(&self, frame: &[f32]) -> f32 {
        let sum = self.terms.iter().map(|&(channel, weight)| frame.get(channel).map_or(0.0, |sample| sample * weight));
        sum.sum::<f32>() / self.divisor
    }
}

impl ChannelMixer {
    /// What is kept of a source of `from` channels that are meant for these `speakers`, if that is known: the channels
    /// of `map`, or all of them, brought to the number `to`, if one is given.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] for a map that names a channel which the source does not have, and for channels that
    /// could be brought to that number only by dropping some; [`Error::constraint`] is `map` or `channels`.
    pub fn keep(from: u16, speakers: Option<&Speakers>, map: Option<&ChannelMap>, to: Option<u16>) -> Result<Self> {
        let speakers = speakers.filter(|speakers| speakers.count() == from);
        let (chosen, speakers) = match map {
            Some(map) => mapped(map, from, speakers)?,
            None => stored(from, speakers),
        };
        let count = chosen.len();
        let to = to.map_or(count, usize::from);
        let downmix = speakers.as_ref().and_then(downmix).filter(|_| to == 2);
        let rows = match (count, to) {
            (0, _) => Vec::new(),
            _ if to == count => chosen,
            (_, 1) => vec![GainRow::mean(0..count).of(&chosen)],
            (1, _) => vec![chosen.into_iter().next().unwrap_or_default(); to],
            _ if to > count => {
                let silence = GainRow { divisor: 1.0, ..GainRow::default() };
                chosen.into_iter().chain(std::iter::repeat(silence)).take(to).collect()
            }
            _ => match downmix {
                Some(downmix) => downmix.iter().map(|row| row.of(&chosen)).collect(),
                None => {
                    let context = format!("{count} separate channels cannot be mixed to {to}");
                    return Err(Error::new(ErrorKind::NotSupported, context).because_of("channels"));
                }
            },
        };
        let speakers = if to == count { speakers } else { u16::try_from(to).ok().and_then(Speakers::usual) };
        Ok(Self::of_rows(from, rows, speakers.filter(|_| count > 0)))
    }

    /// A mixer for listening: every channel is audible, wherever it comes from. With fewer channels, each is the mean
    /// of the channels that are assigned to it in turn; with more, the additional ones are silent, except that a single
    /// channel goes to all.
    #[must_use]
    pub fn audible(from: u16, to: u16) -> Self {
        let (count, to) = (usize::from(from), usize::from(to));
        let turn = |row: usize| (row..count).step_by(to.max(1));
        let rows = (0..to).map(|row| if count == 1 { GainRow::mean([0]) } else { GainRow::mean(turn(row)) });
        Self::of_rows(from, if count == 0 { Vec::new() } else { rows.collect() }, None)
    }

    fn of_rows(from: u16, rows: Vec<GainRow>, speakers: Option<Speakers>) -> Self {
        let from = usize::from(from);
        let identity = rows.len() == from && rows.iter().enumerate().all(|(channel, row)| row.is_only(channel));
        let mapping = match rows.as_slice() {
            _ if identity => Mapping::Identity,
            [row] if *row == GainRow::mean(0..from) => Mapping::Mean,
            _ => Mapping::Sums,
        };
        Self { from, rows, mapping, speakers }
    }

    /// Channels of the source.
    #[must_use]
    pub fn channels_in(&self) -> usize {
        self.from
    }

    /// Channels of the result.
    #[must_use]
    pub fn channels_out(&self) -> usize {
        self.rows.len()
    }

    /// The speakers that the result is meant for, where that is known.
    #[must_use]
    pub fn speakers(&self) -> Option<&Speakers> {
        self.speakers.as_ref()
    }

    /// Whether the output is the input, so that mixing can be left out.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.mapping == Mapping::Identity
    }

    /// For each channel of the result, the channels of the source, counted from 0, and their factors.
    pub fn weights(&self) -> impl Iterator<Item = Vec<(usize, f32)>> {
        self.rows.iter().map(|row| row.terms.iter().map(|&(channel, weight)| (channel, weight / row.divisor)).collect())
    }

    /// Appends the frames of `samples` to `out`. A partial frame at the end is ignored.
    pub fn mix(&self, samples: &[f32], out: &mut Vec<f32>) {
        let frames = samples.chunks_exact(self.from.max(1));
        out.reserve(frames.len() * self.rows.len());
        match self.mapping {
            Mapping::Identity => out.extend_from_slice(samples.get(..frames.len() * self.from).unwrap_or_default()),
            Mapping::Mean => {
                let channels = self.from as f32;
                out.extend(frames.map(|frame| frame.iter().sum::<f32>() / channels));
            }
            Mapping::Sums => frames.for_each(|frame| out.extend(self.rows.iter().map(|row| row.mix(frame)))),
        }
    }
}

/// The channels that a map names.
fn mapped(map: &ChannelMap, from: u16, speakers: Option<&Speakers>) -> Result<(Vec<GainRow>, Option<Speakers>)> {
    if map.highest() > from {
        let channels = if from == 1 { "channel" } else { "channels" };
        let context = format!("there is no channel {}, only {from} {channels}", map.highest());
        return Err(Error::new(ErrorKind::NotSupported, context).because_of("map"));
    }
    let rows = map.kept().iter().map(|channels| GainRow::mean(channels.iter().copied().map(usize::from))).collect();
    let named = || {
        let single = map.kept().iter().map(|channels| match channels[..] {
            [channel] => speakers?.as_slice().get(usize::from(channel)).copied(),
            _ => None,
        });
        let named = Speakers::new(single.collect::<Option<Vec<_>>>()?)?;
        named.as_slice().is_sorted().then_some(named)
    };
    Ok((rows, Speakers::usual(map.count()).or_else(named)))
}

/// All channels, those of a known layout in the order in which files store them.
fn stored(from: u16, speakers: Option<&Speakers>) -> (Vec<GainRow>, Option<Speakers>) {
    let order = speakers.map_or_else(|| (0..usize::from(from)).collect(), Speakers::stored_order);
    let stored = speakers.and_then(|speakers| {
        Speakers::new(order.iter().filter_map(|&channel| speakers.as_slice().get(channel).copied()))
    });
    (order.into_iter().map(|channel| GainRow::mean([channel])).collect(), stored.or_else(|| Speakers::usual(from)))
}

/// The stereo downmix of that layout; `None` if the recommendation does not cover it.
fn downmix(speakers: &Speakers) -> Option<[GainRow; 2]> {
    use std::f32::consts::FRAC_1_SQRT_2 as SIDE;
    let weights = |speaker: &Speaker| match speaker {
        Speaker::FrontLeft => Some([1.0, 0.0]),
        Speaker::FrontRight => Some([0.0, 1.0]),
        Speaker::FrontCenter => Some([SIDE, SIDE]),
        Speaker::LowFrequency => Some([0.0, 0.0]),
        Speaker::BackLeft | Speaker::SideLeft => Some([SIDE, 0.0]),
        Speaker::BackRight | Speaker::SideRight => Some([0.0, SIDE]),
        Speaker::BackCenter => Some([0.5, 0.5]),
        _ => None,
    };
    let weights: Vec<[f32; 2]> = speakers.as_slice().iter().map(weights).collect::<Option<_>>()?;
    let side = |side: usize| {
        let of = move |weights: &[f32; 2]| weights.get(side).copied().unwrap_or(0.0);
        weights.iter().enumerate().map(move |(channel, weights)| (channel, of(weights)))
    };
    let sum = |which: usize| side(which).map(|(_, weight)| weight).sum::<f32>();
    let divisor = sum(0).max(sum(1));
    let row = |which: usize| GainRow { terms: side(which).filter(|(_, weight)| *weight > 0.0).collect(), divisor };
    // Low frequencies alone are nothing to listen to.
    (divisor > 0.0).then(|| [row(0), row(1)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mixed(mixer: &ChannelMixer, samples: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        mixer.mix(samples, &mut out);
        out
    }

    fn keep(from: u16, map: Option<&str>, to: Option<u16>) -> Result<ChannelMixer> {
        ChannelMixer::keep(from, None, map.map(|map| map.parse().unwrap()).as_ref(), to)
    }

    fn surround() -> Speakers {
        Speakers::of_mask(0x3f, 6).unwrap()
    }

    #[test]
    fn every_mapping_does_what_its_table_says() {
        for (from, to, samples, expected) in [
            (2, 1, &[1.0, 0.5, -1.0, 0.0][..], &[0.75, -0.5][..]),
            (4, 1, &[1.0, 1.0, 0.0, 0.0], &[0.5]),
            (1, 3, &[0.5, -0.5], &[0.5, 0.5, 0.5, -0.5, -0.5, -0.5]),
            (2, 4, &[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0]),
            (2, 2, &[1.0, 2.0, 3.0], &[1.0, 2.0]),
            (2, 1, &[1.0, 1.0, 9.0], &[1.0]),
            (0, 2, &[1.0], &[]),
            (0, 0, &[1.0], &[]),
        ] {
            assert_eq!(mixed(&keep(from, None, Some(to)).unwrap(), samples), expected, "{from} to {to}");
        }
    }

    #[test]
    fn a_map_keeps_what_it_names_in_its_order() {
        let frame = [0.1, 0.2, 0.4, 0.8];
        for (map, to, expected) in [
            ("3", None, &[0.4][..]),
            ("3,1", None, &[0.4, 0.1]),
            ("left", None, &[0.1]),
            ("right", None, &[0.2]),
            ("1+2", None, &[0.15]),
            ("4,1+3", None, &[0.8, 0.25]),
            ("3", Some(2), &[0.4, 0.4]),
            ("1,2", Some(1), &[0.15]),
            ("1+2,3", Some(1), &[0.275]),
            ("2,1", Some(3), &[0.2, 0.1, 0.0]),
        ] {
            let out = mixed(&keep(4, Some(map), to).unwrap(), &frame);
            let near = out.len() == expected.len() && out.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
            assert!(near, "{map} {to:?}: {out:?}");
        }
    }

    #[test]
    fn no_channel_is_dropped_without_a_word() {
        for (from, map, to, part) in [
            (4, Some("5"), None, "no channel 5, only 4 channels"),
            (1, Some("2"), None, "no channel 2, only 1 channel"),
            (8, None, Some(2), "8 separate channels cannot be mixed to 2"),
            (4, None, Some(3), "4 separate channels cannot be mixed to 3"),
            (4, Some("1,2,4"), Some(2), "3 separate channels cannot be mixed to 2"),
        ] {
            let error = keep(from, map, to).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported);
            assert!(error.to_string().contains(part), "{error}");
        }
        let aside = Speakers::of_mask(0x3f, 6).unwrap();
        assert!(ChannelMixer::keep(6, Some(&aside), None, Some(4)).is_err());
    }

    #[test]
    fn the_same_channels_are_untouched_bit_for_bit() {
        let samples = [f32::NAN, -0.0, f32::MIN_POSITIVE / 2.0, f32::INFINITY];
        let mixer = keep(2, None, Some(2)).unwrap();
        assert!(mixer.is_identity() && !keep(2, None, Some(1)).unwrap().is_identity());
        assert_eq!(mixed(&mixer, &samples).iter().map(|s| s.to_bits()).collect::<Vec<_>>(), samples.map(f32::to_bits));
        assert!(keep(2, Some("1,2"), None).unwrap().is_identity());
    }

    #[test]
    fn surround_is_mixed_by_the_recommendation() {
        let mixer = ChannelMixer::keep(6, Some(&surround()), None, Some(2)).unwrap();
        for (frame, left, right) in [
            ([1.0, 0.0, 0.0, 0.0, 0.0, 0.0], 0.414_213_57, 0.0),
            ([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], 0.292_893_2, 0.292_893_2),
            ([0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 0.0, 0.0),
            ([0.0, 0.0, 0.0, 0.0, 0.0, 1.0], 0.0, 0.292_893_2),
        ] {
            let stereo = mixed(&mixer, &frame);
            assert!((stereo[0] - left).abs() < 1e-6 && (stereo[1] - right).abs() < 1e-6, "{frame:?} gave {stereo:?}");
        }
        assert_eq!(mixer.speakers(), Speakers::usual(2).as_ref());
        // Layouts that the recommendation does not cover are separate channels.
        let high = Speakers::of_mask(0x7003, 5).unwrap();
        assert!(ChannelMixer::keep(5, Some(&high), None, Some(2)).is_err());
    }

    #[test]
    fn a_known_layout_is_kept_in_the_order_of_files_and_separate_channels_have_no_speakers() {
        use Speaker::{BackLeft, BackRight, FrontCenter, FrontLeft, FrontRight, LowFrequency};
        let alsa = Speakers::new([FrontLeft, FrontRight, BackLeft, BackRight, FrontCenter, LowFrequency]).unwrap();
        let mixer = ChannelMixer::keep(6, Some(&alsa), None, None).unwrap();
        assert_eq!(mixed(&mixer, &[1.0, 2.0, 5.0, 6.0, 3.0, 4.0]), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(mixer.speakers(), Some(&surround()));
        for (mixer, speakers) in [
            (keep(6, None, None), None),
            (keep(2, None, None), Speakers::usual(2)),
            (keep(6, Some("5,6"), None), Speakers::usual(2)),
            (keep(6, Some("1,2,3"), None), None),
            (keep(6, None, Some(1)), Speakers::usual(1)),
            (keep(1, None, Some(4)), None),
        ] {
            assert_eq!(mixer.unwrap().speakers(), speakers.as_ref());
        }
        let map: ChannelMap = "1,2,3".parse().unwrap();
        let kept = ChannelMixer::keep(6, Some(&surround()), Some(&map), None).unwrap();
        assert_eq!(kept.speakers().map(Speakers::mask), Some(7));
    }

    #[test]
    fn listening_drops_nothing() {
        for (from, to, samples, expected) in [
            (4, 2, &[1.0, 2.0, 3.0, 4.0][..], &[2.0, 3.0][..]),
            (3, 2, &[1.0, 2.0, 3.0], &[2.0, 2.0]),
            (1, 2, &[1.0], &[1.0, 1.0]),
            (2, 3, &[1.0, 2.0], &[1.0, 2.0, 0.0]),
            (2, 1, &[1.0, 2.0], &[1.5]),
            (0, 2, &[1.0], &[]),
        ] {
            assert_eq!(mixed(&ChannelMixer::audible(from, to), samples), expected, "{from} to {to}");
        }
    }

    proptest! {
        #[test]
        fn any_channels_give_whole_frames_that_never_exceed_full_scale(
            from in 0_u16..9, to in 0_u16..9, map in prop::option::of("[1-8](\\+[1-8]){0,2}(,[1-8]){0,3}"),
            mask: u32, samples in prop::collection::vec(-1.0_f32..=1.0, 0..100),
        ) {
            let speakers = Speakers::of_mask(mask & 0x3ffff, from);
            let map = map.map(|map| map.parse::<ChannelMap>().unwrap());
            let frames = samples.len() / usize::from(from.max(1));
            for mixer in [ChannelMixer::keep(from, speakers.as_ref(), map.as_ref(), Some(to)), Ok(ChannelMixer::audible(from, to))] {
                let Ok(mixer) = mixer else { continue };
                let out = mixed(&mixer, &samples);
                prop_assert_eq!(out.len(), frames * mixer.channels_out());
                prop_assert!(out.iter().all(|sample| sample.abs() <= 1.000_001));
                prop_assert!(mixer.channels_out() == usize::from(to) || from == 0);
            }
        }
    }
}
