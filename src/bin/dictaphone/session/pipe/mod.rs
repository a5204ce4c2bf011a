//! Audio to standard output: one thread takes the blobs, another writes them, and between them is a queue of what a
//! slow reader has not taken yet.
//!
//! What does not fit into the queue is lost and replaced by silence of the same length, so that the rest does not
//! shift; a source that waits for its reader loses nothing and is blocked instead. At the end the reader is waited for
//! as long as it takes; if the user has stopped the recording, as long as it reads.

mod redirect;
mod room;

use std::{
    io::{self, Read as _},
    sync::{Arc, mpsc::Receiver},
    thread,
    time::Duration,
};

use dictaphone::{audio::AudioFormat, format::Format, media::RecorderEvent};

use self::room::{Next, PipeItem, Room, Rules};
use super::SessionInput;
use crate::work::Post;

/// Sound that may wait for a slow reader, in seconds.
const ROOM_SECONDS: u64 = 30;

/// How long a reader may read nothing once the user wants to leave.
const READER_TIMEOUT: Duration = Duration::from_secs(30);

/// What went to standard output.
#[derive(Debug, Default)]
pub(crate) struct Piped {
    /// Bytes written.
    pub(crate) bytes: u64,
    /// Frames that the reader was too slow for; it received silence in their place.
    pub(crate) lost_frames: u64,
    /// Frames that were still unread when the wait after the user's stop ended.
    pub(crate) unread_frames: u64,
    /// The reader closed its end.
    pub(crate) reader_gone: bool,
    /// Writing failed.
    pub(crate) failure: Option<io::Error>,
}

/// The two threads at work.
pub(crate) struct Pipe {
    room: Arc<Room>,
    post: Post<SessionInput>,
}

impl Pipe {
    /// Sends the parts of `events` to standard output, and posts everything else as converted by `wrap`.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn start(
        container: &Format,
        format: AudioFormat,
        patient: bool,
        events: Receiver<RecorderEvent>,
        post: Post<SessionInput>,
        wrap: impl Fn(RecorderEvent) -> SessionInput + Send + 'static,
    ) -> io::Result<Self> {
        let room = Arc::new(Room::default());
        let limit = u64::from(format.frame_bytes()) * u64::from(format.sample_rate) * ROOM_SECONDS;
        let rules = Rules { limit, patient, zeros_are_silence: container.zeros_are_silence };
        let (filled, others) = (Arc::clone(&room), Arc::clone(&post));
        thread::Builder::new().name("events".to_owned()).spawn(move || {
            for event in events {
                match event {
                    RecorderEvent::DataAvailable { data, .. } => filled.put(data, rules),
                    event => {
                        let last = matches!(event, RecorderEvent::Stop);
                        others(wrap(event));
                        if last {
                            break;
                        }
                    }
                }
            }
            filled.end();
        })?;
        let pipe = Self { room: Arc::clone(&room), post: Arc::clone(&post) };
        thread::Builder::new().name("pipe".to_owned()).spawn(move || {
            let piped = write_all(&room);
            post(SessionInput::Piped(piped));
        })?;
        Ok(pipe)
    }

    /// The user wants to leave: from now on the reader is waited for only as long as it reads.
    pub(crate) fn hurry(self) {
        let watch = move || {
            if let Some(unread_frames) = self.room.see_out(READER_TIMEOUT) {
                let (bytes, lost_frames) = (self.room.written(), self.room.lost_frames());
                let piped = Piped { bytes, lost_frames, unread_frames, ..Piped::default() };
                (self.post)(SessionInput::Piped(piped));
            }
        };
        // If the thread cannot be started, the reader is waited for all the same.
        let _ = thread::Builder::new().name("drain".to_owned()).spawn(watch);
    }
}

/// Writes until the end, or until there is no reader.
fn write_all(room: &Room) -> Piped {
    let mut out = io::stdout();
    let mut piped = Piped::default();
    loop {
        let outcome = match room.next() {
            Next::Write(piece) => write(&mut out, &piece, room),
            // A write would report this, but there is nothing to write.
            Next::Idle if stdout_has_no_reader() => Err(io::ErrorKind::BrokenPipe.into()),
            Next::Idle => Ok(()),
            Next::End => break,
        };
        if let Err(error) = outcome {
            match error.kind() {
                io::ErrorKind::BrokenPipe => piped.reader_gone = true,
                _ => piped.failure = Some(error),
            }
            break;
        }
    }
    room.close();
    (piped.bytes, piped.lost_frames) = (room.written(), room.lost_frames());
    if !piped.reader_gone && piped.failure.is_none() {
        piped.failure = redirect::complete(piped.bytes).err();
    }
    piped
}

/// Writes in small pieces, so that the progress of a slow reader is visible.
fn write(out: &mut impl io::Write, piece: &PipeItem, room: &Room) -> io::Result<()> {
    let mut zeros;
    let mut sound;
    let bytes: &mut dyn io::Read = match piece {
        PipeItem::Sound(blob) => {
            sound = blob.reader().map_err(io::Error::other)?;
            &mut sound
        }
        PipeItem::Silence(bytes) => {
            zeros = io::repeat(0).take(*bytes);
            &mut zeros
        }
    };
    let mut buffer = [0; 8_192];
    loop {
        let length = bytes.read(&mut buffer)?;
        let some = buffer.get(..length).unwrap_or_default();
        if some.is_empty() {
            return out.flush();
        }
        out.write_all(some)?;
        room.count(length);
    }
}

/// Whether standard output is a pipe or a socket whose other end was closed.
#[cfg(unix)]
fn stdout_has_no_reader() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = rustix::stdio::stdout();
    let mut out = [PollFd::new(&stdout, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut out, Some(&at_once)).is_ok_and(|ready| ready > 0)
        && out.iter().any(|out| out.revents().intersects(PollFlags::ERR | PollFlags::HUP))
}

#[cfg(not(unix))]
fn stdout_has_no_reader() -> bool {
    false
}
