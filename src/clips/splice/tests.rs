use std::{collections::BTreeMap, ops::ControlFlow};

use super::*;
use crate::{
    audio::{LevelMeter, Marker, Metadata, SampleFormat},
    clips::clip::tests::wav_of,
    storage::memory::{MemoryDisk, Operation},
};

const MONO: AudioFormat = AudioFormat::new(8_000, 1, SampleFormat::S16);

/// Samples that all differ, and are exact in 16 bits.
fn samples(first: i16, count: i16) -> Vec<f32> {
    (first..first + count).map(|n| f32::from(n) / 32_768.0).collect()
}

/// A folder with two takes.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(old: &[u8], new: &[u8]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.old(), old).unwrap();
        fs::write(folder.new_take(), new).unwrap();
        folder
    }

    fn old(&self) -> PathBuf {
        self.0.path().join("take.wav")
    }

    fn new_take(&self) -> PathBuf {
        self.0.path().join("new.wav")
    }

    fn state(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// Splices onto a disk in memory.
    fn splice(&self, seam: Seam, disk: &MemoryDisk) -> Result<Done> {
        let mut spool = disk.spool(&self.old()).unwrap();
        let takes = OpenClips::open(&self.old(), &self.new_take())?;
        takes.into_spool(seam, &mut spool, &mut |_| ControlFlow::Continue(()))
    }
}

fn takes() -> (Vec<u8>, Vec<u8>) {
    let tags = |frame, text: &str| Metadata {
        title: Some(text.into()),
        markers: vec![Marker { frame, text: text.into() }],
        ..Metadata::default()
    };
    (wav_of(MONO, &samples(0, 90), tags(20, "old")), wav_of(MONO, &samples(1_000, 30), tags(3, "new")))
}

fn decoded(bytes: &[u8]) -> (AudioFormat, Vec<f32>, Metadata) {
    let mut decoder = format::from_reader(io::Cursor::new(bytes.to_vec()), "result").unwrap();
    let mut out = Vec::new();
    decoder.read(&mut out, usize::MAX).unwrap();
    (decoder.format(), out, decoder.metadata().clone())
}

#[test]
fn outside_the_seam_every_sample_is_the_same_bit_for_bit() {
    for audio in [
        MONO,
        AudioFormat::new(48_000, 2, SampleFormat::S24),
        AudioFormat::new(44_100, 1, SampleFormat::F32),
        AudioFormat::new(16_000, 3, SampleFormat::S32),
    ] {
        let width = usize::from(audio.channels);
        let (old, new) = (samples(-9_000, 18_000), samples(9_000, 1_200));
        let folder = Folder::new(&wav_of(audio, &old, Metadata::default()), &wav_of(audio, &new, Metadata::default()));
        let cut = 3_000;
        let (head, tail) = old.split_at(cut * width);
        for (seam, expected) in [
            (Seam::End, [&old, &new[..]].concat()),
            (Seam::Insert(cut as u64), [head, &new, tail].concat()),
            (Seam::Overwrite(cut as u64), [head, &new, &tail[new.len()..]].concat()),
        ] {
            let disk = MemoryDisk::new();
            let done = folder.splice(seam, &disk).unwrap();
            assert_eq!(disk.read(&folder.old()).unwrap(), wav_of(audio, &expected, Metadata::default()), "{seam:?}");
            assert_eq!(done.plan.frames() * width as u64, expected.len() as u64);
            assert_eq!(done.previous, folder.0.path().join("take-before.wav"));
            fs::remove_file(done.previous).unwrap();
        }
    }
}

#[test]
fn a_new_take_of_another_kind_is_brought_to_that_of_the_old_one() {
    let audio = AudioFormat::new(8_000, 2, SampleFormat::S24);
    let other = AudioFormat::new(44_100, 1, SampleFormat::F32);
    let old = samples(0, 2_000);
    let marked = Metadata { markers: vec![Marker { frame: 441, text: "m".into() }], ..Metadata::default() };
    let folder = Folder::new(&wav_of(audio, &old, Metadata::default()), &wav_of(other, &vec![0.5; 44_101], marked));
    let disk = MemoryDisk::new();
    let done = folder.splice(Seam::Insert(500), &disk).unwrap();
    let (format, result, tags) = decoded(&disk.read(&folder.old()).unwrap());
    assert_eq!((format, done.plan.new), (audio, 8_000));
    assert_eq!(result.len(), (1_000 + 8_000) * 2);
    assert!(result[..1_000] == old[..1_000] && result[17_000..] == old[1_000..]);
    assert_eq!(tags.markers, [Marker { frame: 580, text: "m".into() }]);
    // Mono is in both channels, and in the middle, away from the edges, it is the level that it was.
    assert!(result[5_000..12_000].iter().all(|sample| (sample - 0.5).abs() < 1e-3));
}

