//! A record stream of a PulseAudio server.
//!
//! One thread of its own, `pulse-capture`, takes messages of the server: blocks go into the ring, whatever else concerns
//! a person goes to the reader as news. It is an ordinary thread, since the server keeps what it could not deliver yet; it
//! never waits for the reader. Servers send blocks as their sources have them, some every few milliseconds; where nobody
//! follows along the thread sleeps between its looks and takes many blocks at once. It ends when the socket is shut
//! down, which closing does, so that nothing here can hang on a dead server.

use std::{
    ffi::CString,
    io::ErrorKind as IoKind,
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::SyncSender,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use pulseaudio::protocol::{
    ChannelMap, Command, CorkStreamParams, CreateRecordStreamReply, GetSourceInfo, Prop, Props, ProtocolError,
    RecordStreamParams, SampleSpec, ServerInfo, SourceInfo, SubscriptionEventFacility, SubscriptionMask,
    stream::{BufferAttr, StreamFlags},
};

use super::{
    connection::{Connection, Message, failure},
    source_label, wire,
};
use crate::{
    audio::{
        AudioFormat,
        time::{duration_of, frames_in},
    },
    capture::{
        CaptureClock, CaptureStream, Pace, Reading, Waker,
        inlet::{Inlet, News},
        layout::Layout,
        negotiate::Choice,
        ring::CallbackSide,
    },
    error::{Error, ErrorKind, Result},
};

/// Buffers shorter than this are asked for by those who follow along, and every block is handed on at once.
const UNHURRIED: Duration = Duration::from_millis(60);
/// The most sound that is collected before it is handed on.
const LONGEST_BLOCK: Duration = Duration::from_millis(500);
/// How often to look for room, where the reader stands still.
const NO_ROOM: Duration = Duration::from_millis(20);

/// The numbers of the questions that the server has not answered yet.
#[derive(Debug, Default)]
struct Asked {
    source: Option<u32>,
    server: Option<u32>,
}

/// What the thread needs; kept here until it is started.
struct Receiving {
    connection: Connection,
    callback: CallbackSide,
    news: SyncSender<News>,
    layout: Layout,
    frame_bytes: usize,
    channel: u32,
    source: u32,
    muted: bool,
    /// The name of the source, if it was the default one.
    default: Option<CString>,
    label: String,
    /// How long to leave the server alone after a look; zero to wait for every block.
    nap: Duration,
    /// The most that is collected, in bytes.
    enough: usize,
    stopped: Arc<AtomicBool>,
}

/// An open record stream.
pub(super) struct PulseStream {
    waiting: Option<Receiving>,
    running: Option<(UnixStream, JoinHandle<()>)>,
    stopped: Arc<AtomicBool>,
    inlet: Inlet,
    muted: bool,
    nap: Duration,
}

impl PulseStream {
    /// Creates the stream on the server, still halted.
    pub(super) fn open(
        mut connection: Connection,
        source: &SourceInfo,
        choice: Choice,
        map: ChannelMap,
        is_default: bool,
    ) -> Result<Self> {
        let label = source_label(source);
        let cannot = |error| failure(error, format!("cannot open {label}"));
        let reply: CreateRecordStreamReply =
            connection.ask(Command::CreateRecordStream(parameters(source, &choice, map))).map_err(cannot)?;
        let format = choice.format();
        let frame_bytes = u32::from(choice.channels) * sample_bytes(&choice);
        let frames = reply.buffer_attr.fragment_size.checked_div(frame_bytes).unwrap_or(choice.frames);
        let latency = duration_of(u64::from(frames), choice.rate);
        let asked = duration_of(u64::from(choice.frames), choice.rate);
        let (callback, news, inlet) = Inlet::new(format, latency, Duration::ZERO, label.clone());
        if source.muted {
            // There is room: nobody else has sent anything yet.
            let _ = news.try_send(News::Muted(true));
        }
        let nap = if asked < UNHURRIED { Duration::ZERO } else { asked };
        let enough = frames_in(LONGEST_BLOCK, choice.rate).saturating_mul(u64::from(frame_bytes));
        let receiving = Receiving {
            connection,
            callback,
            news,
            layout: Layout::little(choice.encoding),
            frame_bytes: usize::try_from(frame_bytes).unwrap_or(1).max(1),
            channel: reply.channel,
            source: reply.sink_index,
            muted: source.muted,
            default: is_default.then(|| source.name.clone()),
            label,
            nap,
            enough: usize::try_from(enough).unwrap_or(usize::MAX),
            stopped: Arc::default(),
        };
        let stopped = Arc::clone(&receiving.stopped);
        Ok(Self { waiting: Some(receiving), running: None, stopped, inlet, muted: source.muted, nap })
    }
}

impl CaptureStream for PulseStream {
    fn format(&self) -> AudioFormat {
        self.inlet.format()
    }

    fn latency(&self) -> Option<Duration> {
        Some(self.inlet.latency())
    }

    fn wakes_reader(&self) -> bool {
        true
    }

    fn muted(&self) -> bool {
        self.muted
    }

    fn pace(&self) -> Pace {
        Pace::Live
    }

    fn clock(&self) -> Arc<dyn CaptureClock> {
        self.inlet.clock()
    }

    fn start(&mut self, waker: Waker) -> Result<()> {
        let Some(mut receiving) = self.waiting.take() else {
            return Err(Error::new(ErrorKind::InvalidState, format!("{} was started before", self.inlet.label())));
        };
        let cannot = |error| failure(error, format!("cannot start {}", self.inlet.label()));
        receiving
            .connection
            .send(&Command::Subscribe(SubscriptionMask::SOURCE | SubscriptionMask::SERVER))
            .map_err(cannot)?;
        let uncork = CorkStreamParams { channel: receiving.channel, cork: false };
        receiving.connection.send(&Command::CorkRecordStream(uncork)).map_err(cannot)?;
        let handle = receiving.connection.wait_for_ever().map_err(|error| cannot(error.into()))?;
        let thread = thread::Builder::new()
            .name("pulse-capture".to_owned())
            .spawn(move || receiving.run(&waker))
            .map_err(|error| cannot(error.into()))?;
        self.running = Some((handle, thread));
        Ok(())
    }

    fn expect(&mut self, wait: Duration) {
        // Awake it waits for the server.
        if let Some((_, thread)) = &self.running
            && wait < self.nap
        {
            thread.thread().unpark();
        }
    }

    fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        self.inlet.read(block, max_frames)
    }
}

