//! Everything about one clip: its tags and markers, and what only reading all of its sound reveals.
//!
//! Reads in blocks and keeps none, so that memory is constant. Run by any thread that may take seconds.

use std::{ops::ControlFlow, path::Path};

use ebur128::{EbuR128, Mode};
use serde::Serialize;

use super::{
    Clip, Waveform, WaveformCache,
    cache::{self, Levels},
    damage,
    waveform::{BLOCK_FRAMES, Outline},
};
use crate::{
    audio::{AudioFormat, LevelMeter, Metadata, time::seconds},
    error::Result,
    format::Decoder,
};

/// The loudness meter needs memory for rate × channels, and a damaged header may claim anything.
const LOUDNESS_SAMPLES_A_SECOND_MAX: u64 = 4_000_000;

/// Everything about a clip. Serialized, it is the output of `info` in machine output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Info {
    /// The content of the header.
    #[serde(flatten)]
    pub clip: Clip,
    /// Title of the take.
    pub title: Option<String>,
    /// The device that was recorded.
    pub device: Option<String>,
    /// Markers by time.
    pub markers: Vec<InfoMarker>,
    /// Frames that were lost while it was recorded, or are missing in the file, and are silence or after its end;
    /// `None` if not noted.
    pub lost_frames: Option<u64>,
    /// What is missing in the file and where, as the end of a sentence about it; `None` if nothing is.
    pub damage: Option<String>,
    /// Frames that the device really delivered in a second of the recording system's clock; `None` if not noted.
    pub device_rate_hz: Option<f64>,
    /// The highest sample in dBFS; `None` for silence and what was not measured.
    pub peak_dbfs: Option<f64>,
    /// Integrated loudness (EBU R 128) in LUFS; `None` for silence, less than 0.4 s, and what was not measured.
    pub loudness_lufs: Option<f64>,
    /// The outline; empty if the sound cannot be read.
    #[serde(skip)]
    pub waveform: Waveform,
}

/// A marker with its time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InfoMarker {
    /// Seconds from the start.
    pub at_s: f64,
    /// What was remarked; may be empty.
    pub text: String,
}

impl Info {
    /// What the head of the clip at `path` contains, without reading its sound: no level, no loudness and no waveform.
    ///
    /// # Errors
    /// Those of [`Clip::read`].
    pub fn head(path: &Path) -> Result<Self> {
        Ok(Self::open(path)?.0)
    }

    /// Reads the clip at `path` to its end. `watch` is called after each block with the waveform so far, and can end
    /// the reading, which leaves level and loudness unknown. If the sound becomes unreadable in the middle, the reason
    /// becomes the `error` of the clip.
    ///
    /// # Errors
    /// Those of [`Clip::read`].
    pub fn read(path: &Path, watch: impl FnMut(&Outline) -> ControlFlow<()>) -> Result<Self> {
        let (mut info, decoder) = Self::open(path)?;
        if let Some(mut decoder) = decoder {
            info.measure(decoder.as_mut(), watch);
        }
        Ok(info)
    }

