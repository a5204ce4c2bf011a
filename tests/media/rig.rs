//! A microphone, a stream, a recorder and their results.

use std::{
    io::Read,
    path::PathBuf,
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

use dictaphone::{
    ErrorKind,
    audio::{AudioFormat, SampleFormat},
    capture::PushSource,
    format,
    media::{Blob, Constraints, MediaDevices, MediaRecorder, MediaStream, RecorderEvent, RecorderOptions, TrackEvent},
};

/// Long enough for the busiest machine; only a failing test waits for it.
pub const DEADLINE: Duration = Duration::from_secs(30);

pub const RATE: u32 = 48_000;

/// One recorded event, without what a comparison of orders does not need.
#[derive(Debug, Clone, PartialEq)]
pub enum Fired {
    Start,
    Pause,
    Resume,
    Data { frames: u64, timecode: f64 },
    Error(ErrorKind),
    Stop,
}

pub struct Rig {
    pub microphone: PushSource,
    pub devices: MediaDevices,
    pub stream: MediaStream,
    pub recorder: MediaRecorder,
    pub events: Receiver<RecorderEvent>,
    pushed: std::cell::Cell<u32>,
}

pub fn microphone(channels: u16) -> PushSource {
    PushSource::new("microphone", AudioFormat::new(RATE, channels, SampleFormat::F32))
}

pub fn devices(microphones: &[&PushSource]) -> MediaDevices {
    MediaDevices::with_backends(microphones.iter().map(|source| Arc::new((*source).clone()) as _).collect())
}

impl Rig {
    pub fn new() -> Self {
        Self::with(RecorderOptions::default())
    }

    pub fn with(options: RecorderOptions) -> Self {
        let microphone = microphone(1);
        let devices = devices(&[&microphone]);
        let stream = devices.get_user_media(&Constraints::default()).unwrap();
        let recorder = MediaRecorder::new(&stream, options).unwrap();
        let events = recorder.events();
        Self { microphone, devices, stream, recorder, events, pushed: std::cell::Cell::new(0) }
    }

    /// Pushes frames of which each is one 16-bit step above the one before, so that every frame tells its position.
    pub fn push(&self, frames: u32) {
        let first = self.pushed.get();
        let samples: Vec<f32> = (first..first + frames).map(step).collect();
        self.pushed.set(first + frames);
        self.microphone.push(&samples).unwrap();
    }

    /// Everything up to and including the stop event, and the blobs among it.
    pub fn finish(&self) -> (Vec<Fired>, Vec<Blob>) {
        collect(&self.events)
    }

    /// The events up to the next one that is of the same kind as `until`.
    pub fn wait_for(&self, until: impl Fn(&RecorderEvent) -> bool) -> RecorderEvent {
        loop {
            let event = self.events.recv_timeout(DEADLINE).expect("the event");
            if until(&event) {
                return event;
            }
        }
    }
}

/// The sample at a position: 16-bit steps that wrap.
pub fn step(position: u32) -> f32 {
    f32::from((position % 32_768) as u16) / 32_768.0
}

pub fn collect(events: &Receiver<RecorderEvent>) -> (Vec<Fired>, Vec<Blob>) {
    let (mut fired, mut blobs) = (Vec::new(), Vec::new());
    loop {
        match events.recv_timeout(DEADLINE).expect("a stop event") {
            RecorderEvent::Start => fired.push(Fired::Start),
            RecorderEvent::Pause { .. } => fired.push(Fired::Pause),
            RecorderEvent::Resume { .. } => fired.push(Fired::Resume),
            RecorderEvent::DataAvailable { data, timecode } => {
                fired.push(Fired::Data { frames: data.facts().frames, timecode: timecode.as_nanos() as f64 / 1e6 });
                blobs.push(data);
            }
            RecorderEvent::Mark(_) | RecorderEvent::Warning { .. } | RecorderEvent::LowSpace { .. } => {}
            RecorderEvent::Error(error) => fired.push(Fired::Error(error.kind())),
            RecorderEvent::Stop => {
                fired.push(Fired::Stop);
                return (fired, blobs);
            }
            other => panic!("unknown event {other:?}"),
        }
    }
}

/// One blob at the end, of that many frames.
pub fn data(frames: u64) -> Fired {
    Fired::Data { frames, timecode: 0.0 }
}

pub fn bytes(blobs: &[Blob]) -> Vec<u8> {
    let mut all = Vec::new();
    for blob in blobs {
        let before = all.len();
        blob.reader().unwrap().read_to_end(&mut all).unwrap();
        assert_eq!((all.len() - before) as u64, blob.size(), "size tells the bytes");
    }
    all
}

/// Decodes blobs, concatenated, by the library's own reader.
pub fn samples(blobs: &[Blob]) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("all.wav");
    std::fs::write(&path, bytes(blobs)).unwrap();
    let mut decoder = format::open(&path).unwrap();
    let mut samples = Vec::new();
    while decoder.read(&mut samples, 65_536).unwrap() > 0 {}
    samples
}

/// Asserts that the recording holds exactly these positions, and zero where there is none.
pub fn assert_positions(blobs: &[Blob], expected: impl IntoIterator<Item = Option<u32>>) {
    let expected: Vec<f32> = expected.into_iter().map(|position| position.map_or(0.0, step)).collect();
    let recorded = samples(blobs);
    assert_eq!(recorded.len(), expected.len(), "frames");
    if let Some(index) = (0..expected.len()).find(|&index| recorded[index] != expected[index]) {
        panic!("frame {index} is {} and should be {}", recorded[index], expected[index]);
    }
}

/// Positions that carry sound.
pub fn heard(range: std::ops::Range<u32>) -> impl Iterator<Item = Option<u32>> {
    range.map(Some)
}

/// Frames of silence.
pub fn silent(frames: usize) -> impl Iterator<Item = Option<u32>> {
    std::iter::repeat_n(None, frames)
}

pub fn track_event(events: &Receiver<TrackEvent>) -> TrackEvent {
    events.recv_timeout(DEADLINE).expect("a track event")
}
