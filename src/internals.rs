//! Parts of a recording that are timed by `benches/micro.rs` and used by nothing else. Available only with the feature
//! `internals`, and without any guarantee of stability.

use std::time::Duration;

use crate::capture::drift::LossWatch;
pub use crate::{
    audio::{
        chain::Chain,
        convert::{decode_samples, encode_samples},
        level::LevelMeter,
        mix::ChannelMixer,
        resample::Resampler,
    },
    capture::ring::ring,
    clips::waveform::Outline,
};

/// The rate of a device that delivers `block` frames at each of these times, in nanoseconds; `rate` is what it claims.
#[must_use]
pub fn measured_rate(rate: u32, block: u64, arrivals: impl Iterator<Item = u64>) -> Option<f64> {
    let mut watch = LossWatch::new(rate, Duration::from_millis(100));
    for (number, at) in (1..).zip(arrivals) {
        watch.look(at, number * block);
    }
    watch.device_rate()
}
