//! Tests of recordings in files, on whatever file system the temporary folder is on, and between two of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{ErrorKind, Read, Seek, SeekFrom},
    sync::Barrier,
};

use tempfile::TempDir;

use super::*;
use crate::storage::place;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn spool_of(target: &Path, bytes: &[u8]) -> FileSpool {
    let mut spool = FileSpool::beside(target).unwrap();
    spool.append(bytes).unwrap();
    spool
}

fn content(mut reader: Box<dyn ReadSeek>) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn is_locked(path: &Path) -> bool {
    matches!(unfinished::reopen(path), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

#[test]
fn a_recording_grows_hidden_and_locked_and_ends_under_its_name() {
    let folder = folder();
    let target = folder.path().join("new/deep/take.wav");
    let mut spool = FileSpool::beside(&target).unwrap();
    let part = folder.path().join("new/deep/.take.wav.part");
    assert_eq!(spool.path(), Some(part.clone()));
    assert!(spool.is_empty());
    spool.append(b"head....").unwrap();
    spool.append(b"data").unwrap();
    spool.patch(4, b"SIZE").unwrap();
    spool.sync().unwrap();
    assert_eq!(fs::read(&part).unwrap(), b"headSIZEdata");
    if cfg!(unix) {
        assert!(is_locked(&part));
    }
    assert_eq!(spool.commit(&target, Existing::Keep).unwrap(), target);
    assert_eq!(spool.path(), Some(target.clone()));
    assert_eq!(names(target.parent().unwrap()), ["take.wav"]);
    assert_eq!(fs::read(&target).unwrap(), b"headSIZEdata");
    assert!(!is_locked(&target));
}

#[test]
fn a_part_file_that_is_there_is_left_alone() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    fs::write(folder.path().join(".take.wav.part"), "crashed").unwrap();
    let second = spool_of(&target, b"second");
    let third = spool_of(&target, b"third");
    assert_eq!(second.path(), Some(folder.path().join(".take-2.wav.part")));
    assert_eq!(third.path(), Some(folder.path().join(".take-3.wav.part")));
    assert_eq!(fs::read(folder.path().join(".take.wav.part")).unwrap(), b"crashed");
}

#[test]
fn patches_stay_within_what_was_appended() {
    let folder = folder();
    let mut spool = spool_of(&folder.path().join("take.wav"), b"0123456789");
    for (at, bytes) in [(0, &b"ab"[..]), (8, b"yz"), (10, b""), (3, b"")] {
        spool.patch(at, bytes).unwrap();
    }
    for (at, bytes) in [(9, &b"xx"[..]), (10, b"x"), (u64::MAX, b"x"), (11, b"")] {
        assert_eq!(spool.patch(at, bytes).unwrap_err().kind(), ErrorKind::InvalidInput, "{at}");
    }
    assert_eq!(content(spool.reader().unwrap()), b"ab234567yz");
    assert_eq!(spool.len(), 10);
}

#[test]
fn truncation_only_shortens_and_appends_go_on_from_there() {
    let folder = folder();
    let mut spool = spool_of(&folder.path().join("take.wav"), b"0123456789");
    spool.truncate(11).unwrap();
    assert_eq!(spool.len(), 10);
    spool.truncate(4).unwrap();
    assert_eq!(spool.len(), 4);
    spool.append(b"xy").unwrap();
    assert_eq!(content(spool.reader().unwrap()), b"0123xy");
}

#[test]
fn readers_and_appends_do_not_disturb_each_other() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    let mut spool = spool_of(&target, b"0123");
    let (mut one, mut two) = (spool.reader().unwrap(), spool.reader().unwrap());
    let mut pair = [0; 2];
    one.read_exact(&mut pair).unwrap();
    spool.append(b"4567").unwrap();
    two.seek(SeekFrom::End(-1)).unwrap();
    one.read_exact(&mut pair).unwrap();
    assert_eq!(&pair, b"23");
    spool.append(b"89").unwrap();
    let path = spool.commit(&target, Existing::Keep).unwrap();
    let late = spool.reader().unwrap();
    if cfg!(unix) {
        fs::remove_file(path).unwrap();
    }
    drop(spool);
    assert_eq!(content(one), b"456789");
    assert_eq!(content(two), b"789");
    assert_eq!(content(late), b"0123456789");
}

