//! Disks that fill up, refuse, or stop answering: the recording ends in good order with everything that was written,
//! and the program reports it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::analysis::analyse;
use crate::support::harness::Test;
use crate::support::output::Output;
use crate::support::process::require;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;
use crate::support::signal::PositionCode;
use crate::support::wait;

/// The program, in a shell of its own that prepares the ground first.
fn after(preparation: &str, arguments: &str) -> Test {
    let program = env!("CARGO_BIN_EXE_dictaphone");
    Test::new().program("sh").args(["-c", &format!("{preparation}\nexec {program} {arguments}")])
}

/// The same with a small disk at `disk`, which nobody else sees.
fn on_small_disk(size: &str, arguments: &str) -> Test {
    require(&["unshare", "mount"]);
    let program = env!("CARGO_BIN_EXE_dictaphone");
    // The disk goes with the program; what is on it is copied out before.
    let script = format!(
        "mkdir disk out && mount -t tmpfs -o size={size} tmpfs disk\n{program} {arguments}\ncode=$?\ncp -a disk/. out/\nexit $code"
    );
    Test::new().program("unshare").args(["--map-root-user", "--mount", "sh", "-c", &script])
}

fn samples(path: &Path) -> Vec<i16> {
    let mut wav = hound::WavReader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    wav.samples::<i16>().map(|sample| sample.unwrap()).collect()
}

/// Everything the built-in tone says, to compare with.
fn tone(frames: usize) -> Vec<i16> {
    let test = Test::new().args(["record", "-q", "-i", "tone", "--fast", "-d", "60", "tone.wav"]);
    let output = test.run();
    output.assert_success();
    let mut tone = samples(&output.path("tone.wav"));
    tone.truncate(frames);
    tone
}

fn assert_kept(output: &Output, file: &str, at_least: usize) {
    output.assert_exit(3);
    output.assert_stderr_contains("the recording ended early");
    let kept = samples(&output.path(file));
    // What is told is what is there.
    let tenths = kept.len() * 10 / 48_000;
    output.assert_stderr_contains(&format!("take.wav · 00:00:{:02}.{}\n", tenths / 10, tenths % 10));
    assert!(kept.len() >= at_least, "only {} frames were kept", kept.len());
    assert!(kept == tone(kept.len()), "what is kept is not what was played");
}

fn names(folder: PathBuf) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_disk_that_fills_up_ends_the_recording_before_a_write_fails() {
    let output = on_small_disk("600k", "record -i tone disk/take.wav").run();
    // 2 s at 96,000 bytes a second and 64 KiB are kept free.
    assert_kept(&output, "out/take.wav", 100_000);
    output.assert_stderr_contains(": the disk is full in 00:00:0");
    output.assert_stderr_contains("disk/.take.wav.part: the disk is full");
    assert_eq!(names(output.path("out")), ["take.wav"]);
}

#[test]
fn a_disk_that_is_full_all_the_same_keeps_what_was_written() {
    // As fast as it can, the disk is full before anybody looks.
    let output = on_small_disk("1m", "record -i tone --fast -d 60 disk/take.wav").run();
    assert_kept(&output, "out/take.wav", 500_000);
    output.assert_stderr_contains("No space left on device");
    assert_eq!(names(output.path("out")), ["take.wav"]);
}

#[test]
fn a_disk_that_is_nearly_full_is_refused_at_once() {
    let output = on_small_disk("100k", "record -i tone disk/take.wav").run();
    output.assert_exit(1);
    output.assert_stderr_contains("error: cannot create the file of the recording: the disk is full");
    assert_eq!(names(output.path("out")), Vec::<String>::new());
}

#[test]
fn a_disk_that_has_no_room_for_a_conversion_keeps_nothing_of_it() {
    for (size, arguments, words) in [
        ("300k", "convert clip.wav disk/out.wav", "No space left on device"),
        ("300k", "convert clip.wav disk/out.wav -b f32 --force -q", "No space left on device"),
        ("300k,ro", "convert clip.wav disk/out.wav", "Read-only file system"),
    ] {
        let program = env!("CARGO_BIN_EXE_dictaphone");
        let test = on_small_disk(size, arguments);
        let made = test.clone().again().program(program);
        made.args(["record", "-q", "-i", "tone", "--fast", "-d", "10", "clip.wav"]).run().assert_success();
        let before = std::fs::read(test.path("clip.wav")).unwrap();
        let output = test.run();
        output.assert_exit(1).assert_stdout("").assert_stderr_contains("disk/out.wav: ").assert_stderr_contains(words);
        assert_eq!(names(output.path("out")), Vec::<String>::new());
        assert!(std::fs::read(output.path("clip.wav")).unwrap() == before);
    }
}

