//! The program's messages are not read.

use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::Signal;

use super::samples;
use crate::support::harness::Test;
use crate::support::process::Process;
use crate::support::wait;

/// A recording whose standard error is a pipe that is full, and which nobody reads.
fn with_stuck_stderr(args: &[&str], stop: bool) -> (Process, PathBuf, Test) {
    let test = Test::new().args(args.iter().copied());
    let (reader, writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while rustix::io::write(&writer, &[b'x'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    let mut command = test.command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer);
    let mut process = Process::spawn("dictaphone", command);
    let part = test.path(".x.wav.part");
    wait::until("sound is recorded", String::new, || {
        std::fs::metadata(&part).is_ok_and(|data| data.len() > 96_000).then_some(())
    });
    if stop {
        process.signal(Signal::INT);
    }
    process.wait();
    drop(reader);
    let path = test.path("x.wav");
    (process, path, test)
}

#[test]
fn a_recording_ends_and_is_saved_although_nobody_reads_its_messages() {
    for args in [&["record", "-i", "tone", "x.wav"][..], &["record", "-i", "tone", "--json", "-d", "2", "x.wav"]] {
        let (_, path, _test) = with_stuck_stderr(args, !args.contains(&"-d"));
        let frames = samples(&path).len();
        assert!(frames >= 48_000, "{frames}");
    }
}

#[test]
fn a_recording_with_closed_standard_streams_is_saved() {
    let test = Test::new().program("sh").args(["-c", "exec \"$0\" record -i tone -d 1 x.wav >&- 2>&- <&-"]);
    let test = test.arg(env!("CARGO_BIN_EXE_dictaphone"));
    let output = test.run();
    output.assert_exit(0);
    assert_eq!(samples(&test.path("x.wav")).len(), 48_000);
}

#[test]
fn events_that_nobody_reads_hold_nothing_up() {
    let mut running = Test::new().args(["record", "-i", "tone", "--json", "-d", "3", "x.wav"]).hold_stdout().spawn();
    let path = running.path("x.wav");
    running.wait_for("the file is saved although the events wait", |_| path.is_file().then_some(()));
    drop(running.stdout.take());
    running.wait().assert_exit(0);
}
