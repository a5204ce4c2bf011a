//! What a PulseAudio server reports about a stream that ALSA's plugin has opened on it, and the plugin does not pass
//! on: that the stream was moved to another source or closed, that its source is muted or suspended, that the server
//! ended.
//!
//! One thread, `witness`, waits for messages of the server and also polls it now and then: PipeWire's bridge reports a
//! change while it is still in progress, and not when it is done. It belongs to the stream that started it, and ends
//! with it. What the stream delivers is not handled here.

use std::{net::Shutdown, os::unix::net::UnixStream, process, thread, time::Duration};

use pulseaudio::protocol::{
    Command, GetSourceInfo, Prop, ProtocolError, SourceInfo, SourceOutputInfo, SourceState, SubscriptionEvent,
    SubscriptionEventFacility, SubscriptionEventType, SubscriptionMask,
};

use super::connection::{Connection, Received};

/// The name that the plugin gives every stream that it records.
const STREAM: &[u8] = b"ALSA Capture";

/// How often to check where the stream is: after something has changed, this many times, and otherwise.
const QUICK_INTERVAL: Duration = Duration::from_millis(250);
const QUICK_LOOKS: u32 = 8;
const SLOW_INTERVAL: Duration = Duration::from_secs(2);

/// What the server reported.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::capture) enum WitnessNotice {
    /// The stream is one of the server's.
    Present,
    /// It records the source of that name. Reported once.
    Source(String),
    Muted(bool),
    /// Its source was suspended.
    Suspended,
    /// Its source is not suspended any more.
    Running,
    /// The stream was moved to another source.
    Moved,
    /// The server closed the stream.
    Closed,
    /// The server ended.
    ServerEnded,
}

/// A thread that reports what becomes of a stream.
#[derive(Debug)]
pub(in crate::capture) struct Witness {
    socket: UnixStream,
    thread: Option<thread::JoinHandle<()>>,
}

impl Witness {
    /// Watches the newest stream that ALSA's plugin has opened for this process; `tell` is called on the thread of the
    /// witness. `None` if there is no server. If the server has no such stream, nothing is ever reported.
    pub(in crate::capture) fn start(tell: impl FnMut(WitnessNotice) + Send + 'static) -> Option<Self> {
        let connection = Connection::open().ok()?;
        let socket = connection.wait_for_ever().ok()?;
        let case = Case { connection, tell, asked: Asked::default(), stream: None, looks: QUICK_LOOKS };
        let thread = thread::Builder::new().name("witness".to_owned()).spawn(move || case.run()).ok()?;
        Some(Self { socket, thread: Some(thread) })
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // It fails only when the server disconnected before, which ends the thread just as well.
        let _ = self.socket.shutdown(Shutdown::Both);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            log::error!("the witness of a stream panicked");
        }
    }
}

/// The numbers of the requests that the server has not answered yet.
#[derive(Debug, Default)]
struct Asked {
    streams: Option<u32>,
    stream: Option<u32>,
    source: Option<u32>,
}

/// The stream that is watched.
#[derive(Debug, Clone, Copy)]
struct WatchedStream {
    index: u32,
    /// Unknown while it belongs to none, as when it is just being created.
    source: Option<u32>,
    /// Whether the name of the source was reported.
    named: bool,
    muted: bool,
    suspended: bool,
}

struct Case<F> {
    connection: Connection,
    tell: F,
    asked: Asked,
    stream: Option<WatchedStream>,
    /// How many polls at the quick interval are left.
    looks: u32,
}

impl<F: FnMut(WitnessNotice)> Case<F> {
    fn run(mut self) {
        // The reader may close the stream at any time, and then the report has no receiver.
        match self.next_change() {
            Ok(Some(last)) => (self.tell)(last),
            Ok(None) => {}
            Err(error) => {
                log::debug!("witness: {error}");
                if self.stream.is_some() {
                    (self.tell)(WitnessNotice::ServerEnded);
                }
            }
        }
    }

    /// Receives messages until there is nothing more to report.
    fn next_change(&mut self) -> Result<Option<WitnessNotice>, ProtocolError> {
        self.connection.send(&Command::Subscribe(SubscriptionMask::SOURCE | SubscriptionMask::SOURCE_OUTPUT))?;
        self.asked.streams = Some(self.connection.send(&Command::GetSourceOutputInfoList)?);
        let mut payload = Vec::new();
        loop {
            if !self.connection.wait(if self.looks > 0 { QUICK_INTERVAL } else { SLOW_INTERVAL })? {
                self.looks = self.looks.saturating_sub(1);
                self.look()?;
                continue;
            }
            let Received::Command(command, sequence, rest) = self.connection.receive(&mut payload)? else { continue };
            let rest = payload.get(rest..).unwrap_or_default();
            let last = match *command {
                Command::SubscribeEvent(event) => self.notice(event)?,
                Command::Reply => self.learn(sequence, rest)?,
                _ => None,
            };
            if last.is_some() {
                return Ok(last);
            }
            if self.stream.is_none() && self.asked.streams.is_none() {
                return Ok(None);
            }
        }
    }

