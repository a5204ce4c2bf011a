//! Waveforms of clips in a folder of their own, and how loud they are, so that a long take is read through only once.
//!
//! The folder may be deleted at any time, and its content is used only if it is whole and belongs to the clip as it is
//! now: same path, size and date of change. A clip has one file, so that a changed clip replaces its old one.

use std::{
    fs,
    hash::Hasher,
    io::{self, Read, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::waveform::{BINS_MAX, Bin, Outline, Waveform};
use crate::{error::Result, format};

/// First bytes of a file; the number is that of the layout.
const MAGIC: &[u8; 8] = b"dictwf\x03\n";

/// No file is larger: the bins, and a path of any sensible length.
const SIZE_MAX: u64 = 64 << 10;

/// Clips that are kept before the oldest are removed, about 180 MB if all of them are long.
const FILES_MAX: usize = 15_000;

/// How loud a clip is as a whole; `None` for silence and what cannot be measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Levels {
    /// The highest sample in dBFS.
    pub(super) peak_dbfs: Option<f64>,
    /// Integrated loudness in LUFS.
    pub(super) loudness_lufs: Option<f64>,
}

/// A folder of waveforms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveformCache {
    folder: PathBuf,
}

impl WaveformCache {
    /// The cache in `folder`, which is created when it is needed.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The waveform of the clip at `path`: the one that is kept, otherwise it is measured and kept. `watch` is called
    /// as by [`Waveform::measure`]; a waveform whose measuring it ended is not kept. That it cannot be kept is no error.
    ///
    /// # Errors
    /// Those of reading the clip.
    pub fn waveform(&self, path: &Path, mut watch: impl FnMut(&Outline) -> ControlFlow<()>) -> Result<Waveform> {
        if let Some(waveform) = self.load(path) {
            return Ok(waveform);
        }
        let state = key(path);
        let mut was_ended = false;
        let waveform = Waveform::measure(format::open(path)?.as_mut(), |outline| {
            let flow = watch(outline);
            was_ended |= flow.is_break();
            flow
        })?;
        // The wrong waveform would be kept for a clip that changed while it was read.
        if let (false, Ok(before), Ok(after)) = (was_ended, state, key(path))
            && before == after
        {
            let _ = self.write(&before, path, &waveform, None);
        }
        Ok(waveform)
    }

    /// The waveform that is kept for the clip as it is now.
    #[must_use]
    pub fn load(&self, path: &Path) -> Option<Waveform> {
        Some(self.read(path)?.0)
    }

    /// Whether the clip, as it is now, was read to its end for its waveform and its levels.
    #[must_use]
    pub fn knows(&self, path: &Path) -> bool {
        self.load_measured(path).is_some()
    }

    /// The same for a clip that was read to its end for its levels too.
    pub(super) fn load_measured(&self, path: &Path) -> Option<(Waveform, Levels)> {
        let (waveform, levels) = self.read(path)?;
        Some((waveform, levels?))
    }

    fn read(&self, path: &Path) -> Option<(Waveform, Option<Levels>)> {
        let key = key(path).ok()?;
        let mut bytes = Vec::new();
        fs::File::open(self.file_of(path)).ok()?.take(SIZE_MAX).read_to_end(&mut bytes).ok()?;
        decode_file(&bytes, &key)
    }

    /// Stores the waveform of the clip as it is now, such as one that was gathered while recording.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn store(&self, path: &Path, waveform: &Waveform) -> io::Result<()> {
        self.write(&key(path)?, path, waveform, None)
    }

    /// Removes the waveforms that were stored longest ago, if there are too many.
    ///
    /// # Errors
    /// Those of the file system; a missing folder is none.
    pub fn prune(&self) -> io::Result<()> {
        self.prune_to(FILES_MAX)
    }

    fn prune_to(&self, max: usize) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        let ours =
            entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "wf"));
        let mut files: Vec<PathBuf> = ours.collect();
        if files.len() > max {
            files.sort_by_cached_key(|path| {
                fs::metadata(path).and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
            });
            let excess = files.len() - max;
            files.iter().take(excess).try_for_each(|path| match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            })?;
        }
        Ok(())
    }

    /// Stores what belongs to that [`key`].
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn write(&self, key: &[u8], path: &Path, waveform: &Waveform, levels: Option<Levels>) -> io::Result<()> {
        let bytes = encode_file(key, waveform, levels);
        if bytes.len() as u64 > SIZE_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path is too long to keep its waveform"));
        }
        fs::create_dir_all(&self.folder)?;
        let target = self.file_of(path);
        // Readers see the old file or the whole new one. The number of the process in the name keeps other processes
        // from writing into it.
        let part = target.with_extension(format!("{}.part", std::process::id()));
        let written = fs::File::create(&part)
            .and_then(|mut file| file.write_all(&bytes))
            .and_then(|()| fs::rename(&part, &target));
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written
    }

    fn file_of(&self, path: &Path) -> PathBuf {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.folder.join(format!("{:016x}.wf", checksum(path.as_os_str().as_encoded_bytes())))
    }
}

