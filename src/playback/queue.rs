//! The way of frames from the player to the realtime callback of a loudspeaker: one ring of samples, and one small ring
//! that reports back when they are heard.
//!
//! [`LineDrain`] belongs to the thread of the sound system: it takes no lock, allocates nothing and makes no system
//! call but reading the clock. [`Feeder`] belongs to the thread `player`. Frames have one number from the opening of
//! the line on, whether they are heard or thrown away, so that a seek only has to set the number below which everything
//! is stale.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::audio::{
    AudioFormat,
    time::{duration_of, frames_in},
};

/// Beats that can wait for the player: more than callbacks come while it sleeps.
const WAITING_BEATS_MAX: usize = 256;
/// More samples than this are never kept, whatever the rate and the channels require: 64 MiB.
const MAX_SAMPLES: usize = 1 << 24;
/// How long a pause takes to fall silent, so that it does not click.
const FADE: Duration = Duration::from_millis(5);
/// A device that claims a longer latency than this is taken to have this one.
const LONGEST_LATENCY: Duration = Duration::from_secs(2);

/// A queue for `length` of frames in `format`, whose sample format does not matter here. It begins paused.
#[must_use]
pub fn queue(format: AudioFormat, length: Duration) -> (Feeder, LineDrain) {
    let channels = usize::from(format.channels.max(1));
    let frames = usize::try_from(frames_in(length, format.sample_rate)).unwrap_or(usize::MAX);
    let frames = frames.clamp(1, (MAX_SAMPLES / channels).max(1));
    // Twice as long as it is ever filled with fresh frames, so that these fit while the stale ones still wait.
    let (samples_in, samples_out) = RingBuffer::new(2 * frames * channels);
    let (beats_in, beats_out) = RingBuffer::new(WAITING_BEATS_MAX);
    let shared = Arc::new(QueueState {
        playing: AtomicBool::new(false),
        volume: AtomicU32::new(1.0_f32.to_bits()),
        stale: AtomicU64::new(0),
        taken: AtomicU64::new(0),
    });
    let feeder = Feeder {
        channels,
        most: frames as u64,
        rate: format.sample_rate,
        samples: samples_in,
        beats: beats_out,
        shared: Arc::clone(&shared),
        written: 0,
        last: None,
        heard: 0,
        flushed: 0,
    };
    let fade_frames = frames_in(FADE, format.sample_rate).max(1);
    let drain = LineDrain {
        channels,
        rate: format.sample_rate,
        samples: samples_out,
        beats: beats_in,
        unsent: None,
        shared,
        taken: 0,
        gain: None,
        step: 1.0 / fade_frames as f32,
    };
    (feeder, drain)
}

#[derive(Debug)]
struct QueueState {
    playing: AtomicBool,
    /// The bits of an `f32`.
    volume: AtomicU32,
    /// Frames below this number are to be dropped.
    stale: AtomicU64,
    /// Frames that left the ring.
    taken: AtomicU64,
}

/// The frames below `end` will all have been heard at `at`.
#[derive(Debug, Clone, Copy)]
struct Beat {
    end: u64,
    at: Instant,
}

/// The end that the player writes to.
#[derive(Debug)]
pub struct Feeder {
    channels: usize,
    /// Fresh frames that may wait.
    most: u64,
    rate: u32,
    samples: Producer<f32>,
    beats: Consumer<Beat>,
    shared: Arc<QueueState>,
    written: u64,
    last: Option<Beat>,
    heard: u64,
    flushed: u64,
}

impl Feeder {
    /// Puts as many whole frames of `samples` into the queue as there is room for and returns how many.
    pub fn write(&mut self, samples: &[f32]) -> usize {
        let fresh = self.written - self.taken().clamp(self.flushed, self.written);
        let room = usize::try_from(self.most.saturating_sub(fresh)).unwrap_or(usize::MAX);
        let frames = (samples.len() / self.channels).min(room).min(self.samples.slots() / self.channels);
        if frames == 0 {
            return 0;
        }
        let Ok(chunk) = self.samples.write_chunk_uninit(frames * self.channels) else { return 0 };
        let frames = chunk.fill_from_iter(samples.iter().copied()) / self.channels;
        self.written += frames as u64;
        frames
    }

    /// The number of the next frame that is written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Makes all frames stale that were written and have not been taken yet: the frames that are written from now on
    /// are heard next.
    pub fn flush(&mut self) {
        self.flushed = self.written;
        self.shared.stale.store(self.written, Ordering::Release);
    }

    /// Lets the frames flow, or holds them back with a short fade. What the device has already taken is still heard.
    pub fn set_playing(&mut self, playing: bool) {
        self.shared.playing.store(playing, Ordering::Release);
    }

