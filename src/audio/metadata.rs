//! What is known about a recording besides its sound: tags and markers.
//!
//! It stands here, below the encoders that write it and the decoders that read it, because neither of these depends on
//! the other. Plain values, for any thread.

use std::time::Duration;

use super::{Speakers, broadcast, output_frames};

/// A remark at one place of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marker {
    /// Frames before the marker, counted from the first frame of the recording.
    pub frame: u64,
    /// What was remarked; may be empty.
    pub text: String,
}

/// What the text of a marker begins with where something was cut out.
const CUT: &str = "cut: ";

impl Marker {
    /// The text of the marker where `length` was cut out because nobody spoke.
    #[must_use]
    pub fn cut_text(length: Duration) -> String {
        format!("{CUT}{:.1} s", length.as_secs_f64())
    }

    /// Whether the program set it, where it cut something out, and not a person.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.text.strip_prefix(CUT).is_some_and(|length| length.ends_with(" s"))
    }
}

/// What a file states about itself for which [`Metadata`] has no field of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tag {
    /// Name of the field as Vorbis comments have it, such as `ARTIST`, in the case in which it was written.
    pub name: String,
    /// Its text; may have several lines.
    pub text: String,
}

/// What is written about a recording besides its sound.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Metadata {
    /// Title of the take.
    pub title: Option<String>,
    /// Date and time of the first frame, RFC 3339. A file of another program may contain less, such as the year.
    pub date: Option<String>,
    /// Frames of this recording between midnight and its first frame, exact over all files of one recording
    /// (EBU Tech 3285, TimeReference).
    pub time_reference: Option<u64>,
    /// Name and version of the writing program.
    pub software: Option<String>,
    /// The device that was recorded.
    pub device: Option<String>,
    /// Remarks, such as the frames that were lost.
    pub comment: Option<String>,
    /// Markers, in any order when written, by ascending frame when read.
    pub markers: Vec<Marker>,
    /// The speakers that more than two channels are meant for; `None` for separate channels, and for mono and stereo,
    /// where nothing needs to be stated.
    pub speakers: Option<Speakers>,
    /// All other tags, in the order in which they were found; several may have one name.
    pub tags: Vec<Tag>,
    /// Pictures, such as a cover, each as the picture block of FLAC (RFC 9639, section 8.8), which contains kind and
    /// type.
    pub pictures: Vec<Vec<u8>>,
    /// The payload of the broadcast extension of a WAV file, see `broadcast`.
    pub broadcast: Option<Vec<u8>>,
    /// The payload of the iXML chunk of a WAV file.
    pub ixml: Option<Vec<u8>>,
}

setters! { Metadata:
    title: Option<String>,
    date: Option<String>,
    time_reference: Option<u64>,
    software: Option<String>,
    device: Option<String>,
    comment: Option<String>,
    markers: Vec<Marker>,
    speakers: Option<Speakers>,
    tags: Vec<Tag>,
    pictures: Vec<Vec<u8>>,
    broadcast: Option<Vec<u8>>,
    ixml: Option<Vec<u8>>,
}

/// What follows the number in the remark about lost frames.
const LOST: &str = " frames were lost and are silence";

/// What surrounds the number in the remark about the clock of the device.
const DEVICE_RATE: (&str, &str) = ("the device ran at ", " Hz");

/// What separates remarks in a comment.
const REMARKS: &str = "; ";

impl Metadata {
    /// Adds to the comment that `frames` frames were lost and replaced by silence; nothing if there are none.
    pub fn note_lost_frames(&mut self, frames: u64) {
        if frames > 0 {
            self.remark(&format!("{frames}{LOST}"));
        }
    }

    /// Adds to the comment how many frames the device really delivered in a second, in hertz.
    pub fn note_device_rate(&mut self, hertz: f64) {
        self.remark(&format!("{}{hertz:.2}{}", DEVICE_RATE.0, DEVICE_RATE.1));
    }

    /// The last rate of a device that [`note_device_rate`](Self::note_device_rate) wrote, in hertz.
    #[must_use]
    pub fn device_rate(&self) -> Option<f64> {
        let rate = |remark: &str| remark.strip_prefix(DEVICE_RATE.0)?.strip_suffix(DEVICE_RATE.1)?.parse().ok();
        self.comment.as_deref()?.rsplit(REMARKS).find_map(rate).filter(|hertz: &f64| hertz.is_finite())
    }

    fn remark(&mut self, remark: &str) {
        let before = self.comment.take().map_or_else(String::new, |comment| format!("{comment}{REMARKS}"));
        self.comment = Some(format!("{before}{remark}"));
    }

