//! The config file: what it sets, what takes precedence over it, and the message when it cannot be used.

use crate::support::harness::Test;
use crate::support::terminal::{Terminal, keys};
use crate::takes::{layout, names, record};

/// A call with this config in its usual place.
fn configured(words: &[&str], config: &str) -> Test {
    let test = record(words);
    let home = test.home();
    test.file(home.join(".config/dictaphone/config.toml"), config)
}

#[test]
fn the_flags_of_record_have_their_defaults_in_the_config() {
    let config = "device = 'tone'\nduration = 0.5\npreset = 'voice'\nfast = true\nquiet = true\n";
    let output = configured(&["a.wav"], config).run();
    output.assert_success().assert_stdout("a.wav\n").assert_stderr("");
    assert_eq!(layout(output.path("a.wav")), (16_000, 1, 8_000));
    let output = configured(&["-d", "0.25", "--preset", "cd", "a.wav"], config).run();
    output.assert_success();
    assert_eq!(layout(output.path("a.wav")), (44_100, 2, 11_025));
}

#[test]
fn the_clips_folder_is_the_flag_the_environment_or_that_of_the_config() {
    let config = "dir = '~/takes'\nname = 'x'\ndevice = 'tone'\nfast = true\nduration = 0.1\n";
    let test = configured(&[], config);
    test.run().assert_success();
    assert_eq!(names(test.home().join("takes")), ["x.wav"]);
    let list = test.clone().again().arg("list").run();
    list.assert_success().assert_stdout_contains("x  ");
    let test = configured(&[], config).env("DICTAPHONE_DIR", "env");
    test.run().assert_success().assert_stdout("env/x.wav\n");
    let test = configured(&["--dir", "flag"], config).env("DICTAPHONE_DIR", "env");
    test.run().assert_success().assert_stdout("flag/x.wav\n");
}

#[test]
fn a_config_can_be_named_and_left_out() {
    let words = ["-i", "tone", "--fast", "a.wav"];
    let test = configured(&words, "duration = 0.1").file("other.toml", "duration = 0.2");
    test.clone().args(["--config", "other.toml"]).run().assert_success();
    assert_eq!(layout(test.path("a.wav")).2, 9_600);
    let output = configured(&words, "duration = 0.1").args(["--config", "/dev/null"]).run();
    output.assert_exit(2).assert_stderr_contains("never ends");
}

#[track_caller]
fn assert_refused(test: &Test, text: &str, hint: &str) {
    let before = names(test.path(""));
    let output = test.run();
    output.assert_exit(2).assert_stdout("").assert_stderr(&format!("error: {text}\nhint: {hint}\n"));
    assert_eq!(names(test.path("")), before, "{}", output.context());
}

#[test]
fn a_config_that_cannot_be_used_is_told_in_one_line() {
    let call = || record(&["-i", "tone", "-d", "1", "--fast", "--config", "c", "a.wav"]);
    let toml = "a config is TOML, as in `preset = \"voice\"`";
    let quotes = format!("{toml}; texts stand in quotes");
    let mends = "`--config` names a file in TOML";
    assert_refused(&call(), "cannot read the config c: No such file or directory", mends);
    assert_refused(&call().file("c/x", ""), "cannot read the config c: Is a directory", mends);
    let huge = "#".repeat((1 << 20) + 1);
    assert_refused(&call().file("c", huge), "cannot read the config c: larger than 1 MiB, which no config is", mends);
    assert_refused(&call().file("c", b"rate = 8000\n\xff\xfe"), "c:2: not a text in UTF-8", toml);
    assert_refused(&call().file("c", "\n\nrate = = 5"), "c:3: extra `=`, expected nothing", &quotes);
    let similar = "a similar key exists: `duration`";
    assert_refused(&call().file("c", "# x\ndurations = 5"), "c:2: unknown key `durations`", similar);
    assert_refused(
        &call().file("c", "duration = 'soon'"),
        "c:1: invalid value 'soon' for '--duration <T>': not a length of time",
        "write it as `90`, `1m30s`, `1.5h` or `00:01:30`",
    );
    let clash = call().file("c", "[keys]\ndiscard = 'x'\nmark = 'x'").run();
    clash.assert_success().assert_stderr_contains(
        "warning: c:3: `x` already asks for `discard`\nhint: give `discard` another key, or none: `discard = []`\n",
    );
}

