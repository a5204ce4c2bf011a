//! The thread `pulse-capture`, which receives what a PulseAudio server sends: blocks go into the ring, and everything
//! else that concerns a person goes to the reader as news.
//!
//! It is an ordinary thread, since the server buffers what it could not deliver yet. Servers send blocks as their
//! sources have them, some every few milliseconds; where low latency is not needed the thread sleeps between its polls
//! and takes many blocks at once, as long as they fit into the socket: a stream of many channels or a high rate is
//! polled more often. After some sleeps it waits for one block, because only then the time of its arrival is known, and
//! how long losses are. It waits for the reader only where there is no room left for what has come. It ends with the
//! socket.

use std::{
    ffi::CString,
    io::ErrorKind as IoKind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::SyncSender,
    },
    thread,
    time::{Duration, Instant},
};

use pulseaudio::protocol::{
    Command, GetSourceInfo, ProtocolError, ServerInfo, SourceInfo, SourceState, SubscriptionEventFacility,
};

use super::connection::{Connection, Received};
use crate::{
    capture::{Waker, Warning, WarningKind, inlet::News, layout::Layout, nap::Naps, ring::CallbackSide},
    error::{Error, ErrorKind},
};

/// How often to check for room while the reader does not read.
const ROOM_INTERVAL: Duration = Duration::from_millis(20);
/// The most that may come during one sleep, in bytes, and what is more than that however much sleeps vary. A socket under
/// Linux holds 67 kB in blocks of 960 bytes, 80 kB in such of 1,920, and 230 kB in the longest ones. What exceeds that piles
/// up in the server, which cannot be seen from here, looks like a loss, and is dropped in the end.
const SLEEP_BYTES_MAX: usize = 48 * 1024;
const UNSLEPT_BYTES_MIN: usize = 64 * 1024;

/// The thread waits for one block after this many sleeps: about once a second, which is as often as the watch for
/// losses settles an arrival time.
const NAPS_IN_A_ROW: u32 = 4;

/// How long the thread may sleep at once if it is to take `bytes_per_second`, and `wanted` at most.
pub(super) fn nap(wanted: Duration, bytes_per_second: u64) -> Duration {
    wanted.min(Duration::from_secs_f64(SLEEP_BYTES_MAX as f64 / bytes_per_second.max(1) as f64))
}

/// The numbers of the questions that the server has not answered yet.
#[derive(Debug, Default)]
struct Asked {
    source: Option<u32>,
    server: Option<u32>,
}

/// The state of the thread.
pub(super) struct Receiving {
    pub(super) connection: Connection,
    pub(super) callback: CallbackSide,
    pub(super) news: SyncSender<News>,
    pub(super) layout: Layout,
    pub(super) frame_bytes: usize,
    pub(super) channel: u32,
    pub(super) source: u32,
    pub(super) muted: bool,
    /// The name of the source, if it was the default one.
    pub(super) default: Option<CString>,
    pub(super) label: String,
    pub(super) bytes_per_second: u64,
    /// How long to sleep after a poll; zero to wait for every block.
    pub(super) nap: Duration,
    /// The most that is collected, in bytes.
    pub(super) enough: usize,
    pub(super) stopped: Arc<AtomicBool>,
}

impl Receiving {
    /// Receives what the server sends until the stream ends.
    pub(super) fn run(mut self, waker: &Waker) {
        let (mut payload, mut collected) = (Vec::new(), Vec::new());
        let mut asked = Asked { source: self.ask_for_source().ok(), ..Asked::default() };
        // Bytes since the last nap.
        let mut came = 0_usize;
        let (mut behind, mut naps, mut napped) = (false, Naps::default(), 0);
        // Of the latest block.
        let mut length = Duration::ZERO;
        let end = loop {
            let before = Instant::now();
            match self.connection.receive(&mut payload) {
                Ok(Received::Block(channel)) if channel == self.channel => {
                    let whole = payload.len() / self.frame_bytes * self.frame_bytes;
                    collected.extend_from_slice(payload.get(..whole).unwrap_or_default());
                    length = self.length_of(whole);
                }
                Ok(Received::Command(command, sequence, rest)) => {
                    let rest = payload.get(rest..).unwrap_or_default();
                    match self.apply(*command, sequence, rest, &mut asked) {
                        Ok(None) => {}
                        Ok(Some(end)) => break end,
                        Err(error) => break self.gone(error),
                    }
                }
                Ok(Received::Block(_) | Received::Other) => {}
                Err(error) => break self.gone(error),
            }
            let drained = self.connection.is_drained();
            if drained || collected.len() >= self.enough {
                came = came.saturating_add(collected.len());
                self.hand_on(&mut collected, waker);
            }
            if drained {
                // Where the socket was full, or nearly so, the server has more to send as soon as there is room, until
                // blocks come as slowly as they are made.
                behind = came > self.enough.min(UNSLEPT_BYTES_MIN)
                    || (behind && before.elapsed() < self.length_of(came) / 2);
                // For blocks that are about as long as the sleep the thread waits instead, which is about as rare, and
                // gives the time of their arrival.
                if napped == NAPS_IN_A_ROW {
                    napped = 0;
                } else if !behind && length < self.nap / 5 {
                    thread::park_timeout(naps.next(self.nap));
                    napped += 1;
                }
                came = 0;
            }
        };
        let _ = self.news.try_send(News::End(end));
        self.hand_on(&mut collected, waker);
    }

    /// The length of the sound in `bytes` bytes.
    fn length_of(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_per_second.max(1) as f64)
    }

    /// Pushes all of it as one block, since the clock of the ring runs on by no more than a block.
    ///
    /// If the reader is held up as well, this waits until there is room, and the server buffers the rest.
    fn hand_on(&mut self, collected: &mut Vec<u8>, waker: &Waker) {
        while self.callback.room() < collected.len() / self.frame_bytes && !self.stopped.load(Ordering::Acquire) {
            waker.wake();
            thread::park_timeout(ROOM_INTERVAL);
        }
        self.layout.push(collected, &mut self.callback);
        collected.clear();
        waker.wake();
    }

    /// Applies a message of the server; returns the error if it is the end.
    fn apply(
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
                // Never another microphone in place of the chosen one.
                let name = moved.device_name.to_string_lossy().into_owned();
                let message = format!("{} is gone: the sound server moved the recording to {name}", self.label);
                return Ok(Some(Error::new(ErrorKind::NotReadable, message)));
            }
            Command::RecordStreamSuspended(state) if state.stream_index == self.channel => {
                let _ = self.news.try_send(if state.suspended { News::Suspended } else { News::Running });
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
        let _ = self.news.try_send(match source.state {
            SourceState::Suspended => News::Suspended,
            SourceState::Running | SourceState::Idle => News::Running,
        });
        if source.muted != self.muted {
            self.muted = source.muted;
            let _ = self.news.try_send(News::Muted(source.muted));
        }
    }

    /// The recording stays with its microphone, but a person may have meant it to follow.
    fn look_at_default(&mut self, server: &ServerInfo) {
        let (Some(before), Some(now)) = (&self.default, &server.default_source_name) else { return };
        // While there is no default, the bridge of PipeWire reports a placeholder.
        if before != now && !now.as_bytes().starts_with(b"@") {
            let name = now.to_string_lossy();
            let message = format!("the default input is now {name}; the recording stays with {}", self.label);
            self.notice(WarningKind::DefaultChanged, message);
            self.default = Some(now.clone());
        }
    }

    fn notice(&self, kind: WarningKind, message: String) {
        let _ = self.news.try_send(News::Notice(Warning::new(kind, message)));
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
