//! Names of recordings: the numbered one when the requested one is taken, the hidden one while it grows, and the rules
//! for names.
//!
//! Pure; touches no disk. A name that a user typed as a whole path is not checked here; the rules of
//! [`is_safe_file_name`] are for names that are composed from templates, titles and devices.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The most bytes a file name has on the file systems in use.
const NAME_MAX_BYTES: usize = 255;

/// What marks the file of an unfinished recording, besides the leading dot.
const PART_SUFFIX: &str = ".part";

/// What marks a file that is being made from other clips, besides the leading dot.
const DRAFT_SUFFIX: &str = ".dictaphone-draft";

/// What marks the bytes that a repair replaces, besides the leading dot.
const HEAD_SUFFIX: &str = ".dictaphone-head";

/// What a hidden file is while it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hidden {
    /// A recording: its sound is nowhere else.
    Part,
    /// Something that is made from existing files that stay, such as a conversion: when the process that makes it dies,
    /// it is useless.
    Draft,
    /// What a repair is about to replace in the file of that name.
    Head,
}

impl Hidden {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Part => PART_SUFFIX,
            Self::Draft => DRAFT_SUFFIX,
            Self::Head => HEAD_SUFFIX,
        }
    }
}

/// The most bytes in a name whose unfinished file can have the whole name: 255 without the dot and `.part`.
pub const SAFE_NAME_MAX_BYTES: usize = NAME_MAX_BYTES - 1 - PART_SUFFIX.len();

/// What follows the last dot is only an extension up to this length; a longer one is a sentence with a dot in it.
const EXTENSION_MAX_BYTES: usize = 32;

/// `path` with `-n` before the extension: `take.wav`, `take-2.wav`, `take-3.wav` … for n = 1, 2, 3 …
///
/// For n below 2, and for a path that ends in no name, the path as it is. A name that would grow beyond 255 bytes
/// loses the end of its stem, at a character boundary.
#[must_use]
pub fn numbered(path: &Path, n: u32) -> PathBuf {
    if n >= 2 { marked(path, &format!("-{n}")) } else { path.to_owned() }
}

/// `path` with `mark` before the extension, cut as [`numbered`] does; a path that ends in no name as it is.
#[must_use]
pub fn marked(path: &Path, mark: &str) -> PathBuf {
    match path.file_name() {
        Some(name) => path.with_file_name(fitted("", name, mark, "")),
        None => path.to_owned(),
    }
}

/// The hidden file beside `target` in which it grows: `.take.wav.part` for `take.wav`.
///
/// A long name loses the end of its stem, so that the result fits in 255 bytes. A path that ends in no name is
/// returned as it is.
#[must_use]
pub fn part_path(target: &Path) -> PathBuf {
    hidden_path(target, Hidden::Part)
}

/// The hidden file of that kind beside `target`, named as by [`part_path`].
pub(super) fn hidden_path(target: &Path, kind: Hidden) -> PathBuf {
    match target.file_name() {
        Some(name) => target.with_file_name(fitted(".", name, "", kind.suffix())),
        None => target.to_owned(),
    }
}

/// Whether the name is that of a file that is, or was, being made from other clips.
pub(super) fn is_draft(path: &Path) -> bool {
    let stem =
        path.file_name().map(OsStr::as_encoded_bytes).and_then(|name| name.strip_suffix(DRAFT_SUFFIX.as_bytes()));
    stem.is_some_and(|stem| stem.len() > 1 && stem.starts_with(b"."))
}

/// The name that the unfinished recording at `path` will have when it is finished; `None` if the name is not one that
/// [`part_path`] gives.
#[must_use]
pub fn target_of_part(path: &Path) -> Option<PathBuf> {
    let hidden = path.file_name()?;
    // Without its extension `part` the rest of the hidden name is the stem.
    if path.extension()? != PART_SUFFIX.trim_start_matches('.') {
        return None;
    }
    let name = without_first_dot(Path::new(hidden).file_stem()?)?;
    let is_name = !name.is_empty() && name != "." && name != "..";
    is_name.then(|| path.with_file_name(name))
}

