//! Tables of command lines and what is decided about them, on a file system that exists only here.

use clap::Parser as _;

use super::*;
use crate::{
    cli::{CaptureArgs, Cli, Command},
    exit::Exit,
};

fn look(path: &Path) -> Found {
    match path.to_str().unwrap() {
        "/" | "takes" | "takes/" | "/home/zoe" | "/music" | "." | ".." | "v1.5" => Found::Folder,
        "old.wav" | "old" | "old.wav/" => Found::File,
        "/dev/null" | "pipe.wav" => Found::Other,
        _ => Found::Nothing,
    }
}

fn around() -> Surroundings<'static> {
    Surroundings {
        stdout_is_terminal: true,
        stdout_is_closed: false,
        dictaphone_dir: None,
        music_folder: Some("/music".into()),
        home: Some("/home/zoe".into()),
        look: &look,
    }
}

fn piped() -> Surroundings<'static> {
    Surroundings { stdout_is_terminal: false, ..around() }
}

fn plan(line: &str, around: &Surroundings<'_>) -> Result<Record, Failure> {
    let words = ["dictaphone", "record"].into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(words).unwrap().command {
        Some(Command::Record(args)) => record(*args, around),
        other => panic!("{other:?}"),
    }
}

fn new_in(folder: &str) -> Target {
    Target::NewIn(folder.into(), Template::parse(name::DEFAULT).unwrap())
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
        ("new/", new_in("new/")),
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

#[test]
fn the_clips_folder_is_the_flag_then_the_environment_then_the_music_folder() {
    let with_env = Surroundings { dictaphone_dir: Some("/env".into()), ..around() };
    assert_eq!(plan("", &with_env).unwrap().target, new_in("/env"));
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
        ("", Container::Wav),
        ("a.wav", Container::Wav),
        ("a.WAV", Container::Wav),
        ("a.raw", Container::Raw),
        ("a.pcm", Container::Raw),
        ("a", Container::Wav),
        (".hidden", Container::Wav),
        ("-f raw a.wav", Container::Raw),
        ("-f wav a.mp3", Container::Wav),
        ("-f raw takes", Container::Raw),
        ("x.y/", Container::Wav),
        ("v1.5", Container::Wav),
    ] {
        assert_eq!(plan(line, &around()).unwrap().container, container, "{line}");
    }
    assert_eq!(plan("-", &piped()).unwrap().container, Container::Wav);
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
fn contradictions_and_dangers_are_usage_errors_with_a_remedy() {
    for (line, terminal, word) in [
        ("-", true, "terminal"),
        ("--force", true, "--force"),
        ("--force -", false, "--force"),
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