impl Drop for PulseStream {
    fn drop(&mut self) {
        if let Some((socket, thread)) = self.running.take() {
            // It fails only when the server hung up before, which ends the thread just as well.
            let _ = socket.shutdown(Shutdown::Both);
            self.stopped.store(true, Ordering::Release);
            thread.thread().unpark();
            if thread.join().is_err() {
                log::error!("the thread that recorded {} panicked", self.inlet.label());
            }
        }
    }
}

fn parameters(source: &SourceInfo, choice: &Choice, map: ChannelMap) -> RecordStreamParams {
    let frame_bytes = u32::from(choice.channels) * sample_bytes(choice);
    let mut props = Props::new();
    props.set(Prop::MediaName, std::ffi::CString::from(c"recording"));
    RecordStreamParams {
        sample_spec: SampleSpec {
            format: wire(choice.encoding),
            channels: u8::try_from(choice.channels).unwrap_or(u8::MAX),
            sample_rate: choice.rate,
        },
        channel_map: map,
        source_index: Some(source.index),
        buffer_attr: BufferAttr {
            // As much as the server can hold: what exceeds it would be dropped without a word.
            max_length: u32::MAX,
            fragment_size: choice.frames.saturating_mul(frame_bytes),
            ..BufferAttr::default()
        },
        // The chosen microphone or none: another default would draw the stream along, and a source that goes away would
        // hand it on to the next one. Without adjusting, the source keeps its own latency, which is 2 s where nobody else listens.
        flags: StreamFlags { start_corked: true, adjust_latency: true, no_move: true, ..StreamFlags::default() },
        props,
        ..RecordStreamParams::default()
    }
}

fn sample_bytes(choice: &Choice) -> u32 {
    u32::try_from(Layout::little(choice.encoding).bytes()).unwrap_or(1)
}

