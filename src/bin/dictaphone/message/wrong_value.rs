//! Why a value is refused, with what helps.

use std::{error::Error, fmt};

use super::Hint;

/// What is wrong with a value that a user wrote, and what helps if that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrongValue {
    pub(crate) what: String,
    /// Empty if nothing is known.
    pub(crate) hint: Hint,
}

impl WrongValue {
    /// The whole text, in which tests look for words.
    #[cfg(test)]
    pub(crate) fn whole(&self) -> String {
        format!("{}; {}", self.what, self.hint)
    }

    pub(crate) fn new(what: impl Into<String>, hint: impl Into<Hint>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

impl From<String> for WrongValue {
    fn from(what: String) -> Self {
        Self { what, hint: Hint::default() }
    }
}

impl From<&str> for WrongValue {
    fn from(what: &str) -> Self {
        what.to_owned().into()
    }
}

impl fmt::Display for WrongValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.what)
    }
}

impl Error for WrongValue {}
