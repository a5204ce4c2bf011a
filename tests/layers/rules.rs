//! Which part of the program may name which other, and the messages about those that do so against the rules.

use std::collections::HashMap;

use crate::scan::{self, Path, Source};

/// A part of the library and everything it may use: what stands below it.
///
/// ```text
/// media     clips     playback
/// capture
/// format    storage
/// audio
/// error
/// ```
const LAYERS: &[(&str, &[&str])] = &[
    // What the benchmarks time of the inside; nothing uses it.
    ("internals", &["clips", "capture", "audio"]),
    ("media", &["capture", "format", "storage", "audio", "error"]),
    ("clips", &["capture", "format", "storage", "audio", "error"]),
    ("playback", &["capture", "format", "storage", "audio", "error"]),
    ("capture", &["format", "storage", "audio", "error"]),
    ("format", &["audio", "error"]),
    ("storage", &["audio", "error"]),
    ("audio", &["error"]),
    ("error", &[]),
];

/// The program's folder. It may use the whole library; the compiler sees to it that the library cannot name it.
const PROGRAM: &str = "src/bin/dictaphone/";

/// A room of the program and everything it may use. `main` joins them and may use all.
///
/// ```text
/// commands  tui
/// session   shelf
/// input
/// report
/// plan
/// cli
/// message   work
/// ```
const ROOMS: &[(&str, &[&str])] = &[
    ("commands", &["session", "shelf", "input", "report", "plan", "cli", "message", "work"]),
    ("tui", &["session", "shelf", "input", "report", "plan", "cli", "message", "work"]),
    ("session", &["input", "report", "plan", "cli", "message", "work"]),
    ("shelf", &["input", "report", "plan", "cli", "message", "work"]),
    ("input", &["report", "plan", "cli", "message", "work"]),
    ("report", &["plan", "cli", "message", "work"]),
    ("plan", &["cli", "message", "work"]),
    ("cli", &["message", "work"]),
    ("message", &[]),
    ("work", &[]),
];

/// Arrows that are still to go: what begins with the first may use the second.
const UNTIL_LATER: &[(&str, &str)] = &[("src/bin/dictaphone/cli/config", "tui")];

/// Crates that only some files may name: the file begins with one of these.
const HOMES: &[(&str, &[&str])] = &[
    ("alsa", &["src/capture/alsa"]),
    ("earshot", &["src/audio/voice"]),
    ("realfft", &["src/audio/voice"]),
    ("cpal", &["src/capture/cpal", "src/playback"]),
    ("rtrb", &["src/capture/ring.rs", "src/playback"]),
    ("flac_codec", &["src/format/flac"]),
    ("hound", &["src/format/wav/read_back.rs", "src/bin/dictaphone/session/tests.rs"]),
    ("md5", &["src/format/flac"]),
    ("symphonia", &["src/format/foreign"]),
    ("ropus", &["src/format/opus"]),
    ("anyhow", &[PROGRAM]),
    ("clap", &[PROGRAM]),
    ("clap_complete", &[PROGRAM]),
    ("clap_mangen", &[PROGRAM]),
    ("crossterm", &[PROGRAM]),
    ("ctrlc", &[PROGRAM]),
    ("ratatui", &[PROGRAM]),
    ("signal_hook", &[PROGRAM]),
    ("toml", &["src/bin/dictaphone/cli/config"]),
    ("tui_input", &[PROGRAM]),
];

/// Macros that print, and the files that may: the module that speaks to the user.
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];
const PRINTERS: &[&str] = &["src/bin/dictaphone/report"];

/// The names that the crate's root passes on, and the layer that each is from.
#[derive(Debug, Default)]
pub(crate) struct Reexports(HashMap<String, String>);

impl Reexports {
    /// Reads them in `src/lib.rs`.
    pub(crate) fn read(lib: &str) -> Self {
        let paths = scan::scan(lib).paths.into_iter();
        let names = paths.filter(|path| path.inside.is_empty() && path.name != "*").filter_map(|path| {
            let layer = path.segments.iter().find(|segment| *segment != "crate" && *segment != "self")?;
            is_layer(layer).then(|| (path.name.clone(), layer.clone()))
        });
        Self(names.collect())
    }
}

type Floors = &'static [(&'static str, &'static [&'static str])];

fn allowed(layer: &str, floors: Floors) -> Option<&'static [&'static str]> {
    floors.iter().find(|(name, _)| *name == layer).map(|(_, below)| *below)
}

