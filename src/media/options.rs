//! How a recorder records.

use std::time::Duration;

use crate::{
    audio::{ChannelMap, Metadata, SampleFormat},
    media::{GateOptions, Split, Storage},
};

/// How a recorder encodes and where it keeps what it gathers. The default records WAV, 16 bit, at the rate and with the
/// channels of the source, into a temporary file.
///
/// ```
/// use std::time::Duration;
/// use dictaphone::{SampleFormat, media::{RecorderOptions, Storage}};
///
/// let options = RecorderOptions::default()
///     .mime_type("audio/flac")
///     .sample_format(SampleFormat::S24)
///     .stop_on_silence(Duration::from_secs(30))
///     .storage(Storage::Beside("interview.flac".into()));
/// assert_eq!(options.max_frames, None);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RecorderOptions {
    /// Container and codec, such as `audio/wav` or `audio/wav;codecs=1`; empty for WAV.
    pub mime_type: String,
    /// Bits a second, for codecs that can vary it; outside their range, the nearest value within it.
    pub audio_bits_per_second: Option<u32>,
    /// Frames a second of the recording in hertz; the source's if not given. Where the format does not support it, the
    /// next rate that it supports.
    pub sample_rate: Option<u32>,
    /// Which channels of the source are kept; all of them if not given.
    pub map: Option<ChannelMap>,
    /// Channels of the recording, see [`ChannelMixer::keep`](crate::audio::ChannelMixer::keep); those of the map, or of the source, if not given.
    pub channels: Option<u16>,
    /// How samples are stored; what the codec of the MIME type implies, or 16 bit, if not given.
    pub sample_format: Option<SampleFormat>,
    /// Amplification before encoding, in dB.
    pub gain_db: f64,
    /// The recording is paused from its first frame on: start and pause are fired, and nothing is gathered before
    /// [`resume`](crate::media::MediaRecorder::resume).
    pub starts_paused: bool,
    /// The recording stops by itself after exactly this many frames of it.
    pub max_frames: Option<u64>,
    /// The recording stops by itself before its files together are larger than this, in bytes.
    pub max_bytes: Option<u64>,
    /// When it goes on in a new file by itself; for recordings without a timeslice. Each file is fired as a whole blob.
    pub split: Option<Split>,
    /// This much of the source's sound is kept while nothing is recorded, before the start and while paused, and begins
    /// what is recorded then. Before the start only as far as [keep](crate::media::MediaStreamTrack::keep) was called
    /// on a track.
    pub pre_roll: Duration,
    /// This much of the sound for which [keep](crate::media::MediaStreamTrack::keep) was called on a track stays in
    /// memory for some time after the start, so that the recording can be made to [begin
    /// earlier](crate::media::MediaRecorder::begin_earlier).
    pub reach: Duration,
    /// Records only while the gate is open; what lies between is cut out.
    pub gate: Option<GateOptions>,
    /// The recording stops by itself when nobody has spoken for this long, in any channel, once somebody has. Music
    /// does not count as speech.
    pub stop_on_silence: Option<Duration>,
    /// Where a recording without a timeslice is kept.
    pub storage: Storage,
    /// Tags to be written.
    pub metadata: Metadata,
    /// Whether a WAV file gets a broadcast extension (`bext`, EBU Tech 3285) with the program and the local time of the
    /// first frame, to the frame. Not where its bytes are handed over part by part, before that time is known.
    pub broadcast: bool,
}

setters! { RecorderOptions:
    mime_type: String,
    audio_bits_per_second: Option<u32>,
    sample_rate: Option<u32>,
    map: Option<ChannelMap>,
    channels: Option<u16>,
    sample_format: Option<SampleFormat>,
    gain_db: f64,
    starts_paused: bool,
    max_frames: Option<u64>,
    max_bytes: Option<u64>,
    split: Option<Split>,
    pre_roll: Duration,
    reach: Duration,
    gate: Option<GateOptions>,
    stop_on_silence: Option<Duration>,
    storage: Storage,
    metadata: Metadata,
    broadcast: bool,
}
