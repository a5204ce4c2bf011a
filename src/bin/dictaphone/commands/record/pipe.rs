//! Audio to standard output: one thread takes the blobs, another writes them, and between them waits what a slow reader
//! has not taken yet.
//!
//! What does not fit into the waiting room is lost and leaves as silence of the same length, so that the rest does not
//! shift; a source that waits for its reader loses nothing and is held up instead.

use std::{
    collections::VecDeque,
    io::{self, Read as _},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender},
    },
    thread,
    time::Duration,
};

use dictaphone::{
    audio::AudioFormat,
    encode::Format,
    media::{Blob, RecorderEvent},
};

use super::{redirect, session::Happening};
use crate::terminal;

/// Sound that may wait for a slow reader, in seconds.
const ROOM_SECONDS: u64 = 30;

/// How long nothing may come before the reader is looked after.
const IDLE: Duration = Duration::from_millis(500);

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

/// What the writing thread does next.
enum Next {
    Write(Piece),
    /// Nothing has come for a while, as when the recording is paused.
    Idle,
    End,
}

#[derive(Default)]
struct Queue {
    pieces: VecDeque<Piece>,
    bytes: u64,
    lost_frames: u64,
    ended: bool,
    reader_gone: bool,
}

/// What becomes of a blob that comes when the room is full.
#[derive(Clone, Copy)]
struct Rules {
    /// Bytes that may wait.
    limit: u64,
    /// The source waits for its reader.
    patient: bool,
    /// Zeros in its place are silence. What is made of whole blocks leaves out the lost ones.
    zeros_are_silence: bool,
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

