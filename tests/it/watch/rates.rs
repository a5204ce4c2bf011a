//! Devices whose clocks run at another rate than stated: a source of PulseAudio that runs as fast as its pipe is
//! written.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::samples;
use crate::support::harness::{Running, Test};
use crate::support::pulse::PulseServer;
use crate::support::server::Server;

/// A counter that never rests and never is zero; of its own length, so that a step tells how much is missing.
const TURN: u64 = 30_000;

/// Somebody who writes the pipe of a source. Dropping it ends that.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Writes `factor` times 48,000 frames a second, and leaves out 100 ms after `hole` seconds.
    fn start(pipe: &Path, factor: f64, hole: f64) -> Self {
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap();
        let mut pipe = File::options().write(true).custom_flags(nonblocking).open(pipe).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (begun, mut made, mut is_whole) = (Instant::now(), 0_u64, true);
            while !stopped.load(Ordering::Relaxed) {
                let seconds = begun.elapsed().as_secs_f64();
                let due = (seconds * 48_000.0 * factor) as u64;
                if is_whole && seconds > hole {
                    (made, is_whole) = (made + 4_800, false);
                }
                let bytes: Vec<u8> = (made..due).flat_map(|frame| ((frame % TURN + 1) as i16).to_le_bytes()).collect();
                // What does not fit is written the next time.
                let written = pipe.write(&bytes).unwrap_or(0);
                made += written as u64 / 2;
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().into_iter().for_each(|thread| thread.join().unwrap());
    }
}

/// A recording of such a source at work, and who writes it.
fn record(server: &PulseServer, factor: f64, hole: f64, args: &[&str]) -> (Running, Writer) {
    let pipe = server.runtime().join("pipe");
    let file = format!("file={}", pipe.display());
    let arguments = ["load-module", "module-pipe-source", "source_name=own", &file, "format=s16le", "rate=48000"];
    let arguments = [&arguments[..], &["channels=1"]].concat();
    assert!(server.core().ask("pactl", &arguments).is_some(), "no pipe source");
    let running = Test::new()
        .server(server)
        .args(["record", "-i", "pulseaudio:own", "--json", "x.wav"])
        .args(args.iter().copied())
        .spawn();
    server.core().until("the source runs", || {
        let sources = server.core().ask("pactl", &["list", "short", "sources"])?;
        sources.lines().any(|line| line.contains("\town\t") && line.ends_with("RUNNING")).then_some(())
    });
    (running, Writer::start(&pipe, factor, hole))
}

/// Lengths of the runs of silence, and the frames that are missing where the code jumps.
fn read(samples: &[i16]) -> (Vec<u64>, Vec<u64>) {
    let (mut silence, mut jumps) = (Vec::new(), Vec::new());
    let coded: Vec<(usize, i64)> =
        samples.iter().enumerate().filter(|(_, s)| **s != 0).map(|(at, s)| (at, i64::from(*s))).collect();
    for pair in coded.windows(2) {
        let ((before, left), (at, right)) = (pair[0], pair[1]);
        let missing = (right - left - 1).rem_euclid(TURN as i64) as u64;
        if at - before > 1 {
            silence.push((at - before - 1) as u64);
        }
        if missing > 0 {
            jumps.push(missing);
        }
    }
    (silence, jumps)
}

#[test]
fn a_clock_that_is_off_is_followed_and_told_and_a_hole_is_measured_by_it() {
    let server = PulseServer::start();
    let (factor, hole) = (0.9965, 14.0);
    let (running, _writer) = record(&server, factor, hole, &["-d", "40s"]);
    let path = running.path("x.wav");
    let output = running.wait();
    output.assert_exit(3);
    let (silence, jumps) = read(&samples(&path));
    assert_eq!((silence.len(), jumps.as_slice()), (1, &[4_800][..]), "{silence:?}\n{}", output.context());
    assert!(silence[0].abs_diff(4_800) <= 240, "{silence:?}\n{}", output.context());
    let stop: serde_json::Value = serde_json::from_str(output.stdout().lines().last().unwrap()).unwrap();
    let rate = stop["device_rate_hz"].as_f64().unwrap_or_else(|| panic!("{}", output.context()));
    assert!((rate / 48_000.0 / factor - 1.0).abs() < 300e-6, "{stop}");
    let info = Test::new().args(["info", "--json"]).arg(&path).run();
    let info: serde_json::Value = serde_json::from_str(&info.stdout()).unwrap();
    assert!((info["device_rate_hz"].as_f64().unwrap() - rate).abs() < 0.1, "{info}");
}

#[test]
fn a_device_that_lies_about_its_rate_by_half_ends_the_recording_which_is_kept_as_it_is() {
    let server = PulseServer::start();
    let (running, _writer) = record(&server, 0.5, f64::INFINITY, &["--reconnect", "1m"]);
    let path = running.path("x.wav");
    let output = running.wait();
    output.assert_exit(3).assert_stderr_contains("48000 Hz, and delivers 24000 frames a second");
    let samples = samples(&path);
    assert!(samples.len() > 2 * 24_000, "{}", output.context());
    assert_eq!(read(&samples), (vec![], vec![]), "{}", output.context());
}
