//! The bytes that a repair is about to replace, kept beside the file until the new ones are safe: a power cut in the
//! middle of a head would leave neither the old one nor the new one.
//!
//! The side file is `.NAME.EXT.dictaphone-head`. It is on the disk before the first byte is replaced and goes when all
//! are on the disk. A process that finds one restores the old bytes and begins again. Independent of formats; any
//! thread.

use std::{
    fs,
    io::{self, Read as _},
    ops::Range,
    path::Path,
};

use super::{
    FileSpool, Spool,
    owner::is_ours,
    place::{Hidden, hidden_path},
    publish::{folder_of, sync_folder},
};
use crate::audio::checksum::ogg_crc32;

/// First bytes of a side file; the number is that of the layout.
const MAGIC: &[u8; 18] = b"dictaphone head 1\n";

/// No side file is larger: a header and a page, old and new.
const SIZE_MAX: u64 = 1 << 20;

/// Bytes that are to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// Where they begin.
    pub at: u64,
    /// The bytes there now; shorter than the new ones, or empty, at the end of the file.
    pub old: Vec<u8>,
    /// The bytes that will be there.
    pub new: Vec<u8>,
}

/// Writes what is to be replaced in a file of `len` bytes, which will have `new_len`, into the empty spool `side`, so
/// that it survives a power cut.
///
/// # Errors
/// Those of the spool.
pub(crate) fn keep(side: &mut dyn Spool, (len, new_len): (u64, u64), replaced: &[Replaced]) -> io::Result<()> {
    let mut bytes = [&MAGIC[..], &len.to_le_bytes(), &new_len.to_le_bytes()].concat();
    for Replaced { at, old, new } in replaced {
        bytes.extend(at.to_le_bytes());
        for text in [old, new] {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text);
        }
    }
    bytes.extend(ogg_crc32(0, &bytes).to_le_bytes());
    side.append(&bytes)?;
    side.sync()
}

/// The side file for the file at `path`, empty.
///
/// # Errors
/// Those of [`FileSpool::beside`].
pub(crate) fn side_of(path: &Path) -> io::Result<FileSpool> {
    let side = FileSpool::hidden_beside(path, Hidden::Head)?;
    // Its name must survive until it is needed.
    side.path().map_or(Ok(()), |side| sync_folder(folder_of(&side)))?;
    Ok(side)
}

/// Undoes a repair of the file at `path`, open as `spool`, that was interrupted by a crash or a power cut, and removes
/// what was kept for that. Returns whether there was one.
///
/// # Errors
/// Those of the file system.
pub(crate) fn roll_back(path: &Path, spool: &mut dyn Spool) -> io::Result<bool> {
    let side = hidden_path(&std::path::absolute(path)?, Hidden::Head);
    if !fs::symlink_metadata(&side).is_ok_and(|there| is_ours(&there)) {
        return Ok(false);
    }
    let mut side = FileSpool::reopen(&side)?;
    let mut bytes = Vec::new();
    side.reader()?.take(SIZE_MAX).read_to_end(&mut bytes)?;
    let was_undone = undo(&bytes, spool)?;
    side.discard()?;
    Ok(was_undone)
}

/// Restores the old bytes in `kept`, if the file is the one in which they were being replaced.
///
/// # Errors
/// Those of the spool.
pub(crate) fn undo(kept: &[u8], spool: &mut dyn Spool) -> io::Result<bool> {
    // Interrupted while it was written: then nothing was replaced yet.
    let Some(kept) = SideFile::parse(kept) else { return Ok(false) };
    if !kept.lengths.contains(&spool.len()) || !kept.is_of(spool)? {
        return Ok(false);
    }
    for Replaced { at, old, .. } in kept.replaced.iter().filter(|replaced| !replaced.old.is_empty()) {
        spool.patch(*at, old)?;
    }
    spool.sync()?;
    Ok(true)
}

struct SideFile {
    lengths: Range<u64>,
    replaced: Vec<Replaced>,
}

impl SideFile {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (bytes, sum) = bytes.split_last_chunk()?;
        if ogg_crc32(0, bytes) != u32::from_le_bytes(*sum) {
            return None;
        }
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let (one, other) = (number(&mut rest)?, number(&mut rest)?);
        let mut replaced = Vec::new();
        while !rest.is_empty() {
            let at = number(&mut rest)?;
            let (old, new) = (text(&mut rest)?, text(&mut rest)?);
            replaced.push(Replaced { at, old, new });
        }
        Some(Self { lengths: one.min(other)..one.max(other).saturating_add(1), replaced })
    }

    /// Whether every byte that was to be replaced is the old one or the new one.
    fn is_of(&self, spool: &dyn Spool) -> io::Result<bool> {
        for Replaced { at, old, new } in &self.replaced {
            let mut reader = spool.reader()?;
            reader.seek(io::SeekFrom::Start(*at))?;
            let mut there = Vec::new();
            reader.take(old.len() as u64).read_to_end(&mut there)?;
            let is_either = |(place, byte): (usize, &u8)| old.get(place) == Some(byte) || new.get(place) == Some(byte);
            if there.len() != old.len() || !there.iter().enumerate().all(is_either) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (number, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u64::from_le_bytes(*number))
}

fn text(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let len = usize::try_from(number(rest)?).ok()?;
    let (text, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::MemorySpool;
    use super::*;

    fn spool(bytes: &[u8]) -> MemorySpool {
        let mut spool = MemorySpool::new();
        spool.append(bytes).unwrap();
        spool
    }

    fn content(spool: &MemorySpool) -> Vec<u8> {
        let mut bytes = Vec::new();
        spool.reader().unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn kept() -> Vec<u8> {
        let replaced = |at, old: &[u8], new: &[u8]| Replaced { at, old: old.to_owned(), new: new.to_owned() };
        let mut side = MemorySpool::new();
        keep(&mut side, (8, 9), &[replaced(0, b"head", b"HEAD"), replaced(8, b"", b"\0")]).unwrap();
        content(&side)
    }

    #[test]
    fn a_head_that_is_old_in_part_becomes_the_old_one() {
        for there in [&b"headtail"[..], b"HEadtail", b"headtail\0", b"HEADtail", b"HeAdtail\0"] {
            let mut spool = spool(there);
            assert!(undo(&kept(), &mut spool).unwrap(), "{there:?}");
            assert_eq!(&content(&spool)[..8], b"headtail", "{there:?}");
        }
    }

    #[test]
    fn another_file_and_what_was_broken_off_change_nothing() {
        for there in [&b"Xeadtail"[..], b"head", b"", b"headtail of another"] {
            let mut spool = spool(there);
            assert!(!undo(&kept(), &mut spool).unwrap(), "{there:?}");
            assert_eq!(content(&spool), there);
        }
        let kept = kept();
        for cut in 0..kept.len() {
            let mut spool = spool(b"HEadtail");
            assert!(!undo(&kept[..cut], &mut spool).unwrap(), "{cut}");
        }
    }

    #[test]
    fn what_is_kept_is_beside_the_file_until_it_was_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        fs::write(&path, "HEadtail").unwrap();
        let mut side = side_of(&path).unwrap();
        side.append(&kept()).unwrap();
        drop(side);
        assert!(folder.path().join(".a.wav.dictaphone-head").exists());
        let mut spool = FileSpool::reopen(&path).unwrap();
        assert!(roll_back(&path, &mut spool).unwrap());
        assert!(!roll_back(&path, &mut spool).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"headtail");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
