//! The frame of the recording that is heard at a given frame of the line.
//!
//! Between the two lie another rate, another speed, seeks and repeats. Pure arithmetic.

use std::collections::VecDeque;

/// A stretch of the recording that goes into the stretcher without a seam.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// The first frame of it, in the stretcher's count of its input.
    fed: u64,
    /// The same frame, in the recording's count.
    source: u64,
    /// Its end in the recording, once that is known.
    end: Option<u64>,
}

/// From a frame of the line on, the recording advances at an even pace.
#[derive(Debug, Clone, Copy)]
struct Mark {
    line: u64,
    source: f64,
    /// Frames of the recording for each frame of the line.
    pace: f64,
    end: Option<u64>,
}

/// The mapping from frames of the line back to frames of the recording.
#[derive(Debug)]
pub(super) struct PlayTimeline {
    /// Where the first mark lies, or will lie.
    start: u64,
    /// Frames of the recording for each frame that goes into the stretcher.
    ratio: f64,
    segments: VecDeque<Segment>,
    marks: VecDeque<Mark>,
}

impl PlayTimeline {
    pub(super) fn new(start: u64) -> Self {
        Self { start, ratio: 1.0, segments: VecDeque::new(), marks: VecDeque::new() }
    }

    /// Begins anew: the next frame written is the frame `start` of a recording at `source_rate` Hz.
    pub(super) fn restart(&mut self, start: u64, source_rate: u32, line_rate: u32) {
        self.start = start;
        self.ratio = f64::from(source_rate) / f64::from(line_rate.max(1));
        self.segments.clear();
        self.marks.clear();
        self.segments.push_back(Segment { fed: 0, source: start, end: None });
    }

    /// The recording is left at `end`, and the stretcher's input from its frame `fed` on begins at `source`.
    pub(super) fn jump(&mut self, end: u64, fed: u64, source: u64) {
        self.close(end);
        self.segments.push_back(Segment { fed, source, end: None });
    }

    /// Ends the recording at `end`.
    pub(super) fn close(&mut self, end: u64) {
        if let Some(last) = self.segments.back_mut() {
            last.end = Some(end);
        }
        // The last frames may have been marked before the end was known.
        if let Some(last) = self.marks.back_mut() {
            last.end = last.end.or(Some(end));
        }
    }

    /// The `frames` frames of the line from `line` on came out of the stretcher while its position went from `from`
    /// to `to`.
    pub(super) fn mark(&mut self, line: u64, frames: usize, from: f64, to: f64) {
        if frames == 0 {
            return;
        }
        let pace = ((to - from) / frames as f64).max(0.0);
        while self.segments.get(1).is_some_and(|next| next.fed as f64 <= from) {
            self.segments.pop_front();
        }
        let Some(first) = self.segments.front().copied() else { return };
        let source = first.source as f64 + (from - first.fed as f64).max(0.0) * self.ratio;
        self.marks.push_back(Mark { line, source, pace: pace * self.ratio, end: first.end });
        for segment in self.segments.iter().skip(1).take_while(|segment| (segment.fed as f64) < to) {
            let offset = ((segment.fed as f64 - from) / pace).round() as u64;
            let source = segment.source as f64;
            self.marks.push_back(Mark { line: line + offset, source, pace: pace * self.ratio, end: segment.end });
        }
    }

    /// The frame of the recording at the frame `line`, which never goes back.
    pub(super) fn at(&mut self, line: u64) -> u64 {
        while self.marks.get(1).is_some_and(|next| next.line <= line) {
            self.marks.pop_front();
        }
        let Some(mark) = self.marks.front() else { return self.start };
        let source = (mark.source + line.saturating_sub(mark.line) as f64 * mark.pace).round() as u64;
        mark.end.map_or(source, |end| source.min(end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn positions_follow_rate_speed_and_repeats() {
        let mut timeline = PlayTimeline::new(7);
        assert_eq!(timeline.at(1_000), 7);
        // 24 kHz on a line of 48 kHz, at double speed, from frame 100 on; the line has had 50 frames already.
        timeline.restart(100, 24_000, 48_000);
        assert_eq!(timeline.at(40), 100);
        timeline.mark(50, 100, 0.0, 200.0);
        assert_eq!([40, 50, 60, 100, 150].map(|line| timeline.at(line)), [100, 100, 110, 150, 200]);
        // At 210 back to 20.
        timeline.jump(210, 220, 20);
        timeline.mark(150, 100, 200.0, 400.0);
        assert_eq!([150, 160, 161, 250].map(|line| timeline.at(line)), [200, 20, 21, 110]);
    }

    #[test]
    fn a_position_stays_within_the_end() {
        let mut timeline = PlayTimeline::new(0);
        timeline.restart(0, 1, 1);
        timeline.mark(0, 10, 0.0, 10.0);
        timeline.close(8);
        assert_eq!([7, 8, 9, 100].map(|line| timeline.at(line)), [7, 8, 8, 8]);
    }

    proptest! {
        #[test]
        fn at_the_same_rate_and_speed_positions_are_exact(start in 0..1_u64 << 50, blocks in prop::collection::vec(0_usize..5_000, 0..20)) {
            let mut timeline = PlayTimeline::new(0);
            timeline.restart(start, 44_100, 44_100);
            let mut line = 0;
            for block in blocks {
                timeline.mark(line, block, line as f64, (line + block as u64) as f64);
                prop_assert_eq!(timeline.at(line), start + line);
                line += block as u64;
                prop_assert_eq!(timeline.at(line), start + line);
            }
        }
    }
}
