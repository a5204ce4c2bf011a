//! Programs that run when a file is safe: `--on-saved`.

use crate::support::harness::Test;
use crate::takes::record;

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
