//! Opening a PCM: what it offers, the choice among that, and its buffers.
//!
//! One handle serves for queries and for recording, because every handle of a sound server's plugin is a connection.
//! Blocks its caller.

use std::{
    ffi::CString,
    io,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use alsa::{
    Direction, ValueOr,
    pcm::{Access, Format, Frames, HwParams, PCM},
};
use rustix::io::Errno;

use crate::{
    audio::time::{duration_of, frames_in},
    capture::{
        OpenRequest,
        layout::Layout,
        negotiate::{self, Choice, Encoding, Offer},
    },
    error::{Error, ErrorKind, Result},
};

/// How long a busy device is tried again: another program may be about to close it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
const BUSY_INTERVAL: Duration = Duration::from_millis(100);
/// How much the device should buffer while nothing is read. A device that cannot uses what it has.
const BUFFER_LENGTH: Duration = Duration::from_secs(7);
/// More channels than this are not requested: plugins claim to have any number.
const MOST_CHANNELS: u32 = 32;

/// Some plugins cannot be opened by two threads at once.
static OPENING: Mutex<()> = Mutex::new(());

/// ALSA's names of the layouts: the format, what its numbers mean, whether 24 bits take three bytes, and whether the most
/// significant byte comes first.
const FORMATS: [(Format, Encoding, bool, bool); 22] = [
    (Format::FloatLE, Encoding::F32, false, false),
    (Format::FloatBE, Encoding::F32, false, true),
    (Format::Float64LE, Encoding::F64, false, false),
    (Format::Float64BE, Encoding::F64, false, true),
    (Format::S32LE, Encoding::I32, false, false),
    (Format::S32BE, Encoding::I32, false, true),
    (Format::S24LE, Encoding::I24, false, false),
    (Format::S24BE, Encoding::I24, false, true),
    (Format::S243LE, Encoding::I24, true, false),
    (Format::S243BE, Encoding::I24, true, true),
    (Format::U32LE, Encoding::U32, false, false),
    (Format::U32BE, Encoding::U32, false, true),
    (Format::U24LE, Encoding::U24, false, false),
    (Format::U24BE, Encoding::U24, false, true),
    (Format::U243LE, Encoding::U24, true, false),
    (Format::U243BE, Encoding::U24, true, true),
    (Format::S16LE, Encoding::I16, false, false),
    (Format::S16BE, Encoding::I16, false, true),
    (Format::U16LE, Encoding::U16, false, false),
    (Format::U16BE, Encoding::U16, false, true),
    (Format::S8, Encoding::I8, false, false),
    (Format::U8, Encoding::U8, false, false),
];

/// A PCM that is set up and not yet started.
pub(super) struct Opened {
    pub(super) pcm: PCM,
    pub(super) choice: Choice,
    pub(super) layout: Layout,
    /// How much it buffers while nothing is read.
    pub(super) buffer: Duration,
    pub(super) label: String,
}

impl Opened {
    /// Opens the PCM of that name, called `label`, for capture.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound), [`NotAllowed`](ErrorKind::NotAllowed), and
    /// [`NotReadable`](ErrorKind::NotReadable) for everything else.
    pub(super) fn open(name: &str, label: String, request: &OpenRequest) -> Result<Self> {
        let cannot = |error| failure(error, format!("cannot open {label}"));
        let name = CString::new(name)
            .map_err(|_| Error::new(ErrorKind::NotFound, format!("there is no input device '{name}'")))?;
        let pcm = open_with_retries(&name).map_err(cannot)?;
        let offers = offers(&pcm).map_err(cannot)?;
        let choice = negotiate::assume_native(&offers)
            .and_then(|native| negotiate::choose(&offers, native, request))
            .ok_or_else(|| {
            Error::new(ErrorKind::NotReadable, format!("{label} offers no format that can be recorded"))
        })?;
        let (layout, buffer) = set_up(&pcm, &choice).map_err(cannot)?;
        Ok(Self { pcm, choice, layout, buffer, label })
    }
}

fn open_with_retries(name: &CString) -> alsa::Result<PCM> {
    let until = Instant::now() + BUSY_TIMEOUT;
    loop {
        let opened = {
            let _alone = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
            PCM::open(name, Direction::Capture, true)
        };
        match opened {
            Err(error) if is(error, Errno::BUSY) && Instant::now() < until => thread::sleep(BUSY_INTERVAL),
            opened => return opened,
        }
    }
}

/// Whether ALSA failed for that reason.
pub(super) fn is(error: alsa::Error, reason: Errno) -> bool {
    error.errno() == reason.raw_os_error()
}

/// The error of the library for one of ALSA, with the system's message.
pub(super) fn failure(error: alsa::Error, context: String) -> Error {
    let kind = match () {
        () if is(error, Errno::ACCESS) || is(error, Errno::PERM) => ErrorKind::NotAllowed,
        () if is(error, Errno::NOENT) || is(error, Errno::NODEV) => ErrorKind::NotFound,
        () => ErrorKind::NotReadable,
    };
    Error::new(kind, context).with_source(io::Error::from_raw_os_error(error.errno()))
}

fn offers(pcm: &PCM) -> alsa::Result<Vec<Offer>> {
    let params = HwParams::any(pcm)?;
    let rates = rates(&params)?;
    let (least, most) = (params.get_channels_min()?, params.get_channels_max()?.min(MOST_CHANNELS));
    let channels: Vec<u16> = (least..=most)
        .filter(|&count| params.test_channels(count).is_ok())
        .filter_map(|count| u16::try_from(count).ok())
        .collect();
    let encodings = FORMATS.iter().filter(|(format, ..)| params.test_format(*format).is_ok());
    let mut offers = Vec::new();
    for &(_, encoding, ..) in encodings {
        for &channels in &channels {
            offers.extend(rates.iter().map(|&rates| Offer { channels, rates, frames: None, encoding }));
        }
    }
    Ok(offers)
}

/// The rates that it really runs at: an unsupported one would be set to the nearest without an error.
fn rates(params: &HwParams<'_>) -> alsa::Result<Vec<(u32, u32)>> {
    let (lowest, highest) = (params.get_rate_min()?, params.get_rate_max()?);
    // A device that can run at odd rates can run at all of them.
    if lowest == highest || params.test_rate(lowest.saturating_add(1)).is_ok() {
        return Ok(vec![(lowest, highest)]);
    }
    let candidates = negotiate::USUAL_RATES.into_iter().chain([lowest, highest]);
    Ok(candidates.filter(|&rate| params.test_rate(rate).is_ok()).map(|rate| (rate, rate)).collect())
}

/// Sets the PCM up in exactly the chosen format, with blocks of the requested length and as much buffer after them as
/// the device has.
fn set_up(pcm: &PCM, choice: &Choice) -> alsa::Result<(Layout, Duration)> {
    let params = HwParams::any(pcm)?;
    params.set_access(Access::RWInterleaved)?;
    let fits = |(format, encoding, ..): &&(Format, Encoding, bool, bool)| {
        *encoding == choice.encoding && params.test_format(*format).is_ok()
    };
    let unfit = || alsa::Error::new("set_up", Errno::INVAL.raw_os_error());
    let &(format, encoding, packed, big_endian) = FORMATS.iter().find(fits).ok_or_else(unfit)?;
    params.set_format(format)?;
    params.set_channels(u32::from(choice.channels))?;
    params.set_rate(choice.rate, ValueOr::Nearest)?;
    params.set_period_size_near(Frames::from(choice.frames), ValueOr::Nearest)?;
    let buffer = Frames::try_from(frames_in(BUFFER_LENGTH, choice.rate)).unwrap_or(Frames::MAX);
    params.set_buffer_size_near(buffer)?;
    pcm.hw_params(&params)?;
    let set = pcm.hw_params_current()?;
    if set.get_rate()? != choice.rate || set.get_channels()? != u32::from(choice.channels) {
        return Err(unfit());
    }
    let buffer = u64::try_from(set.get_buffer_size()?).unwrap_or_default();
    pcm.prepare()?;
    Ok((Layout { encoding, packed, big_endian }, duration_of(buffer, choice.rate)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ALSA's own device that delivers zeros without end, or a conversion in front of it; it needs no hardware.
    fn opened(name: &str, rate: u32, channels: u16) -> Opened {
        let request = OpenRequest { sample_rate: Some(rate), channels: Some(channels), ..OpenRequest::default() };
        Opened::open(name, "nothing".to_owned(), &request).unwrap()
    }

    #[test]
    fn a_device_that_can_do_anything_is_opened_in_what_was_asked_for() {
        for (rate, channels) in [(48_000, 1), (44_100, 2), (8_000, 6)] {
            let opened = opened("null", rate, channels);
            assert_eq!((opened.choice.rate, opened.choice.channels), (rate, channels));
            assert_eq!(opened.layout, Layout { encoding: Encoding::F32, packed: false, big_endian: false });
            assert!(opened.buffer > Duration::from_millis(100), "{:?}", opened.buffer);
        }
    }

    #[test]
    fn a_device_that_does_not_exist_is_not_found() {
        for name in ["no-such-device", "a\0b", ""] {
            let error = Opened::open(name, "it".to_owned(), &OpenRequest::default()).err().unwrap();
            assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotReadable), "{name:?} {error}");
        }
    }

    #[test]
    fn failures_have_the_kinds_of_the_standards() {
        for (errno, kind) in [
            (Errno::ACCESS, ErrorKind::NotAllowed),
            (Errno::PERM, ErrorKind::NotAllowed),
            (Errno::NOENT, ErrorKind::NotFound),
            (Errno::NODEV, ErrorKind::NotFound),
            (Errno::BUSY, ErrorKind::NotReadable),
            (Errno::CONNREFUSED, ErrorKind::NotReadable),
        ] {
            let error = failure(alsa::Error::new("open", errno.raw_os_error()), "x".to_owned());
            assert_eq!(error.kind(), kind, "{errno}");
        }
    }
}
