//! Splicing a new take into an old one and undoing it, with a real disk and a real trash, which fail or are cut off at
//! every step.
//!
//! The work is done by this test program itself, which is called again with one of its tests, in a folder and a home of
//! its own.

use std::{collections::BTreeMap, env, fs, ops::ControlFlow, path::Path};

use dictaphone::clips::{self, Outcome, Seam, Spliced};
use rustix::process::Signal;

use crate::faults;
use crate::support::{harness::Test, output::Output, signal::PositionCode};
use crate::takes::samples;

/// Says to the called program what to do.
const WORK: &str = "SPLICE_WORK";

/// In the called program: splices, executes what is in the variable meanwhile, undoes it, and prints how far it came.
fn works() -> bool {
    let Ok(meanwhile) = env::var(WORK) else { return false };
    let outcome = clips::splice(Path::new("take.wav"), Path::new("new.wav"), Seam::Overwrite(100), &mut |_| {
        ControlFlow::Continue(())
    });
    let outcome = match outcome {
        Ok(spliced) => go_back(&spliced, &meanwhile),
        Err(error) => format!("failed: {error}"),
    };
    println!("outcome: {outcome}");
    true
}

fn go_back(spliced: &Spliced, meanwhile: &str) -> String {
    let trash = Path::new(&env::var_os("HOME").unwrap()).join(".local/share/Trash");
    // For the test to compare with. A fault may strike this, too.
    let _ = fs::copy("take.wav", "../home/spliced.wav");
    match meanwhile {
        "stay" => {
            return format!("{} in {}, {} left", spliced.new_frames.end, spliced.frames, spliced.left_over().count());
        }
        "empty the trash" => fs::remove_dir_all(trash).unwrap(),
        "empty half of the trash" => fs::remove_file(trash.join("files/new.wav")).unwrap(),
        "change" => fs::write("take.wav", "another program's").unwrap(),
        "block" => {
            fs::write("new.wav", "in the way").unwrap();
            println!("first: {}", clips::undo_splice(spliced).unwrap_err());
            fs::remove_file("new.wav").unwrap();
        }
        "rename" => fs::rename("take.wav", "interview.wav").unwrap(),
        _ => {}
    }
    clips::undo_splice(spliced).map_or_else(|error| format!("spliced: {error}"), |()| "undone".to_owned())
}

/// A folder with two takes, and what they are.
struct Takes {
    test: Test,
    old: Vec<u8>,
    new: Vec<u8>,
}

impl Takes {
    fn new() -> Self {
        let test = Test::new();
        for (name, lead_in, frames) in [("take.wav", 0, 1_000), ("new.wav", 7, 200)] {
            PositionCode { lead_in, lead_out: 0, ..PositionCode::mono() }.write_wav(&test.path(name), frames);
        }
        let [old, new] = ["take.wav", "new.wav"].map(|name| fs::read(test.path(name)).unwrap());
        Self { test, old, new }
    }

    /// A call of the test of that name.
    fn call(&self, name: &str, meanwhile: &str) -> Test {
        let program = env::current_exe().unwrap().into_os_string().into_string().unwrap();
        let name = format!("splice::{name}");
        self.test.clone().again().program(&program).args(["--exact", &name, "--nocapture"]).env(WORK, meanwhile)
    }

    /// What came of it.
    #[track_caller]
    fn told(&self, name: &str, meanwhile: &str) -> String {
        let output = self.call(name, meanwhile).run();
        let text = output.assert_success().stdout();
        let line = text.lines().find_map(|line| line.split_once("outcome: ")).unwrap_or_else(|| panic!("{text}"));
        line.1.to_owned()
    }

    fn spliced(&self) -> Vec<u8> {
        fs::read(self.test.home().join("spliced.wav")).unwrap()
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        contents(&self.test.path(""))
    }

    fn trash(&self) -> BTreeMap<String, Vec<u8>> {
        contents(&self.test.home().join(".local/share/Trash/files"))
    }

    fn expect<'a>(files: impl IntoIterator<Item = (&'a str, &'a Vec<u8>)>) -> BTreeMap<String, Vec<u8>> {
        files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.clone())).collect()
    }

    fn are_as_they_were(&self) -> bool {
        self.files() == Self::expect([("take.wav", &self.old), ("new.wav", &self.new)])
    }

    /// The name has a whole version, and both takes are somewhere in one whole piece.
    #[track_caller]
    fn assert_nothing_is_lost(&self, spliced: &[u8], when: &str) {
        let files = self.files();
        let take = files.get("take.wav").unwrap_or_else(|| panic!("{when}: take.wav is gone"));
        assert!(*take == self.old || take == spliced, "{when}: take.wav is neither the old nor the new version");
        let everywhere: Vec<Vec<u8>> = files.into_values().chain(self.trash().into_values()).collect();
        assert!(everywhere.contains(&self.old), "{when}: the old take is lost");
        assert!(everywhere.contains(&self.new), "{when}: the new take is lost");
    }
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn a_splice_is_in_the_file_and_what_it_was_made_of_is_in_the_trash() {
    const NAME: &str = "a_splice_is_in_the_file_and_what_it_was_made_of_is_in_the_trash";
    if works() {
        return;
    }
    let takes = Takes::new();
    let [old, new] = ["take.wav", "new.wav"].map(|name| samples(takes.test.path(name)));
    assert_eq!(takes.told(NAME, "stay"), "307 in 1000, 0 left");
    let expected = [&old[..100], &new, &old[307..]].concat();
    assert!(samples(takes.test.path("take.wav")) == expected);
    assert_eq!(takes.files().len(), 1);
    assert!(takes.trash() == Takes::expect([("take-before.wav", &takes.old), ("new.wav", &takes.new)]));
}

