//! The architecture, checked by a test: each part of the library uses only what stands below it, each foreign crate is
//! named only where it belongs, and only one module prints. Reads the code, not its comments and strings.

mod circles;
mod dependencies;
mod rules;
mod scan;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rules::{Reexports, uses, violations};

/// Every Rust file below that folder of the package, as its name from the package's folder on and its text.
fn sources(folder: &str) -> io::Result<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = vec![root.join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.push((name, fs::read_to_string(&path)?));
            }
        }
    }
    Ok(files)
}

fn lib(files: &[(String, String)]) -> Reexports {
    let text = files.iter().find(|(name, _)| name == "src/lib.rs").map(|(_, text)| text.as_str());
    Reexports::read(text.unwrap_or_default())
}

#[test]
fn every_part_uses_only_what_stands_below_it() {
    let files = sources("src").unwrap();
    let reexports = lib(&files);
    let found: Vec<String> = files.iter().flat_map(|(name, text)| violations(name, text, &reexports)).collect();
    assert!(found.is_empty(), "{} forbidden:\n{}", found.len(), found.join("\n"));
}

#[test]
fn no_files_use_one_another_in_a_circle() {
    let (program, library): (Vec<_>, Vec<_>) =
        sources("src").unwrap().into_iter().partition(|(name, _)| name.starts_with("src/bin/"));
    let found = [circles::circles(&library), circles::circles(&program)].concat();
    assert!(found.is_empty(), "{} circles:\n{}", found.len(), found.join("\n"));
}

#[test]
fn planted_circles_are_found_and_what_is_none_is_not() {
    let found = |files: &[(&str, &str)]| {
        let owned = |&(name, text): &(&str, &str)| (format!("src/{name}"), text.to_owned());
        circles::circles(&files.iter().map(owned).collect::<Vec<_>>())
    };
    let parent = ("a/mod.rs", "mod b; mod c; pub use b::B; pub struct A; pub fn f() { b::f(); }");
    for (b, c) in [
        ("use super::c::C;", "use super::b::B;"),
        ("fn f(c: super::c::C) {}", "use crate::a::b;\nfn f() { b::f(); }"),
        // Through a name that is only passed on.
        ("use super::c::C;", "use super::B;"),
        ("use super::c::C;", "use super::*;\nfn f() { crate::a::B::new(); }"),
    ] {
        let found = found(&[parent, ("a/b.rs", b), ("a/c.rs", c)]);
        assert_eq!(found.len(), 1, "{b} {c} {found:?}");
        assert!(found[0].contains("src/a/b.rs uses src/a/c.rs"), "{found:?}");
    }
    for (b, c) in [
        ("use super::c::C;", ""),
        ("use super::c::C;", "use super::A;"),
        ("use super::c::C;", "mod tests { use super::super::b::B; }"),
        ("use super::c::C;", "// use super::b::B;"),
    ] {
        assert_eq!(found(&[parent, ("a/b.rs", b), ("a/c.rs", c)]), Vec::<String>::new(), "{b} {c}");
    }
    let longer = [("a.rs", "use crate::b::x::X;"), ("b/mod.rs", "mod x; use crate::c::C; pub fn f() { C; }")];
    assert_eq!(found(&[&longer[..], &[("b/x.rs", ""), ("c.rs", "use crate::a::A;")]].concat()).len(), 0);
    assert_eq!(
        found(&[&longer[..], &[("b/x.rs", "use crate::c::C;"), ("c.rs", "use crate::a::A;")]].concat()).len(),
        1
    );
}

#[test]
fn every_dependency_is_used() {
    let manifest = include_str!("../../Cargo.toml");
    assert_eq!(dependencies::unused(manifest, "dependencies", &sources("src").unwrap()), Vec::<String>::new());
    let tests = [sources("src").unwrap(), sources("tests").unwrap(), sources("benches").unwrap()].concat();
    assert_eq!(dependencies::unused(manifest, "dev-dependencies", &tests), Vec::<String>::new());
    let planted = "[dependencies]\nthis-error = \"2\"\ncpal = \"1\"\n[target.'cfg(unix)'.dependencies]\nnix2 = \"1\"\n[x]\ny = 1\n";
    assert_eq!(dependencies::unused(planted, "dependencies", &sources("src").unwrap()), ["this_error", "nix2"]);
}

