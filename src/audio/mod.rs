//! Values and pure arithmetic about sound: formats, samples, time, levels, resampling.
//!
//! Nothing here knows a device, a file or a thread. Samples inside the program are interleaved `f32` with full scale
//! at ±1.0; a buffer of `n` frames × `c` channels has `n * c` samples.

pub mod convert;
pub mod format;
pub mod metadata;
pub mod time;

pub use convert::{decode_samples, encode_samples};
pub use format::{AudioFormat, SampleFormat};
pub use metadata::{Marker, Metadata};
