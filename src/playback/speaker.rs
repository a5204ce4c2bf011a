//! Loudspeakers of the system's sound servers and drivers, through the cpal crate.
//!
//! The data callback runs on the thread of the sound system and only drains the queue. All calls to the sound system
//! run on threads of their own and are waited for only a limited time, because a dead server can block its callers for
//! ever. What C libraries print on standard error meanwhile is not suppressed here.

use std::{
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};

use super::{
    output::{Device, Line, Output, READ_AHEAD},
    queue::{Feeder, LineDrain, queue},
    sample,
};
use crate::{
    audio::{AudioFormat, SampleFormat},
    error::{Error, ErrorKind, Result},
};

/// How long opening may take: connecting, and building and starting the stream.
const OPEN_LIMIT: Duration = Duration::from_secs(8);
const BUILD_LIMIT: Duration = Duration::from_secs(5);
/// How long closing may block its caller.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// How long a closed stream's callback may last before its ring is dropped without waiting for it.
const CALLBACK_LIMIT: Duration = Duration::from_secs(5);
/// Buffers a second: 40 ms each. Sound systems keep two of them, and a seek is heard after that delay. With 25 ms a
/// busy machine with two cores underran.
const BUFFERS_A_SECOND: u32 = 25;
/// A buffer that the device refuses is halved until it is below this.
const SMALLEST_BUFFER: u32 = 64;
/// Errors that wait for the player.
const WAITING_ERRORS_MAX: usize = 32;
/// How long errors may follow each other before the device is treated as dead, if it takes nothing in between. Not
/// their number: ALSA's plug-in for PulseAudio fails a hundred times a millisecond until the server has reported its
/// delay for the first time.
const ERRORS_TIMEOUT: Duration = Duration::from_secs(2);

/// A loudspeaker: the system's default one, or one that is selected by its id.
///
/// Its clones share the connection to the sound system, which is made when it is first opened and renewed after it
/// failed.
#[derive(Clone, Default)]
pub struct Speaker {
    id: Option<String>,
    kept: Arc<Mutex<Option<Arc<cpal::Host>>>>,
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Speaker").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Speaker {
    /// The output device of that id, as the list of devices names it, such as `pulseaudio:alsa_output.pci-…`.
    #[must_use]
    pub fn with_id(id: &str) -> Self {
        Self { id: Some(id.to_owned()), kept: Arc::default() }
    }

    fn open_now(&self, format: AudioFormat) -> Result<Line> {
        let Some(id) = &self.id else { return self.open_default(format) };
        let not_found = || Error::new(ErrorKind::NotFound, format!("there is no output device '{id}'"));
        let wanted = cpal::DeviceId::from_str(id).map_err(|_| not_found())?;
        let host = self.connect(wanted.host()).ok_or_else(not_found)?;
        // Not `device_by_id`, which may find a microphone of the same name.
        let default = host.default_output_device().into_iter();
        let mut listed = host.devices().map_err(|error| failure(error, format!("cannot look for {id}")))?;
        let is_it = |device: &cpal::Device| device.id().is_ok_and(|id| id == wanted) && device.supports_output();
        let device = default.chain(listed.by_ref()).find(is_it).ok_or_else(not_found)?;
        open_device(&device, format)
    }

    /// The default device of the first sound system that has one which can be opened.
    fn open_default(&self, format: AudioFormat) -> Result<Line> {
        let mut ids = cpal::available_hosts();
        ids.sort_by_key(order);
        let mut first_failure = None;
        for id in ids {
            let Some(device) = self.connect(id).and_then(|host| host.default_output_device()) else { continue };
            match open_device(&device, format) {
                Ok(line) => return Ok(line),
                // Without a sound card ALSA still has a default device, which cannot be opened.
                Err(error) => {
                    log::debug!("{id}: {error}");
                    first_failure = first_failure.or(Some(error).filter(|error| error.kind() != ErrorKind::NotFound));
                }
            }
        }
        Err(match first_failure {
            Some(error) if error.kind() != ErrorKind::NotSupported => error,
            _ => Error::new(ErrorKind::NotFound, "there is no loudspeaker or other output device"),
        })
    }

