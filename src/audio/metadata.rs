//! What is known about a recording besides its sound: tags and markers.
//!
//! It stands here, below the encoders that write it and the decoders that read it, because those two do not know each
//! other. Plain values, for any thread.

/// A remark at one place of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marker {
    /// Frames before the marker, counted from the first frame of the recording.
    pub frame: u64,
    /// What was remarked; may be empty.
    pub text: String,
}

/// What is written about a recording besides its sound.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Title of the take.
    pub title: Option<String>,
    /// Date and time of the first frame, RFC 3339. A file of another program may say less, such as the year.
    pub date: Option<String>,
    /// Name and version of the writing program.
    pub software: Option<String>,
    /// The device that was recorded.
    pub device: Option<String>,
    /// Remarks, such as the frames that were lost.
    pub comment: Option<String>,
    /// Markers, in any order when written, by ascending frame when read.
    pub markers: Vec<Marker>,
}
