//! Tests of recordings in memory and of the disk that fails on demand.

use std::{fs, io::ErrorKind};

use proptest::prelude::*;

use super::*;
use std::io::SeekFrom;

use crate::storage::{FileSpool, Spool};

const TARGET: &str = "clips/take.wav";
const PART: &str = "clips/.take.wav.part";

fn content(spool: &MemorySpool) -> Vec<u8> {
    let mut bytes = Vec::new();
    spool.reader().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_disk_that_is_full_at_any_byte_holds_the_exact_prefix() {
    let chunks: [&[u8]; 5] = [b"head", b"", b"0123456", b"x", b"the end"];
    let all = chunks.concat();
    for end in 0..=all.len() + 1 {
        let disk = MemoryDisk::new();
        disk.fill_at(end as u64, ErrorKind::StorageFull);
        let mut spool = disk.spool(Path::new(TARGET)).unwrap();
        let outcome = chunks.iter().try_for_each(|chunk| spool.append(chunk));
        assert_eq!(outcome.is_ok(), end >= all.len(), "{end}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            // It stays full, also for later bytes.
            spool.append(b"more").unwrap_err();
        }
        let expected = &all[..end.min(all.len())];
        assert_eq!(disk.read(Path::new(PART)).unwrap(), expected);
        assert_eq!((spool.len(), content(&spool)), (expected.len() as u64, expected.to_vec()));
        disk.heal();
        spool.append(b"!").unwrap();
        let saved = spool.commit(Path::new(TARGET), Existing::Keep).unwrap();
        assert_eq!(disk.read(&saved).unwrap(), [expected, b"!"].concat());
    }
}

#[test]
fn the_nth_operation_fails_once_without_effect() {
    for operation in [Operation::Append, Operation::Patch, Operation::Truncate, Operation::Sync] {
        for nth in 1..=3 {
            let disk = MemoryDisk::new();
            let mut spool = disk.spool(Path::new(TARGET)).unwrap();
            spool.append(b"0123456789").unwrap();
            disk.fail(operation, nth, ErrorKind::TimedOut);
            for call in 1..=4 {
                let before = content(&spool);
                let outcome = match operation {
                    Operation::Append => spool.append(b"x"),
                    Operation::Patch => spool.patch(call, b"x"),
                    Operation::Truncate => spool.truncate(10 - call),
                    _ => spool.sync(),
                };
                if call == nth {
                    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TimedOut);
                    assert_eq!(content(&spool), before);
                } else {
                    outcome.unwrap();
                    assert!(operation == Operation::Sync || content(&spool) != before);
                }
            }
        }
    }
}

