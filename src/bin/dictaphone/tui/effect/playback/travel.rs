//! What moving around in a long clip needs of its sound: pauses, silence that is skipped, and an enlarged part of it.
//! Each is read on a thread of its own, because it may be far away.

use std::{
    ops::{ControlFlow, Range},
    path::PathBuf,
    time::Duration,
};

use dictaphone::{
    Result,
    audio::time::{duration_of, frames_in},
    clips::{Pauses, Waveform},
    format,
    playback::Status,
};

use super::Playback;
use crate::tui::{
    app::{Detail, Stretch},
    effect::{WorldEvent, worker::Turn},
    update::Msg,
};

/// The shortest pause that the keys go to, and the shortest that is skipped.
const HOP_PAUSE_MIN: Duration = Duration::from_millis(400);
const SKIP_PAUSE_MIN: Duration = Duration::from_millis(700);
/// So much of a pause is played before the rest is skipped.
const SKIP_PAUSE_KEPT: Duration = Duration::from_millis(200);
/// Going back this soon after a pause goes to the one before.
const PASSED_MAX: Duration = Duration::from_millis(1_000);

/// What is known about silence in the clip that is played.
#[derive(Default)]
pub(super) struct Travel {
    hop: Turn,
    search: Turn,
    detail: Turn,
    /// How loud the clip is where it is loud, in dBFS.
    loudness: Option<f64>,
    /// Silence is skipped.
    skips: bool,
    ahead: Ahead,
}

/// The next pause that is skipped.
#[derive(Default)]
enum Ahead {
    #[default]
    Unknown,
    /// It is looked for from that frame on.
    Sought(u64),
    /// The next one from that frame on, with the frame at which playback continues, or none any more.
    Known(u64, Option<(Range<u64>, u64)>),
}

/// A pause that was found, and the frame in it at which playback continues.
pub(in crate::tui::effect) type PauseSpan = Option<(Range<u64>, u64)>;

impl Playback {
    /// The clip that is played is another one.
    pub(in crate::tui::effect) fn forget_pauses(&mut self) {
        self.travel.search.next();
        (self.travel.loudness, self.travel.ahead) = (None, Ahead::Unknown);
    }

    pub(in crate::tui::effect) fn note_loudness(&mut self, waveform: &Waveform) {
        self.travel.loudness = waveform.loudness();
    }

    pub(in crate::tui::effect) fn hop(&self, forward: bool) {
        let Some((path, player)) = &self.player else { return };
        let (path, state, loudness) = (path.clone(), player.state(), self.travel.loudness);
        let turn = self.travel.hop.clone();
        let number = turn.next();
        self.answers.spawn("pauses", move || {
            let passed = if state.status == Status::Playing { PASSED_MAX } else { Duration::ZERO };
            let back = frames_in(passed, state.sample_rate);
            let mut watch = || if turn.is(number) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            let found = find(&path, loudness, HOP_PAUSE_MIN, |pauses| match forward {
                true => pauses.next(state.position, &mut watch),
                false => pauses.previous(state.position.saturating_sub(back), &mut watch),
            });
            // A clip that cannot be read any more has no pauses; playing it reports what is wrong.
            let to = found.unwrap_or_default().map(|(_, frame)| duration_of(frame, state.sample_rate));
            turn.is(number).then_some(WorldEvent::Msg(Msg::Hopped { forward, to }))
        });
    }

    pub(in crate::tui::effect) fn set_skips(&mut self, skips: bool) {
        (self.travel.skips, self.travel.ahead) = (skips, Ahead::Unknown);
    }

    /// Continues after the pause that is being played, and looks for the next one in time.
    pub(in crate::tui::effect) fn skip_silence(&mut self) {
        let Some((path, player)) = self.player.as_ref().filter(|_| self.travel.skips) else { return };
        let state = player.state();
        if state.status != Status::Playing {
            return;
        }
        let at = state.position;
        match &self.travel.ahead {
            Ahead::Sought(from) if *from <= at => return,
            Ahead::Known(from, None) if *from <= at => return,
            Ahead::Known(from, Some((pause, landing))) if (*from..*landing).contains(&at) => {
                if at >= pause.start.saturating_add(frames_in(SKIP_PAUSE_KEPT, state.sample_rate)) {
                    player.seek(*landing);
                }
                return;
            }
            _ => {}
        }
        let (path, loudness, turn) = (path.clone(), self.travel.loudness, self.travel.search.clone());
        let number = turn.next();
        self.travel.ahead = Ahead::Sought(at);
        self.answers.spawn("pauses", move || {
            let mut watch = || if turn.is(number) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            let found = find(&path, loudness, SKIP_PAUSE_MIN, |pauses| pauses.next(at, &mut watch)).unwrap_or_default();
            Some(WorldEvent::PauseAhead(number, at, found))
        });
    }

    pub(in crate::tui::effect) fn pause_ahead(&mut self, number: u64, from: u64, found: PauseSpan) {
        if self.travel.search.is(number) {
            self.travel.ahead = Ahead::Known(from, found);
        }
    }

    pub(in crate::tui::effect) fn look_closer(&self, path: PathBuf, stretch: Stretch) {
        let turn = self.travel.detail.clone();
        let number = turn.next();
        self.answers.spawn("detail", move || {
            let mut decoder = format::open(&path).ok()?;
            let rate = decoder.format().sample_rate;
            let frames = frames_in(stretch.from, rate)..frames_in(stretch.to, rate);
            let watch = |_: &_| if turn.is(number) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            // Without it the rough picture stays.
            let waveform = Waveform::measure_part(decoder.as_mut(), frames, watch).ok()?;
            turn.is(number).then_some(WorldEvent::Msg(Msg::Detailed(Detail { path, stretch, waveform })))
        });
    }
}

fn find(
    path: &std::path::Path,
    loudness: Option<f64>,
    shortest: Duration,
    search: impl FnOnce(&mut Pauses<'_>) -> Result<Option<Range<u64>>>,
) -> Result<PauseSpan> {
    let mut decoder = format::open(path)?;
    let mut pauses = Pauses::new(decoder.as_mut(), loudness, shortest);
    let pause = search(&mut pauses)?;
    Ok(pause.map(|pause| (pause.clone(), pauses.landing(&pause))))
}
