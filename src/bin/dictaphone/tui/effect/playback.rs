//! The clip that is played, with its waveform and its markers.
//!
//! Opening a file and releasing a loudspeaker may take long, and so have a thread each.

mod travel;

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

pub(super) use self::travel::PauseSpan;
use self::travel::Travel;
use super::{
    WorldEvent,
    worker::{Answers, Turn},
};
use crate::{
    message::visible,
    tui::{
        app::{Mark, Outline, Playing, Weight},
        update::Msg,
    },
};

/// How often a waveform that is being measured is shown.
const PICTURE_INTERVAL: Duration = Duration::from_millis(100);

/// The clip that is played.
pub(super) struct Playback {
    answers: Answers,
    player: Option<(PathBuf, Player)>,
    turn: Turn,
    /// That of the next clip as well.
    volume: f32,
    /// How far it goes back when it resumes after a pause.
    back_step: Duration,
    travel: Travel,
    cache: Option<WaveformCache>,
}

impl Playback {
    pub(super) fn new(back_step: Duration, cache: Option<WaveformCache>, answers: Answers) -> Self {
        let (turn, travel) = (Turn::default(), Travel::default());
        Self { answers, player: None, turn, volume: 1.0, back_step, travel, cache }
    }

    /// Whether one is open.
    pub(super) fn is_open(&self) -> bool {
        self.player.is_some()
    }

    /// A clip has another name.
    pub(super) fn renamed(&mut self, from: &Path, to: &Path) {
        if let Some((played, _)) = self.player.as_mut().filter(|(played, _)| played == from) {
            to.clone_into(played);
        }
    }

    /// Plays it, or opens it paused at a place in it.
    pub(super) fn play(&mut self, path: PathBuf, at: Option<Duration>) {
        self.stop();
        let number = self.turn.next();
        self.answers.spawn("play", move || {
            let opened = format::open(&path).and_then(|decoder| Player::open(decoder, Box::new(Speaker::default())));
            Some(WorldEvent::Playable(number, path, at, opened))
        });
    }

    pub(super) fn playable(
        &mut self,
        number: u64,
        path: PathBuf,
        at: Option<Duration>,
        opened: Result<Player>,
    ) -> Option<Msg> {
        if !self.turn.is(number) {
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

    /// Pauses, or resumes from a little before.
    pub(super) fn toggle(&self) {
        self.with_player(|player| {
            if !self.back_step.is_zero() && player.state().status == Status::Paused {
                player.seek_back(self.back_step);
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

    pub(super) fn stop(&mut self) {
        // The result of an opening in progress is no longer needed.
        self.turn.next();
        if let Some((path, player)) = self.player.take() {
            if let Some(damage) = player.state().damage {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let text = format!("{} is damaged: {damage}", visible(&name));
                self.answers.say(Msg::Say(Weight::Warning, text));
            }
            // A dead sound server may block it.
            self.answers.spawn("silence", move || {
                player.stop();
                None
            });
        }
    }

    /// What is played at the moment. At its end or after a failure the loudspeaker is released.
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
            self.answers.say(Msg::Say(Weight::Error, text));
        }
        self.stop();
        None
    }

    /// Waveform and markers of the clip of that attempt, under the name that it has by now.
    pub(super) fn outlined(&mut self, number: u64, mut outline: Outline) -> Option<Msg> {
        let (path, _) = self.player.as_ref().filter(|_| self.turn.is(number))?;
        outline.path.clone_from(path);
        self.note_loudness(&outline.waveform);
        Some(Msg::Outlined(outline))
    }

    /// Reads the whole clip, shows what there is of it ten times a second, and stops when another one is played.
    fn draw_outline(&self, number: u64, path: PathBuf) {
        let (answers, current) = (self.answers.clone(), self.turn.clone());
        let cache = self.cache.clone();
        self.answers.spawn("outline", move || {
            let _ = outline(&path, cache.as_ref(), |outline| {
                let sent = answers.send(WorldEvent::Outlined(number, outline));
                if sent && current.is(number) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            None
        });
    }
}

/// Waveform and markers of the clip at `path`; `show` receives every stage and can end it.
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