    /// One connection is kept as long as it works, because each one costs a thread that never ends.
    fn connect(&self, id: cpal::HostId) -> Option<Arc<cpal::Host>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = kept.as_ref().filter(|host| host.id() == id && host.default_output_device().is_some()) {
            return Some(Arc::clone(host));
        }
        let host = cpal::host_from_id(id).map(Arc::new).map_err(|error| log::debug!("{id}: {error}")).ok()?;
        *kept = Some(Arc::clone(&host));
        Some(host)
    }
}

impl Output for Speaker {
    fn open(&mut self, format: AudioFormat) -> Result<Line> {
        let this = self.clone();
        // Without capacity: a line that comes too late is dropped on that thread.
        let (done, wait) = sync_channel(0);
        let open = move || {
            let _ = done.send(this.open_now(format));
        };
        thread::Builder::new().name("open-speaker".to_owned()).spawn(open).map_err(|error| {
            Error::new(ErrorKind::Unknown, "cannot start a thread to open the loudspeaker").with_source(error)
        })?;
        match wait.recv_timeout(OPEN_LIMIT) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => {
                // The call that hangs there holds the old connection's lock as well.
                self.kept = Arc::default();
                Err(Error::new(ErrorKind::Abort, "the sound system does not answer"))
            }
            Err(RecvTimeoutError::Disconnected) => Err(Error::new(ErrorKind::Abort, "the sound system failed")),
        }
    }
}

/// Servers before drivers, because other programs may be playing as well. PulseAudio is also how PipeWire is reached on
/// a desktop.
fn order(id: &cpal::HostId) -> u8 {
    match id.to_string().as_str() {
        "pulseaudio" => 0,
        "pipewire" => 1,
        "alsa" => 3,
        "jack" => 4,
        _ => 2,
    }
}

/// Rate, channels and sample format that a device is opened in.
#[derive(Debug, Clone, Copy)]
struct Choice {
    rate: u32,
    channels: u16,
    encoding: cpal::SampleFormat,
}

/// What the device runs at by itself, but at the recording's rate where a driver offers that: a server would only
/// resample it, and not better than it is done here.
fn choose(device: &cpal::Device, format: AudioFormat) -> Result<Choice, cpal::Error> {
    let native = device.default_output_config()?;
    let mut choice =
        Choice { rate: native.sample_rate(), channels: native.channels(), encoding: native.sample_format() };
    let server = device.id().is_ok_and(|id| matches!(order(&id.host()), 0 | 1 | 4));
    let offers: Vec<_> = device.supported_output_configs().map(Iterator::collect).unwrap_or_default();
    let fits = |offer: &&cpal::SupportedStreamConfigRange, rate| {
        offer.channels() == choice.channels
            && (offer.min_sample_rate()..=offer.max_sample_rate()).contains(&rate)
            && is_playable(offer.sample_format())
    };
    if !server && offers.iter().any(|offer| fits(&offer, format.sample_rate)) {
        choice.rate = format.sample_rate;
    }
    let has_native = offers.iter().any(|o| fits(&o, choice.rate) && o.sample_format() == choice.encoding);
    if !is_playable(choice.encoding) || (!offers.is_empty() && !has_native) {
        let encodings = offers.iter().filter(|offer| fits(offer, choice.rate)).map(|offer| offer.sample_format());
        choice.encoding = encodings
            .max_by_key(|encoding| (encoding.is_float(), encoding.sample_size()))
            .ok_or_else(|| cpal::Error::new(cpal::ErrorKind::UnsupportedConfig))?;
    }
    Ok(choice)
}

/// DSD is no sequence of samples, and no real device uses the others.
fn is_playable(encoding: cpal::SampleFormat) -> bool {
    use cpal::SampleFormat as F;
    matches!(encoding, F::I8 | F::U8 | F::I16 | F::U16 | F::I24 | F::I32 | F::U32 | F::F32 | F::F64)
}

