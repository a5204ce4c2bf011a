//! Makes unfinished recordings whole: repairs the header, keeps the time of the last change, and gives the file its
//! finished name.
//!
//! The order of steps survives a crash and a power cut anywhere: the bytes that will be replaced go into a file beside
//! it, then the new bytes are written, then synced, then the file gets its name; running it again finishes it. No other
//! file is ever replaced, and none is deleted except a hidden file without a byte of sound: it would be found again for
//! ever. A file that a user named is changed only if at least as much of it can be decoded afterwards, which is tried
//! before. What has to change is decided in [`repair`]. Run by any thread but a realtime one.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    advance::Advance,
    damage::FileDamage,
    find::{self, Kind, Unfinished, find},
    sealed::Sealed,
    waveform::BLOCK_FRAMES,
};
use crate::{
    audio::{AudioFormat, time},
    error::{Error, ErrorKind, Result},
    format::{self, Input, Origin, Patch, Repair, examine},
    storage::{
        self, Existing, FileSpool, Spool, place,
        undo::{self, Replaced},
    },
};

/// What was done about a recording, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Its bytes were repaired and, if its name was a hidden one, it was given its finished name.
    Repaired,
    /// Its bytes were right; it was given its finished name.
    Renamed,
    /// It is right and has its name: there was nothing to do.
    Nothing,
    /// There is no sound in it. A hidden file that holds nothing else either was removed; any other is left as it is.
    Empty,
}

named! { Change: Repaired "repaired", Renamed "renamed", Nothing "nothing", Empty "empty" }

/// A recording that was handled.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    /// Where it was.
    pub from: PathBuf,
    /// Where it is now; in a dry run, where it would be.
    pub to: PathBuf,
    /// What was done, or would be.
    pub change: Change,
    /// Name of the container, such as `wav`.
    pub container: &'static str,
    /// The format of the sound, where the file states it.
    pub format: Option<AudioFormat>,
    /// Frames in it, where the format is known.
    pub frames: Option<u64>,
    /// Bytes of the finished file.
    pub size_bytes: u64,
    /// Bytes that were written into it.
    pub changed_bytes: u64,
    /// Bytes at the end that made no whole frame and were cut off.
    pub cut_bytes: u64,
    /// What is missing in it and where, as the end of a sentence about it, if it was right or is right now.
    pub damage: Option<String>,
    /// Frames that are missing in it.
    pub lost_frames: u64,
}

impl Recovered {
    /// The length of the recording, where it is known.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        Some(time::duration_of(self.frames?, self.format?.sample_rate))
    }
}

/// The outcome for one path.
#[derive(Debug)]
pub enum Outcome {
    /// It was handled.
    Recovered(Recovered),
    /// It is still being written and was not touched.
    BeingWritten(PathBuf),
    /// It could not be recovered, or not even read; it is as it was, or as far as the last complete step.
    Failed(PathBuf, Error),
}

named! { Outcome: Recovered "recovered", BeingWritten "being-written", Failed "failed" }

/// Finds the unfinished recordings in `paths` (files and folders) and recovers each; a failure of one does not stop the
/// others. With `dry_run` nothing changes, and the outcomes are what would be.
///
/// ```no_run
/// use dictaphone::clips::{Outcome, run};
///
/// for outcome in run(&["Recordings".into()], false) {
///     match outcome {
///         Outcome::Recovered(recovered) => println!("{} is whole", recovered.to.display()),
///         Outcome::BeingWritten(path) => println!("{} is still being recorded", path.display()),
///         Outcome::Failed(path, error) => println!("{}: {error}", path.display()),
///     }
/// }
/// ```
#[must_use]
pub fn run(paths: &[PathBuf], dry_run: bool) -> Vec<Outcome> {
    run_watched(paths, dry_run, &mut |_, _| {})
}

/// As [`run`]; `watch` is called with the progress of reading a file, which takes long where its sound must be decoded.
#[must_use]
pub fn run_watched(paths: &[PathBuf], dry_run: bool, watch: &mut dyn FnMut(&Path, Advance)) -> Vec<Outcome> {
    if !dry_run {
        // Unfinished results made from other clips are no recordings: nothing is lost with them.
        paths.iter().filter(|path| path.is_dir()).for_each(|folder| drop(storage::remove_drafts(folder)));
    }
    let found = find(paths);
    let mut promised = BTreeSet::new();
    let recovered = found.unfinished.into_iter().filter_map(|file| {
        let outcome = recover_beside(&file, dry_run, &mut promised, watch);
        match outcome {
            Ok(recovered) => Some(Outcome::Recovered(recovered)),
            Err(error) if error.io_kind() == Some(io::ErrorKind::WouldBlock) => Some(Outcome::BeingWritten(file.path)),
            // Another process has recovered it meanwhile.
            Err(error) if find::is_gone(&error, &file.kind) => None,
            Err(error) => Some(Outcome::Failed(file.path, error)),
        }
    });
    let recovered: Vec<_> = recovered.collect();
    let being_written = found.being_written.into_iter().map(Outcome::BeingWritten);
    let failed = found.failed.into_iter().map(|(path, error)| Outcome::Failed(path, error));
    recovered.into_iter().chain(being_written).chain(failed).collect()
}

