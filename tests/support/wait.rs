//! Waiting for a condition, with a deadline that is generous enough for a loaded machine.
//!
//! The deadline only bounds how long a broken test hangs; no test may pass or fail by the time something takes.

use std::time::{Duration, Instant};

/// How long a test waits for something that is bound to happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Time between two checks: short beside anything waited for, long enough to leave the processor to other processes.
const STEP: Duration = Duration::from_millis(10);

/// Polls until `condition` is met; after [`DEADLINE`] fails with `what` and the text of `context`.
#[track_caller]
pub(crate) fn until<T>(what: &str, context: impl Fn() -> String, condition: impl FnMut() -> Option<T>) -> T {
    match poll(DEADLINE, condition) {
        Some(value) => value,
        None => panic!("waited {DEADLINE:?} in vain: {what}\n{}", context()),
    }
}

/// Polls until `condition` is met or `deadline` has passed.
pub(crate) fn poll<T>(deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if start.elapsed() > deadline {
            return None;
        }
        std::thread::sleep(STEP);
    }
}
