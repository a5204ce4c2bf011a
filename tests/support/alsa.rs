//! ALSA without a sound card: its default device leads to a sound server, or there is no device at all.

use std::path::Path;

use super::sandbox::Sandbox;

/// The plug-in configuration comes from the system, the choice of the default device does not: `!@hooks` keeps out the
/// changes that the machine's and the user's configuration would make to it.
const THROUGH_PULSE: &str = "\
</usr/share/alsa/alsa.conf>
!@hooks [ ]
pcm.!default { type pulse hint { show on description \"test bed\" } }
ctl.!default { type pulse }
";

/// Writes the configuration that leads to the PulseAudio server in `PULSE_SERVER`; returns the variable that selects
/// it.
pub(crate) fn through_pulse(folder: &Path) -> (String, String) {
    configuration(folder, THROUGH_PULSE)
}

fn configuration(folder: &Path, text: &str) -> (String, String) {
    let path = folder.join("alsa.conf");
    std::fs::write(&path, text).expect("write the ALSA configuration");
    ("ALSA_CONFIG_PATH".into(), path.to_string_lossy().into_owned())
}

/// The environment of a machine without any sound: no server can be reached or started, no ALSA device is known.
///
/// A sound card of the machine stays reachable for a program that opens `/dev/snd` by itself; none of the tested do.
pub(crate) fn no_sound(sandbox: &Sandbox) -> Vec<(String, String)> {
    let nothing = sandbox.path().join("nothing-here");
    let nothing = nothing.to_string_lossy();
    let client = sandbox.path().join("pulse-client.conf");
    std::fs::write(&client, "autospawn = no\n").expect("write the PulseAudio client configuration");
    vec![
        configuration(sandbox.path(), ""),
        ("PULSE_CLIENTCONFIG".into(), client.to_string_lossy().into_owned()),
        ("PIPEWIRE_RUNTIME_DIR".into(), nothing.clone().into_owned()),
        ("DBUS_SESSION_BUS_ADDRESS".into(), format!("unix:path={nothing}")),
        ("JACK_NO_START_SERVER".into(), "1".into()),
    ]
}