#[test]
fn the_real_sources_are_read_and_their_arrows_seen() {
    let files = sources("src").unwrap();
    let reexports = lib(&files);
    let seen = |name: &str| {
        let (_, text) = files.iter().find(|(file, _)| file == name).unwrap();
        uses(name, text, &reexports)
    };
    for (file, layer) in
        [("src/capture/mod.rs", "audio"), ("src/format/encoder.rs", "error"), ("src/audio/format.rs", "error")]
    {
        assert!(seen(file).iter().any(|used| used == layer), "{file} uses {layer}");
    }
}

#[test]
fn every_test_that_a_table_of_faults_names_exists() {
    let files = [sources("src").unwrap(), sources("tests").unwrap()].concat();
    let tables = [include_str!("../../docs/FAULTS.md"), include_str!("../../docs/TESTING.md")];
    let names = tables.into_iter().flat_map(|table| table.split('`').skip(1).step_by(2));
    let is_name = |name: &&str| name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    let tests: Vec<&str> = names.filter(is_name).filter(|name| name.matches('_').count() > 3).collect();
    assert!(tests.len() > 65, "the table is read: {tests:?}");
    for test in tests {
        let is_there = files.iter().any(|(_, text)| text.contains(&format!("fn {test}(")));
        assert!(is_there, "there is no test {test}");
    }
}

/// What the rules say about one line of code in `file`.
fn said(file: &str, code: &str) -> Vec<String> {
    violations(file, code, &Reexports::read("pub use error::{Error, Result as Res}; pub use media::Blob;"))
}

#[test]
fn a_planted_violation_is_found() {
    for (file, code) in [
        // Arrows, in every way in which one can be written.
        ("src/capture/ring.rs", "use crate::media::Blob;"),
        ("src/format/wav.rs", "use crate::{audio::{self, time}, storage::{Spool}};"),
        ("src/format/mod.rs", "use super::storage as below;"),
        ("src/format/wav.rs", "use super::super::capture::*;"),
        ("src/format/wav.rs", "fn f() -> Vec<crate::clips::Probe> { Vec::new() }"),
        ("src/format/wav.rs", "fn f() { Vec::<u8>::new(); let x = super::super::storage::open::<u8>(); }"),
        ("src/format/wav.rs", "mod tests { use super::super::super::storage::Spool; }"),
        ("src/format/wav.rs", "mod a { mod b { } use super::super::super::storage::Spool; }"),
        ("src/format/wav.rs", "#[derive(crate::media::Thing)] struct S;"),
        ("src/format/wav.rs", "macro_rules! m { () => { $crate::media::f() } }"),
        ("src/format/wav.rs", "fn f<'a>(x: &'a str) { let c = '\"'; crate::media::f(c, b'\\''); let d = '\"'; }"),
        ("src/audio/mod.rs", "pub(in crate::capture) fn f() {}"),
        ("src/audio/mod.rs", "impl crate::format::Encoder for X {}"),
        ("src/error.rs", "use crate::audio::SampleFormat;"),
        ("src/media/blob.rs", "use crate::clips::Clip;"),
        ("src/playback/mod.rs", "use crate::media::Blob;"),
        // Through a name that the root passes on.
        ("src/storage/spool.rs", "use crate::Blob;"),
        // Ways to hide an arrow.
        ("src/format/wav.rs", "use crate::*;"),
        ("src/format/wav.rs", "use crate as whole;"),
        ("src/error.rs", "use super::*;"),
        ("src/format/wav.rs", "use crate::unheard_of::Thing;"),
        ("src/helpers.rs", "use crate::error::Error;"),
        // Foreign crates.
        ("src/capture/tone.rs", "use cpal::traits::HostTrait;"),
        ("src/media/source.rs", "use cpal;"),
        ("src/media/source.rs", "extern crate cpal as c;"),
        ("src/media/source.rs", "fn f() { cpal::default_host(); }"),
        ("src/media/source.rs", "fn f(host: ::cpal::Host) {}"),
        ("src/capture/mod.rs", "mod cpal; fn f() { ::cpal::default_host(); }"),
        ("src/capture/cpal.rs", "use rtrb::Producer;"),
        ("src/bin/dictaphone/main.rs", "use cpal::Host;"),
        ("src/lib.rs", "use clap::Parser;"),
        ("src/media/mod.rs", "#[derive(clap::Parser)] struct S;"),
        ("src/clips/mod.rs", "use {crossterm::event, std::fs};"),
        ("src/playback/mod.rs", "use ratatui::Frame;"),
        // Rooms of the program.
        ("src/bin/dictaphone/cli/notes.rs", "use crate::plan::Plan;"),
        ("src/bin/dictaphone/plan/mod.rs", "use super::report::Report;"),
        ("src/bin/dictaphone/report/mod.rs", "fn f() { crate::input::Inputs::start(); }"),
        ("src/bin/dictaphone/session/open.rs", "use crate::{plan::Record, shelf};"),
        ("src/bin/dictaphone/commands/record.rs", "use crate::tui;"),
        ("src/bin/dictaphone/session/mod.rs", "use crate::*;"),
        ("src/bin/dictaphone/helpers.rs", "use crate::cli::Cli;"),
        // Printing.
        ("src/media/mod.rs", "fn f() { println!(\"x\"); }"),
        ("src/media/mod.rs", "fn f() { std::eprintln!{} }"),
        ("src/bin/dictaphone/main.rs", "fn f() { eprint!(\"x\") }"),
        ("src/lib.rs", "fn f() { dbg!(1); }"),
    ] {
        assert_eq!(said(file, code).len(), 1, "{file}: {code}\n{:?}", said(file, code));
    }
}

