//! By hand, with a virtual microphone and a virtual loudspeaker.

use super::*;
use crate::support::{
    analysis::analyse,
    pulse::PulseServer,
    server::{Microphone, Player, Server as _},
    signal::PositionCode,
};

/// A server with the microphone `mic`, into which code is played, and a loudspeaker.
pub(super) fn studio() -> (PulseServer, Player) {
    let mut server = PulseServer::start();
    server.add_microphone(Microphone { channels: 2, ..Microphone::named("speaker") });
    assert!(server.core().ask("pactl", &["set-default-sink", "speaker"]).is_some());
    let player = speak(&server);
    (server, player)
}

/// Plays sound into the microphone, which one that was plugged in again does not have yet.
pub(super) fn speak(server: &PulseServer) -> Player {
    let code = server.runtime().join("code.wav");
    PositionCode::mono().write_wav(&code, 600 * 48_000);
    server.play(&code)
}

/// The screen on the folder `takes`, in that studio. Whoever plays needs a cookie, which the user's home has otherwise.
pub(super) fn screen_in(server: &PulseServer) -> Test {
    let cookie = server.runtime().join("cookie");
    std::fs::write(&cookie, [7; 256]).unwrap();
    Test::new().server(server).env("PULSE_COOKIE", cookie).args(["--dir", "takes"]).env("LC_ALL", "C.UTF-8")
}

fn samples(path: &Path) -> Vec<i16> {
    hound::WavReader::open(path).unwrap().into_samples().map(Result::unwrap).collect()
}

/// The time that the status line shows.
fn time(terminal: &Terminal) -> String {
    let text = terminal.text();
    let words = text.lines().nth(1).unwrap_or_default().split_whitespace();
    words.into_iter().find(|word| word.contains(':')).unwrap_or_default().to_owned()
}

#[track_caller]
fn wait_for_time(terminal: &mut Terminal, fits: impl Fn(&str) -> bool) {
    let found = wait::poll(wait::DEADLINE, || Some(time(terminal)).filter(|time| fits(time)));
    assert!(found.is_some(), "{}", terminal.text());
}

#[test]
fn a_take_of_the_virtual_microphone_goes_through_everything() {
    let (server, _player) = studio();
    let test = screen_in(&server);
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("READY");
    terminal.wait_for("48 kHz mono");
    let part = begin(&mut terminal, &folder, "r", 96_000);

    terminal.send(" ");
    terminal.wait_for("PAUSE");
    let paused = time(&terminal);
    terminal.send("m");
    terminal.wait_for("marker 1");
    assert_eq!(time(&terminal), paused, "no time is recorded while paused");
    terminal.send(" ");
    terminal.wait_for("REC");
    wait_for_growth(&part, 96_000);
    terminal.send("s");
    terminal.wait_for("saved; name:");
    let saved = wait_for_names(&folder, |names| names.len() == 1 && names[0].ends_with(".wav"));
    let recorded = samples(&folder.join(&saved[0]));
    assert!(recorded.len() >= 90_000);
    let report = analyse(&recorded);
    assert!(report.lost.len() <= 1 && report.doubled.is_empty(), "only the pause is missing: {report:?}");

    terminal.send(CTRL_U);
    terminal.send("first\r");
    terminal.wait_for("renamed to first");
    assert_eq!(names(&folder), ["first.wav"]);

    terminal.send(" ");
    terminal.wait_for("PLAY");
    terminal.send(" ");
    terminal.wait_for("HOLD");
    terminal.send(keys::RIGHT);
    wait_for_time(&mut terminal, |time| time >= "00:00:01.8");
    terminal.send(keys::LEFT);
    wait_for_time(&mut terminal, |time| time == "00:00:00.0");
    terminal.send(".");
    terminal.wait_for("marker at");
    wait_for_time(&mut terminal, |time| time > "00:00:00.5");
    // A click in the middle of the waveform, as terminals tell it, and the button is up again.
    terminal.send("\x1b[<0;40;6M\x1b[<0;40;6m");
    let middle = recorded.len() as f64 / 48_000.0 * 38.0 / 77.0;
    let place = format!("00:00:0{}.{}", middle as u64, (middle * 10.0) as u64 % 10);
    wait_for_time(&mut terminal, |time| time == place);
    terminal.send("b");
    terminal.wait_for("A 00:00:0");
    terminal.send(keys::RIGHT);
    wait_for_time(&mut terminal, |time| time > place.as_str());
    terminal.send("b");
    terminal.wait_for("A-B 00:00:0");
    terminal.send("b");
    terminal.wait_for_no("A-B");
    terminal.send("]+");
    terminal.wait_for("1.1×");
    terminal.wait_for("vol 110%");

    terminal.send("n");
    terminal.wait_for("new name:");
    terminal.send(CTRL_U);
    terminal.send("second\r");
    terminal.wait_for("renamed to second");
    assert_eq!(names(&folder), ["second.wav"]);
    terminal.wait_for("HOLD");
    // While it is played.
    terminal.send("d");
    terminal.wait_for("is in the trash");
    assert!(names(&folder).is_empty());
    terminal.wait_for("READY");
    terminal.send("u");
    terminal.wait_for("is back");
    assert_eq!(names(&folder), ["second.wav"]);
    assert_eq!(samples(&folder.join("second.wav")), recorded);

    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
    assert!(!terminal.look(|screen| screen.alternate_screen()));
}

