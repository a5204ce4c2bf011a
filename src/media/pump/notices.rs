//! What the pump reports to the owners of tracks about the sound and the clock.

use super::Pump;
use crate::capture::{Warning, WarningKind};

impl Pump {
    /// Reports what is wrong with the sound itself.
    pub(super) fn watch_input(&mut self) {
        // A mute by the source was reported already.
        if self.muted {
            return;
        }
        let Some(finding) = self.input.as_mut().and_then(|input| input.on_samples(&self.block)) else { return };
        self.each_track(|track| {
            track.notice(&finding.warning(track.label()));
        });
    }

    /// Reports that the machine slept; a microphone records nothing meanwhile.
    pub(super) fn notice_sleep(&mut self) {
        let Some(slept) = self.input.as_ref().and_then(|_| self.machine.look()) else { return };
        let message = format!("the machine slept for {} s, of which nothing is recorded", slept.as_secs());
        let notice = Warning::new(WarningKind::Slept, message);
        self.each_track(|track| track.notice(&notice));
    }

    /// Reports the measured clock of the device now and then.
    pub(super) fn report_device_rate(&mut self) {
        let second = self.consumed / u64::from(self.stream.format().sample_rate.max(1));
        if std::mem::replace(&mut self.second, second) != second
            && let Some(hertz) = self.stream.device_rate()
        {
            self.takes.iter_mut().for_each(|take| take.note_device_rate(hertz));
        }
    }
}
