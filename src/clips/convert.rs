//! A clip in another format, at another rate, with other channels: written beside the old one, which is not touched.
//!
//! Plain samples pass bit for bit where nothing has to change; otherwise those of up to 24 bits are exact, and 32-bit
//! integers are rounded to the 24 bits of a float. Tags and markers are kept. Run by any thread but a realtime one.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{
    advance::Watch,
    assembly::{Assembly, Destination, NewClip, Written, cannot_write, discard_unnamed},
    excerpt::Excerpt,
    loudness::{self, Leveled, LoudnessChange, LoudnessTarget},
};
use crate::{
    audio::{AudioFormat, ChannelMap, ChannelMixer, Metadata, SampleFormat, Speakers, output_frames},
    error::{Error, ErrorKind, Result},
    format::{self, Decoder, Format},
    storage::{self, Existing, FileSpool, Spool},
};

/// Rates that are tried where a format does not support that of a clip, in hertz.
const USUAL_RATES: [u32; 9] = [8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000];

/// What a clip is to become. What is `None` stays as it is in the clip, as far as the format supports it.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// The container.
    pub format: &'static Format,
    /// Frames a second, in hertz.
    pub sample_rate: Option<u32>,
    /// Which channels are kept.
    pub map: Option<ChannelMap>,
    /// Samples in a frame, see [`ChannelMixer::keep`].
    pub channels: Option<u16>,
    /// How a sample is stored.
    pub sample_format: Option<SampleFormat>,
    /// Bits a second, for formats that can vary it.
    pub bits_per_second: Option<u32>,
    /// Which part of the clip.
    pub excerpt: Excerpt,
    /// How loud it should be, in LUFS: the integrated loudness of EBU R 128. Its true peaks are kept below
    /// [`TRUE_PEAK_MAX_DBTP`](super::TRUE_PEAK_MAX_DBTP). Silence stays silence.
    pub loudness_lufs: Option<f64>,
}

/// The result.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// Rate, channels and sample format of the new clip.
    pub audio: AudioFormat,
    /// Those of the clip it was made from.
    pub from: AudioFormat,
    /// Frames in it: round(n × new rate / old rate) of n frames.
    pub frames: u64,
    /// Bytes that were written.
    pub size_bytes: u64,
    /// Samples that were beyond full scale and are cut to it.
    pub clipped: u64,
    /// What the clip states about itself and the new one cannot store, see [`Format::left_out`].
    pub left_out: Vec<String>,
    /// How loud it was and is, if that was to be changed.
    pub loudness: Option<Leveled>,
    /// Frames of the new clip that the old one had lost: silence now, or missing at the end.
    pub lost_frames: u64,
    /// What is missing in the old clip and where, as the end of a sentence about it.
    pub damage: Option<String>,
}

impl Conversion {
    /// Into `format`, with everything else as it is in the clip.
    #[must_use]
    pub const fn new(format: &'static Format) -> Self {
        Self {
            format,
            sample_rate: None,
            map: None,
            channels: None,
            sample_format: None,
            bits_per_second: None,
            excerpt: Excerpt::WHOLE,
            loudness_lufs: None,
        }
    }

    /// The format that sound in `from`, whose channels are meant for these `speakers` if they are known, is converted
    /// to. Where nothing was requested and the format does not support what the clip has, it is the shallowest samples
    /// that keep every bit, else the deepest, and the next higher of the usual rates, else the next lower.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] with what the format does not support, and for channels that cannot be kept.
    pub fn audio(&self, from: AudioFormat, speakers: Option<&Speakers>) -> Result<AudioFormat> {
        let mixer = ChannelMixer::keep(from.channels, speakers, self.map.as_ref(), self.channels)?;
        let asked = AudioFormat {
            sample_rate: self.format.sample_rate(self.sample_rate.unwrap_or(from.sample_rate)),
            channels: u16::try_from(mixer.channels_out()).unwrap_or(u16::MAX),
            sample_format: self.sample_format.unwrap_or_else(|| self.nearest_depth(from.sample_format)),
        };
        match self.format.supported(asked) {
            Ok(()) => Ok(asked),
            Err(_) if self.sample_rate.is_none() => self.nearest_rate(asked),
            Err(error) => Err(error),
        }
    }

    fn target(&self) -> Option<LoudnessTarget> {
        self.loudness_lufs.map(|lufs| LoudnessTarget::new(lufs, self.format))
    }

