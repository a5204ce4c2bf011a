//! Microphones behind ALSA: sound cards, and whatever its plugins lead to.
//!
//! Devices are found and described by cpal, as on the other systems; here they are opened, by `pcm`, and read, by
//! `stream`. Any thread may call; opening runs on a thread of its own and for a limited time.
//!
//! Why not read through cpal: its worker polls again as long as less than a period is available, but the descriptor of
//! a plugin stays ready from the first frame on, so that it spins (on PulseAudio's plugin 45,000 polls in three
//! seconds, a core's whole time, whenever the server's blocks do not line up with the period). No period, buffer or
//! latency prevents that for every server. It also buffers just two periods, does not report the length of an overrun,
//! and probes each device through several connections.

mod pcm;
mod stream;

use std::time::Duration;

use self::{pcm::Opened, stream::AlsaStream};
use super::{Backend, CaptureStream, CpalBackend, DeviceInfo, OpenRequest, bounded::bounded};
use crate::error::{Error, ErrorKind, Result};

/// What its ids begin with; the rest is the name of a PCM.
const HOST: &str = "alsa:";
/// How long opening may take: connecting, waiting for a busy device, setting it up.
const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// The devices of ALSA.
#[derive(Debug, Clone)]
pub(crate) struct AlsaBackend {
    listed: CpalBackend,
}

impl AlsaBackend {
    /// The devices of `listed`.
    pub(super) fn new(listed: CpalBackend) -> Self {
        Self { listed }
    }
}

impl Backend for AlsaBackend {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        self.listed.devices()
    }

    fn default_input(&self) -> Result<Option<DeviceInfo>> {
        self.listed.default_input()
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        self.listed.find(id)
    }

    fn open(&self, id: &str, request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        let (id, request, listed) = (id.to_owned(), *request, self.listed.clone());
        let opened = bounded("open-microphone", OPEN_LIMIT, move || {
            let not_found = || Error::new(ErrorKind::NotFound, format!("there is no input device '{id}'"));
            let name = id.strip_prefix(HOST).ok_or_else(not_found)?;
            Opened::open(name, listed.label_of(&id).ok_or_else(not_found)?, &request)
        });
        match opened {
            Some(opened) => Ok(Box::new(AlsaStream::new(opened?))),
            None => Err(Error::new(ErrorKind::Abort, "the sound system alsa does not answer")),
        }
    }
}
