//! A private PulseAudio: one process, every microphone a null sink whose monitor is recorded.

use std::collections::BTreeMap;
use std::path::Path;

use super::process::{Process, require};
use super::server::{Core, Microphone, Player, Server};

/// A PulseAudio server of the test's own.
#[derive(Debug)]
pub(crate) struct PulseServer {
    core: Core,
    /// Number of the module behind each microphone that is plugged in.
    modules: BTreeMap<String, String>,
}

impl PulseServer {
    /// Starts a server with the microphone `mic`, 48 kHz mono 16 bit.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::start_with(Microphone::default())
    }

    /// Starts a server whose microphone `mic` has another layout.
    #[track_caller]
    pub(crate) fn start_with(microphone: Microphone) -> Self {
        require(&["pulseaudio", "pactl", "paplay"]);
        let mut server = Self { core: Core::new(), modules: BTreeMap::new() };
        server.launch();
        server.create_source(&microphone);
        let source = server.source(&microphone.name);
        server.core.microphones.insert(microphone.name.clone(), microphone);
        server.set_default_source(&source);
        server
    }
}

impl Server for PulseServer {
    fn core(&self) -> &Core {
        &self.core
    }

    fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    fn launch(&mut self) {
        self.modules.clear();
        let configuration = self.core.sandbox.path().join("pulse-daemon.conf");
        std::fs::write(&configuration, "").expect("write the PulseAudio configuration");
        let mut command = self.core.command("pulseaudio");
        // -n keeps out the machine's modules, PULSE_CONFIG its settings.
        command.env("PULSE_CONFIG", configuration).args(["-n", "--daemonize=no", "--exit-idle-time=-1"]);
        command.args(["--log-target=stderr", "--load=module-native-protocol-unix"]);
        self.core.start("pulseaudio", command);
        self.core.until("PulseAudio answers", || self.core.ask("pactl", &["info"]));
    }

    fn create_source(&mut self, microphone: &Microphone) {
        let Microphone { name, channels, rate, format, lazy } = microphone;
        let [sink, channels, rate, format] = [
            format!("sink_name={name}"),
            format!("channels={channels}"),
            format!("rate={rate}"),
            format!("format={format}"),
        ];
        // Without rewinds a null sink works in blocks of 50 ms, much like a sound card; otherwise it renders 2 s ahead
        // and takes back what it has already sent to the recorder.
        let rewinds = if *lazy { "norewinds=0" } else { "norewinds=1" };
        let arguments = ["load-module", "module-null-sink", &sink, &channels, &rate, &format, rewinds];
        let module = self.core.ask("pactl", &arguments);
        let module = module.unwrap_or_else(|| panic!("PulseAudio refuses {arguments:?}\n{}", self.core.log()));
        self.modules.insert(name.clone(), module.trim().into());
    }

    fn destroy_source(&mut self, name: &str) {
        let module = self.modules.remove(name).unwrap_or_else(|| panic!("there is no microphone {name}"));
        assert!(self.core.ask("pactl", &["unload-module", &module]).is_some(), "cannot remove {name}");
    }

    fn source(&self, name: &str) -> String {
        format!("{name}.monitor")
    }

    fn play_into(&self, name: &str, file: &Path) -> Player {
        let mut command = self.core.command("paplay");
        // By index: a file of four channels need not use the sink's names for them.
        command.args(["--no-remix", "--no-remap", "-d", name]).arg(file);
        let process = self.core.spawn_logged("paplay", command);
        Player::once_flowing(&self.core, process, |process| self.flows(process))
    }

    fn set_default_source(&mut self, source: &str) {
        assert!(self.core.ask("pactl", &["set-default-source", source]).is_some(), "no source {source}");
        self.await_default_source(source);
    }
}

impl PulseServer {
    fn flows(&self, process: &Process) -> bool {
        let id = process.id().to_string();
        let inputs = self.core.ask_json("pactl", &["-f", "json", "list", "sink-inputs"]).unwrap_or_default();
        inputs.iter().any(|input| input["properties"]["application.process.id"] == *id && input["corked"] == false)
    }
}
