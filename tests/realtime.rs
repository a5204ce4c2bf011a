//! The callback sides of the capture ring and of the playback queue allocate nothing, with an allocator that aborts when
//! they do.

use std::time::{Duration, Instant};

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use dictaphone::{
    audio::{AudioFormat, SampleFormat},
    capture::{Reading, ring::ring},
    playback::queue,
};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn pushing_allocates_nothing_when_it_fits_when_it_does_not_and_after_a_gap() {
    let (mut callback, mut reader, clock) = ring(AudioFormat::new(1000, 2, SampleFormat::S16), 1);
    let block = [123_i16; 600];
    // 500 frames fit into the near ring and 1000 into the far one: a block of 300, then three, and two more are lost.
    assert_no_alloc(|| (0..6).for_each(|_| callback.push_block(&block, f32::from)));
    assert_eq!(clock.captured(), 1800);
    let mut heard = Vec::with_capacity(4000);
    for frames in [300, 1200] {
        assert_no_alloc(|| assert!(matches!(reader.read(&mut heard, 1000), Reading::Frames)));
        assert_eq!(heard.len(), frames * 2);
    }
    assert_no_alloc(|| (0..1).for_each(|_| callback.push_block(&block, f32::from)));
    assert_no_alloc(|| assert!(matches!(reader.read(&mut heard, 1000), Reading::Lost(600))));
    assert_no_alloc(|| assert!(matches!(reader.read(&mut heard, 1000), Reading::Frames)));
    assert_eq!(heard.len(), 3000);
}

#[test]
fn a_full_gap_ring_allocates_nothing_either() {
    // Blocks of one frame in a ring that is read one frame at a time: every second push leaves a gap.
    let (mut callback, mut reader, clock) = ring(AudioFormat::new(4000, 1, SampleFormat::S16), 1);
    let mut heard = Vec::with_capacity(100_000);
    assert_no_alloc(|| (0..6000).for_each(|_| callback.push_block(&[1_i16], f32::from)));
    let mut lost = 0;
    for _ in 0..3000 {
        assert_no_alloc(|| {
            callback.push_block(&[1_i16], f32::from);
            match reader.read(&mut heard, 1) {
                Reading::Lost(frames) => lost += frames,
                _ => callback.push_block(&[1_i16], f32::from),
            }
        });
    }
    loop {
        match reader.read(&mut heard, 1000) {
            Reading::Frames => {}
            Reading::Lost(frames) => lost += frames,
            _ => break,
        }
    }
    assert!(lost > 0);
    assert_eq!(heard.len() as u64 + lost, clock.captured());
}

#[test]
fn draining_the_playback_queue_allocates_nothing_playing_paused_flushed_and_empty() {
    let format = AudioFormat::new(1000, 2, SampleFormat::S16);
    let (mut feeder, mut drain) = queue(format, Duration::from_secs(1));
    let mut out = [0.0_f32; 64];
    let mut got = 0;
    feeder.set_playing(true);
    // So often that the beats, of which nobody takes any, overflow.
    for turn in 0..600 {
        assert_no_alloc(|| {
            feeder.write(&[0.5; 100]);
            feeder.set_playing(turn % 7 != 0);
            if turn % 50 == 0 {
                feeder.flush();
            }
            got += drain.fill(&mut out, |sample| sample, Duration::ZERO);
        });
    }
    assert!(got > 10_000);
    assert_no_alloc(|| assert!(feeder.heard(Instant::now()) > 0));
}