fn open_device(device: &cpal::Device, format: AudioFormat) -> Result<Line> {
    let label = device.description().map_or_else(|_| "the loudspeaker".to_owned(), |d| d.name().to_owned());
    let cannot = |error| failure(error, format!("cannot play to {label}"));
    let choice = choose(device, format).map_err(cannot)?;
    let format = AudioFormat::new(choice.rate, choice.channels, SampleFormat::F32);
    let mut frames = (choice.rate / BUFFERS_A_SECOND).max(SMALLEST_BUFFER);
    loop {
        let (feeder, drain) = queue(format, READ_AHEAD);
        let (sender, faults) = sync_channel(WAITING_ERRORS_MAX);
        match build(device, choice, frames, drain, sender) {
            Err(error) if error.kind() == cpal::ErrorKind::UnsupportedConfig && frames / 2 >= SMALLEST_BUFFER => {
                frames /= 2;
            }
            Err(error) => return Err(cannot(error)),
            Ok(stream) => {
                stream.play().map_err(cannot)?;
                let device = OpenSpeaker { stream: Some(stream), faults, label, errors: Row::default() };
                return Ok(Line::new(format, feeder, Box::new(device)));
            }
        }
    }
}

fn build(
    device: &cpal::Device,
    choice: Choice,
    frames: u32,
    drain: LineDrain,
    faults: SyncSender<cpal::Error>,
) -> Result<cpal::Stream, cpal::Error> {
    use cpal::SampleFormat as F;
    let config = cpal::StreamConfig {
        channels: choice.channels,
        sample_rate: choice.rate,
        buffer_size: cpal::BufferSize::Fixed(frames),
    };
    match choice.encoding {
        F::I8 => build_as(device, config, drain, faults, sample::to_i8),
        F::U8 => build_as(device, config, drain, faults, sample::to_u8),
        F::I16 => build_as(device, config, drain, faults, sample::to_i16),
        F::U16 => build_as(device, config, drain, faults, sample::to_u16),
        F::I24 => build_as(device, config, drain, faults, |s| cpal::I24::new(sample::to_i24(s)).unwrap_or_default()),
        F::I32 => build_as(device, config, drain, faults, sample::to_i32),
        F::U32 => build_as(device, config, drain, faults, sample::to_u32),
        F::F64 => build_as(device, config, drain, faults, |s| f64::from(sample::to_f32(s))),
        _ => build_as(device, config, drain, faults, sample::to_f32),
    }
}

fn build_as<T: cpal::SizedSample>(
    device: &cpal::Device,
    config: cpal::StreamConfig,
    mut drain: LineDrain,
    faults: SyncSender<cpal::Error>,
    convert: impl Fn(f32) -> T + Copy + Send + 'static,
) -> Result<cpal::Stream, cpal::Error> {
    let give = move |data: &mut cpal::Data, info: &cpal::OutputCallbackInfo| {
        let times = info.timestamp();
        let latency = times.playback.duration_since(times.callback);
        if let Some(out) = data.as_slice_mut::<T>() {
            drain.fill(out, convert, latency);
        }
    };
    let report = move |error| {
        // A full channel means that many are waiting already: one more would add nothing.
        let _ = faults.try_send(error);
    };
    device.build_output_stream_raw(config, T::FORMAT, give, report, Some(BUILD_LIMIT))
}

/// A stream that plays. The ring it is fed from belongs to the line.
struct OpenSpeaker {
    stream: Option<cpal::Stream>,
    faults: Receiver<cpal::Error>,
    label: String,
    errors: Row,
}

/// Errors that follow each other, each less than [`ERRORS_TIMEOUT`] after the one before.
#[derive(Debug, Default)]
struct Row {
    first_and_last: Option<(Instant, Instant)>,
}

impl Row {
    /// Adds one; returns whether they have gone on for too long.
    fn add(&mut self, now: Instant) -> bool {
        let first = match self.first_and_last {
            Some((first, last)) if now.saturating_duration_since(last) < ERRORS_TIMEOUT => first,
            _ => now,
        };
        self.first_and_last = Some((first, now));
        now.saturating_duration_since(first) >= ERRORS_TIMEOUT
    }
}

impl Device for OpenSpeaker {
    fn fault(&mut self) -> Option<Error> {
        use cpal::ErrorKind as Kind;
        while let Ok(error) = self.faults.try_recv() {
            log::debug!("{}: {:?}: {error}", self.label, error.kind());
            let is_hopeless = self.errors.add(Instant::now());
            let fatal = match error.kind() {
                Kind::DeviceNotAvailable
                | Kind::StreamInvalidated
                | Kind::HostUnavailable
                | Kind::PermissionDenied
                | Kind::UnsupportedConfig => true,
                Kind::RealtimeDenied | Kind::DeviceChanged | Kind::Xrun => false,
                _ => is_hopeless,
            };
            if fatal {
                let kind = match error.kind() {
                    Kind::PermissionDenied => ErrorKind::NotAllowed,
                    _ => ErrorKind::NotReadable,
                };
                return Some(Error::new(kind, format!("{} is gone", self.label)).with_source(error));
            }
        }
        None
    }