#[test]
fn a_clip_is_heard_while_another_is_recorded_without_a_gap() {
    let (server, _player) = studio();
    let test = screen_in(&server);
    let folder = test.path("takes");
    std::fs::create_dir_all(&folder).unwrap();
    PositionCode::mono().write_wav(&folder.join("old.wav"), 20 * 48_000);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("▸ old");
    let part = begin(&mut terminal, &folder, "r", 0);
    terminal.send(keys::TAB);
    terminal.send(" ");
    terminal.wait_for("▶ old");
    wait_for_growth(&part, 192_000);
    assert!(terminal.text().contains("REC") && terminal.text().contains("▶ old"), "{}", terminal.text());
    terminal.send("s");
    terminal.wait_for("saved; name:");
    terminal.send("\r");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
    let saved = self::names(&folder).into_iter().find(|name| name.starts_with("20")).unwrap();
    analyse(&samples(&folder.join(saved))).assert_contiguous();
}

#[test]
fn the_input_is_chosen_by_its_level_and_remembered() {
    let (mut server, _player) = studio();
    let test = screen_in(&server);
    let kept = test.home().join(".local/state/dictaphone/input");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("READY");
    terminal.send("i");
    terminal.wait_for("input");
    let levels = |screen: &vt100::Screen| {
        let text = screen.contents();
        let rows: Vec<&str> = text.lines().filter(|line| line.contains("pulseaudio")).collect();
        // The default one hears the code, the other one nothing.
        matches!(rows[..], [mic, speaker] if mic.contains("* ") && mic.contains('█') && speaker.contains("-inf"))
    };
    terminal.wait_until("the levels of both", levels);
    // What is recorded of a loudspeaker stands behind every microphone.
    let text = terminal.text();
    let rows = text.lines().filter(|line| line.contains("pulseaudio") || line.contains("alsa"));
    let down = rows.collect::<Vec<_>>().iter().rposition(|line| line.contains("pulseaudio")).unwrap();
    terminal.send(&format!("{}\r", "j".repeat(down)));
    terminal.wait_for_no("Enter Esc");
    terminal.wait_for("48 kHz stereo");
    let chosen = wait::poll(wait::DEADLINE, || std::fs::read_to_string(&kept).ok()).unwrap();
    assert!(chosen.starts_with("pulseaudio:speaker"), "{chosen}");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);

    let mut terminal = Terminal::run(&test);
    terminal.wait_for("48 kHz stereo");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);

    server.remove_microphone("speaker");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("is not there, this is");
    terminal.wait_for("48 kHz mono");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn a_microphone_that_goes_while_it_is_recorded_leaves_its_take_and_comes_again() {
    let (mut server, _player) = studio();
    let test = screen_in(&server);
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("48 kHz mono");
    begin(&mut terminal, &folder, "r", 96_000);
    server.remove_microphone("mic");
    let saved = wait_for_names(&folder, |names| names.len() == 1 && names[0].ends_with(".wav"));
    analyse(&samples(&folder.join(&saved[0]))).assert_contiguous();
    terminal.wait_for("NO INPUT");
    terminal.send(keys::ESCAPE);
    terminal.wait_for_no("saved; name:");
    server.restore_microphone("mic");
    server.set_default_source("mic.monitor");
    // Without a key: what comes back is opened by itself.
    terminal.wait_for("48 kHz mono");
    terminal.send("q");
    assert_eq!(terminal.wait(), 3, "the reason of the end was noted");
}

#[test]
fn a_recording_survives_that_its_screen_is_suspended() {
    let (server, _player) = studio();
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let script = format!("set -m; {program} --dir takes; echo back in the shell; read line; fg; echo over");
    let test = Test::new().server(&server).program("bash").args(["-c", &script]).env("LC_ALL", "C.UTF-8");
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("48 kHz mono");
    let part = begin(&mut terminal, &folder, "r", 96_000);
    terminal.send(keys::CTRL_Z);
    terminal.wait_for("back in the shell");
    assert!(!terminal.look(vt100::Screen::alternate_screen));
    terminal.send("\n");
    terminal.wait_for("REC");
    wait_for_growth(&part, 192_000);
    terminal.send("s");
    terminal.wait_for("saved; name:");
    terminal.send("\r");
    terminal.send("q");
    terminal.wait_for("over");
    let saved = wait_for_names(&folder, |names| names.len() == 1 && names[0].ends_with(".wav"));
    let report = analyse(&samples(&folder.join(&saved[0])));
    let silence: u64 = report.silence.iter().map(|span| span.count).sum();
    assert!(report.doubled.is_empty(), "{report:?}");
    // What the server did not keep meanwhile is silence of the same length, give or take one of its blocks.
    assert!(report.lost_samples().abs_diff(silence) <= 4_800, "{report:?}");
}