#[test]
fn a_file_size_limit_is_like_a_full_disk() {
    let output = after("ulimit -f 200", "record -i tone --fast -d 60 take.wav").run();
    assert_kept(&output, "take.wav", 50_000);
    output.assert_stderr_contains("File too large");
}

/// Lets a system call of the program fail, as a broken disk would.
fn with_fault(inject: &str, arguments: &[&str]) -> Test {
    require(&["strace"]);
    let options = ["-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", inject];
    Test::new().program("strace").args(options).arg(env!("CARGO_BIN_EXE_dictaphone")).args(arguments)
}

#[test]
fn a_write_that_fails_for_any_reason_keeps_what_was_written() {
    for (error, text) in [
        ("EIO", "Input/output error"),
        ("EDQUOT", "Disk quota exceeded"),
        ("EROFS", "Read-only file system"),
        ("ENOSPC", "No space left on device"),
    ] {
        let inject = format!("inject=pwrite64:error={error}:when=60");
        let output = with_fault(&inject, &["record", "-i", "tone", "--fast", "-d", "60", "take.wav"]).run();
        assert_kept(&output, "take.wav", 10_000);
        output.assert_stderr_contains(text);
        assert_eq!(names(output.path(".")), ["take.wav"]);
    }
}

#[test]
fn a_disk_that_refuses_even_the_header_is_not_called_saved() {
    let inject = "inject=pwrite64:error=EIO:when=60+";
    let output = with_fault(inject, &["record", "-i", "tone", "--fast", "-d", "60", "take.wav"]).run();
    output.assert_exit(3);
    output.assert_stderr_contains("error: the recording could not be completed");
    output.assert_stderr_contains("hint: its sound until 00:00:");
    assert_eq!(names(output.path(".")), [".take.wav.part"]);
}

#[test]
fn an_fsync_that_fails_is_never_reported_as_saved() {
    let test =
        with_fault("inject=fsync,fdatasync:error=EIO", &["record", "-i", "tone", "--fast", "-d", "3", "take.wav"]);
    let output = test.run();
    output.assert_exit(3);
    output.assert_stderr_contains("error: cannot save take.wav");
    output.assert_stderr_contains("hint: what was recorded is kept in");
    output.assert_stderr_contains(".take.wav.part` completes it");
    assert!(!output.stderr().contains("\nsaved "), "{}", output.stderr());
    assert_eq!(names(output.path(".")), [".take.wav.part"]);
    assert_eq!(samples(&output.path(".take.wav.part")), tone(144_000));
}

#[test]
fn the_bytes_are_on_the_disk_before_the_name_and_then_the_name() {
    require(&["strace"]);
    let test = Test::new();
    let trace = "trace=pwrite64,fsync,fdatasync,rename,renameat,renameat2";
    let options = ["-f", "-y", "-qq", "-e", "signal=none", "-e", trace, "-o", "calls"];
    let test = test.program("strace").args(options).arg(env!("CARGO_BIN_EXE_dictaphone"));
    let output = test.args(["record", "-i", "tone", "--fast", "-d", "3", "take.wav"]).run();
    output.assert_success();
    let calls = std::fs::read_to_string(output.path("calls")).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    let last = |wanted: &dyn Fn(&str) -> bool| {
        calls.iter().rposition(|call| wanted(call)).unwrap_or_else(|| panic!("{}", calls.join("\n")))
    };
    let of_part = |call: &str, name: &str| call.contains(&format!(" {name}(")) && call.contains(".take.wav.part");
    let written = last(&|call| of_part(call, "pwrite64"));
    let safe = last(&|call| of_part(call, "fsync"));
    let named = last(&|call| call.contains(" rename") && call.contains(".take.wav.part"));
    let named_for_good = last(&|call| call.contains(" fsync(") && !call.contains(".part"));
    assert!(written < safe && safe < named && named < named_for_good, "{}", calls.join("\n"));
}

#[test]
fn a_rename_that_fails_keeps_the_recording() {
    let fault = "inject=rename,renameat,renameat2,link,linkat:error=EIO";
    let output = with_fault(fault, &["record", "-i", "tone", "--fast", "-d", "3", "take.wav"]).run();
    output.assert_exit(3);
    output.assert_stderr_contains("error: cannot save take.wav");
    assert_eq!(samples(&output.path(".take.wav.part")), tone(144_000));
}

