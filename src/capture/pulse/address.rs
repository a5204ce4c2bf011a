//! Where the user's PulseAudio server is, and which source the user has chosen: the environment, then `client.conf`, then
//! the usual places, as for every other client (PulseAudio documentation, "Server String Format", and `client.conf`).
//!
//! Reads variables and small files; connects to nothing. Any thread may call.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

/// The port of a server whose address has none.
const PORT: u16 = 4713;
/// No file of settings is longer.
const SETTINGS_BYTES_MAX: u64 = 1 << 20;

/// Which addresses of a host may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Any,
    V4,
    V6,
}

/// One place where a server may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Unix(PathBuf),
    Tcp { host: String, port: u16, family: Family },
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "tcp:{host}:{port}"),
        }
    }
}

/// The places to be tried, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) addresses: Vec<Address>,
    /// The text with which the user named them; `None` for the usual places, where there need not be a server.
    pub(super) named: Option<String>,
}

/// Where the user's server is.
pub(super) fn places() -> Places {
    let variable = env::var("PULSE_SERVER").ok().filter(|text| !text.trim().is_empty());
    match variable.or_else(|| setting("default-server")) {
        Some(text) => Places { addresses: parse(&text, is_this_machine), named: Some(text) },
        None => Places { addresses: usual(), named: None },
    }
}

/// The source that the user has chosen for all programs.
pub(super) fn chosen_source() -> Option<String> {
    let variable = env::var("PULSE_SOURCE").ok().filter(|name| !name.is_empty());
    variable.or_else(|| setting("default-source"))
}

/// The secret shared with the server, where it requires one.
pub(super) fn cookie() -> Option<Vec<u8>> {
    let named = env::var_os("PULSE_COOKIE").map(PathBuf::from).or_else(|| setting("cookie-file").map(PathBuf::from));
    let usual = || Some(vec![dirs::config_dir()?.join("pulse/cookie"), dirs::home_dir()?.join(".pulse-cookie")]);
    let places: Vec<PathBuf> = named.map(|path| vec![path]).or_else(usual).unwrap_or_default();
    places.into_iter().find_map(|path| fs::read(path).ok())
}

/// The addresses of a server string; those that are meant for other machines are left out.
fn parse(text: &str, is_here: impl Fn(&str) -> bool) -> Vec<Address> {
    text.split_whitespace().filter_map(|word| address(word, &is_here)).collect()
}

fn address(word: &str, is_here: impl Fn(&str) -> bool) -> Option<Address> {
    let word = match word.strip_prefix('{') {
        Some(rest) => {
            let (host, rest) = rest.split_once('}')?;
            is_here(host).then_some(rest)?
        }
        None => word,
    };
    if let Some(path) = word.strip_prefix("unix:").or_else(|| word.starts_with('/').then_some(word)) {
        return (!path.is_empty()).then(|| Address::Unix(path.into()));
    }
    let families = [("tcp:", Family::Any), ("tcp4:", Family::V4), ("tcp6:", Family::V6)];
    let prefixed = families.iter().find_map(|(prefix, family)| Some((word.strip_prefix(prefix)?, *family)));
    let (host, family) = prefixed.unwrap_or((word, Family::Any));
    let (host, port) = host_and_port(host)?;
    Some(Address::Tcp { host, port, family })
}

/// `host`, `host:port`, `[::1]`, `[::1]:port`, `::1`.
fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (text, None),
        },
    };
    let port = port.map_or(Some(PORT), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

fn is_this_machine(name: &str) -> bool {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let id = read("/etc/machine-id");
    rustix::system::uname().nodename().to_str() == Ok(name) || id.trim() == name
}

/// Where a server puts its socket.
fn usual() -> Vec<Address> {
    let runtime = match env::var_os("PULSE_RUNTIME_PATH") {
        Some(path) => PathBuf::from(path),
        None => match env::var_os("XDG_RUNTIME_DIR") {
            Some(path) => Path::new(&path).join("pulse"),
            None => PathBuf::from(format!("/run/user/{}/pulse", rustix::process::getuid().as_raw())),
        },
    };
    vec![Address::Unix(runtime.join("native")), Address::Unix("/var/run/pulse/native".into())]
}

/// The value in `client.conf`: the user's own, or that of the system, with the files in its folder `client.conf.d`.
fn setting(key: &str) -> Option<String> {
    let own = [
        env::var_os("PULSE_CLIENTCONFIG").map(PathBuf::from),
        dirs::config_dir().map(|folder| folder.join("pulse/client.conf")),
        dirs::home_dir().map(|home| home.join(".pulse/client.conf")),
    ];
    let file = own.into_iter().flatten().find(|path| path.exists()).unwrap_or_else(|| "/etc/pulse/client.conf".into());
    let mut folder = file.clone().into_os_string();
    folder.push(".d");
    let mut further: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    further.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
    further.sort();
    // What is read later takes precedence.
    further.iter().rev().chain(std::iter::once(&file)).find_map(|path| value(&read(path)?, key))
}

fn read(path: &Path) -> Option<String> {
    use std::io::Read as _;
    let mut text = String::new();
    fs::File::open(path).ok()?.take(SETTINGS_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The value of the last line `key = value` that is not empty; `;` and `#` begin a remark.
fn value(text: &str, key: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with([';', '#']));
    let mut values = lines.filter_map(|line| line.split_once('=')).filter(|(name, _)| name.trim() == key);
    values.next_back().map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16, family: Family) -> Address {
        Address::Tcp { host: host.into(), port, family }
    }

    #[test]
    fn every_form_of_a_server_string_is_understood() {
        let unix = |path: &str| Address::Unix(path.into());
        for (text, addresses) in [
            ("unix:/run/a b", vec![unix("/run/a"), tcp("b", 4713, Family::Any)]),
            ("/run/native", vec![unix("/run/native")]),
            ("{here}unix:/x", vec![unix("/x")]),
            ("{here}/x {there}unix:/y", vec![unix("/x")]),
            ("{there}tcp:a", vec![]),
            ("tcp:host", vec![tcp("host", 4713, Family::Any)]),
            ("tcp:127.0.0.1:99", vec![tcp("127.0.0.1", 99, Family::Any)]),
            ("tcp4:host:99", vec![tcp("host", 99, Family::V4)]),
            ("tcp6:[::1]:99", vec![tcp("::1", 99, Family::V6)]),
            ("[fe80::1]", vec![tcp("fe80::1", 4713, Family::Any)]),
            ("::1", vec![tcp("::1", 4713, Family::Any)]),
            ("host", vec![tcp("host", 4713, Family::Any)]),
            ("host:99", vec![tcp("host", 99, Family::Any)]),
            (" unix:/a  tcp:b:1 ", vec![unix("/a"), tcp("b", 1, Family::Any)]),
            ("unix: tcp: tcp:x:port host:99999 {here", vec![]),
        ] {
            assert_eq!(parse(text, |name| name == "here"), addresses, "{text}");
        }
    }

    #[test]
    fn addresses_are_shown_as_they_are_written() {
        for text in ["unix:/run/native", "tcp:host:4713", "tcp:[::1]:99"] {
            assert_eq!(parse(text, |_| true)[0].to_string(), text);
        }
    }

    #[test]
    fn settings_are_the_last_line_that_is_no_remark() {
        let text =
            "; default-source = a\ndefault-source=b\n  default-source =  c d \n# default-source = e\ncookie-file =\n";
        assert_eq!(value(text, "default-source").as_deref(), Some("c d"));
        assert_eq!(value(text, "cookie-file"), None);
        assert_eq!(value(text, "default-server"), None);
    }
}
