//! Names for streams, tracks and recordings.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number that no other object of this process has.
pub(crate) fn new_key() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A random UUID (RFC 9562, version 4), as the standard requires for ids of streams and tracks.
pub(crate) fn new_id() -> String {
    // Every RandomState is keyed by the system's random numbers; the key makes ids differ even if it is not.
    let random = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(new_key());
        hasher.finish()
    };
    let (high, low) = (random(), random());
    let version = (high & !0xf000) | 0x4000;
    let variant = (low & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 32,
        (version >> 16) & 0xffff,
        version & 0xffff,
        variant >> 48,
        variant & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_distinct_uuids() {
        let ids: HashSet<String> = (0..1_000).map(|_| new_id()).collect();
        assert_eq!(ids.len(), 1_000);
        for id in &ids {
            assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
            assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        }
    }
}
