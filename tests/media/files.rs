//! A recording that goes on in one file after the other, and one that begins with what was kept: no frame is lost,
//! doubled or in the wrong file.

use std::{
    io::Read,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use dictaphone::{
    audio::{Generator, voice::Trigger},
    capture::WarningKind,
    format,
    media::{Blob, GateOptions, MediaStreamTrack, NewFile, RecorderEvent, RecorderOptions, Split, Storage},
    storage::{FileSpool, MemoryDisk, Spool},
};

use crate::rig::{DEADLINE, RATE, Rig, step};

/// Every blob of the recording, in order.
fn files(rig: &Rig) -> Vec<Blob> {
    let mut blobs = Vec::new();
    loop {
        match rig.events.recv_timeout(DEADLINE).expect("a stop event") {
            RecorderEvent::DataAvailable { data, .. } => blobs.push(data),
            RecorderEvent::Error(error) => panic!("{error:?}"),
            RecorderEvent::Warning { warning, .. } if warning.kind() == WarningKind::Split => panic!("{warning}"),
            RecorderEvent::Stop => return blobs,
            _ => {}
        }
    }
}

/// A microphone does not wait, and a stop does not wait long for what it has captured.
fn wait_for_arrival(rig: &Rig, frames: u64) {
    let begun = Instant::now();
    while rig.recorder.progress().arrived < frames {
        assert!(begun.elapsed() < DEADLINE, "{:?}", rig.recorder.progress());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Decodes one file; frames, samples and tags.
fn read(blob: &Blob, extension: &str) -> (Vec<f32>, dictaphone::audio::Metadata) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join(format!("file.{extension}"));
    let mut bytes = Vec::new();
    blob.reader().unwrap().read_to_end(&mut bytes).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let mut decoder = format::open(&path).unwrap();
    let mut samples = Vec::new();
    while decoder.read(&mut samples, 65_536).unwrap() > 0 {}
    assert_eq!(samples.len() as u64, blob.facts().frames, "the facts tell the frames");
    (samples, decoder.metadata().clone())
}

fn in_memory() -> Storage {
    let disk = MemoryDisk::new();
    Storage::Custom(Arc::new(move |file: NewFile| {
        let target = format!("take-{}.wav", file.number);
        disk.spool(target.as_ref()).map(|spool| Box::new(spool) as Box<dyn Spool>)
    }))
}

fn options(split: Split) -> RecorderOptions {
    RecorderOptions::default().split(Some(split)).storage(in_memory())
}

#[test]
fn ten_thousand_files_joined_are_the_source() {
    for (mime_type, extension) in [("audio/wav", "wav"), ("audio/flac", "flac")] {
        let split = Split::Every(Duration::from_micros(1_510));
        let rig = Rig::with(options(split).mime_type(mime_type.to_owned()));
        rig.recorder.start(None).unwrap();
        // 72.48 frames each.
        for pushed in 1..=40 {
            rig.push(18_120);
            wait_for_arrival(&rig, pushed * 18_120);
        }
        rig.recorder.stop().unwrap();
        let files = files(&rig);
        assert_eq!(files.len(), 10_000);
        let mut position = 0;
        for (number, file) in files.iter().enumerate() {
            let (samples, _) = read(file, extension);
            assert!(samples.len() == 72 || samples.len() == 73, "{number}: {}", samples.len());
            for sample in samples {
                assert_eq!(sample, step(position), "frame {position} in {extension} file {number}");
                position += 1;
            }
        }
        assert_eq!(position, 724_800);
    }
}

#[test]
fn opus_files_joined_have_the_frames_of_the_source() {
    let split = Split::Every(Duration::from_millis(333));
    let rig = Rig::with(options(split).mime_type("audio/ogg".to_owned()));
    rig.recorder.start(None).unwrap();
    (0..12).for_each(|_| rig.push(16_000));
    rig.recorder.stop().unwrap();
    let files = files(&rig);
    let frames: Vec<u64> = files.iter().map(|file| read(file, "opus").0.len() as u64).collect();
    assert_eq!(frames.iter().sum::<u64>(), 192_000);
    assert!(frames[..12].iter().all(|&frames| frames == 15_984), "{frames:?}");
    assert_eq!(frames[12], 192_000 - 12 * 15_984);
}

#[test]
fn the_next_file_begins_at_the_frame_at_which_it_was_asked_for() {
    let rig = Rig::with(RecorderOptions::default().storage(in_memory()));
    rig.recorder.start(None).unwrap();
    // Nothing is in the first file yet.
    rig.recorder.next_file().unwrap();
    rig.push(100);
    rig.recorder.mark("first").unwrap();
    rig.recorder.next_file().unwrap();
    rig.recorder.mark("at the cut").unwrap();
    rig.push(7);
    rig.recorder.next_file().unwrap();
    rig.recorder.next_file().unwrap();
    rig.recorder.pause().unwrap();
    rig.push(1_000);
    rig.recorder.resume().unwrap();
    rig.push(50);
    rig.recorder.mark("last").unwrap();
    // No file comes of it, for no frame follows.
    rig.recorder.next_file().unwrap();
    rig.recorder.stop().unwrap();
    let files: Vec<_> = files(&rig).iter().map(|file| read(file, "wav")).collect();
    let frames: Vec<usize> = files.iter().map(|(samples, _)| samples.len()).collect();
    assert_eq!(frames, [100, 7, 50]);
    let markers: Vec<Vec<(u64, &str)>> = files
        .iter()
        .map(|(_, tags)| tags.markers.iter().map(|marker| (marker.frame, marker.text.as_str())).collect())
        .collect();
    // A marker at the very end of a file belongs to the frame that follows.
    assert_eq!(markers, [vec![], vec![(0, "first"), (0, "at the cut")], vec![(50, "last")]]);
    assert_eq!(files[1].0[0], step(100));
    assert_eq!(files[2].0[0], step(1_107));
}

#[test]
fn a_stream_and_an_inactive_recorder_have_no_next_file() {
    let rig = Rig::new();
    assert_eq!(rig.recorder.next_file().unwrap_err().kind(), dictaphone::ErrorKind::InvalidState);
    rig.recorder.start(Some(Duration::from_secs(1))).unwrap();
    assert_eq!(rig.recorder.next_file().unwrap_err().kind(), dictaphone::ErrorKind::NotSupported);
    rig.recorder.stop().unwrap();
    files(&rig);
}

#[test]
fn files_never_grow_beyond_their_size_and_come_near_it() {
    for (mime_type, extension, near) in
        [("audio/wav", "wav", 0.9), ("audio/flac", "flac", 0.5), ("audio/ogg", "opus", 0.5)]
    {
        const SIZE: u64 = 100_000;
        let rig = Rig::with(options(Split::Bytes(SIZE)).mime_type(mime_type.to_owned()));
        rig.recorder.start(None).unwrap();
        for block in 0..100 {
            let mut noise = Vec::new();
            Generator::parse("noise").unwrap().unwrap().fill(block * 30_000, 1, RATE, 30_000, &mut noise).unwrap();
            rig.microphone.push(&noise).unwrap();
            wait_for_arrival(&rig, (block + 1) * 30_000);
        }
        rig.recorder.stop().unwrap();
        let files = files(&rig);
        assert!(files.len() > 1, "{extension}");
        let frames: u64 = files.iter().map(|file| read(file, extension).0.len() as u64).sum();
        assert_eq!(frames, 3_000_000, "{extension}");
        for file in &files[..files.len() - 1] {
            assert!(file.size() <= SIZE && file.size() as f64 > near * SIZE as f64, "{extension}: {}", file.size());
        }
    }
}

#[test]
fn a_recording_ends_below_the_size_of_all_its_files() {
    for split in [None, Some(Split::Bytes(100_000)), Some(Split::Every(Duration::from_secs(1)))] {
        const LIMIT: u64 = 450_000;
        let options = RecorderOptions::default().split(split).max_bytes(Some(LIMIT)).storage(in_memory());
        let rig = Rig::with(options);
        rig.recorder.start(None).unwrap();
        (0..20).for_each(|_| rig.push(30_000));
        let files = files(&rig);
        let size: u64 = files.iter().map(Blob::size).sum();
        assert!(size <= LIMIT && size > LIMIT - 10_000, "{split:?}: {size}");
    }
    let small = RecorderOptions::default().max_bytes(Some(100)).storage(in_memory());
    let rig = Rig::with(small);
    assert_eq!(rig.recorder.start(None).unwrap_err().kind(), dictaphone::ErrorKind::NotSupported);
}

#[test]
fn each_file_has_the_time_of_its_own_first_frame() {
    let rig = Rig::with(options(Split::Every(Duration::from_secs(1))));
    rig.recorder.start(None).unwrap();
    rig.push(72_000);
    rig.recorder.pause().unwrap();
    rig.push(96_000);
    rig.recorder.resume().unwrap();
    rig.push(72_000);
    rig.recorder.stop().unwrap();
    let files = files(&rig);
    let times: Vec<_> = files.iter().map(|file| file.facts().recorded_at.unwrap()).collect();
    let after = |index: usize| times[index].duration_since(times[0]).unwrap().as_secs_f64().round();
    // Two seconds pass in the middle of the second file.
    assert_eq!((files.len(), after(1), after(2)), (3, 1.0, 4.0));
}

#[test]
fn what_was_lost_is_counted_in_the_file_in_which_it_is() {
    let rig = Rig::with(options(Split::Every(Duration::from_secs(1))));
    rig.recorder.start(None).unwrap();
    rig.push(47_000);
    rig.microphone.lose(5_000);
    rig.push(50_000);
    rig.recorder.stop().unwrap();
    let files = files(&rig);
    let lost: Vec<u64> = files.iter().map(|file| file.facts().lost_frames).collect();
    assert_eq!(lost, [1_000, 4_000, 0]);
    for (file, lost) in files.iter().zip(lost) {
        let (_, tags) = read(file, "wav");
        assert_eq!(tags.lost_frames().unwrap_or(0), lost);
    }
}

#[test]
fn where_no_new_file_can_be_made_the_old_one_goes_on() {
    let refuses = Arc::<AtomicBool>::default();
    let (disk, refusing) = (MemoryDisk::new(), Arc::clone(&refuses));
    let storage = Storage::Custom(Arc::new(move |file: NewFile| {
        if refusing.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::PermissionDenied.into());
        }
        let target = format!("take-{}.wav", file.number);
        disk.spool(target.as_ref()).map(|spool| Box::new(spool) as Box<dyn Spool>)
    }));
    let split = Some(Split::Every(Duration::from_secs(1)));
    let rig = Rig::with(RecorderOptions::default().split(split).storage(storage));
    rig.recorder.start(None).unwrap();
    refuses.store(true, Ordering::SeqCst);
    rig.push(60_000);
    let warning = rig.wait_for(|event| matches!(event, RecorderEvent::Warning { .. }));
    let RecorderEvent::Warning { warning, frame } = warning else { unreachable!() };
    assert_eq!((warning.kind(), frame), (WarningKind::Split, 48_000));
    refuses.store(false, Ordering::SeqCst);
    (0..20).for_each(|_| rig.push(48_000));
    rig.recorder.stop().unwrap();
    let files = files(&rig);
    let frames: Vec<u64> = files.iter().map(|file| file.facts().frames).collect();
    // Tried again ten seconds later.
    assert_eq!(frames[0], 11 * 48_000);
    assert_eq!(frames.iter().sum::<u64>(), 60_000 + 20 * 48_000);
}

