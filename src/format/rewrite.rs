//! A file with other markers: everything else in it is copied byte for byte, its sound is not decoded. How that is done is
//! in the folder of each format. For any thread that may take the time of a copy.

use std::io::{self, SeekFrom};

use super::{Input, Patch};
use crate::{
    audio::Marker,
    error::{Error, ErrorKind, Result},
};

/// Bytes that are copied at once.
const BLOCK_BYTES: usize = 1 << 20;

/// Writes the file that is read from the first with these markers, in frames of the given number a second, and returns
/// what of it is to be patched at the end.
pub(super) type Rewriting = fn(&mut Copy<'_>, &[Marker], u32) -> Result<Vec<Patch>>;

/// A file that is copied, and where to.
pub(super) struct Copy<'a> {
    input: &'a mut dyn Input,
    output: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
    /// The name of the file in errors.
    name: &'a str,
    written: u64,
}

impl<'a> Copy<'a> {
    pub(super) fn new(
        input: &'a mut dyn Input,
        output: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
        name: &'a str,
    ) -> Self {
        Self { input, output, name, written: 0 }
    }

    /// Bytes that were written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// The length of the file in bytes.
    pub(super) fn len(&mut self) -> Result<u64> {
        self.input.seek(SeekFrom::End(0)).map_err(|error| self.cannot_read(error))
    }

    /// Up to `length` bytes from `at` on; fewer at the end of the file.
    pub(super) fn read(&mut self, at: u64, length: u64) -> Result<Vec<u8>> {
        use io::Read as _;
        let mut bytes = Vec::new();
        let sought = self.input.seek(SeekFrom::Start(at));
        let read = sought.and_then(|_| (&mut *self.input).take(length).read_to_end(&mut bytes));
        read.map(|_| bytes).map_err(|error| self.cannot_read(error))
    }

    /// As [`read`](Self::read), and fewer bytes are an error.
    pub(super) fn read_exactly(&mut self, at: u64, length: u64) -> Result<Vec<u8>> {
        let bytes = self.read(at, length)?;
        if bytes.len() as u64 == length { Ok(bytes) } else { Err(self.damaged()) }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.written += bytes.len() as u64;
        let failed = |error| Error::from_io(error, format!("cannot write a file beside {}", self.name));
        (self.output)(bytes).map_err(failed)
    }

    /// Copies what is between both positions.
    pub(super) fn copy(&mut self, from: u64, to: u64) -> Result<()> {
        let mut at = from;
        while at < to {
            let bytes = self.read(at, (to - at).min(BLOCK_BYTES as u64))?;
            if bytes.is_empty() {
                return Err(self.damaged());
            }
            at += bytes.len() as u64;
            self.write(&bytes)?;
        }
        Ok(())
    }

    /// It does not match its header.
    pub(super) fn damaged(&self) -> Error {
        Error::new(ErrorKind::InvalidData, format!("{} is damaged, its markers stay as they are", self.name))
    }

    fn cannot_read(&self, error: io::Error) -> Error {
        Error::from_io(error, format!("cannot read {}", self.name))
    }
}
