//! A recording that is made to begin before it was started: exact to the frame, and nothing is lost when it cannot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use dictaphone::{
    format,
    media::{Blob, NewFile, RecorderEvent, RecorderOptions, Split, Storage},
    storage::{FileSpool, MemoryDisk, Spool},
};
use tempfile::TempDir;

use crate::rig::{DEADLINE, RATE, Rig, collect, step};

const KEPT: u32 = 48_000;

fn frames(count: u32) -> Duration {
    Duration::from_secs(1) * count / RATE
}

/// A recorder in `folder` that can reach back a second, of a microphone that is kept in memory.
fn rig(folder: &TempDir, mime_type: &str) -> Rig {
    let storage = Storage::Beside(folder.path().join("take"));
    let rig = Rig::with(
        RecorderOptions::default()
            .mime_type(mime_type.to_owned())
            .reach(Duration::from_secs(1))
            .storage(storage)
            .broadcast(true),
    );
    rig.stream.tracks().iter().for_each(|track| track.keep(Duration::from_secs(1)));
    rig
}

fn wait_until(rig: &Rig, fits: impl Fn(&dictaphone::media::Progress) -> bool) {
    let begun = Instant::now();
    while !fits(&rig.recorder.progress()) {
        assert!(begun.elapsed() < DEADLINE, "{:?}", rig.recorder.progress());
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn only(rig: &Rig) -> Blob {
    let (_, mut blobs) = collect(&rig.events);
    assert_eq!(blobs.len(), 1);
    blobs.remove(0)
}

/// The samples and tags of what is saved.
fn saved(folder: &TempDir, blob: &Blob, extension: &str) -> (Vec<f32>, dictaphone::audio::Metadata) {
    let path = folder.path().join(format!("saved.{extension}"));
    blob.save(&path).unwrap();
    let mut decoder = format::open(&path).unwrap();
    let mut samples = Vec::new();
    while decoder.read(&mut samples, 65_536).unwrap() > 0 {}
    assert_eq!(samples.len() as u64, blob.facts().frames);
    (samples, decoder.metadata().clone())
}

fn positions(range: std::ops::Range<u32>) -> Vec<f32> {
    range.map(step).collect()
}

#[test]
fn the_start_is_pulled_back_to_the_frame_and_no_further_than_was_kept() {
    for (mime_type, extension) in [("audio/wav", "wav"), ("audio/flac", "flac")] {
        for (pushed, wanted, begins) in [
            (60_000, vec![12_345], 60_000 - 12_345),
            (60_000, vec![u32::MAX], 60_000 - KEPT),
            (1_000, vec![48_000], 0),
            // Earlier, and later again.
            (60_000, vec![40_000, 5_000, 7_777], 60_000 - 7_777),
            (60_000, vec![40_000, 0], 60_000),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let rig = rig(&folder, mime_type);
            rig.push(pushed);
            rig.recorder.start(None).unwrap();
            rig.push(3_000);
            for &frames_before in &wanted {
                rig.recorder.begin_earlier(frames(frames_before)).unwrap();
                rig.push(500);
            }
            rig.recorder.stop().unwrap();
            let end = pushed + 3_000 + 500 * wanted.len() as u32;
            let blob = only(&rig);
            assert_eq!(rig.recorder.progress().begins_before, frames(pushed - begins), "{wanted:?}");
            let (samples, _) = saved(&folder, &blob, extension);
            assert!(samples == positions(begins..end), "{extension} {wanted:?}: {} frames", samples.len());
            let left = std::fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(left, 1, "nothing is left of what was written before");
        }
    }
}

#[test]
fn what_is_on_the_disk_begins_there_at_once_and_dates_and_markers_move_along() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(&folder, "audio/wav");
    rig.push(60_000);
    rig.recorder.start(None).unwrap();
    rig.push(4_800);
    rig.recorder.mark("here").unwrap();
    rig.push(4_800);
    wait_until(&rig, |progress| progress.frames == 9_600);
    let before = rig.recorder.progress();
    assert_eq!((before.reach, before.begins_before), (frames(KEPT), Duration::ZERO));
    rig.recorder.begin_earlier(frames(24_000)).unwrap();
    wait_until(&rig, |progress| progress.begins_before == frames(24_000));
    let after = rig.recorder.progress();
    assert_eq!(after.frames, 33_600);
    let part = after.path.unwrap();
    assert!(std::fs::metadata(part).unwrap().len() >= 33_600 * 2, "it is written");
    assert!(before.path.is_some_and(|part| !part.exists()), "and the one before is gone");
    rig.recorder.mark("there").unwrap();
    rig.push(100);
    rig.recorder.stop().unwrap();
    let blob = only(&rig);
    let moved: Duration = before.recorded_at.unwrap().duration_since(blob.facts().recorded_at.unwrap()).unwrap();
    // The clock of what is recorded may have been measured a little better meanwhile.
    assert!(moved.abs_diff(Duration::from_millis(500)) < Duration::from_millis(100), "{moved:?}");
    let (_, tags) = saved(&folder, &blob, "wav");
    let markers: Vec<(u64, &str)> = tags.markers.iter().map(|marker| (marker.frame, marker.text.as_str())).collect();
    assert_eq!(markers, [(28_800, "here"), (33_600, "there")]);
    let zoned = jiff::Zoned::try_from(blob.facts().recorded_at.unwrap()).unwrap();
    assert_eq!(tags.date, Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()));
    let midnight = zoned.start_of_day().unwrap();
    let since = zoned.duration_since(&midnight).as_secs_f64() * f64::from(RATE);
    let bytes = std::fs::read(folder.path().join("saved.wav")).unwrap();
    let chunk = bytes.windows(4).position(|name| name == b"bext").unwrap();
    // Behind the head, description, originator, reference, date and time (EBU Tech 3285).
    let place = chunk + 8 + 256 + 32 + 32 + 10 + 8;
    let reference = u64::from_le_bytes(bytes[place..place + 8].try_into().unwrap());
    assert!((reference as f64 - since).abs() <= 1.0, "{reference} and {since}");
}

