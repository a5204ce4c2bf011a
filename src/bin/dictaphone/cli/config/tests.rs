//! Tables of files and what is made of them.

use std::time::Duration;

use clap::ValueEnum as _;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dictaphone::audio::SampleFormat;
use proptest::prelude::*;

use super::*;
use crate::{
    cli::{Color, Preset, container::Container},
    message::exit::Exit,
    tui::keymap::{Action, Scene},
};

fn parse(text: &str) -> Result<Config, Failure> {
    of_bytes(text.as_bytes())
}

/// Settled for the screen, which needs all of it.
fn of_bytes(bytes: &[u8]) -> Result<Config, Failure> {
    let mut config = Config::parse(Path::new("c.toml"), bytes, None);
    config.settle(Need::Screen).map(|_| config)
}

#[test]
fn what_the_screen_does_is_a_matter_of_taste() {
    let habits = |text: &str| parse(text).map(|config| config.habits).map_err(|failure| failure.message.text);
    let two = Habits { back_step: Duration::from_secs(2), crossfade: true };
    assert_eq!(habits("back_step = \"2s\"\ncrossfade = true\n"), Ok(two));
    assert_eq!(habits("back-step = 2\ncrossfade = true\n"), Ok(two));
    assert_eq!(habits(""), Ok(Habits::default()));
    let depth = parse("sample_format = 's24'").unwrap().record.capture.sample_format;
    assert_eq!(depth, Some(SampleFormat::S24), "a flag is written as TOML is, too");
    for (text, word) in [
        ("back_step = \"soon\"", "not a length of time"),
        ("back_step = true", "is a length of time"),
        ("back_step = \"-2s\"", "cannot be negative"),
        ("crossfade = \"5ms\"", "true or false"),
    ] {
        let told = habits(text).unwrap_err();
        assert!(told.contains("c.toml:1: ") && told.contains(word), "{text}: {told}");
    }
}

#[test]
fn every_kind_of_value_reaches_its_flag() {
    let config = parse(
        "# mine\nduration = 00:01:30\ndevice = 'USB \"Mic\"'\nformat = \"raw\"\nrate = 48_000\nchannels = 1\n\
         sample-format = \"s24\"\npreset = \"studio\"\ngain = -3.5\nname = \"take {n}\"\nforce = true\npaused = false\n\
         quiet = true\ncolor = \"never\"\n",
    );
    let Config { record, common, .. } = config.unwrap();
    assert_eq!(record.duration, Some(Duration::from_secs(90)));
    assert_eq!(record.capture.device.as_deref(), Some("USB \"Mic\""));
    assert_eq!((record.capture.format, record.capture.rate), (Some(Container::named("raw")), Some(48_000)));
    assert_eq!((record.capture.channels, record.capture.sample_format), (Some(1), Some(SampleFormat::S24)));
    assert_eq!((record.capture.preset, record.capture.gain), (Some(Preset::Studio), Some(-3.5)));
    assert!(record.capture.name.is_some_and(|name| name.is_numbered()));
    assert_eq!((record.force, record.paused, common.quiet, common.color), (true, false, true, Some(Color::Never)));
}

#[test]
fn lengths_of_time_may_be_numbers_and_texts() {
    for (value, seconds) in
        [("90", 90.0), ("1.5", 1.5), ("\"1m30s\"", 90.0), ("\"1:30.5\"", 90.5), ("01:00:00", 3600.0)]
    {
        let config = parse(&format!("duration = {value}")).unwrap();
        assert_eq!(config.record.duration, Some(Duration::from_secs_f64(seconds)), "{value}");
    }
}

#[test]
fn every_flag_of_record_is_a_key() {
    for arg in record_command().get_arguments().filter(|arg| arg.get_long().is_some()) {
        let key = arg.get_long().unwrap_or_default();
        let value = if super::flags::takes_value(arg) { "true" } else { "1" };
        let failure = parse(&format!("{key} = {value}")).unwrap_err();
        let expected = if NOT_IN_CONFIG.contains(&key) && key != PROFILE { "unknown key" } else { "is " };
        assert!(failure.message.text.contains(expected), "{key}: {}", failure.message.text);
    }
}

#[test]
fn a_path_may_begin_at_home() {
    let home = dirs::home_dir().unwrap();
    let dir = |text: &str| parse(text).unwrap().record.capture.dir.unwrap();
    assert_eq!(dir("dir = '~/takes'"), home.join("takes"));
    assert_eq!(dir("dir = '/a/~/b'"), Path::new("/a/~/b"));
    assert_eq!(parse("device = '~/x'").unwrap().record.capture.device.as_deref(), Some("~/x"));
}

