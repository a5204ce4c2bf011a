//! A connection to the PulseAudio server: the handshake, then one command and its reply at a time.
//!
//! Blocks its caller, never longer than a limit for each step.

use std::{
    ffi::CString,
    io::{BufReader, ErrorKind as IoKind, Read},
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    time::Duration,
};

use pulseaudio::protocol::{
    self, AuthParams, AuthReply, Command, CommandReply, Prop, Props, ProtocolError, PulseError, SetClientNameReply,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use super::address::{self, Address, Family};
use crate::{
    capture::{SERVER, bounded::bounded},
    error::{Error, ErrorKind},
};

/// How long the server may take for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);
/// Room for one block of the usual length, so that it is read at once.
const READ_BUFFER: usize = 1 << 15;
/// No message of the server is longer; its queues hold 4 MiB.
const LONGEST_MESSAGE: usize = 1 << 24;

/// What arrived other than replies to [`Connection::ask`].
pub(super) enum Received {
    /// A command or the head of a reply, its sequence number, and where the rest lies in the payload.
    Command(Box<Command>, u32, usize),
    /// A block of the record stream of that channel, the whole payload.
    Block(u32),
    /// A message that is not understood, and does not matter.
    Other,
}

/// Length of the secret that a server shares with its user.
const COOKIE_BYTES: usize = 256;

/// A connection past its handshake.
#[derive(Debug)]
pub(super) struct Connection {
    socket: BufReader<UnixStream>,
    version: u16,
    sequence: u32,
}

impl Connection {
    /// Connects to the user's server.
    ///
    /// # Errors
    /// Why none of the places of one can be reached.
    pub(super) fn open() -> Result<Self, Unreachable> {
        let places = address::places();
        let is_named = places.named.is_some();
        let mut failure = None;
        for address in &places.addresses {
            let reached = connect(address, ANSWER_LIMIT).map_err(ProtocolError::from).and_then(Self::shake_hands);
            match reached {
                Ok(connection) => return Ok(connection),
                Err(cause) => {
                    log::debug!("{address}: {cause}");
                    let unreachable = Unreachable { place: address.to_string(), cause, is_named };
                    failure = Some(match failure {
                        Some(before) => unreachable.or(before),
                        None => unreachable,
                    });
                }
            }
        }
        Err(failure.unwrap_or_else(|| Unreachable {
            place: places.named.unwrap_or_default(),
            cause: ProtocolError::Io(IoKind::AddrNotAvailable.into()),
            is_named,
        }))
    }

    /// A connection whose handshake is assumed to be done.
    #[cfg(test)]
    pub(super) fn of(socket: UnixStream) -> Self {
        Self { socket: BufReader::new(socket), version: protocol::MAX_VERSION, sequence: 0 }
    }

    fn shake_hands(socket: UnixStream) -> Result<Self, ProtocolError> {
        socket.set_read_timeout(Some(ANSWER_LIMIT))?;
        socket.set_write_timeout(Some(ANSWER_LIMIT))?;
        let socket = BufReader::with_capacity(READ_BUFFER, socket);
        let mut this = Self { socket, version: protocol::MAX_VERSION, sequence: 0 };
        let cookie = address::cookie();
        // A cookie of another length breaks the protocol; one of zeros is refused only where a cookie is required, and
        // a server on a Unix socket identifies its own user without.
        let cookie = cookie.filter(|cookie| cookie.len() == COOKIE_BYTES).unwrap_or_else(|| vec![0; COOKIE_BYTES]);
        let auth = AuthParams { version: protocol::MAX_VERSION, supports_shm: false, supports_memfd: false, cookie };
        let reply: AuthReply = this.ask(Command::Auth(auth))?;
        this.version = reply.version.min(protocol::MAX_VERSION);
        let mut props = Props::new();
        props.set(Prop::ApplicationName, CString::from(c"dictaphone"));
        if let Ok(pid) = CString::new(std::process::id().to_string()) {
            props.set(Prop::ApplicationProcessId, pid);
        }
        let _: SetClientNameReply = this.ask(Command::SetClientName(props))?;
        Ok(this)
    }

    /// Sends a command and waits for its reply. Not for connections on which anything else can arrive.
    pub(super) fn ask<T: CommandReply>(&mut self, command: Command) -> Result<T, ProtocolError> {
        let sent = self.send(&command)?;
        let (sequence, reply) = protocol::read_reply_message(&mut self.socket, self.version)?;
        if sequence == sent {
            Ok(reply)
        } else {
            Err(ProtocolError::Invalid(format!("reply {sequence} instead of {sent}")))
        }
    }

    /// Sends a command and returns its sequence number.
    pub(super) fn send(&mut self, command: &Command) -> Result<u32, ProtocolError> {
        let sequence = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        // In one piece: the socket is not buffered on this side.
        let mut message = Vec::new();
        protocol::write_command_message(&mut message, sequence, command, self.version)?;
        let introduced =
            if matches!(command, Command::Auth(_)) { introduce(self.socket.get_ref(), &message)? } else { 0 };
        let rest = message.get(introduced..).unwrap_or_default();
        std::io::Write::write_all(self.socket.get_mut(), rest)?;
        Ok(sequence)
    }

    /// From now on waits for messages without a limit; shutting the socket down through the handle ends that.
    pub(super) fn wait_for_ever(&self) -> std::io::Result<UnixStream> {
        self.socket.get_ref().set_read_timeout(None)?;
        self.socket.get_ref().try_clone()
    }

    /// The next message, whatever it is; its bytes replace those of `payload`.
    pub(super) fn receive(&mut self, payload: &mut Vec<u8>) -> Result<Received, ProtocolError> {
        let descriptor = protocol::read_descriptor(&mut self.socket)?;
        let length = usize::try_from(descriptor.length).unwrap_or(usize::MAX);
        if length > LONGEST_MESSAGE {
            return Err(ProtocolError::Invalid(format!("a message of {length} bytes")));
        }
        payload.resize(length, 0);
        self.socket.read_exact(payload)?;
        if descriptor.channel != u32::MAX {
            return Ok(Received::Block(descriptor.channel));
        }
        let mut rest = payload.as_slice();
        Ok(match Command::read_tag_prefixed(&mut rest, self.version) {
            Ok((sequence, command)) => Received::Command(Box::new(command), sequence, length - rest.len()),
            Err(error) => {
                log::debug!("pulseaudio: {error}");
                Received::Other
            }
        })
    }

    /// Waits at most `limit` for something to arrive, and returns whether it did, even if that was the end.
    pub(super) fn wait(&self, limit: Duration) -> Result<bool, ProtocolError> {
        if !self.socket.buffer().is_empty() {
            return Ok(true);
        }
        let mut sockets = [PollFd::new(self.socket.get_ref(), PollFlags::IN)];
        let limit = Timespec::try_from(limit).ok();
        match poll(&mut sockets, limit.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            // Nothing has come, and the time is not up: as good as nothing.
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(std::io::Error::from(error).into()),
        }
    }

    /// Whether nothing has arrived that was not received.
    pub(super) fn is_drained(&self) -> bool {
        self.socket.buffer().is_empty()
            && rustix::io::ioctl_fionread(self.socket.get_ref()).is_ok_and(|waiting| waiting == 0)
    }

    /// Reads the rest of a reply.
    pub(super) fn parse<T: CommandReply>(&self, mut rest: &[u8]) -> Result<T, ProtocolError> {
        T::read(&mut protocol::TagStructReader::new(&mut rest, self.version), self.version)
    }
}

/// Why no server can be reached.
#[derive(Debug)]
pub(super) struct Unreachable {
    place: String,
    cause: ProtocolError,
    /// The user has named it, so that it must not be replaced by another one.
    is_named: bool,
}

impl Unreachable {
    /// Whether there is no server, and the user has named none.
    pub(super) fn is_absent(&self) -> bool {
        !self.is_named && self.io_kind() == Some(IoKind::NotFound)
    }

    /// Whether another sound system may be used instead: the user has named no server, and none is frozen.
    pub(super) fn is_replaceable(&self) -> bool {
        !self.is_named && !is_frozen(&self.cause)
    }

    fn io_kind(&self) -> Option<IoKind> {
        match &self.cause {
            ProtocolError::Io(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// The one to report of two places: one that exists and refuses is more informative than one that does not exist.
    fn or(self, before: Self) -> Self {
        let says = |it: &Self| if is_denied(&it.cause) { 2 } else { u8::from(it.io_kind() != Some(IoKind::NotFound)) };
        if says(&self) > says(&before) { self } else { before }
    }
}

impl From<Unreachable> for Error {
    fn from(Unreachable { place, cause, is_named }: Unreachable) -> Self {
        let kind = match &cause {
            cause if is_denied(cause) => ErrorKind::NotAllowed,
            cause if is_frozen(cause) => ErrorKind::NotReadable,
            ProtocolError::Io(_) => ErrorKind::NotFound,
            _ => ErrorKind::NotReadable,
        };
        let error = Self::new(kind, format!("cannot reach the sound server at {place}"));
        let error = if is_named { error.because_of(SERVER) } else { error };
        explain(error, cause)
    }
}

/// Connects; reading and writing are the same for every family of socket.
fn connect(address: &Address, limit: Duration) -> std::io::Result<UnixStream> {
    match address {
        Address::Unix(path) => connect_unix(path, limit),
        Address::Tcp { host, port, family } => {
            let target = (host.clone(), *port);
            // The names of hosts are looked up by the system, which may take its time.
            let found = bounded("host-name", limit, move || target.to_socket_addrs().map(Iterator::collect::<Vec<_>>));
            let found = found.ok_or(IoKind::TimedOut)??;
            let fits = |address: &&SocketAddr| match family {
                Family::Any => true,
                Family::V4 => address.is_ipv4(),
                Family::V6 => address.is_ipv6(),
            };
            let mut failure = std::io::Error::from(IoKind::AddrNotAvailable);
            for address in found.iter().filter(fits) {
                match TcpStream::connect_timeout(address, limit) {
                    Ok(socket) => {
                        socket.set_nodelay(true)?;
                        return Ok(UnixStream::from(OwnedFd::from(socket)));
                    }
                    // A connection that takes too long is not a server that does not answer: it may not even be there.
                    Err(error) if error.kind() == IoKind::TimedOut => failure = IoKind::HostUnreachable.into(),
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        }
    }
}

/// Connects. A server that is frozen accepts no connection, and once its queue is full the system makes callers wait
/// for ever.
///
/// # Errors
/// [`IoKind::WouldBlock`] after the `limit`.
fn connect_unix(path: &Path, limit: Duration) -> std::io::Result<UnixStream> {
    use rustix::net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with,
        sockopt::{Timeout, set_socket_timeout},
    };
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(limit))?;
    let address = SocketAddrUnix::new(path)?;
    rustix::io::retry_on_intr(|| rustix::net::connect(&socket, &address))?;
    Ok(UnixStream::from(socket))
}

/// Sends the beginning of `message` together with our credentials, and returns how much of it was sent. The system adds
/// these by itself only once the server has requested them, which may be later than this message.
#[cfg(target_os = "linux")]
fn introduce(socket: &UnixStream, message: &[u8]) -> std::io::Result<usize> {
    use rustix::{
        net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, UCred, sendmsg},
        process::{getgid, getpid, getuid},
    };
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let credentials = UCred { pid: getpid(), uid: getuid(), gid: getgid() };
    if !ancillary.push(SendAncillaryMessage::ScmCredentials(credentials)) {
        return Ok(0);
    }
    Ok(sendmsg(socket, &[std::io::IoSlice::new(message)], &mut ancillary, SendFlags::NOSIGNAL)?)
}

#[cfg(not(target_os = "linux"))]
fn introduce(_socket: &UnixStream, _message: &[u8]) -> std::io::Result<usize> {
    Ok(0)
}

/// Whether the server does not let this user in.
pub(super) fn is_denied(error: &ProtocolError) -> bool {
    match error {
        ProtocolError::ServerError(error) => matches!(error, PulseError::AccessDenied | PulseError::AuthKey),
        ProtocolError::Io(error) => error.kind() == IoKind::PermissionDenied,
        _ => false,
    }
}

/// Whether the server is there and does not answer.
pub(super) fn is_frozen(error: &ProtocolError) -> bool {
    matches!(error, ProtocolError::Io(io) if matches!(io.kind(), IoKind::WouldBlock | IoKind::TimedOut))
}

/// The error of the library for one of the protocol.
pub(super) fn failure(error: ProtocolError, context: String) -> Error {
    let kind = match &error {
        error if is_denied(error) => ErrorKind::NotAllowed,
        ProtocolError::ServerError(PulseError::NoEntity) => ErrorKind::NotFound,
        _ => ErrorKind::NotReadable,
    };
    explain(Error::new(kind, context), error)
}

/// `error` with its cause; what the system calls a resource that is unavailable is a server that does not answer.
pub(super) fn explain(error: Error, cause: ProtocolError) -> Error {
    match is_frozen(&cause) {
        true => error.with_source(std::io::Error::new(IoKind::TimedOut, "the PulseAudio server does not answer")),
        false => error.with_source(cause),
    }
}

#[cfg(test)]
mod tests {
    use rustix::net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect as join, listen, socket_with,
    };

    use super::*;

    #[test]
    fn a_server_that_accepts_nobody_is_not_waited_for_without_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("native");
        let address = SocketAddrUnix::new(&path).unwrap();
        let socket = |flags| socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
        let server = socket(SocketFlags::CLOEXEC);
        bind(&server, &address).unwrap();
        listen(&server, 1).unwrap();
        let mut queue = Vec::new();
        loop {
            let guest = socket(SocketFlags::NONBLOCK);
            match join(&guest, &address) {
                Ok(()) => queue.push(guest),
                Err(error) => break assert_eq!(error, rustix::io::Errno::AGAIN, "the queue is full"),
            }
        }
        let error = connect_unix(&path, Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), IoKind::WouldBlock);
        drop(server);
        assert_eq!(connect_unix(&path, ANSWER_LIMIT).unwrap_err().kind(), IoKind::ConnectionRefused);
    }

    #[test]
    fn a_server_that_does_not_answer_is_named() {
        let cause = ProtocolError::Io(IoKind::WouldBlock.into());
        let error = failure(cause, "cannot reach the sound server".to_owned());
        assert_eq!(error.kind(), ErrorKind::NotReadable);
        assert_eq!(error.to_string(), "cannot reach the sound server: the PulseAudio server does not answer");
    }
}
