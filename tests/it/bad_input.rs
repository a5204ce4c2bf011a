//! Everything a user can get wrong: one message that names the thing, one remedy, the right exit code, and no trace.

use crate::support::harness::Test;
use crate::support::process::require;
use crate::takes::{names, record};

/// What a user sees: error, hint, exit code.
type Answer = (&'static str, &'static str, i32);

const NO_DEVICE: &str = "`dictaphone devices` lists what was found; `--device tone` records a test tone";
const DURATION: &str = "write it as `90`, `1m30s`, `1.5h` or `00:01:30`";
const CLIPS_FOLDER: &str = "`--dir`, DICTAPHONE_DIR or the config names the folder of clips";
const NOT_A_FOLDER: &str = "name a folder, or a file without `/`";
const GENERATORS: &str =
    "the generators are `tone`, `tone:HZ`, `melody`, `silence` and `noise`; `--rate` sets their sample rate";
const FAST: &str = "add `--device tone`, `melody`, `silence`, `noise` or `file:PATH`, or leave --fast out";
const FAST_MIC: &str = "--fast works for generators and files only, a microphone has its own pace";
const IS_A_FILE: (&str, &str) = ("old.wav exists", "`--force` replaces it once the new one is complete");

#[track_caller]
fn assert_refused(test: &Test, (text, hint, code): Answer) {
    let before = names(test.path(""));
    let output = test.run();
    output.assert_exit(code).assert_stderr(&format!("error: {text}\nhint: {hint}\n")).assert_stdout("");
    assert_eq!(names(output.path("")), before, "{}", output.context());
    assert_eq!(names(test.home()), Vec::<String>::new(), "{}", output.context());
}

