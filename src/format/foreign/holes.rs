//! Pages that are missing in an Ogg file, or damaged. The library refuses a file for some of them, skips others without
//! an error, and gives what follows the time of what is missing. Here they are found by number and checksum and
//! measured from the positions of the pages around them; the library reads the other pages.

use std::{
    collections::HashMap,
    io::{self, Read, Seek, SeekFrom},
};

use crate::format::{
    Input,
    ogg::read::{Page, broken_page_at, first_page},
    row::Bytes,
    window::Window,
};

/// The longest sound that a page can plausibly hold, in seconds; a number in a file may be anything.
const PAGE_SECONDS_MAX: u64 = 60;

/// A place where pages are missing in one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hole {
    /// The position of the codec before, and at the end of the first whole page after it.
    pub(super) before: u64,
    pub(super) after: u64,
    pages: u64,
    /// Frames of the whole page after it.
    behind: u64,
}

impl Hole {
    /// Counts a packet to which the library gives that time, if it is on the page after the hole.
    pub(super) fn count(&mut self, begins: u64, frames: u64) {
        if (self.before..self.after).contains(&begins) {
            self.behind = self.behind.saturating_add(frames);
        }
    }

    /// How long it is, once all packets were counted; `None` if that cannot be.
    pub(super) fn frames(&self, rate: u32) -> Option<u64> {
        let frames = self.after.saturating_sub(self.before).saturating_sub(self.behind);
        (frames <= most(self.pages, rate)).then_some(frames)
    }
}

fn most(pages: u64, rate: u32) -> u64 {
    pages.saturating_mul(PAGE_SECONDS_MAX).saturating_mul(rate.into())
}

/// One stream of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OggStream {
    pub(super) holes: Vec<Hole>,
    /// The position of the codec at the end of the last whole page, and the one that a broken page after it claims.
    granule: u64,
    claimed: Option<u64>,
    /// Whether its last page is there.
    pub(super) has_end: bool,
    sequence: u32,
    /// Bytes that belong to no page, as many as there were when its last page was read.
    skipped: u64,
    /// Pages that are missing before the next one on which a packet ends.
    missing: u64,
    broken: bool,
}

impl OggStream {
    /// Frames that are missing at the end, as far as that is known.
    pub(super) fn missing_at_end(&self, rate: u32) -> u64 {
        let frames = self.claimed.map_or(0, |claimed| claimed.saturating_sub(self.granule));
        if frames <= most(1, rate) { frames } else { 0 }
    }

    fn take(&mut self, page: &Page, skipped: u64) {
        self.missing += u64::from(page.sequence.saturating_sub(self.sequence).saturating_sub(1));
        self.broken |= skipped > self.skipped;
        if let Some(granule) = page.granule {
            // A recording of a radio station may begin at any position.
            let is_hole = self.missing > 0 && (self.granule > 0 || self.broken);
            if is_hole && granule > self.granule {
                self.holes.push(Hole { before: self.granule, after: granule, pages: self.missing, behind: 0 });
            }
            (self.missing, self.broken) = (0, false);
            self.granule = granule;
        }
        (self.sequence, self.skipped) = (page.sequence, skipped);
        self.has_end |= page.is_last();
    }
}

/// The whole pages of a file one after another, as a file.
pub(super) struct Pages {
    bytes: Bytes,
    /// Runs of contiguous whole pages: where a run begins for the reader of this, where in the file, and how many bytes
    /// it has.
    runs: Vec<Run>,
    at: u64,
}

struct Run {
    begins: u64,
    file_at: u64,
    len: u64,
}

impl Pages {
    fn len(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.begins + run.len)
    }

    fn push(&mut self, file_at: u64, len: u64) {
        let begins = self.len();
        match self.runs.last_mut() {
            Some(run) if run.file_at + run.len == file_at => run.len += len,
            _ => self.runs.push(Run { begins, file_at, len }),
        }
    }
}

impl Read for Pages {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let index = self.runs.partition_point(|run| run.begins + run.len <= self.at);
        let Some(run) = self.runs.get(index) else { return Ok(0) };
        let within = self.at - run.begins;
        let left = usize::try_from(run.len - within).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        self.bytes.seek(SeekFrom::Start(run.file_at + within))?;
        let read = self.bytes.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Pages {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// All streams of a file by their numbers, and its whole pages.
pub(super) fn find(mut bytes: Bytes) -> io::Result<(HashMap<u32, OggStream>, Pages)> {
    let input: &mut dyn Input = &mut bytes;
    let mut window = Window::new(input);
    let len = window.len()?;
    let mut found = Vec::new();
    let (mut streams, mut at, mut skipped) = (HashMap::<u32, OggStream>::new(), 0, 0);
    while let Some(page) = first_page(&mut window, at, len, |_| true)? {
        skipped += page.at - at;
        at = page.end();
        match streams.get_mut(&page.serial).filter(|_| !page.is_first()) {
            Some(stream) => stream.take(&page, skipped),
            None => {
                let first = OggStream { sequence: page.sequence, skipped, ..OggStream::default() };
                streams.insert(page.serial, first);
            }
        }
        found.push((page.at, page.len));
    }
    if let Some(page) = broken_page_at(&mut window, at)?
        && let Some(stream) = streams.get_mut(&page.serial)
        && page.sequence == stream.sequence.wrapping_add(1)
    {
        stream.claimed = page.granule;
    }
    let mut pages = Pages { bytes, runs: Vec::new(), at: 0 };
    found.into_iter().for_each(|(at, len)| pages.push(at, len));
    Ok((streams, pages))
}
