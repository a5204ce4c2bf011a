//! The levels of the inputs while one of them is chosen: each is opened with a tap, and closed with the list.
//!
//! Opening and closing have threads, because a dead device may block them for seconds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dictaphone::{
    audio::{ChannelMap, LevelMeter},
    capture::{DeviceInfo, DeviceKind},
    media::{Constraint, Constraints, MediaDevices, MediaStream, MediaStreamTrack, Tap},
};

use super::{
    WorldEvent,
    worker::{Answers, Turn},
};
use crate::{
    session::{
        PICTURE_LATENCY,
        remembered::{self, Remembered},
    },
    tui::{
        app::{InputLevel, InputRow, Weight},
        update::Msg,
    },
};

/// Blocks of sound that may wait for the screen.
pub(super) const TAP_BLOCKS: usize = 256;
/// Users do not look at more of them at once, and each has a connection of its own.
const INPUTS_MAX: usize = 16;

struct Listened {
    id: String,
    stream: MediaStream,
    tap: Tap,
}

/// The inputs whose levels are measured.
pub(super) struct Levels {
    answers: Answers,
    turn: Turn,
    open: Arc<Mutex<Vec<Listened>>>,
}

impl Levels {
    pub(super) fn new(answers: Answers) -> Self {
        Self { answers, turn: Turn::default(), open: Arc::default() }
    }

    /// Whether one of them is open.
    pub(super) fn are_heard(&self) -> bool {
        !lock(&self.open).is_empty()
    }
}

fn lock(open: &Mutex<Vec<Listened>>) -> MutexGuard<'_, Vec<Listened>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Levels {
    /// Lists the inputs, and then measures the level of each.
    pub(super) fn list(&self, devices: &Arc<MediaDevices>) {
        let turn = self.turn.next();
        let devices = Arc::clone(devices);
        self.answers.spawn("devices", move || {
            let last = remembered::last();
            Some(match devices.enumerate_devices() {
                Ok(found) => {
                    let rows = found.into_iter().filter_map(|device| input_row(device, last.as_ref()));
                    WorldEvent::Inputs(turn, rows.collect())
                }
                Err(error) => WorldEvent::Msg(Msg::Say(Weight::Error, error.to_string())),
            })
        });
    }

    pub(super) fn listed(&self, devices: &Arc<MediaDevices>, turn: u64, mut rows: Vec<InputRow>) -> Option<Msg> {
        if !self.turn.is(turn) {
            return None;
        }
        for row in rows.iter().take(INPUTS_MAX) {
            let (devices, id) = (Arc::clone(devices), row.id.clone());
            let (open, current) = (Arc::clone(&self.open), self.turn.clone());
            self.answers.spawn("level", move || {
                let Some(listened) = listen(&devices, &id) else { return Some(WorldEvent::Msg(Msg::InputFailed(id))) };
                let mut open = lock(&open);
                if current.is(turn) {
                    open.push(listened);
                    return None;
                }
                drop(open);
                listened.close();
                None
            });
        }
        rows.iter_mut().skip(INPUTS_MAX).for_each(|row| row.level = InputLevel::Unheard);
        Some(Msg::Inputs(rows))
    }

    pub(super) fn close(&self) {
        self.turn.next();
        let open = std::mem::take(&mut *lock(&self.open));
        if !open.is_empty() {
            self.answers.spawn("level", move || {
                open.iter().for_each(Listened::close);
                None
            });
        }
    }

    /// The peaks since the last call.
    pub(super) fn peaks(&self) -> Vec<(String, Vec<f64>)> {
        lock(&self.open).iter().filter_map(Listened::level).collect()
    }
}

fn listen(devices: &MediaDevices, id: &str) -> Option<Listened> {
    let constraints = Constraints::default()
        .device_id(Constraint::exact(id.to_owned()))
        .latency(Constraint::ideal(PICTURE_LATENCY.as_secs_f64()));
    let stream = devices.get_user_media(&constraints).ok()?;
    let tap = stream.tracks().first()?.tap(TAP_BLOCKS);
    Some(Listened { id: id.to_owned(), stream, tap })
}

impl Listened {
    /// The peaks in dBFS of what has come in each channel, if something has.
    fn level(&self) -> Option<(String, Vec<f64>)> {
        let mut samples = Vec::new();
        if self.tap.read(&mut samples) == 0 {
            return None;
        }
        let channels = usize::from(self.tap.format().channels.max(1));
        let peak = |channel: usize| {
            let own: Vec<f32> = samples.iter().skip(channel).step_by(channels).copied().collect();
            let mut meter = LevelMeter::new();
            meter.push(&own);
            meter.take().peak.value()
        };
        Some((self.id.clone(), (0..channels).map(peak).collect()))
    }

    fn close(&self) {
        self.stream.tracks().iter().for_each(MediaStreamTrack::stop);
    }
}

fn input_row(device: DeviceInfo, last: Option<&Remembered>) -> Option<InputRow> {
    let map = last.filter(|last| last.id == device.id).and_then(|last| last.map.as_ref());
    let chosen = map.into_iter().flat_map(ChannelMap::kept).flatten().map(|channel| channel + 1).collect();
    (device.kind == DeviceKind::Input).then_some(InputRow {
        id: device.id,
        label: device.label,
        host: device.host,
        is_default: device.is_default,
        level: InputLevel::Opening,
        chosen,
        digit: None,
    })
}
