//! Contains panics of the library: a malicious file, or a damaged one, must end no recording and no screen. Run by the
//! thread that reads.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    audio::{AudioFormat, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
    format::{Damage, Decoder},
};

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread, at this moment, is caught and reported as damage of the file that is read. A panic
/// hook ignores it then.
#[must_use]
pub fn is_guarded() -> bool {
    IS_GUARDED.get()
}

/// Runs `read`, which reads the file `name`. After a panic the file counts as damaged.
pub(super) fn guarded<T>(name: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    IS_GUARDED.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(read));
    IS_GUARDED.set(false);
    outcome.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::InvalidData, format!("{name} is damaged in a way that keeps it from being read")))
    })
}

/// A decoder whose panics are errors.
pub(super) struct Guarded<D> {
    pub(super) decoder: D,
    pub(super) name: String,
}

impl<D: Decoder> Decoder for Guarded<D> {
    fn container(&self) -> &'static str {
        self.decoder.container()
    }

    fn format(&self) -> AudioFormat {
        self.decoder.format()
    }

    fn frames(&self) -> Option<u64> {
        self.decoder.frames()
    }

    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize> {
        guarded(&self.name, || self.decoder.read(out, max_frames))
    }

    fn stored(&self) -> Option<SampleFormat> {
        self.decoder.stored()
    }

    fn read_stored(&mut self, out: &mut Vec<u8>, max_frames: usize) -> Result<usize> {
        guarded(&self.name, || self.decoder.read_stored(out, max_frames))
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        guarded(&self.name, || self.decoder.seek(frame))
    }

    fn metadata(&self) -> &Metadata {
        self.decoder.metadata()
    }

    fn damage(&self) -> Damage {
        self.decoder.damage()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_damage_and_the_next_one_is_a_panic_again() {
        let error = guarded("x.ogg", || -> Result<()> {
            assert!(is_guarded());
            panic!("a number that is too large")
        });
        assert_eq!(error.unwrap_err().to_string(), "x.ogg is damaged in a way that keeps it from being read");
        assert!(!is_guarded());
        assert_eq!(guarded("x", || Ok(5)).unwrap(), 5);
    }
}