    /// Takes the remarks about lost frames out of the comment and returns the frames of the last one.
    pub fn take_lost_frames(&mut self) -> u64 {
        let lost = self.lost_frames().unwrap_or(0);
        let comment = self.comment.take().unwrap_or_default();
        let others: Vec<&str> = comment.split(REMARKS).filter(|remark| frames_lost(remark).is_none()).collect();
        let rest = others.join(REMARKS);
        self.comment = Some(rest).filter(|rest| !rest.is_empty());
        lost
    }

    /// The payload of the broadcast extension of a file with these tags; blank where a tag is missing.
    #[must_use]
    pub fn broadcast_payload(&self) -> Vec<u8> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        broadcast::payload(&text(&self.title), &text(&self.software), self.date.as_deref(), self.time_reference)
    }

    /// The same for sound that was resampled: markers, lost frames and the time reference count in frames of the new rate.
    #[must_use]
    pub fn at_rate(mut self, from_hz: u32, to_hz: u32) -> Self {
        if from_hz == to_hz {
            return self;
        }
        for marker in &mut self.markers {
            marker.frame = output_frames(marker.frame, from_hz, to_hz);
        }
        self.time_reference = self.time_reference.map(|frames| output_frames(frames, from_hz, to_hz));
        if let Some(payload) = &mut self.broadcast {
            broadcast::resample(payload, from_hz, to_hz);
        }
        let lost = self.take_lost_frames();
        self.note_lost_frames(output_frames(lost, from_hz, to_hz));
        self
    }

    /// The frames that were lost, as [`note_lost_frames`](Self::note_lost_frames) wrote them; `None` if the comment
    /// does not mention any.
    #[must_use]
    pub fn lost_frames(&self) -> Option<u64> {
        let comment = self.comment.as_deref()?;
        comment.rsplit(REMARKS).find_map(frames_lost)
    }
}

/// The number in a remark about lost frames.
fn frames_lost(remark: &str) -> Option<u64> {
    remark.strip_suffix(LOST)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_the_device_reads_back_beside_other_remarks() {
        let mut tags = Metadata { comment: Some("mine; the device ran at x Hz".to_owned()), ..Metadata::default() };
        assert_eq!(tags.device_rate(), None);
        tags.note_device_rate(47_856.123);
        tags.note_lost_frames(7);
        assert_eq!((tags.device_rate(), tags.lost_frames()), (Some(47_856.12), Some(7)));
        assert_eq!(tags.at_rate(48_000, 16_000).device_rate(), Some(47_856.12));
    }

    #[test]
    fn lost_frames_read_back_behind_any_comment() {
        for (comment, before) in [
            (None, None),
            (Some("two; remarks"), None),
            (Some(""), None),
            (Some("7 frames were lost and are silence; x"), Some(7)),
            (Some("many frames were lost and are silence"), None),
        ] {
            let mut tags = Metadata { comment: comment.map(str::to_owned), ..Metadata::default() };
            assert_eq!(tags.lost_frames(), before, "{comment:?}");
            tags.note_lost_frames(0);
            assert_eq!(tags.comment.as_deref(), comment);
            tags.note_lost_frames(4_800);
            assert_eq!(tags.lost_frames(), Some(4_800), "{comment:?}");
            assert!(tags.comment.unwrap().starts_with(comment.unwrap_or_default()));
        }
    }

    #[test]
    fn lost_frames_are_taken_out_of_a_comment_and_nothing_else() {
        for (comment, lost, rest) in [
            (None, 0, None),
            (Some("two; remarks"), 0, Some("two; remarks")),
            (Some("7 frames were lost and are silence"), 7, None),
            (Some("a; 7 frames were lost and are silence; b"), 7, Some("a; b")),
            (Some("many frames were lost and are silence"), 0, Some("many frames were lost and are silence")),
        ] {
            let mut tags = Metadata { comment: comment.map(str::to_owned), ..Metadata::default() };
            assert_eq!((tags.take_lost_frames(), tags.comment.as_deref()), (lost, rest), "{comment:?}");
        }
    }

    #[test]
    fn markers_and_losses_keep_their_time_at_another_rate() {
        let marker = |frame| Marker { frame, text: "m".into() };
        let mut tags = Metadata {
            title: Some("t".into()),
            comment: Some("noisy".into()),
            markers: vec![marker(1), marker(48_000)],
            ..Metadata::default()
        };
        tags.note_lost_frames(480);
        let slower = tags.clone().at_rate(48_000, 16_000);
        assert_eq!(slower.markers, [marker(0), marker(16_000)]);
        assert_eq!((slower.lost_frames(), slower.title.as_deref()), (Some(160), Some("t")));
        assert!(slower.comment.unwrap().starts_with("noisy; "));
        assert_eq!(tags.clone().at_rate(48_000, 48_000), tags);
    }
}
