//! The input: opening it, what becomes of it, and which others there are.

use std::sync::Arc;

use dictaphone::{
    capture::{self, DeviceKind, EndReason},
    media::{MediaStream, Tap, TrackEvent},
};

use super::{Happening, LATENCY, TAP_BLOCKS, World, one_line};
use crate::{
    commands::record::open,
    message::Failure,
    tui::{
        app::{InputRow, Weight},
        update::Msg,
    },
};

pub(super) struct Input {
    pub(super) stream: MediaStream,
    pub(super) tap: Option<Tap>,
}

impl World {
    pub(super) fn open(&mut self, id: Option<String>) {
        if id.is_some() {
            self.plan.device = id;
        }
        self.opening += 1;
        let number = self.opening;
        let (devices, plan) = (Arc::clone(&self.devices), self.plan.clone());
        // Closing may take its time when the sound server is dead, so that it is done over there as well.
        let before = self.input.take();
        self.spawn("open", move || {
            drop(before);
            Some(Happening::Opened(number, open::stream(&devices, &plan, LATENCY)))
        });
    }

    pub(super) fn opened(&mut self, number: u64, outcome: Result<(MediaStream, String), Failure>) -> Option<Msg> {
        if number != self.opening {
            return None;
        }
        let (stream, name) = match outcome {
            Ok(opened) => opened,
            Err(failure) => return Some(Msg::Missing(one_line(&failure.message))),
        };
        let format = open::format(&self.plan, &stream);
        let tracks = stream.tracks();
        for track in &tracks {
            self.forward(track.events(), move |event| Happening::Track(number, event));
        }
        let tap = tracks.first().map(|track| track.tap(TAP_BLOCKS));
        self.input = Some(Input { stream, tap });
        Some(Msg::Opened { name, format })
    }

    pub(super) fn hear_track(&mut self, number: u64, event: TrackEvent) -> Option<Msg> {
        if number != self.opening {
            return None;
        }
        match event {
            TrackEvent::Ended(reason) => {
                self.input = None;
                let why = match reason {
                    EndReason::DeviceLost(error) => {
                        let text = format!("the input is gone: {error}; r opens it again");
                        if let Some(running) = &mut self.running {
                            running.failure.get_or_insert(error);
                        }
                        text
                    }
                    EndReason::Exhausted => "the input has come to its end; r opens it again".to_owned(),
                };
                Some(Msg::Missing(why))
            }
            TrackEvent::Notice(notice) => Some(Msg::Say(Weight::Warning, notice.to_string())),
            TrackEvent::Mute => Some(Msg::Say(Weight::Warning, "the input is muted".to_owned())),
            TrackEvent::Unmute => Some(Msg::Say(Weight::Note, "the input delivers sound again".to_owned())),
            _ => None,
        }
    }

    pub(super) fn list_inputs(&self) {
        let devices = Arc::clone(&self.devices);
        self.spawn("devices", move || {
            Some(Happening::Msg(match devices.enumerate_devices() {
                Ok(found) => Msg::Inputs(found.into_iter().filter_map(input_row).collect()),
                Err(error) => Msg::Say(Weight::Error, error.to_string()),
            }))
        });
    }
}

fn input_row(device: capture::DeviceInfo) -> Option<InputRow> {
    (device.kind == DeviceKind::Input).then_some(InputRow {
        id: device.id,
        label: device.label,
        host: device.host,
        is_default: device.is_default,
    })
}
