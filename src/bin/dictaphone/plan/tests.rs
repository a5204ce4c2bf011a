//! Tables of command lines and what is decided about them, on a file system that exists only here.

use clap::Parser as _;

use super::*;
use crate::{
    cli::{
        CaptureArgs, Cli, Subcommand,
        name::{self, Template},
    },
    message::{Message, exit::Exit},
};

fn look(path: &Path) -> PathKind {
    match path.to_str().unwrap() {
        "/" | "takes" | "takes/" | "/home/zoe" | "/music" | "." | ".." | "v1.5" => PathKind::Folder,
        "old.wav" | "old" | "old.wav/" => PathKind::File,
        "/dev/null" | "pipe.wav" => PathKind::Other,
        _ => PathKind::Nothing,
    }
}

fn around() -> Surroundings<'static> {
    Surroundings {
        stdout_is_terminal: true,
        stdout_is_closed: false,
        defaults: RecordArgs::default(),
        dictaphone_dir: None,
        music_folder: Some("/music".into()),
        home: Some("/home/zoe".into()),
        look: &look,
    }
}

fn piped() -> Surroundings<'static> {
    Surroundings { stdout_is_terminal: false, ..around() }
}

fn words(line: &str) -> RecordArgs {
    let words = ["dictaphone", "record"].into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(words).unwrap().command {
        Some(Subcommand::Record(args)) => *args,
        other => panic!("{other:?}"),
    }
}

fn plan(line: &str, around: &Surroundings<'_>) -> Result<Record, Failure> {
    record(words(line), around)
}

/// The plan for a command line, with the config `defaults`.
fn configured(line: &str, defaults: &str) -> Result<Record, Failure> {
    plan(line, &Surroundings { defaults: words(defaults), ..around() })
}

fn new_in(folder: &str) -> Target {
    Target::NewIn(folder.into(), Template::parse(name::DEFAULT).unwrap())
}

fn named(folder: &str, name: &str) -> Target {
    Target::NewIn(folder.into(), Template::parse(name).unwrap())
}

fn file(path: &str, existing: Existing) -> Target {
    Target::File(path.into(), existing)
}

#[test]
fn the_words_decide_where_the_recording_goes() {
    for (line, target) in [
        ("", new_in("/music/Recordings")),
        ("--dir takes", new_in("takes")),
        ("--dir new", new_in("new")),
        ("takes", new_in("takes")),
        ("takes/", new_in("takes/")),
        ("v1.5", new_in("v1.5")),
        ("a.wav", file("a.wav", Existing::Keep)),
        ("takes/a.wav", file("takes/a.wav", Existing::Keep)),
        ("a", file("a", Existing::Keep)),
        ("--force a.wav", file("a.wav", Existing::Replace)),
        ("--force old.wav", file("old.wav", Existing::Replace)),
        ("--name x takes", Target::NewIn("takes".into(), Template::parse("x").unwrap())),
    ] {
        assert_eq!(plan(line, &around()).unwrap().target, target, "{line}");
    }
    assert_eq!(plan("-", &piped()).unwrap().target, Target::Stdout);
}

/// Flags that need another one, of which one is enough.
const NEEDS: [(&str, &[&str]); 3] = [
    ("--split-align", &["--split 1h"]),
    ("--threshold -40", &["--vox", "--vox=level", "--vox-split"]),
    ("--hang 1s", &["--vox", "--vox=level", "--vox-split"]),
];

/// Flags that contradict each other.
const CONTRARY: [(&str, &[&str]); 6] = [
    ("-", &["--split 1h", "--split 1MB", "--vox-split", "--keep 1h", "--also takes", "--force", "--print-path"]),
    ("--vox-split", &["--split 1h", "--split 1MB"]),
    ("-f raw", &["--keep 1h"]),
    ("--print-path", &["--json"]),
    ("--dir takes", &["-", "a.wav", "--also takes"]),
    ("--name x", &["-", "a.wav"]),
];

/// Flags that go with everything except as listed above.
const OTHERS: [&str; 12] = [
    "a.wav",
    "--max-size 1MB",
    "--vox",
    "--vox=level",
    "--pre-roll 1s",
    "--stop-on-silence 1m",
    "--wait-device 1s",
    "--reconnect 1s",
    "--cue",
    "--paused",
    "--max-size 20kB",
    "-d 1s",
];

fn is_in(table: &[(&str, &[&str])], one: &str, other: &str) -> bool {
    table.iter().any(|(flag, others)| *flag == one && others.contains(&other))
}