/// Recovers one recording; with `dry_run` only reports what would be done.
///
/// # Errors
/// With [`io::ErrorKind::WouldBlock`] underneath while a process writes it;
/// [`ErrorKind::NotAllowed`](crate::ErrorKind::NotAllowed) if it belongs to another user;
/// [`ErrorKind::InvalidData`](crate::ErrorKind::InvalidData) and
/// [`ErrorKind::NotSupported`](crate::ErrorKind::NotSupported) if its bytes do not show what it is; else those of the
/// file system. After an error the file has its old name, unless only the folder could not be synced.
pub fn recover(file: &Unfinished, dry_run: bool) -> Result<Recovered> {
    recover_beside(file, dry_run, &mut BTreeSet::new(), &mut |_, _| {})
}

/// As [`recover`], for one of several: names in `promised` count as taken in a dry run.
fn recover_beside(
    file: &Unfinished,
    dry_run: bool,
    promised: &mut BTreeSet<PathBuf>,
    watch: &mut dyn FnMut(&Path, Advance),
) -> Result<Recovered> {
    let name = file.path.display().to_string();
    let failed = |error| Error::from_io(error, format!("cannot recover {name}"));
    let mut spool = find::claim(file)?;
    if !dry_run {
        let modified = spool.metadata().and_then(|there| there.modified()).map_err(failed)?;
        if undo::roll_back(&file.path, &mut spool).map_err(failed)? {
            spool.set_modified(modified).map_err(failed)?;
        }
    }
    let (origin, target) = match &file.kind {
        Kind::Part { target } => (Origin::Part, Some(target)),
        Kind::Named => (Origin::Named, None),
    };
    let extension = find::extension(target.unwrap_or(&file.path));
    let mut reader = spool.reader().map_err(failed)?;
    let repair = examine(&mut reader, &name, extension, origin).map_err(|error| match error.kind() {
        // The library may well read it, because it supports what other programs write.
        ErrorKind::Undecodable => format::unknown(&name),
        _ => error,
    })?;
    refuse_harm(&spool, file, &repair, &name)?;
    let mut recovered = summary(file, &repair);
    if recovered.change == Change::Empty && target.is_some() && repair.seal.length >= repair.len && !dry_run {
        spool.discard().map_err(failed)?;
    }
    if recovered.change == Change::Nothing {
        note_damage(&mut recovered, watch);
    }
    if recovered.change == Change::Empty || recovered.change == Change::Nothing {
        return Ok(recovered);
    }
    recovered.to = match target {
        Some(target) if dry_run => free_name(target, promised),
        Some(target) => finish(&mut spool, &repair, target).map_err(failed)?,
        None if dry_run => file.path.clone(),
        None => mend(&mut spool, &repair).map(|()| file.path.clone()).map_err(failed)?,
    };
    if !dry_run {
        note_damage(&mut recovered, watch);
    }
    Ok(recovered)
}

/// Reads the file to its end. Why a file cannot be read at all is reported elsewhere.
fn note_damage(recovered: &mut Recovered, watch: &mut dyn FnMut(&Path, Advance)) {
    let losses = FileDamage::watched(&recovered.to, true, |advance| watch(&recovered.to, advance));
    let Ok(losses) = losses else { return };
    recovered.lost_frames = losses.damage.lost_frames();
    recovered.damage = losses.damage.sentence(losses.sample_rate);
}

fn summary(file: &Unfinished, repair: &Repair) -> Recovered {
    let change = match (&file.kind, repair.is_empty(), repair.is_whole()) {
        (_, true, _) => Change::Empty,
        (Kind::Named, _, true) => Change::Nothing,
        (Kind::Part { .. }, _, true) => Change::Renamed,
        (_, _, false) => Change::Repaired,
    };
    let is_changed = change == Change::Repaired;
    let written = repair.seal.patches.iter().map(|patch| patch.bytes.len() as u64).sum();
    Recovered {
        from: file.path.clone(),
        to: file.path.clone(),
        change,
        container: repair.container,
        format: repair.format,
        frames: repair.frames,
        size_bytes: if is_changed { repair.seal.length } else { repair.len },
        changed_bytes: if is_changed { written } else { 0 },
        cut_bytes: if is_changed { repair.len.saturating_sub(repair.seal.length) } else { 0 },
        damage: None,
        lost_frames: 0,
    }
}

