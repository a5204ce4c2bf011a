//! Dependencies of Cargo.toml that no code names.

use crate::scan;

/// The crates of a manifest's tables of that name (`dependencies`, also those of a target), as code calls them.
fn listed(manifest: &str, table: &str) -> Vec<String> {
    let mut is_in_table = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            is_in_table = header == table || header.ends_with(&format!(".{table}"));
        } else if is_in_table && let Some((name, _)) = line.split_once(" = ") {
            names.push(name.trim().replace('-', "_"));
        }
    }
    names
}

/// Crates in a manifest's tables of that name that none of these files names.
pub(crate) fn unused(manifest: &str, table: &str, files: &[(String, String)]) -> Vec<String> {
    let paths: Vec<_> = files.iter().flat_map(|(_, text)| scan::scan(text).paths).collect();
    let is_used = |name: &String| paths.iter().any(|path| path.segments.first() == Some(name));
    listed(manifest, table).into_iter().filter(|name| !is_used(name)).collect()
}