#[test]
fn what_is_wrong_is_told_with_file_line_and_remedy() {
    for (text, said, hint) in [
        ("rate = 48000\n\ndurations = 5", "c.toml:3: unknown key `durations`", "a similar key exists: `duration`"),
        ("\"x\\ny\" = 5", "c.toml:1: unknown key `x\ny`", "the keys are "),
        ("config = 'x'", "c.toml:1: unknown key `config`", "the keys are "),
        ("help = true", "c.toml:1: unknown key `help`", "the keys are "),
        ("file = 'x'", "c.toml:1: unknown key `file`", "the keys are "),
        ("dir = ''", "c.toml:1: ", "`dictaphone record --help`"),
        (
            "# x\nduration = 'abc'",
            "c.toml:2: invalid value 'abc' for '--duration <T>': not a length of time",
            "write it as `90`, `1m30s`, `1.5h` or `00:01:30`",
        ),
        ("rate = 0", "c.toml:1: invalid value '0' for '--rate <HZ>': sample rates go from", "speech needs 16000"),
        ("rate = 0x10", "c.toml:1: invalid value '0x10' for '--rate <HZ>': not a sample rate", "write it as `48000`"),
        ("format = 'mp3'", "c.toml:1: invalid value 'mp3' for '--format <FORMAT>'", "one of wav, "),
        ("name = ''", "c.toml:1: invalid value '' for '--name <TEMPLATE>': nothing is left", "record --help"),
        ("name = 'a/b'", "c.toml:1: invalid value 'a/b' for '--name <TEMPLATE>': a name holds no folder", "--dir"),
        ("force = 'yes'", "c.toml:1: `force` is either true or false", "write it as `force = true`"),
        ("device = true", "c.toml:1: `device` is a text or a number", "write it as `device = \"…\"`"),
        ("[record]\nrate = 48000", "c.toml:1: unknown table `record`", "above every table"),
        ("[rate]\nx = 1", "c.toml:1: `rate` is a text or a number", "write it as"),
        ("rate = 1000\nrate = 2000", "c.toml:2: ", "TOML"),
        ("rate 48000", "c.toml:1: ", "TOML"),
        ("name = \"a", "c.toml:1: ", "texts stand in quotes"),
        ("a = 1\n\u{0}", "c.toml:2: ", "TOML"),
        ("keys = 'x'", "c.toml:1: `keys` is a table", "[keys]"),
        ("[keys]\nfly = 'x'", "c.toml:2: the screen has no action `fly`", "the actions are record, "),
        ("[keys]\nmark = 'xx'", "c.toml:2: `xx` is no key", "a key is a character"),
        ("[keys]\nmark = ['f5', 'ctrl-c']", "c.toml:2: `ctrl-c` has its meaning already", "ctrl-c saves and quits"),
        ("[keys]\nmark = 5.5", "c.toml:2: `5.5` is no key", "a key is a character"),
        ("[keys]\nmark = true", "c.toml:2: `mark` has keys", "write it as `mark = \"ctrl-x\"`"),
        (
            "[keys]\ndiscard = 'x'\nmark = 'x'",
            "c.toml:3: `x` already asks for `discard`",
            "give `discard` another key, or none: `discard = []`",
        ),
        ("[keys]\nmark = 'q'\nquit = 'q'", "c.toml:3: `q` already asks for `mark`", "mark = []"),
    ] {
        let failure = parse(text).err().unwrap_or_else(|| panic!("{text:?} was taken"));
        assert_eq!(failure.exit, Exit::Usage, "{text:?}");
        assert!(failure.message.text.starts_with(said), "{text:?} gave {:?}", failure.message.text);
        assert!(!failure.message.text.ends_with('.'), "{:?}", failure.message.text);
        let remedy = failure.message.hint.unwrap_or_default();
        assert!(remedy.contains(hint), "{text:?} gave the hint {remedy:?}");
        assert!(!remedy.contains('\n'), "{text:?} gave the hint {remedy:?}");
    }
}

#[test]
fn what_is_no_text_is_told_with_its_line() {
    let failure = of_bytes(b"rate = 1000\nname = '\xff'").unwrap_err();
    assert_eq!(failure.message.text, "c.toml:2: not a text in UTF-8");
}

