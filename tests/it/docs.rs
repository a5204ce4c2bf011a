//! Every command in the README and in docs/ is run as it is written there, by a shell, on a private sound server.
//!
//! Recordings end after a moment, and programs that are not there (a transcriber, another machine) are replaced by ones
//! that read to the end.

use std::path::Path;

use crate::support::harness::Test;
use crate::support::process::require;
use crate::support::pulse::PulseServer;
use crate::support::server::{Microphone, Server as _};

/// What `dictaphone` is for the shell: the program, but no recording is longer than a moment.
const PROGRAM: &str = r#"#!/bin/bash
if [[ $1 == record ]]; then
    words=()
    while (($#)); do
        if [[ $1 == -d ]]; then shift; else words+=("$1"); fi
        shift
    done
    set -- "${words[@]}" -d 0.3
fi
exec "$PROGRAM" "$@"
"#;

/// Reads what it is given, as the one that it stands for would.
const READER: &str = "#!/bin/sh\ncat > /dev/null\n";

/// Names of sound files, without quotes and the shell's signs.
fn sound_files(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(['|', '>', ' ', '\'', '"', '$', '(', ')']);
    words.filter(|word| [".wav", ".flac", ".opus"].iter().any(|end| word.ends_with(end)))
}

/// The lines of the text that call the program, without their comments.
fn commands(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
    let lines = lines.map(|line| line.split("  #").next().unwrap_or_default().trim().to_owned());
    lines.filter(|line| line.starts_with("dictaphone") || line.contains("$(dictaphone")).collect()
}

/// A folder with stand-ins in the way of the programs' names, and clips that a user has.
fn bed(server: &PulseServer) -> Test {
    let mut test = Test::new();
    let names = [("dictaphone", PROGRAM), ("whisper-cli", READER), ("ssh", READER)];
    for (name, script) in names {
        test = test.file(format!("bin/{name}"), script);
        let path = test.path(format!("bin/{name}"));
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    std::fs::create_dir(test.home().join("memos")).unwrap();
    std::fs::create_dir(test.path("memos")).unwrap();
    std::fs::create_dir(test.home().join("Recordings")).unwrap();
    let path = format!("{}:{}", test.path("bin").display(), std::env::var("PATH").unwrap());
    let folder = test.home().join("Recordings");
    let test = test.server(server).env("PATH", path).env("PROGRAM", env!("CARGO_BIN_EXE_dictaphone"));
    test.env("DICTAPHONE_DIR", folder)
}

/// Makes the clips that a line is about, and takes away the one that it makes.
fn prepare(test: &Test, line: &str) {
    let is_recording = line.contains("dictaphone record");
    let converted = line.split("dictaphone convert ").nth(1).and_then(|words| words.split(' ').nth(1));
    for file in sound_files(line) {
        let path = test.path(file.trim_start_matches("file:"));
        if (is_recording && !file.starts_with("file:")) || converted == Some(file) {
            let _ = std::fs::remove_file(&path);
        } else if !path.exists() {
            let clip = test.clone().again().args(["record", "-q", "-i", "tone", "--fast", "-d", "91", "-c", "2"]);
            clip.arg(path).run().assert_success();
        }
    }
    for name in ["interview", "take"] {
        let clip = test.home().join(format!("Recordings/{name}.wav"));
        if line.split(' ').any(|word| word == name) && !clip.exists() {
            let clip_of_folder = test.clone().again().args(["record", "-q", "-i", "tone", "--fast", "-d", "2"]);
            clip_of_folder.arg(clip).run().assert_success();
        }
    }
}

#[track_caller]
fn run_all(page: &Path, server: &PulseServer) -> usize {
    let lines = commands(&std::fs::read_to_string(page).unwrap());
    for line in &lines {
        let test = bed(server);
        prepare(&test, line);
        let output = test.program("bash").args(["-o", "pipefail", "-c"]).arg(line.as_str()).run();
        // The screen has no terminal here, and says so when it has understood everything else.
        let is_screen = output.stderr().contains("the screen needs a terminal");
        assert!(is_screen || output.status.success(), "{}: `{line}`\n{}", page.display(), output.context());
    }
    lines.len()
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    require(&["systemd-analyze"]);
    let test = Test::new().file("dictaphone.service", include_bytes!("../../packaging/dictaphone.service"));
    let path = test.path("dictaphone.service");
    let output = test.program("systemd-analyze").args(["verify", "--user"]).arg(path).run();
    // What it does not know is only told.
    output.assert_success();
    assert_eq!(output.stderr(), "");
}

#[test]
fn every_command_of_the_documentation_works() {
    let mut server = PulseServer::start_with(Microphone::named("usb"));
    server.add_microphone(Microphone { channels: 4, ..Microphone::named("scarlett") });
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let run: usize = pages.chain([root.join("README.md")]).map(|page| run_all(&page, &server)).sum();
    assert!(run > 40, "only {run} commands were found");
}
