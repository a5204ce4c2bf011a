//! A file in the form that the library requires. Run by the thread that reads.

use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::{Mutex, PoisonError},
};

use symphonia::core::io::{MediaSource, MediaSourceStream};

use crate::format::row::Bytes;

/// The library requires a type that can be shared between threads; it is never shared, so the lock never blocks.
struct ByteSource {
    bytes: Mutex<Bytes>,
    len: u64,
}

/// The file from its start on.
///
/// # Errors
/// Those of seeking.
pub(super) fn stream(mut bytes: Bytes) -> io::Result<MediaSourceStream<'static>> {
    let len = bytes.seek(SeekFrom::End(0))?;
    bytes.seek(SeekFrom::Start(0))?;
    Ok(MediaSourceStream::new(Box::new(ByteSource { bytes: Mutex::new(bytes), len }), Default::default()))
}

impl ByteSource {
    fn bytes(&mut self) -> &mut Bytes {
        self.bytes.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for ByteSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes().read(buffer)
    }
}

impl Seek for ByteSource {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes().seek(to)
    }
}

impl MediaSource for ByteSource {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}
