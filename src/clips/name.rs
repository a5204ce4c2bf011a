//! Names of clips: which names are allowed, which clip a word names, and in which order people expect them.

use std::{
    cmp::Ordering,
    fmt, fs, io,
    path::{MAIN_SEPARATOR, Path, PathBuf},
};

use crate::{
    error::{Error, ErrorKind, Result},
    format,
    storage::place,
};

/// The most bytes a file name has, its extension included.
const NAME_MAX_BYTES: usize = 255;

/// Checks that a clip can be called `name`, with `extension` (without dot, may be empty) after it.
///
/// # Errors
/// [`ErrorKind::InvalidData`] with what is wrong with the name.
pub fn check(name: &str, extension: &str) -> Result<()> {
    let dotted = extension.len() + usize::from(!extension.is_empty());
    let wrong = if name.trim().is_empty() {
        "a name needs at least one visible character".to_owned()
    } else if name.starts_with('.') {
        "a name cannot start with a dot, which would hide the file".to_owned()
    } else if name.trim() != name {
        "a name cannot start or end with a blank".to_owned()
    } else if let Some(c) = name.chars().find(|&c| is_refused(c)) {
        format!("a name cannot contain {}", described(c))
    } else if name.len() + dotted > NAME_MAX_BYTES {
        let max = NAME_MAX_BYTES.saturating_sub(dotted);
        format!("the name takes {} bytes, and {max} are the most", name.len())
    } else if cfg!(windows) && name.len() <= place::SAFE_NAME_MAX_BYTES && !place::is_safe_file_name(name) {
        format!("Windows keeps the name '{name}' for itself")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::InvalidData, wrong))
}

fn is_refused(c: char) -> bool {
    // In addition to what storage refuses: invisible characters, with which two names would look the same.
    !place::is_safe_char(c) || matches!(c, '\u{61c}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

fn described(c: char) -> String {
    match c {
        '/' | '\\' | ':' | '<' | '>' | '"' | '|' | '?' | '*' => format!("'{c}'"),
        c if c.is_control() => format!("the control character U+{:04X}", u32::from(c)),
        c => format!("the invisible character U+{:04X}", u32::from(c)),
    }
}

/// Whether a file of that name would be listed: it is not hidden and has an extension of a sound file.
#[must_use]
pub fn is_clip_name(path: &Path) -> bool {
    let is_hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let is_sound = |extension: &str| format::name_by_extension(extension).is_some();
    !is_hidden && path.extension().and_then(|extension| extension.to_str()).is_some_and(is_sound)
}

/// Why a word does not name a clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindError {
    /// There is no such file.
    NotFound {
        /// The word.
        word: String,
        /// The folder that was searched.
        folder: PathBuf,
    },
    /// It fits several files.
    Ambiguous {
        /// The word.
        word: String,
        /// The files, sorted.
        candidates: Vec<PathBuf>,
    },
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { word, folder } => write!(f, "no clip '{word}' in {}", folder.display()),
            Self::Ambiguous { word, candidates } => {
                let list: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
                write!(f, "'{word}' could be any of {}", list.join(", "))
            }
        }
    }
}

impl std::error::Error for FindError {}

/// The file that `word` names: a path, the name of a file in `folder`, or such a name without its extension.
///
/// A word without a separator that fits both a file in the current folder and another one in `folder` is ambiguous,
/// because it may be the name of what is to be deleted. Reads no file.
///
/// # Errors
/// [`FindError`]; a folder that cannot be read has no clips.
pub fn find(folder: &Path, word: &Path) -> Result<PathBuf, FindError> {
    if is_bare(word) {
        return find_bare(folder, word);
    }
    if exists(word) {
        return Ok(word.to_owned());
    }
    // A path may omit the extension too.
    match (word.parent(), word.file_name()) {
        (Some(parent), Some(name)) => find_stem(parent, Path::new(name), word),
        _ => Err(not_found(word, folder)),
    }
}

fn find_bare(folder: &Path, word: &Path) -> Result<PathBuf, FindError> {
    let inside = folder.join(word);
    match (exists(&inside), exists(word)) {
        (true, true) if !is_same(&inside, word) => {
            let here = Path::new(".").join(word);
            Err(FindError::Ambiguous { word: shown(word), candidates: vec![here, inside] })
        }
        (true, _) => Ok(inside),
        (false, true) => Ok(word.to_owned()),
        (false, false) => find_stem(folder, word, word),
    }
}

/// The file in `folder` that is called `stem` before its extension.
fn find_stem(folder: &Path, stem: &Path, word: &Path) -> Result<PathBuf, FindError> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let fits = |path: &PathBuf| path.file_stem() == Some(stem.as_os_str()) && is_clip_name(path);
    let mut candidates: Vec<PathBuf> = entries.filter(fits).filter(|path| exists(path)).collect();
    candidates.sort();
    match candidates.as_slice() {
        [] => Err(not_found(word, folder)),
        [path] => Ok(path.clone()),
        _ => Err(FindError::Ambiguous { word: shown(word), candidates }),
    }
}

fn not_found(word: &Path, folder: &Path) -> FindError {
    FindError::NotFound { word: shown(word), folder: folder.to_owned() }
}

fn shown(word: &Path) -> String {
    word.display().to_string()
}

fn is_bare(word: &Path) -> bool {
    let text = word.to_string_lossy();
    !text.contains('/') && !text.contains(MAIN_SEPARATOR) && word.file_name().is_some()
}