    /// The factor for every sample.
    pub fn set_volume(&mut self, factor: f32) {
        self.shared.volume.store(factor.to_bits(), Ordering::Release);
    }

    /// The number of the first frame that has neither been heard at `now`, as far as the latency of the device is known,
    /// nor been flushed.
    pub fn heard(&mut self, now: Instant) -> u64 {
        while let Ok(beat) = self.beats.pop() {
            self.last = Some(beat);
        }
        if let Some(beat) = self.last {
            let ahead = frames_in(beat.at.saturating_duration_since(now), self.rate);
            self.heard = self.heard.max(beat.end.saturating_sub(ahead));
        }
        self.heard.max(self.flushed)
    }

    /// How many frames have left the queue, heard or stale. While playing it grows, unless the device hangs.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.shared.taken.load(Ordering::Acquire)
    }

    /// Whether the callback is gone, so that nothing will be freed on its thread any more.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.samples.is_abandoned()
    }
}

/// The end that the callback of the sound system takes from.
#[derive(Debug)]
pub struct LineDrain {
    channels: usize,
    rate: u32,
    samples: Consumer<f32>,
    beats: Producer<Beat>,
    /// A beat that did not fit: the last one must not be lost, or the end would never be reported.
    unsent: Option<Beat>,
    shared: Arc<QueueState>,
    taken: u64,
    /// None before the first frame and after a flush: what comes next begins at full volume, to the sample.
    gain: Option<f32>,
    step: f32,
}

impl LineDrain {
    /// Fills `out` with interleaved samples and with silence where there are none; returns how many frames of sound it
    /// got. `convert` makes the device's samples of those with full scale ±1.0, and `latency` is how long the first
    /// frame of `out` takes until it is heard. Safe to call from a realtime thread.
    pub fn fill<T: Copy>(&mut self, out: &mut [T], convert: impl Fn(f32) -> T, latency: Duration) -> usize {
        self.drop_stale();
        let playing = self.shared.playing.load(Ordering::Acquire);
        let frames = self.available(out.len() / self.channels, playing);
        let (sound, silence) = out.split_at_mut(frames * self.channels);
        let target = if playing { f32::from_bits(self.shared.volume.load(Ordering::Acquire)) } else { 0.0 };
        self.take(sound, target, &convert);
        silence.fill(convert(0.0));
        if frames > 0 {
            let at = Instant::now() + latency.min(LONGEST_LATENCY) + duration_of(frames as u64, self.rate);
            self.unsent = Some(Beat { end: self.taken, at });
        }
        if let Some(beat) = self.unsent {
            self.unsent = self.beats.push(beat).is_err().then_some(beat);
        }
        self.shared.taken.store(self.taken, Ordering::Release);
        frames
    }

    /// How many frames to take now: while paused only those of the fade.
    fn available(&self, wanted: usize, playing: bool) -> usize {
        let ready = self.samples.slots() / self.channels;
        let fading = match self.gain {
            _ if playing => usize::MAX,
            Some(gain) => (gain / self.step - 0.01).ceil() as usize,
            None => 0,
        };
        wanted.min(ready).min(fading)
    }

    fn drop_stale(&mut self) {
        let stale = self.shared.stale.load(Ordering::Acquire).saturating_sub(self.taken);
        if stale == 0 {
            return;
        }
        let frames = usize::try_from(stale).unwrap_or(usize::MAX).min(self.samples.slots() / self.channels);
        if let Ok(chunk) = self.samples.read_chunk(frames * self.channels) {
            chunk.commit_all();
            self.taken += frames as u64;
        }
        self.gain = None;
    }

    /// Fills all of `sound`, for which there are enough samples.
    fn take<T>(&mut self, sound: &mut [T], target: f32, convert: &impl Fn(f32) -> T) {
        let Ok(chunk) = self.samples.read_chunk(sound.len()) else { return };
        let (first, second) = chunk.as_slices();
        let mut gain = self.gain.unwrap_or(target);
        let mut samples = first.iter().chain(second);
        for frame in sound.chunks_mut(self.channels) {
            gain = approach(gain, target, self.step);
            for (slot, &sample) in frame.iter_mut().zip(&mut samples) {
                // Not even multiplied by one, so that samples are exactly unchanged.
                *slot = convert(if gain == 1.0 { sample } else { sample * gain });
            }
        }
        chunk.commit_all();
        self.taken += (sound.len() / self.channels) as u64;
        if !sound.is_empty() {
            self.gain = Some(gain);
        }
    }
}