#[test]
fn what_is_allowed_is_let_through() {
    for (file, code) in [
        ("src/media/recorder.rs", "use crate::{audio::time, capture::Backend, error::Result, storage::Spool};"),
        ("src/media/recorder.rs", "use super::{blob::Blob, source}; use crate::media::track; use crate::{Blob, Res};"),
        ("src/format/wav.rs", "mod tests { use super::*; use super::super::header; }"),
        ("src/format/wav.rs", "mod tests { mod deeper { } use super::super::header; }"),
        ("src/storage/mod.rs", "mod spool; pub use spool::FileSpool; use self::spool::X; use crate::Error;"),
        ("src/lib.rs", "pub mod media; pub use media::Blob; pub use error::{Error, Result};"),
        ("src/capture/cpal.rs", "use cpal::{Host, traits::*};"),
        ("src/capture/cpal/stream.rs", "use cpal::Stream;"),
        ("src/capture/mod.rs", "mod cpal; pub fn all() { cpal::backends() }"),
        ("src/capture/ring.rs", "use rtrb::RingBuffer;"),
        ("src/playback/mod.rs", "fn f() { <X as Y>::cpal::z(); a.cpal; }"),
        ("src/bin/dictaphone/main.rs", "use clap::Parser; use dictaphone::media::Blob; use crate::plan::Plan;"),
        ("src/bin/dictaphone/main.rs", "mod tui; use self::tui::run; use crate::commands::record;"),
        ("src/bin/dictaphone/session/mod.rs", "mod open; use self::open::Opened; use crate::report::json::Event;"),
        ("src/bin/dictaphone/session/open.rs", "use super::source; use dictaphone::{capture, media::Track};"),
        ("src/bin/dictaphone/report/mod.rs", "fn f() { println!(\"x\"); eprintln!(\"y\") }"),
        ("src/media/mod.rs", "fn f(print: bool) -> bool { print != true && write!(x, \"\").is_ok() }"),
        ("src/media/mod.rs", "fn f<'a>(x: &'a X) -> impl Fn() + use<'a> { move || () }"),
        // Words that are not code.
        ("src/format/wav.rs", "// use crate::media::Blob; println!()\n/* cpal::x /* crate::media::y */ cpal::z */"),
        ("src/format/wav.rs", "/// [`crate::media::Blob`]\n//! cpal::Host\nfn f() {}"),
        ("src/format/wav.rs", "const A: &str = \"crate::media::x \\\" cpal::y\"; const B: &[u8] = b\"cpal::x\";"),
        ("src/format/wav.rs", "const A: &str = r#\"cpal::x \" crate::media::y\"#; const C: &CStr = c\"rtrb::x\";"),
        ("src/format/wav.rs", "const A: &str = r\"\\\"; const B: [char; 2] = ['\\'', '\"']; // cpal::x \" '"),
    ] {
        assert_eq!(said(file, code), Vec::<String>::new(), "{file}: {code}");
    }
}

#[test]
fn a_violation_is_told_with_its_line() {
    let text = "//! Words.\n\nconst A: &str = \"two\nlines\";\nuse crate::{\n    audio::time,\n    media::Blob,\n};\n";
    assert_eq!(
        said("src/format/wav.rs", text),
        ["src/format/wav.rs:7: `format` must not use `media` (crate::media::Blob)"]
    );
}