#[test]
fn a_file_that_cannot_be_saved_is_told_although_others_follow() {
    require(&["strace"]);
    for (events, error) in [("--quiet", "error: cannot save x-1.wav"), ("--json", r#""event":"error""#)] {
        let test = Test::new();
        let part = test.path("").canonicalize().unwrap().join(".x-1.wav.part");
        let fault = "inject=rename,renameat,renameat2,link,linkat:error=EIO";
        let options = ["-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", fault, "-P"];
        let test = test.program("strace").args(options).arg(&part).arg(env!("CARGO_BIN_EXE_dictaphone"));
        let output = test.args(["record", events, "-i", "tone", "--fast", "-d", "3", "--split", "1s", "x.wav"]).run();
        output.assert_exit(3);
        let told = output.stdout() + &output.stderr();
        assert_eq!(told.matches(error).count(), 1, "{}", output.context());
        output.assert_stderr_contains(".x-1.wav.part");
        assert_eq!(samples(&part).len(), 48_000);
        assert!(output.path("x-2.wav").exists() && output.path("x-3.wav").exists());
    }
}

/// A disk at `disk` that is unmounted while it is recorded to, and mounted again when the program has ended. What is on it
/// is copied to `out` then.
fn on_a_disk_that_goes_away(arguments: &str) -> Output {
    require(&["unshare", "mount", "umount", "mkfs.ext4"]);
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let script = format!(
        "mkdir disk out also && truncate -s 32M image && mkfs.ext4 -q image && mount -o loop image disk || exit 99
         {program} {arguments} & p=$!
         until [ -n \"$(find disk -name '.*.part' -size +100k)\" ]; do kill -0 $p || exit 98; sleep 0.1; done
         umount -l disk; sleep 3; kill -INT $p; wait $p; code=$?
         find disk -type f; mount -o loop image disk || exit 97
         cp -a disk/. out/; umount disk; exit $code"
    );
    Test::new().program("unshare").args(["--mount", "sh", "-c", &script]).run()
}

#[test]
fn a_first_disk_that_fails_costs_nothing_where_there_is_a_second_copy() {
    require(&["strace"]);
    let test = Test::new();
    std::fs::create_dir(test.path("also")).unwrap();
    let part = test.path(".take.wav.part");
    let fault = ["-e", "signal=none", "-e", "inject=pwrite64:error=EIO:when=40+", "-P"];
    let test = test.program("strace").args(["-f", "-qq", "-o", "/dev/null"]).args(fault).arg(part);
    let test = test.arg(env!("CARGO_BIN_EXE_dictaphone"));
    let output = test.args(["record", "-i", "tone", "--fast", "-d", "60", "--also", "also", "take.wav"]).run();
    output.assert_exit(3).assert_stderr_contains("the recording goes on in the second: Input/output error");
    output.assert_stderr_contains("saved also/take.wav");
    assert!(samples(&output.path("also/take.wav")) == tone(60 * 48_000));
    assert!(!names(output.path(".")).contains(&"take.wav".to_owned()));
}

#[test]
fn a_disk_that_is_unmounted_keeps_the_recording_and_no_other_disk_gets_it() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let output = on_a_disk_that_goes_away("record -i tone disk/take.wav");
    output.assert_exit(3).assert_stdout("");
    output.assert_stderr_contains("error: cannot save disk/take.wav: its disk is not there any more");
    output.assert_stderr_contains("disk/.take.wav.part when that disk is back; then `dictaphone recover ");
    let kept = samples(&output.path("out/.take.wav.part"));
    let wrong = kept.iter().zip(tone(kept.len())).position(|(kept, played)| *kept != played);
    assert!(kept.len() > 96_000 && wrong.is_none(), "{wrong:?} of {} frames\n{}", kept.len(), output.context());
    // A second copy takes its place, and lacks nothing of what came after.
    let output = on_a_disk_that_goes_away("record -i tone --also also disk/take.wav");
    output.assert_exit(3).assert_stderr_contains("the first copy is not whole: its disk is not there any more");
    output.assert_stderr_contains("saved also/take.wav");
    let all = samples(&output.path("also/take.wav"));
    assert!(all.len() > 96_000 && all == tone(all.len()), "{} frames\n{}", all.len(), output.context());
    // The next file of a recording does not go to another disk either.
    let output = on_a_disk_that_goes_away("record -i tone --split 2s --name take --dir disk");
    output.assert_exit(3);
    output.assert_stderr_contains("the old file goes on");
    assert_eq!(output.stdout().lines().filter(|line| line.starts_with("disk/")).count(), 0, "{}", output.stdout());
    let part = names(output.path("out")).into_iter().find(|name| name.ends_with(".part")).unwrap();
    assert!(samples(&output.path("out").join(part)).len() > 96_000, "it holds what came after as well");
}

#[test]
fn a_recording_outlives_the_folder_it_was_started_in() {
    let script = format!(
        "mkdir in; cd in; {} record -i tone x.wav & p=$!; until [ -s .x.wav.part ]; do :; done; rm -r ../in; kill $p; wait $p",
        env!("CARGO_BIN_EXE_dictaphone")
    );
    let output = Test::new().program("sh").args(["-c", &script]).run();
    output.assert_success().assert_stderr_contains("saved x.wav");
    assert!(!samples(&output.path("in/x.wav")).is_empty());
}

/// Network folders know no renaming that replaces nothing, memory cards no hard links either.
#[test]
fn a_disk_that_cannot_rename_without_replacing_loses_no_file_either() {
    for lacking in ["renameat2", "renameat2,link,linkat"] {
        let inject = format!("inject={lacking}:error=EINVAL");
        let test = with_fault(&inject, &["record", "-i", "tone", "--fast", "-d", "3", "--dir", ".", "--name", "take"]);
        test.run().assert_success();
        let output = test.run();
        output.assert_success();
        let mut there = names(output.path("."));
        there.sort();
        assert_eq!(there, ["take-2.wav", "take.wav"], "without {lacking}");
        assert!(there.iter().all(|name| samples(&output.path(name)) == tone(144_000)));
    }
}

/// A disk in a file that can be frozen, as a dying one is; needs to be root.
pub(crate) struct FrozenDisk {
    folder: PathBuf,
}

impl FrozenDisk {
    pub(crate) fn mount(folder: PathBuf) -> Self {
        require(&["mkfs.ext4", "mount", "umount", "fsfreeze"]);
        let image = folder.with_extension("image");
        std::fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
        std::fs::create_dir(&folder).unwrap();
        let disk = Self { folder };
        disk.run(Command::new("mkfs.ext4").arg("-q").arg(&image));
        disk.run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&disk.folder));
        disk
    }

    fn run(&self, command: &mut Command) {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn freeze(&self) {
        self.run(Command::new("fsfreeze").arg("--freeze").arg(&self.folder));
    }

    pub(crate) fn thaw(&self) {
        self.run(Command::new("fsfreeze").arg("--unfreeze").arg(&self.folder));
    }
}