#[test]
fn who_presses_late_pulls_the_start_back_into_what_was_kept() {
    let (server, _player) = studio();
    let test = screen_in(&server);
    let home = test.home();
    let test = test.file(home.join(".config/dictaphone/config.toml"), "pre_roll = \"2s\"\n");
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("keeps the last 2 s");
    terminal.wait_for("48 kHz mono");
    // Ten columns of a letter's width are a second.
    let is_drawn = |c: &char| ('\u{2801}'..='\u{28ff}').contains(c);
    terminal.wait_until("a second of sound", |screen| screen.contents().chars().filter(is_drawn).count() >= 5 * 10);
    let part = begin(&mut terminal, &folder, "r", 48_000);
    terminal.wait_for("start earlier");
    let before = size(&part);
    terminal.send(keys::LEFT);
    terminal.wait_for("more is not kept");
    let text = terminal.text();
    let taken = text.lines().nth(1).and_then(|line| line.split_once("  from ")?.1.split_once(" s before"));
    let taken: f64 = taken.expect("what is taken of it").0.parse().unwrap();
    let bytes = (taken * 96_000.0) as u64;
    assert!((0.8..=2.0).contains(&taken), "{taken}");
    // What was kept is on the disk at once, in the file that is named by its first frame.
    let is_larger = |name: &String| name.ends_with(".part") && size(&folder.join(name)) >= before + bytes;
    wait_for_names(&folder, |names| names.len() == 1 && names.iter().all(is_larger));
    terminal.send(" ");
    terminal.wait_for("PAUSE");
    terminal.wait_for_no("start earlier");
    terminal.send("s");
    terminal.wait_for("saved; name:");
    let name = names(&folder).remove(0);
    let recorded = samples(&folder.join(&name));
    analyse(&recorded).assert_contiguous();
    assert!(recorded.len() as u64 * 2 >= before + bytes, "{} frames", recorded.len());
    terminal.send("\r");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn the_channels_of_an_input_are_chosen_by_their_levels_and_remembered_with_it() {
    let server = PulseServer::start_with(Microphone { channels: 4, ..Microphone::named("mic") });
    // The microphone is on the third input of the interface.
    let code = server.runtime().join("third.wav");
    let spec = hound::WavSpec {
        channels: 4,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&code, spec).unwrap();
    PositionCode::mono().samples(0, 120 * 48_000).into_iter().for_each(|sample| {
        [0, 0, sample, 0].into_iter().for_each(|sample| wav.write_sample(sample).unwrap());
    });
    wav.finalize().unwrap();
    let _player = server.play(&code);
    let test = screen_in(&server);
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("READY");
    terminal.send("i");
    terminal.wait_for("keeps all · 1 to 4 choose");
    terminal.wait_until("the level of the third channel", |screen| {
        let text = screen.contents();
        let line =
            text.lines().find(|line| line.contains(" 3 ") && line.contains(" 4 ")).unwrap_or_default().to_owned();
        let meter =
            |channel: &str| line.split(&format!(" {channel} ")).nth(1).is_some_and(|rest| rest.starts_with('█'));
        meter("3") && !meter("1") && !meter("4")
    });
    terminal.send("3");
    terminal.wait_for("keeps 3 · 0 keeps all");
    terminal.send("\r");
    terminal.wait_for_no("Enter Esc");
    terminal.wait_for("48 kHz mono");
    begin(&mut terminal, &folder, "r", 96_000);
    terminal.send("s");
    terminal.wait_for("saved; name:");
    terminal.send("\r");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
    let saved = self::names(&folder).into_iter().find(|name| name.starts_with("20")).unwrap();
    analyse(&samples(&folder.join(saved))).assert_contiguous();

    // It is the default of `record` as well, and said.
    let output = test.clone().again().args(["record", "-d", "0.5", "next.wav"]).run();
    output.assert_success().assert_stderr_contains("only channel 3 is kept");
    assert_eq!(hound::WavReader::open(output.path("next.wav")).unwrap().spec().channels, 1);
    let output = test.clone().again().args(["record", "-d", "0.5", "--map", "1,3", "both.wav"]).run();
    output.assert_success();
    assert!(!output.stderr().contains("is kept"), "{}", output.stderr());
    assert_eq!(hound::WavReader::open(output.path("both.wav")).unwrap().spec().channels, 2);
}
