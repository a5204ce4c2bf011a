//! What happens to the files: names, locks, times, folders.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use dictaphone::{
    ErrorKind,
    audio::Metadata,
    clips::{self, Change, Kind, Outcome, Recovered},
    storage::{FileSpool, Spool},
};

use crate::takes::*;

/// A folder for one test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A recording of that many frames that a killed program has left.
    fn left(&self, name: &str, frames: usize) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, unsealed(MONO, frames, None).0).unwrap();
        path
    }

    /// Every file in it with its bytes and the time of its last change.
    fn state(&self) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let files = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        files
            .map(|path| {
                let bytes = fs::read(&path).unwrap_or_default();
                let modified = fs::symlink_metadata(&path).unwrap().modified().unwrap();
                (path, (bytes, modified))
            })
            .collect()
    }

    fn run(&self) -> Vec<Outcome> {
        clips::run(&[self.0.path().to_owned()], false)
    }
}

fn recovered(outcomes: Vec<Outcome>) -> Vec<Recovered> {
    outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Recovered(recovered) => recovered,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn one(outcomes: Vec<Outcome>) -> Recovered {
    let mut all = recovered(outcomes);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn age(path: &Path) -> SystemTime {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890);
    File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
    then
}

#[test]
fn a_part_becomes_a_whole_take_of_its_name_and_time() {
    let folder = Folder::new();
    let part = folder.left(".take.wav.part", 800);
    fs::set_permissions(&part, fs::Permissions::from_mode(0o600)).unwrap();
    let then = age(&part);
    let done = one(folder.run());
    let target = folder.path("take.wav");
    assert_eq!((&done.from, &done.to, done.change), (&part, &target, Change::Repaired));
    assert_eq!((done.container, done.format, done.frames), ("wav", Some(MONO), Some(800)));
    assert_eq!((done.duration(), done.size_bytes), (Some(Duration::from_millis(100)), 80 + 1_600));
    assert!(fs::read(&target).unwrap() == take(MONO, 800, Metadata::default()));
    let metadata = fs::metadata(&target).unwrap();
    assert_eq!(metadata.modified().unwrap(), then);
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert!(!part.exists());
    assert!(folder.run().is_empty(), "nothing is left to do");
}

#[test]
fn a_taken_name_gets_a_number_and_is_not_replaced() {
    let folder = Folder::new();
    folder.left(".take.wav.part", 1);
    folder.left(".take-2.wav.part", 2);
    fs::write(folder.path("take.wav"), "precious").unwrap();
    let promised: Vec<_> = recovered(clips::run(&[folder.0.path().to_owned()], true));
    let done = recovered(folder.run());
    let names = |all: &[Recovered]| all.iter().map(|one| (one.from.clone(), one.to.clone())).collect::<Vec<_>>();
    assert_eq!(names(&promised), names(&done), "a dry run tells the names");
    assert_eq!(fs::read(folder.path("take.wav")).unwrap(), b"precious");
    let frames = |name: &str| decoder(&fs::read(folder.path(name)).unwrap()).frames().unwrap();
    assert_eq!(frames("take-2.wav") + frames("take-3.wav"), 3);
}

#[test]
fn a_dry_run_changes_nothing() {
    let folder = Folder::new();
    folder.left(".take.wav.part", 9);
    folder.left("other.wav", 9);
    folder.left(".empty.wav.part", 0);
    fs::write(folder.path(".noise.raw.part"), "abc").unwrap();
    let before = folder.state();
    let outcomes = clips::run(&[folder.0.path().to_owned(), folder.path("other.wav")], true);
    let changes: Vec<_> = recovered(outcomes).iter().map(|one| one.change).collect();
    assert_eq!(changes, [Change::Empty, Change::Renamed, Change::Repaired, Change::Repaired]);
    assert_eq!(folder.state(), before);
}

#[test]
fn a_recording_that_is_still_written_is_not_touched() {
    let folder = Folder::new();
    let mut spool = FileSpool::beside(&folder.path("take.wav")).unwrap();
    spool.append(&unsealed(MONO, 10, None).0).unwrap();
    let before = folder.state();
    let part = spool.path().unwrap();
    for paths in [vec![folder.0.path().to_owned()], vec![part.clone()]] {
        let outcomes = clips::run(&paths, false);
        assert!(matches!(&outcomes[..], [Outcome::BeingWritten(path)] if *path == part), "{outcomes:?}");
    }
    assert_eq!(folder.state(), before);
    drop(spool);
    assert_eq!(one(folder.run()).frames, Some(10));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_another_recorder_still_writes_is_not_touched() {
    let folder = Folder::new();
    let path = folder.path("foreign.wav");
    fs::write(&path, foreign(0, b"", 0, &[1; 100])).unwrap();
    let before = folder.state();
    let output = File::options().append(true).open(&path).unwrap();
    let mut recorder = Command::new("sleep").arg("60").stdout(Stdio::from(output)).spawn().unwrap();
    let outcomes = clips::run(std::slice::from_ref(&path), false);
    let after = folder.state();
    recorder.kill().unwrap();
    recorder.wait().unwrap();
    assert!(matches!(&outcomes[..], [Outcome::BeingWritten(_)]), "{outcomes:?}");
    assert_eq!(after, before);
    let done = one(clips::run(std::slice::from_ref(&path), false));
    assert_eq!((done.change, done.frames, &done.to), (Change::Repaired, Some(50), &path));
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before[&path].1);
    assert_strict(&fs::read(&path).unwrap());
}

#[test]
fn a_good_file_that_is_named_stays_as_it_is() {
    let folder = Folder::new();
    let path = folder.path("good.wav");
    fs::write(&path, take(MONO, 11, tags())).unwrap();
    age(&path);
    let before = folder.state();
    let done = one(clips::run(std::slice::from_ref(&path), false));
    assert_eq!((done.change, done.frames, done.to), (Change::Nothing, Some(11), path));
    assert_eq!(folder.state(), before);
}

#[test]
fn files_that_nobody_named_are_left_alone() {
    let folder = Folder::new();
    folder.left("broken.wav", 9);
    folder.left("broken.wav.part", 9);
    fs::write(folder.path(".letter.odt.part"), "not ours").unwrap();
    fs::create_dir(folder.path(".folder.wav.part")).unwrap();
    let before = folder.state();
    assert!(folder.run().is_empty());
    assert_eq!(folder.state(), before);
}

#[test]
fn what_has_no_sound_is_never_renamed_and_removed_only_where_it_is_hidden() {
    let folder = Folder::new();
    folder.left("header.wav", 0);
    let visible = folder.state();
    fs::write(folder.path(".nothing.wav.part"), "").unwrap();
    fs::write(folder.path(".nothing.raw.part"), "").unwrap();
    folder.left(".header.wav.part", 0);
    let all = recovered(clips::run(&[folder.0.path().to_owned(), folder.path("header.wav")], false));
    assert_eq!(all.len(), 4);
    for one in all {
        assert_eq!((one.change, &one.to), (Change::Empty, &one.from));
    }
    assert_eq!(folder.state(), visible);
}

#[test]
fn a_link_at_a_hidden_name_is_not_followed() {
    let (folder, outside) = (Folder::new(), Folder::new());
    let victim = outside.left("victim.wav", 9);
    symlink(&victim, folder.path(".take.wav.part")).unwrap();
    symlink(&victim, folder.path("named.wav")).unwrap();
    let before = (folder.state(), outside.state());
    assert!(folder.run().is_empty());
    for name in [".take.wav.part", "named.wav"] {
        let outcomes = clips::run(&[folder.path(name)], false);
        assert!(matches!(&outcomes[..], [Outcome::Failed(..)]), "{outcomes:?}");
    }
    assert_eq!((folder.state(), outside.state()), before);
}

#[test]
fn what_cannot_be_recovered_keeps_no_other_from_it() {
    let folder = Folder::new();
    folder.left(".good.wav.part", 5);
    fs::write(folder.path(".garbage.wav.part"), [0; 4096]).unwrap();
    fs::write(folder.path(".formatless.wav.part"), b"RIFF\0\0\0\0WAVEdata\0\0\0\0abcd").unwrap();
    let missing = folder.path("missing");
    let outcomes = clips::run(&[missing.clone(), folder.0.path().to_owned(), folder.path(".good.wav.part")], false);
    let mut failed = BTreeMap::new();
    let mut done = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Failed(path, error) => drop(failed.insert(path, error)),
            Outcome::Recovered(recovered) => done.push(recovered),
            Outcome::BeingWritten(path) => panic!("{path:?}"),
        }
    }
    assert_eq!(done.len(), 1, "{done:?}");
    assert_eq!(done[0].to, folder.path("good.wav"));
    let kinds: Vec<_> = failed.values().map(dictaphone::Error::kind).collect();
    assert_eq!(kinds, [ErrorKind::InvalidData, ErrorKind::InvalidData, ErrorKind::Unknown], "{failed:?}");
    assert_eq!(failed[&missing].io_kind(), Some(std::io::ErrorKind::NotFound));
    assert_eq!(fs::read(folder.path(".garbage.wav.part")).unwrap(), [0; 4096]);
}

