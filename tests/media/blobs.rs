//! Parts, timecodes, silence, loss, and saving.

use std::{fs, time::Duration};

use dictaphone::{
    ErrorKind,
    media::{RecorderEvent, RecorderOptions, Storage},
    storage::Existing,
};

use crate::rig::{Fired, RATE, Rig, assert_positions, bytes, data, heard, samples, silent};

#[test]
fn a_timeslice_cuts_by_recorded_time_and_the_whole_is_playable() {
    let rig = Rig::new();
    rig.recorder.start(Some(Duration::from_millis(10))).unwrap();
    for _ in 0..5 {
        rig.push(240);
        rig.recorder.pause().unwrap();
        rig.push(100_000);
        rig.recorder.resume().unwrap();
    }
    rig.recorder.stop().unwrap();
    let (fired, blobs) = rig.finish();
    let parts: Vec<&Fired> = fired.iter().filter(|event| matches!(event, Fired::Data { .. })).collect();
    let part = |frames, timecode| Fired::Data { frames, timecode };
    assert_eq!(parts, [&part(480, 0.0), &part(480, 10.0), &part(240, 20.0)]);
    assert_positions(&blobs, (0..5).flat_map(|take| heard(take * 100_240..take * 100_240 + 240)));
}

#[test]
fn the_first_blob_carries_the_header_and_the_last_one_comes_even_if_empty() {
    let rig = Rig::new();
    rig.recorder.start(Some(Duration::from_millis(10))).unwrap();
    rig.push(480);
    rig.recorder.stop().unwrap();
    let (fired, blobs) = rig.finish();
    let part = |frames, timecode| Fired::Data { frames, timecode };
    assert_eq!(fired, [Fired::Start, part(480, 0.0), part(0, 10.0), Fired::Stop]);
    assert_eq!(&bytes(&blobs[..1])[..4], b"RIFF");
    assert_eq!(blobs[1].size(), 0);
}

#[test]
fn parts_of_a_compressed_recording_are_playable_together() {
    for (mime_type, timeslice) in
        [("audio/flac", Some(50)), ("audio/flac", None), ("audio/ogg;codecs=opus", Some(50)), ("audio/ogg", None)]
    {
        let rig = Rig::with(RecorderOptions::default().mime_type(mime_type.to_owned()));
        rig.recorder.start(timeslice.map(Duration::from_millis)).unwrap();
        for _ in 0..5 {
            rig.push(3_000);
            rig.recorder.request_data().unwrap();
        }
        rig.push(1_000);
        rig.recorder.stop().unwrap();
        let (_, blobs) = rig.finish();
        assert!(blobs.len() >= 6, "{mime_type}: {} parts", blobs.len());
        let frames: u64 = blobs.iter().map(|blob| blob.facts().frames).sum();
        assert_eq!(frames, 16_000);
        if mime_type == "audio/flac" {
            assert_positions(&blobs, heard(0..16_000));
        } else {
            assert_eq!(samples(&blobs).len(), 16_000);
        }
    }
}

/// FLAC with blocks of any length.
fn assert_strict_readers_take(flac: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.flac"), flac).unwrap();
    for line in ["flac --test --silent x.flac", "ffmpeg -v error -xerror -i x.flac -f null -"] {
        let mut words = line.split(' ');
        let mut program = std::process::Command::new(words.next().unwrap());
        let output = program.args(words).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().filter(|line| !line.contains("cannot check MD5 signature"));
        assert!(output.status.success() && said.count() == 0, "{line}: {output:?}");
    }
}

#[test]
fn the_facts_count_the_frames_that_are_in_the_bytes() {
    for mime_type in ["audio/flac", "audio/ogg", "audio/wav"] {
        for timeslice in [None, Some(30)] {
            let rig = Rig::with(RecorderOptions::default().mime_type(mime_type));
            rig.recorder.start(timeslice.map(Duration::from_millis)).unwrap();
            for frames in [2_050, 5, 3_000, 1, 700, 0] {
                rig.push(frames);
                rig.recorder.request_data().unwrap();
            }
            rig.push(9);
            rig.recorder.stop().unwrap();
            let (_, blobs) = rig.finish();
            let told: Vec<u64> = blobs.iter().map(|blob| blob.facts().frames).collect();
            for parts in 1..=blobs.len() {
                let sum: u64 = told[..parts].iter().sum();
                assert_eq!(samples(&blobs[..parts]).len() as u64, sum, "{mime_type}: {parts} of {told:?}");
            }
            assert_eq!(told.iter().sum::<u64>(), 5_765);
            if mime_type == "audio/flac" {
                assert_strict_readers_take(&bytes(&blobs));
                // Less than 16 frames are no block.
                assert!(timeslice.is_some() || told == [2_050, 0, 3_005, 0, 701, 0, 9], "{told:?}");
            }
        }
    }
}

