//! Filter words: a name must contain all of them, in any order, regardless of case and accents. Pure.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// The words of a filter.
///
/// ```
/// use dictaphone::clips::Words;
/// assert!(Words::new("zoe BUDGET").are_in("Budget 2026 – Zoë"));
/// assert!(!Words::new("zoe budget").are_in("Zoë, lunch"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// The words of `text`, separated by blanks; without words every name matches.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.split_whitespace().map(folded).collect())
    }

    /// Whether all of them are in `name`.
    #[must_use]
    pub fn are_in(&self, name: &str) -> bool {
        let name = if self.0.is_empty() { String::new() } else { folded(name) };
        self.0.iter().all(|word| name.contains(word))
    }
}

/// Without case and accents (Unicode Standard Annex 15, form KD). Letters that do not decompose into a letter and an
/// accent get the spelling that people type instead.
fn folded(text: &str) -> String {
    let base = text.nfkd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase);
    let mut folded = String::with_capacity(text.len());
    for c in base.filter(|&c| !is_combining_mark(c)) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            c => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_found_in_any_order_case_and_accent() {
        for (text, name, expected) in [
            ("", "anything", true),
            ("  ", "", true),
            ("a", "", false),
            ("anna interview", "Interview-Anna", true),
            ("anna berta", "Interview-Anna", false),
            ("zoe", "Besprechung – Zoë", true),
            ("ZOË", "zoe\u{308}", true),
            ("strasse", "Hauptstraße", true),
            ("STRASSE", "hauptstrasse", true),
            ("istanbul", "İSTANBUL", true),
            ("lodz", "Łódź", true),
            ("マイク", "会議 マイク", true),
            ("ﾏｲｸ", "会議 マイク", true),
            ("09-12", "2026-11-18_09-12-44", true),
            ("12 2026", "2026-11-18_09-12-44", true),
        ] {
            assert_eq!(Words::new(text).are_in(name), expected, "{text:?} in {name:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_found_by_itself_and_by_its_words_backwards(name in "\\PC{0,30}") {
            let backwards: Vec<&str> = name.split_whitespace().rev().collect();
            prop_assert!(Words::new(&name).are_in(&name));
            prop_assert!(Words::new(&backwards.join(" ")).are_in(&name));
        }
    }
}
