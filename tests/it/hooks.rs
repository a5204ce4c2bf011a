//! Programs that run when a file is safe: `--on-saved`.

use rustix::process::Signal;

use crate::support::harness::Test;
use crate::support::terminal::Terminal;
use crate::support::wait;
use crate::takes::{names, record};

/// A recording of the tone whose hook is a script in the folder.
fn hooked(script: &str, words: &[&str]) -> Test {
    let test = record(&["-i", "tone", "-d", "0.2", "--fast"]).file("hook.sh", script);
    test.args(words.iter().copied())
}

#[test]
fn a_hook_is_told_about_the_finished_file() {
    let script = "echo \"$1|$DICTAPHONE_PATH|$DICTAPHONE_NAME|$DICTAPHONE_FORMAT|$DICTAPHONE_DURATION_S|\
                  $DICTAPHONE_LOST_FRAMES|$DICTAPHONE_EVENT\" >> told; soxi -s \"$1\" >> told; echo hello";
    let output =
        hooked(script, &["--on-saved", "sh ./hook.sh {}", "--on-saved", "sh -c 'echo second >> told'", "a.flac"]).run();
    // Standard output is the path alone; what the hook prints is for people.
    output.assert_success().assert_stdout("a.flac\n").assert_stderr_contains("hello\n");
    let path = output.path("a.flac").canonicalize().unwrap();
    let path = path.display();
    let told = std::fs::read_to_string(output.path("told")).unwrap();
    assert_eq!(told, format!("{path}|{path}|a|flac|0.200|0|saved\n9600\nsecond\n"));
}

#[test]
fn a_hook_that_fails_is_a_warning_and_the_recording_is_whole() {
    let output = hooked("echo no route to host >&2; exit 7", &["--on-saved", "sh hook.sh", "a.wav"]).run();
    output.assert_success().assert_stdout("a.wav\n");
    output.assert_stderr_contains("warning: `sh hook.sh` for ").assert_stderr_contains("exit code 7: no route to host");
    let output = hooked("rm \"$DICTAPHONE_PATH\"; kill -9 $$", &["--on-saved", "sh hook.sh", "a.wav"]).run();
    output.assert_success().assert_stderr_contains("ended by a signal");
}

#[test]
fn a_hook_that_cannot_run_is_refused_before_anything_is_recorded() {
    for (line, said) in
        [("no-such-program {}", "no program 'no-such-program'"), ("sh 'x", "quote"), ("", "names no program")]
    {
        let output = record(&["-i", "tone", "-d", "0.2", "--fast", "--on-saved", line, "a.wav"]).run();
        output.assert_exit(2).assert_stderr_contains(said);
        assert!(!output.path("a.wav").exists());
    }
}

#[test]
fn hooks_can_stand_in_the_config() {
    let test = record(&["-i", "tone", "-d", "0.1", "--fast", "a.wav"]);
    let config = test.home().join(".config/dictaphone/config.toml");
    let test = test.file(config, "on-saved = [\"sh -c 'echo 1 >> told'\", \"sh -c 'echo 2 >> told'\"]\n");
    let output = test.run();
    output.assert_success();
    assert_eq!(std::fs::read_to_string(output.path("told")).unwrap(), "1\n2\n");
}

#[test]
fn hooks_run_once_a_file_in_the_order_of_the_files_and_never_two_at_a_time() {
    // Whoever begins while another runs would find its mark.
    let script = "[ ! -e running ] || echo two at a time >> told; touch running; sleep 0.02; \
                  echo \"$1 $DICTAPHONE_NAME\" >> told; rm running";
    let test =
        hooked(script, &["--split", "50ms", "--on-saved", "sh hook.sh first", "--on-saved", "sh hook.sh second"]);
    let output = test.arg("x.wav").run();
    output.assert_success();
    let told = std::fs::read_to_string(output.path("told")).unwrap();
    let expected: String = (1..=4).map(|number| format!("first x-{number}\nsecond x-{number}\n")).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_file_after_which_nothing_is_recorded_has_its_hook_once() {
    let test = record(&["-i", "tone", "--on-saved", "sh hook.sh", "x.wav"]);
    let test = test.file("hook.sh", "echo $DICTAPHONE_NAME >> told");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("REC");
    for (key, text) in [(" ", "PAUSE"), ("n", "saved x.wav")] {
        terminal.send(key);
        terminal.wait_for(text);
    }
    terminal.send("q");
    assert_eq!(terminal.wait(), 0, "{}", terminal.text());
    assert_eq!(std::fs::read_to_string(test.path("told")).unwrap(), "x\n");
}

#[test]
fn a_hook_that_fails_under_the_screen_is_a_line_in_it() {
    let test = Test::new().args(["--device", "tone", "--dir", "takes"]).env("LC_ALL", "C.UTF-8");
    let config = test.home().join(".config/dictaphone/config.toml");
    let hook = format!("on-saved = [\"sh {}\"]\n", test.path("hook.sh").display());
    let test = test.file(config, hook).file("hook.sh", "echo printed; echo more; exit 3");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("READY");
    terminal.send("r");
    terminal.wait_for("REC");
    terminal.send("s");
    terminal.wait_for("it ended with exit code 3");
    assert!(!terminal.text().contains("printed") && !terminal.text().contains("warning:"), "{}", terminal.text());
}

#[test]
fn a_hook_that_hangs_is_waited_for_until_a_second_ctrl_c() {
    let words = ["--on-saved", "sh -c 'touch hangs; sleep 30'", "a.wav"];
    let mut running = hooked("", &words).spawn();
    running.wait_for("the hook", |running| running.path("hangs").exists().then_some(()));
    running.signal(Signal::INT);
    // A press that follows at once is the same press.
    wait::until("the end", String::new, || {
        if running.is_running() {
            running.signal(Signal::INT);
            return None;
        }
        Some(())
    });
    let output = running.wait();
    output.assert_exit(130).assert_stderr_contains("interrupted; the recording is saved in a.wav");
    assert_eq!(names(output.path("")), ["a.wav", "hangs", "hook.sh"]);
}

#[test]
fn hooks_of_the_config_hold_for_the_screen_too() {
    let test = Test::new().args(["--device", "tone", "--dir", "takes"]).env("LC_ALL", "C.UTF-8");
    let config = test.home().join(".config/dictaphone/config.toml");
    let told = test.path("told");
    let hook = format!("on-saved = [\"sh -c 'echo $DICTAPHONE_FORMAT {{}} >> {}'\"]\n", told.display());
    let test = test.file(config, hook);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("READY");
    terminal.send("r");
    terminal.wait_for("REC");
    terminal.send("s");
    let line = wait::until(
        "the hook",
        || terminal.text(),
        || std::fs::read_to_string(&told).ok().filter(|told| told.ends_with('\n')),
    );
    assert!(line.starts_with("wav /") && std::path::Path::new(line[4..].trim()).exists(), "{line}");
}
