//! The input: opening it, what becomes of it, and which others there are.

use std::sync::Arc;

use dictaphone::{
    capture::EndReason,
    media::{MediaDevices, MediaStream, Tap, TrackEvent},
};

use super::{
    Happening, LATENCY, TAP_BLOCKS, World,
    remembered::{self, Remembered},
};
use crate::{
    message::{Failure, Message},
    plan::Record,
    session::open,
    tui::{app::Weight, update::Msg},
};

pub(super) struct Input {
    pub(super) stream: MediaStream,
    pub(super) tap: Option<Tap>,
}

/// An input that was just opened.
pub(crate) struct Opened {
    stream: MediaStream,
    name: String,
    /// That it is not the one which was chosen last.
    note: Option<String>,
}

impl World {
    /// Opens the input of that id, which is remembered; or the one that was asked for, or was chosen last, or the default.
    pub(super) fn open(&mut self, id: Option<String>) {
        let is_chosen = id.is_some();
        if is_chosen {
            self.plan.device = id;
        }
        self.opening += 1;
        let number = self.opening;
        let (devices, plan) = (Arc::clone(&self.devices), self.plan.clone());
        // Closing may take its time when the sound server is dead, so that it is done over there as well.
        let before = self.input.take();
        self.spawn("open", move || {
            drop(before);
            let outcome = match &plan.device {
                Some(_) => open::stream(&devices, &plan, LATENCY)
                    .map(|(stream, name)| Opened { stream, name, note: None })
                    .inspect(|opened| remember(&plan, opened, is_chosen)),
                None => last_or_default(&devices, &plan),
            };
            Some(Happening::Opened(number, outcome))
        });
    }

    pub(super) fn opened(&mut self, number: u64, outcome: Result<Opened, Failure>) -> Option<Msg> {
        if number != self.opening {
            return None;
        }
        let Opened { stream, name, note } = match outcome {
            Ok(opened) => opened,
            Err(failure) => return Some(Msg::Missing(on_screen(&failure.message))),
        };
        let format = match open::format(&self.plan, &stream) {
            Ok(format) => format,
            Err(failure) => return Some(Msg::Missing(on_screen(&failure.message))),
        };
        let tracks = stream.tracks();
        for track in &tracks {
            self.forward(track.events(), move |event| Happening::Track(number, event));
        }
        let tap = tracks.first().map(|track| track.tap(TAP_BLOCKS));
        self.input = Some(Input { stream, tap });
        Some(Msg::Opened { name, format, note })
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
                        let text = format!("the input is gone: {error}");
                        if let Some(running) = &mut self.running {
                            running.failure.get_or_insert(error);
                        }
                        text
                    }
                    EndReason::Exhausted => "the input has come to its end".to_owned(),
                };
                Some(Msg::Missing(why))
            }
            TrackEvent::Notice(notice) => Some(Msg::Say(Weight::Warning, notice.to_string())),
            TrackEvent::Mute => Some(Msg::Say(Weight::Warning, "the input is muted".to_owned())),
            TrackEvent::Unmute => Some(Msg::Say(Weight::Note, "the input delivers sound again".to_owned())),
            _ => None,
        }
    }
}

/// A message without those of its hints that name commands and flags: on the screen there are keys for that.
fn on_screen(message: &Message) -> String {
    let hints = message.hint.as_deref().unwrap_or_default().split("; ");
    let hints = hints.filter(|hint| !hint.is_empty() && !hint.contains('`'));
    std::iter::once(message.text.as_str()).chain(hints).collect::<Vec<_>>().join("; ")
}

fn remember(plan: &Record, opened: &Opened, is_chosen: bool) {
    let Some((id, place)) = plan.device.clone().filter(|_| is_chosen).zip(remembered::place()) else { return };
    if let Err(error) = (Remembered { id, label: opened.name.clone() }).store(&place) {
        log::warn!("cannot remember the input in {}: {error}", place.display());
    }
}

/// The input that was chosen last; without a choice, or when it is not there, the system's default.
fn last_or_default(devices: &MediaDevices, plan: &Record) -> Result<Opened, Failure> {
    let last = remembered::place().and_then(|place| Remembered::load(&place));
    let last_plan = last.as_ref().map(|last| Record { device: Some(last.id.clone()), ..plan.clone() });
    if let Some(Ok((stream, name))) = last_plan.map(|plan| open::stream(devices, &plan, LATENCY)) {
        return Ok(Opened { stream, name, note: None });
    }
    let (stream, name) = open::stream(devices, plan, LATENCY)?;
    let note = last.map(|last| format!("{} is not there, this is {name}", last.label));
    Ok(Opened { stream, name, note })
}

#[cfg(test)]
mod tests {
    use dictaphone::{Error, ErrorKind};

    use super::*;

    #[test]
    fn the_screen_does_not_send_to_the_command_line() {
        for (kind, said) in [
            (ErrorKind::NotFound, "no input"),
            (ErrorKind::NotReadable, "no input; another program may be using it"),
            (
                ErrorKind::NotAllowed,
                "no input; allow this terminal the microphone in the system's privacy settings, or be the user of the \
                 sound server",
            ),
            (ErrorKind::Abort, "no input; look whether the sound server runs and the device is connected"),
        ] {
            assert_eq!(on_screen(&Failure::from(Error::new(kind, "no input")).message), said);
        }
    }
}