    /// Something has changed: requests what it was, if it concerns the stream.
    fn notice(&mut self, event: SubscriptionEvent) -> Result<Option<WitnessNotice>, ProtocolError> {
        use SubscriptionEventFacility as Facility;
        let Some(stream) = self.stream else { return Ok(None) };
        let removed = event.event_type == SubscriptionEventType::Removed;
        match event.event_facility {
            Facility::SourceOutput if event.index == Some(stream.index) && removed => {
                return Ok(Some(WitnessNotice::Closed));
            }
            Facility::SourceOutput if event.index == Some(stream.index) => {
                self.looks = QUICK_LOOKS;
                self.look()?;
            }
            Facility::Source if event.index.is_some() && event.index == stream.source && !removed => {
                self.ask_for_source(stream.source)?;
            }
            _ => {}
        }
        Ok(None)
    }

    /// Requests where the stream is.
    fn look(&mut self) -> Result<(), ProtocolError> {
        if let Some(stream) = self.stream
            && self.asked.stream.is_none()
        {
            self.asked.stream = Some(self.connection.send(&Command::GetSourceOutputInfo(stream.index))?);
        }
        Ok(())
    }

    fn ask_for_source(&mut self, index: Option<u32>) -> Result<(), ProtocolError> {
        let Some(index) = index else { return Ok(()) };
        let question = Command::GetSourceInfo(GetSourceInfo { index: Some(index), name: None });
        self.asked.source = Some(self.connection.send(&question)?);
        Ok(())
    }

    /// Applies an answer of the server.
    fn learn(&mut self, sequence: u32, rest: &[u8]) -> Result<Option<WitnessNotice>, ProtocolError> {
        if self.asked.streams == Some(sequence) {
            self.asked.streams = None;
            let streams: Vec<SourceOutputInfo> = self.connection.parse(rest)?;
            let newest = streams.iter().filter(|stream| is_ours(stream)).max_by_key(|stream| stream.index);
            self.stream = newest.map(|stream| WatchedStream {
                index: stream.index,
                source: source_of(stream),
                named: false,
                muted: false,
                suspended: false,
            });
            if let Some(stream) = self.stream {
                (self.tell)(WitnessNotice::Present);
                self.ask_for_source(stream.source)?;
            }
        } else if self.asked.stream == Some(sequence) {
            self.asked.stream = None;
            let now: SourceOutputInfo = self.connection.parse(rest)?;
            return self.compare(source_of(&now));
        } else if self.asked.source == Some(sequence) {
            self.asked.source = None;
            let source: SourceInfo = self.connection.parse(rest)?;
            self.look_at(&source);
        }
        Ok(None)
    }

    /// Whether the stream is where it was. Between two sources it belongs to none, and may still come back.
    fn compare(&mut self, now: Option<u32>) -> Result<Option<WitnessNotice>, ProtocolError> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        match (stream.source, now) {
            (Some(before), Some(now)) => Ok((before != now).then_some(WitnessNotice::Moved)),
            (None, Some(_)) => {
                stream.source = now;
                self.ask_for_source(now)?;
                Ok(None)
            }
            (_, None) => Ok(None),
        }
    }

    fn look_at(&mut self, source: &SourceInfo) {
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.source == Some(source.index)) else { return };
        if !std::mem::replace(&mut stream.named, true) {
            (self.tell)(WitnessNotice::Source(source.name.to_string_lossy().into_owned()));
        }
        let suspended = source.state == SourceState::Suspended;
        let was_suspended = std::mem::replace(&mut stream.suspended, suspended);
        if suspended {
            // Again each time, as it may have run in between.
            (self.tell)(WitnessNotice::Suspended);
        } else if was_suspended {
            (self.tell)(WitnessNotice::Running);
        }
        if std::mem::replace(&mut stream.muted, source.muted) != source.muted {
            (self.tell)(WitnessNotice::Muted(source.muted));
        }
    }
}

fn source_of(stream: &SourceOutputInfo) -> Option<u32> {
    Some(stream.source_index).filter(|&index| index != u32::MAX)
}

/// Whether ALSA's plugin has opened it for this process.
fn is_ours(stream: &SourceOutputInfo) -> bool {
    let process = stream.props.get(Prop::ApplicationProcessId).unwrap_or_default();
    let process = process.strip_suffix(b"\0").unwrap_or(process);
    process == process::id().to_string().as_bytes() && stream.name.as_bytes() == STREAM
}

#[cfg(test)]
mod tests {
    use std::{
        ffi::CString,
        sync::mpsc::{Receiver, channel},
    };

    use pulseaudio::protocol::Props;

    use super::*;
    use crate::capture::pulse::server::Server;

    impl Server {
        /// The next request, if those for the stream itself are not answered.
        fn receive_source(&mut self) -> (u32, Command) {
            loop {
                let (sequence, command) = self.receive();
                if !matches!(command, Command::GetSourceOutputInfo(_)) {
                    return (sequence, command);
                }
            }
        }

