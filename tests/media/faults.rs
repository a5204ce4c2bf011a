//! A disk that fails at every byte and at every operation: what was written stays whole, and no report says otherwise.

use std::{io, path::Path, sync::Arc};

use dictaphone::{
    ErrorKind,
    media::{Blob, NewFile, RecorderEvent, RecorderOptions, Storage},
    storage::{Existing, MemoryDisk, Operation, Spool},
};

use crate::rig::{Fired, Rig, assert_positions, data, heard, samples};

const FRAMES: u32 = 40;

fn target() -> &'static Path {
    Path::new("take.wav")
}

fn rig_on(disk: &MemoryDisk) -> Rig {
    rig_of("", disk)
}

fn rig_of(mime_type: &str, disk: &MemoryDisk) -> Rig {
    let disk = disk.clone();
    let maker = move |_: NewFile| disk.spool(target()).map(|spool| Box::new(spool) as Box<dyn Spool>);
    let storage = Storage::Custom(Arc::new(maker));
    Rig::with(RecorderOptions::default().mime_type(mime_type.to_owned()).storage(storage))
}

/// Records four blocks and stops, unless the recording has ended by then.
fn record(rig: &Rig) {
    rig.recorder.start(None).unwrap();
    for _ in 0..4 {
        rig.push(FRAMES / 4);
    }
    // Refused if the fault was quicker, which is what is tested.
    let _ = rig.recorder.stop();
}

#[test]
fn a_disk_that_is_full_at_any_byte_keeps_a_true_prefix_and_says_so() {
    let whole = {
        let disk = MemoryDisk::new();
        let rig = rig_on(&disk);
        record(&rig);
        rig.finish().1[0].size()
    };
    for byte in 0..whole {
        let disk = MemoryDisk::new();
        disk.fill_at(byte, io::ErrorKind::StorageFull);
        let rig = rig_on(&disk);
        record(&rig);
        let (fired, blobs) = rig.finish();
        let frames = match fired.as_slice() {
            [Fired::Start, Fired::Error(ErrorKind::Unknown), Fired::Data { .. }, Fired::Stop] => {
                let header = blobs[0].size().min(byte) == 0;
                if header { 0 } else { hound::WavReader::new(blobs[0].reader().unwrap()).unwrap().duration() }
            }
            other => panic!("full at byte {byte}: {other:?}"),
        };
        assert_eq!(blobs[0].facts().frames, frames.into(), "full at byte {byte}: what is told is what is there");
        if blobs[0].size() > 0 {
            assert_positions(&blobs, heard(0..frames));
        }
        assert!(blobs[0].size() <= byte, "no more is claimed than was written");
    }
}

/// Records `blocks` blocks of `frames` frames on a disk that is full at `byte`, and returns what is kept.
fn record_until_full(mime_type: &str, (blocks, frames): (u32, u32), byte: u64) -> Blob {
    let disk = MemoryDisk::new();
    disk.fill_at(byte, io::ErrorKind::StorageFull);
    let rig = rig_of(mime_type, &disk);
    rig.recorder.start(None).unwrap();
    (0..blocks).for_each(|_| rig.push(frames));
    // Refused if the fault was quicker.
    let _ = rig.recorder.stop();
    let (fired, mut blobs) = rig.finish();
    let is_told =
        matches!(fired.as_slice(), [Fired::Start, Fired::Error(ErrorKind::Unknown), Fired::Data { .. }, Fired::Stop]);
    assert!(is_told || byte == u64::MAX, "full at byte {byte}: {fired:?}");
    assert!(blobs[0].size() <= byte, "no more is claimed than was written");
    blobs.remove(0)
}

/// Every byte of the end, and some of all others: most of the file is one block like the other.
fn bytes_to_fail_at(whole: u64) -> impl Iterator<Item = u64> {
    (0..whole).step_by(61).chain(whole.saturating_sub(100)..whole)
}

#[test]
fn a_flac_file_on_a_disk_that_is_full_at_any_byte_keeps_whole_blocks() {
    let whole = record_until_full("audio/flac", (5, 2_000), u64::MAX);
    assert_positions(std::slice::from_ref(&whole), heard(0..10_000));
    for byte in bytes_to_fail_at(whole.size()) {
        let kept = record_until_full("audio/flac", (5, 2_000), byte);
        if kept.size() > 0 {
            let frames = u32::try_from(samples(std::slice::from_ref(&kept)).len()).unwrap();
            assert_eq!(frames % 4_096, 0, "full at byte {byte}");
            assert_eq!(kept.facts().frames, frames.into(), "full at byte {byte}");
            assert_positions(&[kept], heard(0..frames));
        }
    }
}

