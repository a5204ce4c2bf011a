//! What happens during a recording: files that are complete while others follow, their second copies, the clips that
//! are deleted to make room for them.

use std::{path::PathBuf, sync::Arc};

use dictaphone::{
    capture::{Warning, WarningKind},
    media::Progress,
};

use super::{
    Session, SessionInput, Stage, What, cue,
    files::{self, Files},
    save::Saving,
    step::Step,
};
use crate::{
    message::exit::Exit,
    report::outcome::{Kept, Outcome},
};

impl Session {
    pub(super) fn on_step(&mut self, step: Step) {
        match (step, &mut self.stage) {
            (Step::FileSaved { kept, frames, lost_frames }, _) => self.file_saved(kept, frames, lost_frames),
            (Step::CopyFailed(failure), Stage::Running(take)) => take.on_copy_failure(failure, &mut self.listeners),
            (Step::CopyFailed(failure), Stage::Saving(outcome)) => outcome.copy_failure = Some(failure),
            (Step::Deleted(outcome), _) => self.deleted(outcome),
            (Step::Waiting(number, why), Stage::Opening(_)) if number == self.opening => {
                self.emit(What::Waiting(&why));
            }
            (Step::Noted(warning), _) => self.emit(What::Warning(&warning)),
            (Step::CopyFailed(_) | Step::Waiting(..), _) => {}
        }
    }

    /// Saves the files that are complete while others follow.
    pub(super) fn save_complete_files(&mut self) {
        while let Stage::Running(take) = &mut self.stage {
            let Some(saving) = take.next_complete(&self.plan) else { return };
            if let Some(files) = self.files() {
                files.save(saving);
            }
        }
    }

    fn files(&mut self) -> Option<&Files> {
        if self.files.is_none() {
            match Files::start(&self.plan, Arc::clone(&self.twins), Arc::clone(&self.post)) {
                Ok(files) => self.files = Some(files),
                Err(error) => log::error!("cannot start the thread that saves files: {error}"),
            }
        }
        self.files.as_ref()
    }

    /// Deletes the oldest clips rather than end the recording.
    pub(super) fn make_room(&mut self) {
        let (Stage::Running(take), Some(_)) = (&self.stage, self.plan.steps.keep) else { return };
        let bytes_per_second = u64::from(take.recorder.audio_bits_per_second()).div_ceil(8);
        if let Some(files) = self.files() {
            files.make_room(bytes_per_second);
        }
    }

    fn file_saved(&mut self, kept: Kept, frames: u64, lost_frames: u64) {
        let (sample_rate, device) = match &self.stage {
            Stage::Running(take) => (take.format.sample_rate, take.device.clone()),
            Stage::Saving(outcome) => (outcome.sample_rate, outcome.device.clone()),
            Stage::Idle | Stage::Opening(_) => return,
        };
        let outcome = Outcome {
            kept,
            frames,
            progress: Progress { frames, lost_frames, arrived: frames, ..Progress::default() },
            sample_rate,
            failure: None,
            stopped: false,
            broke_down: false,
            device,
            is_from_file: false,
            lost_in_file: None,
            is_known: false,
            file_exit: None,
            copy_failure: None,
        };
        if outcome.exit() != Exit::Done {
            self.file_exit = Some(outcome.exit());
        }
        self.emit(What::FileSaved(&outcome));
    }

    fn deleted(&mut self, outcome: dictaphone::Result<Vec<PathBuf>>) {
        match outcome {
            Ok(paths) if paths.is_empty() => {}
            Ok(paths) => self.emit(What::Deleted(&paths)),
            Err(error) => {
                let warning = Warning::new(WarningKind::Device, format!("nothing was deleted to make room: {error}"));
                self.emit(What::Warning(&warning));
            }
        }
    }

    /// After the last file: everything before it is saved, and its second copy as well.
    pub(super) fn save_last(&mut self, saving: Saving) -> impl FnOnce() -> SessionInput + Send + 'static {
        let (files, twins, plan) = (self.files.take(), Arc::clone(&self.twins), self.plan.clone());
        let post = Arc::clone(&self.post);
        move || {
            // One after the other, in the order in which they were recorded.
            let before = files.and_then(Files::finish);
            let saving = Saving { before, ..saving };
            let (kept, frames) = saving.save();
            let (deleted, late) = files::settle_all(&plan, &kept, &twins);
            deleted.into_iter().for_each(|deleted| post(SessionInput::Step(deleted)));
            cue::stop(&plan, &post);
            SessionInput::Saved(kept, frames, late)
        }
    }
}
