//! Clips through the desktop's trash and back, in a home of their own and without a desktop.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use dictaphone::{
    ErrorKind,
    clips::{delete, restore},
};

const HOME: &str = "TRASH_TEST_HOME";

/// Runs the calling test again in a process whose home is a new folder; there, returns that folder.
fn in_own_home(test: &str) -> Option<PathBuf> {
    if let Some(home) = env::var_os(HOME) {
        return Some(home.into());
    }
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(HOME, home.path())
        .env("HOME", home.path())
        .env_remove("XDG_DATA_HOME")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    None
}

fn clip(home: &Path, name: &str, content: &str) -> PathBuf {
    let folder = home.join("Music");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}

fn count(home: &Path, part: &str) -> usize {
    fs::read_dir(home.join(".local/share/Trash").join(part)).unwrap().count()
}

#[test]
fn a_clip_comes_back_exactly() {
    let Some(home) = in_own_home("a_clip_comes_back_exactly") else { return };
    let path = clip(&home, "take 1%=ü.wav", "sound");
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(&path).unwrap().set_modified(date).unwrap();
    let trashed = delete(&path, false).unwrap();
    assert!(!path.exists() && trashed.is_restorable());
    assert_eq!((count(&home, "files"), count(&home, "info")), (1, 1));
    restore(&trashed).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "sound");
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), date);
    assert_eq!((count(&home, "files"), count(&home, "info")), (0, 0));
    assert!(restore(&trashed).is_err());
    assert!(path.exists());
}

#[test]
fn of_several_clips_of_one_name_each_comes_back_as_itself() {
    let Some(home) = in_own_home("of_several_clips_of_one_name_each_comes_back_as_itself") else { return };
    let trashed: Vec<_> = (0..4)
        .map(|n| {
            let path = clip(&home, "a.wav", &n.to_string());
            delete(&path, false).unwrap()
        })
        .collect();
    for n in [2, 0, 3, 1] {
        restore(&trashed[n]).unwrap();
        assert_eq!(fs::read_to_string(&trashed[n].path).unwrap(), n.to_string());
        fs::remove_file(&trashed[n].path).unwrap();
    }
}

#[test]
fn restoring_replaces_nothing() {
    let Some(home) = in_own_home("restoring_replaces_nothing") else { return };
    let trashed = delete(&clip(&home, "a.wav", "old"), false).unwrap();
    let path = clip(&home, "a.wav", "new");
    assert_eq!(restore(&trashed).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    fs::remove_file(&path).unwrap();
    restore(&trashed).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
}

#[test]
fn without_a_usable_trash_the_clip_stays() {
    let Some(home) = in_own_home("without_a_usable_trash_the_clip_stays") else { return };
    let path = clip(&home, "a.wav", "sound");
    fs::create_dir_all(home.join(".local/share")).unwrap();
    fs::write(home.join(".local/share/Trash"), "in the way").unwrap();
    let error = delete(&path, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().starts_with("cannot move "), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "sound");
}