#[test]
fn a_resampled_recording_in_opus_is_as_long_as_it_must_be() {
    for (mime_type, rate, extension) in [("audio/ogg", 48_000, "opus"), ("audio/wav", 16_000, "wav")] {
        let folder = tempfile::tempdir().unwrap();
        let rig = Rig::with(
            RecorderOptions::default()
                .mime_type(mime_type.to_owned())
                .sample_rate(Some(rate))
                .reach(Duration::from_secs(1))
                .storage(Storage::Beside(folder.path().join("take"))),
        );
        rig.stream.tracks().iter().for_each(|track| track.keep(Duration::from_secs(1)));
        rig.push(60_000);
        rig.recorder.start(None).unwrap();
        rig.push(30_000);
        rig.recorder.begin_earlier(frames(24_000)).unwrap();
        rig.push(6_000);
        rig.recorder.stop().unwrap();
        let (samples, _) = saved(&folder, &only(&rig), extension);
        assert_eq!(samples.len() as u64, 60_000 * u64::from(rate) / 48_000);
    }
}

#[test]
fn a_start_so_early_that_the_first_file_would_be_too_long_is_refused_in_words_and_doubles_nothing() {
    for split in [Split::Every(frames(20_000)), Split::Bytes(44 + 1_024 + 40_000)] {
        let folder = tempfile::tempdir().unwrap();
        let options = RecorderOptions::default().split(Some(split)).reach(Duration::from_secs(1));
        let rig = Rig::with(options.storage(Storage::Beside(folder.path().join("take"))));
        rig.stream.tracks().iter().for_each(|track| track.keep(Duration::from_secs(1)));
        rig.push(60_000);
        rig.recorder.start(None).unwrap();
        rig.push(3_000);
        rig.recorder.begin_earlier(frames(10_000)).unwrap();
        wait_until(&rig, |progress| progress.begins_before == frames(10_000));
        rig.recorder.begin_earlier(frames(19_000)).unwrap();
        let RecorderEvent::Warning { warning, .. } =
            rig.wait_for(|event| matches!(event, RecorderEvent::Warning { .. }))
        else {
            unreachable!()
        };
        assert!(warning.message().contains("longer than its first file"), "{warning}");
        rig.push(17_000);
        rig.recorder.stop().unwrap();
        assert_eq!(rig.recorder.progress().begins_before, frames(10_000));
        let (_, blobs) = collect(&rig.events);
        let files: Vec<Vec<f32>> =
            blobs.iter().map(|blob| saved(&tempfile::tempdir().unwrap(), blob, "wav").0).collect();
        assert_eq!(files.len(), 2, "{split:?}");
        assert!(matches!(split, Split::Bytes(_)) || files[0].len() == 20_000);
        assert!(files.concat() == positions(50_000..80_000), "{split:?}");
    }
}

#[test]
fn what_was_lost_before_the_start_is_counted_once_it_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(&folder, "audio/wav");
    rig.push(50_000);
    rig.microphone.lose(1_000);
    rig.push(2_000);
    rig.recorder.start(None).unwrap();
    rig.push(500);
    rig.microphone.lose(70);
    rig.push(500);
    wait_until(&rig, |progress| progress.frames == 1_070);
    assert_eq!(rig.recorder.progress().lost_frames, 70);
    for (wanted, lost) in [(2_500, 570), (10_000, 1_070), (0, 70), (2_000, 70), (3_000, 1_070)] {
        rig.recorder.begin_earlier(frames(wanted)).unwrap();
        wait_until(&rig, |progress| progress.begins_before == frames(wanted));
        let progress = rig.recorder.progress();
        assert_eq!((progress.frames, progress.lost_frames), (u64::from(wanted) + 1_070, lost), "{wanted}");
        assert_eq!(progress.losses.iter().map(|loss| loss.frames).sum::<u64>(), lost);
    }
    rig.recorder.stop().unwrap();
    let blob = only(&rig);
    assert_eq!(blob.facts().lost_frames, 1_070);
    let silence = saved(&folder, &blob, "wav").0.iter().filter(|sample| **sample == 0.0).count();
    assert!((1_070..=1_072).contains(&silence), "{silence}");
}

