//! The web's model of recording, for sound: devices, streams, tracks, the recorder, its events and blobs.
//!
//! | item | standard |
//! |---|---|
//! | [`MediaDevices`], [`Constraints`] | Media Capture and Streams |
//! | [`MediaStream`], [`MediaStreamTrack`] | Media Capture and Streams |
//! | [`MediaRecorder`], [`RecorderEvent`] | MediaStream Recording |
//! | [`Blob`] | File API |
//!
//! Three decisions differ from a browser: `stop` on an inactive recorder is an error; the state has changed when a
//! control method returns; cuts are exact to the frame.

mod blob;
mod command;
mod constraints;
mod devices;
mod event;
mod history;
mod identity;
mod input;
mod kept;
mod listening;
mod losses;
mod options;
mod output;
mod piece;
mod progress;
mod pump;
mod queue;
mod recorder;
mod shared;
mod sleep;
mod source;
mod split;
mod state;
mod stream;
mod take;
mod tap;
mod timeline;
mod track;
mod track_state;

pub use blob::{Blob, BlobFacts};
pub use constraints::{Constraint, Constraints};
pub use devices::MediaDevices;
pub use event::{RecorderEvent, TrackEvent};
pub use listening::GateOptions;
pub use options::RecorderOptions;
pub use output::{NewFile, SpoolMaker, Storage};
pub use progress::{Loss, Progress};
pub use recorder::MediaRecorder;
pub use split::Split;
pub use state::RecordingState;
pub use stream::MediaStream;
pub use tap::Tap;
pub use track::{MediaStreamTrack, TrackCapabilities, TrackKind, TrackSettings};
pub use track_state::ReadyState;