        /// Answers the next request with the source of the stream 7.
        fn report_stream(&mut self, source: u32) {
            let (sequence, command) = self.receive();
            assert!(matches!(command, Command::GetSourceOutputInfo(7)), "{command:?}");
            self.reply(sequence, &stream(7, "ALSA Capture", process::id(), source));
        }

        /// Answers the next request with the source 3.
        fn report_source(&mut self, muted: bool) {
            let (sequence, command) = self.receive_source();
            assert!(matches!(command, Command::GetSourceInfo(GetSourceInfo { index: Some(3), .. })), "{command:?}");
            let (name, state) = (CString::from(c"mic"), SourceState::Running);
            self.reply(sequence, &SourceInfo { index: 3, name, state, muted, ..SourceInfo::default() });
        }
    }

    fn stream(index: u32, name: &str, process: u32, source: u32) -> SourceOutputInfo {
        let mut props = Props::new();
        props.set(Prop::ApplicationProcessId, CString::new(process.to_string()).unwrap());
        let name = CString::new(name).unwrap();
        SourceOutputInfo { index, name, source_index: source, props, ..SourceOutputInfo::default() }
    }

    /// A witness whose server has reported these streams to it, and what the witness reports.
    fn called(streams: Vec<SourceOutputInfo>) -> (Server, Receiver<WitnessNotice>) {
        let (connection, mut server) = Server::connected();
        let (sender, said) = channel();
        let tell = move |testimony| sender.send(testimony).unwrap_or_default();
        let case = Case { connection, tell, asked: Asked::default(), stream: None, looks: QUICK_LOOKS };
        thread::spawn(move || case.run());
        let (sequence, command) = server.receive();
        assert!(matches!(command, Command::Subscribe(_)), "{command:?}");
        server.acknowledge(sequence);
        let (sequence, command) = server.receive();
        assert!(matches!(command, Command::GetSourceOutputInfoList), "{command:?}");
        server.reply(sequence, &streams);
        (server, said)
    }

    /// The newest of our streams has the number 7 and belongs to the source 3.
    fn watching() -> (Server, Receiver<WitnessNotice>) {
        let own = process::id();
        let streams = vec![
            stream(5, "ALSA Capture", own, 2),
            stream(7, "ALSA Capture", own, 3),
            stream(8, "recording", own, 1),
            stream(9, "ALSA Capture", own + 1, 1),
        ];
        let (mut server, said) = called(streams);
        assert_eq!(said.recv(), Ok(WitnessNotice::Present));
        server.report_source(false);
        assert_eq!(said.recv(), Ok(WitnessNotice::Source("mic".to_owned())));
        (server, said)
    }

    use SubscriptionEventFacility::{Source, SourceOutput};
    use SubscriptionEventType::{Changed, Removed};

    #[test]
    fn a_stream_that_changes_its_source_was_moved_although_the_server_said_so_too_early() {
        let (mut server, said) = watching();
        server.event(SourceOutput, Changed, 7);
        // It is still where it was, then nowhere, then somewhere else; only the first request follows the event.
        for source in [3, u32::MAX, 4] {
            server.report_stream(source);
        }
        assert_eq!(said.iter().collect::<Vec<_>>(), [WitnessNotice::Moved]);
    }

    #[test]
    fn a_stream_that_belongs_to_no_source_yet_is_not_moved_when_it_gets_one() {
        let (mut server, said) = called(vec![stream(7, "ALSA Capture", process::id(), u32::MAX)]);
        assert_eq!(said.recv(), Ok(WitnessNotice::Present));
        for source in [u32::MAX, 3] {
            server.report_stream(source);
        }
        server.report_source(true);
        assert_eq!(said.recv(), Ok(WitnessNotice::Source("mic".to_owned())));
        assert_eq!(said.recv(), Ok(WitnessNotice::Muted(true)));
        drop(server);
        assert_eq!(said.iter().collect::<Vec<_>>(), [WitnessNotice::ServerEnded]);
    }

    #[test]
    fn a_stream_that_is_removed_was_closed_and_others_do_not_matter() {
        let (mut server, said) = watching();
        for index in [5, 9, 7] {
            server.event(SourceOutput, Removed, index);
        }
        assert_eq!(said.iter().collect::<Vec<_>>(), [WitnessNotice::Closed]);
    }

    #[test]
    fn a_source_that_is_muted_and_unmuted_is_told_once_each() {
        let (mut server, said) = watching();
        for muted in [true, true, false] {
            server.event(Source, Changed, 2);
            server.event(Source, Changed, 3);
            server.report_source(muted);
        }
        drop(server);
        let expected = [WitnessNotice::Muted(true), WitnessNotice::Muted(false), WitnessNotice::ServerEnded];
        assert_eq!(said.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn without_a_stream_of_ours_nothing_is_ever_told() {
        let (server, said) = called(vec![stream(9, "ALSA Capture", process::id() + 1, 1)]);
        assert_eq!(said.iter().count(), 0);
        drop(server);
    }
}
