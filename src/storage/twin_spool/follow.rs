//! The second copy as it follows the first: on a thread of its own, it reads the bytes of the first and applies the
//! same changes to its own file. What happens when either fails is not handled here.

use std::{
    io::{self, SeekFrom},
    path::PathBuf,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender},
    },
};

use super::fate::TwinOutcome;
use crate::storage::{Existing, ReadSeek, Spool};

/// Bytes that are copied at once.
const CHUNK_BYTES: usize = 1 << 16;

/// Makes the second spool; called on its own thread, because even that may take long.
pub(crate) type TwinMaker = Box<dyn FnOnce() -> io::Result<Box<dyn Spool>> + Send>;

/// A request to the second copy.
pub(super) enum Request {
    /// Bytes up to this length are available.
    CatchUp(u64),
    Patch {
        at: u64,
        bytes: Vec<u8>,
        length: u64,
    },
    Truncate(u64),
    Commit {
        target: PathBuf,
        existing: Existing,
        length: u64,
    },
    Discard,
    /// To be handed over, to continue without the first.
    HandOver(SyncSender<Box<dyn Spool>>),
}

/// How far the second copy is.
#[derive(Debug, Default)]
pub(super) struct Followed {
    bytes: AtomicU64,
    truncations: AtomicU64,
}

impl Followed {
    /// The bytes that the second has, given how many truncations were requested. Nothing is known while one of these is
    /// not carried out: it may still have bytes that are cut off.
    pub(super) fn bytes(&self, truncations: u64) -> u64 {
        let is_settled = self.truncations.load(Ordering::Acquire) == truncations;
        if is_settled { self.bytes.load(Ordering::Acquire) } else { 0 }
    }

    fn note(&self, bytes: u64, has_truncated: bool) {
        // In this order: who knows of the truncation knows the length after it.
        self.bytes.store(bytes, Ordering::Release);
        self.truncations.fetch_add(has_truncated.into(), Ordering::Release);
    }
}

/// Follows the first spool until it is saved or deleted, or no more requests can come.
pub(super) fn follow(
    mut first: Box<dyn ReadSeek>,
    maker: TwinMaker,
    requests: &Receiver<Request>,
    followed: &Followed,
) -> io::Result<TwinOutcome> {
    let mut second = maker()?;
    let mut chunk = vec![0; CHUNK_BYTES];
    // Why the first cannot be read any more. If that is its end, a hand-over of the second is requested.
    let mut unreadable = None;
    for request in requests {
        let length = match &request {
            Request::CatchUp(length) | Request::Patch { length, .. } | Request::Commit { length, .. } => *length,
            Request::Truncate(_) | Request::Discard | Request::HandOver(_) => 0,
        };
        if unreadable.is_none() {
            unreadable = copy_up_to(first.as_mut(), second.as_mut(), length, &mut chunk)?.err();
        }
        let truncates = matches!(request, Request::Truncate(_));
        match (request, unreadable.is_some()) {
            (Request::CatchUp(_), _) => second.sync()?,
            // The sound first: a header must never count bytes that are not there.
            (Request::Patch { at, bytes, .. }, false) => second.patch(at, &bytes)?,
            (Request::Truncate(length), _) => second.truncate(length)?,
            (Request::Commit { target, existing, .. }, false) => {
                return second.commit(&target, existing).map(TwinOutcome::Saved);
            }
            (Request::Patch { .. } | Request::Commit { .. }, true) => {}
            (Request::Discard, _) => {
                second.discard()?;
                return Ok(TwinOutcome::Discarded);
            }
            (Request::HandOver(taker), _) => {
                let _ = taker.try_send(second);
                return Ok(TwinOutcome::TookOver);
            }
        }
        followed.note(second.len(), truncates);
    }
    // The first was dropped unsaved, which keeps its file: so does the second.
    unreadable.map_or(Ok(TwinOutcome::Discarded), Err)
}

/// Copies to `second` what it lacks of the first `length` bytes. The inner error: why `first` could not be read.
///
/// # Errors
/// Those of `second`.
fn copy_up_to(
    first: &mut dyn ReadSeek,
    second: &mut dyn Spool,
    length: u64,
    chunk: &mut [u8],
) -> io::Result<io::Result<()>> {
    if let Err(error) = first.seek(SeekFrom::Start(second.len())) {
        return Ok(Err(error));
    }
    while second.len() < length {
        let wanted = usize::try_from(length - second.len()).unwrap_or(chunk.len()).min(chunk.len());
        let Some(room) = chunk.get_mut(..wanted) else { break };
        match first.read(room) {
            // It was cut off meanwhile; the request for that follows.
            Ok(0) => break,
            Ok(count) => second.append(room.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_while_a_truncation_is_not_carried_out() {
        let followed = Followed::default();
        followed.note(200, false);
        assert_eq!((followed.bytes(0), followed.bytes(1)), (200, 0));
        followed.note(150, true);
        assert_eq!(followed.bytes(1), 150);
    }
}
