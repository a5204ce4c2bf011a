//! Signals without a terminal: what ends a recording, what pauses it, and which signals stay ignored.

use rustix::process::Signal;

use crate::support::harness::Running;
use crate::support::wait;
use crate::takes::{assert_no_leftovers, events, in_shell, layout, order, record, samples, wait_for_nth};

#[track_caller]
fn assert_saved(running: Running) {
    let output = running.wait();
    output.assert_success().assert_stdout("take.wav\n");
    assert!(layout(output.path("take.wav")).2 > 4_000, "{}", output.context());
    assert_no_leftovers(&output);
}

#[test]
fn int_term_hup_and_quit_stop_and_save() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let mut running = record(&["-i", "tone", "take.wav"]).spawn();
        running.wait_for_file(".take.wav.part", 10_000);
        running.signal(signal);
        assert_saved(running);
    }
}

#[test]
fn signals_without_a_meaning_end_nothing() {
    let mut running = record(&["-i", "tone", "take.wav"]).spawn();
    running.wait_for_file(".take.wav.part", 10_000);
    for signal in [Signal::ALARM, Signal::VTALARM, Signal::PROF, Signal::IO] {
        running.signal(signal);
    }
    running.wait_for_file(".take.wav.part", 40_000);
    running.signal(Signal::TERM);
    assert_saved(running);
}

#[test]
fn int_ends_a_recording_that_a_script_put_in_the_background() {
    let mut running = in_shell("trap '' INT", "record -i tone take.wav").spawn();
    running.wait_for_file(".take.wav.part", 10_000);
    running.signal(Signal::INT);
    assert_saved(running);
}

#[test]
fn a_hup_that_nohup_ignores_stays_ignored() {
    let mut running = in_shell("trap '' HUP", "record -i tone take.wav").spawn();
    running.wait_for_file(".take.wav.part", 10_000);
    running.signal(Signal::HUP);
    running.wait_for_file(".take.wav.part", 60_000);
    running.signal(Signal::TERM);
    let output = running.wait();
    output.assert_success();
    assert!(samples(output.path("take.wav")).len() > 29_000);
}

/// Waits for the first moment at which the signals are taken.
pub(crate) fn wait_for_handlers(running: &mut Running) {
    running.wait_for("handlers", |running| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).ok()?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        let caught = u64::from_str_radix(caught.trim(), 16).ok()?;
        (caught & (1 << (Signal::TERM.as_raw() - 1)) != 0).then_some(())
    });
}

#[test]
fn a_signal_while_the_device_is_opened_is_not_lost() {
    let mut running = record(&["-i", "tone", "take.wav"]).spawn();
    wait_for_handlers(&mut running);
    running.signal(Signal::TERM);
    let output = running.wait();
    // Whatever had arrived by then is saved; nothing may be left unfinished.
    assert!([Some(0), Some(1)].contains(&output.status.code()), "{}", output.context());
    assert_no_leftovers(&output);
}

/// Interrupts until it has left; what follows at once is taken for the same wish.
fn interrupt_again(running: &mut Running) {
    wait::until("it leaves", String::new, || {
        if !running.is_running() {
            return Some(());
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        if running.is_running() {
            running.signal(Signal::INT);
        }
        None
    });
}

#[test]
fn a_second_int_while_saving_leaves_at_once() {
    // Nobody reads the pipe, so saving cannot end.
    let mut running = record(&["-i", "tone", "-c", "8", "-"]).hold_stdout().spawn();
    running.wait_for_stderr("recording tone");
    running.wait_for("a full pipe", |running| blocked_in_write(running.id()).then_some(()));
    running.signal(Signal::INT);
    interrupt_again(&mut running);
    let output = running.wait();
    output.assert_exit(130).assert_stderr_contains("error: interrupted before the recording was saved");
}

#[test]
fn a_second_int_says_where_the_recording_is() {
    // Detached, so that the signals reach the program and not the tracer.
    let slow = ["-D", "-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", "inject=fsync:delay_enter=6000000"];
    let test = record(&["-i", "tone", "take.wav"]).behind("strace", slow);
    let mut running = test.spawn();
    running.wait_for_file(".take.wav.part", 10_000);
    running.signal(Signal::INT);
    interrupt_again(&mut running);
    let output = running.wait();
    output.assert_exit(130).assert_stderr_contains("error: interrupted; the unfinished recording is");
    output.assert_stderr_contains("/.take.wav.part\nhint: `dictaphone recover` makes it whole");
    assert_eq!(crate::takes::names(output.path("")), [".take.wav.part"]);
}

#[test]
fn a_second_int_after_the_recording_has_its_name_does_not_call_it_unfinished() {
    // The file is synced first, then, with its name, the folder.
    let slow = ["-D", "-f", "-qq", "-o", "/dev/null", "-e", "signal=none"];
    let words = [&slow[..], &["-e", "inject=fsync:delay_enter=6000000:when=2+"]].concat();
    let mut running = record(&["-q", "-i", "tone", "take.wav"]).behind("strace", words).spawn();
    running.wait_for_file(".take.wav.part", 10_000);
    running.signal(Signal::INT);
    running.wait_for_file("take.wav", 10_000);
    interrupt_again(&mut running);
    running.wait().assert_exit(130).assert_stderr_contains(
        "error: interrupted when the recording had its name already\n\
         hint: it is whole; whether it outlasts a power cut at this moment is not certain\n",
    );
}

/// Whether the thread that feeds standard output waits for its reader.
pub(crate) fn blocked_in_write(id: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let mut waiting = tasks.filter(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        // SYS_write with descriptor 1; only Linux on x86-64 and AArch64 number it so.
        let call = std::fs::read_to_string(task.path().join("syscall")).unwrap_or_default();
        name == "pipe\n" && (call.starts_with("1 0x1 ") || call.starts_with("64 0x1 "))
    });
    waiting.next().is_some()
}

#[test]
fn usr2_pauses_and_the_recording_can_be_stopped_then() {
    let mut running = record(&["-i", "tone", "--json", "take.wav"]).spawn();
    wait_for_nth(&mut running, "level", 2);
    running.signal(Signal::USR2);
    wait_for_nth(&mut running, "pause", 1);
    running.signal(Signal::TERM);
    let output = running.wait();
    output.assert_success();
    let events = events(&output.stdout());
    assert_eq!(order(&events), ["start", "pause", "dataavailable", "stop"]);
    let frames = events.last().unwrap()["frame"].as_u64();
    assert_eq!(frames, Some(u64::from(layout(output.path("take.wav")).2)));
}

#[test]
fn a_stopped_and_continued_recording_goes_on() {
    let mut running = record(&["-i", "tone", "-d", "1", "take.wav"]).spawn();
    running.wait_for_file(".take.wav.part", 10_000);
    running.signal(Signal::STOP);
    running.signal(Signal::CONT);
    let output = running.wait();
    output.assert_success();
    assert_eq!(layout(output.path("take.wav")).2, 48_000);
}
