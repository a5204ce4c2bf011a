//! Reads a recording of position-coded audio ([`super::signal`]) back into a [`Report`] that names every lost, doubled,
//! changed or inserted sample, where it is and how many there are.

use std::fmt;

use super::signal::{MAX_FRAMES, ROUNDS, Rounds, WINDOW, coded_sample, encode_pair, locate};

/// A run of samples in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Index in the recording.
    pub(crate) at: usize,
    /// Number of samples.
    pub(crate) count: u64,
}

/// The analysis of one channel of position-coded audio. Every `at` is an index into the recording.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Whose code was found: the channel of the played file.
    pub(crate) channel: u16,
    /// Position of the first coded sample; `None` if there is no code at all.
    pub(crate) first: Option<u64>,
    /// One past the position of the last coded sample.
    pub(crate) end: u64,
    /// Index of the first coded sample: the silence before it.
    pub(crate) lead_in: usize,
    /// Silent samples after the last coded one.
    pub(crate) lead_out: usize,
    /// Missing in the recording just before `at`.
    pub(crate) lost: Vec<Span>,
    /// Recorded a second time, from `at` on.
    pub(crate) doubled: Vec<Span>,
    /// Samples with another value than was played.
    pub(crate) changed: Vec<usize>,
    /// Zeros that were not played. Where they replace audio, the audio counts as lost too.
    pub(crate) silence: Vec<Span>,
    /// Samples that are neither code nor zero. Where they replace audio of another length, that counts as lost too.
    pub(crate) foreign: Vec<Span>,
}

impl Report {
    /// Whether code was found and every sample of it is there once, unchanged, in its order.
    pub(crate) fn is_perfect(&self) -> bool {
        self.first.is_some()
            && self.changed.is_empty()
            && [&self.lost, &self.doubled, &self.silence, &self.foreign].iter().all(|spans| spans.is_empty())
    }

    /// Fails with the damage unless [`Report::is_perfect`].
    #[track_caller]
    pub(crate) fn assert_contiguous(&self) {
        assert!(self.is_perfect(), "the recording is not contiguous: {self:?}");
    }

    /// Fails unless the recording is contiguous and contains coded frames 0 to `frames`, all of them.
    #[track_caller]
    pub(crate) fn assert_whole(&self, frames: u64) {
        self.assert_contiguous();
        assert_eq!((self.first, self.end), (Some(0), frames), "start or end is missing: {self:?}");
    }

    /// Samples lost in all.
    pub(crate) fn lost_samples(&self) -> u64 {
        self.lost.iter().map(|span| span.count).sum()
    }
}

/// Shows the first few of each kind: a badly broken recording has millions.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel, first, end, lead_in, lead_out, .. } = self;
        write!(f, "channel {channel}, code {first:?}..{end}, silence before {lead_in} and after {lead_out}")?;
        let kinds =
            [("lost", &self.lost), ("doubled", &self.doubled), ("silence", &self.silence), ("foreign", &self.foreign)];
        for (name, spans) in kinds {
            if !spans.is_empty() {
                let total: u64 = spans.iter().map(|span| span.count).sum();
                write!(f, "; {name} {total} samples in {} places:", spans.len())?;
                spans.iter().take(5).try_for_each(|span| write!(f, " {} at {}", span.count, span.at))?;
            }
        }
        if !self.changed.is_empty() {
            write!(f, "; changed {} samples: at", self.changed.len())?;
            self.changed.iter().take(5).try_for_each(|at| write!(f, " {at}"))?;
        }
        Ok(())
    }
}

/// Analyses a mono recording.
pub(crate) fn analyse(samples: &[i16]) -> Report {
    let Some((index, channel, position)) = find_code(samples, 0) else {
        let foreign = silent_and_other(samples, 0).1;
        return Report { lead_out: samples.len(), foreign, ..Report::default() };
    };
    let report = Report { channel, first: Some(position), lead_in: index, ..Report::default() };
    let mut analysis = Analysis { samples, index, position, report };
    analysis.report.foreign = silent_and_other(&samples[..index], 0).1;
    analysis.run();
    analysis.report
}

/// Analyses an interleaved recording, channel by channel.
pub(crate) fn analyse_channels(samples: &[i16], channels: u16) -> Vec<Report> {
    assert_eq!(samples.len() % usize::from(channels), 0, "the recording ends within a frame");
    (0..channels)
        .map(|c| analyse(&samples.iter().skip(c.into()).step_by(channels.into()).copied().collect::<Vec<_>>()))
        .collect()
}

/// Fails unless every channel is contiguous, carries its own code, and all begin and end at the same position.
#[track_caller]
pub(crate) fn assert_channels_contiguous(reports: &[Report]) {
    for (channel, report) in reports.iter().enumerate() {
        report.assert_contiguous();
        assert_eq!(usize::from(report.channel), channel, "channels are swapped: {reports:?}");
        let ends = |r: &Report| (r.first, r.end, r.lead_in);
        assert_eq!(ends(report), ends(&reports[0]), "channels are not in step: {reports:?}");
    }
}

