//! Writes the status of the recorder for clients of the control socket.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use dictaphone::{
    ErrorKind,
    audio::time::{duration_of, seconds},
    capture::WarningKind,
    storage::place::target_of_part,
};

use crate::{
    input::control::{
        Board,
        protocol::{Activity, Saved},
    },
    report::outcome::Outcome,
    session::{Listener, SessionEvent, What},
};

/// How long a peak is reported: a client that asks twice in quick succession does not get silence in between.
const PEAK_HOLD: Duration = Duration::from_millis(300);

/// Keeps the board up to date.
pub(crate) struct BoardKeeper {
    board: Arc<Board>,
    /// The program ends with the recording: a client that asks after that must find no recorder.
    ends_with_recording: bool,
    /// The highest peak of the last moment, and when it was.
    peak: (f64, Instant),
}

impl BoardKeeper {
    pub(crate) fn new(board: Arc<Board>, ends_with_recording: bool) -> Self {
        Self { board, ends_with_recording, peak: (f64::NEG_INFINITY, Instant::now()) }
    }

    fn hold(&mut self, peak: f64) -> Option<f64> {
        if peak >= self.peak.0 || self.peak.1.elapsed() > PEAK_HOLD {
            self.peak = (peak, Instant::now());
        }
        Some(self.peak.0).filter(|peak| peak.is_finite())
    }

    fn change(&self, event: &SessionEvent<'_>, state: Activity) {
        self.board.write(|known| {
            known.status.state = state;
            known.status.duration_s = event.at_s();
            known.changes += 1;
        });
    }

    fn fail(&self, name: &str, message: String, is_refused: bool) {
        self.board.write(|known| {
            known.failures += 1;
            known.refused += u64::from(is_refused);
            known.failure = Some((name.to_owned(), message));
        });
    }

    fn saved(&self, outcome: &Outcome) {
        let message = outcome.failure().map(|failure| failure.message.text).or_else(|| outcome.flaws());
        let path = outcome.path().map(absolute);
        self.board.write(|known| {
            known.latest = Some(Saved { path, exit: outcome.exit().code(), message });
            if !outcome.is_known {
                known.saved += 1;
                known.saved_frames += outcome.frames;
            }
            known.changes += 1;
        });
    }
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

impl Listener for BoardKeeper {
    fn on_event(&mut self, event: &SessionEvent<'_>) {
        match event.what {
            What::Opened { device, .. } => self.board.write(|known| known.status.device = Some(device.to_owned())),
            What::Started { device, path, .. } => {
                self.board.write(|known| {
                    known.status.device = Some(device.to_owned());
                    known.status.path = path.map(absolute);
                    known.status.lost_frames = 0;
                    (known.frames, known.saved_frames) = (0, 0);
                });
                self.change(event, Activity::Recording);
            }
            What::Paused => self.change(event, Activity::Paused),
            What::Resumed => self.change(event, Activity::Recording),
            What::Marked(_) => self.board.write(|known| {
                known.markers += 1;
                known.changes += 1;
            }),
            What::Level { level, progress, .. } => {
                let peak = self.hold(level.peak.value());
                let path = progress.path.as_deref().and_then(target_of_part);
                self.board.write(|known| {
                    known.levels += 1;
                    known.frames = progress.frames;
                    // After the first file it is another one.
                    let path = path.as_deref().filter(|_| known.saved > 0).map(absolute);
                    if path.is_some() && path != known.status.path {
                        known.status.path = path;
                        known.changes += 1;
                    }
                    known.status.duration_s = duration_of(progress.frames, event.sample_rate).as_secs_f64();
                    known.status.peak_dbfs = peak;
                    known.status.lost_frames = progress.lost_frames;
                    known.status.disk_left_s = progress.disk_left.map(|left| left.as_secs_f64());
                });
            }
            What::Failed { name, message } => self.fail(name, message.to_owned(), false),
            What::Refused(error) => self.fail(error.name(), error.to_string(), true),
            What::Warning(warning) if warning.kind() == WarningKind::Split => {
                self.fail(ErrorKind::Unknown.name(), warning.to_string(), true);
            }
            What::Ended => {
                self.change(event, Activity::Inactive);
                self.board.write(|known| known.is_ending = self.ends_with_recording);
            }
            What::FileSaved(outcome) => self.saved(outcome),
            What::Finished(outcome) => {
                if self.ends_with_recording {
                    self.board.hide();
                }
                self.board.write(|known| {
                    known.status.state = Activity::Inactive;
                    known.status.path = None;
                    known.status.peak_dbfs = None;
                    known.status.lost_frames = outcome.lost_frames();
                    known.status.duration_s = seconds(outcome.frames, outcome.sample_rate);
                });
                self.saved(outcome);
                self.board.write(|known| known.finished += 1);
            }
            _ => {}
        }
    }

    fn wants_levels(&self) -> bool {
        self.board.is_watched()
    }
}
