//! How a session gets its device: opened on request, recorded from at once if that was requested, opened again after it
//! went away. Opening has a thread, because a sound server may block it while the user wants to leave.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use dictaphone::capture::{Warning, WarningKind};

use super::{
    Choice, Session, SessionInput, Stage, What, cue,
    device::{self, OpenDevice},
    failed,
    step::Step,
};
use crate::{message::Failure, work};

/// How often a screen without a device tries to open one again.
const REOPEN_INTERVAL: Duration = Duration::from_secs(1);

impl Session {
    /// Opens a device, in the place of the one that is open.
    pub(crate) fn open(&mut self, choice: Choice) {
        self.open_as(choice, false);
    }

    fn open_as(&mut self, choice: Choice, quietly: bool) {
        if let Choice::This(id, map) = &choice {
            // Another one was chosen.
            self.lost = None;
            self.plan.device = Some(id.clone());
            self.plan.map = map.clone().or_else(|| self.asked_map.clone());
        }
        self.opening += 1;
        (self.opens_quietly, self.closed_at) = (Some(quietly), None);
        let (number, latency) = (self.opening, self.latency);
        let (devices, plan) = (Arc::clone(&self.devices), self.plan.clone());
        let (post, wanted) = (Arc::clone(&self.post), Arc::clone(&self.wanted_opening));
        wanted.store(number, Ordering::Relaxed);
        // Closing may take long when the sound server is dead, so it is done on that thread as well.
        let before = self.device.take();
        let open = move || {
            drop(before);
            let still = |why: Option<&str>| {
                why.into_iter().for_each(|why| post(SessionInput::Step(Step::Waiting(number, why.to_owned()))));
                wanted.load(Ordering::Relaxed) == number
            };
            let device = device::open_in_time(&devices, &plan, &choice, latency, still)?;
            cue::start(&plan, &device, &post);
            Ok(device)
        };
        let answer = move |outcome| SessionInput::Opened(number, Box::new(outcome));
        let failed = move || answer(Err(failed("the device was not opened because of a bug")));
        work::start_surely("open", Arc::clone(&self.post), move || answer(open()), failed);
    }

    /// Opens a device and records from it as soon as it is open.
    pub(crate) fn open_and_record(&mut self, choice: Choice) {
        self.stage = Stage::Opening(Vec::new());
        self.open(choice);
    }

    pub(super) fn opened(&mut self, number: u64, outcome: Result<OpenDevice, Failure>) {
        if number != self.opening {
            return;
        }
        let quietly = self.opens_quietly.take().unwrap_or_default();
        let begins = matches!(self.stage, Stage::Opening(_));
        let mut device = match outcome {
            Ok(device) => device,
            Err(_) if quietly => return self.closed_at = Some(Instant::now()),
            Err(failure) => {
                self.closed_at = Some(Instant::now());
                self.emit(What::NotOpened(&failure));
                if begins {
                    self.refuse(failure);
                }
                return;
            }
        };
        for track in device.stream.tracks() {
            if !self.reach.is_zero() {
                track.keep(self.reach);
            }
            let wrap = move |event| SessionInput::Track(number, event);
            if let Err(error) = work::forward("track", track.events(), Arc::clone(&self.post), wrap) {
                return self.refuse(failed(&format!("cannot start a thread: {error}")));
            }
        }
        let is_told = device.note.as_ref().is_some_and(|note| note.kind() == WarningKind::OtherDevice);
        if let Some(lost) = self.lost.take_if(|lost| lost.id != device.id && !is_told) {
            let text = format!("{} is not there, this is {}", lost.label, device.name);
            device.note = Some(Warning::new(WarningKind::OtherDevice, text));
        }
        self.lost = None;
        let format = device.format;
        let note = device.note.as_ref();
        let what = What::Opened { device: &device.name, format, note: note.map(Warning::message) };
        self.listeners.emit(0, format.sample_rate, what);
        if let Some(warning) = note.filter(|_| begins) {
            self.listeners.emit(0, format.sample_rate, What::Warning(warning));
        }
        self.device = Some(device);
        if let Stage::Opening(asked) = &mut self.stage {
            let asked = std::mem::take(asked);
            self.stage = Stage::Idle;
            match self.start() {
                Ok(()) => asked.into_iter().for_each(|command| self.apply(command)),
                Err(failure) => self.refuse(failure),
            }
        }
    }

    /// Reports that nothing will be recorded.
    pub(super) fn refuse(&mut self, failure: Failure) {
        self.emit(What::Failed { name: failure.name, message: &failure.message.text });
        self.stage = Stage::Idle;
        self.result = Some(Err(failure));
    }

    /// Opens the device again that went away, and no other, as often as that makes sense; nothing is reported before it
    /// is there.
    pub(crate) fn look_for_device(&mut self) {
        let is_due = self.closed_at.is_some_and(|at| at.elapsed() >= REOPEN_INTERVAL);
        if is_due && self.opens_quietly.is_none() && !self.is_busy() {
            let choice = self.lost.clone().map_or(Choice::Last, Choice::Back);
            self.open_as(choice, true);
        }
    }
}
