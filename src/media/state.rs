//! The states of a recorder and the table of what each call does in each of them (SEMANTICS: "The control methods";
//! W3C MediaStream Recording, § 2.3 "Methods"). Pure.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// The state of a recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RecordingState {
    /// Nothing is being recorded.
    #[default]
    Inactive,
    /// Frames are being gathered.
    Recording,
    /// A recording is open, and sound from the source is dropped.
    Paused,
}

impl RecordingState {
    /// The standard's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Recording => "recording",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for RecordingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The calls that depend on the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Start,
    Stop,
    Pause,
    Resume,
    RequestData,
    Mark,
    Next,
    KeepGoing,
}

impl Call {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::RequestData => "request_data",
            Self::Mark => "mark",
            Self::Next => "begin the next file",
            Self::KeepGoing => "keep going",
        }
    }
}

/// What a call does: the state afterwards, or nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    To(RecordingState),
    Nothing,
}

/// The control table, cell by cell.
///
/// # Errors
/// `InvalidState` where the call is refused; nothing changes then.
pub(crate) fn transition(state: RecordingState, call: Call) -> Result<Transition> {
    use RecordingState::{Inactive, Paused, Recording};
    match (call, state) {
        (Call::Start, Inactive) | (Call::Resume, Paused) => Ok(Transition::To(Recording)),
        (Call::Stop, Recording | Paused) => Ok(Transition::To(Inactive)),
        (Call::Pause, Recording) => Ok(Transition::To(Paused)),
        (Call::RequestData | Call::Mark | Call::Next | Call::KeepGoing, Recording | Paused) => {
            Ok(Transition::To(state))
        }
        (Call::Pause, Paused) | (Call::Resume, Recording) => Ok(Transition::Nothing),
        (Call::Start, _) | (_, Inactive) => {
            Err(Error::new(ErrorKind::InvalidState, format!("cannot {} while {state}", call.name())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_of_the_control_table() {
        use Call::{KeepGoing, Mark, Next, Pause, RequestData, Resume, Start, Stop};
        use RecordingState::{Inactive, Paused, Recording};
        let refused = None;
        let nothing = Some(Transition::Nothing);
        let to = |state| Some(Transition::To(state));
        for (call, inactive, recording, paused) in [
            (Start, to(Recording), refused, refused),
            (Stop, refused, to(Inactive), to(Inactive)),
            (Pause, refused, to(Paused), nothing),
            (Resume, refused, nothing, to(Recording)),
            (RequestData, refused, to(Recording), to(Paused)),
            (Mark, refused, to(Recording), to(Paused)),
            (Next, refused, to(Recording), to(Paused)),
            (KeepGoing, refused, to(Recording), to(Paused)),
        ] {
            for (state, expected) in [(Inactive, inactive), (Recording, recording), (Paused, paused)] {
                match (transition(state, call), expected) {
                    (Ok(got), Some(expected)) => assert_eq!(got, expected, "{call:?} while {state}"),
                    (Err(error), None) => assert_eq!(error.kind(), ErrorKind::InvalidState),
                    (got, _) => panic!("{call:?} while {state}: {got:?}"),
                }
            }
        }
    }
}
