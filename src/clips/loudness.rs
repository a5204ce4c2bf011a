//! How loud a clip is, and the gain that makes it as loud as requested: the integrated loudness of EBU R 128, with its
//! true peaks kept below a ceiling.
//!
//! A clip is read twice, once to be measured as it will be (at its new rate, with its new channels) and once to be
//! written. Where the peaks of a louder clip would be above the ceiling they are limited, which reduces the loudness a
//! little; how much is measured before. Run by any thread that may take seconds.

use ebur128::{EbuR128, Mode};

use super::{
    advance::{Advance, Watch},
    waveform::BLOCK_FRAMES,
};
use crate::{
    audio::{AudioFormat, Chain, ChannelMixer, Limiter, db_to_factor},
    error::{Error, ErrorKind, Result},
    format::{Decoder, Format},
};

/// The highest true peak, in dBTP (EBU R 128, item i).
pub const TRUE_PEAK_MAX_DBTP: f64 = -1.0;

/// How far below it peaks are kept: the estimate between samples misses a little, and a lossy format increases peaks.
const MARGIN_DB: f64 = 0.4;
const LOSSY_MARGIN_DB: f64 = 2.0;

/// The effect of a lossy format shows only in the file: it is rewritten at most this many times if it is too loud or
/// not as loud as requested. Peaks are then kept a little further down than they would have to be.
pub(super) const REMAKES_MAX: u32 = 3;
const REMAKE_MARGIN_DB: f64 = 0.1;
const REMAKE_LU: f64 = 0.2;

/// Tries until the loudness after the limiter is near enough.
const TRIES_MAX: usize = 8;
const LOUDNESS_TOLERANCE_LU: f64 = 0.1;

/// From one try to the next the gain changes by this much at most, and is assumed to make the clip louder by this part
/// of the change at least.
const STEP_DB: f64 = 12.0;
const RISE_MIN: f64 = 0.2;

/// More gain than this would raise nothing but noise.
const GAIN_MAX_DB: f64 = 60.0;

/// How loud something is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loudness {
    /// Integrated loudness in LUFS; `None` for silence and less than 0.4 s.
    pub lufs: Option<f64>,
    /// The highest true peak in dBTP; `None` for silence.
    pub true_peak_dbtp: Option<f64>,
}

/// How loud a clip was and is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leveled {
    /// The clip, at the rate and with the channels of the new one.
    pub before: Loudness,
    /// The new one: what is read of the file, or what went to the encoder if it went into a pipe.
    pub after: Loudness,
    /// How much louder it was made, in dB.
    pub gain_db: f64,
    /// Whether peaks had to be limited.
    pub limited: bool,
}

/// How loud a clip should become, and how far below the highest true peak its peaks are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LoudnessTarget {
    lufs: f64,
    margin_db: f64,
}

impl LoudnessTarget {
    /// For a file of that format.
    pub(super) fn new(lufs: f64, format: &Format) -> Self {
        Self { lufs, margin_db: if format.bits_per_second.is_some() { LOSSY_MARGIN_DB } else { MARGIN_DB } }
    }

    /// The next target where this one made a file of that loudness instead of `wanted_lufs`; `None` if that is near
    /// enough.
    pub(super) fn corrected(self, made: Loudness, wanted_lufs: f64) -> Option<Self> {
        let excess = made.true_peak_dbtp.map_or(0.0, |peak| (peak - TRUE_PEAK_MAX_DBTP).max(0.0));
        let missing = made.lufs.map_or(0.0, |lufs| wanted_lufs - lufs);
        (excess > 0.0 || missing.abs() > REMAKE_LU).then_some(Self {
            lufs: self.lufs + missing,
            margin_db: self.margin_db + if excess > 0.0 { excess + REMAKE_MARGIN_DB } else { 0.0 },
        })
    }
}

/// The loudness of the sound that `decoder` reads.
///
/// # Errors
/// Those of the decoder and of [`LoudnessMeter::new`].
pub(super) fn of(decoder: &mut dyn Decoder) -> Result<Loudness> {
    let mut meter = LoudnessMeter::new(decoder.format())?;
    let mut block = Vec::new();
    while decoder.read(&mut block, BLOCK_FRAMES)? > 0 {
        meter.push(&block);
        block.clear();
    }
    Ok(meter.loudness())
}

/// Measures the samples that are pushed.
pub(super) struct LoudnessMeter(EbuR128);

impl LoudnessMeter {
    /// # Errors
    /// [`ErrorKind::NotSupported`] for a rate or a number of channels that the recommendation does not cover.
    pub(super) fn new(audio: AudioFormat) -> Result<Self> {
        let mode = Mode::I | Mode::TRUE_PEAK | Mode::HISTOGRAM;
        let meter = EbuR128::new(audio.channels.into(), audio.sample_rate, mode).map_err(|error| {
            let context = format!("the loudness of {audio} cannot be measured");
            Error::new(ErrorKind::NotSupported, context).with_source(error)
        })?;
        Ok(Self(meter))
    }