#[test]
fn a_splice_is_taken_back_byte_for_byte() {
    const NAME: &str = "a_splice_is_taken_back_byte_for_byte";
    if works() {
        return;
    }
    let takes = Takes::new();
    let modified = |name: &str| fs::metadata(takes.test.path(name)).unwrap().modified().unwrap();
    let before = ["take.wav", "new.wav"].map(modified);
    assert_eq!(takes.told(NAME, "nothing"), "undone");
    assert!(takes.are_as_they_were() && takes.trash().is_empty());
    assert_eq!(["take.wav", "new.wav"].map(modified), before);
    assert_ne!(takes.spliced(), takes.old);
}

#[test]
fn without_a_trash_nothing_is_thrown_away() {
    const NAME: &str = "without_a_trash_nothing_is_thrown_away";
    if works() {
        return;
    }
    for (meanwhile, outcome) in [("stay", "307 in 1000, 2 left"), ("nothing", "undone")] {
        let takes = Takes::new();
        let trash = takes.test.home().join(".local/share");
        fs::create_dir_all(&trash).unwrap();
        fs::write(trash.join("Trash"), "in the way").unwrap();
        assert_eq!(takes.told(NAME, meanwhile), outcome);
        let (old, new, spliced) = (&takes.old, &takes.new, &takes.spliced());
        let all = Takes::expect([("take.wav", spliced), ("take-before.wav", old), ("new.wav", new)]);
        assert!(if meanwhile == "stay" { takes.files() == all } else { takes.are_as_they_were() });
    }
}

#[test]
fn what_cannot_be_taken_back_stays_as_it_is() {
    const NAME: &str = "what_cannot_be_taken_back_stays_as_it_is";
    if works() {
        return;
    }
    let takes = Takes::new();
    let told = takes.told(NAME, "empty the trash");
    assert!(told.starts_with("spliced: cannot restore "), "{told}");
    assert!(takes.files() == Takes::expect([("take.wav", &takes.spliced())]));

    let takes = Takes::new();
    let told = takes.told(NAME, "empty half of the trash");
    assert!(told.starts_with("spliced: the new take is gone; the old version is "), "{told}");
    assert!(takes.files() == Takes::expect([("take.wav", &takes.spliced()), ("take-before.wav", &takes.old)]));

    let takes = Takes::new();
    let told = takes.told(NAME, "change");
    assert!(told.starts_with("spliced: ") && told.contains("take.wav was changed since"), "{told}");
    assert_eq!(takes.files().get("take.wav").unwrap(), b"another program's");
    assert_eq!(takes.trash().len(), 2);

    // Nothing is lost by going back: what was renamed is a take of its own.
    let takes = Takes::new();
    assert_eq!(takes.told(NAME, "rename"), "undone");
    let (old, new, spliced) = (&takes.old, &takes.new, &takes.spliced());
    assert!(takes.files() == Takes::expect([("take.wav", old), ("new.wav", new), ("interview.wav", spliced)]));
}

#[test]
fn a_name_in_the_way_holds_going_back_up_until_it_is_free() {
    const NAME: &str = "a_name_in_the_way_holds_going_back_up_until_it_is_free";
    if works() {
        return;
    }
    let takes = Takes::new();
    let output = takes.call(NAME, "block").run();
    assert!(output.stdout().contains("new.wav is there again\n"), "{}", output.context());
    assert!(output.stdout().contains("outcome: undone\n"), "{}", output.context());
    assert!(takes.are_as_they_were() && takes.trash().is_empty());
}

/// Splices and goes back again and again, with `fault` at each call on the takes and their folder, and lets `check` look
/// at what is left.
fn at_every_call(name: &str, fault: &str, check: impl Fn(&Takes, &Output, &[u8], &str)) {
    let whole = Takes::new();
    assert_eq!(whole.told(name, "nothing"), "undone");
    let spliced = whole.spliced();
    faults::at_every_call(fault, |fault| {
        let takes = Takes::new();
        let files = ["take.wav", ".take.wav.dictaphone-draft", "take-before.wav", "new.wav"];
        let (when, output) = fault.strike(takes.call(name, "nothing"), &files)?;
        takes.assert_nothing_is_lost(&spliced, &when);
        check(&takes, &output, &spliced, &when);
        Some(())
    });
}

#[test]
fn a_disk_that_fails_at_any_call_loses_neither_take() {
    const NAME: &str = "a_disk_that_fails_at_any_call_loses_neither_take";
    if works() {
        return;
    }
    at_every_call(NAME, "error=EIO", |takes, output, spliced, when| {
        let text = output.assert_success().stdout();
        let outcome = text.lines().find_map(|line| line.split_once("outcome: ")).map(|(_, outcome)| outcome);
        let outcome = outcome.unwrap_or_else(|| panic!("{when}: {text}"));
        match outcome {
            "undone" => assert!(takes.are_as_they_were(), "{when}"),
            failed if failed.starts_with("failed: ") => assert!(takes.are_as_they_were(), "{when}: {failed}"),
            _ => assert!(takes.files().get("take.wav").is_some_and(|take| take == spliced), "{when}: {outcome}"),
        }
    });
}

#[test]
fn a_crash_at_any_call_loses_neither_take() {
    const NAME: &str = "a_crash_at_any_call_loses_neither_take";
    if works() {
        return;
    }
    at_every_call(NAME, "signal=KILL", |takes, output, spliced, when| {
        output.assert_killed_by(Signal::KILL);
        // What recovery makes of the rest is one more take, and changes none of these.
        for outcome in clips::run(&[takes.test.path("")], false) {
            assert!(matches!(outcome, Outcome::Recovered(_)), "{when}: {outcome:?}");
        }
        takes.assert_nothing_is_lost(spliced, when);
    });
}
