//! Which of the formats that a device offers to open it in. Pure: independent of devices, hosts and threads.

use std::time::Duration;

use crate::{
    audio::{AudioFormat, SampleFormat, time::frames_in},
    capture::OpenRequest,
};

/// The length of one buffer when no other is requested: long enough that a busy machine loses nothing and an idle one
/// hardly wakes, short enough for a level meter.
pub(super) const USUAL_LATENCY: Duration = Duration::from_millis(100);

/// The rates that are usually requested, in hertz.
pub(super) const USUAL_RATES: [u32; 11] =
    [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000];

/// How a host hands over one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    I8,
    I16,
    I24,
    I32,
    I64,
    U8,
    U16,
    U24,
    U32,
    U64,
    F32,
    F64,
}

impl Encoding {
    /// Best first, for a device whose own encoding is not known.
    ///
    /// `F32` leads because it holds all that the program works with: a 16-bit or 24-bit source arrives in it bit for
    /// bit, and a float source keeps its headroom above full scale, which every integer would clip.
    const PREFERENCE: [Self; 12] = [
        Self::F32,
        Self::F64,
        Self::I32,
        Self::I64,
        Self::I24,
        Self::U32,
        Self::U64,
        Self::U24,
        Self::I16,
        Self::U16,
        Self::I8,
        Self::U8,
    ];

    fn rank(self) -> usize {
        Self::PREFERENCE.iter().position(|&other| other == self).unwrap_or(Self::PREFERENCE.len())
    }

    /// The name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::I8 => "s8",
            Self::I16 => "s16",
            Self::I24 => "s24",
            Self::I32 => "s32",
            Self::I64 => "s64",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U24 => "u24",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    /// The shallowest format that holds all of it, as far as `f32` does.
    pub(super) fn sample_format(self) -> SampleFormat {
        match self {
            Self::I8 | Self::U8 | Self::I16 | Self::U16 => SampleFormat::S16,
            Self::I24 | Self::U24 => SampleFormat::S24,
            Self::I32 | Self::U32 | Self::I64 | Self::U64 => SampleFormat::S32,
            Self::F32 | Self::F64 => SampleFormat::F32,
        }
    }
}

/// One range of formats that a device can be opened in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) channels: u16,
    /// Lowest and highest rate in hertz.
    pub(super) rates: (u32, u32),
    /// Smallest and largest buffer in frames, if known.
    pub(super) frames: Option<(u32, u32)>,
    pub(super) encoding: Encoding,
}

impl Offer {
    fn has_rate(&self, rate: u32) -> bool {
        (self.rates.0..=self.rates.1).contains(&rate)
    }
}

/// What a device runs at by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Native {
    pub(super) rate: u32,
    pub(super) channels: u16,
    /// `None` where the host does not report it.
    pub(super) encoding: Option<Encoding>,
}

/// What to open a device in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) rate: u32,
    pub(super) channels: u16,
    pub(super) encoding: Encoding,
    /// Frames of one buffer.
    pub(super) frames: u32,
}

impl Choice {
    pub(super) fn format(&self) -> AudioFormat {
        AudioFormat::new(self.rate, self.channels, self.encoding.sample_format())
    }
}

/// What is requested from a device on a host of that kind.
///
/// A sound server resamples and remixes to whatever is requested, worse than the program does, so that this is
/// requested only if `exact` is set.
pub(super) fn asked(request: &OpenRequest, server: bool) -> OpenRequest {
    match server && !request.exact {
        true => OpenRequest { sample_rate: None, channels: None, sample_size: None, ..*request },
        false => *request,
    }
}

/// The offer nearest to the request. Rates and channels that are not offered go up to the next that is, because
/// dropping the surplus loses nothing that was requested; only above the highest they go down. `None` without offers.
pub(super) fn choose(offers: &[Offer], native: Native, request: &OpenRequest) -> Option<Choice> {
    let wanted = request.sample_rate.unwrap_or(native.rate);
    let rate = next_up(wanted, offers.iter().map(|offer| wanted.clamp(offer.rates.0, offer.rates.1)))?;
    let channels = next_up(
        request.channels.unwrap_or(native.channels),
        offers.iter().filter(|offer| offer.has_rate(rate)).map(|offer| offer.channels),
    )?;
    let fitting = || offers.iter().filter(|offer| offer.has_rate(rate) && offer.channels == channels);
    // What is converted on the way anyway should not be reduced to the depth of the source as well.
    let untouched = rate == native.rate && channels == native.channels;
    let offer = fitting().min_by_key(|offer| {
        let deep = request.sample_size.is_none_or(|bits| offer.encoding.sample_format().bits() == bits);
        let own = untouched && Some(offer.encoding) == native.encoding;
        (!deep, !own, offer.encoding.rank())
    })?;
    let frames = frames_in(request.latency.unwrap_or(USUAL_LATENCY), rate);
    let frames = u32::try_from(frames).unwrap_or(u32::MAX).max(1);
    let frames = match offer.frames {
        Some((min, max)) if min <= max => frames.clamp(min, max),
        _ => frames,
    };
    Some(Choice { rate, channels, encoding: offer.encoding, frames })
}