#[test]
fn raw_sound_only_gets_its_name() {
    let folder = Folder::new();
    fs::write(folder.path(".take.raw.part"), [1, 2, 3]).unwrap();
    let done = one(folder.run());
    assert_eq!((done.change, done.frames, done.duration()), (Change::Renamed, None, None));
    assert_eq!(fs::read(folder.path("take.raw")).unwrap(), [1, 2, 3]);
}

#[test]
fn a_file_finished_since_it_was_found_is_an_error_and_untouched() {
    let folder = Folder::new();
    folder.left(".take.wav.part", 5);
    let found = clips::find(&[folder.0.path().to_owned()]);
    let [unfinished] = &found.unfinished[..] else { panic!("{found:?}") };
    assert_eq!(unfinished.kind, Kind::Part { target: folder.path("take.wav") });
    clips::recover(unfinished, false).unwrap();
    let before = folder.state();
    let error = clips::recover(unfinished, false).unwrap_err();
    assert_eq!(error.io_kind(), Some(std::io::ErrorKind::NotFound));
    assert_eq!(folder.state(), before);
}

#[test]
fn many_recoverers_at_once_recover_everything_once() {
    let folder = Folder::new();
    for n in 1..=20 {
        folder.left(&format!(".take-{n}.wav.part"), n);
    }
    // Whoever comes second is told that somebody has the file, and then finds it gone.
    let done = std::sync::Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let outcomes = folder.run();
                let mine = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Recovered(_))).count();
                *done.lock().unwrap() += mine;
            });
        }
    });
    *done.lock().unwrap() += recovered(folder.run()).len();
    assert_eq!(done.into_inner().unwrap(), 20);
    for n in 1..=20 {
        let frames = decoder(&fs::read(folder.path(&format!("take-{n}.wav"))).unwrap()).frames();
        assert_eq!(frames, Some(n));
    }
    assert_eq!(folder.state().len(), 20);
}