impl Drop for FrozenDisk {
    fn drop(&mut self) {
        let _ = Command::new("fsfreeze").arg("--unfreeze").arg(&self.folder).output();
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).output();
    }
}

/// How long the disk gives no answer.
pub(crate) const STALL: Duration = Duration::from_secs(8);

/// Records twelve seconds of the microphone, during which `stall` lets the disk hang for eight.
fn record_over_a_stall(test: Test, file: &str, stall: impl FnOnce()) {
    let server = PulseServer::start();
    let sandbox = test.sandbox();
    let code = sandbox.cwd().join("code.wav");
    PositionCode::mono().write_wav(&code, 15 * 48_000);
    let mut running = test.server(&server).spawn();
    running.wait_for_stderr("recording ");
    let _player = server.play(&code);
    stall();
    running.signal(Signal::INT);
    let output = running.wait();
    output.assert_success();
    let report = analyse(&samples(&output.path(file)));
    report.assert_contiguous();
    assert!(report.end - report.first.unwrap_or(report.end) > 7 * 48_000, "{report:?}");
}

#[test]
fn a_disk_that_does_not_answer_for_eight_seconds_loses_nothing() {
    if !rustix::process::geteuid().is_root() {
        return record_over_slow_writes();
    }
    let test = Test::new().args(["record", "-d", "60", "disk/take.wav"]);
    let disk = FrozenDisk::mount(test.path("disk"));
    record_over_a_stall(test, "disk/take.wav", || {
        disk.freeze();
        let frozen = Instant::now();
        wait::poll(STALL * 2, || (frozen.elapsed() >= STALL).then_some(()));
        disk.thaw();
    });
}

/// Without the rights to freeze a disk: one system call that takes as long.
fn record_over_slow_writes() {
    let inject = format!("inject=fdatasync:delay_enter={}:when=2", STALL.as_micros());
    let test = with_fault(&inject, &["record", "-d", "60", "take.wav"]);
    record_over_a_stall(test, "take.wav", || {
        let began = Instant::now();
        wait::poll(STALL * 2, || (began.elapsed() >= STALL + Duration::from_secs(2)).then_some(()));
    });
}

/// A disk that gives back other bytes than it was given.
#[cfg(unix)]
#[test]
fn a_file_that_does_not_read_back_as_it_was_recorded_ends_with_3_and_its_place() {
    use std::os::unix::fs::FileExt as _;

    // What no later write of ours repairs: the mark of the first page, and what that page says under its checksum.
    for at in [0, 36] {
        let name = "take.opus";
        let mut running = Test::new().args(["record", "-i", "tone", name]).spawn();
        let part = format!(".{name}.part");
        running.wait_for_file(&part, 1_000);
        let file = std::fs::File::options().write(true).open(running.path(&part)).unwrap();
        file.write_all_at(b"?", at).unwrap();
        running.signal(Signal::INT);
        let output = running.wait();
        output.assert_exit(3).assert_stderr_contains("is not what was recorded: another reader refuses it");
        output.assert_stderr_contains(name);
        assert!(output.path(name).exists() && !output.path(&part).exists(), "{}", output.context());
    }
}