/// One step nearer to `target`; the last one may be a little longer, so that rounding leaves no remainder.
fn approach(gain: f32, target: f32, step: f32) -> f32 {
    let left = target - gain;
    if left.abs() <= step * 1.01 { target } else { gain + step.copysign(left) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audio::SampleFormat;

    fn mono(frames: u64) -> (Feeder, LineDrain) {
        queue(AudioFormat::new(1000, 1, SampleFormat::F32), Duration::from_millis(frames))
    }

    fn pull(drain: &mut LineDrain, frames: usize) -> Vec<f32> {
        let mut out = vec![9.0; frames];
        let got = drain.fill(&mut out, |sample| sample, Duration::ZERO);
        assert!(out.iter().skip(got).all(|&sample| sample == 0.0));
        out.truncate(got);
        out
    }

    #[test]
    fn a_pause_fades_out_and_in_and_loses_no_frame() {
        let (mut feeder, mut drain) = mono(100);
        assert_eq!(feeder.write(&[1.0; 100]), 100);
        assert!(pull(&mut drain, 10).is_empty(), "begins paused");
        feeder.set_playing(true);
        assert_eq!(pull(&mut drain, 10), [1.0; 10]);
        feeder.set_playing(false);
        let fade = pull(&mut drain, 10);
        assert_eq!(fade.len(), 5);
        assert!(fade.is_sorted_by(|a, b| a > b) && fade.last().unwrap().abs() < 1e-6, "{fade:?}");
        assert!(pull(&mut drain, 10).is_empty());
        feeder.set_playing(true);
        assert_eq!(pull(&mut drain, 200).len(), 85);
    }

    #[test]
    fn a_flush_makes_the_next_frame_the_one_that_is_heard_next() {
        let (mut feeder, mut drain) = mono(10);
        feeder.set_playing(true);
        feeder.write(&[0.1; 10]);
        assert_eq!(pull(&mut drain, 4), [0.1; 4]);
        feeder.write(&[0.1; 4]);
        feeder.flush();
        assert_eq!(feeder.write(&[0.2; 11]), 10, "although nothing stale has left yet");
        assert_eq!(pull(&mut drain, 12), [0.2; 10]);
        assert_eq!((feeder.written(), feeder.taken()), (24, 24));
    }

    #[test]
    fn what_waits_in_the_device_has_not_been_heard() {
        let (mut feeder, mut drain) = mono(1000);
        feeder.set_playing(true);
        feeder.write(&[0.1; 500]);
        let mut out = [0.0; 100];
        let before = Instant::now();
        drain.fill(&mut out, |sample| sample, Duration::from_millis(700));
        let after = Instant::now();
        assert_eq!(feeder.heard(before), 0);
        assert_eq!(feeder.heard(after + Duration::from_millis(800)), 100);
        assert_eq!(feeder.heard(before), 100, "never goes back");
    }

    #[test]
    fn the_last_beat_arrives_even_if_nobody_listened_for_long() {
        let (mut feeder, mut drain) = mono(1000);
        feeder.set_playing(true);
        feeder.write(&[0.1; 600]);
        for _ in 0..600 {
            assert_eq!(pull(&mut drain, 1).len(), 1);
        }
        assert!(feeder.heard(Instant::now() + FADE) < 600);
        pull(&mut drain, 1);
        assert_eq!(feeder.heard(Instant::now() + FADE), 600);
    }

    #[test]
    fn the_volume_is_a_factor() {
        let (mut feeder, mut drain) = mono(10);
        feeder.set_volume(0.5);
        feeder.set_playing(true);
        feeder.write(&[0.5; 10]);
        assert_eq!(pull(&mut drain, 10), [0.25; 10]);
    }

    proptest! {
        #[test]
        fn every_frame_is_taken_once_and_in_order(
            steps in prop::collection::vec((0_usize..40, 0_usize..40, any::<bool>()), 1..60), channels in 1_u16..4,
        ) {
            let format = AudioFormat::new(1000, channels, SampleFormat::F32);
            let (mut feeder, mut drain) = queue(format, Duration::from_millis(32));
            let width = usize::from(channels);
            let (mut next, mut expected) = (0_u64, 0_u64);
            feeder.set_playing(true);
            for (write, take, flush) in steps {
                if flush {
                    feeder.flush();
                    expected = next;
                }
                let block: Vec<f32> = (next..).take(write).flat_map(|n| vec![n as f32; width]).collect();
                next += feeder.write(&block) as u64;
                let mut out = vec![-1.0; take * width];
                let got = drain.fill(&mut out, |sample| sample, Duration::ZERO);
                for frame in out.chunks(width).take(got) {
                    prop_assert!(frame.iter().all(|&sample| sample == expected as f32));
                    expected += 1;
                }
                prop_assert!(out.iter().skip(got * width).all(|&sample| sample == 0.0));
            }
            prop_assert_eq!(feeder.written(), next);
        }
    }
}
