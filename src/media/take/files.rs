//! Turns gathered sound into bytes: in one file, or in one after the other, as far as limits and the disk allow.

use std::time::Duration;

use super::{Ending, Take, bytes_per_second, local_time, reserve};
use crate::{
    audio::time::{duration_of, frames_in},
    capture::{Warning, WarningKind},
    error::Result,
    media::{
        BlobFacts, NewFile, RecorderEvent,
        piece::{self, Extent, Piece, Written},
    },
};

/// How long before the disk is full the warning is given.
const LOW_SPACE: Duration = Duration::from_secs(5 * 60);

/// After a new file could not be made, this much is recorded before it is tried again.
const RETRY_LENGTH: Duration = Duration::from_secs(10);

impl Take {
    /// Encodes and writes `self.samples`, up to the requested length, into one file after the other.
    pub(super) fn encode(&mut self) -> Result<()> {
        let channels = piece::channels_of(self.plan.format);
        if let Some(limit) = self.plan.max_frames {
            let left = usize::try_from(limit.saturating_sub(self.frames)).unwrap_or(usize::MAX);
            self.samples.truncate(left.saturating_mul(channels));
        }
        let samples = std::mem::take(&mut self.samples);
        let mut rest = samples.as_slice();
        let mut outcome = Ok(());
        while !rest.is_empty() && outcome.is_ok() && !self.full {
            let room = usize::try_from(self.make_room()).unwrap_or(usize::MAX).saturating_mul(channels);
            let (now, later) = rest.split_at(room.min(rest.len()));
            rest = later;
            outcome = self.encode_into_piece(now);
        }
        self.samples = samples;
        outcome?;
        let slice = self.plan.timeslice.map(|slice| frames_in(slice, self.plan.format.sample_rate));
        let is_due = slice.is_some_and(|slice| self.kept_end().saturating_sub(self.part) >= slice.max(1));
        if is_due && !self.limit_reached() {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Records that the next frame is the first one of its file.
    fn note_begin_of_piece(&mut self) {
        let begins_at = self.timeline.as_ref().map(|timeline| timeline.time_of(self.frames));
        let elapsed = self.frames + self.recorded_rate(self.skipped);
        self.piece.extent = Extent { first_frame: self.frames, frames: 0, begins_at, elapsed };
        self.splitter.begin(self.frames, begins_at);
        if self.plan.dates_broadcast {
            // What stands before the sound contains the date even if the recording is cut off.
            let mut tags = self.plan.metadata.clone();
            tags.date = tags.date.or_else(|| begins_at.and_then(local_time));
            tags.time_reference = tags.time_reference.or_else(|| self.time_reference(self.piece.extent));
            tags.broadcast = Some(tags.broadcast_payload());
            self.piece.set_metadata(tags);
        }
    }

    fn encode_into_piece(&mut self, samples: &[f32]) -> Result<()> {
        self.meter.push(samples);
        self.shared.add_level(samples);
        let frames = (samples.len() / piece::channels_of(self.plan.format)) as u64;
        let written = self.piece.encode(samples, frames);
        self.frames += frames;
        let written = written?;
        self.count(&written);
        Ok(())
    }

    /// Frames that may be encoded now, into a new file if it is time for one; 0 if the limit in bytes is reached.
    fn make_room(&mut self) -> u64 {
        if self.room_in_piece() == 0 && self.piece.extent.frames > 0 && self.frames >= self.retry_at {
            self.roll_over();
        }
        if self.piece.extent.frames == 0 {
            self.note_begin_of_piece();
        }
        let until_limit = self.room_below_limit();
        self.full = until_limit == 0;
        // If no new file can be made, the old one goes on.
        let in_piece = match self.room_in_piece() {
            0 => self.retry_at.saturating_sub(self.frames).max(1),
            room => room,
        };
        in_piece.min(until_limit)
    }

    pub(super) fn room_in_piece(&self) -> u64 {
        let by_time = self.splitter.room(self.frames).unwrap_or(u64::MAX);
        let by_size = self.splitter.max_bytes().map_or(u64::MAX, |limit| self.room_of(limit));
        by_time.min(by_size)
    }

    fn room_below_limit(&self) -> u64 {
        let limit = self.plan.max_bytes.map(|limit| limit.saturating_sub(self.finished_bytes));
        limit.map_or(u64::MAX, |limit| self.room_of(limit))
    }

    fn room_of(&self, bytes: u64) -> u64 {
        let texts = self.markers.iter().map(|marker| marker.text.len() as u64).sum();
        self.plan.files.room(&self.piece, bytes, piece::tail_bytes(self.markers.len(), texts))
    }

    /// The end fires the last part itself.
    pub(super) fn limit_reached(&self) -> bool {
        self.full || self.plan.max_frames.is_some_and(|limit| self.frames >= limit)
    }

    /// Completes the file so far where the sound is interrupted: what the resampler holds back belongs to it, and not to
    /// what comes next.
    pub(super) fn end_piece(&mut self) -> Result<()> {
        self.samples.clear();
        self.chain.finish(&mut self.samples)?;
        self.encode()?;
        self.flushed = (self.gathered, self.frames);
        if self.limit_reached() {
            self.end(Ending::Complete);
        } else if self.piece.extent.frames > 0 {
            self.roll_over();
        }
        Ok(())
    }

    /// Continues in a new file, and hands over the old one, whole. If no new one can be made, the old one goes on.
    pub(super) fn roll_over(&mut self) {
        self.late_start = None;
        self.publish_start();
        let begins_at = self.timeline.as_ref().map(|timeline| timeline.time_of(self.frames));
        let file = NewFile { number: self.number + 1, begins_at };
        let begun = self.plan.files.begin(file, reserve(self.plan.files.bits_per_second)).and_then(|mut next| {
            let written = next.open()?;
            Ok((next, written))
        });
        let (mut next, written) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                self.retry_at = self.frames + frames_in(RETRY_LENGTH, self.plan.format.sample_rate);
                let warning = Warning::new(WarningKind::Split, format!("the old file goes on: {error}"));
                return self.fire(&RecorderEvent::Warning { warning, frame: self.frames });
            }
        };
        next.extent.first_frame = self.frames;
        let path = next.path();
        let old = std::mem::replace(&mut self.piece, next);
        self.number += 1;
        self.finished_bytes += self.complete(old);
        self.part = self.frames;
        self.losses.forget_before(self.frames);
        self.shared.with_progress(|progress| progress.path = path);
        self.count(&written);
    }