#[test]
fn a_usual_config_that_cannot_be_read_is_told_with_its_way_out() {
    let test = Test::new().file("x", "");
    let config = test.home().join(".config/dictaphone/config.toml");
    std::fs::create_dir_all(&config).unwrap();
    let text = format!("cannot read the config {}: Is a directory", config.display());
    let way_out = "mend it, or leave it out with `--config /dev/null`";
    for command in ["record", "list", "devices", "recover"] {
        assert_refused(&test.clone().arg(command), &text, way_out);
    }
    // What is the same for everybody does not depend on it.
    for words in [&["man"][..], &["completions", "bash"], &["--help"], &["record", "--help"], &["--version"]] {
        test.clone().args(words.iter().copied()).run().assert_success().assert_stderr("");
    }
}

#[test]
fn a_config_that_belongs_to_somebody_else_is_told() {
    let script = format!(
        "touch c && chmod 000 c && exec setpriv --bounding-set -all --inh-caps -all {} list --config c",
        env!("CARGO_BIN_EXE_dictaphone")
    );
    let output = Test::new().program("sh").args(["-c", &script]).run();
    output
        .assert_exit(2)
        .assert_stderr("error: cannot read the config c: Permission denied\nhint: `--config` names a file in TOML\n");
}

#[test]
fn the_screen_takes_its_device_its_folder_and_its_keys_from_the_config() {
    let config = "device = 'tone'\ndir = 'mine'\nname = 'x'\njson = true\nduration = 0.1\n\
                  [keys]\nrecord = 'f5'\nstop = ['ctrl-s', 'r']\ninputs = []\n";
    let test = Test::new().env("LC_ALL", "C.UTF-8");
    let home = test.home();
    let test = test.file(home.join(".config/dictaphone/config.toml"), config);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("READY");
    terminal.wait_for("clips · mine");
    terminal.wait_for("F5 record");
    terminal.send("?");
    terminal.wait_for("F5         record");
    assert!(!terminal.text().contains(" i  "), "{}", terminal.text());
    terminal.send("?");
    terminal.wait_for("READY");
    terminal.send("\x1b[15~");
    terminal.wait_for("ctrl-s stop");
    // What the config says of `record` alone does not end it.
    terminal.wait_for("00:00:01");
    terminal.send("\x13");
    terminal.wait_for("saved; name:");
    terminal.send(keys::ESCAPE);
    terminal.wait_for_no("saved; name:");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
    assert_eq!(names(test.path("mine")), ["x.wav"]);
}

#[test]
fn a_mistake_in_the_config_is_a_warning_where_it_is_not_needed() {
    let config = "rat = 8000\n[keys]\nfly = 'x'\n";
    let test = configured(&["-i", "tone", "-d", "0.1", "--fast", "a.wav"], "[keys]\nfly = 'x'\n");
    test.run().assert_success().assert_stderr_contains("warning: ").assert_stderr_contains("no action `fly`");
    let test = configured(&["-i", "tone", "-d", "0.1", "--fast", "a.wav"], config);
    test.run().assert_exit(2).assert_stderr_contains("unknown key `rat`");
    let list = test.again().args(["list", "--dir", "."]).run();
    list.assert_success()
        .assert_stderr_contains("warning: ")
        .assert_stderr_contains("config.toml:1: unknown key `rat`");
    let words = ["-i", "tone", "-d", "0.1", "--fast", "a.wav"];
    let profile = "[profile.other]\nchannels = 'many'\n";
    configured(&words, profile)
        .run()
        .assert_success()
        .assert_stderr_contains("warning: ")
        .assert_stderr_contains("many");
    let asked = configured(&words, profile).args(["--profile", "other"]).run();
    asked.assert_exit(2).assert_stderr_contains("config.toml:2: ");
}

