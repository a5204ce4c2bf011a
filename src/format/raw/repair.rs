//! Samples without a header: nothing can be wrong with them, and how long a frame is is unknown.

use std::io::SeekFrom;

use crate::{
    error::{Error, Result},
    format::{
        Input,
        repair::{Origin, Repair},
    },
};

/// See [`examine`](crate::format::examine).
pub(super) fn examine(input: &mut dyn Input, name: &str, _origin: Origin) -> Result<Repair> {
    let len = input.seek(SeekFrom::End(0)).map_err(|error| Error::from_io(error, format!("cannot read {name}")))?;
    Ok(Repair::none("raw", len))
}