    fn nearest_depth(&self, from: SampleFormat) -> SampleFormat {
        let has = |wanted: &SampleFormat| self.format.codecs.iter().any(|codec| codec.sample_formats.contains(wanted));
        let deep_enough = SampleFormat::ALL.into_iter().filter(has).find(|&depth| depth >= from);
        deep_enough.or_else(|| SampleFormat::ALL.into_iter().rev().find(has)).unwrap_or(from)
    }

    fn nearest_rate(&self, asked: AudioFormat) -> Result<AudioFormat> {
        let higher = USUAL_RATES.into_iter().filter(|&rate| rate > asked.sample_rate);
        let lower = USUAL_RATES.into_iter().rev().filter(|&rate| rate < asked.sample_rate);
        let candidates = higher.chain(lower).map(|sample_rate| AudioFormat { sample_rate, ..asked });
        let found = candidates.into_iter().find(|&audio| self.format.supported(audio).is_ok());
        found.map_or_else(|| self.format.supported(asked).map(|()| asked), Ok)
    }
}

/// Converts the clip `source` into the file `target`, whose folder is created if missing. `watch` can end it at any
/// block, and then as after every error there is no new file and no unfinished one.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if there is a file `target`, unless `existing` allows it, and if the clip itself would
/// be replaced; [`ErrorKind::InvalidData`] if the clip is damaged or ends in the middle, with the place;
/// [`ErrorKind::NotSupported`] for sound that the format does not support; [`ErrorKind::Abort`] after `watch` ended it;
/// else those of [`format::open`] and of the file system.
pub fn convert(
    source: &Path,
    target: &Path,
    conversion: &Conversion,
    existing: Existing,
    watch: Watch<'_>,
) -> Result<(PathBuf, Converted)> {
    let mut decoder = conversion.excerpt.of(format::open(source)?, &source.display().to_string())?;
    refuse_target(source, target, existing)?;
    // Before a file is made.
    conversion.audio(decoder.format(), decoder.metadata().speakers.as_ref())?;
    // Unfinished files of an earlier process that was killed. Where the folder cannot be read there is nothing to be
    // done.
    let _ = target.parent().map(storage::remove_drafts);
    let mut spool = FileSpool::draft_beside(target)
        .map_err(|error| Error::from_io(error, format!("cannot create {}", target.display())))?;
    let clip = ClipSource { decoder: decoder.as_mut(), name: &source.display().to_string() };
    let (path, converted) = into_spool(clip, &mut spool, target, conversion, existing, watch)?;
    let mime_type = conversion.format.full_mime_type(converted.audio);
    format::read_back(&path, &mime_type, converted.audio, converted.frames)?;
    Ok((path, converted))
}

/// Converts the clip `source` and writes it to `out`, which is called `name` in errors, while it is produced, in a form
/// that needs no patching.
///
/// # Errors
/// Those of [`convert`], but for those of a file; [`ErrorKind::NotSupported`] if the format cannot be streamed; those of
/// writing to `out`, with their kind underneath.
pub fn convert_to_stream(
    source: &Path,
    out: &mut dyn Write,
    name: &str,
    conversion: &Conversion,
    watch: Watch<'_>,
) -> Result<Converted> {
    let mut decoder = conversion.excerpt.of(format::open(source)?, &source.display().to_string())?;
    let clip = ClipSource { decoder: decoder.as_mut(), name: &source.display().to_string() };
    assemble(clip, Destination::Stream(out), name, conversion, conversion.target(), watch)
}

/// An open clip and its name in errors.
struct ClipSource<'a> {
    decoder: &'a mut dyn Decoder,
    name: &'a str,
}

fn into_spool(
    source: ClipSource<'_>,
    spool: &mut dyn Spool,
    target: &Path,
    conversion: &Conversion,
    existing: Existing,
    watch: Watch<'_>,
) -> Result<(PathBuf, Converted)> {
    let name = target.display().to_string();
    let assembled = leveled(source, spool, &name, conversion, watch);
    let outcome = assembled.and_then(|converted| {
        let path = spool.commit(target, existing).map_err(|error| cannot_write(error, &name))?;
        Ok((path, converted))
    });
    if outcome.is_err() {
        discard_unnamed(spool, target);
    }
    outcome
}

