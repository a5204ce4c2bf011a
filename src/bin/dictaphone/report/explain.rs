//! From any error that reached `main` to the message about it and how the program ends: the only place that checks what
//! kind of error it is. Pure.

use std::ffi::OsString;

use dictaphone::Error;

use crate::{
    cli::usage,
    message::{Failure, Message, exit::Exit},
};

/// The message about `error`, what helps, and how the program ends; `words` are the arguments of the command line.
pub(crate) fn explain(error: &anyhow::Error, words: impl IntoIterator<Item = OsString>) -> Failure {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.clone();
    }
    if let Some(error) = error.downcast_ref::<Error>() {
        return error.clone().into();
    }
    if let Some(error) = error.downcast_ref::<clap::Error>() {
        return usage::failure(error, words);
    }
    // What was tried, and why it failed.
    Failure::new(Message::new(format!("{error:#}")), Exit::Failed)
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context as _;
    use clap::Parser as _;
    use dictaphone::ErrorKind;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_kind_of_error_has_its_code_its_sentence_and_its_remedy() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let wrong = Cli::try_parse_from(["dictaphone", "record", "-c", "0"]).unwrap_err();
        for (error, exit, text, hint) in [
            (Failure::usage("--dir is empty", "name a folder").into(), Exit::Usage, "--dir is empty", "name a folder"),
            (Error::new(ErrorKind::NotFound, "no input").into(), Exit::NoDevice, "no input", "`dictaphone devices`"),
            (Error::new(ErrorKind::NotAllowed, "no").into(), Exit::Denied, "no", "privacy settings"),
            (wrong.into(), Exit::Usage, "invalid value '0'", "1 is mono"),
            (
                Err::<(), _>(full()).context("cannot write the list").unwrap_err(),
                Exit::Failed,
                "cannot write the list: ",
                "",
            ),
        ] {
            let failure: Failure = explain(&error, ["record".into()]);
            assert_eq!(failure.exit, exit, "{error}");
            assert!(failure.message.text.starts_with(text), "{}", failure.message.text);
            assert!(failure.message.hint.unwrap_or_default().contains(hint), "{error}");
        }
    }
}