    /// Finishes a file that is followed by another one, and hands it over. Returns its size in bytes.
    fn complete(&mut self, mut old: Piece) -> u64 {
        let tags = self.tags(old.extent);
        let finished = old.finish(tags).map(|written| self.count(&written));
        let sealed = old.seal().map_err(|error| old.write_error(error));
        let whole = sealed.is_ok();
        if let Err(error) = finished.and(sealed) {
            self.fire(&RecorderEvent::Error(error));
        }
        let Extent { first_frame, frames, .. } = old.extent;
        let kept = old.kept_frames().map_or(frames, |kept| kept.min(frames));
        let (timecode, facts) = self.describe(old.extent, first_frame + kept);
        let data = old.take_blob(BlobFacts { whole, ..facts });
        let bytes = data.size();
        self.fire(&RecorderEvent::DataAvailable { data, timecode });
        bytes
    }

    pub(super) fn count(&mut self, written: &Written) {
        self.shared.with_progress(|progress| progress.bytes += written.bytes);
        if let Some(available) = written.available {
            self.watch_space(available);
        }
    }

    /// Warns in time, and ends properly before a write fails.
    fn watch_space(&mut self, available: u64) {
        let bits_per_second = self.plan.files.bits_per_second;
        let left = Duration::from_secs(available / bytes_per_second(bits_per_second).max(1));
        self.shared.with_progress(|progress| progress.disk_left = Some(left));
        if left < LOW_SPACE && !self.low_space {
            self.low_space = true;
            self.fire(&RecorderEvent::LowSpace { left });
        }
        // Space may have been freed.
        self.low_space &= left < 2 * LOW_SPACE;
        if available < reserve(bits_per_second) {
            let full = std::io::Error::new(std::io::ErrorKind::StorageFull, "the disk is full");
            self.shortage = Some(self.piece.write_error(full));
        }
    }

    /// Hands over what was gathered since the last part.
    pub(super) fn hand_over(&mut self) -> Result<()> {
        // What the encoder holds back belongs to the next part.
        let end = self.kept_end();
        let (timecode, facts) = self.describe(self.piece.extent, end);
        let data = self.piece.split(facts)?;
        self.part = end;
        self.fire(&RecorderEvent::DataAvailable { data, timecode });
        Ok(())
    }

    /// The first frame after those that are in the bytes so far.
    pub(super) fn kept_end(&self) -> u64 {
        let kept = self.piece.kept_frames().map(|kept| self.piece.extent.first_frame + kept);
        kept.map_or(self.frames, |kept| kept.min(self.frames))
    }

    /// The timecode and the facts of the part of `piece` that ends before the frame `end`.
    pub(super) fn describe(&self, piece: Extent, end: u64) -> (Duration, BlobFacts) {
        let from = self.part.max(piece.first_frame);
        let facts = BlobFacts {
            mime_type: self.plan.mime_type.clone(),
            format: self.plan.format,
            frames: end.saturating_sub(from),
            lost_frames: self.losses.within(from, end.max(from)),
            whole: true,
            recorded_at: piece.begins_at,
        };
        (duration_of(from, self.plan.format.sample_rate), facts)
    }
}
