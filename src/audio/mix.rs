//! From one number of channels to another.
//!
//! A recorder does not know what the inputs of a device are: the six channels of a sound card are six microphones far
//! more often than a surround mix. So channels are taken one by one, and the surround downmix is there for those who
//! know that they have one. Pure arithmetic, for any thread that may allocate.

/// Maps interleaved frames of some channels to frames of other channels.
///
/// | from → to | result |
/// |---|---|
/// | n → n | untouched, bit for bit |
/// | n → 1 | the average of all channels, which cannot clip |
/// | 1 → m | the one channel in every channel |
/// | n → fewer | the first channels |
/// | n → more | the channels, then silence |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelMixer {
    from: usize,
    to: usize,
    mapping: Mapping,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mapping {
    Identity,
    Average,
    Duplicate,
    Truncate,
    Pad,
    Surround,
    Nothing,
}

impl ChannelMixer {
    /// A mixer from frames of `from` channels to frames of `to` channels. If either is zero, its output is empty.
    #[must_use]
    pub fn new(from: u16, to: u16) -> Self {
        let mapping = match (from, to) {
            (0, _) | (_, 0) => Mapping::Nothing,
            _ if from == to => Mapping::Identity,
            (_, 1) => Mapping::Average,
            (1, _) => Mapping::Duplicate,
            _ if to < from => Mapping::Truncate,
            _ => Mapping::Pad,
        };
        Self { from: from.into(), to: to.into(), mapping }
    }

    /// The stereo downmix of 5.1 surround in the order of WAVE files: left, right, centre, low frequencies, left and
    /// right surround.
    ///
    /// Recommendation ITU-R BS.775, annex 4: centre and surround at 1/√2, no low frequencies; all divided by 1 + √2,
    /// so that it cannot clip.
    #[must_use]
    pub const fn surround_to_stereo() -> Self {
        Self { from: 6, to: 2, mapping: Mapping::Surround }
    }

    /// Whether the output is the input, so that mixing can be left out.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.mapping == Mapping::Identity
    }

    /// Appends the frames of `samples` to `out`. A partial frame at the end is ignored.
    pub fn mix(&self, samples: &[f32], out: &mut Vec<f32>) {
        let frames = samples.chunks_exact(self.from.max(1));
        out.reserve(frames.len() * self.to);
        match self.mapping {
            Mapping::Nothing => {}
            Mapping::Identity => out.extend_from_slice(samples.get(..frames.len() * self.from).unwrap_or_default()),
            Mapping::Average => {
                let channels = self.from as f32;
                out.extend(frames.map(|frame| frame.iter().sum::<f32>() / channels));
            }
            Mapping::Duplicate => out.extend(samples.iter().flat_map(|&sample| std::iter::repeat_n(sample, self.to))),
            Mapping::Truncate => frames.for_each(|frame| out.extend(frame.iter().take(self.to))),
            Mapping::Pad => frames.for_each(|frame| {
                out.extend_from_slice(frame);
                out.resize(out.len() + self.to - self.from, 0.0);
            }),
            Mapping::Surround => out.extend(samples.as_chunks().0.iter().flat_map(downmix)),
        }
    }
}

fn downmix(&[left, right, centre, _, surround_left, surround_right]: &[f32; 6]) -> [f32; 2] {
    const SIDE: f32 = std::f32::consts::FRAC_1_SQRT_2;
    // 1 / (1 + 2 × SIDE) = 1 / (1 + √2) = √2 - 1
    const SCALE: f32 = std::f32::consts::SQRT_2 - 1.0;
    [(left, surround_left), (right, surround_right)]
        .map(|(front, surround)| (front + SIDE * (centre + surround)) * SCALE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mixed(mixer: ChannelMixer, samples: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        mixer.mix(samples, &mut out);
        out
    }

    #[test]
    fn every_mapping_does_what_its_table_says() {
        for (from, to, samples, expected) in [
            (2, 1, &[1.0, 0.5, -1.0, 0.0][..], &[0.75, -0.5][..]),
            (4, 1, &[1.0, 1.0, 0.0, 0.0], &[0.5]),
            (1, 3, &[0.5, -0.5], &[0.5, 0.5, 0.5, -0.5, -0.5, -0.5]),
            (4, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &[1.0, 2.0, 5.0, 6.0]),
            (6, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 2.0]),
            (2, 4, &[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0]),
            (2, 2, &[1.0, 2.0, 3.0], &[1.0, 2.0]),
            (2, 1, &[1.0, 1.0, 9.0], &[1.0]),
            (0, 2, &[1.0], &[]),
            (2, 0, &[1.0, 2.0], &[]),
            (0, 0, &[1.0], &[]),
        ] {
            assert_eq!(mixed(ChannelMixer::new(from, to), samples), expected, "{from} to {to}");
        }
    }

    #[test]
    fn the_same_channels_are_untouched_bit_for_bit() {
        let samples = [f32::NAN, -0.0, f32::MIN_POSITIVE / 2.0, f32::INFINITY];
        let mixer = ChannelMixer::new(2, 2);
        assert!(mixer.is_identity() && !ChannelMixer::new(2, 1).is_identity());
        assert_eq!(mixed(mixer, &samples).iter().map(|s| s.to_bits()).collect::<Vec<_>>(), samples.map(f32::to_bits));
    }

    #[test]
    fn surround_is_mixed_by_the_recommendation() {
        let mixer = ChannelMixer::surround_to_stereo();
        for (frame, left, right) in [
            ([1.0, 0.0, 0.0, 0.0, 0.0, 0.0], 0.414_213_57, 0.0),
            ([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], 0.292_893_2, 0.292_893_2),
            ([0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 0.0, 0.0),
            ([0.0, 0.0, 0.0, 0.0, 0.0, 1.0], 0.0, 0.292_893_2),
        ] {
            let stereo = mixed(mixer, &frame);
            assert!((stereo[0] - left).abs() < 1e-6 && (stereo[1] - right).abs() < 1e-6, "{frame:?} gave {stereo:?}");
        }
    }

    proptest! {
        #[test]
        fn any_channels_give_whole_frames_that_never_exceed_full_scale(
            from in 0_u16..9, to in 0_u16..9, samples in prop::collection::vec(-1.0_f32..=1.0, 0..100),
        ) {
            let out = mixed(ChannelMixer::new(from, to), &samples);
            let frames = samples.len() / usize::from(from.max(1));
            prop_assert_eq!(out.len(), if from == 0 { 0 } else { frames * usize::from(to) });
            prop_assert!(out.iter().all(|sample| sample.abs() <= 1.000_001));
            let stereo = mixed(ChannelMixer::surround_to_stereo(), &samples);
            prop_assert_eq!(stereo.len(), samples.len() / 6 * 2);
            prop_assert!(stereo.iter().all(|sample| sample.abs() <= 1.000_001));
        }
    }
}