    /// Takes interleaved whole frames. NaN cannot be measured and is left out.
    pub(super) fn push(&mut self, samples: &[f32]) {
        if samples.iter().all(|sample| sample.is_finite()) {
            // It fails only for incomplete frames.
            let _ = self.0.add_frames_f32(samples);
        }
    }

    pub(super) fn loudness(&self) -> Loudness {
        let peaks = (0..self.0.channels()).filter_map(|channel| self.0.true_peak(channel).ok());
        let peak = peaks.fold(0.0, f64::max);
        Loudness {
            lufs: self.0.loudness_global().ok().filter(|lufs| lufs.is_finite()),
            true_peak_dbtp: Some(20.0 * peak.log10()).filter(|peak| peak.is_finite()),
        }
    }
}

/// What is to be done to a clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LoudnessChange {
    pub(super) before: Loudness,
    pub(super) gain_db: f64,
    /// Full scale is 1.0; `None` if no peak comes near.
    pub(super) ceiling: Option<f32>,
}

impl LoudnessChange {
    /// Finds the gain that makes the clip as loud as `target` states, as sound of `audio`.
    ///
    /// # Errors
    /// Those of the decoder; [`ErrorKind::Abort`] if `watch` ends it; [`ErrorKind::NotSupported`] as above.
    pub(super) fn find(
        decoder: &mut dyn Decoder,
        (mixer, audio): (&ChannelMixer, AudioFormat),
        target: LoudnessTarget,
        watch: Watch<'_>,
    ) -> Result<Self> {
        let before = measure(decoder, (mixer, audio), (0.0, None), watch)?;
        let Some(lufs) = before.lufs else { return Ok(Self { before, gain_db: 0.0, ceiling: None }) };
        let (target_lufs, ceiling_db) = (target.lufs, TRUE_PEAK_MAX_DBTP - target.margin_db);
        let wanted = (target_lufs - lufs).min(GAIN_MAX_DB);
        if before.true_peak_dbtp.is_none_or(|peak| peak + wanted <= ceiling_db) {
            return Ok(Self { before, gain_db: wanted, ceiling: None });
        }
        let ceiling = Some(db_to_factor(ceiling_db));
        let mut gain_db = wanted;
        // Without a limiter the loudness rises as the gain does; how much of the rise the limiter leaves is estimated
        // from try to try.
        let (mut rise, mut last) = (1.0, (0.0, lufs));
        for _ in 0..TRIES_MAX {
            let tried = measure(decoder, (mixer, audio), (gain_db, ceiling), watch)?;
            let reached = tried.lufs.unwrap_or(target_lufs);
            if (target_lufs - reached).abs() < LOUDNESS_TOLERANCE_LU {
                break;
            }
            if gain_db > last.0 {
                rise = ((reached - last.1) / (gain_db - last.0)).clamp(RISE_MIN, 1.0);
            }
            last = (gain_db, reached);
            gain_db = (gain_db + ((target_lufs - reached) / rise).clamp(-STEP_DB, STEP_DB)).min(GAIN_MAX_DB);
        }
        Ok(Self { before, gain_db, ceiling })
    }
}

/// How loud the clip is after a chain to `audio` with that gain and ceiling.
fn measure(
    decoder: &mut dyn Decoder,
    (mixer, audio): (&ChannelMixer, AudioFormat),
    (gain_db, ceiling): (f64, Option<f32>),
    watch: Watch<'_>,
) -> Result<Loudness> {
    let mut chain = Chain::new(mixer.clone(), decoder.format().sample_rate, audio.sample_rate, gain_db)?;
    let mut limiter = ceiling.map(|ceiling| Limiter::new(audio.sample_rate, audio.channels, ceiling));
    let mut meter = LoudnessMeter::new(audio)?;
    let (mut block, mut between, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let mut advance = Advance { frames: 0, total: decoder.frames() };
    decoder.seek(0)?;
    loop {
        let frames = decoder.read(&mut block, BLOCK_FRAMES)?;
        if frames == 0 {
            break;
        }
        chain.push(&block, &mut between)?;
        block.clear();
        pass(limiter.as_mut(), &mut between, &mut out);
        meter.push(&out);
        out.clear();
        advance.frames += frames as u64;
        if watch(advance).is_break() {
            return Err(Error::new(ErrorKind::Abort, "the measurement was cancelled"));
        }
    }
    chain.finish(&mut between)?;
    pass(limiter.as_mut(), &mut between, &mut out);
    if let Some(mut limiter) = limiter {
        limiter.finish(&mut out);
    }
    meter.push(&out);
    Ok(meter.loudness())
}

/// Moves `samples` to `out`, through the limiter if there is one.
pub(super) fn pass(limiter: Option<&mut Limiter>, samples: &mut Vec<f32>, out: &mut Vec<f32>) {
    match limiter {
        Some(limiter) => limiter.push(samples, out),
        None => out.append(samples),
    }
    samples.clear();
}
