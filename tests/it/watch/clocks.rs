//! The wall clock is set while the program records. It is faked for the program alone, and its monotonic clock is not
//! changed, as on a real system.

use std::path::PathBuf;

use rustix::process::Signal;

use super::{kept, play, wait_for_seconds};
use crate::support::harness::Test;
use crate::support::process::require;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;

/// The library that answers for the system's clock.
pub(crate) fn faketime() -> PathBuf {
    require(&["faketime"]);
    let libraries = ["/usr/lib", "/usr/lib64"].into_iter().flat_map(|root| {
        let folders = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
        folders.chain([PathBuf::from(root)]).map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
    });
    libraries.into_iter().find(|path| path.is_file()).expect("libfaketime")
}

/// By each of `steps` the wall clock differs from then on.
fn a_clock_that_is_set_changes_nothing(steps: &[&str]) {
    let server = PulseServer::start();
    let _player = play(&server);
    let clock = server.runtime().join("clock");
    std::fs::write(&clock, "+0").unwrap();
    let mut running = Test::new()
        .server(&server)
        .env("LD_PRELOAD", faketime())
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .args(["record", "x.wav"])
        .spawn();
    wait_for_seconds(&mut running, 1.0);
    for (step, seconds) in steps.iter().zip(1..) {
        std::fs::write(&clock, step).unwrap();
        wait_for_seconds(&mut running, f64::from(seconds) + 1.0);
    }
    running.signal(Signal::INT);
    let path = running.path("x.wav");
    let output = running.wait();
    output.assert_exit(0);
    let (report, frames) = kept(&output, &path);
    report.assert_contiguous();
    assert!(frames >= 48_000 * steps.len(), "{}", output.context());
    assert!(!output.stderr().contains("lost"), "{}", output.context());
}

#[test]
fn a_wall_clock_that_is_set_back_changes_nothing() {
    a_clock_that_is_set_changes_nothing(&["-7200", "-86400"]);
}

#[test]
fn a_wall_clock_that_is_set_forward_changes_nothing() {
    a_clock_that_is_set_changes_nothing(&["+7200", "+86400"]);
}

#[test]
fn the_clock_of_these_tests_is_really_faked() {
    let output = Test::new()
        .env("LD_PRELOAD", faketime())
        .env("FAKETIME", "@2001-02-03 04:05:06")
        .env("DONT_FAKE_MONOTONIC", "1")
        .args(["record", "-i", "silence", "--fast", "-d", "1", "--name", "%Y-%m", "."])
        .run();
    output.assert_success();
    assert!(output.path("2001-02.wav").is_file(), "{}", output.context());
}
