//! The sound systems that this program reads by itself, read through cpal instead: `cpal:pulseaudio:NAME`,
//! `cpal:alsa:NAME`. For comparison, and for the day on which cpal loses nothing there; found by id and never listed,
//! since each of these devices is listed already. Any thread may call.

use super::CpalBackend;
use crate::{
    capture::{Backend, CaptureStream, DeviceInfo, OpenRequest},
    error::{Error, ErrorKind, Result},
};

/// What the ids begin with; the rest is the id of the device.
const HOST: &str = "cpal";

/// One such sound system.
#[derive(Debug)]
pub(super) struct Direct(pub(super) CpalBackend);

fn id_in(id: &str) -> Option<&str> {
    id.strip_prefix(HOST)?.strip_prefix(':')
}

impl Backend for Direct {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        Ok(Vec::new())
    }

    fn default_input(&self) -> Result<Option<DeviceInfo>> {
        Ok(None)
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        let info = self.0.find(id_in(id)?)?;
        Some(DeviceInfo { id: id.to_owned(), host: HOST.to_owned(), is_default: false, ..info })
    }

    fn open(&self, id: &str, request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        let not_found = || Error::new(ErrorKind::NotFound, format!("there is no input device '{id}'"));
        self.0.open(id_in(id).ok_or_else(not_found)?, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_that_ask_for_it_are_read_through_cpal() {
        assert_eq!(id_in("cpal:pulseaudio:mic.monitor"), Some("pulseaudio:mic.monitor"));
        for id in ["pulseaudio:mic", "cpal", "cpalx:alsa:default", ""] {
            assert_eq!(id_in(id), None, "{id}");
        }
    }
}
