//! Opening a device again that went away, and checking that it is the same one. Runs on the thread `reopen`.

use std::{
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant},
};

use crate::{
    audio::AudioFormat,
    capture::{Backend, CaptureStream, OpenRequest, Waker},
    error::{Error, ErrorKind, Result},
};

/// How often opening is tried.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
/// How long a sound server may take to report what it records, and how often it is polled.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(2);
const SOURCE_INTERVAL: Duration = Duration::from_millis(10);

/// How many channels a device has by itself, where a server would convert to any other number of them without reporting
/// it.
pub(super) fn width(backend: &dyn Backend, id: &str) -> Option<u16> {
    backend.find(id).filter(|device| device.converts).map(|device| device.format.channels)
}

/// Opens the device again, with as many attempts as it takes.
pub(super) struct Attempt {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) id: String,
    pub(super) request: OpenRequest,
    pub(super) format: AudioFormat,
    pub(super) width: Option<u16>,
    pub(super) source: Option<String>,
    pub(super) until: Instant,
    pub(super) wanted: Weak<()>,
}

impl Attempt {
    /// The stream, or why there was none the last time.
    pub(super) fn run(&self, waker: Option<&Waker>) -> Result<Box<dyn CaptureStream>> {
        loop {
            let error = match self.open(waker) {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            log::debug!("{} is not back: {error}", self.id);
            match self.until.checked_duration_since(Instant::now()) {
                Some(left) if self.wanted.strong_count() > 0 => thread::sleep(RETRY_INTERVAL.min(left)),
                _ => return Err(error),
            }
        }
    }

    pub(super) fn open(&self, waker: Option<&Waker>) -> Result<Box<dyn CaptureStream>> {
        if let (Some(before), Some(now)) = (self.width, width(self.backend.as_ref(), &self.id))
            && before != now
        {
            let context = format!("'{}' came back with {now} channels instead of {before}", self.id);
            return Err(Error::new(ErrorKind::NotSupported, context));
        }
        let mut stream = self.backend.open(&self.id, &self.request)?;
        let format = stream.format();
        if (format.sample_rate, format.channels) != (self.format.sample_rate, self.format.channels) {
            let context = format!("'{}' came back as {format} instead of {}", self.id, self.format);
            return Err(Error::new(ErrorKind::NotSupported, context));
        }
        if let Some(waker) = waker {
            stream.start(waker.clone())?;
        }
        self.compare(stream.as_ref())?;
        Ok(stream)
    }

    /// Whether the server records the same as before: a default may have become another device meanwhile.
    fn compare(&self, stream: &dyn CaptureStream) -> Result<()> {
        let Some(before) = &self.source else { return Ok(()) };
        let limit = Instant::now() + SOURCE_TIMEOUT;
        let now = loop {
            match stream.source() {
                None if Instant::now() < limit => thread::sleep(SOURCE_INTERVAL),
                now => break now.unwrap_or_else(|| "something unknown".to_owned()),
            }
        };
        match now == *before {
            true => Ok(()),
            false => {
                let context = format!("'{}' leads to {now} now instead of {before}", self.id);
                Err(Error::new(ErrorKind::NotReadable, context))
            }
        }
    }
}
