//! A short tone that signals that something begins or is over. The caller's thread waits until it was heard.

use std::{
    f64::consts::TAU,
    thread,
    time::{Duration, Instant},
};

use super::Output;
use crate::{
    audio::{AudioFormat, SampleFormat, time::frames_in},
    error::{Error, ErrorKind, Result},
};

/// What is signalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cue {
    /// It begins: a high tone.
    Start,
    /// It is over: a low one.
    Stop,
}

named! { Cue: Start "start", Stop "stop" }

impl Cue {
    /// Its frequency in hertz.
    #[must_use]
    pub const fn hertz(self) -> f64 {
        match self {
            Self::Start => 880.0,
            Self::Stop => 440.0,
        }
    }
}

/// How long it is.
const LENGTH: Duration = Duration::from_millis(150);
/// It begins and ends softly, so that nothing clicks.
const FADE_SECONDS: f64 = 0.01;
const AMPLITUDE: f64 = 0.25;
/// How long a loudspeaker may take until it has played it.
const PLAY_TIMEOUT: Duration = Duration::from_secs(3);
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Plays it, and returns when it was heard.
///
/// # Errors
/// Those of opening the output; [`NotReadable`](ErrorKind::NotReadable) if it does not accept the sound.
pub fn play_cue(output: &mut dyn Output, cue: Cue) -> Result<()> {
    let mut line = output.open(AudioFormat::new(48_000, 1, SampleFormat::F32))?;
    let format = line.format();
    let samples = tone(cue, format);
    let frames = frames_in(LENGTH, format.sample_rate);
    let begun = Instant::now();
    line.feeder().set_playing(true);
    let mut rest = samples.as_slice();
    while !rest.is_empty() || line.feeder().heard(Instant::now()) < frames {
        let fault = line.device().fault();
        if fault.is_some() || begun.elapsed() > PLAY_TIMEOUT {
            line.close();
            return Err(fault.unwrap_or_else(|| Error::new(ErrorKind::NotReadable, "the loudspeaker does not play")));
        }
        let written = line.feeder().write(rest);
        rest = rest.get(written * usize::from(format.channels)..).unwrap_or_default();
        thread::sleep(LOOK_INTERVAL);
    }
    line.close();
    Ok(())
}

fn tone(cue: Cue, format: AudioFormat) -> Vec<f32> {
    let rate = f64::from(format.sample_rate);
    let length = LENGTH.as_secs_f64();
    let sample = |frame: u64| {
        let at = frame as f64 / rate;
        let fade = (at / FADE_SECONDS).min((length - at) / FADE_SECONDS).clamp(0.0, 1.0);
        (AMPLITUDE * fade * (TAU * cue.hertz() * at).sin()) as f32
    };
    let frames = 0..frames_in(LENGTH, format.sample_rate);
    frames.flat_map(|frame| std::iter::repeat_n(sample(frame), usize::from(format.channels))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playback::{ClockOutput, Line};

    #[test]
    fn a_cue_is_short_soft_at_its_ends_and_in_every_channel() {
        let samples = tone(Cue::Start, AudioFormat::new(8_000, 2, SampleFormat::F32));
        assert_eq!(samples.len(), 2 * 1_200);
        assert!(samples.chunks(2).all(|frame| frame[0] == frame[1]));
        assert!(samples[0] == 0.0 && samples[2_398].abs() < 0.05);
        let loudest = samples.iter().copied().fold(0.0, f32::max);
        assert!((loudest - 0.25).abs() < 0.01, "{loudest}");
    }

    /// Like a loudspeaker, whatever format is requested.
    struct Stereo;

    impl Output for Stereo {
        fn open(&mut self, format: AudioFormat) -> Result<Line> {
            ClockOutput.open(AudioFormat { channels: 2, ..format })
        }
    }

    #[test]
    fn two_channels_are_played_to_their_end() {
        play_cue(&mut Stereo, Cue::Start).unwrap();
    }

    #[test]
    fn playing_waits_until_it_was_heard() {
        let before = Instant::now();
        play_cue(&mut ClockOutput, Cue::Stop).unwrap();
        assert!(before.elapsed() >= LENGTH);
    }
}