/// Refuses to change a file of another program where something in it would be lost.
fn refuse_harm(spool: &FileSpool, file: &Unfinished, repair: &Repair, name: &str) -> Result<()> {
    if file.kind != Kind::Named {
        return Ok(());
    }
    let left = |why: &str| Err(Error::new(ErrorKind::NotSupported, format!("{name} is left as it is: {why}")));
    if let Some(obstacle) = &repair.obstacle {
        return left(obstacle);
    }
    if repair.is_whole() {
        return Ok(());
    }
    let reader = || spool.reader().map_err(|error| Error::from_io(error, format!("cannot read {name}")));
    let before = decodable(reader()?, name);
    let after = decodable(Sealed::new(reader()?, repair.seal.clone()), name);
    if after.as_secs_f64() >= before.as_secs_f64() {
        return Ok(());
    }
    let seconds = |length: Duration| format!("{:.2} s", length.as_secs_f64());
    left(&format!("{} of sound can be read now, and {} could be read then", seconds(before), seconds(after)))
}

/// How much sound can be read until the end or the first error.
fn decodable(input: impl Input + 'static, name: &str) -> Duration {
    let Ok(mut decoder) = format::from_reader(input, name) else { return Duration::ZERO };
    let rate = decoder.format().sample_rate;
    // Plain samples need not be decoded to be counted.
    if let (Some(_), Some(frames)) = (decoder.stored(), decoder.frames()) {
        return time::duration_of(frames, rate);
    }
    let (mut frames, mut block) = (0_u64, Vec::new());
    while let Ok(count @ 1..) = decoder.read(&mut block, BLOCK_FRAMES) {
        frames += count as u64;
        block.clear();
    }
    time::duration_of(frames, rate)
}

/// Repairs the bytes and gives the file its name.
fn finish(spool: &mut FileSpool, repair: &Repair, target: &Path) -> io::Result<PathBuf> {
    let modified = spool.metadata()?.modified()?;
    mend(spool, repair)?;
    let path = spool.commit(target, Existing::Number)?;
    // On another file system, or after a failed sync, the commit has made a new file.
    if spool.metadata()?.modified()? != modified {
        spool.set_modified(modified)?;
    }
    Ok(path)
}

/// Corrects the bytes, and syncs them to the disk.
fn mend(spool: &mut FileSpool, repair: &Repair) -> io::Result<()> {
    let modified = spool.metadata()?.modified()?;
    if !repair.is_whole() {
        let path = spool.path().unwrap_or_default();
        apply(spool, || undo::side_of(&path), repair)?;
    }
    // Before the name: a crash in between must not make an old recording look like one of today.
    spool.set_modified(modified)?;
    spool.sync()
}

/// Corrects the bytes. What they replace is kept in the spool that `side` makes until they are safe.
fn apply<S: Spool>(spool: &mut dyn Spool, side: impl Fn() -> io::Result<S>, repair: &Repair) -> io::Result<()> {
    let seal = &repair.seal;
    let replaced = seal.patches.iter().map(|patch| replaced(spool, patch)).collect::<io::Result<Vec<_>>>()?;
    let mut side = if replaced.is_empty() { None } else { Some(side()?) };
    if let Some(side) = &mut side {
        undo::keep(side, (spool.len(), seal.length), &replaced)?;
    }
    for patch in &seal.patches {
        if patch.at == spool.len() {
            spool.append(&patch.bytes)?;
        } else {
            spool.patch(patch.at, &patch.bytes)?;
            // The header counts bytes that are cut off or appended only later.
            spool.sync()?;
        }
    }
    spool.truncate(seal.length)?;
    spool.sync()?;
    side.map_or(Ok(()), |mut side| side.discard())
}

/// What a patch is about to replace.
fn replaced(spool: &dyn Spool, patch: &Patch) -> io::Result<Replaced> {
    let mut reader = spool.reader()?;
    reader.seek(SeekFrom::Start(patch.at))?;
    let mut old = Vec::new();
    reader.take(patch.bytes.len() as u64).read_to_end(&mut old)?;
    Ok(Replaced { at: patch.at, old, new: patch.bytes.clone() })
}

