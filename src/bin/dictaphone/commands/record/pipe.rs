//! Audio to standard output: one thread takes the blobs, another writes them, and between them waits what a slow reader
//! has not taken yet.
//!
//! What does not fit into the waiting room is lost and leaves as silence of the same length, so that the rest does not
//! shift; a source that waits for its reader loses nothing and is held up instead.

use std::{
    collections::VecDeque,
    io::{self, Read as _, Write as _},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender},
    },
    thread,
};

use dictaphone::{
    audio::AudioFormat,
    media::{Blob, RecorderEvent},
};

use super::session::Happening;

/// Sound that may wait for a slow reader, in seconds.
const ROOM_SECONDS: u64 = 30;

/// Silence is written in pieces of this many bytes.
const ZEROS: [u8; 8_192] = [0; 8_192];

/// What went to standard output.
#[derive(Debug, Default)]
pub(crate) struct Piped {
    /// Bytes written.
    pub(crate) bytes: u64,
    /// Frames that the reader was too slow for; it got silence in their place.
    pub(crate) lost_frames: u64,
    /// The reader closed its end.
    pub(crate) reader_gone: bool,
    /// Writing failed.
    pub(crate) failure: Option<io::Error>,
}

enum Piece {
    Sound(Blob),
    /// Bytes of silence in the place of what was lost.
    Silence(u64),
}

#[derive(Default)]
struct Queue {
    pieces: VecDeque<Piece>,
    bytes: u64,
    lost_frames: u64,
    ended: bool,
    reader_gone: bool,
}

#[derive(Default)]
struct Room {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a blob in: at once, or as silence, or (`patient`) when there is room.
    fn put(&self, blob: Blob, limit: u64, patient: bool) {
        // A blob that is larger than the whole room fits when nothing else is there.
        let fits = |queue: &Queue| queue.bytes + blob.size() <= limit.max(blob.size());
        let mut queue = self.lock();
        while patient && !fits(&queue) && !queue.reader_gone {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.reader_gone || blob.size() == 0 {
            return;
        }
        if fits(&queue) {
            queue.bytes += blob.size();
            queue.pieces.push_back(Piece::Sound(blob));
        } else {
            queue.lost_frames += blob.facts().frames;
            match queue.pieces.back_mut() {
                Some(Piece::Silence(bytes)) => *bytes += blob.size(),
                _ => queue.pieces.push_back(Piece::Silence(blob.size())),
            }
        }
        drop(queue);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    fn reader_left(&self) {
        let mut queue = self.lock();
        queue.reader_gone = true;
        queue.pieces.clear();
        drop(queue);
        self.changed.notify_all();
    }

    /// The next piece, or nothing at the end.
    fn take(&self) -> Option<Piece> {
        let mut queue = self.lock();
        while queue.pieces.is_empty() && !queue.ended {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let piece = queue.pieces.pop_front();
        if let Some(Piece::Sound(blob)) = &piece {
            queue.bytes -= blob.size();
        }
        drop(queue);
        self.changed.notify_all();
        piece
    }
}

/// The two threads.
pub(crate) struct Pipe;

impl Pipe {
    /// Sends the parts of `events` to standard output and everything else to `happenings`.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn start(
        format: AudioFormat,
        patient: bool,
        events: Receiver<RecorderEvent>,
        happenings: Sender<Happening>,
    ) -> io::Result<()> {
        let room = Arc::new(Room::default());
        let limit = u64::from(format.frame_bytes()) * u64::from(format.sample_rate) * ROOM_SECONDS;
        let (filled, heard) = (Arc::clone(&room), happenings.clone());
        thread::Builder::new().name("events".to_owned()).spawn(move || {
            for event in events {
                match event {
                    RecorderEvent::DataAvailable { data, .. } => filled.put(data, limit, patient),
                    event => {
                        let last = matches!(event, RecorderEvent::Stop);
                        let _ = heard.send(Happening::Recorder(event));
                        if last {
                            break;
                        }
                    }
                }
            }
            filled.end();
        })?;
        thread::Builder::new().name("pipe".to_owned()).spawn(move || {
            let piped = write_all(&room);
            let _ = happenings.send(Happening::Piped(piped));
        })?;
        Ok(())
    }
}

/// Writes until the end, or until nobody reads.
fn write_all(room: &Room) -> Piped {
    let mut out = io::stdout();
    let (mut piped, mut buffer) = (Piped::default(), Vec::new());
    while let Some(piece) = room.take() {
        if let Err(error) = write(&mut out, &piece, &mut buffer, &mut piped.bytes) {
            room.reader_left();
            match error.kind() {
                io::ErrorKind::BrokenPipe => piped.reader_gone = true,
                _ => piped.failure = Some(error),
            }
            break;
        }
    }
    piped.lost_frames = room.lock().lost_frames;
    piped
}

fn write(out: &mut io::Stdout, piece: &Piece, buffer: &mut Vec<u8>, written: &mut u64) -> io::Result<()> {
    match piece {
        Piece::Sound(blob) => {
            buffer.clear();
            blob.reader().map_err(io::Error::other)?.read_to_end(buffer)?;
            out.write_all(buffer)?;
            *written += buffer.len() as u64;
        }
        Piece::Silence(bytes) => {
            let mut left = *bytes;
            while left > 0 {
                let length = usize::try_from(left).unwrap_or(ZEROS.len()).min(ZEROS.len());
                out.write_all(ZEROS.get(..length).unwrap_or_default())?;
                left -= length as u64;
                *written += length as u64;
            }
        }
    }
    out.flush()
}