/// The other flag is not what the first one needs.
fn lacks(one: &str, other: &str) -> bool {
    NEEDS.iter().any(|(flag, _)| *flag == one) && !is_in(&NEEDS, one, other)
}

#[test]
fn every_pair_of_flags_goes_together_or_is_refused_in_one_line() {
    let first = NEEDS.iter().chain(&CONTRARY).flat_map(|(flag, others)| std::iter::once(flag).chain(*others));
    let mut flags: Vec<&str> = first.chain(&OTHERS).copied().collect();
    flags.sort_unstable();
    flags.dedup();
    // The same flag in two forms is refused by clap.
    let name = |flag: &str| flag.split([' ', '=']).next().unwrap_or_default().to_owned();
    for (at, one) in flags.iter().enumerate() {
        for other in flags[at + 1..].iter().filter(|other| name(other) != name(one)) {
            let is_file = |flag: &&str| matches!(*flag, "-" | "a.wav");
            if is_file(one) && is_file(other) {
                continue;
            }
            let expected = is_in(&CONTRARY, one, other)
                || is_in(&CONTRARY, other, one)
                || lacks(one, other)
                || lacks(other, one)
                || [one, other].contains(&&"--force") && *one != "a.wav" && *other != "a.wav";
            let line = format!("{one} {other}");
            match plan(&line, &piped()) {
                Ok(_) => assert!(!expected, "`{line}` is taken"),
                Err(failure) => {
                    let Message { text, hint } = failure.message;
                    assert!(expected, "`{line}`: {text}");
                    assert_eq!(failure.exit, Exit::Usage, "`{line}`: {text}");
                    assert!(!text.contains('\n') && hint.is_some(), "`{line}`: {text}");
                }
            }
        }
    }
}

#[test]
fn what_the_config_says_of_all_recordings_is_left_out_where_it_cannot_be() {
    let defaults = "--split 1h --split-align --keep 7d --also takes";
    let steps = |line: &str| {
        let around = Surroundings { defaults: words(defaults), ..piped() };
        plan(line, &around).unwrap().steps
    };
    let file = steps("a.wav");
    assert!(file.split.is_some() && file.keep.is_some() && file.also.is_some());
    assert_eq!(steps("-"), Steps::default());
    let raw = steps("a.raw");
    assert!(raw.split.is_some() && raw.keep.is_none());
}

#[test]
fn the_clips_folder_is_the_flag_then_the_environment_then_the_config_then_the_music_folder() {
    let defaults = words("--dir /config");
    let with_env = Surroundings { dictaphone_dir: Some("/env".into()), defaults, ..around() };
    assert_eq!(plan("", &with_env).unwrap().target, new_in("/env"));
    assert_eq!(configured("", "--dir /config").unwrap().target, new_in("/config"));
    assert_eq!(plan("--dir takes", &with_env).unwrap().target, new_in("takes"));
    let empty_env = Surroundings { dictaphone_dir: Some("".into()), ..around() };
    assert_eq!(plan("", &empty_env).unwrap().target, new_in("/music/Recordings"));
    let no_music = Surroundings { music_folder: None, ..around() };
    assert_eq!(plan("", &no_music).unwrap().target, new_in("/home/zoe/Music/Recordings"));
    let nowhere = Surroundings { music_folder: None, home: None, ..around() };
    assert_eq!(plan("", &nowhere).unwrap_err().exit, Exit::Usage);
}

#[test]
fn the_flag_then_the_extension_decides_the_format() {
    for (line, container) in [
        ("", Container::named("wav")),
        ("a.wav", Container::named("wav")),
        ("a.WAV", Container::named("wav")),
        ("a.raw", Container::named("raw")),
        ("a.pcm", Container::named("raw")),
        ("a.flac", Container::named("flac")),
        ("a.Opus", Container::named("opus")),
        ("a.ogg", Container::named("opus")),
        ("-f opus -c 2 a", Container::named("opus")),
        ("a", Container::named("wav")),
        (".hidden", Container::named("wav")),
        ("-f raw a.wav", Container::named("raw")),
        ("-f wav a.mp3", Container::named("wav")),
        ("-f raw takes", Container::named("raw")),
        ("v1.5", Container::named("wav")),
    ] {
        assert_eq!(plan(line, &around()).unwrap().container, container, "{line}");
    }
    assert_eq!(plan("-", &piped()).unwrap().container, Container::named("wav"));
}