/// The name that a commit would take now.
fn free_name(target: &Path, promised: &mut BTreeSet<PathBuf>) -> PathBuf {
    let is_free = |name: &PathBuf| fs::symlink_metadata(name).is_err() && !promised.contains(name);
    let name = (1..=u32::MAX).map(|n| place::numbered(target, n)).find(is_free);
    let name = name.unwrap_or_else(|| target.to_owned());
    promised.insert(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audio::{AudioFormat, Metadata, SampleFormat},
        format::{Delivery, EncoderSettings, Seal},
        storage::{MemoryDisk, memory::Operation},
    };

    const PART: &str = ".take.part";
    const SIDE: &str = "..take.part.dictaphone-head";

    /// A recording that was killed: never sealed, and cut off within its last frame or block.
    fn killed(name: &str) -> Vec<u8> {
        let depth = if name == "opus" { SampleFormat::S16 } else { SampleFormat::S24 };
        let settings = EncoderSettings {
            audio: AudioFormat::new(48_000, 1, depth),
            delivery: Delivery::File,
            bits_per_second: None,
            metadata: Metadata::default(),
        };
        let mut encoder = format::by_name(name).unwrap().encoder(&settings).unwrap();
        let mut bytes = Vec::new();
        encoder.begin(&mut bytes).unwrap();
        let sound: Vec<f32> = (0..9_001_u16).map(|n| (f32::from(n) / 30.0).sin() / 2.0).collect();
        encoder.encode(&sound, &mut bytes).unwrap();
        encoder.flush(&mut bytes).unwrap();
        bytes.extend([0x5a; 2]);
        bytes
    }

    fn read(spool: &dyn Spool) -> Vec<u8> {
        let mut bytes = Vec::new();
        spool.reader().unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn repaired_on(disk: &MemoryDisk, name: &str) -> Vec<u8> {
        let mut spool = disk.reopen(Path::new(PART)).unwrap();
        if let Some(kept) = disk.read(Path::new(SIDE)) {
            undo::undo(&kept, &mut spool).unwrap();
        }
        let repair = examine(&mut spool.reader().unwrap(), "x", Some(name), Origin::Part).unwrap();
        apply(&mut spool, || disk.put_empty(Path::new(SIDE)), &repair).unwrap();
        read(&spool)
    }

    #[test]
    fn after_a_power_cut_anywhere_the_next_run_comes_to_the_same_end() {
        for name in ["wav", "flac", "opus"] {
            let disk = MemoryDisk::new();
            disk.put(Path::new(PART), &killed(name));
            let whole = repaired_on(&disk, name);
            assert!(
                whole != killed(name) && format::from_reader(io::Cursor::new(whole.clone()), "x").is_ok(),
                "{name}"
            );
            let cuts = disk.power_cuts();
            assert!(cuts.len() > 20, "{name}: {}", cuts.len());
            for cut in cuts {
                // Before the recording was on the disk there is nothing to recover.
                let Some(part) = cut.file(Path::new(PART)).filter(|_| cut.steps >= 6) else { continue };
                let after = MemoryDisk::new();
                after.put(Path::new(PART), part);
                if let Some(side) = cut.file(Path::new(SIDE)) {
                    after.put(Path::new(SIDE), side);
                }
                assert!(repaired_on(&after, name) == whole, "{name}, after step {}", cut.steps);
            }
        }
    }

    #[test]
    fn a_repair_after_which_less_could_be_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.flac");
        fs::write(&path, killed("flac")).unwrap();
        let spool = FileSpool::reopen(&path).unwrap();
        let mut repair = examine(&mut spool.reader().unwrap(), "x", Some("flac"), Origin::Part).unwrap();
        let file = Unfinished { path, kind: Kind::Named };
        refuse_harm(&spool, &file, &repair, "a.flac").unwrap();
        repair.seal = Seal { length: repair.len / 2, patches: Vec::new() };
        let refused = refuse_harm(&spool, &file, &repair, "a.flac").unwrap_err().to_string();
        assert!(refused.contains("of sound can be read now, and"), "{refused}");
    }

    #[test]
    fn the_head_is_on_the_disk_before_the_rest_is_touched() {
        let disk = MemoryDisk::new();
        disk.put(Path::new(PART), &killed("wav"));
        repaired_on(&disk, "wav");
        let order: Vec<_> = disk.log().iter().map(|request| request.operation).collect();
        use Operation::{Append, Discard, Patch, Sync, Truncate};
        // What is replaced goes beside it, then comes the header, the pad byte, and the end.
        assert_eq!(order, [Append, Sync, Patch, Sync, Patch, Sync, Truncate, Sync, Discard]);
    }
}