#[test]
fn an_existing_file_is_kept_numbered_or_replaced_as_asked() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    fs::write(&target, "old").unwrap();
    let mut spool = spool_of(&target, b"new");
    let part = spool.path().unwrap();
    assert_eq!(spool.commit(&target, Existing::Keep).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!((fs::read(&target).unwrap(), fs::read(&part).unwrap()), (b"old".to_vec(), b"new".to_vec()));
    // A spool whose commit failed continues as before.
    spool.append(b"er").unwrap();
    assert_eq!(spool.commit(&target, Existing::Number).unwrap(), folder.path().join("take-2.wav"));
    let mut spool = spool_of(&target, b"newest");
    assert_eq!(fs::read(&target).unwrap(), b"old");
    assert_eq!(spool.commit(&target, Existing::Replace).unwrap(), target);
    assert_eq!(fs::read(&target).unwrap(), b"newest");
    assert_eq!(fs::read(folder.path().join("take-2.wav")).unwrap(), b"newer");
    assert_eq!(names(folder.path()), ["take-2.wav", "take.wav"]);
}

#[test]
fn a_target_that_appears_while_recording_survives() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    let mut spool = spool_of(&target, b"ours");
    fs::write(&target, "theirs").unwrap();
    assert_eq!(spool.commit(&target, Existing::Number).unwrap(), folder.path().join("take-2.wav"));
    assert_eq!(fs::read(&target).unwrap(), b"theirs");
}

#[test]
fn a_failed_commit_can_be_tried_again_elsewhere() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    fs::write(folder.path().join("file"), "").unwrap();
    fs::create_dir(folder.path().join("dir")).unwrap();
    let mut spool = spool_of(&target, b"bytes");
    for (bad, existing, kind) in [
        ("file/take.wav", Existing::Number, ErrorKind::NotADirectory),
        ("dir", Existing::Replace, ErrorKind::IsADirectory),
        ("dir", Existing::Keep, ErrorKind::AlreadyExists),
        ("..", Existing::Keep, ErrorKind::InvalidInput),
    ] {
        assert_eq!(spool.commit(&folder.path().join(bad), existing).unwrap_err().kind(), kind, "{bad}");
        assert_eq!(fs::read(spool.path().unwrap()).unwrap(), b"bytes");
    }
    let other = folder.path().join("other/place.wav");
    assert_eq!(spool.commit(&other, Existing::Keep).unwrap(), other);
    assert_eq!(fs::read(other).unwrap(), b"bytes");
}

#[test]
fn a_spool_needs_a_name_and_a_folder() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for (target, kind) in [
        (file.join("take.wav"), ErrorKind::NotADirectory),
        (file.join("deep/er/take.wav"), ErrorKind::NotADirectory),
        (folder.path().join(".."), ErrorKind::InvalidInput),
        (PathBuf::from("/"), ErrorKind::InvalidInput),
        (PathBuf::new(), ErrorKind::InvalidInput),
    ] {
        assert_eq!(FileSpool::beside(&target).unwrap_err().kind(), kind, "{target:?}");
    }
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn eight_recorders_that_want_one_name_all_keep_their_recordings() {
    const RECORDERS: usize = 8;
    for _ in 0..10 {
        let folder = folder();
        let target = folder.path().join("take.wav");
        let barrier = Barrier::new(RECORDERS);
        let record = |n: usize| {
            barrier.wait();
            let mut spool = FileSpool::beside(&target).unwrap();
            let bytes = n.to_string().repeat(n + 1).into_bytes();
            spool.append(&bytes).unwrap();
            barrier.wait();
            (spool.commit(&target, Existing::Number).unwrap(), bytes)
        };
        let record = &record;
        let saved: BTreeMap<PathBuf, Vec<u8>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..RECORDERS).map(|n| scope.spawn(move || record(n))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let expected: Vec<_> = (1..=RECORDERS as u32).map(|n| place::numbered(&target, n)).collect();
        assert_eq!(saved.keys().collect::<BTreeSet<_>>(), expected.iter().collect());
        for (path, bytes) in &saved {
            assert_eq!(&fs::read(path).unwrap(), bytes);
        }
        assert_eq!(names(folder.path()).len(), RECORDERS);
    }
}

