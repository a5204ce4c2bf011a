//! What is recorded from: the session, and the sound of its device for the picture.

use std::sync::Arc;

use dictaphone::{
    audio::{apply_gain, db_to_factor},
    media::Tap,
};

use super::{
    WorldEvent,
    levels::{Levels, TAP_BLOCKS},
    listener::Inbox,
    worker::Answers,
};
use crate::{
    plan::Record,
    report::outcome::Outcome,
    session::{Session, SessionInput},
    tui::{app::InputRow, update::Msg},
};

/// The session of the screen, the sound of its device, and the levels of others.
pub(super) struct Input {
    pub(super) session: Session,
    /// What the session has reported.
    pub(super) inbox: Inbox,
    pub(super) levels: Levels,
    /// The sound of the device.
    tap: Option<Tap>,
}

impl Input {
    pub(super) fn new(plan: Record, answers: Answers) -> Self {
        let inputs = answers.clone();
        let post = Arc::new(move |input| {
            inputs.send(WorldEvent::Session(input));
        });
        let mut session = Session::with_picture(plan, post);
        let inbox = Inbox::default();
        session.add_listener(Box::new(inbox.clone()));
        Self { session, inbox, levels: Levels::new(answers), tap: None }
    }

    /// Whether sound arrives that the screen shows.
    pub(super) fn is_live(&self) -> bool {
        self.session.is_live() || self.levels.are_heard()
    }

    /// Lists the inputs, and then measures the level of each.
    pub(super) fn list(&self) {
        self.levels.list(self.session.devices());
    }

    pub(super) fn listed(&self, turn: u64, rows: Vec<InputRow>) -> Option<Msg> {
        self.levels.listed(self.session.devices(), turn, rows)
    }

    /// Handles an input of the session, and returns the outcome of a recording that it ended.
    pub(super) fn on_session(&mut self, input: SessionInput) -> Option<Outcome> {
        let is_opened = matches!(input, SessionInput::Opened(..));
        self.session.on_input(input);
        if is_opened {
            self.tap = self.session.tap(TAP_BLOCKS);
        }
        self.session.take_result()?.ok()
    }

    /// What has come from the device since the last call, as it is recorded, the loudest sample of each frame.
    pub(super) fn sound(&self, gain_db: f64) -> Vec<f32> {
        let mut samples = Vec::new();
        let mut channels = 1;
        if let Some(tap) = &self.tap {
            tap.read(&mut samples);
            channels = usize::from(tap.format().channels.max(1));
        }
        if let Some(mixer) = self.session.mixer().filter(|mixer| mixer.channels_in() == channels) {
            let heard = std::mem::take(&mut samples);
            mixer.mix(&heard, &mut samples);
            channels = mixer.channels_out().max(1);
        }
        apply_gain(&mut samples, if gain_db == 0.0 { 1.0 } else { db_to_factor(gain_db) });
        match channels {
            1 => samples,
            _ => samples.chunks_exact(channels).map(loudest).collect(),
        }
    }
}

fn loudest(frame: &[f32]) -> f32 {
    frame.iter().copied().fold(0.0, |loudest: f32, sample| if sample.abs() > loudest.abs() { sample } else { loudest })
}
