//! Files that are made of others in the background. Pure.

use std::path::PathBuf;

use dictaphone::format::formats;

use super::{Effect, list, say, stem};
use crate::tui::app::{Dialog, Dictation, Job, Model, Place, Weight, Work};

/// Opens the dialog for the format of the export.
pub(super) fn choose(model: &mut Model) {
    if model.shelf.job.is_some() || model.recorder.dictation.is_some() {
        return say(model, Weight::Note, "something is being made already, one after the other".to_owned());
    }
    let Some(path) = list::whole(model) else { return };
    let own = model.shelf.takes.current().and_then(|take| take.clip.format.clone());
    let names = formats().iter().map(|format| format.name).filter(|name| own.as_deref() != Some(name));
    model.dialog = Some(Dialog::Export { path, formats: names.collect(), selected: 0 });
}

pub(super) fn export(model: &mut Model, path: PathBuf, format: &'static str) -> Vec<Effect> {
    begin(model, Work::Export, format!("exporting {} as {format}", stem(&path)));
    vec![Effect::Export(path, format)]
}

/// Begins a job, and removes an older note that would hide it.
pub(super) fn begin(model: &mut Model, work: Work, what: String) {
    model.notices.shown.take_if(|notice| notice.weight == Weight::Note);
    model.shelf.job = Some(Job { work, what, done: None });
}

pub(super) fn progress(model: &mut Model, done: f64) {
    if let Some(job) = &mut model.shelf.job {
        job.done = Some(done.clamp(0.0, 1.0));
    }
}

pub(super) fn exported(model: &mut Model, outcome: Result<PathBuf, Option<String>>) {
    model.shelf.job = None;
    match outcome {
        Ok(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            say(model, Weight::Note, format!("exported {name}"));
        }
        Err(Some(why)) => say(model, Weight::Error, why),
        Err(None) => say(model, Weight::Note, "given up, nothing was exported".to_owned()),
    }
}

/// What was recorded is safe as a take of its own, and now goes to its place.
pub(super) fn splice(model: &mut Model, dictation: Dictation, new: PathBuf) -> Vec<Effect> {
    let name = stem(&dictation.path);
    let what = match dictation.place {
        Place::End => format!("appending to {name}"),
        Place::Insert(_) => format!("inserting into {name}"),
        Place::Overwrite(_) => format!("overwriting {name}"),
    };
    begin(model, Work::Splice, what);
    vec![Effect::Splice(dictation, new)]
}