#[test]
fn dropping_keeps_a_recording_and_removes_a_temporary_one() {
    let folder = folder();
    let spool = spool_of(&folder.path().join("take.wav"), b"bytes");
    let part = spool.path().unwrap();
    let reader = spool.reader().unwrap();
    drop(spool);
    assert_eq!(fs::read(&part).unwrap(), b"bytes");
    // Free for recovery, even while a reader is still open.
    let reopened = FileSpool::reopen(&part).unwrap();
    assert_eq!((reopened.len(), content(reader)), (5, b"bytes".to_vec()));

    let spool = FileSpool::temporary().unwrap();
    let path = spool.path().unwrap();
    assert!(path.exists());
    drop(spool);
    assert!(!path.exists());
}

#[test]
fn a_reopened_recording_is_finished_like_any_other() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    let part = spool_of(&target, b"0123456789").path().unwrap();
    let mut spool = FileSpool::reopen(&part).unwrap();
    spool.truncate(8).unwrap();
    spool.patch(0, b"ab").unwrap();
    let target = place::target_of_part(&part).unwrap();
    spool.commit(&target, Existing::Number).unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"ab234567");
    assert_eq!(names(folder.path()), ["take.wav"]);
}

#[cfg(unix)]
#[test]
fn a_recording_in_progress_cannot_be_reopened() {
    let folder = folder();
    let spool = spool_of(&folder.path().join("take.wav"), b"bytes");
    assert_eq!(FileSpool::reopen(&spool.path().unwrap()).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn discarding_removes_the_file_and_ends_the_spool() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    let mut spool = spool_of(&target, b"bytes");
    spool.discard().unwrap();
    spool.discard().unwrap();
    assert_eq!((spool.len(), spool.path()), (0, None));
    assert!(names(folder.path()).is_empty());
    assert_eq!(spool.append(b"x").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(spool.commit(&target, Existing::Keep).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_saved_recording_is_neither_changed_nor_discarded() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    let mut spool = spool_of(&target, b"bytes");
    spool.commit(&target, Existing::Keep).unwrap();
    let kinds = [
        spool.append(b"x").unwrap_err().kind(),
        spool.patch(0, b"x").unwrap_err().kind(),
        spool.truncate(0).unwrap_err().kind(),
        spool.discard().unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::InvalidInput; 4]);
    assert_eq!(fs::read(&target).unwrap(), b"bytes");
}

#[test]
fn a_saved_recording_is_saved_again_as_another_whole_file() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    let mut spool = spool_of(&target, b"bytes");
    spool.commit(&target, Existing::Keep).unwrap();
    let file = fs::metadata(&target).unwrap();
    assert_eq!(spool.commit(&target, Existing::Keep).unwrap_err().kind(), ErrorKind::AlreadyExists);
    let numbered = spool.commit(&target, Existing::Number).unwrap();
    let other = folder.path().join("new/take.wav");
    spool.commit(&other, Existing::Keep).unwrap();
    // Changes to one of them do not affect the others.
    fs::write(&numbered, "changed").unwrap();
    fs::remove_file(&target).unwrap();
    spool.commit(&target, Existing::Keep).unwrap();
    spool.commit(&numbered, Existing::Replace).unwrap();
    for path in [&target, &numbered, &other] {
        assert_eq!(fs::read(path).unwrap(), b"bytes");
        assert!(!is_locked(path), "{path:?}");
        assert_eq!(fs::metadata(path).unwrap().permissions(), file.permissions());
    }
    assert_eq!(spool.path(), Some(target));
    assert_eq!(names(folder.path()), ["new", "take-2.wav", "take.wav"]);
}

#[cfg(unix)]
#[test]
fn another_file_under_the_hidden_name_is_not_discarded() {
    let folder = folder();
    let mut spool = spool_of(&folder.path().join("take.wav"), b"bytes");
    let part = spool.path().unwrap();
    fs::remove_file(&part).unwrap();
    fs::write(&part, "stranger").unwrap();
    spool.discard().unwrap();
    assert_eq!(fs::read(&part).unwrap(), b"stranger");
}

#[cfg(unix)]
#[test]
fn a_recording_whose_hidden_file_was_removed_is_saved_all_the_same() {
    let folder = folder();
    let target = folder.path().join("in/take.wav");
    let mut spool = spool_of(&target, b"01234");
    fs::remove_dir_all(folder.path().join("in")).unwrap();
    spool.append(b"56789").unwrap();
    let reader = spool.reader().unwrap();
    assert_eq!(spool.commit(&target, Existing::Keep).unwrap(), target);
    assert_eq!(names(&folder.path().join("in")), ["take.wav"]);
    assert_eq!(fs::read(&target).unwrap(), b"0123456789");
    assert_eq!(content(reader), content(spool.reader().unwrap()));
}

#[cfg(unix)]
#[test]
fn after_a_failed_sync_the_bytes_are_written_anew() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    let mut spool = spool_of(&target, b"bytes");
    spool.has_failed_to_sync = true;
    let doubtful = inode(&spool.path().unwrap());
    // Held open, so that its inode is not reused.
    let _reader = spool.reader().unwrap();
    spool.commit(&target, Existing::Keep).unwrap();
    assert_ne!(inode(&target), doubtful);
    assert_eq!(fs::read(&target).unwrap(), b"bytes");
    assert_eq!(names(folder.path()), ["take.wav"]);
}

