//! Values and pure arithmetic about sound: formats, samples, time, levels, resampling, tags.
//!
//! Nothing here depends on a device, a file or a thread. Samples inside the program are interleaved `f32` with full
//! scale at ±1.0; a buffer of `n` frames × `c` channels has `n * c` samples.

pub(crate) mod broadcast;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
pub(crate) mod chain;
pub(crate) mod checksum;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
pub(crate) mod convert;
pub(crate) mod format;
pub(crate) mod generator;
pub(crate) mod level;
pub(crate) mod limiter;
pub mod local_time;
pub(crate) mod map;
pub(crate) mod metadata;
pub(crate) mod mix;
pub(crate) mod resample;
pub(crate) mod speakers;
pub mod time;
pub mod voice;

pub(crate) use chain::Chain;
pub use format::{AudioFormat, SampleFormat};
pub use generator::Generator;
pub use level::{Dbfs, Level, LevelMeter, apply_gain, db_to_factor};
pub(crate) use limiter::Limiter;
pub use map::ChannelMap;
pub use metadata::{Marker, Metadata, Tag};
pub use mix::ChannelMixer;
pub use resample::Resampler;
pub(crate) use resample::output_frames;
pub use speakers::{Speaker, Speakers};