/// What a stored waveform must match: path, size and date of change of the clip.
pub(super) fn key(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    let modified = metadata.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let mut key = [metadata.len().to_le_bytes(), modified.as_secs().to_le_bytes()].concat();
    key.extend(modified.subsec_nanos().to_le_bytes());
    key.extend(std::path::absolute(path)?.as_os_str().as_encoded_bytes());
    Ok(key)
}

fn encode_file(key: &[u8], waveform: &Waveform, levels: Option<Levels>) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for number in [key.len() as u64, waveform.frames, waveform.frames_per_bin, waveform.bins.len() as u64] {
        out.extend(number.to_le_bytes());
    }
    out.extend(key);
    let bytes = |bin: &Bin| [bin.low.to_le_bytes(), bin.high.to_le_bytes(), bin.rms.to_le_bytes()].concat();
    out.extend(waveform.bins.iter().flat_map(bytes));
    for level in levels.iter().flat_map(|levels| [levels.peak_dbfs, levels.loudness_lufs]) {
        out.extend(level.unwrap_or(f64::NAN).to_le_bytes());
    }
    out.extend(checksum(&out).to_le_bytes());
    out
}

/// What is in `bytes` if they are whole and belong to `key`.
fn decode_file(bytes: &[u8], key: &[u8]) -> Option<(Waveform, Option<Levels>)> {
    let (content, sum) = bytes.split_last_chunk::<8>()?;
    if checksum(content) != u64::from_le_bytes(*sum) {
        return None;
    }
    let mut rest = content.strip_prefix(MAGIC)?;
    let mut number = || {
        let (number, behind) = rest.split_first_chunk::<8>()?;
        rest = behind;
        Some(u64::from_le_bytes(*number))
    };
    let (key_len, frames, frames_per_bin, count) = (number()?, number()?, number()?, number()?);
    let (found, rest) = rest.split_at_checked(usize::try_from(key_len).ok()?)?;
    let count = usize::try_from(count).ok().filter(|&count| count <= BINS_MAX)?;
    let (bins, rest) = rest.split_at_checked(count * 6)?;
    let fits = frames_per_bin > 0 && frames.div_ceil(frames_per_bin) == count as u64;
    if found != key || !fits {
        return None;
    }
    let bins = bins.as_chunks::<6>().0.iter().map(|&[a, b, c, d, e, f]| Bin {
        low: i16::from_le_bytes([a, b]),
        high: i16::from_le_bytes([c, d]),
        rms: u16::from_le_bytes([e, f]),
    });
    let level = |bytes: &[u8; 8]| Some(f64::from_le_bytes(*bytes)).filter(|level| level.is_finite());
    let levels = match rest.as_chunks::<8>() {
        ([], []) => None,
        ([peak, loudness], []) => Some(Levels { peak_dbfs: level(peak), loudness_lufs: level(loudness) }),
        _ => return None,
    };
    Some((Waveform { frames, frames_per_bin, bins: bins.collect() }, levels))
}

