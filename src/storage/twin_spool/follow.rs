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

/// Follows the first spool until it is saved or deleted, or no more requests can come.
pub(super) fn follow(
    mut first: Box<dyn ReadSeek>,
    maker: TwinMaker,
    requests: &Receiver<Request>,
    followed: &AtomicU64,
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
        followed.store(second.len(), Ordering::Relaxed);
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
