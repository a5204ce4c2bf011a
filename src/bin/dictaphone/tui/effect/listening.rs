//! The clip that is played.

use std::{path::PathBuf, time::Duration};

use dictaphone::{
    decode,
    playback::{Player, Speaker, Status},
};

use super::{Happening, World};
use crate::tui::{
    app::{Playing, Weight},
    update::Msg,
};

impl World {
    pub(super) fn play(&mut self, path: PathBuf) -> Vec<Msg> {
        self.stop_playing();
        let opened = decode::open(&path).and_then(|decoder| Player::open(decoder, Box::new(Speaker::default())));
        match opened {
            Ok(player) => {
                player.play();
                self.player = Some((path, player));
                Vec::new()
            }
            Err(error) => vec![Msg::Say(Weight::Error, error.to_string())],
        }
    }

    pub(super) fn with_player(&self, act: impl FnOnce(&Player)) {
        if let Some((_, player)) = &self.player {
            act(player);
        }
    }

    pub(super) fn stop_playing(&mut self) {
        if let Some((_, player)) = self.player.take() {
            // A dead sound server may hold it up.
            self.spawn("silence", move || {
                player.stop();
                None
            });
        }
    }

    /// What is played at the moment. At its end or after a failure the loudspeaker is given back.
    pub(super) fn playing(&mut self) -> Option<Playing> {
        let (path, player) = self.player.as_ref()?;
        let state = player.state();
        if matches!(state.status, Status::Playing | Status::Paused) {
            let tenths = state.elapsed().as_millis() / 100;
            return Some(Playing {
                path: path.clone(),
                at: Duration::from_millis(u64::try_from(tenths * 100).unwrap_or(u64::MAX)),
                length: state.duration(),
                speed: state.speed,
                is_paused: state.status == Status::Paused,
            });
        }
        if let (Status::Failed, Some(error)) = (state.status, state.error) {
            let text = format!("nothing can be heard: {error}");
            let _ = self.happenings.send(Happening::Msg(Msg::Say(Weight::Error, text)));
        }
        self.stop_playing();
        None
    }
}
