//! The queue between the thread that takes the parts of a recording and the one that writes them.

use std::{
    collections::VecDeque,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dictaphone::media::Blob;

/// How long nothing may arrive before the reader is checked.
const IDLE_TIMEOUT: Duration = Duration::from_millis(500);

/// Something to be written.
pub(super) enum PipeItem {
    Sound(Blob),
    /// Bytes of silence in the place of what was lost.
    Silence(u64),
}

/// What the writing thread does next.
pub(super) enum Next {
    Write(PipeItem),
    /// Nothing has come for a while, as when the recording is paused.
    Idle,
    End,
}

#[derive(Default)]
struct Queue {
    pieces: VecDeque<PipeItem>,
    bytes: u64,
    /// Frames of the piece that is being written.
    in_hand: u64,
    lost_frames: u64,
    ended: bool,
    /// Nothing is written any more.
    closed: bool,
}

/// What is done with a blob that arrives when the queue is full.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Bytes that may wait.
    pub(super) limit: u64,
    /// The source waits for its reader.
    pub(super) patient: bool,
    /// Zeros in its place are silence. In a format made of whole blocks the lost ones are left out.
    pub(super) zeros_are_silence: bool,
}

/// The queue between the two threads.
#[derive(Default)]
pub(super) struct Room {
    queue: Mutex<Queue>,
    changed: Condvar,
    written: AtomicU64,
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a blob: at once, or as silence or not at all, or (`patient`) when there is room.
    pub(super) fn put(&self, blob: Blob, Rules { limit, patient, zeros_are_silence }: Rules) {
        // A blob that is larger than the whole queue fits when nothing else is there.
        let fits = |queue: &Queue| queue.bytes + blob.size() <= limit.max(blob.size());
        let mut queue = self.lock();
        while patient && !fits(&queue) && !queue.closed {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.closed || blob.size() == 0 {
            return;
        }
        if fits(&queue) {
            queue.bytes += blob.size();
            queue.pieces.push_back(PipeItem::Sound(blob));
        } else {
            queue.lost_frames += blob.facts().frames;
            if !zeros_are_silence {
                return;
            }
            match queue.pieces.back_mut() {
                Some(PipeItem::Silence(bytes)) => *bytes += blob.size(),
                _ => queue.pieces.push_back(PipeItem::Silence(blob.size())),
            }
        }
        drop(queue);
        self.changed.notify_all();
    }

    /// Marks the end: nothing follows.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Nothing more is written: what waits is dropped, and callers no longer wait for room.
    pub(super) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.pieces.clear();
        drop(queue);
        self.changed.notify_all();
    }

    /// Counts bytes that were written.
    pub(super) fn count(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes written.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Frames that did not fit.
    pub(super) fn lost_frames(&self) -> u64 {
        self.lock().lost_frames
    }

    /// Waits until everything is written, as long as something is written in every `patience`. Otherwise closes, and
    /// returns the frames that were not read, of which the first may have been written.
    pub(super) fn see_out(&self, patience: Duration) -> Option<u64> {
        let mut queue = self.lock();
        loop {
            let before = self.written();
            let waited = self.changed.wait_timeout_while(queue, patience, |queue| !queue.closed);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            if queue.closed {
                return None;
            }
            if self.written() == before && (queue.in_hand > 0 || !queue.pieces.is_empty()) {
                break;
            }
        }
        let frames = |piece: &PipeItem| if let PipeItem::Sound(blob) = piece { blob.facts().frames } else { 0 };
        let unread = queue.in_hand + queue.pieces.iter().map(frames).sum::<u64>();
        drop(queue);
        self.close();
        Some(unread)
    }

    /// What to do next, known after [`IDLE_TIMEOUT`] at the latest.
    pub(super) fn next(&self) -> Next {
        let is_idle = |queue: &mut Queue| queue.pieces.is_empty() && !queue.ended && !queue.closed;
        let mut queue = self.lock();
        queue.in_hand = 0;
        let waited = self.changed.wait_timeout_while(queue, IDLE_TIMEOUT, is_idle);
        queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        let Some(piece) = queue.pieces.pop_front() else {
            return if queue.ended || queue.closed { Next::End } else { Next::Idle };
        };
        if let PipeItem::Sound(blob) = &piece {
            queue.bytes -= blob.size();
            queue.in_hand = blob.facts().frames;
        }
        drop(queue);
        self.changed.notify_all();
        Next::Write(piece)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Read as _},
        sync::Arc,
        thread,
    };