/// All formats that can be read again.
#[test]
fn a_take_of_every_format_has_every_frame_afterwards() {
    let audio = AudioFormat::new(48_000, 1, SampleFormat::S16);
    let tone: Vec<f32> = (0..30_000_u16).map(|n| (f32::from(n) / 20.0).sin() / 2.0).collect();
    let go_on = &mut |_: super::super::Advance| ControlFlow::Continue(());
    for format in format::formats().iter().filter(|format| format.name != "raw") {
        let folder = Folder::new(&wav_of(audio, &tone, Metadata::default()), b"");
        let old = folder.0.path().join("old").with_extension(format.extension());
        let conversion = crate::clips::Conversion::new(format);
        crate::clips::convert(&folder.old(), &old, &conversion, Existing::Keep, go_on).unwrap();
        fs::write(folder.new_take(), wav_of(audio, &[0.0; 10_001], Metadata::default())).unwrap();
        let mut spool = FileSpool::beside(&old).unwrap();
        let done =
            OpenClips::open(&old, &folder.new_take()).unwrap().into_spool(Seam::Insert(20_000), &mut spool, go_on);
        assert_eq!(done.unwrap().plan.frames(), 40_001, "{}", format.name);
        let mut decoder = format::open(&old).unwrap();
        let mut result = Vec::new();
        assert_eq!(decoder.read(&mut result, usize::MAX).unwrap(), 40_001, "{}", format.name);
        assert_eq!((decoder.container(), decoder.format().sample_rate), (format.name, 48_000));
        // A lossy format shifts the phase of a tone, but does not turn silence into sound.
        let level = |part: Range<usize>| {
            let mut meter = LevelMeter::new();
            meter.push(&result[part]);
            meter.take().rms.value()
        };
        for (part, is_silent) in [(500..19_500, false), (20_500..29_500, true), (30_500..39_500, false)] {
            let level = level(part.clone());
            assert_eq!(level < -40.0, is_silent, "{}: {level} dB in {part:?}", format.name);
        }
    }
}

#[test]
fn tags_stay_and_markers_move() {
    let (old, new) = takes();
    let disk = MemoryDisk::new();
    let folder = Folder::new(&old, &new);
    folder.splice(Seam::Insert(10), &disk).unwrap();
    let (_, _, tags) = decoded(&disk.read(&folder.old()).unwrap());
    assert_eq!(tags.title.as_deref(), Some("old"));
    assert_eq!(tags.markers, [(13, "new"), (50, "old")].map(|(frame, text)| Marker { frame, text: text.into() }));
}

#[test]
fn a_disk_that_is_full_at_any_byte_leaves_both_takes_as_they_were() {
    let (old, new) = takes();
    let folder = Folder::new(&old, &new);
    let before = folder.state();
    let disk = MemoryDisk::new();
    folder.splice(Seam::Overwrite(10), &disk).unwrap();
    let length = disk.read(&folder.old()).unwrap().len() as u64;
    fs::remove_file(folder.0.path().join("take-before.wav")).unwrap();
    for byte in 0..length {
        let disk = MemoryDisk::new();
        disk.fill_at(byte, io::ErrorKind::StorageFull);
        let error = folder.splice(Seam::Overwrite(10), &disk).err().unwrap();
        assert_eq!(error.io_kind(), Some(io::ErrorKind::StorageFull), "byte {byte}: {error}");
        assert!(error.to_string().contains("take.wav"), "{error}");
        assert!(folder.state() == before && disk.paths().is_empty(), "byte {byte}");
    }
}

