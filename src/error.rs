//! The one error type of the library.
//!
//! Every failure has a [`ErrorKind`], a sentence of context that names the thing that failed, and, where another error
//! caused it, that error as its source. Kinds carry the names of the web standards where those have one, so that a
//! caller can report the same name that a browser would.

use std::{fmt, io, sync::Arc};

/// What went wrong, by kind.
///
/// The names in the first column of the documentation are those of the W3C recommendations *MediaStream Recording*
/// and *Media Capture and Streams*; see [`ErrorKind::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// `InvalidStateError`: the recorder's state does not allow the call. Nothing changed.
    InvalidState,
    /// `NotSupportedError`: the MIME type, the tracks or the format cannot be recorded.
    NotSupported,
    /// `NotSupportedError`: the sound of a file is coded in a way that is not read here.
    Undecodable,
    /// `InvalidModificationError`: a track was added to or removed from the stream while it was being recorded.
    InvalidModification,
    /// `NotFoundError`: there is no input device, or none with that id or name.
    NotFound,
    /// `OverconstrainedError`: a required constraint cannot be met; [`Error::constraint`] names it.
    Overconstrained,
    /// `NotAllowedError`: the system or the user denies access to the device or the file.
    NotAllowed,
    /// `NotReadableError`: the device exists but cannot be opened (busy, hardware, driver, server gone).
    NotReadable,
    /// `AbortError`: the device could not be used for any other reason, or the caller ended the work.
    Abort,
    /// `UnknownError`: a disk, an encoder or anything else failed; the source has the cause.
    Unknown,
    /// `EncodingError`: a file was written and has its name, but is not what it should be.
    Encoding,
    /// A file of that name is already there, and no file is overwritten without a request.
    AlreadyExists,
    /// The bytes of a file or the words of an argument are not what their format demands.
    InvalidData,
}

impl ErrorKind {
    /// The name that the web standards give this kind, for machine output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidState => "InvalidStateError",
            Self::NotSupported | Self::Undecodable => "NotSupportedError",
            Self::InvalidModification => "InvalidModificationError",
            Self::NotFound => "NotFoundError",
            Self::Overconstrained => "OverconstrainedError",
            Self::NotAllowed => "NotAllowedError",
            Self::NotReadable => "NotReadableError",
            Self::Abort => "AbortError",
            Self::Unknown => "UnknownError",
            Self::Encoding => "EncodingError",
            Self::AlreadyExists => "AlreadyExistsError",
            Self::InvalidData => "DataError",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

type Cause = Arc<dyn std::error::Error + Send + Sync + 'static>;

/// A failure: its kind, what it was about, and what caused it.
///
/// Cheap to clone, because an error can be both returned and sent as an event.
///
/// ```
/// use std::{error::Error as _, io};
/// use dictaphone::{Error, ErrorKind};
///
/// let cause = io::Error::from(io::ErrorKind::PermissionDenied);
/// let error = Error::from_io(cause, "cannot read take.wav");
/// assert_eq!((error.kind(), error.name()), (ErrorKind::NotAllowed, "NotAllowedError"));
/// assert!(error.source().is_some());
/// ```
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    context: String,
    constraint: Option<&'static str>,
    file: Option<String>,
    source: Option<Cause>,
}

/// The result of everything in this library that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`; `context` is lower case, has no full stop, and names the thing that failed.
    #[must_use]
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), constraint: None, file: None, source: None }
    }

    /// The same error with the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The same failure with another kind.
    #[must_use]
    pub(crate) fn of_kind(self, kind: ErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// An `OverconstrainedError` for the constraint of that name.
    #[must_use]
    pub fn overconstrained(constraint: &'static str, context: impl Into<String>) -> Self {
        Self { constraint: Some(constraint), ..Self::new(ErrorKind::Overconstrained, context) }
    }

    /// The same failure, caused by what the caller requested under that name.
    #[must_use]
    pub(crate) fn because_of(self, constraint: &'static str) -> Self {
        Self { constraint: Some(constraint), ..self }
    }

    /// An [`ErrorKind::Undecodable`] for the file of that name; `context` names it as well.
    #[must_use]
    pub(crate) fn undecodable(file: &str, context: impl Into<String>) -> Self {
        Self { file: Some(file.to_owned()), ..Self::new(ErrorKind::Undecodable, context) }
    }

    /// An input or output error with the context of the operation; permission and "exists" keep kinds of their own.
    #[must_use]
    pub fn from_io(error: io::Error, context: impl Into<String>) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::PermissionDenied => ErrorKind::NotAllowed,
            io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
            io::ErrorKind::InvalidData => ErrorKind::InvalidData,
            _ => ErrorKind::Unknown,
        };
        Self::new(kind, context).with_source(error)
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The standard's name of the kind, such as `NotFoundError`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// The required constraint that could not be met, for [`ErrorKind::Overconstrained`]; `map` or `channels` if the
    /// requested channels do not fit the source, for [`ErrorKind::NotSupported`].
    #[must_use]
    pub fn constraint(&self) -> Option<&'static str> {
        self.constraint
    }

    /// The file whose sound is not read, for [`ErrorKind::Undecodable`].
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The kind of the input or output error underneath, if there is one.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        let source: &(dyn std::error::Error + 'static) = self.source.as_deref()?;
        source.downcast_ref::<io::Error>().map(io::Error::kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)?;
        match &self.source {
            Some(source) => write!(f, ": {}", without_number(&source.to_string())),
            None => Ok(()),
        }
    }
}

/// The message of the system, without the number of the error after it, which means nothing to people.
fn without_number(text: &str) -> &str {
    let number = text.rsplit_once(" (os error ").and_then(|(text, number)| Some((text, number.strip_suffix(')')?)));
    match number {
        Some((text, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => text,
        _ => text,
    }
}

impl std::error::Error for Error {
    /// The cause. [`Display`](fmt::Display) includes it as well, so that one line has everything: a caller that prints
    /// a chain of errors need not go on after this one.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source: &(dyn std::error::Error + 'static) = self.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_system_error_is_not_told() {
        let error = Error::from_io(io::Error::from_raw_os_error(30), "cannot write x");
        assert!(!error.to_string().contains("os error"), "{error}");
        for (text, expected) in [
            ("Read-only file system (os error 30)", "Read-only file system"),
            ("no (os error 3", "no (os error 3"),
            ("x (os error 3) y", "x (os error 3) y"),
            ("(os error 3)", "(os error 3)"),
        ] {
            assert_eq!(without_number(text), expected);
        }
    }

    #[test]
    fn an_io_error_keeps_its_kind_and_is_printed_once() {
        let error = Error::from_io(io::Error::new(io::ErrorKind::PermissionDenied, "denied"), "cannot open x");
        assert_eq!(error.kind(), ErrorKind::NotAllowed);
        assert_eq!(error.io_kind(), Some(io::ErrorKind::PermissionDenied));
        assert_eq!(error.to_string(), "cannot open x: denied");
    }

    #[test]
    fn an_overconstrained_error_names_its_constraint() {
        let error = Error::overconstrained("sampleRate", "no device runs at 7 Hz");
        assert_eq!((error.name(), error.constraint()), ("OverconstrainedError", Some("sampleRate")));
    }
}
