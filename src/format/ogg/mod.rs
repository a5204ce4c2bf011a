//! The pages of an Ogg stream (RFC 3533): written and found. What the packets in them mean is not handled here.

pub(crate) mod read;
pub(crate) mod write;
