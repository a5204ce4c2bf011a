//! Remedies, as data: the command line, which has flags and commands, and the screen, which has keys, each show those
//! that they can use.

use std::{fmt, ops::Deref};

/// One thing that helps, as a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// A flag to be given; not shown on the screen.
    Flag(String),
    /// A command to be run; not shown on the screen.
    Command(String),
    /// A key to be pressed; not shown on the command line.
    Key(String),
    /// Anything else, for everybody.
    Text(String),
}

impl Remedy {
    fn words(&self) -> &str {
        match self {
            Self::Flag(words) | Self::Command(words) | Self::Key(words) | Self::Text(words) => words,
        }
    }
}

/// The remedies, the best first. As text it is what the command line prints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hint {
    remedies: Vec<Remedy>,
    line: String,
}

impl Hint {
    /// The same, and this as well.
    pub(crate) fn and(mut self, remedy: impl Into<Self>) -> Self {
        self.remedies.extend(remedy.into().remedies);
        self.remedies.into()
    }

    /// What helps at a screen, where no command is typed.
    pub(crate) fn on_screen(&self) -> impl Iterator<Item = &str> {
        let is_meant = |remedy: &&Remedy| matches!(remedy, Remedy::Key(_) | Remedy::Text(_));
        self.remedies.iter().filter(is_meant).map(Remedy::words).filter(|words| !words.is_empty())
    }
}

impl<const N: usize> From<[Remedy; N]> for Hint {
    fn from(remedies: [Remedy; N]) -> Self {
        Vec::from(remedies).into()
    }
}

impl From<Vec<Remedy>> for Hint {
    fn from(remedies: Vec<Remedy>) -> Self {
        let said = remedies.iter().filter(|remedy| !matches!(remedy, Remedy::Key(_)));
        let line = said.map(Remedy::words).collect::<Vec<_>>().join("; ");
        Self { remedies, line }
    }
}

impl From<Remedy> for Hint {
    fn from(remedy: Remedy) -> Self {
        [remedy].into()
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Remedy::Text(text).into()
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Deref for Hint {
    type Target = str;

    fn deref(&self) -> &str {
        &self.line
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_for_the_screen_and_flags_and_commands_are_not() {
        let hint = Hint::from([
            Remedy::Text("plug it in".into()),
            Remedy::Flag("`--device tone` records a tone".into()),
            Remedy::Command("`dictaphone devices` lists what is there".into()),
            Remedy::Key("i lists the inputs".into()),
        ]);
        assert_eq!(
            hint.to_string(),
            "plug it in; `--device tone` records a tone; `dictaphone devices` lists what is there"
        );
        assert_eq!(hint.on_screen().collect::<Vec<_>>(), ["plug it in", "i lists the inputs"]);
    }
}