#[test]
fn an_opus_file_on_a_disk_that_is_full_at_any_byte_keeps_whole_pages() {
    let whole = record_until_full("audio/ogg", (3, 40_000), u64::MAX);
    assert_eq!(samples(std::slice::from_ref(&whole)).len(), 120_000);
    let sound = samples(std::slice::from_ref(&whole));
    for byte in bytes_to_fail_at(whole.size()).step_by(4) {
        let kept = record_until_full("audio/ogg", (3, 40_000), byte);
        if kept.size() > 0 {
            let told = kept.facts().frames;
            let kept = samples(&[kept]);
            assert_eq!(told, kept.len() as u64, "full at byte {byte}");
            // Pages of a second, without the pre-skip.
            assert!(
                kept.is_empty() || (kept.len() + 312).is_multiple_of(48_000),
                "{} frames, full at {byte}",
                kept.len()
            );
            let other = kept.iter().zip(&sound).position(|(kept, sound)| kept != sound);
            assert_eq!(other, None, "full at byte {byte}, of {} frames kept", kept.len());
        }
    }
}

#[test]
fn a_write_that_fails_is_an_unknown_error_with_its_cause() {
    let disk = MemoryDisk::new();
    disk.fill_at(100, io::ErrorKind::QuotaExceeded);
    let rig = rig_on(&disk);
    rig.recorder.start(None).unwrap();
    rig.push(1_000);
    let event = rig.wait_for(|event| matches!(event, RecorderEvent::Error(_)));
    let RecorderEvent::Error(error) = event else { unreachable!() };
    assert_eq!((error.name(), error.io_kind()), ("UnknownError", Some(io::ErrorKind::QuotaExceeded)));
}

#[test]
fn a_file_that_cannot_be_made_fails_the_start_and_changes_nothing() {
    let maker = |_: NewFile| Err(io::Error::from(io::ErrorKind::PermissionDenied));
    let rig = Rig::with(RecorderOptions::default().storage(Storage::Custom(Arc::new(maker))));
    assert_eq!(rig.recorder.start(None).unwrap_err().kind(), ErrorKind::NotAllowed);
    assert_eq!(rig.recorder.state(), dictaphone::media::RecordingState::Inactive);
    assert!(rig.events.try_recv().is_err());
}

#[test]
fn a_device_that_goes_away_during_start_leaves_no_file() {
    let disk = MemoryDisk::new();
    let (made, wait) = std::sync::mpsc::channel();
    let (gone, go_on) = std::sync::mpsc::channel();
    let maker = {
        let (disk, go_on) = (disk.clone(), std::sync::Mutex::new(go_on));
        move |_: NewFile| {
            let spool = disk.spool(target())?;
            made.send(()).unwrap();
            go_on.lock().unwrap().recv().unwrap();
            Ok(Box::new(spool) as Box<dyn Spool>)
        }
    };
    let rig = Rig::with(RecorderOptions::default().storage(Storage::Custom(Arc::new(maker))));
    let track = rig.stream.tracks().remove(0);
    let ends = track.events();
    let (recorder, events) = (rig.recorder, rig.events);
    let start = std::thread::spawn(move || (recorder.start(None), recorder));
    wait.recv_timeout(crate::rig::DEADLINE).unwrap();
    rig.microphone.unplug();
    assert!(matches!(crate::rig::track_event(&ends), dictaphone::media::TrackEvent::Ended(_)));
    gone.send(()).unwrap();
    let (outcome, recorder) = start.join().unwrap();
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::NotSupported);
    assert_eq!(recorder.state(), dictaphone::media::RecordingState::Inactive);
    assert!(events.try_recv().is_err());
    assert!(disk.paths().is_empty(), "{:?} is left", disk.paths());
}

/// A recording whose pump has taken 10 of 490 frames, and waits until the events are read, to find all the rest at once.
fn behind() -> (Rig, std::sync::mpsc::Receiver<RecorderEvent>) {
    let rig = Rig::new();
    let unread = rig.recorder.events_bounded(1);
    rig.recorder.start(None).unwrap();
    rig.push(10);
    rig.recorder.mark("").unwrap();
    rig.push(480);
    (rig, unread)
}

