//! A microphone that captures far ahead of what it delivers, as one that delivers in long blocks does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::Receiver,
    },
    time::Duration,
};

use dictaphone::{
    AudioFormat, Result,
    capture::{Backend, CaptureClock, CaptureStream, DeviceInfo, OpenRequest, Pace, PushSource, Reading, Waker},
    media::{Constraints, MediaDevices, MediaRecorder, MediaStreamTrack, RecorderEvent, RecorderOptions},
};

use crate::rig::{collect, microphone};

/// The microphone, and how many frames it is ahead.
struct Ahead(PushSource, Arc<AtomicU64>);

struct Stream(Box<dyn CaptureStream>, Arc<AtomicU64>);

struct Clock(Arc<dyn CaptureClock>, Arc<AtomicU64>);

impl CaptureClock for Clock {
    fn position(&self) -> u64 {
        self.0.position() + self.1.load(Ordering::SeqCst)
    }
}

impl CaptureStream for Stream {
    fn format(&self) -> AudioFormat {
        self.0.format()
    }

    fn latency(&self) -> Option<Duration> {
        Some(Duration::from_secs(60))
    }

    fn pace(&self) -> Pace {
        self.0.pace()
    }

    fn clock(&self) -> Arc<dyn CaptureClock> {
        Arc::new(Clock(self.0.clock(), Arc::clone(&self.1)))
    }

    fn start(&mut self, waker: Waker) -> Result<()> {
        self.0.start(waker)
    }

    fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        self.0.read(block, max_frames)
    }
}

impl Backend for Ahead {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        self.0.devices()
    }

    fn default_input(&self) -> Result<Option<DeviceInfo>> {
        self.0.default_input()
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        self.0.find(id)
    }

    fn open(&self, id: &str, request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        Ok(Box::new(Stream(self.0.open(id, request)?, Arc::clone(&self.1))))
    }
}

/// A recorder of the microphone, what it reports, and how far the microphone is ahead.
fn rig() -> (PushSource, Arc<AtomicU64>, MediaRecorder, Receiver<RecorderEvent>) {
    let (microphone, ahead) = (microphone(1), Arc::<AtomicU64>::default());
    let devices = MediaDevices::with_backends(vec![Arc::new(Ahead(microphone.clone(), Arc::clone(&ahead)))]);
    let stream = devices.get_user_media(&Constraints::default()).unwrap();
    let recorder = MediaRecorder::new(&stream, RecorderOptions::default()).unwrap();
    let events = recorder.events();
    (microphone, ahead, recorder, events)
}

#[test]
fn a_device_of_which_nothing_is_recorded_is_closed_without_waiting_for_frames() {
    let (microphone, ahead, recorder, events) = rig();
    recorder.start(None).unwrap();
    recorder.stop().unwrap();
    collect(&events);
    assert!(microphone.is_open());
    ahead.store(48_000, Ordering::SeqCst);
    // The device would wait a minute for the frames that were captured and have not come.
    recorder.stream().tracks().iter().for_each(MediaStreamTrack::stop);
    assert!(!microphone.is_open());
}

#[test]
fn a_pause_cuts_in_the_middle_of_the_block_that_arrives_after_it() {
    let (microphone, ahead, recorder, events) = rig();
    recorder.start(None).unwrap();
    microphone.push(&[0.25; 400]).unwrap();
    ahead.store(100, Ordering::SeqCst);
    recorder.pause().unwrap();
    ahead.store(0, Ordering::SeqCst);
    microphone.push(&[0.5; 480]).unwrap();
    recorder.stop().unwrap();
    let (_, blobs) = collect(&events);
    assert_eq!(blobs[0].facts().frames, 500);
}