/// Whether `name` can be the name of a recording in any folder: it stays in the folder, is not hidden, survives a
/// terminal and a web address, and leaves room for `.part`.
///
/// That is: 1 to 249 bytes, no leading dot, no space at either end, no `/`, `\` or `:`, no control character and
/// nothing that turns the direction of writing; on Windows also nothing that Windows reserves.
#[must_use]
pub fn is_safe_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= SAFE_NAME_MAX_BYTES
        && !name.starts_with('.')
        && name.trim() == name
        && name.chars().all(is_safe_char)
        && !(cfg!(windows) && is_reserved_on_windows(name))
}

/// The nearest safe name: each unsafe character becomes `_`, a name that is too long loses the end of its stem, and
/// an empty one becomes `untitled`.
#[must_use]
pub fn safe_file_name(name: &str) -> String {
    let trimmed = name.trim();
    let mut safe: String = trimmed.chars().map(|c| if is_safe_char(c) { c } else { '_' }).collect();
    if safe.starts_with('.') {
        safe.replace_range(..1, "_");
    }
    if safe.len() > SAFE_NAME_MAX_BYTES {
        safe = shortened(&safe, SAFE_NAME_MAX_BYTES);
    }
    if cfg!(windows) && is_reserved_on_windows(&safe) {
        safe = shortened(&format!("_{}_", safe.trim_end_matches(['.', ' '])), SAFE_NAME_MAX_BYTES);
    }
    if safe.is_empty() { "untitled".to_owned() } else { safe }
}

/// Whether `c` can stand in the name of a recording, see [`is_safe_file_name`].
#[must_use]
pub fn is_safe_char(c: char) -> bool {
    // The last two groups make a terminal display another name than the real one.
    let misleads = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_separator = matches!(c, '/' | '\\' | ':');
    let is_windows_wildcard = cfg!(windows) && matches!(c, '<' | '>' | '"' | '|' | '?' | '*');
    !(c.is_control() || misleads || is_separator || is_windows_wildcard)
}

/// Whether Windows does not allow a file of that name: a device such as `nul` or `con.flac`, a stream of a file
/// (`a:b`), a pattern.
#[must_use]
pub fn is_refused_by_windows(path: &Path) -> bool {
    let path = path.to_string_lossy();
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_wrong = |c: char| c.is_control() || matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*');
    name.contains(is_wrong) || name.ends_with(' ') || is_reserved_on_windows(name)
}

fn is_reserved_on_windows(name: &str) -> bool {
    let device = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let is_numbered_port = device.len() == 4
        && (device.starts_with("COM") || device.starts_with("LPT"))
        && device.ends_with(|c: char| c.is_ascii_digit());
    is_numbered_port || matches!(device.as_str(), "CON" | "PRN" | "AUX" | "NUL") || name.ends_with('.')
}

/// Stem and extension (with its dot) of a file name.
fn split(name: &OsStr) -> (&OsStr, OsString) {
    let path = Path::new(name);
    match (path.file_stem(), path.extension()) {
        (Some(stem), Some(extension)) if extension.len() <= EXTENSION_MAX_BYTES => {
            let mut dotted = OsString::from(".");
            dotted.push(extension);
            (stem, dotted)
        }
        _ => (name, OsString::new()),
    }
}

/// `prefix` + stem of `name` + `mark` + extension of `name` + `suffix`, the stem cut so that the whole fits.
fn fitted(prefix: &str, name: &OsStr, mark: &str, suffix: &str) -> OsString {
    let (stem, extension) = split(name);
    let room = NAME_MAX_BYTES.saturating_sub(prefix.len() + mark.len() + extension.len() + suffix.len());
    let mut whole = OsString::from(prefix);
    whole.push(cut(stem, room));
    whole.push(mark);
    whole.push(extension);
    whole.push(suffix);
    whole
}