#[test]
fn a_failed_commit_or_discard_can_be_tried_again() {
    let disk = MemoryDisk::new();
    disk.put(Path::new(TARGET), b"old");
    let mut spool = disk.spool(Path::new(TARGET)).unwrap();
    spool.append(b"new").unwrap();
    disk.fail(Operation::Discard, 1, ErrorKind::PermissionDenied);
    assert_eq!(spool.discard().unwrap_err().kind(), ErrorKind::PermissionDenied);
    disk.fail(Operation::Commit, 1, ErrorKind::StorageFull);
    assert_eq!(spool.commit(Path::new(TARGET), Existing::Replace).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(spool.commit(Path::new(TARGET), Existing::Keep).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(disk.read(Path::new(TARGET)).unwrap(), b"old");
    assert_eq!(disk.read(Path::new(PART)).unwrap(), b"new");
    let saved = spool.commit(Path::new(TARGET), Existing::Number).unwrap();
    assert_eq!((saved.as_path(), spool.path()), (Path::new("clips/take-2.wav"), Some(saved.clone())));
    assert_eq!(disk.paths(), [Path::new("clips/take-2.wav"), Path::new(TARGET)]);
}

#[test]
fn the_log_tells_everything_in_order() {
    let disk = MemoryDisk::new();
    let mut spool = disk.spool(Path::new(TARGET)).unwrap();
    disk.fail(Operation::Sync, 1, ErrorKind::Other);
    spool.append(b"0123").unwrap();
    spool.sync().unwrap_err();
    spool.append(b"4").unwrap();
    spool.patch(1, b"ab").unwrap();
    spool.patch(4, b"ab").unwrap_err();
    spool.truncate(3).unwrap();
    spool.commit(Path::new(TARGET), Existing::Keep).unwrap();
    let log: Vec<_> = disk.log().iter().map(|r| (r.operation, r.at, r.bytes, r.failed)).collect();
    let expected = [
        (Operation::Append, 0, 4, None),
        (Operation::Sync, 0, 0, Some(ErrorKind::Other)),
        (Operation::Append, 4, 1, None),
        (Operation::Patch, 1, 2, None),
        (Operation::Patch, 4, 2, Some(ErrorKind::InvalidInput)),
        (Operation::Truncate, 3, 0, None),
        (Operation::Commit, 0, 0, None),
    ];
    assert_eq!(log, expected);
    assert_eq!(disk.read(Path::new(TARGET)).unwrap(), b"0ab");
}

#[test]
fn a_spool_on_the_disk_is_named_and_left_like_a_file() {
    let disk = MemoryDisk::new();
    let mut one = disk.spool(Path::new(TARGET)).unwrap();
    let two = disk.spool(Path::new(TARGET)).unwrap();
    assert_eq!(one.path().unwrap(), Path::new(PART));
    assert_eq!(two.path().unwrap(), Path::new("clips/.take-2.wav.part"));
    drop(two);
    one.discard().unwrap();
    one.discard().unwrap();
    assert_eq!((one.len(), one.path()), (0, None));
    assert_eq!(one.append(b"x").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(disk.paths(), [Path::new("clips/.take-2.wav.part")]);
}

#[test]
fn a_spool_of_its_own_is_saved_into_a_real_file() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("slice.wav");
    let mut spool = MemorySpool::new();
    spool.append(b"bytes").unwrap();
    fs::write(&target, "old").unwrap();
    assert_eq!(spool.commit(&target, Existing::Keep).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(spool.path(), None);
    let saved = spool.commit(&target, Existing::Number).unwrap();
    assert_eq!(saved, folder.path().join("slice-2.wav"));
    assert_eq!((fs::read(&saved).unwrap(), fs::read(&target).unwrap()), (b"bytes".to_vec(), b"old".to_vec()));
    assert_eq!(content(&spool), b"bytes");
    // Every further commit makes another whole file.
    let again = spool.commit(&target, Existing::Number).unwrap();
    assert_eq!((again.file_name(), fs::read(&again).unwrap()), (Some("slice-3.wav".as_ref()), b"bytes".to_vec()));
}

#[test]
fn a_reader_sees_what_comes_later_at_its_own_pace() {
    let mut spool = MemorySpool::new();
    spool.append(b"0123").unwrap();
    let mut reader = spool.reader().unwrap();
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    spool.append(b"4567").unwrap();
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"01234567");
    assert_eq!(reader.seek(SeekFrom::Current(-2)).unwrap(), 6);
    assert_eq!(reader.seek(SeekFrom::End(-9)).unwrap_err().kind(), ErrorKind::InvalidInput);
    drop(spool);
    assert_eq!(reader.read(&mut [0; 9]).unwrap(), 2);
    reader.seek(SeekFrom::Start(u64::MAX)).unwrap();
    assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0);
}

#[derive(Debug, Clone)]
enum Call {
    Append(Vec<u8>),
    Patch(u64, Vec<u8>),
    Truncate(u64),
    Sync,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let call = prop_oneof![
        bytes().prop_map(Call::Append),
        (0_u64..120, bytes()).prop_map(|(at, bytes)| Call::Patch(at, bytes)),
        (0_u64..120).prop_map(Call::Truncate),
        Just(Call::Sync),
    ];
    prop::collection::vec(call, 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn memory_and_file_do_the_same(calls in calls()) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("take.wav");
        let mut spools: [Box<dyn Spool>; 2] =
            [Box::new(MemorySpool::new()), Box::new(FileSpool::beside(&target).unwrap())];
        for call in calls {
            let [memory, file] = spools.each_mut().map(|spool| match &call {
                Call::Append(bytes) => spool.append(bytes),
                Call::Patch(at, bytes) => spool.patch(*at, bytes),
                Call::Truncate(len) => spool.truncate(*len),
                Call::Sync => spool.sync(),
            });
            prop_assert_eq!(memory.map_err(|error| error.kind()), file.map_err(|error| error.kind()));
            prop_assert_eq!(spools[0].len(), spools[1].len());
        }
        let [memory, file] = spools.each_mut().map(|spool| {
            let saved = spool.commit(&target, Existing::Number).unwrap();
            fs::read(saved).unwrap()
        });
        prop_assert_eq!(memory, file);
    }
}
