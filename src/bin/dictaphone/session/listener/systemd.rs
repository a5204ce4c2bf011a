//! Notifications to systemd about a recording (sd_notify(3)): that it records, what it is doing, and that frames still
//! arrive.

use std::{
    ffi::OsString,
    os::unix::{ffi::OsStrExt as _, net::UnixDatagram},
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::session::{Listener, SessionEvent, What};

/// Notifies systemd. It never blocks: a message that cannot be delivered at once is dropped.
pub(crate) struct Systemd {
    socket: UnixDatagram,
    to: Address,
    /// How often it must be notified that frames arrive; `None` without a watchdog.
    watchdog: Option<Duration>,
    told_at: Instant,
    /// Frames that had arrived then.
    arrived: u64,
    device: String,
}

enum Address {
    Path(PathBuf),
    /// A name that is not a file, which only Linux has.
    #[cfg(target_os = "linux")]
    Name(Vec<u8>),
}

impl Systemd {
    /// If systemd requests notifications: `NOTIFY_SOCKET` and `WATCHDOG_USEC` of the environment.
    pub(crate) fn from_environment() -> Option<Self> {
        let to = address(std::env::var_os("NOTIFY_SOCKET")?)?;
        let is_ours = std::env::var("WATCHDOG_PID").ok().and_then(|pid| pid.parse().ok());
        let is_ours = is_ours.is_none_or(|pid: u32| pid == std::process::id());
        let interval = std::env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse().ok());
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_nonblocking(true).ok()?;
        Some(Self {
            socket,
            to,
            watchdog: interval.filter(|micros| is_ours && *micros > 0).map(Duration::from_micros),
            told_at: Instant::now(),
            arrived: 0,
            device: String::new(),
        })
    }

    fn send(&self, message: &str) {
        let sent = match &self.to {
            Address::Path(path) => self.socket.send_to(message.as_bytes(), path),
            #[cfg(target_os = "linux")]
            Address::Name(name) => {
                use std::os::linux::net::SocketAddrExt as _;
                std::os::unix::net::SocketAddr::from_abstract_name(name)
                    .and_then(|address| self.socket.send_to_addr(message.as_bytes(), &address))
            }
        };
        if let Err(error) = sent {
            log::debug!("systemd cannot be told: {error}");
        }
    }

    fn send_frames_come(&mut self, arrived: u64) {
        let Some(watchdog) = self.watchdog else { return };
        // systemd recommends half of the interval.
        if arrived > self.arrived && self.told_at.elapsed() >= watchdog / 3 {
            (self.arrived, self.told_at) = (arrived, Instant::now());
            self.send("WATCHDOG=1");
        }
    }
}

fn address(socket: OsString) -> Option<Address> {
    match socket.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => Some(Address::Name(name.to_vec())),
        [b'/', ..] => Some(Address::Path(socket.into())),
        _ => None,
    }
}

impl Listener for Systemd {
    fn on_event(&mut self, event: &SessionEvent<'_>) {
        match event.what {
            What::Waiting(_) => self.send("STATUS=waiting for the device"),
            What::Started { device, path, .. } => {
                self.device = device.replace('\n', " ");
                let to = path.map_or_else(String::new, |path| format!(" to {}", path.display()).replace('\n', " "));
                self.send(&format!("READY=1\nSTATUS=recording {}{to}\nWATCHDOG=1", self.device));
                self.told_at = Instant::now();
            }
            What::Level { progress, .. } => self.send_frames_come(progress.arrived),
            What::Paused => self.send("STATUS=paused"),
            What::Resumed => self.send(&format!("STATUS=recording {}", self.device)),
            What::FileSaved(outcome) => {
                if let Some(note) = outcome.note() {
                    self.send(&format!("STATUS=recording {}, {}", self.device, note.replace('\n', " ")));
                }
            }
            What::Ended => self.send("STOPPING=1\nSTATUS=saving"),
            _ => {}
        }
    }

    fn wants_levels(&self) -> bool {
        self.watchdog.is_some()
    }
}