/// What a device of unknown native format is taken to run at: 48 kHz, else 44.1 kHz, else the next rate up; stereo,
/// else mono, else as few channels as it has.
pub(super) fn assume_native(offers: &[Offer]) -> Option<Native> {
    let preferred = [48_000, 44_100].into_iter().find(|&rate| offers.iter().any(|offer| offer.has_rate(rate)));
    let rate = match preferred {
        Some(rate) => rate,
        None => next_up(48_000, offers.iter().map(|offer| 48_000_u32.clamp(offer.rates.0, offer.rates.1)))?,
    };
    let counts = || offers.iter().filter(|offer| offer.has_rate(rate)).map(|offer| offer.channels);
    let channels = counts().filter(|&channels| channels <= 2).max().or_else(|| counts().min())?;
    Some(Native { rate, channels, encoding: None })
}

/// The usual rates among the offers, and `native`, ascending.
pub(super) fn usual_rates(offers: &[Offer], native: u32) -> Vec<u32> {
    let mut rates: Vec<u32> =
        USUAL_RATES.into_iter().filter(|&rate| offers.iter().any(|offer| offer.has_rate(rate))).collect();
    rates.push(native);
    rates.sort_unstable();
    rates.dedup();
    rates
}

/// The smallest and the largest channel count among the offers.
pub(super) fn channel_range(offers: &[Offer]) -> Option<(u16, u16)> {
    let counts = || offers.iter().map(|offer| offer.channels);
    Some((counts().min()?, counts().max()?))
}

