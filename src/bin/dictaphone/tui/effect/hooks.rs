//! What the programs of the user report while the screen is shown: a failure is a line in it, since whatever is printed
//! would be drawn over it. Before and after, it is printed as `record` does.

use std::sync::mpsc::Sender;

use super::{WorldEvent, listener::on_screen};
use crate::{
    message::Message,
    report::{Report, terminal},
    session::listener::HookReport,
    tui::{app::Weight, update::Msg},
};

/// Reports to the screen.
#[derive(Clone)]
pub(crate) struct HooksOnScreen {
    events: Sender<WorldEvent>,
    report: Report,
}

impl HooksOnScreen {
    pub(crate) const fn new(events: Sender<WorldEvent>, report: Report) -> Self {
        Self { events, report }
    }
}

impl HookReport for HooksOnScreen {
    fn output(&self, line: &str) {
        match terminal::has_screen() {
            true => log::info!("{line}"),
            false => self.report.note(line),
        }
    }

    fn warning(&self, message: &Message) {
        let said = WorldEvent::Msg(Msg::Say(Weight::Warning, on_screen(message)));
        if !terminal::has_screen() || self.events.send(said).is_err() {
            self.report.warning(message);
        }
    }
}
