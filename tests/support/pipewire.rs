//! A private PipeWire: the daemon, its session manager with a bus of its own, and the PulseAudio bridge that desktop
//! programs talk to. Every microphone is a virtual source into which a player is linked by hand.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;
use serde_json::Value;

use super::process::require;
use super::server::{Core, Microphone, Player, Server};

/// A bus on which nothing can be started: the machine's services must not be started.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>ADDRESS</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"#;

/// The session manager does not touch the machine's sound cards, cameras and headsets: WirePlumber 0.4 and 0.5.
const NO_HARDWARE: [(&str, &str); 3] = [
    (
        "main.lua.d/51-no-hardware.lua",
        "alsa_monitor.enabled = false\nv4l2_monitor.enabled = false\nlibcamera_monitor.enabled = false\n",
    ),
    ("bluetooth.lua.d/51-no-hardware.lua", "bluez_monitor.enabled = false\n"),
    (
        "wireplumber.conf.d/no-hardware.conf",
        "wireplumber.profiles = { main = {\n  monitor.alsa = disabled\n  monitor.alsa-midi = disabled\n  \
         monitor.bluez = disabled\n  monitor.bluez-midi = disabled\n  monitor.v4l2 = disabled\n  \
         monitor.libcamera = disabled\n} }\n",
    ),
];

/// A PipeWire of the test's own.
#[derive(Debug)]
pub(crate) struct PipeWireServer {
    core: Core,
    /// Rate of the graph.
    rate: u32,
    /// Frames of a cycle of the graph; `None` leaves it to the clients, as on a desktop.
    quantum: Option<u32>,
}

/// A client that misses a cycle loses it, and on a loaded machine the player itself would. So the test's graph has long
/// cycles: 85 ms at 48 kHz. Not longer, because `pw-cat` drops up to two cycles at the end of its file.
const CALM: u32 = 4_096;

impl PipeWireServer {
    /// Starts a server with the microphone `mic`, 48 kHz mono.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::start_with(Microphone::default())
    }

    /// Starts a server whose microphone `mic` has another layout.
    #[track_caller]
    pub(crate) fn start_with(microphone: Microphone) -> Self {
        Self::start_paced(microphone, Some(CALM))
    }

    /// Starts a server whose graph works in cycles of `quantum` frames, or, given `None`, of as many as its clients ask
    /// for. With short cycles audio is lost on a loaded machine before it reaches the recorder.
    #[track_caller]
    pub(crate) fn start_paced(microphone: Microphone, quantum: Option<u32>) -> Self {
        require(&["pipewire", "pipewire-pulse", "wireplumber", "dbus-daemon", "pactl"]);
        require(&["pw-cli", "pw-cat", "pw-dump", "pw-link", "pw-metadata"]);
        let mut server = Self { core: Core::new(), rate: microphone.rate, quantum };
        server.launch();
        server.create_source(&microphone);
        server.core.microphones.insert(microphone.name.clone(), microphone.clone());
        server.set_default_source(&microphone.name);
        server
    }

    fn configure(&self) {
        let config = self.core.sandbox.home().join(".config");
        let write = |name: &str, text: &str| {
            let path = config.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("create a configuration folder");
            std::fs::write(path, text).expect("write a configuration");
        };
        for (name, text) in NO_HARDWARE {
            write(&format!("wireplumber/{name}"), text);
        }
        let rate = self.rate;
        write(
            "pipewire/pipewire.conf.d/rate.conf",
            &format!(
                "context.properties = {{ default.clock.rate = {rate} default.clock.allowed-rates = [ {rate} ] }}\n"
            ),
        );
        let address = format!("unix:path={}", self.core.sandbox.runtime().join("bus").display());
        write("bus.conf", &BUS.replace("ADDRESS", &address));
    }

    /// The nodes with this name; `None` if the graph cannot be read now, as on a busy machine.
    fn nodes(&self, name: &str) -> Option<Vec<Value>> {
        let mut objects = self.core.ask_json("pw-dump", &[])?;
        objects.retain(|o| o["type"] == "PipeWire:Interface:Node" && o["info"]["props"]["node.name"] == name);
        Some(objects)
    }

    /// The node with this name, if it is there.
    fn node(&self, name: &str) -> Option<Value> {
        self.nodes(name)?.pop()
    }

    /// Names of the input or output ports (`-i`, `-o`) of a node, in the order of their channels.
    fn ports(&self, direction: &str, node: &str) -> Vec<String> {
        let ports = self.core.ask("pw-link", &[direction]).unwrap_or_default();
        let own = |port: &&str| port.rsplit_once(':').is_some_and(|(owner, _)| owner == node);
        let mut own: Vec<String> = ports.lines().map(str::trim).filter(own).map(String::from).collect();
        let order = |port: &String| ORDER.iter().position(|channel| port.ends_with(&format!("_{channel}")));
        own.sort_by_key(order);
        own
    }
}

/// Every name a channel can have here, in the order of the channels in a file.
const ORDER: [&str; 12] = ["MONO", "FL", "FR", "FC", "LFE", "RL", "RR", "SL", "SR", "AUX0", "AUX1", "AUX2"];

