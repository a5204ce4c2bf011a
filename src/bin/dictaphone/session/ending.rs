//! The end of a recording: once everything is known about it, it is saved as a file, and the outcome is reported.

use std::sync::Arc;

use super::{
    Session, SessionInput, Stage,
    event::What,
    save::{self, Saving},
};
use crate::{
    message::Failure,
    report::outcome::{CopyFailure, Kept, Outcome},
    work,
};

impl Session {
    /// Saves the recording as a file once everything is known about it.
    pub(super) fn end_if_over(&mut self) {
        match &mut self.stage {
            Stage::Running(take) if take.is_over() => {
                take.announce_if_arrived(&self.plan, &mut self.listeners);
                take.emit(&mut self.listeners, What::Ended);
            }
            _ => return,
        }
        let Stage::Running(take) = std::mem::replace(&mut self.stage, Stage::Idle) else { return };
        let (saving, outcome) = take.finish(&self.plan, self.broke_down);
        self.stage = Stage::Saving(Box::new(outcome));
        self.save(saving);
    }

    fn save(&mut self, saving: Saving) {
        let part = saving.part();
        let failed = move || {
            let (kept, frames) = save::failed_by_a_bug(part);
            SessionInput::Saved(kept, frames, None)
        };
        let save = self.save_last(saving);
        work::start_surely("save", Arc::clone(&self.post), save, failed);
    }

    pub(super) fn saved(&mut self, kept: Kept, frames: u64, late: Option<String>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Idle);
        let Stage::Saving(outcome) = stage else { return self.stage = stage };
        let copy_failure = outcome.copy_failure.clone().or(late.map(CopyFailure::Second));
        let outcome = Outcome { kept, frames, copy_failure, file_exit: self.file_exit.take(), ..*outcome };
        self.listeners.emit(outcome.progress.frames, outcome.sample_rate, What::Finished(&outcome));
        let outcome = Outcome { broke_down: outcome.broke_down || self.listeners.has_lost(), ..outcome };
        if !outcome.is_idle() {
            let exit = outcome.exit();
            self.worst = Some(self.worst.filter(|worst| worst.code() > exit.code()).unwrap_or(exit));
        }
        self.result = Some(Ok(outcome));
    }

    /// The outcome of the latest recording. Returned once.
    pub(crate) fn take_result(&mut self) -> Option<Result<Outcome, Failure>> {
        self.result.take()
    }
}
