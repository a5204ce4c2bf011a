//! `dictaphone devices`: what a private PulseAudio has, as a table and as JSON.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;

use serde_json::Value;

use crate::support::harness::Test;
use crate::support::pulse::PulseServer;
use crate::support::server::{Microphone, Server};

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
        let output = test.env("PULSE_SERVER", server).run();
        output.assert_exit(5).assert_stdout("").assert_stderr(
            "error: cannot list the devices of the sound server: server error: AccessDenied\n\
             hint: allow this terminal the microphone in the system's privacy settings, or be the user of the sound server\n",
        );
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