    use dictaphone::{
        audio::{AudioFormat, SampleFormat},
        capture::PushSource,
        media::{Constraints, MediaDevices, MediaRecorder, RecorderEvent, RecorderOptions},
    };

    use super::{super::write, *};

    /// Raw blobs of 480 frames and 960 bytes each, and none like the other.
    fn blobs(count: u16) -> Vec<Blob> {
        let microphone = PushSource::new("microphone", AudioFormat::new(48_000, 1, SampleFormat::S16));
        let devices = MediaDevices::with_backends(vec![Arc::new(microphone.clone())]);
        let stream = devices.get_user_media(&Constraints::default()).unwrap();
        let options = RecorderOptions::default().mime_type("audio/pcm".to_owned());
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
        let mut out = Vec::new();
        while let Next::Write(piece) = room.next() {
            write(&mut out, &piece, room).unwrap();
        }
        assert_eq!(room.written(), out.len() as u64);
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
        assert_eq!(room.lost_frames(), lost / 2);
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
        assert_eq!(room.lost_frames(), blobs.iter().skip(2).map(|blob| blob.facts().frames).sum::<u64>());
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
                for _ in 0..2 {
                    let Next::Write(piece) = room.next() else { panic!("nothing is there") };
                    write(&mut out, &piece, &room).unwrap();
                }
            }
        }
        room.end();
        while let Next::Write(piece) = room.next() {
            write(&mut out, &piece, &room).unwrap();
        }
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
        assert_eq!(room.lost_frames(), 0);
    }

    #[test]
    fn a_reader_that_reads_nothing_more_is_given_up_and_what_it_has_not_read_is_counted() {
        let room = Arc::new(Room::default());
        let filled = Arc::clone(&room);
        // A source that waits for its reader is released as well.
        let source = blobs(5);
        let filling = thread::spawn(move || source.into_iter().for_each(|blob| filled.put(blob, rules(1_920, true))));
        let Next::Write(PipeItem::Sound(first)) = room.next() else { panic!("nothing is there") };
        room.count(10);
        while room.lock().pieces.len() < 2 {
            thread::yield_now();
        }
        assert_eq!(room.see_out(Duration::from_millis(20)), Some(first.facts().frames + 2 * 480));
        filling.join().unwrap();
        assert!(matches!(room.next(), Next::End));
        assert_eq!(room.see_out(Duration::from_secs(60)), None, "it is over");
    }

    #[test]
    fn a_reader_that_goes_on_reading_is_waited_for() {
        let room = Arc::new(Room::default());
        blobs(20).into_iter().for_each(|blob| room.put(blob, rules(u64::MAX, false)));
        room.end();
        let read = Arc::clone(&room);
        let reading = thread::spawn(move || {
            while let Next::Write(piece) = read.next() {
                thread::sleep(Duration::from_millis(5));
                write(&mut io::sink(), &piece, &read).unwrap();
            }
            read.close();
        });
        // Less than all of it takes, and a thousand times what one piece does.
        assert_eq!(room.see_out(Duration::from_secs(5)), None);
        reading.join().unwrap();
    }

    #[test]
    fn a_reader_that_left_does_not_hold_up_a_patient_source() {
        let room = Room::default();
        room.close();
        blobs(5).into_iter().for_each(|blob| room.put(blob, rules(1, true)));
        assert!(room.lock().pieces.is_empty());
    }
}