#[test]
fn a_file_is_saved_while_the_next_one_grows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    let (part, target) = (path.clone(), path.clone());
    let storage =
        Storage::Custom(Arc::new(move |_| FileSpool::beside(&part).map(|spool| Box::new(spool) as Box<dyn Spool>)));
    let rig = Rig::with(RecorderOptions::default().storage(storage));
    rig.recorder.start(None).unwrap();
    rig.push(480);
    rig.recorder.next_file().unwrap();
    rig.push(480);
    let RecorderEvent::DataAvailable { data, .. } =
        rig.wait_for(|event| matches!(event, RecorderEvent::DataAvailable { .. }))
    else {
        unreachable!()
    };
    data.save(&target).unwrap();
    assert_eq!(format::open(&target).unwrap().frames(), Some(480));
    let growing = rig.recorder.progress().path.unwrap();
    assert!(growing.exists() && growing != path);
    rig.recorder.stop().unwrap();
    files(&rig);
}

#[test]
fn a_split_recording_can_be_resampled() {
    let split = Split::Every(Duration::from_millis(777));
    let rig = Rig::with(options(split).sample_rate(Some(16_000)));
    rig.recorder.start(None).unwrap();
    (0..10).for_each(|_| rig.push(48_000));
    rig.recorder.stop().unwrap();
    let frames: Vec<u64> = files(&rig).iter().map(|file| file.facts().frames).collect();
    assert_eq!(frames[..12], [12_432; 12]);
    assert_eq!(frames[12], 160_000 - 12 * 12_432);
}