/// FNV-1a, 64 bits: the same in every version of the program, unlike the standard library's.
fn checksum(bytes: &[u8]) -> u64 {
    let mut fnv = Fnv(0xcbf2_9ce4_8422_2325);
    fnv.write(bytes);
    fnv.finish()
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{audio::Metadata, clips::clip::tests::wav};

    struct Rig {
        dir: tempfile::TempDir,
        clip: PathBuf,
        cache: WaveformCache,
    }

    fn rig() -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let clip = dir.path().join("a.wav");
        fs::write(&clip, wav(&[0.5; 5_000], 1, Metadata::default())).unwrap();
        let cache = WaveformCache::new(dir.path().join("cache/waveforms"));
        Rig { dir, clip, cache }
    }

    impl Rig {
        /// The waveform, and whether the clip had to be read for it.
        fn get(&self) -> (Waveform, bool) {
            let mut was_read = false;
            let watch = |_: &Outline| {
                was_read = true;
                ControlFlow::Continue(())
            };
            (self.cache.waveform(&self.clip, watch).unwrap(), was_read)
        }
    }

    #[test]
    fn a_clip_is_read_once_until_it_changes() {
        let rig = rig();
        let (first, was_read) = rig.get();
        assert!(was_read);
        assert_eq!(rig.get(), (first.clone(), false));
        fs::write(&rig.clip, wav(&[0.25; 5_000], 1, Metadata::default())).unwrap();
        let later = SystemTime::now() + Duration::from_secs(9);
        fs::File::options().write(true).open(&rig.clip).unwrap().set_modified(later).unwrap();
        let (changed, was_read) = rig.get();
        assert!(was_read && changed != first);
        assert_eq!(fs::read_dir(rig.dir.path().join("cache/waveforms")).unwrap().count(), 1);
        fs::remove_dir_all(rig.dir.path().join("cache")).unwrap();
        assert_eq!(rig.get(), (changed, true));
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_noticed() {
        let rig = rig();
        let expected = rig.get().0;
        let file = rig.cache.file_of(&rig.clip);
        let whole = fs::read(&file).unwrap();
        for at in (0..whole.len()).step_by(97).chain([0, 8, 16, 24, 32, whole.len() - 1]) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            fs::write(&file, &damaged).unwrap();
            assert_eq!(rig.cache.load(&rig.clip), None, "byte {at}");
            fs::write(&file, &whole[..at]).unwrap();
            assert_eq!(rig.cache.load(&rig.clip), None, "cut at {at}");
        }
        assert_eq!(rig.get(), (expected.clone(), true));
        assert_eq!(rig.get(), (expected, false));
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_no_error() {
        let rig = rig();
        fs::write(rig.dir.path().join("cache"), "in the way").unwrap();
        assert!(rig.get().1 && rig.get().1);
    }

    #[test]
    fn a_measurement_that_was_ended_is_not_kept() {
        let rig = rig();
        rig.cache.waveform(&rig.clip, |_| ControlFlow::Break(())).unwrap();
        assert_eq!(rig.cache.load(&rig.clip), None);
    }

    #[test]
    fn pruning_forgets_the_oldest_and_touches_nothing_else() {
        let rig = rig();
        rig.cache.prune().unwrap();
        let (waveform, _) = rig.get();
        let other = rig.dir.path().join("b.wav");
        fs::copy(&rig.clip, &other).unwrap();
        rig.cache.store(&other, &waveform).unwrap();
        let old = SystemTime::now() - Duration::from_secs(99);
        fs::File::options().write(true).open(rig.cache.file_of(&rig.clip)).unwrap().set_modified(old).unwrap();
        let foreign = rig.dir.path().join("cache/waveforms/notes.txt");
        fs::write(&foreign, "").unwrap();
        rig.cache.prune_to(1).unwrap();
        assert_eq!(rig.cache.load(&rig.clip), None);
        assert_eq!(rig.cache.load(&other), Some(waveform));
        assert!(foreign.exists());
    }

    proptest! {
        #[test]
        fn what_is_kept_reads_back(
            samples in prop::collection::vec(-1.0_f32..1.0, 0..3_000), key: Vec<u8>,
            levels in prop::option::of((prop::option::of(-90.0..6.0), prop::option::of(-90.0..6.0))),
        ) {
            let mut outline = Outline::new(None);
            outline.push(&samples, 1);
            let waveform = outline.finish();
            let levels = levels.map(|(peak_dbfs, loudness_lufs)| Levels { peak_dbfs, loudness_lufs });
            let bytes = encode_file(&key, &waveform, levels);
            prop_assert_eq!(decode_file(&bytes, &key), Some((waveform, levels)));
            prop_assert_eq!(decode_file(&bytes, &[&key[..], &[1]].concat()), None);
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>, key: Vec<u8>) {
            let sealed = [&MAGIC[..], &bytes, &checksum(&[&MAGIC[..], &bytes].concat()).to_le_bytes()].concat();
            prop_assert_eq!(decode_file(&bytes, &key), None);
            // The sum is right, so that the rest of the file is checked.
            let _ = decode_file(&sealed, &key);
        }
    }
}
