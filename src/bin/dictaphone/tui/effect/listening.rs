//! The clip that is played, and what it looks like.
//!
//! Opening a file and giving a loudspeaker back may take long, and so have a thread each.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dictaphone::{
    Result,
    audio::{
        Marker,
        time::{duration_of, frames_in},
    },
    clips::{Waveform, WaveformCache, draw::Scale},
    format,
    playback::{Player, Speaker, Status},
};

use super::{Happening, World};
use crate::{
    message::visible,
    tui::{
        app::{Mark, Outline, Playing, Weight},
        update::Msg,
    },
};

/// How often a waveform that is being measured is shown.
const PICTURE_INTERVAL: Duration = Duration::from_millis(100);

impl World {
    /// Plays it, or waits at a place in it.
    pub(super) fn play(&mut self, path: PathBuf, at: Option<Duration>) {
        self.stop_playing();
        let number = self.play_turn.next();
        self.spawn("play", move || {
            let opened = format::open(&path).and_then(|decoder| Player::open(decoder, Box::new(Speaker::default())));
            Some(Happening::Playable(number, path, at, opened))
        });
    }

    pub(super) fn playable(
        &mut self,
        number: u64,
        path: PathBuf,
        at: Option<Duration>,
        opened: Result<Player>,
    ) -> Option<Msg> {
        if !self.play_turn.is(number) {
            return None;
        }
        match opened {
            Ok(player) => {
                player.set_volume(self.volume);
                match at {
                    Some(at) => player.seek(frames_in(at, player.format().sample_rate)),
                    None => player.play(),
                }
                self.forget_pauses();
                self.draw_outline(number, path.clone());
                self.player = Some((path, player));
                None
            }
            Err(error) => Some(Msg::Say(Weight::Error, error.to_string())),
        }
    }

    pub(super) fn with_player(&self, act: impl FnOnce(&Player)) {
        if let Some((_, player)) = &self.player {
            act(player);
        }
    }

    /// Pauses, or goes on from a little before.
    pub(super) fn toggle_play(&self) {
        self.with_player(|player| {
            if !self.habits.back_step.is_zero() && player.state().status == Status::Paused {
                player.seek_back(self.habits.back_step);
            }
            player.toggle();
        });
    }

    pub(super) fn set_volume(&mut self, factor: f32) {
        self.volume = factor;
        self.with_player(|player| player.set_volume(factor));
    }

    pub(super) fn seek_to(&self, place: Duration) {
        self.with_player(|player| player.seek(frames_in(place, player.format().sample_rate)));
    }

    pub(super) fn repeat(&self, part: Option<(Duration, Duration)>) {
        self.with_player(|player| {
            let frame = |place| frames_in(place, player.format().sample_rate);
            player.set_loop(part.map(|(a, b)| frame(a)..frame(b)));
        });
    }

    pub(super) fn stop_playing(&mut self) {
        // What is still being opened is not wanted any more.
        self.play_turn.next();
        if let Some((path, player)) = self.player.take() {
            if let Some(damage) = player.state().damage {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let text = format!("{} is damaged: {damage}", visible(&name));
                let _ = self.happenings.send(Happening::Msg(Msg::Say(Weight::Warning, text)));
            }
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
            return Some(Playing {
                path: path.clone(),
                at: state.elapsed(),
                length: state.duration(),
                is_paused: state.status == Status::Paused,
                peak: state.peak,
            });
        }
        if let (Status::Failed, Some(error)) = (state.status, state.error) {
            let text = format!("nothing can be heard: {error}");
            let _ = self.happenings.send(Happening::Msg(Msg::Say(Weight::Error, text)));
        }
        self.stop_playing();
        None
    }

    /// What the clip of that attempt looks like, under the name that it has by now.
    pub(super) fn outlined(&mut self, number: u64, mut outline: Outline) -> Option<Msg> {
        let (path, _) = self.player.as_ref().filter(|_| self.play_turn.is(number))?;
        outline.path.clone_from(path);
        self.note_loudness(&outline.waveform);
        Some(Msg::Outlined(outline))
    }

    /// Reads the whole clip, shows what there is of it ten times a second, and gives up when another one is played.
    fn draw_outline(&self, number: u64, path: PathBuf) {
        let (answers, current) = (self.happenings.clone(), self.play_turn.clone());
        let cache = self.cache.clone();
        self.spawn("outline", move || {
            let _ = outline(&path, cache.as_ref(), |outline| {
                let sent = answers.send(Happening::Outlined(number, outline));
                if sent.is_ok() && current.is(number) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            None
        });
    }
}

/// What the clip at `path` looks like; `show` sees it grow and can end it.
fn outline(path: &Path, cache: Option<&WaveformCache>, mut show: impl FnMut(Outline) -> ControlFlow<()>) -> Result<()> {
    let mut decoder = format::open(path)?;
    let rate = decoder.format().sample_rate;
    let mark = |marker: &Marker| Mark { at: duration_of(marker.frame, rate), text: marker.text.clone() };
    let markers: Vec<Mark> = decoder.metadata().markers.iter().map(mark).collect();
    let frames = decoder.frames();
    let picture = |waveform: Waveform| {
        let scale = Scale::of(waveform.bins());
        Outline { path: path.to_owned(), waveform, scale, frames, rate, markers: markers.clone() }
    };
    let mut shown = Instant::now();
    // The markers at once.
    let mut flow = show(picture(Waveform::default()));
    let is_known = cache.is_some_and(|cache| cache.load(path).is_some());
    let rough = if is_known { None } else { Waveform::glance(decoder.as_mut())? };
    if let Some(rough) = &rough {
        flow = show(picture(rough.clone()));
    }
    let refined = |measured: Waveform| match &rough {
        Some(rough) => rough.refined(measured),
        None => measured,
    };
    let mut watch = |growing: &dictaphone::clips::Outline| {
        if shown.elapsed() >= PICTURE_INTERVAL {
            shown = Instant::now();
            flow = show(picture(refined(growing.so_far())));
        }
        flow
    };
    let waveform = match cache {
        Some(cache) => cache.waveform(path, watch)?,
        None => Waveform::measure(format::open(path)?.as_mut(), &mut watch)?,
    };
    let _ = show(picture(waveform));
    Ok(())
}