/// What the recording holds, as positions of the source.
fn positions(blob: &Blob) -> Vec<u32> {
    let (samples, _) = read(blob, "wav");
    samples.iter().map(|sample| (sample * 32_768.0) as u32).collect()
}

fn pre_roll(frames: u32) -> RecorderOptions {
    let pre_roll = Duration::from_secs(1) * frames / RATE;
    RecorderOptions::default().pre_roll(pre_roll).storage(in_memory())
}

#[test]
fn a_recording_begins_with_what_was_kept_before_it() {
    for (kept, pre_roll_frames, pushed, begins) in [
        (4_800, 2_400, 10_000, 7_600),
        (2_400, 4_800, 10_000, 7_600),
        (4_800, 4_800, 1_000, 0),
        (0, 4_800, 1_000, 1_000),
    ] {
        let rig = Rig::with(pre_roll(pre_roll_frames));
        rig.stream.tracks().iter().for_each(|track| track.keep(Duration::from_secs(1) * kept / RATE));
        rig.push(pushed);
        rig.recorder.start(None).unwrap();
        rig.push(500);
        rig.recorder.stop().unwrap();
        let files = files(&rig);
        assert_eq!(positions(&files[0]), (begins..pushed + 500).collect::<Vec<u32>>(), "{kept} {pre_roll_frames}");
    }
}

