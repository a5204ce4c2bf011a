//! Small waveforms for the rows of the list that can be seen. One thread measures them, one clip after the other, and
//! stops with a clip that has been scrolled away.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dictaphone::{
    clips::{Bin, Waveform, WaveformCache},
    format,
};

use super::Shelf;
use crate::tui::{app::SKETCH_COLUMNS, update::Msg};

/// The clips that are requested, and whether a thread works on them.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    paths: Vec<PathBuf>,
    is_served: bool,
    /// What was not requested for a long time was removed from the cache.
    is_pruned: bool,
}

fn lock(wanted: &Mutex<Wanted>) -> MutexGuard<'_, Wanted> {
    wanted.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    /// Requests these, and no others.
    pub(in crate::tui::effect) fn sketch(&self, paths: Vec<PathBuf>) {
        let mut wanted = lock(&self.sketches);
        wanted.paths = paths;
        let is_idle = !std::mem::replace(&mut wanted.is_served, true);
        drop(wanted);
        if is_idle {
            let (wanted, cache, answers) = (Arc::clone(&self.sketches), self.cache.clone(), self.answers.clone());
            self.answers.spawn("sketches", move || {
                while let Some(path) = next(&wanted) {
                    let is_wanted = || lock(&wanted).paths.contains(&path);
                    let bins = sketch(&path, cache.as_ref(), is_wanted);
                    // One that was abandoned is requested again when it comes into sight.
                    let was_wanted = take_off(&wanted, &path);
                    if was_wanted && !answers.say(Msg::Sketched(path, bins)) {
                        break;
                    }
                }
                if let Some(cache) = cache.filter(|_| !std::mem::replace(&mut lock(&wanted).is_pruned, true)) {
                    // A cache that is too large does no harm.
                    let _ = cache.prune();
                }
                None
            });
        }
    }
}

/// The first that is requested; without one the thread ends.
fn next(wanted: &Mutex<Wanted>) -> Option<PathBuf> {
    let mut wanted = lock(wanted);
    let first = wanted.paths.first().cloned();
    wanted.is_served = first.is_some();
    first
}

/// Whether it was still requested.
fn take_off(wanted: &Mutex<Wanted>, path: &Path) -> bool {
    let mut wanted = lock(wanted);
    let before = wanted.paths.len();
    wanted.paths.retain(|one| one != path);
    wanted.paths.len() < before
}

/// `None` for a clip without sound or that cannot be read to its end. For a long one that was never played a rough
/// picture is good enough for so few columns.
fn sketch(path: &Path, cache: Option<&WaveformCache>, is_wanted: impl Fn() -> bool) -> Option<Vec<Bin>> {
    let watch = |_: &_| if is_wanted() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let rough = match cache.and_then(|cache| cache.load(path)) {
        None => format::open(path).and_then(|mut decoder| Waveform::glance(decoder.as_mut())).ok()?,
        known => known,
    };
    let waveform = match (rough, cache) {
        (Some(rough), _) => Ok(rough),
        (None, Some(cache)) => cache.waveform(path, watch),
        (None, None) => format::open(path).and_then(|mut decoder| Waveform::measure(decoder.as_mut(), watch)),
    };
    waveform.ok().map(|waveform| waveform.columns(SKETCH_COLUMNS)).filter(|columns| !columns.is_empty())
}
