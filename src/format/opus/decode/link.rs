//! One Opus stream in an Ogg file: where it begins and ends, and how long it is, from what is really there. A file may
//! hold several, one after another (RFC 3533, section 4, "chaining"), and other streams among them. Run by the thread
//! that opens the file.

use std::io;

use super::head::{Head, codec_of, packet_frames};
use crate::{
    audio::Metadata,
    error::{Error, ErrorKind, Result},
    format::{
        Input,
        comments::read as comments,
        ogg::read::{Page, broken_page_at, first_page, last_page, page_at},
        window::Window,
    },
};

/// Bytes of comments that are read, and pages at a file's start that are searched.
const COMMENTS_MAX: usize = 8 << 20;
const START_PAGES_MAX: usize = 64;

/// What encoders usually skip before the sound, in frames: 6.5 ms.
const USUAL_PRE_SKIP: u16 = 312;

/// Frames on a page at most: 255 packets of 120 ms.
const PAGE_FRAMES_MAX: u64 = 255 * super::PACKET_FRAMES_MAX as u64;

/// Streams in one file.
const LINKS_MAX: usize = 4096;

/// One stream.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) head: Head,
    pub(super) serial: u32,
    /// Where its first page of sound is, in bytes.
    pub(super) audio: u64,
    /// Where the next stream begins, or the file ends.
    pub(super) end: u64,
    /// The granule at its first sample, which is not zero in a part of a longer stream.
    pub(super) base: u64,
    /// Frames of sound in it, the pre-skip left out.
    pub(super) frames: u64,
    /// Frames after them, on a page that is damaged or cut off.
    pub(super) missing: u64,
    /// The number of the first page of sound.
    pub(super) sequence: u32,
    /// The remark about its headers or its end.
    pub(super) remark: Option<&'static str>,
    pub(super) metadata: Metadata,
    /// Its last page on which a packet ends.
    pub(super) last: Option<Page>,
}

impl Link {
    /// Frames of sound in it and missing at its end.
    pub(super) fn length(&self) -> u64 {
        self.frames.saturating_add(self.missing)
    }
}

/// All streams of the file, at least one.
///
/// # Errors
/// [`ErrorKind::Undecodable`] if it holds no Opus or one that is not read; [`ErrorKind::InvalidData`] if it is damaged.
pub(super) fn links<I: Input>(window: &mut Window<I>, name: &str) -> Result<Vec<Link>> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let len = window.len().map_err(failed)?;
    let mut links = vec![link_at(window, 0, len, name)?];
    let last = last_page(window, 0, len, |_| true).map_err(failed)?;
    // The usual file ends with the stream with which it begins.
    while links.len() < LINKS_MAX {
        let Some(link) = links.last_mut().filter(|link| last.as_ref().is_some_and(|last| last.serial != link.serial))
        else {
            break;
        };
        let Some(next) = first_page(window, link.audio, len, is_opus).map_err(failed)? else { break };
        link.end = next.at;
        // What follows may be another kind of sound, and then the file ends here.
        let Ok(following) = link_at(window, next.at, len, name) else { break };
        links.push(following);
    }
    for link in &mut links {
        measure(window, link).map_err(failed)?;
    }
    Ok(links)
}

fn is_opus(page: &Page) -> bool {
    page.is_first() && page.start().starts_with(b"OpusHead")
}

/// The stream that begins at `at`, its length still unknown.
fn link_at<I: Input>(window: &mut Window<I>, at: u64, len: u64, name: &str) -> Result<Link> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let mut remark = None;
    let (head, parsed) = match head_page(window, at, name)? {
        Some(head) => {
            let parsed = Head::parse(head.start(), name)?;
            (head, parsed)
        }
        None => {
            remark = Some("its first page is damaged");
            broken_head(window, at, len).map_err(failed)?.ok_or_else(|| {
                Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it does not say its format"))
            })?
        }
    };
    let (audio, sequence, tags) = comments_behind(window, &head).map_err(failed)?;
    if tags.is_empty() {
        remark = remark.or(Some("its tags are damaged"));
    }
    let block = tags.strip_prefix(b"OpusTags").unwrap_or_default();
    Ok(Link {
        head: parsed,
        serial: head.serial,
        audio,
        end: len,
        base: 0,
        frames: 0,
        missing: 0,
        sequence,
        remark,
        metadata: comments::metadata(block, super::SAMPLE_RATE),
        last: None,
    })
}

/// The sound with which the file begins; `None` if it is Opus or unknown.
///
/// # Errors
/// Those of reading.
pub(super) fn first_codec<I: Input>(window: &mut Window<I>) -> io::Result<Option<&'static str>> {
    let (mut at, mut found) = (0, None);
    for _ in 0..START_PAGES_MAX {
        let Some(page) = page_at(window, at)?.filter(Page::is_first) else { break };
        match codec_of(page.start()) {
            "Opus" => return Ok(None),
            codec @ ("Vorbis" | "FLAC" | "Speex") => found = found.or(Some(codec)),
            _ => {}
        }
        at = page.end();
    }
    Ok(found)
}

/// The page of the Opus identification among those with which streams begin at `at`; `None` if that is damaged.
fn head_page<I: Input>(window: &mut Window<I>, at: u64, name: &str) -> Result<Option<Page>> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let (mut at, mut found) = (at, None);
    for _ in 0..START_PAGES_MAX {
        match page_at(window, at).map_err(failed)?.filter(Page::is_first) {
            Some(page) if is_opus(&page) => return Ok(Some(page)),
            Some(page) => {
                at = page.end();
                found = found.or(Some(codec_of(page.start())));
            }
            None => break,
        }
    }
    match found {
        Some(codec) => Err(Error::undecodable(name, format!("{name} holds {codec} sound, which is not read"))),
        None => Ok(None),
    }
}