fn channel_names(channels: u16) -> &'static [&'static str] {
    match channels {
        1 => &["MONO"],
        2 => &["FL", "FR"],
        3 => &["AUX0", "AUX1", "AUX2"],
        4 => &["FL", "FR", "RL", "RR"],
        6 => &["FL", "FR", "FC", "LFE", "RL", "RR"],
        8 => &["FL", "FR", "FC", "LFE", "RL", "RR", "SL", "SR"],
        _ => panic!("the test bed has no layout of {channels} channels"),
    }
}

impl Server for PipeWireServer {
    fn core(&self) -> &Core {
        &self.core
    }

    fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    fn launch(&mut self) {
        self.configure();
        let run = self.core.sandbox.runtime();
        let mut bus = self.core.command("dbus-daemon");
        bus.arg("--nofork").arg("--config-file").arg(self.core.sandbox.home().join(".config/bus.conf"));
        self.core.start("dbus-daemon", bus);
        self.core.until("the bus answers", || UnixStream::connect(run.join("bus")).ok());
        self.core.start("pipewire", self.core.command("pipewire"));
        self.core.until("PipeWire answers", || UnixStream::connect(run.join("pipewire-0")).ok());
        self.core.start("wireplumber", self.core.command("wireplumber"));
        self.core.start("pipewire-pulse", self.core.command("pipewire-pulse"));
        self.core.until("the PulseAudio bridge answers", || self.core.ask("pactl", &["info"]));
        if let Some(quantum) = self.quantum {
            let arguments = ["-n", "settings", "0", "clock.force-quantum", &quantum.to_string()];
            assert!(self.core.ask("pw-metadata", &arguments).is_some(), "cannot set the quantum\n{}", self.core.log());
        }
        // The session manager is running once it has named a default device.
        self.core.until("WirePlumber manages the session", || {
            let metadata = self.core.ask("pw-metadata", &[])?;
            metadata.contains("default.audio.sink").then_some(())
        });
    }

    fn create_source(&mut self, microphone: &Microphone) {
        let Microphone { name, channels, rate, .. } = microphone;
        let positions = channel_names(*channels).join(" ");
        let properties = format!(
            "{{ factory.name=support.null-audio-sink node.name={name} node.description={name} \
             media.class=Audio/Source/Virtual object.linger=true audio.position=[{positions}] audio.rate={rate} }}"
        );
        let created = self.core.ask("pw-cli", &["create-node", "adapter", &properties]);
        assert!(created.is_some(), "PipeWire refuses the microphone\n{}", self.core.log());
        self.core.until(&format!("the microphone {name} has its ports"), || {
            let complete = |direction| self.ports(direction, name).len() == usize::from(*channels);
            (complete("-i") && complete("-o")).then_some(())
        });
    }

    fn destroy_source(&mut self, name: &str) {
        let node = self.core.until(&format!("the microphone {name} is there"), || self.node(name));
        let id = node["id"].to_string();
        assert!(self.core.ask("pw-cli", &["destroy", &id]).is_some(), "cannot remove {name}");
        self.core.until(&format!("the microphone {name} is gone"), || self.nodes(name)?.is_empty().then_some(()));
    }

    fn source(&self, name: &str) -> String {
        name.into()
    }

    fn play_into(&self, name: &str, file: &Path) -> Player {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let player = format!("player-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let channels = hound::WavReader::open(file).expect("a WAV file to play").spec().channels;
        let mut command = self.core.command("pw-cat");
        command.args(["--playback", "--channel-map", &channel_names(channels).join(",")]);
        command.args(["--properties", &format!("{{ node.autoconnect=false node.name={player} }}")]).arg(file);
        let mut process = self.core.spawn_logged("pw-cat", command);
        let outputs = self.core.until("the player has its ports", || {
            let ports = self.ports("-o", &player);
            (ports.len() == usize::from(channels)).then_some(ports)
        });
        let inputs = self.ports("-i", name);
        assert_eq!(outputs.len(), inputs.len(), "{} does not fit the microphone {name}", file.display());
        // It must not run with the first channel before the last one is linked.
        process.signal(Signal::STOP);
        for (output, input) in outputs.iter().zip(&inputs) {
            let linked = self.core.ask("pw-link", &[output, input]);
            assert!(linked.is_some(), "cannot link {output} to {input}\n{}", self.core.log());
        }
        process.signal(Signal::CONT);
        Player::once_flowing(&self.core, process, |_| {
            self.node(&player).is_some_and(|node| node["info"]["state"] == "running")
        })
    }

    /// A new stream runs for a cycle before it is linked to the microphone.
    fn lead_in(&self) -> usize {
        self.quantum.unwrap_or(CALM) as usize
    }

    fn set_default_source(&mut self, source: &str) {
        let value = format!("{{ \"name\": \"{source}\" }}");
        let arguments = ["0", "default.configured.audio.source", &value, "Spa:String:JSON"];
        assert!(self.core.ask("pw-metadata", &arguments).is_some(), "cannot set the default source");
        self.await_default_source(source);
    }
}
