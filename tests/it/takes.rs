//! Recordings made through the program, and what can be read from them.

use std::path::Path;

use serde_json::Value;

use crate::support::harness::{Running, Test};
use crate::support::output::Output;

/// `dictaphone record` with these words.
pub(crate) fn record(words: &[&str]) -> Test {
    Test::new().arg("record").args(words.iter().copied())
}

/// The same behind a shell that first does something to its own descriptors or signals.
pub(crate) fn in_shell(before: &str, words: &str) -> Test {
    let script = format!("{before}\nexec {} {words}", env!("CARGO_BIN_EXE_dictaphone"));
    Test::new().program("bash").arg("-c").arg(script)
}

/// The samples of a WAV file of 16 bit.
#[track_caller]
pub(crate) fn samples(path: impl AsRef<Path>) -> Vec<i16> {
    let path = path.as_ref();
    let mut wav = hound::WavReader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    wav.samples::<i16>().map(|sample| sample.unwrap()).collect()
}

/// Rate, channels and frames of a WAV file.
#[track_caller]
pub(crate) fn layout(path: impl AsRef<Path>) -> (u32, u16, u32) {
    let path = path.as_ref();
    let wav = hound::WavReader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (wav.spec().sample_rate, wav.spec().channels, wav.duration())
}

/// The names in a folder, sorted.
#[track_caller]
pub(crate) fn names(folder: impl AsRef<Path>) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("read the folder");
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The complete lines of `text` as JSON.
#[track_caller]
pub(crate) fn events(text: &str) -> Vec<Value> {
    let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
}

/// The names of the events but for the levels.
pub(crate) fn order(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["event"].as_str()).filter(|name| *name != "level").collect()
}

/// Waits for an event that fits.
#[track_caller]
pub(crate) fn wait_for_event(running: &mut Running, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let line = running.wait_for_line(what, |line| serde_json::from_str(line).is_ok_and(|event| fits(&event)));
    serde_json::from_str(&line).unwrap()
}

/// Waits for the `count`th event of that name.
#[track_caller]
pub(crate) fn wait_for_nth(running: &mut Running, name: &str, count: usize) {
    running.wait_for(&format!("{count} events {name}"), |running| {
        let text = String::from_utf8_lossy(&running.stdout_so_far()).into_owned();
        let found = events(&text).iter().filter(|event| event["event"] == name).count();
        (found >= count).then_some(())
    });
}

/// Fails if something unfinished is left in the working folder.
#[track_caller]
pub(crate) fn assert_no_leftovers(output: &Output) {
    let left: Vec<String> = names(output.path("")).into_iter().filter(|name| name.starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?} is left\n{}", output.context());
}

/// Runs another program in the folder of `output` and returns its standard output.
#[track_caller]
pub(crate) fn ask(output: &Output, program: &str, words: &[&str]) -> String {
    crate::support::process::require(&[program]);
    let mut command = crate::support::process::command(program);
    let answer = command.args(words).current_dir(output.path("")).output().expect("run the program");
    assert!(answer.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8_lossy(&answer.stdout).into_owned()
}
