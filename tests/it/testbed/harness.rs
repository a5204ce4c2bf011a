//! The harness and the terminal, tested on shell scripts and on the program as it is.

use std::io::{Read, Write};

use rustix::process::Signal;

use crate::support::harness::Test;
#[cfg(target_os = "linux")]
use crate::support::process::{Process, command};
use crate::support::sandbox::Sandbox;
use crate::support::terminal::{Terminal, keys};

fn shell(script: &str) -> Test {
    Test::new().program("sh").arg("-c").arg(script)
}

/// Whether the kernel still knows the process; a dead one that nobody has waited for counts as gone.
#[cfg(target_os = "linux")]
fn exists(id: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

#[test]
fn the_program_can_be_run() {
    let output = Test::new().arg("--version").run();
    assert!(output.status.code().is_some(), "{}", output.context());
}

#[test]
fn output_and_exit_code_are_seen() {
    let output = shell("cat; echo problem >&2; exit 3").stdin("hello").run();
    output.assert_exit(3).assert_stdout("hello").assert_stderr("problem\n");
}

#[test]
fn a_failed_assertion_shows_everything() {
    let output = shell("echo out; echo err >&2; exit 3").run();
    let panic = std::panic::catch_unwind(|| output.assert_success().status).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    for part in ["exit code 0", "$ sh -c", "exit status: 3", "out\n", "err\n"] {
        assert!(message.contains(part), "{part:?} is missing in {message}");
    }
}

#[test]
fn the_environment_is_private() {
    let test = shell("env").env("EXTRA", "1");
    let output = test.run();
    output.assert_success().assert_stdout_contains("EXTRA=1\n");
    let folder = test.sandbox().path().to_string_lossy().into_owned();
    for line in output.stdout().lines() {
        let (name, value) = line.split_once('=').unwrap();
        let private =
            ["HOME", "TMPDIR", "PULSE_SERVER", "ALSA_CONFIG_PATH", "PWD"].contains(&name) || name.starts_with("XDG_");
        assert!(!private || value.contains(&folder), "{line} leads out of {folder}");
    }
}

#[test]
fn several_calls_share_a_folder() {
    let test = shell("cat a/b > c").file("a/b", "text");
    test.run().assert_success();
    let test = test.again().arg("-c").arg("cat c");
    test.run().assert_stdout("text");
}

#[test]
fn a_running_program_can_be_signalled_and_waited_for() {
    let mut running = shell("trap 'echo caught; exit 7' TERM; echo ready >&2; while :; do sleep 0.01; done").spawn();
    running.wait_for_stderr("ready");
    running.signal(Signal::TERM);
    running.wait_for_stdout("caught");
    running.wait().assert_exit(7);
}

#[test]
fn a_killed_program_is_seen_as_killed() {
    let mut running = shell("echo ready; sleep 1000").spawn();
    running.wait_for_line("ready", |line| line == "ready\n");
    running.kill().assert_killed_by(Signal::KILL).assert_stdout("ready\n");
}

#[test]
fn waiting_for_what_never_comes_ends_with_the_program() {
    let mut running = shell("echo other; exit 1").spawn();
    let waiting = std::panic::AssertUnwindSafe(|| running.wait_for_stdout("never"));
    let panic = std::panic::catch_unwind(waiting).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("other") && message.contains("it has ended"), "{message}");
}

#[test]
fn pipes_can_be_held() {
    let mut running = shell("read line; echo got $line; cat").hold_stdin().hold_stdout().spawn();
    running.stdin.as_mut().unwrap().write_all(b"one\ntwo\n").unwrap();
    drop(running.stdin.take());
    let mut text = String::new();
    running.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "got one\ntwo\n");
    running.wait().assert_success();
}

#[cfg(target_os = "linux")]
#[test]
fn children_of_a_dropped_program_are_gone() {
    let mut running = shell("sleep 1000 & echo $!; wait").spawn();
    let id = running.wait_for_line("a process id", |_| true);
    assert!(exists(&id));
    drop(running);
    crate::support::wait::until("the child is gone", || id.clone(), || (!exists(&id)).then_some(()));
}

#[cfg(target_os = "linux")]
#[test]
fn children_of_a_killed_test_program_are_gone() {
    // A shell in the role of the test program: when it is killed, what it started through `command` goes too.
    let sandbox = Sandbox::new();
    let file = sandbox.path().join("id");
    let script =
        format!("setpriv --pdeathsig KILL -- sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait", file.display());
    let mut shell = command("sh");
    shell.args(["-c", &script]);
    let mut process = Process::spawn("sh", shell);
    let id = crate::support::wait::until("an id", String::new, || std::fs::read_to_string(&file).ok());
    assert!(exists(&id));
    crate::support::wait::until(
        "setpriv has become sleep",
        || id.clone(),
        || {
            let name = std::fs::read_to_string(format!("/proc/{}/comm", id.trim())).ok()?;
            (name == "sleep\n").then_some(())
        },
    );
    process.signal(Signal::KILL);
    crate::support::wait::until("the child is gone", || id.clone(), || (!exists(&id)).then_some(()));
}

#[test]
fn a_sandbox_is_short_private_and_gone_after_use() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let path = sandbox.path().to_owned();
    assert!(sandbox.runtime().join("pulse/native").as_os_str().len() < 100);
    assert_eq!(std::fs::metadata(sandbox.runtime()).unwrap().permissions().mode() & 0o777, 0o700);
    drop(sandbox);
    assert!(!path.exists());
}

#[test]
fn a_terminal_shows_text_takes_keys_and_resizes() {
    let script =
        "trap 'stty size' WINCH; stty size; while read word; do echo \"<$word>\"; [ $word = end ] && exit 5; done";
    let mut terminal = Terminal::run_sized(&Test::new().program("bash").arg("-c").arg(script), 60, 20);
    terminal.wait_for("20 60");
    terminal.send(&format!("hello{}", keys::ENTER));
    terminal.wait_for("<hello>");
    terminal.resize(100, 30);
    terminal.send(keys::ENTER);
    terminal.wait_for("30 100");
    terminal.send(&format!("end{}", keys::ENTER));
    assert_eq!(terminal.wait(), 5);
    assert!(terminal.text().contains("<end>"), "{}", terminal.text());
}

#[test]
fn a_terminal_has_colours_an_alternate_screen_and_answers() {
    let script = "printf '\\033[?1049h\\033[31mred\\033[0m\\033[6n'; IFS= read -r -s -d R answer; \
                  printf '\\033[?1049l'; printf %s \"$answer\" | tail -c +3";
    let mut terminal = Terminal::run(&Test::new().program("bash").arg("-c").arg(script));
    terminal.wait_for("1;4");
    assert_eq!(terminal.wait(), 0);
    assert!(!terminal.look(|screen| screen.alternate_screen()));
    assert!(String::from_utf8_lossy(&terminal.raw()).contains("\x1b[31mred"));
}

#[test]
fn a_terminal_interrupts_with_ctrl_c() {
    let script = "trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.01; done";
    let mut terminal = Terminal::run(&shell(script));
    terminal.wait_for("ready");
    terminal.send(keys::CTRL_C);
    assert_eq!(terminal.wait(), 9);
    terminal.wait_for("interrupted");
}