/// Index, channel and position of the first unharmed code at or after `from`.
fn find_code(samples: &[i16], from: usize) -> Option<(usize, u16, u64)> {
    let mut index = from;
    while index < samples.len() {
        // Recordings contain long silences, and no code begins with a zero.
        if samples[index] != 0
            && let Some((channel, position)) = locate(&samples[index..])
        {
            return Some((index, channel, position));
        }
        index += 1;
    }
    None
}

/// The zero runs of `samples` and what lies between them, at indices that begin at `offset`.
fn silent_and_other(samples: &[i16], offset: usize) -> (Vec<Span>, Vec<Span>) {
    let (mut silent, mut other) = (Vec::new(), Vec::new());
    let mut at = offset;
    for run in samples.chunk_by(|a, b| (*a == 0) == (*b == 0)) {
        let span = Span { at, count: run.len() as u64 };
        if run[0] == 0 {
            silent.push(span)
        } else {
            other.push(span)
        }
        at += run.len();
    }
    (silent, other)
}

/// Walks along a recording with the position that is expected at each sample.
struct Analysis<'a> {
    samples: &'a [i16],
    index: usize,
    position: u64,
    report: Report,
}

impl Analysis<'_> {
    fn run(&mut self) {
        loop {
            self.follow();
            // Code of another channel, found here, is as foreign as any other sound.
            let mut from = self.index;
            let found = loop {
                match find_code(self.samples, from) {
                    Some((index, channel, _)) if channel != self.report.channel => from = index + 1,
                    found => break found,
                }
            };
            match found {
                Some((index, _, position)) => self.bridge(index, position),
                None => return self.conclude(),
            }
        }
    }

    /// Goes on as long as the samples are the expected ones. Two at a time: most of the time is spent here.
    fn follow(&mut self) {
        let rounds: &Rounds = &ROUNDS;
        let (samples, channel) = (self.samples, self.report.channel);
        let (mut index, mut position) = (self.index, self.position);
        while index < samples.len() && position < MAX_FRAMES {
            let pair = encode_pair(rounds, channel, (position / 2) as u32);
            if position % 2 == 1 {
                if samples[index] != pair.1 {
                    break;
                }
                index += 1;
                position += 1;
                continue;
            }
            if samples[index] != pair.0 {
                break;
            }
            index += 1;
            position += 1;
            if index < samples.len() && samples[index] == pair.1 {
                index += 1;
                position += 1;
            }
        }
        (self.index, self.position) = (index, position);
    }

    /// Accounts for what lies between the last good sample and code found again at `index`.
    fn bridge(&mut self, index: usize, position: u64) {
        let between = &self.samples[self.index..index];
        let count = between.len() as u64;
        let same_length = position == self.position + count;
        if same_length && between.iter().any(|&s| s != 0) {
            self.note_changed(index);
        } else {
            let (silent, other) = silent_and_other(between, self.index);
            self.report.silence.extend(silent);
            self.report.foreign.extend(other);
            let at = index;
            if position > self.position {
                self.report.lost.push(Span { at, count: position - self.position });
            } else if position < self.position {
                self.report.doubled.push(Span { at, count: self.position - position });
            }
        }
        (self.index, self.position) = (index, position);
    }

    /// The samples up to `end` are as many as were played: finds those that differ.
    fn note_changed(&mut self, end: usize) {
        for index in self.index..end {
            let position = self.position + (index - self.index) as u64;
            if position >= MAX_FRAMES || self.samples[index] != coded_sample(self.report.channel, position) {
                self.report.changed.push(index);
            }
        }
    }

    /// No code follows any more: the rest is silence after the end, or too short or too broken to be placed.
    fn conclude(&mut self) {
        let rest = &self.samples[self.index..];
        let silent = rest.iter().rev().take_while(|&&s| s == 0).count();
        let end = self.samples.len() - silent;
        if end - self.index < WINDOW {
            self.note_changed(end);
            self.position += (end - self.index) as u64;
        } else {
            let (silence, other) = silent_and_other(&self.samples[self.index..end], self.index);
            self.report.silence.extend(silence);
            self.report.foreign.extend(other);
        }
        self.report.lead_out = silent;
        self.report.end = self.position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::signal::PositionCode;
    use proptest::prelude::*;

    const FRAMES: u64 = 2_000;

    fn code() -> Vec<i16> {
        PositionCode::mono().samples(1_000, FRAMES)
    }

    fn perfect() -> Report {
        Report { first: Some(1_000), end: 1_000 + FRAMES, ..Report::default() }
    }

    #[test]
    fn an_unharmed_fragment_is_perfect_wherever_it_begins() {
        for (start, frames) in [(0, 4), (1, 4), (0, 999), (7, 5_000), (MAX_FRAMES - 10, 10)] {
            let report = analyse(&PositionCode::mono().samples(start, frames));
            report.assert_contiguous();
            assert_eq!((report.first, report.end), (Some(start), start + frames));
        }
    }

    #[test]
    fn silence_before_and_after_is_counted_and_no_damage() {
        let recording = [vec![0; 30], code(), vec![0; 20]].concat();
        assert_eq!(analyse(&recording), Report { lead_in: 30, lead_out: 20, ..perfect() });
    }

    #[test]
    fn a_cut_is_found_where_it_is() {
        let mut recording = code();
        recording.drain(500..537);
        assert_eq!(analyse(&recording), Report { lost: vec![Span { at: 500, count: 37 }], ..perfect() });
    }

    #[test]
    fn several_cuts_are_each_found() {
        let mut recording = code();
        recording.drain(1_200..1_201);
        recording.drain(500..510);
        let lost = vec![Span { at: 500, count: 10 }, Span { at: 1_190, count: 1 }];
        assert_eq!(analyse(&recording), Report { lost, ..perfect() });
    }

    #[test]
    fn a_doubled_run_is_found_where_it_is() {
        let mut recording = code();
        let run = recording[600..641].to_vec();
        recording.splice(641..641, run);
        assert_eq!(analyse(&recording), Report { doubled: vec![Span { at: 641, count: 41 }], ..perfect() });
    }

    #[test]
    fn changed_samples_are_found_one_by_one() {
        let mut recording = code();
        // The neighbours, the first that can be detected, one alone, the last two.
        let changed = vec![0, 700, 702, 703, 1_500, 1_998, 1_999];
        for &at in &changed {
            recording[at] ^= 64;
        }
        let report = analyse(&recording);
        // Nothing is known before the first whole window, so the first sample is foreign rather than changed.
        assert_eq!(report.first, Some(1_001));
        assert_eq!(report.foreign, [Span { at: 0, count: 1 }]);
        assert_eq!(report.changed, changed[1..]);
        assert!(report.lost.is_empty() && report.doubled.is_empty() && report.silence.is_empty());
    }

    #[test]
    fn inserted_silence_is_found_and_nothing_is_lost() {
        let mut recording = code();
        recording.splice(800..800, vec![0; 256]);
        assert_eq!(analyse(&recording), Report { silence: vec![Span { at: 800, count: 256 }], ..perfect() });
    }

    #[test]
    fn silence_in_the_place_of_audio_is_silence_and_loss() {
        let mut recording = code();
        recording[800..900].fill(0);
        let expected = Report {
            silence: vec![Span { at: 800, count: 100 }],
            lost: vec![Span { at: 900, count: 100 }],
            ..perfect()
        };
        assert_eq!(analyse(&recording), expected);
    }

    #[test]
    fn audio_from_elsewhere_is_foreign() {
        let mut recording = code();
        recording.splice(800..800, vec![31_000; 50]);
        assert_eq!(analyse(&recording), Report { foreign: vec![Span { at: 800, count: 50 }], ..perfect() });
        assert_eq!(analyse(&[5; 40]).first, None);
        assert!(!analyse(&[5; 40]).is_perfect() && !analyse(&[]).is_perfect() && !analyse(&[0; 40]).is_perfect());
    }

    #[test]
    fn an_attenuated_recording_is_not_taken_for_code() {
        let quieter: Vec<i16> = code().iter().map(|s| (i32::from(*s) * 32_767 / 32_768) as i16).collect();
        assert!(!analyse(&quieter).is_perfect());
    }

    #[test]
    fn swapped_channels_are_found() {
        let stereo = PositionCode::new(2, 48_000).samples(0, 300);
        assert_channels_contiguous(&analyse_channels(&stereo, 2));
        let swapped: Vec<i16> = stereo.chunks(2).flat_map(|frame| [frame[1], frame[0]]).collect();
        let reports = analyse_channels(&swapped, 2);
        assert_eq!([reports[0].channel, reports[1].channel], [1, 0]);
        assert!(std::panic::catch_unwind(|| assert_channels_contiguous(&reports)).is_err());
    }

    #[test]
    fn channels_out_of_step_are_found() {
        let stereo = PositionCode::new(2, 48_000).samples(0, 300);
        let shifted: Vec<i16> =
            stereo.chunks(2).zip(stereo.chunks(2).skip(1)).flat_map(|(now, next)| [now[0], next[1]]).collect();
        let reports = analyse_channels(&shifted, 2);
        assert!(reports.iter().all(Report::is_perfect));
        assert!(std::panic::catch_unwind(|| assert_channels_contiguous(&reports)).is_err());
    }

    proptest! {
        #[test]
        fn the_amount_of_any_cut_is_exact(at in 10_usize..1_900, count in 1_usize..80) {
            let mut recording = code();
            recording.drain(at..at + count);
            let report = analyse(&recording);
            prop_assert_eq!(report.lost_samples(), count as u64);
            prop_assert!(report.lost.len() == 1 && report.doubled.is_empty() && report.changed.is_empty());
            // A sample after the cut equals the one cut away once in 2^15 times; then the cut appears one further.
            prop_assert!((at..at + 3).contains(&report.lost[0].at));
        }
    }
}
