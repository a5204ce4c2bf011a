//! Writing to something that may block for ever: a pipe that is not read, a terminal that was stopped.
//!
//! A thread of its own, `printer`, writes; callers only put a piece into a bounded queue. Pieces that are worth nothing
//! a moment later are dropped while others wait; for the rest there is a limited wait once the queue is full, and none
//! at all as long as nothing is written. So no recording waits for its screen.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// Bytes that may wait.
const WAITING_BYTES_MAX: usize = 1 << 16;
/// How long a piece waits for room when there is none.
const ROOM_TIMEOUT: Duration = Duration::from_millis(500);

/// How much a piece is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// To be written, if anything is.
    Kept,
    /// Nothing once the next one comes.
    Fleeting,
}

#[derive(Default)]
struct Queue {
    pieces: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Pieces written; shows whether there is progress.
    written: u64,
    is_writing: bool,
    /// A caller has waited in vain, and nothing was written since.
    is_stuck: bool,
    failed: Option<io::ErrorKind>,
    /// Why the first lost piece could not be written, although there is a reader.
    lost: Option<io::Error>,
}

#[derive(Default)]
struct PrintQueue {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl PrintQueue {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The output to one stream. The thread ends with it, unless it is blocked.
pub(crate) struct Printer {
    shared: Arc<PrintQueue>,
}

impl Printer {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start(out: Box<dyn Write + Send>) -> io::Result<Self> {
        let shared = Arc::new(PrintQueue::default());
        let weak = Arc::clone(&shared);
        thread::Builder::new().name("printer".to_owned()).spawn(move || write_all(&weak, out))?;
        Ok(Self { shared })
    }

    /// Queues a piece to be written in one go.
    ///
    /// # Errors
    /// That of an earlier piece; from then on nothing is written any more.
    pub(crate) fn print(&self, piece: Vec<u8>, worth: Worth) -> io::Result<()> {
        let mut queue = self.shared.lock();
        if worth == Worth::Fleeting && (queue.is_writing || !queue.pieces.is_empty()) {
            return queue.failed.map_or(Ok(()), |kind| Err(kind.into()));
        }
        let is_full =
            |queue: &Queue| queue.bytes > 0 && queue.bytes + piece.len() > WAITING_BYTES_MAX && queue.failed.is_none();
        if is_full(&queue) && !queue.is_stuck {
            let waited = self.shared.changed.wait_timeout_while(queue, ROOM_TIMEOUT, |queue| is_full(queue));
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            queue.is_stuck = is_full(&queue);
        }
        if let Some(kind) = queue.failed {
            return Err(kind.into());
        }
        if !is_full(&queue) {
            queue.bytes += piece.len();
            queue.pieces.push_back(piece);
        }
        drop(queue);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Whether everything is written.
    pub(crate) fn is_idle(&self) -> bool {
        let queue = self.shared.lock();
        !queue.is_writing && queue.pieces.is_empty()
    }

    /// Why a piece was lost, if one was. Returned once.
    pub(crate) fn take_loss(&self) -> Option<io::Error> {
        self.shared.lock().lost.take()
    }

    /// Waits until everything is written, as long as something is written at least every `limit`.
    pub(crate) fn settle(&self, limit: Duration) {
        let mut queue = self.shared.lock();
        loop {
            let before = queue.written;
            let pending = |queue: &mut Queue| {
                queue.failed.is_none() && queue.written == before && (queue.is_writing || !queue.pieces.is_empty())
            };
            let (now, waited) =
                self.shared.changed.wait_timeout_while(queue, limit, pending).unwrap_or_else(PoisonError::into_inner);
            queue = now;
            let is_done = queue.failed.is_some() || (!queue.is_writing && queue.pieces.is_empty());
            if is_done || waited.timed_out() {
                return;
            }
        }
    }
}

fn write_all(shared: &PrintQueue, mut out: Box<dyn Write + Send>) {
    loop {
        let mut queue = shared.lock();
        let piece = loop {
            if let Some(piece) = queue.pieces.pop_front() {
                break piece;
            }
            queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        };
        queue.bytes -= piece.len();
        queue.is_writing = true;
        drop(queue);
        let outcome = out.write_all(&piece).and_then(|()| out.flush());
        let mut queue = shared.lock();
        queue.is_writing = false;
        queue.is_stuck = false;
        queue.written += 1;
        match outcome {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                queue.failed = Some(error.kind());
                queue.pieces.clear();
            }
            Err(error) => queue.lost = queue.lost.take().or(Some(error)),
            Ok(()) => {}
        }
        let is_over = queue.failed.is_some();
        drop(queue);
        shared.changed.notify_all();
        if is_over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Writes only what it is allowed to.
    struct Gate(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.1.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gate() -> (Printer, Sender<()>, Receiver<Vec<u8>>) {
        let ((open, allowed), (sent, seen)) = (channel(), channel());
        (Printer::start(Box::new(Gate(allowed, sent))).unwrap(), open, seen)
    }

    #[test]
    fn what_is_fleeting_is_dropped_while_others_wait_and_the_rest_comes_in_order() {
        let (printer, open, seen) = gate();
        for (piece, worth) in [("a", Worth::Kept), ("b", Worth::Fleeting), ("c", Worth::Kept), ("d", Worth::Fleeting)] {
            printer.print(piece.into(), worth).unwrap();
        }
        (0..2).for_each(|_| open.send(()).unwrap());
        printer.settle(Duration::from_secs(30));
        printer.print("e".into(), Worth::Fleeting).unwrap();
        open.send(()).unwrap();
        printer.settle(Duration::from_secs(30));
        assert_eq!(seen.try_iter().collect::<Vec<_>>().concat(), b"ace");
    }

    #[test]
    fn nobody_waits_for_a_stream_that_takes_nothing() {
        let (printer, open, seen) = gate();
        for _ in 0..10_000 {
            printer.print(vec![b'x'; 1_000], Worth::Kept).unwrap();
        }
        printer.settle(Duration::from_millis(10));
        drop(open);
        printer.settle(Duration::from_secs(30));
        assert!(printer.print("y".into(), Worth::Kept).is_err());
        assert!(seen.try_recv().is_err());
    }
}