/// What can be recovered from a first page with a wrong checksum: its own content where that is plausible, else what
/// the sound implies.
fn broken_head<I: Input>(window: &mut Window<I>, at: u64, len: u64) -> io::Result<Option<(Page, Head)>> {
    let Some(mut page) = broken_page_at(window, at)? else { return Ok(None) };
    let is_sound = |page: &Page| page.granule.is_some() && !page.is_first() && !page.start().starts_with(b"OpusTags");
    let Some(behind) = first_page(window, at.saturating_add(1), len, |page| !page.is_first())? else { return Ok(None) };
    let Some(sound) = first_page(window, behind.at, len, is_sound)? else { return Ok(None) };
    let tells = behind.start().starts_with(b"OpusTags") || is_opus(&page);
    if !tells {
        return Ok(None);
    }
    (page.serial, page.len) = (behind.serial, behind.at.saturating_sub(at));
    // The first byte of a packet determines whether it is stereo (RFC 6716, section 3.1).
    let channels = if sound.start().first().is_some_and(|first| first & 4 != 0) { 2 } else { 1 };
    let guess = Head { channels, pre_skip: USUAL_PRE_SKIP, gain: 0 };
    let told = Head::parse(page.start(), "").ok().filter(|head| is_opus(&page) && head.channels == channels);
    Ok(Some((page, told.unwrap_or(guess))))
}

/// Where the sound begins after the comment packet, the number of its first page, and that packet.
fn comments_behind<I: Input>(window: &mut Window<I>, head: &Page) -> io::Result<(u64, u32, Vec<u8>)> {
    let (mut at, mut packet) = (head.end(), Vec::new());
    // If none can be read, one page of comments is assumed.
    let mut next = head.sequence.wrapping_add(2);
    while let Some(page) = page_at(window, at)? {
        at = page.end();
        if page.serial != head.serial {
            continue;
        }
        let Some((piece, ends)) = page.pieces().first().map(|&(piece, ends)| (piece.to_vec(), ends)) else { continue };
        next = page.sequence.wrapping_add(1);
        packet.extend(piece);
        if ends || packet.len() > COMMENTS_MAX {
            break;
        }
    }
    Ok((at, next, packet))
}

/// Finds the first and the last granule of the stream.
fn measure<I: Input>(window: &mut Window<I>, link: &mut Link) -> io::Result<()> {
    let serial = link.serial;
    let counts = |page: &Page| page.serial == serial && page.granule.is_some();
    let Some(first) = first_page(window, link.audio, link.end, counts)? else {
        let start = Behind { at: link.audio, sequence: link.sequence, granule: link.head.pre_skip.into() };
        (link.missing, link.remark) = missing_behind(window, link, &start)?;
        return Ok(());
    };
    let last = last_page(window, link.audio, link.end, counts)?;
    let granule = |page: &Page| page.granule.unwrap_or_default();
    // Where the first page is missing, only the usual start can be assumed. A stream of one page may end before its
    // packets do, and begins with 0 then (RFC 7845, section 4.5); whether that page is marked as the last one makes no
    // difference, so that a repair does not change the length.
    let is_missing = first.sequence > link.sequence;
    let begins = granule(&first).saturating_sub(frames_ending_on(&first));
    link.base = if is_missing { 0 } else { begins };
    let end = last.as_ref().map_or(0, granule);
    // A number in a file may be anything: each byte is a packet of 120 ms at most.
    let most = link.end.saturating_sub(link.audio).saturating_mul(super::PACKET_FRAMES_MAX as u64);
    link.frames = end.saturating_sub(link.base).saturating_sub(link.head.pre_skip.into()).min(most);
    if let Some(last) = last.as_ref().filter(|last| !last.is_last()) {
        let end = Behind { at: last.end(), sequence: last.sequence.wrapping_add(1), granule: granule(last) };
        (link.missing, link.remark) = missing_behind(window, link, &end)?;
    }
    link.last = last;
    Ok(())
}

/// Where the page after the last whole one begins, its number, and the position of the codec there.
struct Behind {
    at: u64,
    sequence: u32,
    granule: u64,
}

/// Frames on a page after the last whole one, which is damaged or cut off, and the remark if their number is unknown.
fn missing_behind<I: Input>(
    window: &mut Window<I>,
    link: &Link,
    behind: &Behind,
) -> io::Result<(u64, Option<&'static str>)> {
    if behind.at >= link.end {
        // A finished stream has its last page marked (RFC 3533, section 6).
        return Ok((0, link.remark.or(Some("its end was cut off, or is still being written"))));
    }
    let page = broken_page_at(window, behind.at)?;
    let next = page.filter(|page| page.serial == link.serial && page.sequence == behind.sequence);
    let frames = next.and_then(|page| page.granule?.checked_sub(behind.granule));
    match frames.filter(|&frames| frames <= PAGE_FRAMES_MAX) {
        Some(frames) if frames > 0 => Ok((frames, link.remark)),
        _ => {
            let begins = window.at(behind.at, 4)?.starts_with(b"OggS");
            Ok((0, link.remark.or(begins.then_some("its end is damaged or cut off"))))
        }
    }
}

/// Frames of the packets that end on the page.
fn frames_ending_on(page: &Page) -> u64 {
    page.pieces().iter().filter(|(_, ends)| *ends).filter_map(|(packet, _)| packet_frames(packet)).sum()
}