#[test]
fn whichever_operation_fails_both_takes_are_as_they_were() {
    let (old, new) = takes();
    let folder = Folder::new(&old, &new);
    let before = folder.state();
    let disk = MemoryDisk::new();
    folder.splice(Seam::End, &disk).unwrap();
    fs::remove_file(folder.0.path().join("take-before.wav")).unwrap();
    let asked = disk.log();
    for operation in [Operation::Append, Operation::Truncate, Operation::Patch, Operation::Commit] {
        let times = asked.iter().filter(|request| request.operation == operation).count() as u64;
        assert!(times > 0, "{operation:?} was never asked for");
        for nth in 1..=times {
            let disk = MemoryDisk::new();
            disk.fail(operation, nth, io::ErrorKind::PermissionDenied);
            let error = folder.splice(Seam::End, &disk).err().unwrap();
            assert_eq!(error.io_kind(), Some(io::ErrorKind::PermissionDenied), "{operation:?} {nth}");
            assert!(folder.state() == before && disk.paths().is_empty(), "{operation:?} {nth}");
        }
    }
}

#[test]
fn a_splice_can_be_ended_at_any_block() {
    let audio = AudioFormat::new(48_000, 1, SampleFormat::S16);
    let bytes = wav_of(audio, &samples(0, 32_000), Metadata::default());
    let folder = Folder::new(&bytes, &bytes);
    let before = folder.state();
    let mut total = 0;
    for end in 1.. {
        let (mut calls, disk) = (0, MemoryDisk::new());
        let mut spool = disk.spool(&folder.old()).unwrap();
        let outcome = OpenClips::open(&folder.old(), &folder.new_take()).unwrap().into_spool(
            Seam::Insert(5_000),
            &mut spool,
            &mut |advance| {
                calls += 1;
                assert!(Some(advance.frames) <= advance.total);
                total = advance.frames;
                if calls == end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        let Err(error) = outcome else { break };
        assert_eq!(error.kind(), ErrorKind::Abort, "{error}");
        assert!(folder.state() == before && disk.paths().is_empty());
    }
    assert_eq!(total, 64_000);
}

#[test]
fn what_cannot_be_spliced_is_refused_and_nothing_changes() {
    let (old, new) = takes();
    let empty = wav_of(MONO, &[], Metadata::default());
    let folder = Folder::new(&old, &empty);
    let before = folder.state();
    let go_on = &mut |_: super::super::Advance| ControlFlow::Continue(());
    for (with, kind, word) in [
        (folder.new_take(), ErrorKind::InvalidData, "has no sound"),
        (folder.old(), ErrorKind::InvalidData, "into itself"),
        (folder.0.path().join("x.wav"), ErrorKind::Unknown, "cannot read"),
    ] {
        let error = splice(&folder.old(), &with, Seam::End, go_on).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(folder.state() == before);
    fs::write(folder.0.path().join(".take.wav.part"), &new).unwrap();
    let part = folder.0.path().join(".take.wav.part");
    assert!(splice(&folder.old(), &part, Seam::End, go_on).unwrap_err().to_string().contains("unfinished"));
}

#[test]
fn a_take_that_is_changed_meanwhile_is_not_replaced() {
    let (old, new) = takes();
    for name in ["take.wav", "new.wav"] {
        let folder = Folder::new(&old, &new);
        let mut spool = FileSpool::beside(&folder.old()).unwrap();
        let takes = OpenClips::open(&folder.old(), &folder.new_take()).unwrap();
        let changed = folder.0.path().join(name);
        let outcome = takes.into_spool(Seam::End, &mut spool, &mut |_| {
            let other = changed.with_extension("other");
            fs::write(&other, "another program's").unwrap();
            fs::rename(other, &changed).unwrap();
            ControlFlow::Continue(())
        });
        assert!(outcome.err().unwrap().to_string().contains("was changed"));
        assert_eq!(fs::read(&changed).unwrap(), b"another program's");
        assert_eq!(folder.state().len(), 2);
    }
}

#[cfg(unix)]
#[test]
fn the_rights_of_the_old_take_stay() {
    use std::os::unix::fs::PermissionsExt;
    let (old, new) = takes();
    let folder = Folder::new(&old, &new);
    fs::set_permissions(folder.old(), fs::Permissions::from_mode(0o644)).unwrap();
    let mut spool = FileSpool::beside(&folder.old()).unwrap();
    let takes = OpenClips::open(&folder.old(), &folder.new_take()).unwrap();
    takes.into_spool(Seam::End, &mut spool, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(fs::metadata(folder.old()).unwrap().permissions().mode() & 0o777, 0o644);
}