    /// As [`read`](Self::read), but a clip that was read to its end before and is as it was then is not read again. That
    /// `cache` cannot be written is no error.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn recall(path: &Path, cache: &WaveformCache, watch: impl FnMut(&Outline) -> ControlFlow<()>) -> Result<Self> {
        let (mut info, decoder) = Self::open(path)?;
        let Some(mut decoder) = decoder else { return Ok(info) };
        if let Some((waveform, levels)) = cache.load_measured(path).filter(|_| info.damage.is_none()) {
            info.keep(waveform, levels, decoder.format().sample_rate);
            return Ok(info);
        }
        let before = cache::key(path).ok();
        let is_whole = info.measure(decoder.as_mut(), watch);
        // Damage is found only by reading, and the wrong waveform would be kept for a clip that changed meanwhile.
        let key = cache::key(path).ok().filter(|after| before.as_ref() == Some(after));
        if let (true, None, Some(key)) = (is_whole, &info.damage, key) {
            let levels = Levels { peak_dbfs: info.peak_dbfs, loudness_lufs: info.loudness_lufs };
            let _ = cache.write(&key, path, &info.waveform, Some(levels));
        }
        Ok(info)
    }

    fn open(path: &Path) -> Result<(Self, Option<Box<dyn Decoder>>)> {
        let (clip, decoder) = Clip::open(path)?;
        let mut info = Self {
            clip,
            title: None,
            device: None,
            markers: Vec::new(),
            lost_frames: None,
            damage: None,
            device_rate_hz: None,
            peak_dbfs: None,
            loudness_lufs: None,
            waveform: Waveform::default(),
        };
        if let Some(decoder) = &decoder {
            info.add_tags(decoder.metadata(), decoder.format());
            info.damage = decoder.damage().sentence(decoder.format().sample_rate);
        }
        Ok((info, decoder))
    }

    fn add_tags(&mut self, tags: &Metadata, audio: AudioFormat) {
        let marker = |frame, text: &str| InfoMarker { at_s: seconds(frame, audio.sample_rate), text: text.to_owned() };
        self.title.clone_from(&tags.title);
        self.device.clone_from(&tags.device);
        self.device_rate_hz = tags.device_rate();
        self.markers = tags.markers.iter().map(|found| marker(found.frame, &found.text)).collect();
        self.lost_frames = damage::noted(tags);
    }

    /// Reads on to the end; returns whether it got there.
    fn measure(&mut self, decoder: &mut dyn Decoder, mut watch: impl FnMut(&Outline) -> ControlFlow<()>) -> bool {
        let audio = decoder.format();
        let channels = usize::from(audio.channels.max(1));
        let mut outline = Outline::new(decoder.frames());
        let (mut level, mut loudness) = (LevelMeter::new(), LoudnessPass::new(audio));
        let mut samples = Vec::new();
        let is_whole = loop {
            samples.clear();
            match decoder.read(&mut samples, BLOCK_FRAMES) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) => {
                    self.clip.error = Some(error.to_string());
                    break false;
                }
            }
            outline.push(&samples, channels);
            level.push(&samples);
            loudness.push(&samples);
            if watch(&outline).is_break() {
                break false;
            }
        };
        let damage = decoder.damage();
        if damage.lost_frames() > 0 {
            self.lost_frames = Some(self.lost_frames.unwrap_or(0).saturating_add(damage.lost_frames()));
        }
        self.damage = damage.sentence(audio.sample_rate);
        let waveform = outline.finish();
        if is_whole {
            let levels = Levels { peak_dbfs: level.take().peak.finite(), loudness_lufs: loudness.finish() };
            self.keep(waveform, levels, audio.sample_rate);
        } else {
            self.waveform = waveform;
        }
        is_whole
    }

    /// Stores what reading to the end found.
    fn keep(&mut self, waveform: Waveform, levels: Levels, rate: u32) {
        // For a format without a stated length it is known now.
        self.clip.frames.get_or_insert(waveform.frames());
        self.clip.duration_s.get_or_insert(seconds(waveform.frames(), rate));
        self.peak_dbfs = levels.peak_dbfs;
        self.loudness_lufs = levels.loudness_lufs;
        self.waveform = waveform;
    }
}

/// The meter of EBU R 128; nothing for formats that it does not support.
struct LoudnessPass(Option<EbuR128>);

impl LoudnessPass {
    fn new(audio: AudioFormat) -> Self {
        let is_sane = u64::from(audio.sample_rate) * u64::from(audio.channels) <= LOUDNESS_SAMPLES_A_SECOND_MAX;
        let mode = Mode::I | Mode::HISTOGRAM;
        let meter = is_sane.then(|| EbuR128::new(audio.channels.into(), audio.sample_rate, mode).ok());
        Self(meter.flatten())
    }

    fn push(&mut self, samples: &[f32]) {
        // One infinite sample would stay in the filters for ever, and a measurement without it would be wrong.
        let is_finite = samples.iter().all(|sample| sample.is_finite());
        let is_taken = self.0.as_mut().is_some_and(|meter| is_finite && meter.add_frames_f32(samples).is_ok());
        if !is_taken {
            self.0 = None;
        }
    }

