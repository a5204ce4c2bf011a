//! A voice recorder with the rules of the web's `MediaRecorder`, made so that nothing that was said is ever lost.
//!
//! ```text
//! microphone ──callback──▶ ring ──pump thread──▶ recorder: timeline ▶ encoder ▶ spool ▶ Blob ──▶ file · pipe · caller
//!    (cpal)    (realtime)
//! ```
//!
//! Frames go one way. Control goes the other way, as small commands that carry the frame position at which they were
//! given, so that a pause cuts where the key was pressed and not where a buffer happened to end.
//!
//! Three seconds from the default microphone into a file:
//!
//! ```no_run
//! use std::{thread::sleep, time::Duration};
//! use dictaphone::media::{Constraints, MediaDevices, MediaRecorder, MediaStreamTrack, RecorderEvent, RecorderOptions};
//!
//! let stream = MediaDevices::new().get_user_media(&Constraints::default())?;
//! let recorder = MediaRecorder::new(&stream, RecorderOptions::default())?;
//! let events = recorder.events();
//! recorder.start(None)?;
//! sleep(Duration::from_secs(3));
//! recorder.stop()?;
//! for event in events {
//!     match event {
//!         RecorderEvent::DataAvailable { data, .. } => data.save("take.wav")?,
//!         RecorderEvent::Error(error) => return Err(error),
//!         RecorderEvent::Stop => break,
//!         _ => {}
//!     }
//! }
//! stream.tracks().iter().for_each(MediaStreamTrack::stop);
//! # Ok::<(), dictaphone::Error>(())
//! ```
//!
//! The same rules hold for the built-in generators, which need no sound card, and for a
//! [`PushSource`](capture::PushSource), whose frames the program hands over itself:
//!
//! ```
//! use std::sync::Arc;
//! use dictaphone::{
//!     audio::{AudioFormat, SampleFormat},
//!     capture::PushSource,
//!     media::{Constraints, MediaDevices, MediaRecorder, RecorderEvent, RecorderOptions},
//! };
//!
//! let microphone = PushSource::new("network", AudioFormat::new(48_000, 1, SampleFormat::F32));
//! let devices = MediaDevices::with_backends(vec![Arc::new(microphone.clone())]);
//! let stream = devices.get_user_media(&Constraints::default())?;
//! let recorder = MediaRecorder::new(&stream, RecorderOptions::default())?;
//! let events = recorder.events();
//! recorder.start(None)?;
//! microphone.push(&[0.25; 480])?;
//! recorder.pause()?;
//! microphone.push(&[0.5; 480])?; // dropped: time does not advance while paused
//! recorder.stop()?;
//! let blob = events.iter().find_map(|event| match event {
//!     RecorderEvent::DataAvailable { data, .. } => Some(data),
//!     _ => None,
//! });
//! assert_eq!(blob.map(|blob| blob.facts().frames), Some(480));
//! # Ok::<(), dictaphone::Error>(())
//! ```
//!
//! | module | what is in it |
//! |---|---|
//! | [`media`] | devices, streams, tracks, the recorder, events, blobs: the W3C model |
//! | [`clips`] | a folder of recordings: list, facts, waveforms, rename, trash, recovery |
//! | [`capture`] | where frames come from: microphones, generators, files, callers |
//! | [`playback`] | recordings to a loudspeaker |
//! | [`format`](mod@format) | frames to bytes and back, and what broken files should be |
//! | [`storage`] | bytes to files that last |
//! | [`audio`] | formats, levels, resampling, time in frames |
//! | [`error`] | what can go wrong, by kind |
//!
//! The library prints nothing, never ends the process, and uses no terminal.

/// Gives an enum its names: `name` and `Display`.
macro_rules! named {
    ($of:ty: $($variant:ident $name:literal),+ $(,)?) => {
        impl $of {
            /// Its name in machine output; the standard's name where there is one.
            #[must_use]
            #[allow(clippy::unneeded_struct_pattern, reason = "the same pattern for every kind of variant")]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name),+
                }
            }
        }

        impl std::fmt::Display for $of {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

/// Gives a struct that will grow a method for each of its fields, so that only the relevant fields need to be set:
/// `RecorderOptions::default().mime_type("audio/flac")`.
macro_rules! setters {
    ($of:ty: $($field:ident: $type:ty),+ $(,)?) => {
        impl $of {
            $(
                #[doc = concat!("The same with this [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: impl Into<$type>) -> Self {
                    self.$field = $field.into();
                    self
                }
            )+
        }
    };
}

pub mod audio;
pub mod capture;
pub mod clips;

pub mod error;
pub mod format;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
pub mod media;
pub mod playback;
pub mod storage;

pub use audio::{AudioFormat, SampleFormat};
pub use error::{Error, ErrorKind, Result};
