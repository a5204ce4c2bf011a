//! A bug in the pump: whatever panics there, the file stays, the state is reported, and no caller waits for ever.

use std::{
    io, panic,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use dictaphone::{
    ErrorKind,
    capture::EndReason,
    media::{NewFile, ReadyState, RecorderOptions, RecordingState, Storage, TrackEvent},
    storage::{Existing, FileSpool, ReadSeek, Spool},
};

use crate::rig::{Fired, Rig, collect, track_event};

/// A file that panics at the nth append.
struct Trap {
    file: FileSpool,
    appends: Arc<AtomicU32>,
}

impl Spool for Trap {
    fn len(&self) -> u64 {
        self.file.len()
    }
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.appends.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Without the message of the panic hook.
            panic::resume_unwind(Box::new("a bug"));
        }
        self.file.append(bytes)
    }
    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.patch(at, bytes)
    }
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
    fn reader(&self) -> io::Result<Box<dyn ReadSeek>> {
        self.file.reader()
    }
    fn commit(&mut self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        self.file.commit(target, existing)
    }
    fn discard(&mut self) -> io::Result<()> {
        self.file.discard()
    }
    fn path(&self) -> Option<PathBuf> {
        self.file.path()
    }
}

fn rig(target: &Path, append: u32) -> Rig {
    let (target, appends) = (target.to_owned(), Arc::new(AtomicU32::new(append)));
    let maker = move |_: NewFile| {
        let file = FileSpool::beside(&target)?;
        Ok(Box::new(Trap { file, appends: Arc::clone(&appends) }) as Box<dyn Spool>)
    };
    Rig::with(RecorderOptions::default().storage(Storage::Custom(Arc::new(maker))))
}

#[test]
fn a_panic_in_the_pump_leaves_the_file_and_tells_everybody() {
    for append in 1..5 {
        let folder = tempfile::tempdir().unwrap();
        let rig = rig(&folder.path().join("take.wav"), append);
        let track = rig.stream.tracks().remove(0);
        let ends = track.events();
        rig.recorder.start(None).unwrap();
        let part = folder.path().join(".take.wav.part");
        for _ in 1..append {
            rig.push(100);
        }
        // The header is the first thing that is appended.
        let (fired, blobs) = rig.finish();
        assert_eq!(fired, [Fired::Start, Fired::Error(ErrorKind::Unknown), Fired::Stop], "append {append}");
        assert!(blobs.is_empty());
        assert_eq!(rig.recorder.state(), RecordingState::Inactive);
        let TrackEvent::Ended(EndReason::DeviceLost(error)) = track_event(&ends) else { panic!("no end") };
        assert_eq!(error.kind(), ErrorKind::Unknown);
        assert_eq!(track.ready_state(), ReadyState::Ended);
        // The header of 80 bytes at most and 100 frames of 2 bytes for every append that worked.
        let bytes = std::fs::metadata(&part).unwrap().len();
        let sound = u64::from(append.saturating_sub(2)) * 200;
        assert!((sound..=sound + 100).contains(&bytes), "append {append}: {bytes} bytes");
        assert!(rig.recorder.stop().is_err(), "it is over");
        assert!(!rig.microphone.is_open(), "the microphone is free");
    }
}

#[test]
fn after_a_panic_a_new_stream_can_be_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(&folder.path().join("take.wav"), 1);
    rig.recorder.start(None).unwrap();
    rig.finish();
    let stream = rig.devices.get_user_media(&dictaphone::media::Constraints::default()).unwrap();
    let recorder = dictaphone::media::MediaRecorder::new(&stream, RecorderOptions::default()).unwrap();
    let events = recorder.events();
    recorder.start(None).unwrap();
    rig.push(10);
    recorder.stop().unwrap();
    assert_eq!(collect(&events).0, [Fired::Start, crate::rig::data(10), Fired::Stop]);
}
