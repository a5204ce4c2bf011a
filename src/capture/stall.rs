//! Noticing that a device has stopped delivering without a word, as some do when they vanish. Pure; the reading thread
//! looks whenever nothing waits for it.

use std::time::{Duration, Instant};

/// Nothing is called a stall before this.
const SHORTEST: Duration = Duration::from_secs(5);
/// A stall is at least so many buffers long.
const BUFFERS: u32 = 10;

/// Watches one stream.
#[derive(Debug)]
pub(super) struct StallWatch {
    limit: Duration,
    last: Option<(Instant, u64)>,
}

impl StallWatch {
    /// A watch over a stream with buffers of that length.
    pub(super) fn new(latency: Duration) -> Self {
        Self { limit: SHORTEST.max(latency.saturating_mul(BUFFERS)), last: None }
    }

    /// How long `captured` has stood still, once each time that the limit is reached.
    pub(super) fn look(&mut self, captured: u64, now: Instant) -> Option<Duration> {
        match self.last {
            Some((since, before)) if before == captured && now.duration_since(since) < self.limit => None,
            Some((_, before)) if before == captured => {
                self.last = Some((now, captured));
                Some(self.limit)
            }
            _ => {
                self.last = Some((now, captured));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_told_once_each_time_the_limit_passes_and_forgotten_when_frames_come() {
        let start = Instant::now();
        let limit = Duration::from_secs(5);
        let mut watch = StallWatch::new(Duration::from_millis(100));
        for (millis, captured, told) in [
            (0, 7, None),
            (4_999, 7, None),
            (5_000, 7, Some(limit)),
            (9_999, 7, None),
            (10_000, 7, Some(limit)),
            (10_001, 8, None),
            (15_000, 8, None),
            (15_001, 8, Some(limit)),
        ] {
            assert_eq!(watch.look(captured, start + Duration::from_millis(millis)), told, "after {millis} ms");
        }
    }

    #[test]
    fn long_buffers_are_given_more_time() {
        let (start, mut watch) = (Instant::now(), StallWatch::new(Duration::from_secs(2)));
        assert_eq!(watch.look(0, start), None);
        assert_eq!(watch.look(0, start + Duration::from_secs(19)), None);
        assert_eq!(watch.look(0, start + Duration::from_secs(20)), Some(Duration::from_secs(20)));
    }
}
