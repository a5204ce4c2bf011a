//! Which files use one another in a circle.
//!
//! A file uses another one if its code names something that is defined there: in a `use` or in a path, followed through
//! names that are only passed on (`super::Blob` leads to the file that defines `Blob`, not to the one that re-exports
//! it). Declaring a module and passing its names on do not count as a use of it, as long as the file does not name them
//! in its own code.
//!
//! Two things do not count. One is what a file takes from the modules around it (`super`): `media.rs` or `media/mod.rs`
//! is the face of its folder and holds the names that the files in it share, so these name it and it names them. Files
//! beside one another, and folders beside one another, are not exempt. The other is what only tests do. Methods are not
//! followed: a type whose methods are in several files is one thing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    rules::{module_of, resolve},
    scan::{self, Path, Source},
};

/// The files of one crate, by their modules.
struct Crate<'a> {
    files: HashMap<Vec<String>, (&'a str, Source)>,
}

/// Names that are passed on are followed so far.
const STEPS_MAX: usize = 8;

fn is_test(module: &[String]) -> bool {
    module.iter().any(|part| part == "tests" || part.ends_with("_tests"))
}

impl<'a> Crate<'a> {
    fn read(files: &'a [(String, String)]) -> Self {
        let read = files.iter().map(|(name, text)| (module_of(name), (name.as_str(), scan::scan(text))));
        Self { files: read.filter(|(module, _)| !is_test(module)).collect() }
    }

    /// Where a path leads that stands in the file `module`, from the crate's root on.
    fn target(&self, path: &Path, module: &[String], steps: usize) -> Option<Vec<String>> {
        let first = path.segments.first()?;
        if matches!(first.as_str(), "crate" | "self" | "super") {
            return resolve(path, module);
        }
        if path.absolute {
            return None;
        }
        let at = [module, &path.inside].concat();
        let child = [&at[..], std::slice::from_ref(first)].concat();
        let stem = if self.files.contains_key(&child) {
            child
        } else {
            // A name that the file imports, in the same module or at its top.
            let (_, source) = self.files.get(module)?;
            let import = source.paths.iter().find(|other| other.is_import && other.name == *first && *other != path)?;
            if steps == 0 {
                return None;
            }
            self.target(import, module, steps - 1)?
        };
        Some([&stem[..], &path.segments[1..]].concat())
    }

    /// The file in which that stands; `None` for a module as a whole, and for what is not of this crate.
    fn home(&self, target: &[String], steps: usize) -> Option<&'a str> {
        let known = (0..=target.len()).rev().find(|&len| self.files.contains_key(&target[..len]))?;
        let (module, rest) = target.split_at(known);
        let (file, source) = self.files.get(module)?;
        let name = rest.first()?;
        if name == "*" {
            return Some(file);
        }
        // Passed on, or imported where its own folder sees it.
        let is_it = |path: &&Path| path.is_import && path.inside.is_empty() && path.name == *name;
        match source.paths.iter().find(is_it).filter(|_| steps > 0) {
            Some(import) => self.home(&self.target(import, module, STEPS_MAX)?, steps - 1),
            None => Some(file),
        }
    }

    /// Every file with those that it uses.
    fn uses(&self) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        let used = self.files.iter().map(|(module, (file, source))| {
            let paths = source.paths.iter().filter(|path| !path.inside.iter().any(|name| name.contains("test")));
            let paths = paths.filter(|path| !path.is_import || !path.is_passed_on || source.names.contains(&path.name));
            let homes = paths.filter_map(|path| self.home(&self.target(path, module, STEPS_MAX)?, STEPS_MAX));
            let around = |home: &&str| module.starts_with(&module_of(home));
            (*file, homes.filter(|home| !around(home)).collect())
        });
        used.collect()
    }
}

/// Everything that can be reached from there.
fn reach<'a>(from: &'a str, uses: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        next.extend(uses.get(file).into_iter().flatten().filter(|other| found.insert(**other)));
    }
    found
}

/// The circles among the files of one crate, each with its files in order of their names and with what they use of one
/// another.
pub(crate) fn circles(files: &[(String, String)]) -> Vec<String> {
    let uses = Crate::read(files).uses();
    let reaches: BTreeMap<&str, BTreeSet<&str>> = uses.keys().map(|file| (*file, reach(file, &uses))).collect();
    let mut circles = BTreeSet::new();
    for (file, reached) in &reaches {
        let back = |other: &&str| reaches.get(other).is_some_and(|others| others.contains(file));
        let circle: BTreeSet<&str> = reached.iter().copied().filter(back).collect();
        if !circle.is_empty() {
            circles.insert(circle.into_iter().collect::<Vec<_>>());
        }
    }
    let line = |circle: Vec<&str>| {
        let inside = |file: &&str| {
            let used: Vec<&str> = uses[file].iter().copied().filter(|other| circle.contains(other)).collect();
            format!("    {file} uses {}", used.join(", "))
        };
        format!("a circle of {}:\n{}", circle.len(), circle.iter().map(inside).collect::<Vec<_>>().join("\n"))
    };
    circles.into_iter().map(line).collect()
}
