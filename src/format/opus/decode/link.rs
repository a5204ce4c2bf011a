//! One Opus stream in an Ogg file: where it begins and ends, and how long it is, from what is really there. A file may
//! hold several, one behind the other (RFC 3533, section 4, "chaining"), and other streams among them. Run by the thread
//! that opens the file.

use std::io;

use super::head::{Head, codec_of, packet_frames};
use crate::{
    audio::Metadata,
    error::{Error, ErrorKind, Result},
    format::{
        Input,
        comments::read as comments,
        ogg::read::{Page, first_page, last_page, page_at},
        window::Window,
    },
};

/// Bytes of comments that are read, and pages of a file's start that are looked at.
const COMMENTS_MAX: usize = 8 << 20;
const START_PAGES_MAX: usize = 64;

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
    pub(super) metadata: Metadata,
    /// Its last page on which a packet ends.
    pub(super) last: Option<Page>,
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
        // What follows may be another kind of sound, and the file ends for us.
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
    let head = head_page(window, at, name)?;
    let parsed = Head::parse(head.start(), name)?;
    let (audio, tags) = comments_behind(window, &head).map_err(failed)?;
    let block = tags.strip_prefix(b"OpusTags").unwrap_or_default();
    Ok(Link {
        head: parsed,
        serial: head.serial,
        audio,
        end: len,
        base: 0,
        frames: 0,
        metadata: comments::metadata(block, super::SAMPLE_RATE),
        last: None,
    })
}

/// The sound with which the file begins; `None` if it is Opus or does not say.
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

/// The page of the Opus identification among those with which streams begin at `at`.
fn head_page<I: Input>(window: &mut Window<I>, at: u64, name: &str) -> Result<Page> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let (mut at, mut found) = (at, None);
    for _ in 0..START_PAGES_MAX {
        match page_at(window, at).map_err(failed)?.filter(Page::is_first) {
            Some(page) if is_opus(&page) => return Ok(page),
            Some(page) => {
                at = page.end();
                found = found.or(Some(codec_of(page.start())));
            }
            None => break,
        }
    }
    Err(match found {
        Some(codec) => Error::undecodable(name, format!("{name} holds {codec} sound, which is not read")),
        None => Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it does not say its format")),
    })
}

/// Where the sound begins behind the comment packet, and that packet.
fn comments_behind<I: Input>(window: &mut Window<I>, head: &Page) -> io::Result<(u64, Vec<u8>)> {
    let (mut at, mut packet) = (head.end(), Vec::new());
    while let Some(page) = page_at(window, at)? {
        at = page.end();
        if page.serial != head.serial {
            continue;
        }
        let Some((piece, ends)) = page.pieces().first().map(|&(piece, ends)| (piece.to_vec(), ends)) else { continue };
        packet.extend(piece);
        if ends || packet.len() > COMMENTS_MAX {
            break;
        }
    }
    Ok((at, packet))
}

/// Finds the first and the last granule of the stream.
fn measure<I: Input>(window: &mut Window<I>, link: &mut Link) -> io::Result<()> {
    let serial = link.serial;
    let counts = |page: &Page| page.serial == serial && page.granule.is_some();
    let Some(first) = first_page(window, link.audio, link.end, counts)? else { return Ok(()) };
    let last = last_page(window, link.audio, link.end, counts)?;
    let granule = |page: &Page| page.granule.unwrap_or_default();
    // A stream of one page may end before its packets do, and begins with 0 then (RFC 7845, section 4.5).
    link.base = if first.is_last() { 0 } else { granule(&first).saturating_sub(frames_ending_on(&first)) };
    let end = last.as_ref().map_or(0, granule);
    // A number in a file may be anything: each byte is a packet of 120 ms at most.
    let most = link.end.saturating_sub(link.audio).saturating_mul(super::PACKET_FRAMES_MAX as u64);
    link.frames = end.saturating_sub(link.base).saturating_sub(link.head.pre_skip.into()).min(most);
    link.last = last;
    Ok(())
}

/// Frames of the packets that end on the page.
fn frames_ending_on(page: &Page) -> u64 {
    page.pieces().iter().filter(|(_, ends)| *ends).filter_map(|(packet, _)| packet_frames(packet)).sum()
}
