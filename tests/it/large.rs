//! Files past 4 GiB, where the sizes of a plain WAV header end: they are RF64 from there on, finished or cut off.
//!
//! Four gigabytes are written once for both, and copied as a sparse file in between; they are removed at once.

use std::process::Command;

use rustix::process::Signal;

use crate::support::harness::{Running, Test};
use crate::takes::ask;

const RATE: u64 = 192_000;
const CHANNELS: u64 = 8;
const BYTES_PER_FRAME: u64 = CHANNELS * 4;
/// A minute more than fits into a plain WAV file, so that there is time to look at it while it grows.
const SECONDS: u64 = (1 << 32) / (RATE * BYTES_PER_FRAME) + 60;

fn record(words: &[&str]) -> Running {
    let test = Test::new().args(["record", "-q", "-i", "silence", "--fast", "-r", "192k", "-c", "8", "-b", "f32"]);
    test.args(words.iter().copied()).arg("big.wav").spawn()
}

/// Waits GiB by GiB, so that a slow disk has its time for each.
fn wait_for_gib(running: &mut Running, gib: u64) {
    for whole in 1..=gib {
        running.wait_for_file(".big.wav.part", whole << 30);
    }
}

fn start_of(path: &std::path::Path) -> Vec<u8> {
    use std::io::Read as _;
    let mut start = vec![0; 48];
    std::fs::File::open(path).unwrap().read_exact(&mut start).unwrap();
    start
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

/// Copies what a kill would leave at this moment: the recorder stands still meanwhile, and silence takes no room.
fn copy_as_if_killed(running: &mut Running, folder: &std::path::Path) -> u64 {
    running.signal(Signal::STOP);
    let part = running.path(".big.wav.part");
    std::fs::create_dir(folder).unwrap();
    let copied = Command::new("cp").arg("--sparse=always").arg(&part).arg(folder).status().unwrap();
    assert!(copied.success());
    running.signal(Signal::CONT);
    std::fs::metadata(folder.join(".big.wav.part")).unwrap().len()
}

#[test]
fn past_four_gib_a_file_is_rf64_whether_it_is_finished_or_cut_off() {
    let mut running = record(&["-d", &SECONDS.to_string()]);
    wait_for_gib(&mut running, 4);
    running.wait_for_file(".big.wav.part", (4 << 30) + (64 << 20));
    let killed = running.path("killed");
    let written = copy_as_if_killed(&mut running, &killed);
    let output = running.wait();
    output.assert_success();
    let path = output.path("big.wav");
    let start = start_of(&path);
    assert_eq!((&start[..4], &start[12..16]), (&b"RF64"[..], &b"ds64"[..]));
    assert_eq!(number(&start[20..28]) + 8, std::fs::metadata(&path).unwrap().len());
    assert_eq!(number(&start[28..36]), SECONDS * RATE * BYTES_PER_FRAME);
    assert_eq!(ask(&output, "soxi", &["-s", "big.wav"]), format!("{}\n", SECONDS * RATE));
    let words = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", "big.wav"];
    assert_eq!(ask(&output, "ffprobe", &words), format!("{SECONDS}.000000\n"));

    let program = env!("CARGO_BIN_EXE_dictaphone");
    let told = ask(&output, program, &["recover", "--json", "killed"]);
    let start = start_of(&killed.join("big.wav"));
    assert_eq!(&start[..4], b"RF64", "{told}");
    let kept = number(&start[28..36]);
    // All that is not a whole frame of sound is the header.
    assert!(
        kept.is_multiple_of(BYTES_PER_FRAME) && kept <= written && kept + 1_000 > written,
        "{kept} bytes of {written}: {told}"
    );
    assert_eq!(ask(&output, "soxi", &["-s", "killed/big.wav"]), format!("{}\n", kept / BYTES_PER_FRAME));
}
