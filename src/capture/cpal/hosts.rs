//! Every sound system of this machine, each through whatever reads it best.

use std::sync::Arc;

use super::{CpalBackend, System};
use crate::capture::Backend;

impl CpalBackend {
    /// Every sound system that this program was built for, in the order in which they are tried.
    ///
    /// On Linux that is PulseAudio, which is also how PipeWire is reached on a desktop, then PipeWire itself, then the
    /// drivers (ALSA), and JACK last; after them PulseAudio and ALSA once more, as `cpal:…`. None of them is connected
    /// to yet.
    #[must_use]
    pub(crate) fn hosts() -> Vec<Arc<dyn Backend>> {
        let mut ids = cpal::ALL_HOSTS.to_vec();
        ids.sort_by_key(|id| System::of(*id).order());
        let hosts = ids.iter().copied().map(Self::backend);
        #[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
        let hosts = {
            let own = ids.iter().filter(|id| matches!(System::of(**id), System::PulseAudio | System::Alsa));
            hosts.chain(own.map(|&id| Arc::new(super::direct::Direct(Self::new(id))) as Arc<dyn Backend>))
        };
        hosts.collect()
    }

    fn backend(id: cpal::HostId) -> Arc<dyn Backend> {
        match System::of(id) {
            #[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
            System::PulseAudio => Arc::new(crate::capture::pulse::PulseBackend::new()),
            #[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
            System::Alsa => Arc::new(crate::capture::alsa::AlsaBackend::new(Self::new(id))),
            _ => Arc::new(Self::new(id)),
        }
    }
}