#[test]
fn what_is_recorded_after_a_pause_begins_with_what_was_kept_and_doubles_nothing() {
    let rig = Rig::with(pre_roll(1_000).starts_paused(true));
    rig.recorder.start(None).unwrap();
    rig.push(5_000);
    rig.recorder.resume().unwrap();
    rig.push(10);
    for paused in [300, 3_000] {
        rig.recorder.pause().unwrap();
        rig.push(paused);
        rig.recorder.resume().unwrap();
        rig.push(10);
    }
    rig.recorder.pause().unwrap();
    rig.push(100);
    // Nobody resumed: it is not recorded.
    rig.recorder.stop().unwrap();
    let files = files(&rig);
    let expected: Vec<u32> = (4_000..5_320).chain(7_320..8_330).collect();
    assert_eq!(positions(&files[0]), expected);
    assert_eq!(files[0].facts().frames, 1_320 + 1_010);
}

#[test]
fn what_is_muted_is_not_kept() {
    let rig = Rig::with(pre_roll(1_000));
    let tracks: Vec<MediaStreamTrack> = rig.stream.tracks();
    tracks[0].keep(Duration::from_secs(1));
    rig.push(600);
    tracks[0].set_enabled(false);
    rig.push(300);
    tracks[0].set_enabled(true);
    rig.push(100);
    rig.recorder.start(None).unwrap();
    rig.push(1);
    rig.recorder.stop().unwrap();
    let expected: Vec<u32> = (0..600).chain(std::iter::repeat_n(0, 300)).chain(900..1_001).collect();
    assert_eq!(positions(&files(&rig)[0]), expected);
}

