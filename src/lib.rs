//! A voice recorder.

pub mod audio;
pub mod capture;
pub mod decode;
pub mod encode;
pub mod error;
pub mod storage;

pub use error::{Error, ErrorKind, Result};
