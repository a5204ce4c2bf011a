//! The places of the loudspeakers that the channels of a sound are meant for, if they are known.
//!
//! The inputs of an interface have no such place: they are separate, and nothing here applies to them. Values only, for
//! any thread.

/// A place of a loudspeaker. The discriminant is its bit in the mask of `WAVEFORMATEXTENSIBLE`, whose order is also that
/// of channels in WAV and FLAC files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Speaker {
    /// Left.
    FrontLeft = 0,
    /// Right.
    FrontRight = 1,
    /// Centre; also the only one of mono.
    FrontCenter = 2,
    /// Low frequencies.
    LowFrequency = 3,
    /// Behind, left.
    BackLeft = 4,
    /// Behind, right.
    BackRight = 5,
    /// Between left and centre.
    FrontLeftOfCenter = 6,
    /// Between right and centre.
    FrontRightOfCenter = 7,
    /// Behind, in the middle.
    BackCenter = 8,
    /// At the left side.
    SideLeft = 9,
    /// At the right side.
    SideRight = 10,
    /// Above.
    TopCenter = 11,
    /// Above, front left.
    TopFrontLeft = 12,
    /// Above, front middle.
    TopFrontCenter = 13,
    /// Above, front right.
    TopFrontRight = 14,
    /// Above, back left.
    TopBackLeft = 15,
    /// Above, back middle.
    TopBackCenter = 16,
    /// Above, back right.
    TopBackRight = 17,
}

named! { Speaker: FrontLeft "front-left", FrontRight "front-right", FrontCenter "front-center", LowFrequency "low-frequency", BackLeft "back-left", BackRight "back-right", FrontLeftOfCenter "front-left-of-center", FrontRightOfCenter "front-right-of-center", BackCenter "back-center", SideLeft "side-left", SideRight "side-right", TopCenter "top-center", TopFrontLeft "top-front-left", TopFrontCenter "top-front-center", TopFrontRight "top-front-right", TopBackLeft "top-back-left", TopBackCenter "top-back-center", TopBackRight "top-back-right" }

impl Speaker {
    /// All of them, in the order of their bits.
    pub const ALL: [Self; 18] = [
        Self::FrontLeft,
        Self::FrontRight,
        Self::FrontCenter,
        Self::LowFrequency,
        Self::BackLeft,
        Self::BackRight,
        Self::FrontLeftOfCenter,
        Self::FrontRightOfCenter,
        Self::BackCenter,
        Self::SideLeft,
        Self::SideRight,
        Self::TopCenter,
        Self::TopFrontLeft,
        Self::TopFrontCenter,
        Self::TopFrontRight,
        Self::TopBackLeft,
        Self::TopBackCenter,
        Self::TopBackRight,
    ];

    /// Its bit in the mask.
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// The speakers of all channels, in the order of the channels; no speaker twice, and at least one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Speakers(Vec<Speaker>);

impl Speakers {
    /// These speakers, one per channel; `None` if there are none or one occurs twice, which is no layout.
    #[must_use]
    pub fn new(speakers: impl IntoIterator<Item = Speaker>) -> Option<Self> {
        let speakers = Self(speakers.into_iter().collect());
        let distinct = speakers.mask().count_ones() as usize;
        (distinct > 0 && distinct == speakers.0.len()).then_some(speakers)
    }

    /// The speakers of a mask of `WAVEFORMATEXTENSIBLE`, for `channels` channels; `None` if it does not name one
    /// speaker per channel.
    #[must_use]
    pub fn of_mask(mask: u32, channels: u16) -> Option<Self> {
        let named = Self::new(Speaker::ALL.into_iter().filter(|speaker| mask & speaker.bit() != 0))?;
        (named.count() == channels && named.mask() == mask).then_some(named)
    }

    /// Mono or stereo, which need no layout to be stated; a higher number of channels alone implies none.
    #[must_use]
    pub fn usual(channels: u16) -> Option<Self> {
        match channels {
            1 => Self::new([Speaker::FrontCenter]),
            2 => Self::new([Speaker::FrontLeft, Speaker::FrontRight]),
            _ => None,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u16 {
        u16::try_from(self.0.len()).unwrap_or(u16::MAX)
    }

    /// The mask of `WAVEFORMATEXTENSIBLE`.
    #[must_use]
    pub fn mask(&self) -> u32 {
        self.0.iter().fold(0, |mask, speaker| mask | speaker.bit())
    }

    /// The speaker of each channel.
    #[must_use]
    pub fn as_slice(&self) -> &[Speaker] {
        &self.0
    }

    /// The channels, counted from 0, in the order of the mask, in which files store them.
    #[must_use]
    pub fn stored_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by_key(|&channel| self.0.get(channel).copied());
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_names_one_speaker_a_channel_or_nothing() {
        for (mask, channels, named) in [
            (0x3, 2, true),
            (0x3f, 6, true),
            (0x60f, 6, true),
            (0x63f, 8, true),
            (0x3f, 5, false),
            (0x3f, 8, false),
            (0, 0, false),
            (0, 4, false),
            (0x8000_0003, 2, false),
        ] {
            let speakers = Speakers::of_mask(mask, channels);
            assert_eq!(speakers.as_ref().map(Speakers::mask), named.then_some(mask), "{mask:#x} {channels}");
        }
        for (bit, speaker) in Speaker::ALL.into_iter().enumerate() {
            assert_eq!(speaker.bit(), 1 << bit);
        }
    }

    #[test]
    fn a_speaker_that_comes_twice_is_no_layout() {
        assert_eq!(Speakers::new([Speaker::FrontLeft, Speaker::FrontLeft]), None);
        assert_eq!(Speakers::new([]), None);
    }

    #[test]
    fn channels_are_stored_in_the_order_of_the_mask() {
        use Speaker::{BackLeft, BackRight, FrontCenter, FrontLeft, FrontRight, LowFrequency};
        // As ALSA and PulseAudio order 5.1.
        let alsa = Speakers::new([FrontLeft, FrontRight, BackLeft, BackRight, FrontCenter, LowFrequency]).unwrap();
        assert_eq!(alsa.stored_order(), [0, 1, 4, 5, 2, 3]);
        assert_eq!(alsa.mask(), 0x3f);
    }
}