#[test]
fn the_keys_of_the_screen_can_be_swapped_added_and_taken_away() {
    let keymap =
        parse("[keys]\nrecord = 'q'\nquit = ['r', 'ctrl-q']\nmark = []\ntenth = []\nplay = 7\n").unwrap().keymap;
    let press = |code, held, scene| keymap.action(KeyEvent::new(code, held), scene);
    assert_eq!(press(KeyCode::Char('q'), KeyModifiers::NONE, Scene::Idle), Some(Action::Record));
    assert_eq!(press(KeyCode::Char('r'), KeyModifiers::NONE, Scene::Idle), Some(Action::Quit));
    assert_eq!(press(KeyCode::Char('q'), KeyModifiers::CONTROL, Scene::Recorder), Some(Action::Quit));
    assert_eq!(press(KeyCode::Char('m'), KeyModifiers::NONE, Scene::Recorder), None);
    assert_eq!(press(KeyCode::Char('7'), KeyModifiers::NONE, Scene::Idle), Some(Action::Play));
    assert_eq!(press(KeyCode::Char(' '), KeyModifiers::NONE, Scene::Idle), None);
}

#[test]
fn the_reference_tells_what_can_be_written() {
    let reference = include_str!("../../../../../docs/REFERENCE.md");
    let example = reference.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let config = parse(example).unwrap();
    assert_eq!(config.record.capture.preset, Some(Preset::Voice));
    for action in Action::value_variants() {
        assert!(reference.contains(&format!("`{}`", action.name())), "{action:?}");
    }
}

#[test]
fn a_mistake_matters_only_where_it_is_needed() {
    let text = "rate = 8000\n[keys]\nfly = 'x'\n";
    let settle = |text: &str, need| Config::parse(Path::new("c.toml"), text.as_bytes(), None).settle(need);
    assert!(settle(text, Need::Screen).unwrap_err().message.text.starts_with("c.toml:3: the screen has no action"));
    assert_eq!(settle(text, Need::Recording).unwrap().len(), 1);
    for (text, need, fails) in [
        ("rat = 8000", Need::Recording, true),
        ("rat = 8000", Need::Folder, false),
        ("dir = 3.5\nrat = 1", Need::Folder, false),
        ("dir = true", Need::Folder, true),
        ("dir = ", Need::Folder, true),
        ("dir = ", Need::Nothing, false),
    ] {
        assert_eq!(settle(text, need).is_err(), fails, "{text:?} {need:?}");
    }
}

#[test]
fn a_profile_stands_in_for_what_is_above_it() {
    let text =
        "preset = 'voice'\nchannels = 1\n[profile.meeting]\nchannels = 2\nduration = '2h'\n[profile.memo]\nrate = 0\n";
    let parse = |profile| Config::parse(Path::new("c.toml"), text.as_bytes(), profile);
    let meeting = parse(Some("meeting"));
    assert_eq!((meeting.record.capture.preset, meeting.record.capture.channels), (Some(Preset::Voice), Some(2)));
    assert_eq!(meeting.record.duration, Some(Duration::from_secs(7200)));
    assert_eq!(meeting.profiles, ["meeting", "memo"]);
    let lines: Vec<(&str, usize)> =
        meeting.settings.iter().map(|setting| (setting.key.as_str(), setting.line)).collect();
    assert_eq!(lines, [("preset", 1), ("channels", 4), ("duration", 5)]);
    assert_eq!(parse(None).record.capture.channels, Some(1));
    let unknown = parse(Some("choir")).with_profile(Some("choir")).unwrap_err();
    assert_eq!(unknown.message.text, "the config has no profile 'choir'");
    // Every profile is checked, so that a mistake is reported before the profile is needed, and prevents nothing until
    // then.
    for need in [Need::Recording, Need::Screen, Need::Folder] {
        let told = parse(Some("meeting")).settle(need).unwrap();
        assert!(told.len() == 1 && told[0].text.starts_with("c.toml:7: "), "{told:?}");
    }
    assert_eq!(parse(Some("memo")).settle(Need::Recording).unwrap_err().exit, Exit::Usage);
}

#[test]
fn a_flag_wins_over_the_config() {
    let config = parse("color = 'always'\nquiet = true\nlog = 'a.log'").unwrap();
    let given = Common { color: Some(Color::Never), log: Some("b.log".into()), ..Common::default() };
    let filled = config.fill(&given);
    assert_eq!((filled.color, filled.quiet, filled.log), (Some(Color::Never), true, Some("b.log".into())));
    assert_eq!(config.fill(&Common::default()).log, Some("a.log".into()));
}

proptest! {
    #[test]
    fn any_file_is_taken_or_refused_in_one_line(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Err(failure) = of_bytes(&bytes) {
            prop_assert!(failure.message.text.starts_with("c.toml:"));
        }
    }

    #[test]
    fn any_text_is_taken_or_refused(text in "((rate|name|force|keys|mark|\\[keys\\]|=|'|\"|[a-z0-9.\\[\\]{}-]| |\n){0,24})") {
        if let Err(failure) = parse(&text) {
            prop_assert!(failure.message.text.starts_with("c.toml:"), "{}", failure.message.text);
        }
    }
}
