//! A record stream of a PulseAudio server.
//!
//! How it is requested, started, read and closed. A thread of its own receives what the server sends (`receiving`).
//! Closing shuts the socket down, which ends that thread, so that nothing here can hang on a dead server.

use std::{
    ffi::CString,
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use pulseaudio::protocol::{
    ChannelMap, Command, CorkStreamParams, CreateRecordStreamReply, Prop, Props, RecordStreamParams, SampleSpec,
    SourceInfo, SubscriptionMask,
    stream::{BufferAttr, StreamFlags},
};

use super::{
    connection::{Connection, failure},
    receiving::{Receiving, nap},
    source_label, speakers, wire,
};
use crate::{
    audio::{
        AudioFormat, Speakers,
        time::{duration_of, frames_in},
    },
    capture::{
        CaptureClock, CaptureStream, Pace, Reading, Waker,
        inlet::{Inlet, News},
        layout::Layout,
        negotiate::Choice,
    },
    error::{Error, ErrorKind, Result},
};

/// Buffers shorter than this are requested where low latency is needed, and every block is handed on at once.
const COMBINED_BUFFER_MIN: Duration = Duration::from_millis(60);
/// The most sound that is collected before it is handed on.
const LONGEST_BLOCK: Duration = Duration::from_millis(500);

/// An open record stream.
pub(super) struct PulseStream {
    waiting: Option<Receiving>,
    running: Option<(UnixStream, JoinHandle<()>)>,
    stopped: Arc<AtomicBool>,
    inlet: Inlet,
    muted: bool,
    speakers: Option<Speakers>,
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
        let speakers = speakers::of(&map);
        let cannot = |error| failure(error, format!("cannot open {label}"));
        let reply: CreateRecordStreamReply =
            connection.ask(Command::CreateRecordStream(parameters(source, &choice, map))).map_err(cannot)?;
        let format = choice.format();
        let frame_bytes = u32::from(choice.channels) * sample_bytes(&choice);
        let frames = reply.buffer_attr.fragment_size.checked_div(frame_bytes).unwrap_or(choice.frames);
        let latency = duration_of(u64::from(frames), choice.rate);
        let asked = duration_of(u64::from(choice.frames), choice.rate);
        let (callback, news, mut inlet) = Inlet::new(format, latency, Duration::ZERO, label.clone());
        if source.monitor_of_sink_index.is_some() {
            inlet.set_monitor();
        }
        if source.muted {
            // There is room: nothing else has been sent yet.
            let _ = news.try_send(News::Muted(true));
        }
        let bytes_per_second = u64::from(choice.rate) * u64::from(frame_bytes);
        let nap = if asked < COMBINED_BUFFER_MIN { Duration::ZERO } else { nap(asked, bytes_per_second) };
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
            bytes_per_second,
            nap,
            enough: usize::try_from(enough).unwrap_or(usize::MAX),
            stopped: Arc::default(),
        };
        let stopped = Arc::clone(&receiving.stopped);
        Ok(Self { waiting: Some(receiving), running: None, stopped, inlet, muted: source.muted, speakers, nap })
    }
}

impl CaptureStream for PulseStream {
    fn format(&self) -> AudioFormat {
        self.inlet.format()
    }