#[test]
fn every_mistake_has_its_message_its_remedy_and_its_code() {
    let table: &[(&str, Answer)] = &[
        // Devices.
        ("", ("no input device", NO_DEVICE, 4)),
        ("x.wav", ("no input device", NO_DEVICE, 4)),
        ("-i nope x.wav", ("no device `nope`", NO_DEVICE, 4)),
        ("-i \x1b[31m x.wav", ("no device `\\u{1b}[31m`", NO_DEVICE, 4)),
        ("-i | x.wav", ("the device has an empty name", "`dictaphone devices` lists what can be written here", 2)),
        ("-i tone:0 x.wav", ("'0' is not a frequency: a tone is 'tone:HZ', such as tone:440", GENERATORS, 2)),
        ("-i tone:x x.wav", ("'x' is not a frequency: a tone is 'tone:HZ', such as tone:440", GENERATORS, 2)),
        ("-i tone:30000 x.wav", ("a tone of 30000 Hz needs a sample rate above 60000 Hz", GENERATORS, 2)),
        ("-i silence:1 x.wav", ("'silence' takes no parameter, but got '1'", GENERATORS, 2)),
        ("-i file: x.wav", ("`file:` needs a path", "`--device file:PATH` plays a sound file", 2)),
        (
            "-i file:nope.wav x.wav",
            ("cannot read nope.wav: No such file or directory", "`--device file:PATH` plays a sound file", 4),
        ),
        (
            "-i file:old.wav x.wav",
            (
                "old.wav is text, not a sound file",
                "`sox FILE x.wav` or `ffmpeg -i FILE x.wav` makes a WAV file of most others",
                1,
            ),
        ),
        // Numbers.
        (
            "-i tone -d 0 x.wav",
            ("invalid value '0' for '--duration <T>': a length of zero records nothing", DURATION, 2),
        ),
        ("-i tone -d -5 x.wav", ("invalid value '-5' for '--duration <T>': a length cannot be negative", DURATION, 2)),
        ("-i tone -d soon x.wav", ("invalid value 'soon' for '--duration <T>': not a length of time", DURATION, 2)),
        (
            "-i tone -d 1:75 x.wav",
            ("invalid value '1:75' for '--duration <T>': seconds go up to 59 in a clock time", DURATION, 2),
        ),
        ("-i tone -d 1ns x.wav", ("invalid value '1ns' for '--duration <T>': not a length of time", DURATION, 2)),
        (
            "-i tone -d 0.000001 x.wav",
            ("the duration is shorter than one frame", "write something like `90` or `1m30s`", 2),
        ),
        (
            "-i tone -r 7 x.wav",
            (
                "invalid value '7' for '--rate <HZ>': sample rates go from 1000 to 384000 Hz",
                "speech needs 16000, music 48000",
                2,
            ),
        ),
        (
            "-i tone -c 0 x.wav",
            (
                "invalid value '0' for '--channels <N>': from 1 to 64 channels can be recorded",
                "1 is mono, 2 is stereo",
                2,
            ),
        ),
        (
            "-i tone --map 0 x.wav",
            (
                "invalid value '0' for '--map <CHANNELS>': channels are counted from 1",
                "the first is `1`; write it as `3`, `1,4`, `left` or `1+2`",
                2,
            ),
        ),
        (
            "-i tone --map 1+ x.wav",
            (
                "invalid value '1+' for '--map <CHANNELS>': a channel is missing",
                "the first is `1`; write it as `3`, `1,4`, `left` or `1+2`",
                2,
            ),
        ),
        (
            "-i tone --map x x.wav",
            (
                "invalid value 'x' for '--map <CHANNELS>': not a list of channels",
                "the first is `1`; write it as `3`, `1,4`, `left` or `1+2`",
                2,
            ),
        ),
        (
            "-i tone -b s8 x.wav",
            (
                "invalid value 's8' for '--sample-format <FORMAT>': not a sample format",
                "there are s16, s24, s32, f32",
                2,
            ),
        ),
        ("-i tone -f mp3 x.wav", ("invalid value 'mp3' for '--format <FORMAT>'", "one of wav, flac, opus, raw", 2)),
        (
            "-i tone x.mp3",
            (
                "unknown file format `mp3` of x.mp3",
                "the formats are wav, flac, opus, raw; `--format` sets one whatever the name is",
                2,
            ),
        ),
        (
            "-i tone --gain 500 x.wav",
            (
                "invalid value '500' for '--gain <DB>': gain goes from -120 to 120 dB",
                "6 dB is twice as loud a signal",
                2,
            ),
        ),
        (
            "-i tone --preset hifi x.wav",
            ("invalid value 'hifi' for '--preset <PRESET>'", "one of voice, cd, studio", 2),
        ),
        // Places.
        ("-i tone old.wav", (IS_A_FILE.0, IS_A_FILE.1, 2)),
        ("-i tone old.wav/", ("old.wav/ is not a folder", NOT_A_FOLDER, 2)),
        ("-i tone old.wav/x.wav", ("old.wav is not a folder", NOT_A_FOLDER, 2)),
        ("-i tone old.wav/a/x.wav", ("old.wav/a is not a folder", NOT_A_FOLDER, 2)),
        ("-i tone --dir old.wav", ("old.wav is not a folder", CLIPS_FOLDER, 2)),
        ("-i tone --dir old.wav/x", ("old.wav/x is not a folder", CLIPS_FOLDER, 2)),
        (
            "-i tone /dev/null",
            (
                "/dev/null is not an ordinary file",
                "`-` writes to standard output, which the shell can send anywhere",
                2,
            ),
        ),
        (
            "-i tone --fast -d 1 /proc/x.wav",
            (
                "cannot create the file of the recording: No such file or directory",
                "it was to become /proc/x.wav; FILE or `--dir` names another place",
                1,
            ),
        ),
        // Names.
        (
            "-i tone --name |",
            (
                "invalid value '' for '--name <TEMPLATE>': nothing is left of the name",
                "`dictaphone record --help` tells what can be written here",
                2,
            ),
        ),
        (
            "-i tone --name a/b",
            ("invalid value 'a/b' for '--name <TEMPLATE>': a name holds no folder", "`--dir` or FILE says where", 2),
        ),
        (
            "-i tone --name %H:%M",
            (
                "invalid value '%H:%M' for '--name <TEMPLATE>': no `:` in a name, other systems refuse it",
                "`%H-%M-%S` gives the time with dashes",
                2,
            ),
        ),
        // Words that contradict each other.
        ("-i tone --dir a x.wav", ("--dir and FILE both say where the recording goes", "leave one of them out", 2)),
        (
            "-i tone --name x x.wav",
            ("--name and x.wav both name the recording", "write a folder instead of the file, or leave --name out", 2),
        ),
        (
            "-i tone --force",
            ("--force needs a FILE to replace", "a new name in the clips folder never overwrites anything", 2),
        ),
        (
            "-i tone --force ./",
            ("--force needs a file, and ./ is a folder", "a new name in a folder never overwrites anything", 2),
        ),
        (
            "-i tone --force -",
            (
                "--force needs a file, and `-` is standard output",
                "leave --force out, or write a file name instead of `-`",
                2,
            ),
        ),
        (
            "-i tone --print-path --json x.wav",
            ("--print-path and --json both want standard output", "the event dataavailable of --json has the path", 2),
        ),
        ("--fast -d 1 x.wav", (FAST_MIC, FAST, 2)),
        ("-i USB --fast -d 1 x.wav", (FAST_MIC, FAST, 2)),
        ("-i tone --fast x.wav", ("--fast with `tone` never ends", "say how long with `--duration`", 2)),
        // Words that do not exist.
        (
            "--durations 5 x.wav",
            ("unexpected argument '--durations' found", "a similar argument exists: '--duration'", 2),
        ),
        (
            "x.wav y.wav",
            ("unexpected argument 'y.wav' found", "`dictaphone record --help` tells what can be written here", 2),
        ),
    ];
    for (line, answer) in table {
        // A bar stands for an empty word.
        let words: Vec<&str> = line.split_whitespace().map(|word| if word == "|" { "" } else { word }).collect();
        assert_refused(&record(&words).file("old.wav", "not sound"), *answer);
    }
}

