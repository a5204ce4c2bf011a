//! `dictaphone devices`: what a private PulseAudio has, as a table and as JSON.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;

use serde_json::Value;

use crate::support::harness::Test;
use crate::support::pulse::PulseServer;
use crate::support::server::{Microphone, Server};
use crate::takes::names;

/// A server with two microphones, of which `mic` is the default.
fn server() -> PulseServer {
    let mut server = PulseServer::start();
    server.add_microphone(Microphone { channels: 2, rate: 44_100, ..Microphone::named("line") });
    server
}

fn list(server: &PulseServer, words: &[&str]) -> Vec<Value> {
    let output = Test::new().arg("devices").args(words.iter().copied()).arg("--json").server(server).run();
    output.assert_success().assert_stderr("");
    assert_eq!(output.stdout().lines().count(), 1, "{}", output.context());
    serde_json::from_str(&output.stdout()).unwrap()
}

#[test]
fn the_table_has_every_input_and_marks_the_default() {
    let server = server();
    let output = Test::new().arg("devices").server(&server).run();
    output.assert_success().assert_stderr("");
    let text = output.stdout();
    let line = |id: &str| text.lines().find(|line| line.contains(id)).unwrap_or_else(|| panic!("{id} in\n{text}"));
    assert!(line("pulseaudio:mic.monitor").starts_with("* in  "), "{text}");
    assert!(line("pulseaudio:line.monitor").starts_with("  in  "), "{text}");
    assert!(
        line("pulseaudio:mic.monitor").contains("48,") && line("pulseaudio:mic.monitor").contains(" kHz"),
        "{text}"
    );
    assert!(!text.contains("  out  "), "{text}");
}

#[test]
fn json_has_every_field_of_every_device() {
    let server = server();
    let devices = list(&server, &[]);
    for device in &devices {
        for (field, is_right) in [
            ("id", device["id"].is_string()),
            ("name", device["name"].as_str().is_some_and(|name| !name.is_empty())),
            ("host", device["host"].is_string()),
            ("kind", device["kind"] == "input"),
            ("default", device["default"].is_boolean()),
            ("channels", device["channels"].as_u64().is_some_and(|channels| channels > 0)),
            ("sample_rates", device["sample_rates"].as_array().is_some_and(|r| r.iter().all(Value::is_u64))),
            ("sample_formats", device["sample_formats"].as_array().is_some_and(|f| f.iter().all(Value::is_string))),
        ] {
            assert!(is_right, "{field} of {device}");
        }
    }
    let default = &devices[0];
    assert_eq!((&default["id"], &default["default"]), (&"pulseaudio:mic.monitor".into(), &true.into()));
    assert_eq!(
        devices.iter().filter(|device| device["default"] == true && device["host"] == default["host"]).count(),
        1
    );
    let line = devices.iter().find(|device| device["id"] == "pulseaudio:line.monitor").unwrap();
    assert_eq!(line["channels"], 2);
}

#[test]
fn all_lists_outputs_too() {
    let devices = list(&server(), &["--all"]);
    for kind in ["input", "output"] {
        assert!(devices.iter().any(|device| device["kind"] == kind), "{kind} in {devices:?}");
    }
}

#[test]
fn an_id_and_a_part_of_a_name_open_the_device() {
    let server = server();
    for word in ["pulseaudio:line.monitor", "line.mon"] {
        let output = Test::new().args(["record", "-i", word, "-d", "0.2", "x.wav"]).server(&server).run();
        output.assert_success();
        assert_eq!(crate::takes::layout(output.path("x.wav")), (44_100, 2, 8_820), "{word}");
    }
    let output = Test::new().args(["record", "-i", "monitor", "-d", "0.2", "x.wav"]).server(&server).run();
    output.assert_exit(2).assert_stderr_contains("error: `monitor` fits 2 devices: `pulseaudio:");
    output.assert_stderr_contains("\nhint: write more of the name, or the whole id\n");
    assert_eq!(crate::takes::names(output.path("")), Vec::<String>::new());
}