    fn speakers(&self) -> Option<Speakers> {
        self.speakers.clone()
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

    fn device_rate(&self) -> Option<f64> {
        self.inlet.device_rate()
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
        // While it is awake it waits for the server.
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
            // It fails only when the server disconnected before, which ends the thread just as well.
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
    props.set(Prop::MediaName, CString::from(c"recording"));
    RecordStreamParams {
        sample_spec: SampleSpec {
            format: wire(choice.encoding),
            channels: u8::try_from(choice.channels).unwrap_or(u8::MAX),
            sample_rate: choice.rate,
        },
        channel_map: map,
        source_index: Some(source.index),
        buffer_attr: BufferAttr {
            // As much as the server can hold: what exceeds it would be dropped without being reported.
            max_length: u32::MAX,
            fragment_size: choice.frames.saturating_mul(frame_bytes),
            ..BufferAttr::default()
        },
        // The chosen microphone or none: another default would draw the stream along, and a source that goes away would
        // hand it on to the next one. Without adjusting, the source keeps its own latency, which is 2 s where no other
        // client records it.
        flags: StreamFlags { start_corked: true, adjust_latency: true, no_move: true, ..StreamFlags::default() },
        props,
        ..RecordStreamParams::default()
    }
}

fn sample_bytes(choice: &Choice) -> u32 {
    u32::try_from(Layout::little(choice.encoding).bytes()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, thread::park_timeout};

    use pulseaudio::protocol::{
        Command, GetSourceInfo, RecordStreamMovedParams, ServerInfo, SourceState, StreamSuspendedParams,
        SubscriptionEventFacility, SubscriptionEventType,
    };

    use super::*;
    use crate::capture::{
        EndReason, OpenRequest,
        negotiate::Encoding,
        pulse::{self, server::Server},
    };

    const CHANNEL: u32 = 7;

    fn source(index: u32, name: &str, muted: bool) -> SourceInfo {
        let sample_spec = SampleSpec { format: wire(Encoding::I16), channels: 1, sample_rate: 48_000 };
        let state = SourceState::Running;
        SourceInfo { index, name: CString::new(name).unwrap(), state, sample_spec, muted, ..SourceInfo::default() }
    }

    /// A started stream of the source 3, and the server that serves it.
    fn started() -> (PulseStream, Server) {
        let (connection, mut server) = Server::connected();
        let serving = thread::spawn(move || {
            let (sequence, command) = server.receive();
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
                let (sequence, _) = server.receive();
                server.acknowledge(sequence);
            }
            server
        });
        let source = source(3, "mic", false);
        let native = pulse::native(&source.sample_spec);
        let choice = crate::capture::negotiate::choose(&pulse::offers(), native, &OpenRequest::default()).unwrap();
        let mut stream = PulseStream::open(connection, &source, choice, source.channel_map, true).unwrap();
        assert_eq!(stream.latency(), Some(Duration::from_millis(50)));
        stream.start(Waker::new(thread::current())).unwrap();
        let mut server = serving.join().unwrap();
        answer_source(&mut server, SourceState::Running);
        (stream, server)
    }

    /// Answers the request for the state of the source.
    fn answer_source(server: &mut Server, state: SourceState) {
        let (sequence, command) = server.receive();
        assert!(matches!(command, Command::GetSourceInfo(GetSourceInfo { index: Some(3), .. })), "{command:?}");
        server.reply(sequence, &SourceInfo { state, ..source(3, "mic", false) });
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
        // Between two blocks the clock advances by one block at most.
        assert!((2..=4).contains(&stream.clock().position()));
    }

    #[test]
    fn a_moved_stream_has_lost_its_device_and_takes_nothing_from_the_other_one() {
        let (mut stream, mut server) = started();
        let mut block = Vec::new();
        server.send_block(CHANNEL, &[0, 0x40]);
        server.send(&Command::RecordStreamMoved(RecordStreamMovedParams {
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
            server.event(SubscriptionEventFacility::Source, SubscriptionEventType::Changed, index);
            if let Some(muted) = muted {
                // Only the source in use is requested.
                let (sequence, command) = server.receive();
                assert!(matches!(command, Command::GetSourceInfo(GetSourceInfo { index: Some(3), .. })), "{command:?}");
                server.reply(sequence, &source(3, "mic", muted));
                assert!(matches!(next(&mut stream, &mut block), Reading::Muted(now) if now == muted));
            }
        }
    }

    #[test]
    fn a_source_that_is_suspended_is_told_once_and_what_is_missing_in_front_of_what_follows() {
        let (mut stream, mut server) = started();
        let mut block = Vec::new();
        server.send_block(CHANNEL, &[0, 0x40]);
        assert!(matches!(next(&mut stream, &mut block), Reading::Frames));
        let suspended = StreamSuspendedParams { stream_index: CHANNEL, suspended: true };
        server.send(&Command::RecordStreamSuspended(suspended));
        server.event(SubscriptionEventFacility::Source, SubscriptionEventType::Changed, 3);
        answer_source(&mut server, SourceState::Suspended);
        let Reading::Notice(notice) = next(&mut stream, &mut block) else { panic!("no notice") };
        assert_eq!(notice.to_string(), "mic was suspended by the sound server and delivers nothing");
        let Reading::Lost(told) = next(&mut stream, &mut block) else { panic!("nothing is missing") };
        server.send_block(CHANNEL, &[0, 0x20]);
        let Reading::Lost(rest) = next(&mut stream, &mut block) else { panic!("nothing else is missing") };
        let Reading::Notice(notice) = next(&mut stream, &mut block) else { panic!("no notice") };
        let seconds = (told + rest) as f64 / 48_000.0;
        assert_eq!(notice.to_string(), format!("mic was suspended for {seconds:.1} s, which are lost"));
        assert!(matches!(next(&mut stream, &mut block), Reading::Frames));
        assert_eq!(block, [0.5, 0.25]);
    }

    #[test]
    fn another_default_source_is_told_once_and_the_recording_stays() {
        let (mut stream, mut server) = started();
        let mut block = Vec::new();
        for (name, told) in [(c"mic", false), (c"other", true), (c"other", false)] {
            server.event(SubscriptionEventFacility::Server, SubscriptionEventType::Changed, 0);
            let (sequence, command) = server.receive();
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
                server.send(&Command::RecordStreamKilled(CHANNEL));
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
    fn a_reader_that_stands_still_for_longer_than_the_ring_holds_loses_nothing() {
        const BLOCK: u16 = 4800;
        let (mut stream, mut server) = started();
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let blocks = 200_u16;
        let serving = thread::spawn(move || {
            for nth in 0..blocks {
                let samples = (0..BLOCK).map(|frame| nth.wrapping_mul(BLOCK).wrapping_add(frame));
                server.send_block(CHANNEL, &samples.flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
                count.fetch_add(1, Ordering::Release);
            }
            server
        });
        // Until the ring is full, and the socket behind it.
        let mut before = usize::MAX;
        while sent.load(Ordering::Acquire) != before || before < 100 {
            before = sent.load(Ordering::Acquire);
            thread::sleep(Duration::from_millis(200));
        }
        assert!(before < blocks.into(), "the server keeps the rest");
        let (mut all, mut block) = (0_u32, Vec::new());
        while all < u32::from(blocks) * u32::from(BLOCK) {
            block.clear();
            assert!(matches!(next(&mut stream, &mut block), Reading::Frames), "after {all} frames");
            for sample in &block {
                assert_eq!((sample * 32_768.0) as i16, all as i16, "frame {all}");
                all += 1;
            }
        }
        drop(serving.join().unwrap());
    }

    #[test]
    fn nonsense_of_the_server_ends_the_stream() {
        let (mut stream, mut server) = started();
        server.send_raw(&[0xFF; 20]);
        assert!(matches!(next(&mut stream, &mut Vec::new()), Reading::Ended(_)));
    }
}