#[test]
fn a_mistake_keeps_the_file_that_exists() {
    let output = record(&["-i", "tone", "--fast", "-d", "1", "old.wav"]).file("old.wav", "precious").run();
    output.assert_exit(2);
    assert_eq!(std::fs::read(output.path("old.wav")).unwrap(), b"precious");
    // Also when the replacement comes to nothing.
    let output = record(&["-i", "file:nope", "--force", "old.wav"]).file("old.wav", "precious").run();
    output.assert_exit(4);
    assert_eq!(std::fs::read(output.path("old.wav")).unwrap(), b"precious");
}

#[test]
fn a_file_system_that_cannot_be_written_is_told() {
    require(&["unshare", "mount"]);
    let script = format!(
        "mkdir disk && mount -t tmpfs -o ro tmpfs disk && exec {} record -i tone disk/take.wav",
        env!("CARGO_BIN_EXE_dictaphone")
    );
    let output = Test::new().program("unshare").args(["--map-root-user", "--mount", "sh", "-c", &script]).run();
    output.assert_exit(1).assert_stderr(
        "error: cannot create the file of the recording: Read-only file system\n\
         hint: it was to become disk/take.wav; FILE or `--dir` names another place\n",
    );
}

#[test]
fn a_sound_file_without_a_frame_is_no_microphone() {
    let test = Test::new().args(["record", "-i", "file:empty.wav", "x.wav"]);
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    hound::WavWriter::create(test.path("empty.wav"), spec).unwrap().finalize().unwrap();
    assert_refused(&test, ("`file:empty.wav` holds no sound", "`dictaphone info` tells what is in a file", 1));
}

#[test]
fn a_folder_that_belongs_to_somebody_else_is_told() {
    // Without its powers even root meets the permissions of a folder.
    let script = format!(
        "mkdir sealed && chmod 555 sealed && exec setpriv --bounding-set -all --inh-caps -all {} record -i tone sealed/take.wav",
        env!("CARGO_BIN_EXE_dictaphone")
    );
    let output = Test::new().program("sh").args(["-c", &script]).run();
    output.assert_exit(5).assert_stderr(
        "error: cannot create the file of the recording: Permission denied\n\
         hint: it was to become sealed/take.wav; FILE or `--dir` names another place\n",
    );
}

#[test]
fn a_clip_in_a_folder_that_belongs_to_somebody_else_is_not_deleted_and_that_is_told() {
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let script = format!(
        "mkdir sealed && {program} record -q -i tone --fast -d 1 sealed/take.wav && chmod 555 sealed &&
         exec setpriv --bounding-set -all --inh-caps -all {program} delete sealed/take.wav"
    );
    let output = Test::new().program("sh").args(["-c", &script]).run();
    output.assert_exit(5);
    let told = output.stderr();
    assert!(told.starts_with("error: cannot move ") && told.ends_with("Permission denied\n"), "{told}");
    assert_eq!(names(output.path("sealed")), ["take.wav"]);
}

#[test]
fn a_clips_folder_that_is_none_is_told_by_every_command_that_needs_it() {
    for command in [&["record", "-i", "tone"][..], &["list"], &["list", "--json"], &["recover"]] {
        let test = Test::new().args(command.iter().copied()).file("old.wav", "not sound");
        let expected = ("old.wav is not a folder", CLIPS_FOLDER, 2);
        assert_refused(&test.clone().args(["--dir", "old.wav"]), expected);
        assert_refused(&test.env("DICTAPHONE_DIR", "old.wav"), expected);
    }
    let missing = ("cannot read nowhere: No such file or directory", CLIPS_FOLDER, 1);
    assert_refused(&Test::new().args(["list", "--dir", "nowhere"]), missing);
}

#[test]
fn an_unknown_command_is_answered_with_the_known_one() {
    let output = Test::new().arg("devies").run();
    output.assert_exit(2);
    output.assert_stderr(
        "error: unrecognized subcommand 'devies'\nhint: similar subcommands exist: 'levels', 'devices'\n",
    );
}

#[test]
fn without_a_command_help_is_shown_as_a_mistake() {
    let output = Test::new().run();
    output.assert_exit(2).assert_stdout("").assert_stderr_contains("Usage: dictaphone");
}
