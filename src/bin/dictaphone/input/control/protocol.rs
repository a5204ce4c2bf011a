//! The messages on the control socket: one JSON object a line, both ways. docs/CONTROL.md describes them.

use dictaphone::ErrorKind;
use serde::{Deserialize, Serialize};

/// Version of the protocol. A field that is added does not raise it; a changed meaning does.
pub(crate) const VERSION: u32 = 1;

/// Longest line that is taken from a client, in bytes.
pub(crate) const MAX_LINE: usize = 4096;

/// A request of a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Request {
    /// Start to record, where nothing is recorded.
    Start {},
    /// Keep nothing from here on.
    Pause {},
    /// Keep frames again.
    Resume {},
    /// Stop and save.
    Stop {
        /// Go on for so many seconds first.
        #[serde(default, skip_serializing_if = "is_zero")]
        tail_s: f64,
    },
    /// Set a marker.
    Mark {
        /// Its text.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
    },
    /// Go on in a new file.
    Next {},
    /// Do not stop although nobody speaks.
    Keep {},
    /// Stop, save, and leave.
    Quit {},
    /// Report the status.
    Status {},
    /// Report the status, at every change and once a second, until the connection is closed.
    Follow {},
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(seconds: &f64) -> bool {
    *seconds == 0.0
}

/// What a recorder is doing, with the names of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activity {
    /// Nothing is recorded.
    #[default]
    Inactive,
    /// Frames are kept.
    Recording,
    /// Frames are dropped until it is resumed.
    Paused,
}

impl Activity {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Recording => "recording",
            Self::Paused => "paused",
        }
    }
}

/// The status of a recorder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// Which recorder it is.
    pub(crate) id: String,
    /// Its process.
    pub(crate) pid: u32,
    /// What it is doing.
    pub(crate) state: Activity,
    /// The file that it records; `None` for standard output, or when nothing is recorded.
    pub(crate) path: Option<String>,
    /// Recorded time.
    pub(crate) duration_s: f64,
    /// The peak of the last tenth of a second; `None` when there was no sound at all.
    pub(crate) peak_dbfs: Option<f64>,
    /// Frames that were lost and are silence.
    pub(crate) lost_frames: u64,
    /// For how long the disk has room.
    pub(crate) disk_left_s: Option<f64>,
    /// The device's name.
    #[serde(default)]
    pub(crate) device: Option<String>,
}

/// A recording that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    /// The file; `None` if there is none.
    pub(crate) path: Option<String>,
    /// The exit code of `record` after such a recording.
    pub(crate) exit: u8,
    /// What went wrong, as one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// The standard's name of the error.
    pub(crate) name: String,
    /// The sentence for people.
    pub(crate) message: String,
}

impl Refusal {
    /// The recorder's state does not allow it.
    pub(crate) fn of_state(state: Activity, what: &str) -> Self {
        let message = format!("cannot {what}: the recorder is {}", state.name());
        Self { name: ErrorKind::InvalidState.name().to_owned(), message }
    }

    /// It is not known that the file is safe.
    pub(crate) fn unsaved(why: &str) -> Self {
        let message = format!("the recorder has not said that the file is safe: {why}");
        Self { name: ErrorKind::Abort.name().to_owned(), message }
    }

    /// The line is not a request.
    pub(crate) fn of_line(reason: &str) -> Self {
        Self { name: "SyntaxError".to_owned(), message: format!("not a request: {reason}") }
    }
}

/// An answer of a recorder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Of the protocol.
    pub(crate) version: u32,
    /// Whether it was done.
    pub(crate) ok: bool,
    /// The status now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
    /// What became of the recording that was stopped, or of the piece that was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) saved: Option<Saved>,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Refusal>,
}

impl Answer {
    /// It was done, and this is the status.
    pub(crate) fn done(status: Status) -> Self {
        Self { version: VERSION, ok: true, status: Some(status), ..Self::default() }
    }

    /// It was not done.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self { version: VERSION, error: Some(refusal), ..Self::default() }
    }

    /// As one line, with its end.
    pub(crate) fn line(&self) -> String {
        // Strings, numbers and options cannot fail to become JSON.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// Reads one line of a client.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(line: &[u8]) -> Result<Request, Refusal> {
    let request: Request = serde_json::from_slice(line).map_err(|error| Refusal::of_line(&error.to_string()))?;
    match request {
        Request::Stop { tail_s } if !(0.0..=3600.0).contains(&tail_s) => {
            Err(Refusal::of_line("tail_s is a number of seconds from 0 to 3600"))
        }
        request => Ok(request),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_are_read_and_what_is_none_is_refused() {
        assert_eq!(parse(br#"{"do":"pause"}"#), Ok(Request::Pause {}));
        assert_eq!(parse(br#"{"do":"stop","tail_s":0.3}"#), Ok(Request::Stop { tail_s: 0.3 }));
        assert_eq!(parse(br#"{"do":"mark","text":"budget"}"#), Ok(Request::Mark { text: "budget".into() }));
        let lines: [&[u8]; 8] = [
            b"",
            b"pause",
            br#"{"do":"jump"}"#,
            br#"{"do":"stop","tail_s":-1}"#,
            br#"{"do":"stop","tail_s":1e9}"#,
            br#"{"do":"pause","x":1}"#,
            b"\xff\xfe",
            br#"[{"do":"pause"}]"#,
        ];
        for line in lines {
            assert_eq!(parse(line).unwrap_err().name, "SyntaxError", "{}", String::from_utf8_lossy(line));
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&line);
        }
    }
}