#[test]
fn a_recorder_that_was_split_can_be_started_again() {
    let rig = Rig::with(options(Split::Every(Duration::from_millis(1))));
    for _ in 0..2 {
        rig.recorder.start(None).unwrap();
        rig.push(480);
        rig.recorder.stop().unwrap();
        assert_eq!(files(&rig).len(), 10);
    }
}

fn tone(frames: u32, amplitude: f32) -> Vec<f32> {
    (0..frames).map(|at| amplitude * (at as f32 * 0.05).sin()).collect()
}

/// Pushes loud and quiet parts in turn, in blocks of a second; the lengths are in milliseconds.
fn push_parts(rig: &Rig, parts: &[(u32, f32)]) {
    let all: Vec<f32> = parts.iter().flat_map(|&(ms, amplitude)| tone(ms * 48, amplitude)).collect();
    all.chunks(RATE as usize).for_each(|block| rig.microphone.push(block).unwrap());
}

fn gated(splits: bool) -> RecorderOptions {
    RecorderOptions::default()
        .gate(Some(
            GateOptions::new(Trigger::Level { threshold_dbfs: -30.0 }, Duration::from_millis(500)).splits(splits),
        ))
        .pre_roll(Duration::from_millis(200))
        .storage(in_memory())
}

const PARTS: [(u32, f32); 5] = [(3_000, 0.001), (1_000, 0.3), (2_000, 0.001), (1_000, 0.3), (4_000, 0.001)];

#[test]
fn only_what_is_loud_is_recorded_with_what_was_kept_before_and_the_hang_after() {
    let rig = Rig::with(gated(false));
    rig.recorder.start(None).unwrap();
    push_parts(&rig, &PARTS);
    rig.recorder.stop().unwrap();
    let mut gates = Vec::new();
    let file = loop {
        match rig.events.recv_timeout(DEADLINE).unwrap() {
            RecorderEvent::Gate { open, frame, cut } => gates.push((open, frame, cut.as_millis())),
            RecorderEvent::DataAvailable { data, .. } => break data,
            _ => {}
        }
    };
    let (samples, tags) = read(&file, "wav");
    // All 11 s are in the file or were cut out, those that were held back at the end as well.
    let cut = rig.recorder.progress().cut.as_secs_f64() * f64::from(RATE);
    assert_eq!(samples.len() as u64 + cut.round() as u64, 11 * u64::from(RATE));
    // Judged every 16 ms: 200 ms before, a second, 500 ms after, to within one of these.
    let near = |frames: u64, ms: u64| frames.abs_diff(ms * 48) <= 2 * 16 * 48;
    assert!(near(samples.len() as u64, 2 * 1_700), "{}", samples.len());
    let [first, closed, again, last] = gates[..] else { panic!("{gates:?}") };
    assert!(first.0 && first.1 == 0 && first.2.abs_diff(2_800) <= 32, "{first:?}");
    assert!(!closed.0 && near(closed.1, 1_700), "{closed:?}");
    assert!(again.0 && again.1 == closed.1 && again.2.abs_diff(1_300) <= 32, "{again:?}");
    assert!(!last.0 && last.1 == samples.len() as u64, "{last:?}");
    assert_eq!(tags.markers.len(), 1);
    assert!(tags.markers[0].frame == closed.1 && tags.markers[0].is_cut(), "{:?}", tags.markers);
    // The beginning of what was loud is whole.
    let quiet = samples.iter().position(|sample| sample.abs() > 0.01).unwrap();
    assert!(near(quiet as u64, 200), "{quiet}");
}