fn shortened(name: &str, max_bytes: usize) -> String {
    let (stem, extension) = split(OsStr::new(name));
    let stem = cut(stem, max_bytes.saturating_sub(extension.len()));
    let whole = format!("{}{}", stem.to_string_lossy(), extension.to_string_lossy());
    // The cut may have left a space at the end.
    whole.trim_end().to_owned()
}

/// The start of `text`, at most `max_bytes` long and, where it is Unicode, cut between characters.
fn cut(text: &OsStr, max_bytes: usize) -> OsString {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    match text.to_str() {
        Some(text) => {
            let end = (0..=max_bytes).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
            text.get(..end).unwrap_or_default().into()
        }
        None => cut_raw(text, max_bytes),
    }
}

#[cfg(unix)]
fn cut_raw(text: &OsStr, max_bytes: usize) -> OsString {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(text.as_bytes().get(..max_bytes).unwrap_or_default()).to_owned()
}

#[cfg(not(unix))]
fn cut_raw(text: &OsStr, max_bytes: usize) -> OsString {
    cut(OsStr::new(text.to_string_lossy().as_ref()), max_bytes)
}

#[cfg(unix)]
fn without_first_dot(name: &OsStr) -> Option<&OsStr> {
    use std::os::unix::ffi::OsStrExt;
    name.as_bytes().strip_prefix(b".").map(OsStr::from_bytes)
}