/// Writes the new clip, and again with other aims if a lossy format has made it too loud or too quiet.
fn leveled(
    source: ClipSource<'_>,
    spool: &mut dyn Spool,
    name: &str,
    conversion: &Conversion,
    watch: Watch<'_>,
) -> Result<Converted> {
    let mut target = conversion.target();
    let mut remakes = 0;
    loop {
        let clip = ClipSource { decoder: &mut *source.decoder, name: source.name };
        let mut converted = assemble(clip, Destination::Spool(&mut *spool), name, conversion, target, &mut *watch)?;
        let (Some(told), Some(aim), true) =
            (&mut converted.loudness, target, conversion.format.bits_per_second.is_some())
        else {
            return Ok(converted);
        };
        let reader = spool.reader().map_err(|error| cannot_write(error, name))?;
        told.after = loudness::of(format::from_reader(reader, name)?.as_mut())?;
        target = aim.corrected(told.after, conversion.loudness_lufs.unwrap_or_default());
        if target.is_none() || told.before.lufs.is_none() || remakes == loudness::REMAKES_MAX {
            return Ok(converted);
        }
        remakes += 1;
        spool.truncate(0).map_err(|error| cannot_write(error, name))?;
    }
}

fn assemble(
    source: ClipSource<'_>,
    destination: Destination<'_>,
    name: &str,
    conversion: &Conversion,
    target: Option<LoudnessTarget>,
    watch: Watch<'_>,
) -> Result<Converted> {
    let from = source.decoder.format();
    let speakers = source.decoder.metadata().speakers.as_ref();
    let audio = conversion.audio(from, speakers)?;
    let mixer = ChannelMixer::keep(from.channels, speakers, conversion.map.as_ref(), Some(audio.channels))?;
    let metadata = source.decoder.metadata().clone().at_rate(from.sample_rate, audio.sample_rate);
    let metadata = Metadata { speakers: mixer.speakers().filter(|speakers| speakers.count() > 2).cloned(), ..metadata };
    let level = target.map(|target| LoudnessChange::find(source.decoder, (&mixer, audio), target, &mut *watch));
    let level = level.transpose().map_err(|error| of_clip(error, source.name))?;
    let left_out = conversion.format.left_out(&metadata, destination.delivery());
    let output = NewClip {
        format: conversion.format,
        audio,
        bits_per_second: conversion.bits_per_second,
        map: conversion.map.clone(),
        metadata: metadata.clone(),
        level,
        name: name.to_owned(),
    };
    let frames = source.decoder.frames();
    let mut assembly = Assembly::begin(output, destination, frames)?;
    assembly.append(source.decoder, source.name, 0..frames.unwrap_or(u64::MAX), watch)?;
    let damage = source.decoder.damage();
    if damage.lost_frames() > 0 && damage.lost_frames() >= frames.unwrap_or(u64::MAX).saturating_add(damage.cut_off()) {
        let lost = damage.sentence(from.sample_rate).unwrap_or_default();
        let context = format!("{} is damaged, and none of its sound can be read: {lost}", source.name);
        return Err(Error::new(ErrorKind::InvalidData, context));
    }
    let lost_frames = output_frames(damage.lost_frames(), from.sample_rate, audio.sample_rate);
    assembly.note_lost(metadata, lost_frames);
    let Written { frames, bytes, clipped, loudness } = assembly.finish()?;
    let loudness = level.zip(loudness).map(|(level, after)| Leveled {
        before: level.before,
        after,
        gain_db: level.gain_db,
        limited: level.ceiling.is_some(),
    });
    let damage = damage.sentence(from.sample_rate);
    Ok(Converted { audio, from, frames, size_bytes: bytes, clipped, left_out, loudness, lost_frames, damage })
}

/// Why a clip could not be measured.
fn of_clip(error: Error, name: &str) -> Error {
    match error.kind() {
        ErrorKind::Abort => error,
        kind => Error::new(kind, format!("cannot measure {name}")).with_source(error),
    }
}

/// Reports early what the commit would report only at the end.
fn refuse_target(source: &Path, target: &Path, existing: Existing) -> Result<()> {
    let is_itself = matches!((source.canonicalize(), target.canonicalize()), (Ok(one), Ok(other)) if one == other);
    // A numbered name is another one.
    if is_itself && existing != Existing::Number {
        let context = format!("{} would be converted into itself", source.display());
        return Err(Error::new(ErrorKind::AlreadyExists, context));
    }
    let there = fs::symlink_metadata(target);
    match (there, existing) {
        (Ok(there), Existing::Keep | Existing::Replace) if there.is_dir() => {
            Err(cannot_write(io::ErrorKind::IsADirectory.into(), &target.display().to_string()))
        }
        (Ok(_), Existing::Keep) => Err(Error::new(ErrorKind::AlreadyExists, format!("{} exists", target.display()))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