#[test]
fn each_utterance_is_a_file_of_its_own_saved_when_it_is_over() {
    let rig = Rig::with(gated(true));
    rig.recorder.start(None).unwrap();
    push_parts(&rig, &PARTS);
    let next = || rig.wait_for(|event| matches!(event, RecorderEvent::DataAvailable { .. }));
    // Both come while it still records.
    let (first, second) = (next(), next());
    rig.recorder.stop().unwrap();
    let (RecorderEvent::DataAvailable { data: first, .. }, RecorderEvent::DataAvailable { data: second, .. }) =
        (first, second)
    else {
        unreachable!()
    };
    assert_eq!(files(&rig).len(), 0);
    let begins = |blob: &Blob| blob.facts().recorded_at.unwrap();
    let apart = begins(&second).duration_since(begins(&first)).unwrap().as_secs_f64();
    assert!((apart - 3.0).abs() < 0.04, "{apart}");
    assert!(read(&first, "wav").1.markers.is_empty());
}

#[test]
fn an_utterance_that_is_resampled_ends_in_its_own_file() {
    let rig = Rig::with(gated(true).sample_rate(Some(16_000)));
    rig.recorder.start(None).unwrap();
    push_parts(&rig, &PARTS);
    let next = || match rig.wait_for(|event| matches!(event, RecorderEvent::DataAvailable { .. })) {
        RecorderEvent::DataAvailable { data, .. } => data,
        _ => unreachable!(),
    };
    let (first, second) = (next(), next());
    rig.recorder.stop().unwrap();
    assert_eq!(files(&rig).len(), 0, "nothing is left for a file of its own");
    // Judged every 16 ms: 200 ms before, a second, 500 ms after.
    for blob in [&first, &second] {
        let frames = read(blob, "wav").0.len() as u64;
        assert!(frames.abs_diff(1_700 * 16) <= 32 * 16, "{frames}");
    }
}

#[test]
fn a_marker_after_the_last_utterance_is_in_no_file_and_that_is_told() {
    let rig = Rig::with(gated(true));
    rig.recorder.start(None).unwrap();
    push_parts(&rig, &PARTS);
    for _ in 0..2 {
        rig.wait_for(|event| matches!(event, RecorderEvent::DataAvailable { .. }));
    }
    rig.recorder.mark("that was important").unwrap();
    rig.recorder.stop().unwrap();
    let told = rig.wait_for(|event| matches!(event, RecorderEvent::Warning { .. } | RecorderEvent::Stop));
    let RecorderEvent::Warning { warning, .. } = told else { panic!("{told:?}") };
    assert_eq!(warning.kind(), WarningKind::Marker);
}

#[test]
fn what_is_said_during_a_pause_is_in_no_recording_with_a_gate() {
    let lead = Duration::from_millis(200);
    let gate = GateOptions::new(Trigger::Level { threshold_dbfs: -30.0 }, Duration::from_millis(500)).lead(lead);
    let rig = Rig::with(RecorderOptions::default().gate(Some(gate)).starts_paused(true).storage(in_memory()));
    rig.recorder.start(None).unwrap();
    push_parts(&rig, &[(1_000, 0.3)]);
    rig.recorder.resume().unwrap();
    push_parts(&rig, &[(1_000, 0.001), (1_000, 0.3), (1_000, 0.001)]);
    rig.recorder.pause().unwrap();
    push_parts(&rig, &[(1_000, 0.3)]);
    rig.recorder.resume().unwrap();
    // Nothing is in front of it: what the gate held was from before the pause.
    push_parts(&rig, &[(1_000, 0.3), (1_000, 0.001)]);
    rig.recorder.stop().unwrap();
    let files = files(&rig);
    let frames = files[0].facts().frames;
    assert!(files.len() == 1 && frames.abs_diff((1_700 + 1_500) * 48) <= 4 * 16 * 48, "{frames}");
}

#[test]
fn a_gate_that_never_opens_leaves_an_empty_recording() {
    let rig = Rig::with(gated(true));
    rig.recorder.start(None).unwrap();
    push_parts(&rig, &[(2_000, 0.001)]);
    rig.recorder.stop().unwrap();
    let files = files(&rig);
    assert_eq!((files.len(), files[0].facts().frames), (1, 0));
}