#[test]
fn what_a_flac_stream_holds_back_leaves_when_it_is_asked_for() {
    let rig = Rig::with(RecorderOptions::default().mime_type("audio/flac".to_owned()));
    rig.recorder.start(Some(Duration::from_secs(3_600))).unwrap();
    rig.push(100);
    rig.recorder.request_data().unwrap();
    let asked = rig.wait_for(|event| matches!(event, RecorderEvent::DataAvailable { .. }));
    let RecorderEvent::DataAvailable { data, .. } = asked else { unreachable!() };
    assert_positions(&[data], heard(0..100));
    rig.recorder.stop().unwrap();
}

#[test]
fn a_format_that_does_not_take_a_rate_is_recorded_at_one_that_it_takes() {
    let options = RecorderOptions::default()
        .mime_type("audio/ogg".to_owned())
        .sample_rate(Some(16_000))
        .audio_bits_per_second(Some(24_000));
    let rig = Rig::with(options);
    rig.recorder.start(None).unwrap();
    assert_eq!(rig.recorder.format().map(|format| format.sample_rate), Some(48_000));
    assert_eq!(rig.recorder.audio_bits_per_second(), 24_000);
    rig.push(10);
    rig.recorder.stop().unwrap();
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, data(10), Fired::Stop]);
    assert_eq!(blobs[0].mime_type(), "audio/ogg;codecs=opus");
}

#[test]
fn a_disabled_track_is_silence_of_full_length_from_the_very_frame() {
    let rig = Rig::new();
    let track = rig.stream.tracks().remove(0);
    rig.recorder.start(None).unwrap();
    rig.push(100);
    track.set_enabled(false);
    rig.push(3_000);
    track.set_enabled(true);
    rig.push(100);
    rig.recorder.stop().unwrap();
    assert_positions(&rig.finish().1, heard(0..100).chain(silent(3_000)).chain(heard(3_100..3_200)));
}

#[test]
fn a_muted_source_is_silence_of_full_length() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(100);
    rig.microphone.set_muted(true);
    rig.push(50);
    rig.microphone.set_muted(false);
    rig.push(100);
    rig.recorder.stop().unwrap();
    assert_positions(&rig.finish().1, heard(0..100).chain(silent(50)).chain(heard(150..250)));
}

#[test]
fn lost_frames_become_silence_of_equal_length_and_are_counted() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(100);
    rig.microphone.lose(5_000);
    rig.push(100);
    rig.recorder.stop().unwrap();
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, data(5_200), Fired::Stop]);
    assert_positions(&blobs, heard(0..100).chain(silent(5_000)).chain(heard(100..200)));
    assert_eq!(blobs[0].facts().lost_frames, 5_000);
    let losses: Vec<_> = rig.recorder.progress().losses.iter().map(|loss| (loss.at_frame, loss.frames)).collect();
    assert_eq!(losses, [(100, 5_000)]);
}

#[test]
fn a_marker_is_written_at_the_frame_where_it_was_set() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(1_000);
    rig.recorder.mark("chorus").unwrap();
    rig.push(10);
    rig.recorder.stop().unwrap();
    let event = rig.wait_for(|event| matches!(event, RecorderEvent::Mark(_)));
    assert!(matches!(event, RecorderEvent::Mark(marker) if marker.frame == 1_000));
    let (_, blobs) = rig.finish();
    let decoder = dictaphone::format::from_reader(std::io::Cursor::new(bytes(&blobs)), "take").unwrap();
    let markers: Vec<_> = decoder.metadata().markers.iter().map(|marker| (marker.frame, &*marker.text)).collect();
    assert_eq!(markers, [(1_000, "chorus")]);
    assert_eq!(rig.recorder.mark("late").unwrap_err().kind(), ErrorKind::InvalidState);
}