    fn finish(self) -> Option<f64> {
        self.0?.loudness_global().ok().filter(|loudness| loudness.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use std::{f32::consts::TAU, fs};

    use super::*;
    use crate::clips::clip::tests::{tags, wav};

    fn info(samples: &[f32], channels: u16, metadata: Metadata) -> Info {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        fs::write(&path, wav(samples, channels, metadata)).unwrap();
        Info::read(&path, |_| ControlFlow::Continue(())).unwrap()
    }

    fn sine(hz: f32, amplitude: f32) -> Vec<f32> {
        (0..40_000).map(|i| (i as f32 * hz / 8_000.0 * TAU).sin() * amplitude).collect()
    }

    #[test]
    fn a_full_scale_sine_of_997_hz_is_three_decibels_below_zero_lufs() {
        // ITU-R BS.1770: a 0 dBFS sine of 997 Hz in one front channel reads -3.01 LKFS.
        let found = info(&sine(997.0, 1.0), 1, Metadata::default());
        assert!((found.loudness_lufs.unwrap() + 3.01).abs() < 0.1, "{found:?}");
        assert!(found.peak_dbfs.unwrap().abs() < 0.01);
        let quiet = info(&sine(997.0, 0.1), 1, Metadata::default());
        assert!((quiet.loudness_lufs.unwrap() + 23.01).abs() < 0.1 && (quiet.peak_dbfs.unwrap() + 20.0).abs() < 0.01);
        assert_eq!(quiet.waveform.frames(), 40_000);
    }

    #[test]
    fn silence_and_nothing_have_no_level() {
        for samples in [&[][..], &[0.0; 8_000]] {
            let found = info(samples, 2, Metadata::default());
            assert_eq!((found.peak_dbfs, found.loudness_lufs, found.clip.error), (None, None, None));
        }
    }

    #[test]
    fn tags_markers_and_losses_are_told() {
        let mut metadata = tags("2026-11-20T14:05:09Z");
        metadata.title = Some("T".into());
        metadata.device = Some("Mic".into());
        metadata.note_lost_frames(48);
        let value = serde_json::to_value(info(&[0.5; 8_000], 1, metadata.clone())).unwrap();
        assert_eq!((&value["title"], &value["device"]), (&"T".into(), &"Mic".into()));
        assert_eq!(value["markers"], serde_json::json!([{"at_s": 0.5, "text": "half"}]));
        assert_eq!((&value["lost_frames"], &value["frames"]), (&48.into(), &8_000.into()));
        assert!(value.get("waveform").is_none() && value.get("error").is_none());
        metadata.comment = None;
        assert_eq!(info(&[], 1, metadata.clone()).lost_frames, None);
        metadata.software = Some("dictaphone 9".into());
        assert_eq!(info(&[], 1, metadata).lost_frames, Some(0));
    }

    #[test]
    fn a_broken_file_is_told_with_its_error_and_ended_reading_without_levels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        fs::write(&path, "RIFF").unwrap();
        let found = Info::read(&path, |_| ControlFlow::Continue(())).unwrap();
        assert!(found.clip.error.is_some() && found.waveform == Waveform::default());
        fs::write(&path, wav(&[0.5; 90_000], 1, Metadata::default())).unwrap();
        let found = Info::read(&path, |_| ControlFlow::Break(())).unwrap();
        assert_eq!((found.peak_dbfs, found.waveform.frames()), (None, BLOCK_FRAMES as u64));
    }

    #[test]
    fn a_clip_that_was_read_whole_is_recalled_and_a_damaged_one_is_read_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let (path, cache) = (folder.path().join("a.wav"), WaveformCache::new(folder.path().join("cache")));
        let recall = || {
            let mut blocks = 0;
            let info = Info::recall(&path, &cache, |_| {
                blocks += 1;
                ControlFlow::Continue(())
            });
            (info.unwrap(), blocks)
        };
        let bytes = wav(&sine(997.0, 0.5), 1, Metadata::default());
        fs::write(&path, &bytes).unwrap();
        let (first, blocks) = recall();
        assert!(blocks > 0 && first.peak_dbfs.is_some() && first.loudness_lufs.is_some());
        assert_eq!(recall(), (first.clone(), 0));
        // A waveform without levels, such as the screen stores, is not enough.
        cache.store(&path, &first.waveform).unwrap();
        assert_eq!(recall(), (first, blocks));
        let mut cut = bytes;
        cut.truncate(60_000);
        fs::write(&path, &cut).unwrap();
        let (damaged, blocks) = recall();
        assert!(damaged.damage.is_some() && blocks > 0);
        assert_eq!(recall(), (damaged.clone(), blocks));
        let head = Info::head(&path).unwrap();
        assert_eq!((head.damage, head.clip, head.peak_dbfs), (damaged.damage, damaged.clip, None));
    }

    #[test]
    fn infinite_samples_and_mad_formats_leave_the_loudness_unknown() {
        let audio = |rate, channels| AudioFormat::new(rate, channels, crate::audio::SampleFormat::F32);
        let mut meter = LoudnessPass::new(audio(48_000, 2));
        meter.push(&[f32::INFINITY; 8]);
        meter.push(&[0.5; 96_000]);
        assert_eq!(meter.finish(), None);
        for (rate, channels) in [(u32::MAX, 1), (1, 1), (48_000, u16::MAX), (48_000, 65)] {
            assert!(LoudnessPass::new(audio(rate, channels)).0.is_none(), "{rate} {channels}");
        }
    }
}
