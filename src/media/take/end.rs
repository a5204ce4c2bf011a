//! The end of a take, and the tags of its files.

use jiff::civil;

use super::{Ending, Take, local_time};
use crate::{
    audio::{
        Marker,
        time::{duration_of, frames_in},
    },
    capture::{Warning, WarningKind},
    error::{Error, ErrorKind, Result},
    format::Metadata,
    media::{Blob, BlobFacts, RecorderEvent, piece::Extent},
};

impl Take {
    /// Ends the take if something went wrong.
    pub(super) fn end_on_error(&mut self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.end(Ending::Failed(error));
        }
    }

    pub(super) fn end(&mut self, ending: Ending) {
        if self.over {
            return;
        }
        self.fix_start();
        if self.over {
            return;
        }
        self.over = true;
        let finished = match &ending {
            Ending::Complete | Ending::Ended(_) => self.finish(),
            Ending::Failed(_) => Ok(()),
        };
        if matches!(ending, Ending::Failed(_)) || finished.is_err() {
            // Frames that were encoded and not written are not in the file.
            self.frames = self.kept_end();
        }
        let sealed = self
            .piece
            .seal()
            .map_err(|error| Error::new(ErrorKind::Unknown, "cannot complete the recording").with_source(error));
        let whole = sealed.is_ok();
        let failure = match ending {
            Ending::Ended(error) | Ending::Failed(error) => Some(error),
            Ending::Complete => finished.and(sealed).err(),
        };
        if !self.open {
            // The frames that were held back when it ended.
            let cut = duration_of(self.cut + self.history.len(), self.plan.source_format.sample_rate);
            self.shared.with_progress(|progress| progress.cut += cut);
        }
        self.publish();
        let (timecode, facts) = self.describe(self.piece.extent, self.frames);
        let data: Blob = self.piece.take_blob(BlobFacts { whole, ..facts });
        self.shared.end(self.plan.key);
        if let Some(error) = failure {
            self.fire(&RecorderEvent::Error(error));
        }
        if self.is_unused() {
            if let Err(error) = data.discard() {
                log::warn!("an empty file stays: {error}");
            }
        } else {
            self.fire(&RecorderEvent::DataAvailable { data, timecode });
        }
        self.fire(&RecorderEvent::Stop);
    }

    /// Flushes what the chain and the encoder hold back.
    fn finish(&mut self) -> Result<()> {
        self.samples.clear();
        self.chain.finish(&mut self.samples)?;
        // The last blob is fired at the end: what is flushed here belongs into it.
        self.plan.timeslice = None;
        self.encode()?;
        let tags = self.tags(self.piece.extent);
        if self.is_unused() {
            self.warn_of_lost_markers(&tags.markers);
        }
        let written = self.piece.finish(tags)?;
        self.count(&written);
        Ok(())
    }

    /// Whether the last file was made for an utterance that never came.
    fn is_unused(&self) -> bool {
        self.number > 1 && self.piece.extent.frames == 0
    }

    /// The file before was complete when they were set.
    fn warn_of_lost_markers(&self, markers: &[Marker]) {
        for marker in markers.iter().filter(|marker| !marker.is_cut()) {
            let message = "this marker is in no file: nothing was recorded after it";
            let warning = Warning::new(WarningKind::Marker, message.to_owned());
            let frame = self.piece.extent.first_frame + marker.frame;
            self.fire(&RecorderEvent::Warning { warning, frame });
        }
    }

    /// The tags of a file as they are known at its end.
    pub(super) fn tags(&mut self, piece: Extent) -> Metadata {
        let (first, end) = (piece.first_frame, piece.end());
        let mut tags = self.plan.metadata.clone();
        tags.date = tags.date.or_else(|| piece.begins_at.and_then(local_time));
        tags.time_reference = tags.time_reference.or_else(|| self.time_reference(piece));
        tags.note_lost_frames(self.losses.within(first, if self.over { u64::MAX } else { end }));
        let is_here = |marker: &Marker| marker.frame < end || self.over;
        let (here, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.markers).into_iter().partition(is_here);
        (self.markers, self.markers_written) = (later, self.markers_written + here.len());
        tags.markers = here;
        tags.markers.iter_mut().for_each(|marker| marker.frame = marker.frame.saturating_sub(first));
        if let Some(hertz) = self.device_rate {
            tags.note_device_rate(hertz);
        }
        if self.plan.dates_broadcast {
            tags.broadcast = Some(tags.broadcast_payload());
        }
        tags
    }

    /// Frames between midnight and the first one of `piece`, counted from the beginning of the recording.
    pub(super) fn time_reference(&self, piece: Extent) -> Option<u64> {
        let rate = self.plan.format.sample_rate;
        let began = local_time::at(self.recorded_at?)?;
        let since = began.datetime().duration_since(began.date().to_datetime(civil::Time::midnight()));
        let first = frames_in(since.unsigned_abs(), rate) + piece.elapsed;
        Some(first % (u64::from(rate) * 86_400).max(1))
    }
}