#[cfg(unix)]
#[test]
fn a_copy_that_cannot_be_placed_leaves_only_the_original() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    fs::write(&target, "old").unwrap();
    let mut spool = spool_of(&target, b"bytes");
    spool.has_failed_to_sync = true;
    assert_eq!(spool.commit(&target, Existing::Keep).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(names(folder.path()), [".take.wav.part", "take.wav"]);
    assert_eq!(spool.commit(&target, Existing::Number).unwrap(), folder.path().join("take-2.wav"));
    assert_eq!(names(folder.path()), ["take-2.wav", "take.wav"]);
}

#[test]
fn a_commit_that_only_lacked_the_folder_is_completed_not_repeated() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    let mut spool = spool_of(&target, b"bytes");
    // What a commit leaves when the folder could not be synced.
    spool.path = spool.publish(&target, Existing::Number).unwrap();
    spool.renamed_for = Some(target.clone());
    assert_eq!(spool.commit(&target, Existing::Number).unwrap(), target);
    assert_eq!(names(folder.path()), ["take.wav"]);
}

#[test]
fn bytes_that_a_failed_append_left_uncounted_are_cut_off() {
    let folder = folder();
    let target = folder.path().join("take.wav");
    let mut spool = spool_of(&target, b"bytes");
    positioned::write_at(&spool.file, b"rubbish", 5).unwrap();
    spool.commit(&target, Existing::Keep).unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"bytes");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_nothing_is_counted() {
    let file = fs::OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
    let mut spool = FileSpool::new(file, PathBuf::from("/nowhere/.take.wav.part"), 0);
    assert_eq!(spool.append(b"bytes").unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(spool.len(), 0);
}

#[test]
fn a_temporary_recording_can_be_saved_anywhere() {
    let folder = folder();
    let mut spool = FileSpool::temporary().unwrap();
    let temporary = spool.path().unwrap();
    assert_eq!(temporary.parent(), Some(env::temp_dir().as_path()));
    spool.append(b"bytes").unwrap();
    let saved = spool.commit(&folder.path().join("new/take.wav"), Existing::Keep).unwrap();
    drop(spool);
    assert!(!temporary.exists());
    assert_eq!(fs::read(saved).unwrap(), b"bytes");
}

#[cfg(unix)]
fn inode(path: &Path) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    let there = fs::symlink_metadata(path).unwrap();
    (there.dev(), there.ino())
}

#[cfg(target_os = "linux")]
#[test]
fn a_recording_crosses_file_systems() {
    let here = folder();
    let Ok(there) = tempfile::tempdir_in("/dev/shm") else { return };
    let (from, to) = (here.path().join("take.wav"), there.path().join("take.wav"));
    if inode(here.path()).0 == inode(there.path()).0 {
        // One file system only; the copy itself is covered by the tests above.
        return;
    }
    fs::write(&to, "old").unwrap();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut spool = spool_of(&from, &bytes);
    let reader = spool.reader().unwrap();
    assert_eq!(spool.commit(&to, Existing::Keep).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!((names(here.path()), names(there.path())), (vec![".take.wav.part".into()], vec!["take.wav".into()]));
    assert!(is_locked(&spool.path().unwrap()));
    let saved = spool.commit(&to, Existing::Number).unwrap();
    assert_eq!(saved, there.path().join("take-2.wav"));
    assert!(names(here.path()).is_empty());
    assert_eq!(names(there.path()), ["take-2.wav", "take.wav"]);
    assert!(
        fs::read(&saved).unwrap() == bytes && content(reader) == bytes && content(spool.reader().unwrap()) == bytes
    );
    assert!(!is_locked(&saved));
}
