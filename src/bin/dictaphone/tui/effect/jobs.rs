//! Files that are made of others: exported clips, and takes with what was dictated in them. One at a time, on a thread
//! that says how far it is and can be told to give up.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    time::{Duration, Instant},
};

use dictaphone::{
    Error, ErrorKind, Result,
    audio::time::frames_in,
    clips::{self, Advance, Conversion, Seam, Spliced},
    decode,
    encode::format,
    storage::Existing,
};

use super::{Happening, World, folder::Change, recording::Kept};
use crate::tui::{
    app::{Dictation, Place},
    update::Msg,
};

/// How often it says how far it is.
const TELL: Duration = Duration::from_millis(100);

impl World {
    pub(super) fn export(&mut self, path: PathBuf, name: &'static str) {
        let mut watch = self.begin_job();
        let work = move || Happening::Exported(export(&path, name, &mut watch));
        self.spawn_surely("export", work, || Happening::Exported(Err(bug())));
    }

    pub(super) fn splice(&mut self, dictation: Dictation, new: PathBuf) {
        let mut watch = self.begin_job();
        let this = new.clone();
        let work = move || {
            let outcome = splice(&dictation, &new, &mut watch);
            Happening::Spliced(new, outcome)
        };
        self.spawn_surely("splice", work, move || Happening::Spliced(this, Err(bug())));
    }

    pub(super) fn cancel(&self) {
        if let Some(job) = &self.job {
            job.store(true, Ordering::SeqCst);
        }
    }

    /// What is called with every block.
    fn begin_job(&mut self) -> impl FnMut(Advance) -> ControlFlow<()> + Send + 'static {
        let given_up = Arc::<AtomicBool>::default();
        self.job = Some(Arc::clone(&given_up));
        watch(given_up, self.happenings.clone())
    }

    pub(super) fn exported(&mut self, outcome: Result<PathBuf>) -> Msg {
        self.end_job();
        Msg::Exported(outcome.map_err(reason))
    }

    pub(super) fn spliced(&mut self, new: &Path, outcome: Result<Spliced>) -> Msg {
        self.end_job();
        Msg::Spliced(match outcome {
            Ok(spliced) => {
                let path = self.listed_path(&spliced.path);
                let left_over = spliced.left_over().map(Path::to_owned).collect();
                // What is said at the end is about the take that there is now.
                self.kept.retain(|kept| !kept.is_at(new));
                self.kept.push(Kept::dictated(path.clone()));
                self.changes.push(Change::Spliced(spliced));
                Ok((path, left_over))
            }
            Err(error) => Err(reason(error)),
        })
    }

    fn end_job(&mut self) {
        (self.job, self.looked) = (None, None);
    }
}

fn bug() -> Error {
    Error::new(ErrorKind::Unknown, "it failed by a bug")
}

/// Nothing if it was given up.
fn reason(error: Error) -> Option<String> {
    (error.kind() != ErrorKind::Abort).then(|| error.to_string())
}

fn watch(given_up: Arc<AtomicBool>, answers: Sender<Happening>) -> impl FnMut(Advance) -> ControlFlow<()> + Send {
    let mut told = Instant::now();
    move |advance| {
        if let (true, Some(total)) = (told.elapsed() >= TELL, advance.total.filter(|&total| total > 0)) {
            told = Instant::now();
            let _ = answers.send(Happening::Msg(Msg::Progress(advance.frames as f64 / total as f64)));
        }
        if given_up.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn export(path: &Path, name: &str, watch: &mut dyn FnMut(Advance) -> ControlFlow<()>) -> Result<PathBuf> {
    let no_format = || Error::new(ErrorKind::NotSupported, format!("there is no format {name}"));
    let format = format::by_name(name).ok_or_else(no_format)?;
    let target = path.with_extension(format.extension());
    let (path, _) = clips::convert(path, &target, &Conversion::new(format), Existing::Number, watch)?;
    Ok(path)
}

fn splice(dictation: &Dictation, new: &Path, watch: &mut dyn FnMut(Advance) -> ControlFlow<()>) -> Result<Spliced> {
    let frame = |at| decode::open(&dictation.path).map(|decoder| frames_in(at, decoder.format().sample_rate));
    let seam = match dictation.place {
        Place::End => Seam::End,
        Place::Insert(at) => Seam::Insert(frame(at)?),
        Place::Overwrite(at) => Seam::Overwrite(frame(at)?),
    };
    clips::splice::splice(&dictation.path, new, seam, watch)
}