#[test]
fn a_marker_is_named_later_and_stays_where_it_was_set() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(1_000);
    rig.recorder.mark("").unwrap();
    rig.push(500);
    rig.recorder.mark("").unwrap();
    rig.push(500);
    rig.recorder.name_marker(0, "budget").unwrap();
    rig.recorder.name_marker(7, "nobody").unwrap();
    rig.recorder.stop().unwrap();
    let (_, blobs) = rig.finish();
    let decoder = dictaphone::format::from_reader(std::io::Cursor::new(bytes(&blobs)), "take").unwrap();
    let markers: Vec<_> = decoder.metadata().markers.iter().map(|marker| (marker.frame, &*marker.text)).collect();
    assert_eq!(markers, [(1_000, "budget"), (1_500, "")]);
    assert_eq!(rig.recorder.name_marker(0, "late").unwrap_err().kind(), ErrorKind::InvalidState);
}

#[test]
fn what_is_lost_while_paused_is_not_missed() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.recorder.pause().unwrap();
    rig.microphone.lose(5_000);
    rig.recorder.resume().unwrap();
    rig.push(10);
    rig.recorder.stop().unwrap();
    let (_, blobs) = rig.finish();
    assert_eq!((blobs[0].facts().frames, blobs[0].facts().lost_frames), (10, 0));
}

#[test]
fn a_blob_is_never_saved_over_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("take.wav");
    fs::write(&target, "older").unwrap();
    let rig = Rig::with(RecorderOptions::default().storage(Storage::Beside(target.clone())));
    rig.recorder.start(None).unwrap();
    rig.push(RATE);
    rig.recorder.stop().unwrap();
    let (_, blobs) = rig.finish();
    let blob = &blobs[0];
    assert_eq!(blob.save(&target).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&target).unwrap(), b"older");
    let second = blob.save_as(&target, Existing::Number).unwrap();
    assert_eq!(second, folder.path().join("take-2.wav"));
    assert_eq!(fs::read(&second).unwrap(), bytes(&blobs), "the blob is readable after it was saved");
    assert_eq!(fs::metadata(&second).unwrap().len(), blob.size());
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing is left beside them: {names:?}");
}

#[test]
fn every_blob_is_saved_as_often_as_one_likes() {
    for timeslice in [None, Some(Duration::from_secs(3_600))] {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["first.wav", "second.wav"].map(|name| folder.path().join(name));
        let rig = Rig::with(RecorderOptions::default().storage(Storage::Beside(first.clone())));
        let others = rig.recorder.events();
        rig.recorder.start(timeslice).unwrap();
        rig.push(1_000);
        rig.recorder.stop().unwrap();
        let (mine, theirs) = (rig.finish().1.remove(0), crate::rig::collect(&others).1.remove(0));
        mine.save(&first).unwrap();
        theirs.save(&second).unwrap();
        assert_eq!(mine.save(&second).unwrap_err().kind(), ErrorKind::AlreadyExists);
        let third = theirs.save_as(&first, Existing::Number).unwrap();
        fs::remove_file(&first).unwrap();
        mine.save(&first).unwrap();
        for path in [&first, &second, &third] {
            assert_eq!(fs::read(path).unwrap(), bytes(std::slice::from_ref(&mine)), "{timeslice:?} {path:?}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside them");
    }
}

#[test]
fn a_part_in_memory_is_saved_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::new();
    rig.recorder.start(Some(Duration::from_secs(3_600))).unwrap();
    rig.push(10);
    rig.recorder.stop().unwrap();
    let (_, blobs) = rig.finish();
    let target = folder.path().join("deep/er/take.wav");
    blobs[0].save(&target).unwrap();
    assert_eq!(fs::read(&target).unwrap(), bytes(&blobs));
}

#[test]
fn a_recording_in_a_temporary_file_goes_with_its_last_blob() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(10);
    rig.recorder.stop().unwrap();
    let (_, mut blobs) = rig.finish();
    let path = blobs[0].path().unwrap();
    assert!(path.exists());
    blobs.clear();
    assert!(!path.exists());
}

#[test]
fn the_unfinished_file_is_beside_its_target_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("take.wav");
    let rig = Rig::with(RecorderOptions::default().storage(Storage::Beside(target)));
    rig.recorder.start(None).unwrap();
    rig.push(10);
    rig.recorder.stop().unwrap();
    drop(rig.finish());
    let part = folder.path().join(".take.wav.part");
    assert_eq!(hound::WavReader::open(part).unwrap().duration(), 10, "and it is a whole file");
}