#[test]
fn after_a_pause_half_a_minute_or_without_a_reach_the_start_stays() {
    type Then = fn(&Rig);
    let pause: Then = |rig| {
        rig.recorder.pause().unwrap();
        rig.recorder.resume().unwrap();
    };
    let half_a_minute: Then = |rig| (0..31).for_each(|_| rig.push(RATE));
    for (reach, then, extra) in [(1, pause, 0), (1, half_a_minute, 31 * RATE), (0, |_| (), 0)] {
        let rig = Rig::with(RecorderOptions::default().reach(Duration::from_secs(reach)));
        rig.stream.tracks().iter().for_each(|track| track.keep(Duration::from_secs(1)));
        rig.push(10_000);
        rig.recorder.start(None).unwrap();
        rig.push(100);
        then(&rig);
        wait_until(&rig, |progress| progress.frames == u64::from(100 + extra) && progress.reach.is_zero());
        rig.recorder.begin_earlier(Duration::from_secs(1)).unwrap();
        rig.push(100);
        rig.recorder.stop().unwrap();
        let blob = only(&rig);
        assert_eq!(blob.facts().frames, u64::from(200 + extra));
        assert_eq!(rig.recorder.progress().begins_before, Duration::ZERO);
    }
}

#[test]
fn a_wish_that_comes_right_before_a_pause_or_the_end_is_still_met() {
    for pauses in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let rig = rig(&folder, "audio/wav");
        rig.push(10_000);
        rig.recorder.start(None).unwrap();
        rig.push(100);
        rig.recorder.begin_earlier(frames(1_000)).unwrap();
        if pauses {
            rig.recorder.pause().unwrap();
            rig.push(50);
            rig.recorder.resume().unwrap();
        }
        rig.recorder.stop().unwrap();
        assert!(saved(&folder, &only(&rig), "wav").0 == positions(9_000..10_100));
    }
}

#[test]
fn a_recording_that_was_not_started_yet_when_it_was_wished_for_begins_with_all_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(&folder, "audio/wav");
    rig.push(10_000);
    rig.recorder.start(None).unwrap();
    rig.recorder.begin_earlier(frames(700)).unwrap();
    wait_until(&rig, |progress| progress.begins_before == frames(700));
    let at = rig.recorder.progress().recorded_at.unwrap();
    assert!(at <= SystemTime::now() - frames(700));
    rig.recorder.stop().unwrap();
    assert!(saved(&folder, &only(&rig), "wav").0 == positions(9_300..10_000));
}

#[test]
fn where_no_new_file_can_be_made_the_old_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (place, is_full) = (folder.path().join("take"), Arc::new(AtomicBool::new(false)));
    let full = Arc::clone(&is_full);
    let storage = Storage::Custom(Arc::new(move |_: NewFile| match full.load(Ordering::Relaxed) {
        true => Err(std::io::ErrorKind::StorageFull.into()),
        false => FileSpool::beside(&place).map(|spool| Box::new(spool) as Box<dyn Spool>),
    }));
    check_failure(&folder, storage, || is_full.store(true, Ordering::Relaxed));
}

#[test]
fn where_the_new_file_cannot_be_written_the_old_one_goes_on() {
    // The header fits, and then some of the sound; every place in between is tried.
    for room in [0, 43, 44, 45, 100, 4_095, 4_096, 10_000, 20_000] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("take");
        let disk = MemoryDisk::new();
        disk.fill_at(room, std::io::ErrorKind::StorageFull);
        let storage = Storage::Custom(Arc::new(move |file: NewFile| match file.begins_at {
            None => FileSpool::beside(&place).map(|spool| Box::new(spool) as Box<dyn Spool>),
            Some(_) => disk.spool("new.wav".as_ref()).map(|spool| Box::new(spool) as Box<dyn Spool>),
        }));
        check_failure(&folder, storage, || {});
    }
}

/// The start cannot be moved: what is recorded is as if nobody had asked, and that is said.
fn check_failure(folder: &TempDir, storage: Storage, then: impl FnOnce()) {
    let rig = Rig::with(RecorderOptions::default().reach(Duration::from_secs(1)).storage(storage));
    rig.stream.tracks().iter().for_each(|track| track.keep(Duration::from_secs(1)));
    rig.push(20_000);
    rig.recorder.start(None).unwrap();
    rig.push(1_000);
    rig.recorder.mark("a").unwrap();
    then();
    rig.recorder.begin_earlier(frames(15_000)).unwrap();
    let RecorderEvent::Warning { warning, .. } = rig.wait_for(|event| matches!(event, RecorderEvent::Warning { .. }))
    else {
        unreachable!()
    };
    assert!(warning.message().contains("the start of the recording stays where it is"), "{warning}");
    wait_until(&rig, |progress| progress.reach.is_zero());
    rig.push(1_000);
    rig.recorder.stop().unwrap();
    assert_eq!(rig.recorder.progress().begins_before, Duration::ZERO);
    let (samples, tags) = saved(folder, &only(&rig), "wav");
    assert!(samples == positions(20_000..22_000));
    assert_eq!(tags.markers[0].frame, 1_000);
}
