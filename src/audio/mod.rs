//! Values and pure arithmetic about sound: formats, samples, time, levels, resampling, tags.
//!
//! Nothing here knows a device, a file or a thread. Samples inside the program are interleaved `f32` with full scale
//! at ±1.0; a buffer of `n` frames × `c` channels has `n * c` samples.

pub mod broadcast;
pub mod chain;
pub mod checksum;
pub mod convert;
pub mod format;
pub mod generator;
pub mod level;
pub mod limiter;
pub mod map;
pub mod metadata;
pub mod mix;
pub mod resample;
pub mod speakers;
pub mod time;
pub mod voice;

pub use chain::Chain;
pub use convert::{decode_samples, encode_samples};
pub use format::{AudioFormat, SampleFormat};
pub use generator::Generator;
pub use level::{Dbfs, Level, LevelMeter, apply_gain, db_to_factor};
pub use limiter::Limiter;
pub use map::ChannelMap;
pub use metadata::{Marker, Metadata, Tag};
pub use mix::ChannelMixer;
pub use resample::{Resampler, output_frames};
pub use speakers::{Speaker, Speakers};