impl Receiving {
    fn run(mut self, waker: &Waker) {
        let (mut payload, mut collected) = (Vec::new(), Vec::new());
        let mut asked = Asked::default();
        // Bytes since the last nap.
        let mut came = 0_usize;
        let end = loop {
            match self.connection.receive(&mut payload) {
                Ok(Message::Block(channel)) if channel == self.channel => {
                    let whole = payload.len() / self.frame_bytes * self.frame_bytes;
                    self.callback.note_grain((whole / self.frame_bytes) as u64);
                    collected.extend_from_slice(payload.get(..whole).unwrap_or_default());
                }
                Ok(Message::Command(command, sequence, rest)) => {
                    let rest = payload.get(rest..).unwrap_or_default();
                    match self.obey(*command, sequence, rest, &mut asked) {
                        Ok(None) => {}
                        Ok(Some(end)) => break end,
                        Err(error) => break self.gone(error),
                    }
                }
                Ok(Message::Block(_) | Message::Other) => {}
                Err(error) => break self.gone(error),
            }
            let drained = self.connection.is_drained();
            if drained || collected.len() >= self.enough {
                came = came.saturating_add(collected.len());
                self.hand_on(&mut collected, waker);
            }
            if drained {
                // After a standstill the server has more to send as soon as there is room.
                if came <= self.enough {
                    thread::park_timeout(self.nap);
                }
                came = 0;
            }
        };
        let _ = self.news.try_send(News::End(end));
        self.hand_on(&mut collected, waker);
    }

    /// All of it as one block, since the clock of the ring runs on by no more than a block.
    ///
    /// Whoever reads may have stood still as well: then it waits for its turn, and the server keeps the rest.
    fn hand_on(&mut self, collected: &mut Vec<u8>, waker: &Waker) {
        while self.callback.room() < collected.len() / self.frame_bytes && !self.stopped.load(Ordering::Acquire) {
            waker.wake();
            thread::park_timeout(NO_ROOM);
        }
        self.layout.push(collected, &mut self.callback);
        collected.clear();
        waker.wake();
    }

    /// Does what a message of the server calls for; the error if it is the end.
    fn obey(
        &mut self,
        command: Command,
        sequence: u32,
        rest: &[u8],
        asked: &mut Asked,
    ) -> Result<Option<Error>, ProtocolError> {
        match command {
            Command::RecordStreamKilled(channel) if channel == self.channel => {
                let message = format!("{} is gone: the sound server closed it", self.label);
                return Ok(Some(Error::new(ErrorKind::NotReadable, message)));
            }
            Command::RecordStreamMoved(moved) if moved.stream_index == self.channel => {
                // Never another microphone in the place of the chosen one.
                let name = moved.device_name.to_string_lossy().into_owned();
                let message = format!("{} is gone: the sound server moved the recording to {name}", self.label);
                return Ok(Some(Error::new(ErrorKind::NotReadable, message)));
            }
            Command::RecordStreamSuspended(state) if state.stream_index == self.channel => {
                let _ = self.news.try_send(News::Suspended(state.suspended));
            }
            Command::SubscribeEvent(event)
                if event.event_facility == SubscriptionEventFacility::Server && self.default.is_some() =>
            {
                asked.server = Some(self.connection.send(&Command::GetServerInfo)?);
            }
            Command::SubscribeEvent(event)
                if event.event_facility == SubscriptionEventFacility::Source && event.index == Some(self.source) =>
            {
                asked.source = Some(self.ask_for_source()?);
            }
            Command::Reply if asked.source == Some(sequence) => {
                asked.source = None;
                self.look_at(&self.connection.parse(rest)?);
            }
            Command::Reply if asked.server == Some(sequence) => {
                asked.server = None;
                self.look_at_default(&self.connection.parse(rest)?);
            }
            // The source may have gone between the event and the question; then a move or a kill follows.
            Command::Error(error) => log::debug!("pulseaudio: {error}"),
            _ => {}
        }
        Ok(None)
    }

    fn ask_for_source(&mut self) -> Result<u32, ProtocolError> {
        self.connection.send(&Command::GetSourceInfo(GetSourceInfo { index: Some(self.source), name: None }))
    }

    fn look_at(&mut self, source: &SourceInfo) {
        if source.muted != self.muted {
            self.muted = source.muted;
            let _ = self.news.try_send(News::Muted(source.muted));
        }
    }

    /// The recording stays with its microphone, but a person may have meant it to follow.
    fn look_at_default(&mut self, server: &ServerInfo) {
        let (Some(before), Some(now)) = (&self.default, &server.default_source_name) else { return };
        // While it has none, the bridge of PipeWire tells a placeholder.
        if before != now && !now.as_bytes().starts_with(b"@") {
            let name = now.to_string_lossy();
            self.notice(format!("the default input is now {name}; the recording stays with {}", self.label));
            self.default = Some(now.clone());
        }
    }