#[test]
fn without_any_device_the_list_is_empty_and_says_why() {
    let output = Test::new().arg("devices").run();
    output.assert_exit(4).assert_stdout("");
    output.assert_stderr("error: no input device\nhint: `dictaphone record --device tone` records a test tone\n");
    Test::new().args(["devices", "--json"]).run().assert_success().assert_stdout("[]\n").assert_stderr("");
}

#[test]
fn a_terminal_sees_nothing_that_sound_libraries_print() {
    // ALSA prints its complaints about a broken configuration straight to descriptor 2.
    let test = Test::new().args(["record", "x.wav"]).file("broken.conf", "pcm.default { type nothing }\npcm.!x {");
    let broken = test.path("broken.conf");
    let mut terminal = crate::support::terminal::Terminal::run(&test.env("ALSA_CONFIG_PATH", broken));
    assert_eq!(terminal.wait(), 4);
    let text = terminal.text();
    assert!(text.starts_with("error: no input device\nhint: ") && text.lines().count() <= 3, "{text}");
}

#[test]
fn a_sound_server_without_a_microphone_is_no_input_device() {
    let mut server = PulseServer::start();
    server.remove_microphone("mic");
    let output = Test::new().args(["record", "-d", "1", "--json", "x.wav"]).server(&server).run();
    output.assert_exit(4).assert_stderr_contains("error: no input device\nhint: ");
    assert!(output.stdout().contains(r#""name":"NotFoundError""#), "{}", output.context());
    assert_eq!(crate::takes::names(output.path("")), Vec::<String>::new());
}

/// A server that lets nobody in: it answers the first command with the error `ACCESS`.
fn locked_server(folder: &Path) -> String {
    let place = folder.join("locked");
    let listener = UnixListener::bind(&place).unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            // Length, channel, offset, flags; then the command ERROR, its number in the dialogue, and the code.
            let mut answer = [15, u32::MAX, 0, 0, 0].map(u32::to_be_bytes).concat();
            for field in [0_u32, 0, 1] {
                answer.push(b'L');
                answer.extend(field.to_be_bytes());
            }
            let _ = client.write_all(&answer);
            // Closed when the client does, so that it reads all of it.
            let _ = client.read(&mut [0; 4_096]);
            let _ = client.read(&mut [0; 4_096]);
        }
    });
    format!("unix:{}", place.display())
}

#[test]
fn a_server_that_lets_nobody_in_is_access_denied() {
    for command in [&["devices"][..], &["record", "x.wav"], &["record", "-i", "USB", "x.wav"]] {
        let test = Test::new().args(command.iter().copied());
        let server = locked_server(test.sandbox().path());
        let output = test.env("PULSE_SERVER", server.clone()).run();
        output.assert_exit(5).assert_stdout("").assert_stderr(&format!(
            "error: cannot reach the sound server at {server}: server error: AccessDenied\n\
             hint: allow this terminal the microphone in the system's privacy settings, or be the user of the sound server\n",
        ));
    }
}

#[test]
fn a_server_behind_a_locked_door_is_access_denied() {
    // Without its powers even root meets the permissions of a socket. The owner's count for the owner, not the group's.
    let script = format!(
        "chmod 020 server && exec setpriv --bounding-set -all --inh-caps -all {} record x.wav",
        env!("CARGO_BIN_EXE_dictaphone")
    );
    let test = Test::new().program("sh").args(["-c", &script]);
    let door = test.path("server");
    let _listener = UnixListener::bind(&door).unwrap();
    let output = test.env("PULSE_SERVER", format!("unix:{}", door.display())).run();
    output.assert_exit(5).assert_stdout("").assert_stderr_contains("ermission denied");
    output.assert_stderr_contains("\nhint: allow this terminal the microphone");
}