#[test]
fn explicit_flags_override_the_parts_of_a_preset() {
    use SampleFormat::{F32, S16, S24};
    for (line, rate, channels, format) in [
        ("", None, None, S16),
        ("-r 8000", Some(8000), None, S16),
        ("--preset voice", Some(16_000), Some(1), S16),
        ("--preset cd", Some(44_100), Some(2), S16),
        ("--preset studio", Some(48_000), Some(2), S24),
        ("--preset studio -c 1", Some(48_000), Some(1), S24),
        ("-b f32 -r 96k --preset voice", Some(96_000), Some(1), F32),
    ] {
        let plan = plan(line, &around()).unwrap();
        assert_eq!((plan.sample_rate, plan.channels, plan.sample_format), (rate, channels, format), "{line}");
    }
}

#[test]
fn standard_output_carries_the_path_or_json_or_audio() {
    for (line, terminal, json, path) in [
        ("", true, None, false),
        ("", false, None, true),
        ("--print-path", true, None, true),
        ("-q", false, None, true),
        ("--json", true, Some(JsonTo::Stdout), false),
        ("--json", false, Some(JsonTo::Stdout), false),
        ("-", false, None, false),
        ("- --json", false, Some(JsonTo::Stderr), false),
    ] {
        let plan = plan(line, &Surroundings { stdout_is_terminal: terminal, ..around() }).unwrap();
        assert_eq!((plan.json, plan.prints_path), (json, path), "{line}");
    }
}

#[test]
fn a_device_without_a_name_is_refused() {
    let args = RecordArgs {
        capture: CaptureArgs { device: Some(" ".into()), ..CaptureArgs::default() },
        ..RecordArgs::default()
    };
    assert!(record(args, &around()).unwrap_err().message.text.contains("device"));
}

#[test]
fn only_what_has_no_pace_of_its_own_runs_fast() {
    for line in ["-i tone -d 5", "-i tone:440 -d 5", "-i silence -d 5", "-i noise -d 5", "-i file:a.wav"] {
        assert_eq!(plan(&format!("--fast {line}"), &around()).unwrap().pace, Pace::Fast, "{line}");
        assert_eq!(plan(line, &around()).unwrap().pace, Pace::RealTime, "{line}");
    }
    assert_eq!(plan("--fast -i tone -", &piped()).unwrap().pace, Pace::Fast);
}

#[test]
fn the_other_words_arrive_unchanged() {
    let plan = plan("-d 1:30 -i USB --gain -6 --paused", &around()).unwrap();
    assert_eq!(plan.duration, Some(Duration::from_secs(90)));
    assert_eq!((plan.device.as_deref(), plan.gain_db, plan.starts_paused), (Some("USB"), -6.0, true));
}

#[test]
fn a_default_fills_a_gap_and_never_contradicts_the_command_line() {
    let all = "-d 90 -i USB -r 8k -c 2 -b s24 --gain -6 --reconnect 5m --paused";
    let expected = plan(all, &around()).unwrap();
    for (line, defaults) in [
        ("", all),
        (all, "-d 5 -i x -r 9k -c 1 -b f32 --gain 1 --reconnect 1s"),
        ("-r 8k -c 2 -b s24 --paused", "-d 90 -i USB --preset cd --gain -6 --reconnect 5m"),
    ] {
        assert_eq!(configured(line, defaults).unwrap(), expected, "{line} / {defaults}");
    }
    assert_eq!(configured("a.wav", "--dir takes --name x").unwrap().target, file("a.wav", Existing::Keep));
    assert_eq!(configured("takes", "--dir z --name x").unwrap().target, named("takes", "x"));
    assert_eq!(configured("--name y", "--dir z --name x").unwrap().target, named("z", "y"));
    assert_eq!(configured("", "--force").unwrap().target, new_in("/music/Recordings"));
    assert_eq!(configured("old.wav", "--force").unwrap().target, file("old.wav", Existing::Replace));
    assert_eq!(configured("", "--fast").unwrap().pace, Pace::RealTime);
    assert_eq!(configured("-i tone -d 1", "--fast").unwrap().pace, Pace::Fast);
    assert!(!configured("--json", "--print-path").unwrap().prints_path);
    assert_eq!(configured("--print-path", "--json").unwrap().json, None);
}

#[test]
fn the_format_is_the_flag_then_the_extension_then_the_config() {
    for (line, container) in [
        ("", Container::named("raw")),
        ("a", Container::named("raw")),
        ("a.wav", Container::named("wav")),
        ("-f wav", Container::named("wav")),
    ] {
        assert_eq!(configured(line, "-f raw").unwrap().container, container, "{line}");
    }
}