#[test]
fn a_recording_that_is_behind_when_it_is_stopped_loses_nothing() {
    let (rig, unread) = behind();
    rig.recorder.stop().unwrap();
    // Longer than a cut waits for frames that do not come.
    std::thread::sleep(std::time::Duration::from_millis(800));
    drop(unread);
    let (_, blobs) = rig.finish();
    assert_eq!(blobs[0].facts().frames, 490);
}

#[test]
fn a_pause_cuts_at_its_frame_although_the_next_ones_are_there_already() {
    let (rig, unread) = behind();
    rig.recorder.pause().unwrap();
    rig.push(100);
    drop(unread);
    rig.recorder.stop().unwrap();
    let (_, blobs) = rig.finish();
    assert_eq!(blobs[0].facts().frames, 490);
}

#[test]
fn a_header_that_cannot_be_completed_is_reported() {
    let disk = MemoryDisk::new();
    disk.fail(Operation::Patch, 1, io::ErrorKind::Other);
    let rig = rig_on(&disk);
    record(&rig);
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, Fired::Error(ErrorKind::Unknown), data(u64::from(FRAMES)), Fired::Stop]);
    assert!(!blobs[0].facts().whole, "and nobody takes it for a whole one");
}

#[test]
fn a_save_that_fails_can_be_tried_again() {
    let disk = MemoryDisk::new();
    let rig = rig_on(&disk);
    record(&rig);
    let (_, blobs) = rig.finish();
    disk.fail(Operation::Commit, 1, io::ErrorKind::StorageFull);
    assert!(blobs[0].save(target()).is_err());
    assert!(disk.read(target()).is_none());
    assert_positions(&blobs, heard(0..FRAMES));
    blobs[0].save_as(target(), Existing::Number).unwrap();
    assert_eq!(disk.read(target()).unwrap().len() as u64, blobs[0].size());
}

#[test]
fn a_recorder_goes_on_working_after_its_disk_failed() {
    let disk = MemoryDisk::new();
    disk.fill_at(60, io::ErrorKind::StorageFull);
    let rig = rig_on(&disk);
    record(&rig);
    rig.finish();
    disk.heal();
    rig.recorder.start(None).unwrap();
    rig.push(10);
    rig.recorder.stop().unwrap();
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, data(10), Fired::Stop]);
    assert_positions(&blobs, heard(FRAMES..FRAMES + 10));
}

#[test]
fn a_disk_that_is_nearly_full_refuses_to_begin() {
    let disk = MemoryDisk::new();
    disk.claim_available(1_000);
    let rig = rig_on(&disk);
    let error = rig.recorder.start(None).unwrap_err();
    assert_eq!(error.io_kind(), Some(io::ErrorKind::StorageFull));
    assert!(disk.paths().is_empty(), "nothing is left behind");
}

#[test]
fn the_end_of_the_disk_is_announced_and_ends_the_recording_in_good_order() {
    let disk = MemoryDisk::new();
    disk.claim_available(u64::MAX);
    let rig = rig_on(&disk);
    rig.recorder.start(None).unwrap();
    disk.claim_available(20_000_000);
    let announced = until(&rig, |event| matches!(event, RecorderEvent::LowSpace { .. }));
    assert!(matches!(announced, RecorderEvent::LowSpace { left } if left.as_secs() == 208), "{announced:?}");
    disk.claim_available(100_000);
    let ended = until(&rig, |event| matches!(event, RecorderEvent::Error(_)));
    assert!(matches!(&ended, RecorderEvent::Error(error) if error.io_kind() == Some(io::ErrorKind::StorageFull)));
    let blob = until(&rig, |event| matches!(event, RecorderEvent::DataAvailable { .. }));
    let RecorderEvent::DataAvailable { data, .. } = blob else { unreachable!() };
    let frames = u64::from(hound::WavReader::new(data.reader().unwrap()).unwrap().duration());
    assert_eq!(frames, data.facts().frames, "everything that was gathered is in the file");
}

/// Pushes, so that checkpoints happen, until an event comes.
fn until(rig: &Rig, wanted: impl Fn(&RecorderEvent) -> bool) -> RecorderEvent {
    let deadline = std::time::Instant::now() + crate::rig::DEADLINE;
    loop {
        rig.push(10);
        let event = rig.events.recv_timeout(std::time::Duration::from_millis(10));
        if let Some(event) = event.ok().filter(&wanted) {
            return event;
        }
        assert!(std::time::Instant::now() < deadline, "the event did not come");
    }
}