#[test]
fn a_named_server_that_is_dead_is_named_and_never_replaced_by_another() {
    let server = PulseServer::start();
    let dead = server.runtime().join("dead");
    drop(UnixListener::bind(&dead).unwrap());
    let unix = format!("unix:{}", dead.display());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tcp = format!("tcp:127.0.0.1:{free}");
    for (named, place) in [
        (unix.clone(), unix.clone()),
        (dead.display().to_string(), unix.clone()),
        (tcp.clone(), tcp.clone()),
        (format!("127.0.0.1:{free}"), tcp.clone()),
        ("unix:/nothing/here".into(), "unix:/nothing/here".into()),
        (format!("unix:/nothing/here {tcp}"), tcp),
    ] {
        for words in [&["record", "x.wav"][..], &["record", "-i", "mic", "x.wav"], &["devices"]] {
            let test = Test::new().server(&server).args(words.iter().copied()).env("PULSE_SERVER", named.clone());
            let output = test.run();
            output
                .assert_exit(4)
                .assert_stdout("")
                .assert_stderr_contains(&format!("error: cannot reach the sound server at {place}: "));
            assert!(names(output.path("")).is_empty(), "{named}");
        }
    }
}

#[test]
fn the_chosen_source_is_the_default_and_an_unknown_one_is_not_replaced() {
    let server = PulseServer::start();
    let words = ["load-module", "module-null-sink", "sink_name=second", "channels=1"];
    assert!(server.core().ask("pactl", &words).is_some());
    let config = "default-source = second.monitor\n";
    let run = |words: &[&str], variable: &str, settings: &str| {
        let test = Test::new().server(&server).args(words.iter().copied()).file("client.conf", settings);
        let client = test.path("client.conf");
        test.env("PULSE_SOURCE", variable).env("PULSE_CLIENTCONFIG", client).run()
    };
    for (variable, settings) in [("second.monitor", ""), ("", config), ("second.monitor", "default-source = x\n")] {
        let output = run(&["devices", "--json"], variable, settings);
        let devices: Vec<Value> = serde_json::from_str(&output.assert_success().stdout()).unwrap();
        assert_eq!(devices[0]["id"], "pulseaudio:second.monitor");
        assert_eq!(devices.iter().filter(|device| device["default"] == true).count(), 1);
        let output = run(&["record", "--json", "-d", "0.1", "x.wav"], variable, settings);
        assert!(output.assert_exit(0).stdout().contains("Monitor of"), "{}", output.context());
    }
    let output = run(&["record", "x.wav"], "nothing", "");
    output.assert_exit(4).assert_stderr_contains("no input 'nothing'").assert_stderr_contains("hint: `PULSE_SOURCE`");
}

#[test]
fn the_input_chosen_on_the_screen_is_the_default_of_a_recording_and_of_the_list() {
    let server = PulseServer::start();
    for name in ["second", "third"] {
        let words = ["load-module", "module-null-sink", &format!("sink_name={name}"), "channels=1"];
        assert!(server.core().ask("pactl", &words).is_some());
    }
    let chosen = |id: &str, words: &[&str]| {
        let test = Test::new().server(&server).args(words.iter().copied());
        let state = test.home().join(".local/state/dictaphone");
        std::fs::create_dir_all(&state).unwrap();
        std::fs::write(state.join("input"), format!("{id}\nThe third\n")).unwrap();
        test.run()
    };
    let output = chosen("pulseaudio:third.monitor", &["devices", "--json"]);
    let devices: Vec<Value> = serde_json::from_str(&output.assert_success().stdout()).unwrap();
    assert_eq!((&devices[0]["id"], &devices[0]["default"]), (&"pulseaudio:third.monitor".into(), &true.into()));
    let output = chosen("pulseaudio:third.monitor", &["record", "--json", "-d", "0.1", "x.wav"]);
    // Its rate is not that of the system's default.
    output.assert_exit(0).assert_stdout_contains("\"sample_rate\":44100");
    let output = chosen("pulseaudio:gone", &["record", "--json", "-d", "0.1", "x.wav"]);
    output.assert_exit(0).assert_stdout_contains("\"other_device\"").assert_stderr_contains("The third is not there");
}