#[test]
fn a_preset_on_the_command_line_wins_over_what_it_is_made_of_in_the_config() {
    use SampleFormat::{F32, S16, S24};
    for (line, defaults, rate, channels, format) in [
        ("--preset voice", "-r 96k -c 2 -b f32", Some(16_000), Some(1), S16),
        ("--preset voice -c 2", "-r 96k -b f32", Some(16_000), Some(2), S16),
        ("", "-r 96k --preset studio", Some(96_000), Some(2), S24),
        ("-b f32", "--preset studio", Some(48_000), Some(2), F32),
        ("--preset cd", "--preset studio", Some(44_100), Some(2), S16),
    ] {
        let plan = configured(line, defaults).unwrap();
        assert_eq!(
            (plan.sample_rate, plan.channels, plan.sample_format),
            (rate, channels, format),
            "{line} / {defaults}"
        );
    }
}

#[test]
fn contradictions_and_dangers_are_usage_errors_with_a_remedy() {
    for (line, terminal, word) in [
        ("-", true, "terminal"),
        ("--force", true, "--force"),
        ("--force -", false, "--force"),
        ("new/", true, "does not exist"),
        ("new/a.wav", true, "does not exist"),
        ("x.y/.", true, "does not exist"),
        ("--force takes", true, "folder"),
        ("--force new/", true, "folder"),
        ("--name x a.wav", true, "--name"),
        ("--name x -", false, "--name"),
        ("--print-path -", false, "--print-path"),
        ("--print-path --json", true, "--json"),
        ("--dir takes a.wav", true, "--dir"),
        ("--dir takes -", false, "--dir"),
        ("--dir old", true, "not a folder"),
        ("old.wav", true, "exists"),
        ("old.wav/", true, "not a folder"),
        ("old/a.wav", true, "old is not a folder"),
        ("/dev/null -f raw", true, "not an ordinary file"),
        ("/dev/null -f raw --force", true, "not an ordinary file"),
        ("pipe.wav --force", true, "not an ordinary file"),
        ("a.mp3", true, "unknown file format `mp3`"),
        ("a.\u{1b}", true, "\\u{1b}"),
        ("--fast", true, "microphone"),
        ("--fast -i USB", true, "microphone"),
        ("--fast -i tone", true, "never ends"),
    ] {
        let failure = plan(line, &Surroundings { stdout_is_terminal: terminal, ..around() }).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage, "{line}");
        assert!(failure.message.text.contains(word), "{line} gave {:?}", failure.message.text);
        assert!(failure.message.hint.is_some(), "{line}");
    }
}

#[test]
fn a_bit_rate_is_for_formats_that_can_choose_one() {
    let bits = |line| plan(line, &around()).map(|plan| plan.bits_per_second).map_err(|failure| failure.message);
    assert_eq!(bits("a.opus").unwrap(), None);
    assert_eq!(bits("--bitrate 24 a.opus").unwrap(), Some(24_000));
    assert_eq!(bits("--bitrate 510k -f opus").unwrap(), Some(510_000));
    // In the config it applies to the formats that have a choice.
    for (line, used) in [("a.opus", Some(24_000)), ("a.wav", None), ("--bitrate 32 a.opus", Some(32_000))] {
        assert_eq!(configured(line, "--bitrate 24").unwrap().bits_per_second, used, "{line}");
    }
    for (line, words) in [
        ("--bitrate 24 a.wav", "not for wav"),
        ("--bitrate 24 a.flac", "not for flac"),
        ("--bitrate 5 a.opus", "too few"),
        ("--bitrate 4294967295 a.opus", "too many"),
    ] {
        let message = bits(line).unwrap_err();
        assert!(message.text.contains(words) && message.hint.is_some(), "{line}: {}", message.text);
    }
}

#[test]
fn sound_that_a_format_cannot_hold_is_refused_before_anything_is_opened() {
    for (line, words) in [
        ("-b f32 a.flac", "flac files have no f32 samples"),
        ("-c 9 a.flac", "1 to 8 channels"),
        ("-r 96001 a.flac", "96001 Hz"),
        ("-c 3 a.opus", "mono or stereo"),
    ] {
        let failure = plan(line, &around()).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.text.contains(words) && failure.message.hint.is_some(), "{line}");
    }
    for line in ["--preset studio a.flac", "--preset studio a.opus", "--preset voice a.opus", "-r 192k -c 8 a.flac"] {
        assert!(plan(line, &around()).is_ok(), "{line}");
    }
}
