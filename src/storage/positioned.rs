//! Reading and writing a file at a given position. The file's own position is never used, so that readers and the
//! writer of one open file do not affect each other, on any threads.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

#[cfg(unix)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(unix)]
pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, at)
}

// These move the file's position on Windows, which is not used.
#[cfg(windows)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

#[cfg(windows)]
pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, at)
}

/// Writes all of `bytes` from `*position` on with `write`, and moves `*position` by exactly what arrived.
///
/// # Errors
/// Those of `write`, except [`io::ErrorKind::Interrupted`], which is tried again; [`io::ErrorKind::WriteZero`] if it
/// writes nothing.
pub(super) fn write_all_counted(
    bytes: &[u8],
    position: &mut u64,
    mut write: impl FnMut(&[u8], u64) -> io::Result<usize>,
) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match write(rest, *position) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::WriteZero, "the disk takes no more bytes")),
            Ok(count) => {
                rest = rest.get(count..).unwrap_or_default();
                *position += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Copies the first `length` bytes of `from` into the empty file `to`.
///
/// # Errors
/// Those of both files; [`io::ErrorKind::UnexpectedEof`] if `from` is shorter.
pub(super) fn copy(from: &File, length: u64, to: &File) -> io::Result<()> {
    const CHUNK_BYTES: u64 = 1 << 20;
    let mut chunk = vec![0; CHUNK_BYTES as usize];
    let mut done = 0;
    while done < length {
        let wanted = usize::try_from((length - done).min(CHUNK_BYTES)).unwrap_or(chunk.len());
        let Some(room) = chunk.get_mut(..wanted) else { break };
        match read_at(from, room, done) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                let got = room.get(..count).unwrap_or_default();
                write_all_counted(got, &mut done, |bytes, at| write_at(to, bytes, at))?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads an open file from the start with a position of its own. Outlives renaming and removal of the file.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    position: u64,
}

impl Reader {
    /// A reader of `file`, which must be a handle of its own (a duplicate will do).
    pub(super) fn new(file: File) -> Self {
        Self { file, position: 0 }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = read_at(&self.file, buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.file.metadata()?.len().checked_add_signed(offset),
        };
        // The systems count file positions in signed numbers.
        self.position = position.filter(|&position| i64::try_from(position).is_ok()).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "seek to a position before the start or beyond any file")
        })?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_interrupted_writes_are_continued() {
        let mut disk = Vec::new();
        let mut position = 0;
        let mut calls = 0;
        write_all_counted(b"0123456789", &mut position, |bytes, at| {
            assert_eq!(at, disk.len() as u64);
            calls += 1;
            if calls % 2 == 0 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = bytes.len().min(3);
            disk.extend_from_slice(&bytes[..count]);
            Ok(count)
        })
        .unwrap();
        assert_eq!((disk.as_slice(), position), (&b"0123456789"[..], 10));
    }

    #[test]
    fn a_failed_write_tells_how_much_arrived() {
        for (room, last) in [(0_usize, None), (4, None), (4, Some(io::ErrorKind::StorageFull)), (9, None)] {
            let mut position = 100;
            let mut left = room;
            let error = write_all_counted(b"0123456789", &mut position, |bytes, _| {
                let count = bytes.len().min(left);
                left -= count;
                match last {
                    Some(kind) if count == 0 => Err(kind.into()),
                    _ => Ok(count),
                }
            })
            .unwrap_err();
            assert_eq!(error.kind(), last.unwrap_or(io::ErrorKind::WriteZero));
            assert_eq!(position, 100 + room as u64);
        }
    }

    #[test]
    fn a_copy_is_exact_and_a_source_that_is_too_short_is_an_error() {
        let (from, to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let bytes: Vec<u8> = (0..(1 << 20) + 12_345_u32).map(|n| (n % 251) as u8).collect();
        write_all_counted(&bytes, &mut 0, |bytes, at| write_at(&from, bytes, at)).unwrap();
        copy(&from, bytes.len() as u64 - 1, &to).unwrap();
        let mut copied = Vec::new();
        Reader::new(to.try_clone().unwrap()).read_to_end(&mut copied).unwrap();
        assert!(copied == bytes[..bytes.len() - 1]);
        let error = copy(&from, bytes.len() as u64 + 1, &to).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_reader_seeks_within_what_a_file_can_be() {
        let file = tempfile::tempfile().unwrap();
        write_at(&file, b"0123456789", 0).unwrap();
        let mut reader = Reader::new(file);
        let mut byte = [0];
        for (to, at, read) in [
            (SeekFrom::Start(3), 3, b"3".as_slice()),
            (SeekFrom::Current(-1), 3, b"3"),
            (SeekFrom::End(-1), 9, b"9"),
            (SeekFrom::End(5), 15, b""),
        ] {
            assert_eq!(reader.seek(to).unwrap(), at);
            let count = reader.read(&mut byte).unwrap();
            assert_eq!(&byte[..count], read);
        }
        for to in [SeekFrom::End(-11), SeekFrom::Current(i64::MIN), SeekFrom::Start(u64::MAX)] {
            assert_eq!(reader.seek(to).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    }
}
