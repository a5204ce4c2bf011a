//! The pages of an Ogg stream (RFC 3533): made and found. What the packets in them mean is not known here.

pub(crate) mod read;
pub(crate) mod write;
