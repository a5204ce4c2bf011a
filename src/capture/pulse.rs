//! Microphones of a PulseAudio server, or of PipeWire, which speaks the same protocol.
//!
//! Devices are found, described and opened here; `connection` speaks the protocol of the server, `stream` records, and
//! `witness` reports what becomes of the streams that ALSA's plugin has opened for this process. Any thread may call;
//! every call makes a connection of its own and waits a limited time for each answer.
//!
//! Why not through cpal, as the other sound systems: it limits the server's queue to one block, so that the server
//! drops sound, without reporting it, whenever its own blocks do not line up with ours; it does not notice when the
//! server moves the stream to another source; and it leaves a connection behind after each listing.

mod address;
mod connection;
mod receiving;
#[cfg(test)]
mod server;
mod speakers;
mod stream;
pub(super) mod witness;

use std::ffi::{CStr, CString};

use pulseaudio::protocol::{
    self, ChannelMap, ChannelPosition, Command, GetSinkInfo, GetSourceInfo, ProtocolError, PulseError,
    SampleFormat as Wire, SampleSpec, ServerInfo, SinkInfo, SourceInfo,
};

use self::{
    connection::{Connection, explain, failure, is_denied, is_frozen},
    stream::PulseStream,
};
use super::{
    Backend, CaptureStream, DeviceInfo, DeviceKind, OpenRequest,
    negotiate::{self, Encoding, Native, Offer},
};
use crate::{
    audio::AudioFormat,
    error::{Error, ErrorKind, Result},
};

const HOST: &str = "pulseaudio";

/// The [constraint](Error::constraint) of an error about a source that the user has chosen for all programs.
const SOURCE: &str = "source";

/// What the server converts to, each with its name on the wire.
const ENCODINGS: [(Encoding, Wire); 5] = [
    (Encoding::U8, Wire::U8),
    (Encoding::I16, Wire::S16Le),
    (Encoding::I24, Wire::S24Le),
    (Encoding::I32, Wire::S32Le),
    (Encoding::F32, Wire::Float32Le),
];

/// The devices of the user's PulseAudio server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PulseBackend;

impl PulseBackend {
    /// A backend that connects when it is first used.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self
    }

    fn list(self) -> Result<Vec<DeviceInfo>> {
        let mut connection = match Connection::open() {
            Err(unreachable) if unreachable.is_absent() => return Ok(Vec::new()),
            connection => connection?,
        };
        let cannot = |error: ProtocolError| {
            let kind = if is_denied(&error) { ErrorKind::NotAllowed } else { ErrorKind::Abort };
            explain(Error::new(kind, "cannot list the devices of the sound server"), error)
        };
        let server: ServerInfo = connection.ask(Command::GetServerInfo).map_err(cannot)?;
        let sources: Vec<SourceInfo> = connection.ask(Command::GetSourceInfoList).map_err(cannot)?;
        let sinks: Vec<SinkInfo> = connection.ask(Command::GetSinkInfoList).map_err(cannot)?;
        let chosen = chosen_source().or_else(|| server.default_source_name.clone());
        let inputs =
            sources.iter().map(|source| describe_source(source, chosen.as_deref() == Some(source.name.as_c_str())));
        let outputs = sinks
            .iter()
            .map(|sink| describe_sink(sink, server.default_sink_name.as_deref() == Some(sink.name.as_c_str())));
        let mut infos: Vec<DeviceInfo> = inputs.chain(outputs).collect();
        infos.sort_by_key(DeviceInfo::place_in_lists);
        Ok(infos)
    }

    fn lookup(self, name: &CStr) -> Option<DeviceInfo> {
        let mut connection = Connection::open().ok()?;
        let server: ServerInfo = connection.ask(Command::GetServerInfo).ok()?;
        if let Ok(source) = connection.ask::<SourceInfo>(source_by_name(name)) {
            let chosen = chosen_source().or_else(|| server.default_source_name.clone());
            let is_default = chosen.as_deref() == Some(source.name.as_c_str());
            return Some(describe_source(&source, is_default));
        }
        let sink: SinkInfo =
            connection.ask(Command::GetSinkInfo(GetSinkInfo { index: None, name: Some(name.to_owned()) })).ok()?;
        Some(describe_sink(&sink, server.default_sink_name.as_deref() == Some(sink.name.as_c_str())))
    }
}

