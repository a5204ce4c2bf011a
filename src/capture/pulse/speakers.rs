//! The loudspeakers of PulseAudio's channel maps. Pure.

use pulseaudio::protocol::{ChannelMap, ChannelPosition};

use crate::audio::{Speaker, Speakers};

/// The speakers of a source with that map; `None` for separate channels (`aux0` …) and for a map that makes no sense.
pub(super) fn of(map: &ChannelMap) -> Option<Speakers> {
    Speakers::new(map.into_iter().map(speaker).collect::<Option<Vec<_>>>()?)
        .or_else(|| Speakers::usual(map.num_channels().into()))
}

const fn speaker(position: ChannelPosition) -> Option<Speaker> {
    Some(match position {
        ChannelPosition::Mono | ChannelPosition::FrontCenter => Speaker::FrontCenter,
        ChannelPosition::FrontLeft => Speaker::FrontLeft,
        ChannelPosition::FrontRight => Speaker::FrontRight,
        ChannelPosition::RearCenter => Speaker::BackCenter,
        ChannelPosition::RearLeft => Speaker::BackLeft,
        ChannelPosition::RearRight => Speaker::BackRight,
        ChannelPosition::Lfe => Speaker::LowFrequency,
        ChannelPosition::FrontLeftOfCenter => Speaker::FrontLeftOfCenter,
        ChannelPosition::FrontRightOfCenter => Speaker::FrontRightOfCenter,
        ChannelPosition::SideLeft => Speaker::SideLeft,
        ChannelPosition::SideRight => Speaker::SideRight,
        ChannelPosition::TopCenter => Speaker::TopCenter,
        ChannelPosition::TopFrontLeft => Speaker::TopFrontLeft,
        ChannelPosition::TopFrontRight => Speaker::TopFrontRight,
        ChannelPosition::TopFrontCenter => Speaker::TopFrontCenter,
        ChannelPosition::TopRearLeft => Speaker::TopBackLeft,
        ChannelPosition::TopRearRight => Speaker::TopBackRight,
        ChannelPosition::TopRearCenter => Speaker::TopBackCenter,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_positions_are_speakers_and_one_separate_input_makes_all_of_them_separate() {
        use ChannelPosition::{Aux0, Aux1, FrontCenter, FrontLeft, FrontRight, Lfe, RearLeft, RearRight};
        for (positions, mask) in [
            (&[FrontLeft, FrontRight, RearLeft, RearRight, FrontCenter, Lfe][..], Some(0x3f)),
            (&[FrontLeft, FrontRight, RearLeft, RearRight], Some(0x33)),
            (&[FrontLeft, FrontRight, Aux0, Aux1], None),
            (&[Aux0, Aux1, Aux0], None),
            (&[FrontLeft, FrontLeft, FrontRight], None),
            (&[FrontLeft, FrontLeft], Some(0x3)),
        ] {
            let map = ChannelMap::new(positions.iter().copied());
            assert_eq!(of(&map).as_ref().map(Speakers::mask), mask, "{positions:?}");
        }
        assert_eq!(of(&ChannelMap::mono()), Speakers::usual(1));
    }
}
