//! Markers of clips, written one change after the other: what comes meanwhile waits, and of several for one clip the
//! latest counts.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use dictaphone::{
    Result,
    audio::{
        Marker,
        time::{duration_of, frames_in},
    },
    clips::{self, WaveformCache},
    format,
};

use super::{Shelf, change::Change};
use crate::tui::{
    app::Mark,
    effect::{WorldEvent, bug, reason},
    update::Msg,
};

/// What is being written, and what waits for that.
#[derive(Default)]
pub(super) struct Marking {
    is_running: bool,
    /// One list for each clip, in the order of the requests.
    waiting: VecDeque<(PathBuf, Vec<Mark>)>,
}

impl Marking {
    pub(super) fn is_running(&self) -> bool {
        self.is_running
    }

    fn wait(&mut self, path: PathBuf, marks: Vec<Mark>) {
        match self.waiting.iter_mut().find(|(waiting, _)| *waiting == path) {
            Some((_, earlier)) => *earlier = marks,
            None => self.waiting.push_back((path, marks)),
        }
    }
}

/// The markers that a clip had, if it has others now.
pub(crate) type Before = Result<Vec<Marker>>;

impl Shelf {
    pub(in crate::tui::effect) fn set_markers(&mut self, path: PathBuf, marks: Vec<Mark>) {
        if self.marking.is_running {
            self.marking.wait(path, marks);
            return;
        }
        self.marking.is_running = true;
        let cache = self.cache.clone();
        let failed = path.clone();
        let work = move || {
            let outcome = set(&path, &marks, cache.as_ref());
            WorldEvent::MarkersSet(path, outcome)
        };
        self.answers.spawn_surely("markers", work, move || WorldEvent::MarkersSet(failed, Err(bug())));
    }

    pub(in crate::tui::effect) fn markers_set(&mut self, path: PathBuf, outcome: Before) -> Msg {
        (self.marking.is_running, self.looked) = (false, None);
        let marks = marks(&path).ok();
        let why = match outcome {
            Ok(before) => {
                self.changes.push(Change::Marked { path: path.clone(), before });
                None
            }
            Err(error) => Some(reason(&error)),
        };
        // What waits is shown already.
        let is_shown = self.marking.waiting.iter().any(|(waiting, _)| *waiting == path);
        let marks = marks.filter(|_| !is_shown);
        if let Some((path, marks)) = self.marking.waiting.pop_front() {
            self.set_markers(path, marks);
        }
        Msg::MarkersSet { path, marks, why }
    }
}

/// The markers that a clip has.
pub(super) fn marks(path: &Path) -> Result<Vec<Mark>> {
    let decoder = format::open(path)?;
    let rate = decoder.format().sample_rate;
    let mark = |marker: &Marker| Mark { at: duration_of(marker.frame, rate), text: marker.text.clone() };
    Ok(decoder.metadata().markers.iter().map(mark).collect())
}

/// Returns those that it had.
fn set(path: &Path, marks: &[Mark], cache: Option<&WaveformCache>) -> Before {
    let decoder = format::open(path)?;
    let (rate, before) = (decoder.format().sample_rate, decoder.metadata().markers.clone());
    drop(decoder);
    let frame = |mark: &Mark| Marker { frame: frames_in(mark.at, rate), text: mark.text.clone() };
    let markers: Vec<Marker> = marks.iter().map(frame).collect();
    rewrite(path, &markers, cache)?;
    Ok(before)
}

/// The sound is the same, and so is what it looks like.
pub(super) fn rewrite(path: &Path, markers: &[Marker], cache: Option<&WaveformCache>) -> Result<()> {
    let known = cache.and_then(|cache| Some((cache, cache.load(path)?)));
    clips::set_markers(path, markers)?;
    if let Some((cache, waveform)) = known {
        // It would be measured again.
        let _ = cache.store(path, &waveform);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn of_several_lists_for_one_clip_the_latest_waits_and_none_of_another_clip_is_dropped() {
        let marks = |second| vec![Mark { at: Duration::from_secs(second), text: String::new() }];
        let mut marking = Marking::default();
        for (path, second) in [("b", 1), ("c", 2), ("b", 3)] {
            marking.wait(path.into(), marks(second));
        }
        assert_eq!(Vec::from(marking.waiting), [("b".into(), marks(3)), ("c".into(), marks(2))]);
    }
}