impl Backend for PulseBackend {
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        self.list()
    }

    fn default_input(&self) -> Result<Option<DeviceInfo>> {
        let mut connection = match Connection::open() {
            Err(unreachable) if unreachable.is_replaceable() => return Ok(None),
            connection => connection?,
        };
        let chosen = chosen_source();
        let ask = |connection: &mut Connection| {
            let sources: Vec<SourceInfo> = connection.ask(Command::GetSourceInfoList)?;
            if sources.is_empty() {
                return Ok(None);
            }
            connection.ask(source_by_name(chosen.as_deref().unwrap_or(protocol::DEFAULT_SOURCE))).map(Some)
        };
        match ask(&mut connection) {
            Ok(Some(source)) => Ok(Some(describe_source(&source, true))),
            // Not passed over: through ALSA the same server would only fail in another way.
            Ok(None) => Err(Error::new(ErrorKind::NotFound, "no input device")),
            // What the user has chosen is not replaced by anything else.
            Err(ProtocolError::ServerError(PulseError::NoEntity)) if chosen.is_some() => {
                let name = chosen.unwrap_or_default();
                let context = format!("the sound server has no input '{}'", name.to_string_lossy());
                Err(Error::new(ErrorKind::NotFound, context).because_of(SOURCE))
            }
            // This is not passed over either: ALSA may wait for the same server, or find another microphone.
            Err(error) if is_frozen(&error) => Err(failure(error, "cannot reach the sound server".to_owned())),
            Err(_) => Ok(None),
        }
    }

    fn find(&self, id: &str) -> Option<DeviceInfo> {
        self.lookup(&name_in(id)?)
    }

    fn open(&self, id: &str, request: &OpenRequest) -> Result<Box<dyn CaptureStream>> {
        let not_found = || Error::new(ErrorKind::NotFound, format!("there is no input device '{id}'"));
        let name = name_in(id).ok_or_else(not_found)?;
        let mut connection = Connection::open()?;
        let source: SourceInfo = connection
            .ask(source_by_name(&name))
            .map_err(|error| failure(error, format!("cannot find the input device '{id}'")))?;
        let server: ServerInfo = connection
            .ask(Command::GetServerInfo)
            .map_err(|error| failure(error, "cannot reach the sound server".to_owned()))?;
        let is_default = server.default_source_name.as_deref() == Some(source.name.as_c_str());
        let native = native(&source.sample_spec);
        let choice = negotiate::choose(&offers(), native, &negotiate::asked(request, true))
            .ok_or_else(|| Error::new(ErrorKind::NotReadable, format!("{} offers no format", source_label(&source))))?;
        // The source's own map, because another one of the same length would have it remixed.
        let map = if choice.channels == native.channels { source.channel_map } else { usual_map(choice.channels) };
        Ok(Box::new(PulseStream::open(connection, &source, choice, map, is_default)?))
    }
}

/// The source that the user has chosen for all programs.
fn chosen_source() -> Option<CString> {
    CString::new(address::chosen_source()?).ok()
}

fn name_in(id: &str) -> Option<CString> {
    let (host, name) = id.split_once(':')?;
    if host != HOST || name.is_empty() {
        return None;
    }
    CString::new(name).ok()
}

fn source_by_name(name: &CStr) -> Command {
    Command::GetSourceInfo(GetSourceInfo { index: None, name: Some(name.to_owned()) })
}

fn source_label(source: &SourceInfo) -> String {
    label(source.description.as_ref(), &source.name)
}

fn label(description: Option<&CString>, name: &CString) -> String {
    description.unwrap_or(name).to_string_lossy().into_owned()
}

fn describe_source(source: &SourceInfo, is_default: bool) -> DeviceInfo {
    let info = describe(&source.name, source_label(source), DeviceKind::Input, is_default, &source.sample_spec);
    DeviceInfo { is_monitor: source.monitor_of_sink_index.is_some() || source.monitor_of_sink_name.is_some(), ..info }
}

fn describe_sink(sink: &SinkInfo, is_default: bool) -> DeviceInfo {
    let label = label(sink.description.as_ref(), &sink.name);
    describe(&sink.name, label, DeviceKind::Output, is_default, &sink.sample_spec)
}

