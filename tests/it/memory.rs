//! How much memory a recording takes: little, and no more for a long one than for a short one.
//!
//! Read from the kernel (`VmHWM`, the peak of resident memory, shared libraries included) while the program still runs.

use std::io::Read;

use crate::support::harness::{Running, Test};

/// What a recording may take at its peak, in KiB. An unoptimised program is several times as large and maps more of
/// itself.
const LIMIT: u64 = if cfg!(debug_assertions) { 16 * 1024 } else { 12 * 1024 };

/// Peak of resident memory in KiB; `None` when the program is gone.
fn peak(running: &Running) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// As many hours as fast as it goes, at 8 kHz: the number of blocks counts, not how long one sounds.
fn record(hours: u32) -> Test {
    let test = Test::new().args(["record", "-i", "silence", "--fast", "-r", "8000", "-c", "1"]);
    test.args(["-d".to_owned(), format!("{hours}h")])
}

fn bytes(hours: u32) -> u64 {
    u64::from(hours) * 3_600 * 8_000 * 2
}

/// The peak of a recording into a file, as it was when nearly all of it was written.
fn peak_into_a_file(hours: u32) -> u64 {
    let test = record(hours).arg("long.wav");
    let mut running = test.spawn();
    let part = running.path(".long.wav.part");
    let enough = bytes(hours) / 10 * 9;
    let mut last = 0;
    while let Some(peak) = peak(&running) {
        let length = std::fs::metadata(&part).map_or(0, |data| data.len());
        if length >= enough {
            last = last.max(peak);
        }
        if !running.is_running() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let output = running.wait();
    output.assert_success();
    let frames = hound::WavReader::open(output.path("long.wav")).unwrap().duration();
    assert_eq!(u64::from(frames) * 2, bytes(hours), "{}", output.context());
    assert_ne!(last, 0, "the end came before it could be looked at\n{}", output.context());
    last
}

/// The peak of a recording into a pipe, as it is when all but the end has been read.
fn peak_into_a_pipe(hours: u32) -> u64 {
    let mut running = record(hours).args(["-f", "raw", "-"]).hold_stdout().spawn();
    let mut stdout = running.stdout.take().unwrap();
    let mut buffer = vec![0; 65_536];
    let mut left = bytes(hours);
    let mut peak_kib = 0;
    while left > 0 {
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        stdout.read_exact(&mut buffer[..wanted]).unwrap();
        left -= wanted as u64;
        // More than a pipe holds is still to come, so that the program cannot have ended.
        if peak_kib == 0 && left < 8 << 20 {
            peak_kib = peak(&running).unwrap();
        }
    }
    assert_eq!(stdout.read(&mut buffer).unwrap(), 0);
    drop(stdout);
    running.wait().assert_success();
    peak_kib
}

fn assert_constant(kind: &str, one: u64, ten: u64) {
    println!("{kind}: {one} KiB for one hour, {ten} KiB for ten");
    assert!(ten < LIMIT, "{kind}: ten hours take {ten} KiB, the limit is {LIMIT}");
    assert!(ten * 10 <= one * 11, "{kind}: one hour takes {one} KiB, ten hours {ten}");
}

#[test]
fn ten_hours_into_a_file_take_no_more_memory_than_one() {
    assert_constant("file", peak_into_a_file(1), peak_into_a_file(10));
}

#[test]
fn ten_hours_into_a_pipe_take_no_more_memory_than_one() {
    assert_constant("pipe", peak_into_a_pipe(1), peak_into_a_pipe(10));
}
