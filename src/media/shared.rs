//! What a recorder shares with its recording on the pump thread: state, events, numbers.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    audio::{AudioFormat, Level, LevelMeter},
    error::Result,
    media::{
        Progress, RecorderEvent, RecordingState,
        command::{TakeCommand, TakeKey},
        event::Receivers,
        state::{Call, Transition, transition},
    },
};

/// Posts a command to a running recording.
pub(super) type PostCommand = Box<dyn Fn(TakeCommand) + Send>;

#[derive(Default)]
pub(super) struct Core {
    pub(super) state: RecordingState,
    pub(super) mime_type: String,
    /// The requested type.
    pub(super) asked_type: String,
    pub(super) format: Option<AudioFormat>,
    /// The running recording goes to a file that another can follow.
    pub(super) goes_to_file: bool,
    pub(super) running: Option<(TakeKey, PostCommand)>,
}

impl Core {
    /// The recording is over, or will be at once: the MIME type is the requested one again.
    fn become_inactive(&mut self) {
        self.state = RecordingState::Inactive;
        self.running = None;
        self.mime_type.clone_from(&self.asked_type);
    }
}

/// What a recorder shares with its recording on the pump thread.
#[derive(Default)]
pub(crate) struct RecorderShared {
    core: Mutex<Core>,
    pub(super) listeners: Receivers<RecorderEvent>,
    progress: Mutex<Progress>,
    level: Mutex<LevelMeter>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The guarded state is changed by single assignments and is consistent even after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RecorderShared {
    pub(super) fn core(&self) -> MutexGuard<'_, Core> {
        lock(&self.core)
    }

    pub(super) fn progress(&self) -> Progress {
        lock(&self.progress).clone()
    }

    pub(super) fn take_level(&self) -> Level {
        lock(&self.level).take()
    }

    /// The recording begins; called right before its start event.
    pub(crate) fn begin(&self, key: TakeKey, mime_type: &str, path: Option<PathBuf>) {
        let mut core = lock(&self.core);
        // One that was stopped before it began leaves the requested type in place.
        if core.running.as_ref().is_some_and(|(running, _)| *running == key) {
            core.mime_type = mime_type.to_owned();
        }
        drop(core);
        *lock(&self.progress) = Progress { path, ..Progress::default() };
    }

    /// That recording is over; called right before its last events. A recording that was stopped, and perhaps followed
    /// by another one, changes nothing. Returns whether it had not been stopped before.
    pub(crate) fn end(&self, key: TakeKey) -> bool {
        let mut core = lock(&self.core);
        let was_running = core.running.as_ref().is_some_and(|(running, _)| *running == key);
        if was_running {
            core.become_inactive();
        }
        was_running
    }

    pub(crate) fn fire(&self, event: &RecorderEvent) {
        self.listeners.fire(event);
    }

    /// Changes the numbers, and returns them as they were.
    pub(crate) fn change_progress(&self, change: impl FnOnce(&mut Progress)) -> Progress {
        let mut progress = lock(&self.progress);
        let before = progress.clone();
        change(&mut progress);
        before
    }

    /// The level so far, to be [put back](Self::set_level).
    pub(crate) fn level(&self) -> LevelMeter {
        lock(&self.level).clone()
    }

    pub(crate) fn set_level(&self, level: LevelMeter) {
        *lock(&self.level) = level;
    }

    pub(crate) fn with_progress(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut lock(&self.progress));
    }

    pub(crate) fn add_level(&self, samples: &[f32]) {
        lock(&self.level).push(samples);
    }

    /// Changes the state by the control table and, if it changed, sends the command.
    pub(super) fn call(&self, call: Call, command: TakeCommand) -> Result<()> {
        let mut core = lock(&self.core);
        let Transition::To(state) = transition(core.state, call)? else { return Ok(()) };
        core.state = state;
        if let Some((_, post)) = &core.running {
            // Posted under the lock, so that commands reach the pump in the order of the state changes. A source that
            // has just closed refuses it; its pump is ending the recording already.
            post(command);
        }
        if state == RecordingState::Inactive {
            core.become_inactive();
        }
        Ok(())
    }
}