fn describe(name: &CStr, label: String, kind: DeviceKind, is_default: bool, spec: &SampleSpec) -> DeviceInfo {
    let (native, offers) = (native(spec), offers());
    let encoding = native.encoding.unwrap_or(Encoding::F32);
    DeviceInfo {
        id: format!("{HOST}:{}", name.to_string_lossy()),
        label,
        host: HOST.to_owned(),
        kind,
        is_default,
        is_monitor: false,
        converts: true,
        format: AudioFormat::new(native.rate, native.channels, encoding.sample_format()),
        channels: (1, u16::from(protocol::sample_spec::MAX_CHANNELS)),
        sample_rates: negotiate::usual_rates(&offers, native.rate),
        sample_formats: negotiate::encoding_names(&offers),
    }
}

fn native(spec: &SampleSpec) -> Native {
    let encoding = match spec.format {
        Wire::U8 => Some(Encoding::U8),
        // Both laws unfold to no more than 16 bits.
        Wire::S16Le | Wire::S16Be | Wire::Alaw | Wire::Ulaw => Some(Encoding::I16),
        Wire::S24Le | Wire::S24Be | Wire::S24In32Le | Wire::S24In32Be => Some(Encoding::I24),
        Wire::S32Le | Wire::S32Be => Some(Encoding::I32),
        Wire::Float32Le | Wire::Float32Be => Some(Encoding::F32),
        Wire::Invalid => None,
    };
    Native { rate: spec.sample_rate, channels: u16::from(spec.channels), encoding }
}

/// The server resamples, remixes and converts to whatever is requested.
fn offers() -> Vec<Offer> {
    let one =
        |channels, encoding| Offer { channels, rates: (1, protocol::sample_spec::MAX_RATE), frames: None, encoding };
    ENCODINGS
        .iter()
        .flat_map(|&(encoding, _)| {
            (1..=u16::from(protocol::sample_spec::MAX_CHANNELS)).map(move |channels| one(channels, encoding))
        })
        .collect()
}

fn wire(encoding: Encoding) -> Wire {
    ENCODINGS.iter().find(|(known, _)| *known == encoding).map_or(Wire::Float32Le, |&(_, wire)| wire)
}

/// The usual places of that many loudspeakers.
fn usual_map(channels: u16) -> ChannelMap {
    use ChannelPosition::{FrontCenter, FrontLeft, FrontRight, Lfe, RearLeft, RearRight, SideLeft, SideRight};
    let surround = [FrontLeft, FrontRight, FrontCenter, Lfe, RearLeft, RearRight, SideLeft, SideRight];
    match channels {
        0 | 1 => ChannelMap::mono(),
        2 => ChannelMap::stereo(),
        more => {
            let further = std::iter::repeat(ChannelPosition::Aux0);
            ChannelMap::new(surround.into_iter().chain(further).take(usize::from(more).min(32)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_other_hosts_and_names_that_no_device_can_have_are_refused() {
        assert_eq!(name_in("pulseaudio:mic.monitor"), Some(CString::from(c"mic.monitor")));
        for id in ["alsa:default", "pulseaudio", "pulseaudio:", "pulseaudio:a\0b", ""] {
            assert_eq!(name_in(id), None, "{id:?}");
        }
    }

    #[test]
    fn a_source_is_opened_in_its_own_format() {
        for (wire, encoding) in [
            (Wire::U8, Encoding::U8),
            (Wire::Ulaw, Encoding::I16),
            (Wire::S16Be, Encoding::I16),
            (Wire::S24In32Le, Encoding::I24),
            (Wire::S32Le, Encoding::I32),
            (Wire::Float32Be, Encoding::F32),
            (Wire::Invalid, Encoding::F32),
        ] {
            let spec = SampleSpec { format: wire, channels: 3, sample_rate: 44_100 };
            let choice = negotiate::choose(&offers(), native(&spec), &OpenRequest::default()).unwrap();
            assert_eq!((choice.encoding, choice.rate, choice.channels, choice.frames), (encoding, 44_100, 3, 4410));
        }
    }

    #[test]
    fn every_channel_count_has_a_map() {
        for channels in 1..=32 {
            assert_eq!(u16::from(usual_map(channels).num_channels()), channels);
        }
    }
}