#[test]
fn a_flag_is_written_as_in_toml_or_as_on_the_command_line() {
    let config = "sample_format = 's24'\non_saved = ['true', 'true']\n[profile.flat]\nsample-format = 's32'\n";
    let test = configured(&["-q", "-i", "tone", "-d", "0.1", "--fast", "a.wav"], config);
    let output = test.run();
    output.assert_success();
    assert_eq!(hound::WavReader::open(output.path("a.wav")).unwrap().spec().bits_per_sample, 24);
    let output = test.again().args(["config", "--profile", "flat"]).run();
    output.assert_success().assert_stderr("");
    for line in ["sample-format s32 config, line 4", "on-saved true · true config, line 2"] {
        let is_there = output.stdout().lines().any(|row| row.split_whitespace().eq(line.split_whitespace()));
        assert!(is_there, "{line}\n{}", output.stdout());
    }
}

#[test]
fn a_profile_of_the_config_stands_in_for_flags() {
    let config = "preset = 'voice'\nfast = true\nduration = 0.1\n[profile.meeting]\nchannels = 2\nduration = 0.2\n";
    let words = ["-q", "-i", "tone", "a.wav"];
    configured(&words, config).run().assert_success();
    let output = configured(&words, config).args(["--profile", "meeting"]).run();
    output.assert_success();
    assert_eq!(layout(output.path("a.wav")), (16_000, 2, 3_200));
    let output = configured(&words, config).args(["--profile", "choir"]).run();
    output.assert_exit(2).assert_stderr("error: the config has no profile 'choir'\nhint: the profiles are meeting\n");
}

#[test]
fn config_shows_what_is_in_force_and_where_it_comes_from() {
    let config = "preset = 'voice'\nback_step = '2s'\n[profile.meeting]\nchannels = 2\n[keys]\nrecord = 'f5'\n";
    let test = configured(&[], config).again().env("DICTAPHONE_DIR", "/takes").env("NO_COLOR", "1");
    let output = test.clone().args(["config", "--profile", "meeting"]).run();
    output.assert_success().assert_stderr("");
    let text = output.stdout();
    for line in [
        "profiles meeting",
        "preset voice config, line 1",
        "back_step 2s config, line 2",
        "crossfade no built in",
        "channels 2 config, line 4",
        "keys.record F5 config, line 6",
        "dir /takes DICTAPHONE_DIR",
        "color never NO_COLOR",
        "rate 16000 preset voice",
        "hang 2s with vox built in",
        "map no built in",
    ] {
        let is_there = text.lines().any(|row| row.split_whitespace().eq(line.split_whitespace()));
        assert!(is_there, "{line}\n{text}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&test.again().args(["config", "--json"]).run().stdout).unwrap();
    assert!(json["path"].as_str().unwrap().ends_with("dictaphone/config.toml") && json["exists"] == true, "{json}");
    assert!(
        json["values"].as_array().unwrap().iter().any(|value| value["key"] == "preset" && value["value"] == "voice")
    );
    let broken = configured(&[], "rat = 1\n").again().arg("config").run();
    broken.assert_exit(2).assert_stderr_contains("unknown key `rat`").assert_stdout_contains("preset");
}

/// What a shell is offered behind these words.
fn offered(test: &Test, shell: &str, words: &[&str]) -> String {
    let index = words.len().to_string();
    let test = test.clone().again().env("COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", index).env("_CLAP_IFS", "\n");
    let output = test.args(["--", "dictaphone"]).args(words.iter().copied()).run();
    output.assert_success().stdout()
}

#[test]
fn a_shell_is_offered_devices_clips_formats_and_profiles() {
    let config = "[profile.meeting]\nchannels = 2\n";
    let test = configured(&[], config).again();
    let folder = test.home().join("takes");
    let test = test.file(folder.join("interview-anna.wav"), "").env("DICTAPHONE_DIR", &folder);
    let test = test.file("speech.flac", "").file("speech.txt", "");
    for shell in ["bash", "zsh", "fish"] {
        for (words, expected) in [
            (&["record", "--device", "to"][..], "tone"),
            (&["play", "inter"], "interview-anna"),
            (&["record", "--format", ""], "flac"),
            (&["record", "--profile", ""], "meeting"),
            (&["comp"], "completions"),
        ] {
            let said = offered(&test, shell, words);
            assert!(said.contains(expected), "{shell} {words:?}: {said}");
        }
        let said = offered(&test, shell, &["play", "speech"]);
        assert!(said.contains("speech.flac") && !said.contains("speech.txt"), "{shell}: {said}");
        let script = test.clone().again().args(["completions", shell]).run();
        script.assert_success().assert_stdout_contains("COMPLETE");
    }
}