    fn is_taking(&mut self) {
        self.errors = Row::default();
    }

    /// Closes on a thread of its own, and waits for it only a while. The ring stays until the callback is gone as well,
    /// so that its memory is never freed on the thread of the sound system.
    fn close(&mut self, feeder: Feeder) {
        let Some(stream) = self.stream.take() else { return };
        let (closed, wait) = sync_channel::<()>(1);
        let close = move || {
            drop(stream);
            let _ = closed.send(());
            let limit = Instant::now() + CALLBACK_LIMIT;
            while !feeder.is_abandoned() && Instant::now() < limit {
                thread::sleep(Duration::from_millis(5));
            }
        };
        let closing = thread::Builder::new().name("close-speaker".to_owned()).spawn(close);
        if closing.is_ok() && wait.recv_timeout(CLOSE_LIMIT) == Err(RecvTimeoutError::Timeout) {
            log::warn!("closing {} takes longer than {} s and goes on by itself", self.label, CLOSE_LIMIT.as_secs());
        }
    }
}

/// An error of opening or starting, with the kind that the standards give it.
fn failure(error: cpal::Error, context: String) -> Error {
    use cpal::ErrorKind as Kind;
    let kind = match error.kind() {
        Kind::PermissionDenied => ErrorKind::NotAllowed,
        Kind::DeviceNotAvailable | Kind::HostUnavailable => ErrorKind::NotFound,
        Kind::UnsupportedConfig | Kind::UnsupportedOperation => ErrorKind::NotSupported,
        Kind::InvalidInput | Kind::Other => ErrorKind::Abort,
        _ => ErrorKind::NotReadable,
    };
    Error::new(kind, context).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaker() -> (OpenSpeaker, SyncSender<cpal::Error>) {
        let (sender, faults) = sync_channel(WAITING_ERRORS_MAX);
        (OpenSpeaker { stream: None, faults, label: "box".to_owned(), errors: Row::default() }, sender)
    }

    #[test]
    fn only_a_lost_device_is_a_fault() {
        use cpal::ErrorKind as Kind;
        for (kind, expected) in [
            (Kind::Xrun, None),
            (Kind::DeviceChanged, None),
            (Kind::RealtimeDenied, None),
            (Kind::BackendError, None),
            (Kind::StreamInvalidated, Some(ErrorKind::NotReadable)),
            (Kind::DeviceNotAvailable, Some(ErrorKind::NotReadable)),
            (Kind::PermissionDenied, Some(ErrorKind::NotAllowed)),
        ] {
            let (mut speaker, faults) = speaker();
            faults.send(cpal::Error::new(kind)).unwrap();
            assert_eq!(speaker.fault().map(|error| error.kind()), expected, "{kind:?}");
        }
    }

    #[test]
    fn unknown_errors_are_given_up_on_when_they_go_on_for_long() {
        let start = Instant::now();
        let add = |row: &mut Row, millis: u64| row.add(start + Duration::from_millis(millis));
        let mut row = Row::default();
        assert!((0..1_000).all(|_| !add(&mut row, 0)), "however many they are");
        assert!((0..20).all(|n| !add(&mut row, n * 100)));
        assert!(add(&mut row, 2_000));
        assert!(!add(&mut row, 4_000), "not in the same row");
        assert!(!add(&mut row, 5_999));
        assert!(add(&mut row, 6_000));
    }

    #[test]
    fn sound_that_flows_ends_a_row_of_errors() {
        let (mut speaker, _faults) = speaker();
        let long_ago = Instant::now().checked_sub(ERRORS_TIMEOUT).unwrap();
        assert!(!speaker.errors.add(long_ago));
        speaker.is_taking();
        assert!(!speaker.errors.add(Instant::now()));
    }

    #[test]
    fn an_id_that_fits_no_device_is_not_found() {
        for id in ["", "x", "nosuchhost:x"] {
            let error = Speaker::with_id(id).open(AudioFormat::new(48_000, 1, SampleFormat::S16)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{id}");
        }
    }
}