    fn notice(&self, message: String) {
        let _ = self.news.try_send(News::Notice(Error::new(ErrorKind::Unknown, message)));
    }

    fn gone(&self, error: ProtocolError) -> Error {
        match error {
            ProtocolError::Io(io)
                if matches!(io.kind(), IoKind::UnexpectedEof | IoKind::ConnectionReset | IoKind::BrokenPipe) =>
            {
                Error::new(ErrorKind::NotReadable, format!("{} is gone: the sound server ended", self.label))
            }
            error => Error::new(ErrorKind::NotReadable, format!("{} is gone", self.label)).with_source(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::BufReader, io::Write, thread::park_timeout};

    use pulseaudio::protocol::{
        self, Descriptor, DescriptorFlags, MAX_VERSION, RecordStreamMovedParams, SubscriptionEvent,
        SubscriptionEventType,
    };

    use super::*;
    use crate::capture::{EndReason, OpenRequest, negotiate::Encoding, pulse};

    const CHANNEL: u32 = 7;

    /// The other end of the connection, played by the test.
    struct Server(BufReader<UnixStream>);

    impl Server {
        fn hear(&mut self) -> (u32, Command) {
            protocol::read_command_message(&mut self.0, MAX_VERSION).unwrap()
        }

        fn reply<T: protocol::CommandReply>(&mut self, sequence: u32, reply: &T) {
            protocol::write_reply_message(self.0.get_mut(), sequence, reply, MAX_VERSION).unwrap();
        }

        fn tell(&mut self, command: &Command) {
            protocol::write_command_message(self.0.get_mut(), u32::MAX, command, MAX_VERSION).unwrap();
        }

        fn send_block(&mut self, channel: u32, bytes: &[u8]) {
            let length = bytes.len() as u32;
            let descriptor = Descriptor { length, channel, offset: 0, flags: DescriptorFlags::empty() };
            protocol::write_descriptor(self.0.get_mut(), &descriptor).unwrap();
            self.0.get_mut().write_all(bytes).unwrap();
        }
    }

    fn source(index: u32, name: &str, muted: bool) -> SourceInfo {
        let sample_spec = SampleSpec { format: wire(Encoding::I16), channels: 1, sample_rate: 48_000 };
        SourceInfo { index, name: CString::new(name).unwrap(), sample_spec, muted, ..SourceInfo::default() }
    }

    /// A started stream of the source 3, and the server that serves it.
    fn started() -> (PulseStream, Server) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut server = Server(BufReader::new(theirs));
        let serving = thread::spawn(move || {
            let (sequence, command) = server.hear();
            let Command::CreateRecordStream(asked) = command else { panic!("{command:?}") };
            assert_eq!((asked.buffer_attr.max_length, asked.buffer_attr.fragment_size), (u32::MAX, 9600));
            let buffer_attr = BufferAttr { fragment_size: 4800, ..asked.buffer_attr };
            let reply = CreateRecordStreamReply {
                channel: CHANNEL,
                sink_index: 3,
                buffer_attr,
                ..CreateRecordStreamReply::default()
            };
            server.reply(sequence, &reply);
            for _ in 0..2 {
                let (sequence, _) = server.hear();
                protocol::write_ack_message(server.0.get_mut(), sequence).unwrap();
            }
            server
        });
        let source = source(3, "mic", false);
        let native = pulse::native(&source.sample_spec);
        let choice = crate::capture::negotiate::choose(&pulse::offers(), native, &OpenRequest::default()).unwrap();
        let mut stream = PulseStream::open(Connection::of(ours), &source, choice, source.channel_map, true).unwrap();
        assert_eq!(stream.latency(), Some(Duration::from_millis(50)));
        stream.start(Waker::new(thread::current())).unwrap();
        (stream, serving.join().unwrap())
    }

    fn next(stream: &mut PulseStream, block: &mut Vec<f32>) -> Reading {
        for _ in 0..1000 {
            match stream.read(block, 1000) {
                Reading::Idle => park_timeout(Duration::from_millis(10)),
                reading => return reading,
            }
        }
        panic!("nothing came")
    }

    #[test]
    fn blocks_of_the_own_channel_come_through_bit_for_bit_and_the_rest_is_left_out() {
        let (mut stream, mut server) = started();
        server.send_block(CHANNEL + 1, &[1, 2]);
        server.send_block(CHANNEL, &[0, 0x80, 0xFF, 0x7F, 1]);
        let mut block = Vec::new();
        assert!(matches!(next(&mut stream, &mut block), Reading::Frames));
        assert_eq!(block, [-1.0, 32_767.0 / 32_768.0]);
        // Between two blocks it runs on by one at most.
        assert!((2..=4).contains(&stream.clock().position()));
    }

    fn event(server: &mut Server, event_facility: SubscriptionEventFacility, index: u32) {
        let event_type = SubscriptionEventType::Changed;
        server.tell(&Command::SubscribeEvent(SubscriptionEvent { event_facility, event_type, index: Some(index) }));
    }

    #[test]
    fn a_moved_stream_has_lost_its_device_and_takes_nothing_from_the_other_one() {
        let (mut stream, mut server) = started();
        let mut block = Vec::new();
        server.send_block(CHANNEL, &[0, 0x40]);
        server.tell(&Command::RecordStreamMoved(RecordStreamMovedParams {
            stream_index: CHANNEL,
            device_index: 4,
            device_name: CString::from(c"other"),
            device_suspended: false,
            buffer_attr: BufferAttr::default(),
            configured_source_latency: 0,
        }));
        server.send_block(CHANNEL, &[0, 0x20]);
        assert!(matches!(next(&mut stream, &mut block), Reading::Frames));
        let Reading::Ended(EndReason::DeviceLost(error)) = next(&mut stream, &mut block) else { panic!("no end") };
        assert_eq!(error.to_string(), "mic is gone: the sound server moved the recording to other");
        assert_eq!(block, [0.5]);
    }

    #[test]
    fn the_source_in_use_is_asked_whether_it_is_muted() {
        let (mut stream, mut server) = started();
        let mut block = Vec::new();
        for (index, muted) in [(4, None), (3, Some(true)), (4, None), (3, Some(false))] {
            event(&mut server, SubscriptionEventFacility::Source, index);
            if let Some(muted) = muted {
                // Only the source in use is asked for.
                let (sequence, command) = server.hear();
                assert!(matches!(command, Command::GetSourceInfo(GetSourceInfo { index: Some(3), .. })), "{command:?}");
                server.reply(sequence, &source(3, "mic", muted));
                assert!(matches!(next(&mut stream, &mut block), Reading::Muted(now) if now == muted));
            }
        }
    }

    #[test]
    fn another_default_source_is_told_once_and_the_recording_stays() {
        let (mut stream, mut server) = started();
        let mut block = Vec::new();
        for (name, told) in [(c"mic", false), (c"other", true), (c"other", false)] {
            event(&mut server, SubscriptionEventFacility::Server, 0);
            let (sequence, command) = server.hear();
            assert!(matches!(command, Command::GetServerInfo), "{command:?}");
            let info = ServerInfo { default_source_name: Some(CString::from(name)), ..ServerInfo::default() };
            server.reply(sequence, &info);
            server.send_block(CHANNEL, &[0, 0x40]);
            if told {
                let Reading::Notice(notice) = next(&mut stream, &mut block) else { panic!("no notice") };
                assert_eq!(notice.to_string(), "the default input is now other; the recording stays with mic");
            }
            assert!(matches!(next(&mut stream, &mut block), Reading::Frames), "{name:?}");
        }
    }

    #[test]
    fn what_came_before_the_end_is_delivered_and_the_end_is_said_again_and_again() {
        for killed in [true, false] {
            let (mut stream, mut server) = started();
            server.send_block(CHANNEL, &[0, 0x40]);
            if killed {
                server.tell(&Command::RecordStreamKilled(CHANNEL));
            }
            drop(server);
            let mut block = Vec::new();
            assert!(matches!(next(&mut stream, &mut block), Reading::Frames));
            assert_eq!(block, [0.5]);
            for _ in 0..2 {
                let Reading::Ended(EndReason::DeviceLost(error)) = next(&mut stream, &mut block) else {
                    panic!("no end")
                };
                assert_eq!(error.kind(), ErrorKind::NotReadable);
                assert_eq!(error.to_string().contains("closed it"), killed, "{error}");
            }
        }
    }

    #[test]
    fn nonsense_of_the_server_ends_the_stream() {
        let (mut stream, mut server) = started();
        server.0.get_mut().write_all(&[0xFF; 20]).unwrap();
        assert!(matches!(next(&mut stream, &mut Vec::new()), Reading::Ended(_)));
    }
}
