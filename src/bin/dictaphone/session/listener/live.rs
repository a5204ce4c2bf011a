//! Messages to a person at a terminal or in a log: the live line, or a line at the start and one at the end; and what
//! the person should know.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    time::{Duration, Instant},
};

use dictaphone::{
    ErrorKind,
    audio::{Level, time::duration_of},
    media::Progress,
};

use crate::{
    message::{self, Message},
    plan::{JsonTo, Record, Target},
    report::{
        Report,
        outcome::Outcome,
        status::{self, Levels, ShownState, StatusFacts},
    },
    session::{Listener, SessionEvent, What},
};

/// How long the highest peak stays marked.
const PEAK_HOLD: Duration = Duration::from_millis(1_500);

/// Reports what happens.
pub(crate) struct LiveLine {
    report: Report,
    to_stdout: bool,
    starts_paused: bool,
    json: Option<JsonTo>,
    /// The highest peak of the last moment, and when it was.
    peak: (f32, Instant),
    /// How many markers were set.
    markers: u32,
}

impl LiveLine {
    /// For a recording of that plan.
    pub(crate) fn new(report: Report, plan: &Record) -> Self {
        Self {
            report,
            to_stdout: plan.target == Target::Stdout,
            starts_paused: plan.starts_paused,
            json: plan.json,
            peak: (f32::NEG_INFINITY, Instant::now()),
            markers: 0,
        }
    }

    /// Whether there is a live line; events on the same terminal would get mixed up with it.
    fn has_line(&self) -> bool {
        let is_among_events = self.json == Some(JsonTo::Stdout) && io::stdout().is_terminal();
        self.report.has_live_line() && self.speaks() && !is_among_events
    }

    /// Whether lines of text are written; they must not come between events on standard error.
    fn speaks(&self) -> bool {
        self.json != Some(JsonTo::Stderr)
    }

    fn warn(&self, message: &Message) {
        if self.speaks() {
            self.report.warning(message);
        }
    }

    fn draw(&mut self, level: &Level, progress: &Progress, state: ShownState, device: &str, sample_rate: u32) {
        if !self.has_line() {
            return;
        }
        let now = Instant::now();
        #[allow(clippy::cast_possible_truncation, reason = "decibels for a screen")]
        let peak = level.peak.value() as f32;
        if peak >= self.peak.0 || now.duration_since(self.peak.1) > PEAK_HOLD {
            self.peak = (peak, now);
        }
        let levels = (progress.arrived > 0).then_some(Levels { peak_dbfs: peak, hold_dbfs: self.peak.0 });
        let facts = StatusFacts {
            state,
            time: duration_of(progress.frames, sample_rate),
            levels,
            clipped: progress.clipped,
            lost: progress.lost_frames,
            device,
            disk_left: progress.disk_left,
        };
        self.report.draw(&facts, now);
    }

    fn finished(&self, outcome: &Outcome) {
        if !(self.to_stdout && self.json.is_some())
            && let Some(note) = outcome.note()
        {
            self.report.note(&note);
        }
        outcome.warnings().iter().for_each(|(_, message)| self.warn(message));
        if let Some(hertz) = outcome.progress.device_rate_hz {
            log::info!("the device ran at {hertz:.2} Hz");
        }
    }
}

impl Listener for LiveLine {
    fn on_event(&mut self, event: &SessionEvent<'_>) {
        match event.what {
            What::Started { device, path, format } if !self.report.has_live_line() && self.speaks() => {
                let to = path.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
                let (does, how) =
                    if self.starts_paused { ("ready to record", "; USR2 begins") } else { ("recording", "") };
                self.report.note(&format!("{does} {device} · {format} to {to}{how}"));
            }
            What::Started { path, .. } if self.has_line() => {
                let name = path.and_then(Path::file_name).map(|name| format!("recording {}", name.display()));
                let keys = ["space pauses", "q saves", "m sets a marker", "n goes on in a new file"].map(str::to_owned);
                self.report.aside(&name.into_iter().chain(keys).collect::<Vec<_>>());
            }
            What::Marked(marker) if self.has_line() => {
                self.markers += 1;
                let at = status::clock(duration_of(marker.frame, event.sample_rate));
                let name = if marker.text.is_empty() { String::new() } else { format!(": {}", marker.text) };
                self.report.aside(&[format!("marker {} at {at}{name}", self.markers)]);
            }
            What::Level { level, progress, state, device } => {
                self.draw(level, progress, state, device, event.sample_rate);
            }
            What::Warning(warning) => {
                let at = duration_of(event.frame, event.sample_rate);
                let text = format!("at {}: {warning}", status::clock(at));
                self.warn(&Message { text, hint: message::remedy_of(warning) });
            }
            // A recording that has just ended reports its end.
            What::Refused(error) if error.kind() != ErrorKind::InvalidState => {
                self.warn(&Message::new(error.to_string()));
            }
            What::Waiting(why) if self.speaks() => {
                self.report.note(&format!("waiting for the device: {why}"));
            }
            What::Countdown(Some(left)) if self.speaks() => {
                let text = format!("nobody has spoken for long: the recording ends in {} s", left.as_secs());
                self.report.warning(&Message::new(text).hint("speech, or the key k, lets it go on"));
            }
            What::Countdown(None) if self.speaks() => self.report.note("the recording goes on"),
            What::FileSaved(outcome) => {
                if let Some(failure) = outcome.failure_of_file() {
                    self.report.error(&failure.message);
                }
                if self.speaks() {
                    self.finished(outcome);
                }
            }
            What::Deleted(paths) if self.speaks() => {
                for path in paths {
                    self.report.note(&format!("deleted {} to make room", path.display()));
                }
            }
            What::Ended => self.report.clear(),
            What::Finished(outcome) => self.finished(outcome),
            _ => {}
        }
    }

    fn wants_levels(&self) -> bool {
        self.report.has_live_line()
    }
}