/// The names of the encodings among the offers, in the order that they come in.
pub(super) fn encoding_names(offers: &[Offer]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for offer in offers {
        let name = offer.encoding.name();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn next_up<T: Ord + Copy>(wanted: T, offered: impl Iterator<Item = T> + Clone) -> Option<T> {
    offered.clone().filter(|&value| value >= wanted).min().or_else(|| offered.max())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(channels: u16, low: u32, high: u32, encoding: Encoding) -> Offer {
        Offer { channels, rates: (low, high), frames: Some((64, 8192)), encoding }
    }

    fn request(rate: Option<u32>, channels: Option<u16>) -> OpenRequest {
        OpenRequest { sample_rate: rate, channels, ..OpenRequest::default() }
    }

    const NATIVE: Native = Native { rate: 48_000, channels: 1, encoding: Some(Encoding::I16) };

    #[test]
    fn what_is_offered_is_taken_and_what_is_not_goes_up_to_the_next() {
        let offers = [
            offer(1, 44_100, 44_100, Encoding::I16),
            offer(1, 48_000, 48_000, Encoding::I16),
            offer(1, 48_000, 48_000, Encoding::I32),
            offer(4, 48_000, 96_000, Encoding::I16),
        ];
        for (rate, channels, expected) in [
            (None, None, (48_000, 1, Encoding::I16)),
            (Some(44_100), None, (44_100, 1, Encoding::I16)),
            (Some(16_000), Some(1), (44_100, 1, Encoding::I16)),
            (Some(45_000), None, (48_000, 1, Encoding::I16)),
            (Some(60_000), None, (60_000, 4, Encoding::I16)),
            (Some(192_000), None, (96_000, 4, Encoding::I16)),
            (None, Some(2), (48_000, 4, Encoding::I16)),
            (None, Some(9), (48_000, 4, Encoding::I16)),
        ] {
            let choice = choose(&offers, NATIVE, &request(rate, channels)).unwrap();
            assert_eq!((choice.rate, choice.channels, choice.encoding), expected, "{rate:?} {channels:?}");
        }
        assert_eq!(choose(&[], NATIVE, &request(None, None)), None);
    }

    #[test]
    fn the_own_encoding_is_kept_unless_the_server_converts_anyway() {
        let offers = [offer(1, 1, 192_000, Encoding::I16), offer(1, 1, 192_000, Encoding::F32)];
        let encoding = |native, rate| choose(&offers, native, &request(rate, None)).unwrap().encoding;
        assert_eq!(encoding(NATIVE, None), Encoding::I16);
        assert_eq!(encoding(NATIVE, Some(16_000)), Encoding::F32);
        assert_eq!(encoding(Native { encoding: None, ..NATIVE }, None), Encoding::F32);
        assert_eq!(encoding(Native { encoding: Some(Encoding::U8), ..NATIVE }, None), Encoding::F32);
    }

    #[test]
    fn a_sample_size_that_is_asked_for_comes_before_everything_else() {
        let offers = [Encoding::U8, Encoding::I16, Encoding::I24, Encoding::I32, Encoding::F32];
        let offers = offers.map(|encoding| offer(1, 1, 192_000, encoding));
        for (native, rate, bits, encoding) in [
            (Encoding::I16, None, 16, Encoding::I16),
            (Encoding::U8, None, 16, Encoding::U8),
            (Encoding::I32, None, 16, Encoding::I16),
            (Encoding::I16, None, 24, Encoding::I24),
            (Encoding::I16, None, 32, Encoding::F32),
            (Encoding::I32, None, 32, Encoding::I32),
            (Encoding::I16, Some(44_100), 16, Encoding::I16),
            (Encoding::I16, Some(44_100), 8, Encoding::F32),
            (Encoding::I16, None, 8, Encoding::I16),
        ] {
            let request = OpenRequest { sample_size: Some(bits), ..request(rate, None) };
            let native = Native { encoding: Some(native), ..NATIVE };
            assert_eq!(choose(&offers, native, &request).unwrap().encoding, encoding, "{native:?} {rate:?} {bits}");
        }
    }

    #[test]
    fn a_server_is_asked_for_its_own_format_unless_the_request_is_exact() {
        let asked = OpenRequest { sample_size: Some(24), ..request(Some(16_000), Some(1)) };
        assert_eq!(super::asked(&asked, true), request(None, None));
        assert_eq!(super::asked(&asked, false), asked);
        let exact = OpenRequest { exact: true, ..asked };
        assert_eq!(super::asked(&exact, true), exact);
    }

    #[test]
    fn buffers_follow_the_latency_within_what_the_device_can() {
        let mut offers = [offer(1, 48_000, 48_000, Encoding::I16)];
        let frames = |offers: &[Offer], millis| {
            let latency = Some(Duration::from_millis(millis));
            choose(offers, NATIVE, &OpenRequest { latency, ..OpenRequest::default() }).unwrap().frames
        };
        assert_eq!(choose(&offers, NATIVE, &request(None, None)).unwrap().frames, 4800);
        assert_eq!((frames(&offers, 50), frames(&offers, 500), frames(&offers, 0)), (2400, 8192, 64));
        offers[0].frames = None;
        assert_eq!((frames(&offers, 500), frames(&offers, 0)), (24_000, 1));
        assert_eq!(frames(&offers, u64::MAX), u32::MAX);
        offers[0].frames = Some((9, 3));
        assert_eq!(frames(&offers, 100), 4800);
    }

    #[test]
    fn an_unknown_device_runs_at_48_khz_stereo_where_it_can() {
        for (offers, expected) in [
            (vec![offer(1, 8_000, 96_000, Encoding::I16), offer(2, 8_000, 96_000, Encoding::I16)], Some((48_000, 2))),
            (vec![offer(1, 44_100, 44_100, Encoding::I16), offer(8, 96_000, 96_000, Encoding::I16)], Some((44_100, 1))),
            (vec![offer(6, 8_000, 16_000, Encoding::I16), offer(8, 8_000, 16_000, Encoding::I16)], Some((16_000, 6))),
            (vec![], None),
        ] {
            assert_eq!(assume_native(&offers).map(|native| (native.rate, native.channels)), expected);
        }
    }

    #[test]
    fn lists_name_what_is_offered() {
        let offers = [offer(2, 30_000, 50_000, Encoding::I16), offer(1, 30_000, 50_000, Encoding::F32)];
        assert_eq!(usual_rates(&offers, 48_001), [32_000, 44_100, 48_000, 48_001]);
        assert_eq!(channel_range(&offers), Some((1, 2)));
        assert_eq!(encoding_names(&offers), ["s16", "f32"]);
    }
}