    /// Lets a blob in: at once, or as silence or not at all, or (`patient`) when there is room.
    fn put(&self, blob: Blob, Rules { limit, patient, zeros_are_silence }: Rules) {
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
            if !zeros_are_silence {
                return;
            }
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

    /// What to do next, known after [`IDLE`] at the latest.
    fn next(&self) -> Next {
        let is_idle = |queue: &mut Queue| queue.pieces.is_empty() && !queue.ended;
        let waited = self.changed.wait_timeout_while(self.lock(), IDLE, is_idle);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        let Some(piece) = queue.pieces.pop_front() else {
            return if queue.ended { Next::End } else { Next::Idle };
        };
        if let Piece::Sound(blob) = &piece {
            queue.bytes -= blob.size();
        }
        drop(queue);
        self.changed.notify_all();
        Next::Write(piece)
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
        container: &Format,
        format: AudioFormat,
        patient: bool,
        events: Receiver<RecorderEvent>,
        happenings: Sender<Happening>,
    ) -> io::Result<()> {
        let room = Arc::new(Room::default());
        let limit = u64::from(format.frame_bytes()) * u64::from(format.sample_rate) * ROOM_SECONDS;
        let rules = Rules { limit, patient, zeros_are_silence: container.zeros_are_silence };
        let (filled, heard) = (Arc::clone(&room), happenings.clone());
        thread::Builder::new().name("events".to_owned()).spawn(move || {
            for event in events {
                match event {
                    RecorderEvent::DataAvailable { data, .. } => filled.put(data, rules),
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
    loop {
        let outcome = match room.next() {
            Next::Write(piece) => write(&mut out, &piece, &mut buffer, &mut piped.bytes),
            // A write would tell, but there is nothing to write.
            Next::Idle if terminal::stdout_has_no_reader() => Err(io::ErrorKind::BrokenPipe.into()),
            Next::Idle => Ok(()),
            Next::End => break,
        };
        if let Err(error) = outcome {
            room.reader_left();
            match error.kind() {
                io::ErrorKind::BrokenPipe => piped.reader_gone = true,
                _ => piped.failure = Some(error),
            }
            break;
        }
    }
    piped.lost_frames = room.lock().lost_frames;
    if !piped.reader_gone && piped.failure.is_none() {
        piped.failure = redirect::complete(piped.bytes).err();
    }
    piped
}

fn write(out: &mut impl io::Write, piece: &Piece, buffer: &mut Vec<u8>, written: &mut u64) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dictaphone::{
        SampleFormat,
        capture::PushSource,
        media::{Constraints, MediaDevices, MediaRecorder, RecorderOptions},
    };

    use super::*;

    /// Raw blobs of 480 frames and 960 bytes each, and none like the other.
    fn blobs(count: u16) -> Vec<Blob> {
        let microphone = PushSource::new("microphone", AudioFormat::new(48_000, 1, SampleFormat::S16));
        let devices = MediaDevices::with_backends(vec![Arc::new(microphone.clone())]);
        let stream = devices.get_user_media(&Constraints::default()).unwrap();
        let options = RecorderOptions { mime_type: "audio/pcm".to_owned(), ..RecorderOptions::default() };
        let recorder = MediaRecorder::new(&stream, options).unwrap();
        let events = recorder.events();
        recorder.start(Some(Duration::from_millis(10))).unwrap();
        let blob = |number: u16| {
            microphone.push(&[f32::from(number) / 1_024.0; 480]).unwrap();
            // One by one, so that no two become one.
            let data = events.iter().find_map(|event| match event {
                RecorderEvent::DataAvailable { data, .. } => Some(data),
                _ => None,
            });
            data.unwrap()
        };
        (1..=count).map(blob).collect()
    }

    fn rules(limit: u64, patient: bool) -> Rules {
        Rules { limit, patient, zeros_are_silence: true }
    }

    fn bytes(blobs: &[Blob]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for blob in blobs {
            blob.reader().unwrap().read_to_end(&mut bytes).unwrap();
        }
        bytes
    }

    /// Everything that a reader gets from now on.
    fn drained(room: &Room) -> Vec<u8> {
        let (mut out, mut buffer, mut written) = (Vec::new(), Vec::new(), 0);
        while let Next::Write(piece) = room.next() {
            write(&mut out, &piece, &mut buffer, &mut written).unwrap();
        }
        assert_eq!(written, out.len() as u64);
        out
    }

    #[test]
    fn what_does_not_fit_is_counted_and_leaves_as_silence_of_its_length() {
        let blobs = blobs(30);
        let sizes: Vec<u64> = blobs.iter().map(Blob::size).collect();
        let (kept, rest) = blobs.split_at(2);
        let limit = sizes.iter().take(2).sum();
        let room = Room::default();
        blobs.iter().for_each(|blob| room.put(blob.clone(), rules(limit, false)));
        room.end();
        let lost: u64 = sizes.iter().skip(2).sum();
        assert!(lost > 0);
        assert_eq!(room.lock().lost_frames, lost / 2);
        let mut expected = bytes(kept);
        expected.resize(expected.len() + bytes(rest).len(), 0);
        assert!(drained(&room) == expected);
    }

    #[test]
    fn of_a_format_whose_silence_is_not_zeros_the_lost_parts_are_left_out() {
        let blobs = blobs(30);
        let limit = blobs.iter().take(2).map(Blob::size).sum();
        let room = Room::default();
        let rules = Rules { zeros_are_silence: false, ..rules(limit, false) };
        blobs.iter().for_each(|blob| room.put(blob.clone(), rules));
        room.end();
        assert_eq!(room.lock().lost_frames, blobs.iter().skip(2).map(|blob| blob.facts().frames).sum::<u64>());
        assert!(drained(&room) == bytes(blobs.get(..2).unwrap()));
    }

    #[test]
    fn sound_goes_on_in_its_place_once_there_is_room_again() {
        let blobs = blobs(30);
        let room = Room::default();
        let limit = blobs.first().unwrap().size();
        let mut out = Vec::new();
        let mut expected = Vec::new();
        for (n, blob) in blobs.iter().enumerate() {
            room.put(blob.clone(), rules(limit, false));
            let sound = bytes(std::slice::from_ref(blob));
            // The reader takes something every third time only.
            match n % 3 {
                0 => expected.extend(sound),
                _ => expected.resize(expected.len() + sound.len(), 0),
            }
            if n % 3 == 2 {
                let (mut buffer, mut written) = (Vec::new(), 0);
                for _ in 0..2 {
                    let Next::Write(piece) = room.next() else { panic!("nothing is there") };
                    write(&mut out, &piece, &mut buffer, &mut written).unwrap();
                }
            }
        }
        room.end();
        out.extend(drained(&room));
        assert!(out == expected);
    }

    #[test]
    fn a_patient_source_waits_for_its_reader_and_loses_nothing() {
        let blobs = blobs(30);
        let room = Arc::new(Room::default());
        let filled = Arc::clone(&room);
        let source = blobs.clone();
        let filling = thread::spawn(move || {
            source.into_iter().for_each(|blob| filled.put(blob, rules(1, true)));
            filled.end();
        });
        assert!(drained(&room) == bytes(&blobs));
        filling.join().unwrap();
        assert_eq!(room.lock().lost_frames, 0);
    }

    #[test]
    fn a_reader_that_left_does_not_hold_up_a_patient_source() {
        let room = Room::default();
        room.reader_left();
        blobs(5).into_iter().for_each(|blob| room.put(blob, rules(1, true)));
        assert!(room.lock().pieces.is_empty());
    }
}