/// Whether anything but a folder is there; a link without a target counts, because it can be deleted.
fn exists(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => !metadata.is_dir(),
        Err(error) => error.kind() != io::ErrorKind::InvalidInput && fs::symlink_metadata(path).is_ok(),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The order of names that people expect: case does not matter, and `take-2` comes before `take-10`.
#[must_use]
pub fn natural_order(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    while !left.is_empty() && !right.is_empty() {
        let (a, left_rest) = token(left);
        let (b, right_rest) = token(right);
        let order = match (number(a), number(b)) {
            (Some(a), Some(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            _ => a.to_lowercase().cmp(&b.to_lowercase()),
        };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.len().cmp(&right.len()).then_with(|| one.cmp(other))
}

/// The digits or the other characters at the start, and the rest.
fn token(text: &str) -> (&str, &str) {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The digits without leading zeros.
fn number(token: &str) -> Option<&str> {
    token.starts_with(|c: char| c.is_ascii_digit()).then(|| token.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_would_leave_the_folder_hide_or_mislead_are_refused() {
        let long = "x".repeat(252);
        let wide = "録".repeat(84);
        for (name, word) in [
            ("", "visible"),
            ("  ", "visible"),
            (".", "dot"),
            ("..", "dot"),
            (".hidden", "dot"),
            (" x", "blank"),
            ("x ", "blank"),
            ("a/b", "'/'"),
            ("../x", "dot"),
            ("a\\b", "'\\'"),
            ("a:b", "':'"),
            ("a\nb", "U+000A"),
            ("a\0b", "U+0000"),
            ("a\u{1b}[2J", "U+001B"),
            ("gpj\u{202e}vaw", "U+202E"),
            ("a\u{200f}", "U+200F"),
            ("a\u{feff}", "U+FEFF"),
            (long.as_str(), "252 bytes, and 251"),
            (wide.as_str(), "252 bytes"),
        ] {
            let error = check(name, "wav").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.to_string().contains(word), "{name:?}: {error}");
        }
    }

    #[test]
    fn names_in_every_script_are_taken_up_to_255_bytes() {
        for name in ["a", "-", "Übung – Teil 2", "録音", "שלום", "👩‍🔬 notes", "v1.2", "a..b", &"x".repeat(251)]
        {
            check(name, "wav").unwrap();
        }
        check(&"x".repeat(255), "").unwrap();
        assert!(check(&"x".repeat(256), "").is_err());
    }

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        folder
    }

    #[test]
    fn a_word_is_a_file_name_a_name_or_a_path() {
        let dir = folder_with(&["a.wav", "b.wav", "b.flac", "c.d.wav", "c", "notes.txt", ".h.wav", "a.wav.wav"]);
        fs::create_dir(dir.path().join("e.wav")).unwrap();
        let at = |name: &str| dir.path().join(name);
        let found = |word: &str| find(dir.path(), Path::new(word)).map_err(|error| error.to_string());
        for (word, name) in [
            ("a.wav", "a.wav"),
            ("a", "a.wav"),
            ("b.flac", "b.flac"),
            ("c.d", "c.d.wav"),
            ("c", "c"),
            ("notes.txt", "notes.txt"),
        ] {
            assert_eq!(found(word), Ok(at(name)), "{word}");
        }
        for word in ["x", "notes", "e", "e.wav", ".h", "", ".", "..", "A.WAV?"] {
            assert!(found(word).unwrap_err().starts_with("no clip "), "{word}");
        }
        let both = find(dir.path(), Path::new("b")).unwrap_err();
        assert_eq!(both, FindError::Ambiguous { word: "b".into(), candidates: vec![at("b.flac"), at("b.wav")] });
        let elsewhere = Path::new("/nonexistent");
        for (word, name) in [("a.wav", "a.wav"), ("a", "a.wav")] {
            assert_eq!(find(elsewhere, &at(word)), Ok(at(name)));
        }
        assert!(matches!(find(elsewhere, Path::new("a")), Err(FindError::NotFound { .. })));
    }

    #[test]
    fn a_file_here_and_another_in_the_folder_are_ambiguous() {
        // Tests run in the package's folder, which has this file.
        let dir = folder_with(&["Cargo.toml"]);
        assert!(matches!(find(dir.path(), Path::new("Cargo.toml")), Err(FindError::Ambiguous { .. })));
        assert_eq!(find(Path::new("."), Path::new("Cargo.toml")), Ok(PathBuf::from("./Cargo.toml")));
        assert_eq!(find(&dir.path().join("x"), Path::new("Cargo.toml")), Ok(PathBuf::from("Cargo.toml")));
    }

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["take-10", "Take-2", "take", "take-002", "b", "Ähre", "take-2b", "10", "9"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["9", "10", "b", "take", "Take-2", "take-002", "take-2b", "take-10", "Ähre"]);
    }

    proptest! {
        #[test]
        fn the_order_of_names_is_an_order(a in "[aB0-2-]{0,6}", b in "[aB0-2-]{0,6}", c in "[aB0-2-]{0,6}") {
            prop_assert_eq!(natural_order(&a, &b), natural_order(&b, &a).reverse());
            prop_assert_eq!(natural_order(&a, &b) == Ordering::Equal, a == b);
            if natural_order(&a, &b).is_le() && natural_order(&b, &c).is_le() {
                prop_assert!(natural_order(&a, &c).is_le());
            }
        }
    }
}