fn is_layer(name: &str) -> bool {
    allowed(name, LAYERS).is_some()
}

/// The module that a file is, as parts below its crate's root: `src/audio/time.rs` is `audio`, `time`.
pub(crate) fn module_of(file: &str) -> Vec<String> {
    let stem = file.trim_start_matches(PROGRAM).trim_start_matches("src/");
    let stem = stem.trim_end_matches(".rs").trim_end_matches("/mod");
    if stem == "lib" || stem == "main" { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

/// Where a path of this crate leads, as parts below the root; `None` for other crates and for what is local.
pub(crate) fn resolve(path: &Path, module: &[String]) -> Option<Vec<String>> {
    let mut at: Vec<String> = match path.segments.first().map(String::as_str) {
        Some("crate") => Vec::new(),
        Some("self" | "super") => [module, &path.inside].concat(),
        _ => return None,
    };
    for segment in &path.segments {
        match segment.as_str() {
            "crate" | "self" => {}
            "super" => {
                at.pop();
            }
            _ => at.push(segment.clone()),
        }
    }
    Some(at)
}

/// What is wrong with where this path leads, if anything is.
fn forbidden_arrow(path: &Path, module: &[String], floors: Floors, reexports: &Reexports) -> Option<String> {
    let from = module.first()?;
    let Some(below) = allowed(from, floors) else {
        return Some(format!("`{from}` is in no layer: give it its place in LAYERS"));
    };
    let target = resolve(path, module)?;
    let first = match target.first().map(String::as_str) {
        None | Some("*") => return Some(format!("`{from}` imports the crate's root, which hides what it uses")),
        Some(first) => reexports.0.get(first).map_or(first, String::as_str),
    };
    if allowed(first, floors).is_none() {
        return Some(format!("`{from}` uses `{first}`, which is in no layer"));
    }
    (first != from && !below.contains(&first)).then(|| format!("`{from}` must not use `{first}`"))
}

fn away_from_home(path: &Path, file: &str, source: &Source) -> Option<String> {
    let first = path.segments.first()?;
    let (name, homes) = HOMES.iter().find(|(name, _)| name == first)?;
    // A module of the same name hides the crate, unless the path says that it means the crate.
    let is_local = !path.absolute && source.modules.contains(first);
    let is_home = homes.iter().any(|home| file.starts_with(home));
    (!is_local && !is_home).then(|| format!("`{name}` belongs to {}", homes.join(" and ")))
}

fn printing(path: &Path, file: &str) -> Option<String> {
    let name = path.segments.last().filter(|name| path.is_macro && PRINTING.contains(&name.as_str()))?;
    let may = PRINTERS.iter().any(|printer| file.starts_with(printer));
    (!may).then(|| format!("`{name}!` belongs to {}", PRINTERS.join(" or ")))
}

/// Everything in `file` (its name from the package's folder on, with `/`) that breaks a rule, one line each.
pub(crate) fn violations(file: &str, text: &str, reexports: &Reexports) -> Vec<String> {
    let source = scan::scan(text);
    let module = module_of(file);
    let (floors, none) = (if file.starts_with(PROGRAM) { ROOMS } else { LAYERS }, Reexports::default());
    let reexports = if file.starts_with(PROGRAM) { &none } else { reexports };
    let arrow = |path: &Path| {
        let is_known = |what: &String| {
            UNTIL_LATER.iter().any(|(from, to)| file.starts_with(from) && what.ends_with(&format!("not use `{to}`")))
        };
        forbidden_arrow(path, &module, floors, reexports).filter(|what| !is_known(what))
    };
    source
        .paths
        .iter()
        .flat_map(|path| {
            [arrow(path), away_from_home(path, file, &source), printing(path, file)]
                .into_iter()
                .flatten()
                .map(|what| format!("{file}:{}: {what} ({})", path.line, path.segments.join("::")))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The layers that `file` really uses, itself left out.
pub(crate) fn uses(file: &str, text: &str, reexports: &Reexports) -> Vec<String> {
    let module = module_of(file);
    let targets = scan::scan(text).paths.into_iter().filter_map(|path| resolve(&path, &module)?.into_iter().next());
    let layers = targets.map(|name| reexports.0.get(&name).cloned().unwrap_or(name));
    layers.filter(|layer| is_layer(layer) && module.first() != Some(layer)).collect()
}
