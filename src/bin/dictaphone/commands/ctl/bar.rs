//! The status of a recorder, worded for a status bar and for a person. Pure.

use std::time::Duration;

use serde::Serialize;

use crate::{
    input::control::protocol::{Activity, Status},
    report::status::clock,
};

/// What waybar reads from a program (`return-type: json`), and polybar and others with it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct BarLine {
    text: String,
    tooltip: String,
    class: &'static str,
    alt: &'static str,
}

/// For a bar; `None` where no recorder runs.
pub(super) fn line(status: Option<&Status>) -> BarLine {
    let state = status.map_or(Activity::Inactive, |status| status.state);
    let time = status.map(time).unwrap_or_default();
    let text = match state {
        Activity::Inactive => String::new(),
        Activity::Recording => format!("● {time}"),
        Activity::Paused => format!("‖ {time}"),
    };
    let tooltip = status.map_or_else(|| "not recording".to_owned(), |status| sentence(status).trim_end().to_owned());
    BarLine { text, tooltip, class: state.name(), alt: state.name() }
}

/// For a person, with the end of the line.
pub(super) fn sentence(status: &Status) -> String {
    let mut parts = vec![format!("{} {}", status.state.name(), time(status))];
    parts.extend(status.path.clone());
    parts.extend(status.device.clone());
    parts.extend(status.peak_dbfs.map(|peak| format!("peak {peak:.1} dBFS")));
    if status.lost_frames > 0 {
        parts.push(format!("{} frames lost", status.lost_frames));
    }
    parts.push(format!("id {}", status.id));
    parts.join(" · ") + "\n"
}

/// Whole seconds: a bar that changes ten times a second is distracting.
fn time(status: &Status) -> String {
    let whole = Duration::from_secs(Duration::try_from_secs_f64(status.duration_s).unwrap_or_default().as_secs());
    let text = clock(whole);
    text.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_state_and_time() {
        let status = Status {
            id: "7".into(),
            state: Activity::Recording,
            path: Some("/home/a/take.wav".into()),
            duration_s: 83.46,
            lost_frames: 480,
            peak_dbfs: Some(-12.34),
            ..Status::default()
        };
        let shown = line(Some(&status));
        assert_eq!((shown.text.as_str(), shown.class, shown.alt), ("● 00:01:23", "recording", "recording"));
        assert_eq!(shown.tooltip, "recording 00:01:23 · /home/a/take.wav · peak -12.3 dBFS · 480 frames lost · id 7");
        assert_eq!(line(Some(&Status { state: Activity::Paused, ..status })).text, "‖ 00:01:23");
        let none = line(None);
        assert_eq!((none.text.as_str(), none.tooltip.as_str(), none.class), ("", "not recording", "inactive"));
    }
}