#[cfg(not(unix))]
fn without_first_dot(name: &OsStr) -> Option<&OsStr> {
    name.to_str()?.strip_prefix('.').map(OsStr::new)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_windows_keeps_for_itself_is_known_everywhere() {
        for refused in ["nul", "con.flac", "a?b", "x:y", "C:\\music\\lpt1.wav", "take.", "a|b.wav", "x.wav:stream"] {
            assert!(is_refused_by_windows(Path::new(refused)), "{refused}");
        }
        for fine in ["x.wav", "C:\\music\\x.wav", "console.wav", "com.wav", "nul/x.wav", "D:/a b.opus"] {
            assert!(!is_refused_by_windows(Path::new(fine)), "{fine}");
        }
    }

    fn name_bytes(path: &Path) -> usize {
        path.file_name().unwrap().len()
    }

    #[test]
    fn the_number_stands_before_the_extension() {
        for (path, n, expected) in [
            ("take.wav", 0, "take.wav"),
            ("take.wav", 1, "take.wav"),
            ("take.wav", 2, "take-2.wav"),
            ("a/b.c/take.wav", 13, "a/b.c/take-13.wav"),
            ("take", 2, "take-2"),
            (".hidden", 2, ".hidden-2"),
            ("a.tar.gz", 2, "a.tar-2.gz"),
            ("take.", 2, "take-2."),
            ("..", 2, ".."),
            ("/", 2, "/"),
            ("", 2, ""),
        ] {
            assert_eq!(numbered(Path::new(path), n), Path::new(expected), "{path} {n}");
        }
    }

    #[test]
    fn a_part_name_leads_back_to_its_target() {
        for (target, part) in [
            ("take.wav", ".take.wav.part"),
            ("/a/b/take-2.flac", "/a/b/.take-2.flac.part"),
            ("take", ".take.part"),
            (".hidden.wav", "..hidden.wav.part"),
            ("x.part", ".x.part.part"),
            ("übung 1.wav", ".übung 1.wav.part"),
        ] {
            assert_eq!(part_path(Path::new(target)), Path::new(part));
            assert_eq!(target_of_part(Path::new(part)).as_deref(), Some(Path::new(target)));
        }
    }

    #[test]
    fn drafts_are_neither_recordings_nor_other_hidden_files() {
        let draft = hidden_path(Path::new("a/take.wav"), Hidden::Draft);
        assert_eq!(draft, Path::new("a/.take.wav.dictaphone-draft"));
        assert!(is_draft(&draft) && target_of_part(&draft).is_none());
        for name in [".take.wav.part", "take.wav.dictaphone-draft", ".dictaphone-draft", "..", ".take.draft"] {
            assert!(!is_draft(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn other_names_are_no_part_names() {
        for name in ["take.wav", "take.wav.part", ".take.wav", ".part", "..part", "...part", "....part", "", "/", ".."]
        {
            assert_eq!(target_of_part(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn long_names_are_cut_between_characters_and_keep_their_extension() {
        let path = PathBuf::from(format!("dir/{}.flac", "ü".repeat(125)));
        assert_eq!(name_bytes(&path), 255);
        let part = part_path(&path);
        // 255 − `.` − `.flac` − `.part` = 244 bytes of stem.
        assert_eq!(part, PathBuf::from(format!("dir/.{}.flac.part", "ü".repeat(122))));
        assert_eq!(numbered(&path, 10), PathBuf::from(format!("dir/{}-10.flac", "ü".repeat(123))));
    }

    #[cfg(unix)]
    #[test]
    fn a_long_name_that_is_not_unicode_is_cut_between_bytes() {
        use std::os::unix::ffi::OsStrExt;
        let path = PathBuf::from(OsStr::from_bytes(&[0xff; 255]));
        assert_eq!(part_path(&path).as_os_str().as_bytes(), [b".", &[0xff; 249][..], b".part"].concat());
    }

    #[test]
    fn unsafe_names_are_seen_and_made_safe() {
        let long = format!("{}.wav", "x".repeat(246));
        for (name, safe) in [
            ("", "untitled"),
            ("  ", "untitled"),
            (".", "_"),
            ("..", "_."),
            (".hidden.wav", "_hidden.wav"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("a/b\\c:d", "a_b_c_d"),
            ("14:05:09.wav", "14_05_09.wav"),
            ("nul\0\n\u{1b}[2J.wav", "nul___[2J.wav"),
            ("gpj\u{202e}vaw.wav", "gpj_vaw.wav"),
            (" take.wav ", "take.wav"),
            (long.as_str(), &format!("{}.wav", "x".repeat(245))),
        ] {
            assert!(!is_safe_file_name(name), "{name:?}");
            if !cfg!(windows) {
                assert_eq!(safe_file_name(name), safe, "{name:?}");
            }
        }
    }

    #[test]
    fn ordinary_names_are_safe() {
        for name in ["2026-11-20_14-05-09.wav", "Übung – Teil 2.flac", "録音.opus", "a..b", "-", "x y.wav"] {
            assert!(is_safe_file_name(name), "{name:?}");
        }
        assert!(is_safe_file_name(&"x".repeat(SAFE_NAME_MAX_BYTES)));
        assert!(!is_safe_file_name(&"x".repeat(SAFE_NAME_MAX_BYTES + 1)));
    }

    proptest! {
        #[test]
        fn a_name_made_safe_is_safe_and_stays(name in any::<String>(), tail in "\\PC{0,300}") {
            for name in [name.clone(), format!("{name}{tail}")] {
                let safe = safe_file_name(&name);
                prop_assert!(is_safe_file_name(&safe), "{:?} -> {:?}", name, safe);
                prop_assert_eq!(safe_file_name(&safe), safe.clone());
                if is_safe_file_name(&name) {
                    prop_assert_eq!(safe, name);
                }
            }
        }

        #[test]
        fn part_names_of_safe_names_fit_and_lead_back(name in "\\PC{1,300}", n in 1_u32..100_000) {
            let target = PathBuf::from(safe_file_name(&name));
            prop_assert_eq!(target_of_part(&part_path(&target)), Some(target.clone()));
            let nth = numbered(&target, n);
            prop_assert!(name_bytes(&nth) <= 255 && name_bytes(&part_path(&nth)) <= 255);
            prop_assert!(n < 2 || nth != target);
            prop_assert!(target_of_part(&part_path(&nth)).is_some());
        }
    }
}
