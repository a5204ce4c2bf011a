//! The other end of a connection, played by the tests: a PulseAudio server that receives and sends what a test
//! specifies.

use std::{
    io::{BufReader, Write},
    os::unix::net::UnixStream,
};

use pulseaudio::protocol::{
    self, Command, CommandReply, Descriptor, DescriptorFlags, MAX_VERSION, SubscriptionEvent,
    SubscriptionEventFacility, SubscriptionEventType,
};

use super::connection::Connection;

/// The server's side of one connection.
pub(super) struct Server(BufReader<UnixStream>);

impl Server {
    /// A server and the connection to it.
    pub(super) fn connected() -> (Connection, Self) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Connection::of(ours), Self(BufReader::new(theirs)))
    }

    /// The next request and its number.
    pub(super) fn receive(&mut self) -> (u32, Command) {
        protocol::read_command_message(&mut self.0, MAX_VERSION).unwrap()
    }

    /// Answers the request of that number.
    pub(super) fn reply<T: CommandReply>(&mut self, sequence: u32, reply: &T) {
        protocol::write_reply_message(self.0.get_mut(), sequence, reply, MAX_VERSION).unwrap();
    }

    /// Acknowledges the request of that number.
    pub(super) fn acknowledge(&mut self, sequence: u32) {
        protocol::write_ack_message(self.0.get_mut(), sequence).unwrap();
    }

    /// Sends something that was not requested.
    pub(super) fn send(&mut self, command: &Command) {
        protocol::write_command_message(self.0.get_mut(), u32::MAX, command, MAX_VERSION).unwrap();
    }

    /// Reports that something happened to the object of that number.
    pub(super) fn event(
        &mut self,
        event_facility: SubscriptionEventFacility,
        event_type: SubscriptionEventType,
        index: u32,
    ) {
        self.send(&Command::SubscribeEvent(SubscriptionEvent { event_facility, event_type, index: Some(index) }));
    }

    /// Sends sound to that stream.
    pub(super) fn send_block(&mut self, channel: u32, bytes: &[u8]) {
        let length = bytes.len() as u32;
        let descriptor = Descriptor { length, channel, offset: 0, flags: DescriptorFlags::empty() };
        protocol::write_descriptor(self.0.get_mut(), &descriptor).unwrap();
        self.send_raw(bytes);
    }

    /// Sends what may make no sense.
    pub(super) fn send_raw(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }
}
