//! The markers of a clip in the forms that people and other programs read. Pure.

use std::{fmt::Write as _, time::Duration};

use dictaphone::clips::Info;

use crate::{cli::MarkerForm, message::visible};

/// Sectors of a compact disc in a second, in which cue sheets count.
const CD_SECTORS: u64 = 75;
/// Tracks of a cue sheet at most.
const TRACKS_MAX: usize = 99;

/// All of them, a line each or, in a cue sheet, three.
pub(crate) fn render(info: &Info, form: MarkerForm) -> String {
    let marks = info.markers.iter().map(|marker| (marker.at_s, marker.text.as_str()));
    match form {
        MarkerForm::Text => {
            marks.map(|(at, text)| format!("{} {}", clock(at), visible(text)).trim_end().to_owned() + "\n").collect()
        }
        MarkerForm::Csv => {
            "at_s,text\r\n".to_owned()
                + &marks.map(|(at, text)| format!("{at:.6},{}\r\n", quoted(text))).collect::<String>()
        }
        MarkerForm::Audacity => marks.map(|(at, text)| format!("{at:.6}\t{at:.6}\t{}\n", one_line(text))).collect(),
        MarkerForm::Cue => cue_sheet(info),
    }
}

/// `00:01:23.450`.
fn clock(seconds: f64) -> String {
    let millis = Duration::try_from_secs_f64(seconds).unwrap_or_default().as_millis();
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// A field of a table, in quotes where it needs them (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn one_line(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

/// A track for each marker, and one before the first if that is not at the start.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn cue_sheet(info: &Info) -> String {
    let field = |text: &str| one_line(text).replace('"', "'");
    let file = info.clip.path.file_name().unwrap_or_default().to_string_lossy();
    let mut sheet = format!("FILE \"{}\" WAVE\n", field(&file));
    let starts = info.markers.first().is_some_and(|marker| marker.at_s > 0.0);
    let start = starts.then_some((0.0, info.clip.name.as_str()));
    let marks = info.markers.iter().map(|marker| (marker.at_s, marker.text.as_str()));
    for (number, (at, text)) in (1..=TRACKS_MAX).zip(start.into_iter().chain(marks)) {
        let sectors = (at * CD_SECTORS as f64).round() as u64;
        let (minutes, seconds) = (sectors / CD_SECTORS / 60, sectors / CD_SECTORS % 60);
        let title = if text.is_empty() { format!("marker {number}") } else { field(text) };
        // Writing to a string cannot fail.
        let _ = writeln!(sheet, "  TRACK {number:02} AUDIO\n    TITLE \"{title}\"");
        let _ = writeln!(sheet, "    INDEX 01 {minutes:02}:{seconds:02}:{:02}", sectors % CD_SECTORS);
    }
    sheet
}

#[cfg(test)]
mod tests {
    use dictaphone::clips::{Clip, InfoMarker, Waveform};

    use super::*;

    fn info() -> Info {
        let marker = |at_s, text: &str| InfoMarker { at_s, text: text.into() };
        let clip = Clip {
            name: "talk \"1\"".into(),
            path: "/r/talk \"1\".wav".into(),
            format: None,
            mime_type: None,
            duration_s: None,
            frames: None,
            sample_rate: None,
            channels: None,
            sample_format: None,
            size_bytes: None,
            recorded_at: None,
            error: None,
            modified: None,
        };
        Info {
            clip,
            title: None,
            device: None,
            markers: vec![marker(1.5, "budget, \"2026\""), marker(3_661.25, ""), marker(4_000.0, "Zoë\t\u{1b}")],
            lost_frames: None,
            damage: None,
            device_rate_hz: None,
            peak_dbfs: None,
            loudness_lufs: None,
            waveform: Waveform::default(),
        }
    }

    #[test]
    fn markers_are_written_as_each_reader_wants_them() {
        for (form, expected) in [
            (MarkerForm::Text, "00:00:01.500 budget, \"2026\"\n01:01:01.250\n01:06:40.000 Zoë\\u{9}\\u{1b}\n"),
            (
                MarkerForm::Csv,
                "at_s,text\r\n1.500000,\"budget, \"\"2026\"\"\"\r\n3661.250000,\r\n4000.000000,Zoë\t\u{1b}\r\n",
            ),
            (
                MarkerForm::Audacity,
                "1.500000\t1.500000\tbudget, \"2026\"\n3661.250000\t3661.250000\t\n4000.000000\t4000.000000\tZoë \u{1b}\n",
            ),
            (
                MarkerForm::Cue,
                "FILE \"talk '1'.wav\" WAVE\n  TRACK 01 AUDIO\n    TITLE \"talk '1'\"\n    INDEX 01 00:00:00\n  \
                 TRACK 02 AUDIO\n    TITLE \"budget, '2026'\"\n    INDEX 01 00:01:38\n  TRACK 03 AUDIO\n    TITLE \
                 \"marker 3\"\n    INDEX 01 61:01:19\n  TRACK 04 AUDIO\n    TITLE \"Zoë \u{1b}\"\n    INDEX 01 66:40:00\n",
            ),
        ] {
            assert_eq!(render(&info(), form), expected, "{form:?}");
        }
        let none = Info { markers: Vec::new(), ..info() };
        assert_eq!(render(&none, MarkerForm::Text), "");
        assert_eq!(render(&none, MarkerForm::Csv), "at_s,text\r\n");
    }
}
