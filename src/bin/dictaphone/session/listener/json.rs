//! Events as JSON, one object a line.

use std::path::PathBuf;

use dictaphone::audio::time::seconds;

use crate::{
    message::{self, Message},
    plan::JsonTo,
    report::{
        Report,
        json::{self, Event, FilePath},
        outcome::{Kept, Outcome},
        printer::Worth,
    },
    session::{Listener, SessionEvent, What},
};

/// Writes what happens as lines of JSON. Their reader may go; the recording does not depend on it.
pub(crate) struct JsonLines {
    report: Report,
    to: JsonTo,
}

impl JsonLines {
    /// To that stream.
    pub(crate) fn new(report: Report, to: JsonTo) -> Self {
        Self { report, to }
    }

    fn write(&self, event: &SessionEvent<'_>, what: json::What<'_>) {
        let worth = if matches!(what, json::What::Level { .. }) { Worth::Fleeting } else { Worth::Kept };
        let _ = self.report.event(self.to, &Event::new(event.frame, event.at_s(), what), worth);
    }

    fn finished(&self, event: &SessionEvent<'_>, outcome: &Outcome) {
        self.available(event, outcome);
        if let Some(failure) = outcome.new_failure() {
            self.write(event, json::What::Error { name: failure.name, message: failure.message.text });
        }
        for (kind, Message { text, hint }) in outcome.warnings() {
            let (kind, hint) = (kind.name(), hint.as_deref());
            self.write(event, json::What::Warning { kind, message: &text, hint, channel: None });
        }
        let device_rate_hz = outcome.progress.device_rate_hz;
        self.write(event, json::What::Stop { device_rate_hz });
    }

    fn available(&self, event: &SessionEvent<'_>, outcome: &Outcome) {
        if outcome.is_known {
            return;
        }
        let (path, size_bytes) = match &outcome.kept {
            Kept::File { path, size_bytes, .. } => (Some(path), *size_bytes),
            Kept::Part { part, size_bytes } => (Some(&part.path), *size_bytes),
            Kept::Stream { size_bytes, .. } => (None, *size_bytes),
            _ => return,
        };
        let unread = if let Kept::Stream { unread_frames, .. } = outcome.kept { unread_frames } else { 0 };
        let available = json::What::DataAvailable {
            path: FilePath(path.map(PathBuf::as_path)),
            size_bytes,
            duration_s: seconds(outcome.frames, outcome.sample_rate),
            frames: outcome.frames,
            lost_frames: outcome.lost_in_file.unwrap_or(outcome.lost_frames()) + unread,
        };
        self.write(event, available);
    }
}

impl Listener for JsonLines {
    fn on_event(&mut self, event: &SessionEvent<'_>) {
        let what = match event.what {
            What::Opened { .. } | What::NotOpened(_) | What::Closed(_) | What::Refused(_) | What::Ended => return,
            What::Waiting(why) => json::What::Waiting { message: why },
            What::Gate { open, cut } => json::What::Gate { open, cut_s: cut.as_secs_f64() },
            What::Countdown(left) => json::What::Countdown { left_s: left.map(|left| left.as_secs_f64()) },
            What::FileSaved(outcome) => {
                if let Some(failure) = outcome.failure_of_file() {
                    self.write(event, json::What::Error { name: failure.name, message: failure.message.text });
                }
                return self.available(event, outcome);
            }
            What::Deleted(paths) => {
                let paths = paths.iter().map(|path| path.display().to_string()).collect();
                json::What::Deleted { paths }
            }
            What::Started { device, path, format } => {
                let (sample_rate, channels) = (format.sample_rate, format.channels);
                let started = json::What::Start { device, path: FilePath(path), sample_rate, channels };
                return self.write(event, started);
            }
            // Before the start there is nothing to measure, and after the end nothing that matters.
            What::Level { progress, state, .. } if progress.arrived == 0 || state.is_over() => return,
            What::Level { level, progress, .. } => json::What::Level {
                peak_dbfs: level.peak.value(),
                rms_dbfs: level.rms.value(),
                clipped: progress.clipped,
            },
            What::Paused => json::What::Pause {},
            What::Resumed => json::What::Resume {},
            What::Marked(marker) => json::What::Mark { text: &marker.text },
            What::Warning(warning) => {
                let hint = message::remedy_of(warning);
                return self.write(event, json::What::warning(warning, hint.as_deref()));
            }
            What::Failed { name, message } => json::What::Error { name, message: message.to_owned() },
            What::Finished(outcome) => return self.finished(event, outcome),
        };
        self.write(event, what);
    }

    fn wants_levels(&self) -> bool {
        true
    }
}
