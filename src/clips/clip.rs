//! One clip as its file's header and tags describe it. Reads no sound, except where the length cannot be found
//! otherwise.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::{Timestamp, Zoned, civil::Time, fmt::temporal::Pieces, tz::Offset};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    audio::{Metadata, broadcast, local_time, time::seconds},
    error::{Error, Result},
    format::{self, Decoder},
};

/// What is known about a clip without reading its sound; what is unknown is `None`.
///
/// Serialized, it is the clip of the machine output; see [`path_fields`] for its path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clip {
    /// Name of the file without its extension.
    pub name: String,
    /// Where the file is.
    #[serde(flatten, serialize_with = "path_alone")]
    pub path: PathBuf,
    /// Name of the container, as in the table of formats; for a file that cannot be read, the one of its extension.
    pub format: Option<String>,
    /// MIME type with the codec.
    pub mime_type: Option<String>,
    /// Length in seconds.
    pub duration_s: Option<f64>,
    /// Length in frames.
    pub frames: Option<u64>,
    /// Frames a second, in hertz.
    pub sample_rate: Option<u32>,
    /// Samples in a frame.
    pub channels: Option<u16>,
    /// How a sample is stored, such as `s16`.
    pub sample_format: Option<String>,
    /// Size of the file.
    pub size_bytes: Option<u64>,
    /// When it was recorded: from its broadcast extension, else from its tag, else the time when the file was last
    /// changed. To the second.
    #[serde(serialize_with = "rfc_3339")]
    pub recorded_at: Option<Zoned>,
    /// Why the file cannot be read. Other clips have no such field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When the file was last changed, to detect changes.
    #[serde(skip)]
    pub modified: Option<SystemTime>,
}

impl Clip {
    /// The clip at `path`. A file that is there but cannot be read is a clip with an `error`.
    ///
    /// # Errors
    /// Those of reading the metadata of the file, [`std::io::ErrorKind::NotFound`] among them; a link to nowhere is no
    /// error.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self::open(path)?.0)
    }

    /// The clip at `path` and, if its sound can be read, the decoder that reads it.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<Box<dyn Decoder>>)> {
        let failed = |error| Error::from_io(error, format!("cannot read {}", path.display()));
        let metadata = fs::metadata(path).or_else(|_| fs::symlink_metadata(path)).map_err(failed)?;
        let mut clip = Self::unread(path, &metadata);
        if is_headerless(path) {
            clip.error = Some(format!("{} holds raw samples, which do not say their rate and format", path.display()));
            return Ok((clip, None));
        }
        match format::open(path) {
            Ok(decoder) => {
                clip.describe(decoder.as_ref());
                Ok((clip, Some(decoder)))
            }
            Err(error) => {
                clip.error = Some(error.to_string());
                Ok((clip, None))
            }
        }
    }

    /// What the name and the file system reveal.
    fn unread(path: &Path, metadata: &fs::Metadata) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let by_extension = extension.and_then(format::by_extension);
        let modified = metadata.modified().ok();
        Self {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            path: path.to_owned(),
            format: extension.and_then(format::name_by_extension).map(str::to_owned),
            mime_type: by_extension.map(|format| format.mime_type.to_owned()),
            duration_s: None,
            frames: None,
            sample_rate: None,
            channels: None,
            sample_format: None,
            size_bytes: metadata.is_file().then_some(metadata.len()),
            recorded_at: modified.and_then(local_time::at),
            error: None,
            modified,
        }
    }

    fn describe(&mut self, decoder: &dyn Decoder) {
        let audio = decoder.format();
        self.format = Some(decoder.container().to_owned());
        self.mime_type = format::mime_type(decoder.container(), audio);
        self.frames = decoder.frames();
        self.duration_s = self.frames.map(|frames| seconds(frames, audio.sample_rate));
        self.sample_rate = Some(audio.sample_rate);
        self.channels = Some(audio.channels);
        self.sample_format = Some(audio.sample_format.name().to_owned());
        self.recorded_at = recorded_at(decoder.metadata(), self.recorded_at.take());
    }

    /// When it was recorded, for sorting; unknown is earliest.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.recorded_at.as_ref().map_or(Timestamp::MIN, Zoned::timestamp)
    }
}

/// Whether the extension is that of raw samples, which can be recognised only by it.
fn is_headerless(path: &Path) -> bool {
    path.extension().and_then(|e| format::by_extension(e.to_str()?)).is_some_and(|format| format.name == "raw")
}

/// The date of the broadcast extension, else that of the tags; a day without a time only where `modified` is on another
/// one.
fn recorded_at(tags: &Metadata, modified: Option<Zoned>) -> Option<Zoned> {
    let tagged = tagged_at(tags, modified);
    let Some(origination) = tags.broadcast.as_deref().and_then(broadcast::origination) else { return tagged };
    // The extension has no offset from universal time; a tag with the same time may have one.
    match tagged {
        Some(at) if at.datetime().with().subsec_nanosecond(0).build().is_ok_and(|at| at == origination) => Some(at),
        tagged => origination.to_zoned(local_time::zone()).ok().or(tagged),
    }
}

fn tagged_at(tags: &Metadata, modified: Option<Zoned>) -> Option<Zoned> {
    let Some(pieces) = tags.date.as_deref().and_then(|date| Pieces::parse(date.trim()).ok()) else { return modified };
    let time = match (pieces.time(), &modified) {
        (Some(time), _) => time,
        (None, Some(modified)) if modified.date() == pieces.date() => return Some(modified.clone()),
        (None, _) => Time::midnight(),
    };
    let zone = pieces.to_numeric_offset().map_or_else(local_time::zone, Offset::to_time_zone);
    pieces.date().to_datetime(time).to_zoned(zone).ok().or(modified)
}

/// Seconds and the offset, as the recorder writes it.
fn rfc_3339<S: Serializer>(time: &Option<Zoned>, serializer: S) -> Result<S::Ok, S::Error> {
    time.as_ref().map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()).serialize(serializer)
}

fn path_alone<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    path_fields(&mut map, "path", path)?;
    map.end()
}

/// A path in machine output: the field `name` as text and, where that is not exact because the path is not Unicode,
/// `name` + `_bytes` with its bytes in base64 (RFC 4648, section 4), with which a script can open the file.
///
/// # Errors
/// Those of the serializer.
pub fn path_fields<M: SerializeMap>(map: &mut M, name: &str, path: &Path) -> Result<(), M::Error> {
    map.serialize_entry(name, &path.to_string_lossy())?;
    match path.to_str() {
        Some(_) => Ok(()),
        None => map.serialize_entry(&format!("{name}_bytes"), &BASE64.encode(path.as_os_str().as_encoded_bytes())),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        audio::Marker,
        audio::{AudioFormat, SampleFormat},
        format::{Delivery, EncoderSettings},
    };

    /// A WAV file of these samples, 8 kHz.
    pub(in crate::clips) fn wav(samples: &[f32], channels: u16, metadata: Metadata) -> Vec<u8> {
        wav_of(AudioFormat::new(8_000, channels, SampleFormat::S16), samples, metadata)
    }

    /// A WAV file of these samples.
    pub(in crate::clips) fn wav_of(audio: AudioFormat, samples: &[f32], metadata: Metadata) -> Vec<u8> {
        let settings = EncoderSettings { audio, delivery: Delivery::File, bits_per_second: None, metadata };
        let mut encoder = format::by_name("wav").unwrap().encoder(&settings).unwrap();
        let mut out = Vec::new();
        encoder.begin(&mut out).unwrap();
        encoder.encode(samples, &mut out).unwrap();
        encoder.finish(&mut out).unwrap();
        let seal = encoder.seal(out.len() as u64);
        out.truncate(usize::try_from(seal.length).unwrap());
        for patch in seal.patches {
            let at = usize::try_from(patch.at).unwrap();
            out[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
        }
        out
    }

    pub(in crate::clips) fn tags(date: &str) -> Metadata {
        let markers = vec![Marker { frame: 4_000, text: "half".into() }];
        Metadata { date: Some(date.into()), markers, ..Metadata::default() }
    }

    #[test]
    fn a_clip_is_what_the_machine_output_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("übung 1.WAV");
        fs::write(&path, wav(&[0.0; 24_000], 2, tags("2026-11-20T14:05:09+01:00"))).unwrap();
        let clip = Clip::read(&path).unwrap();
        let size = fs::metadata(&path).unwrap().len();
        let expected = serde_json::json!({
            "name": "übung 1", "path": path, "format": "wav", "mime_type": "audio/wav;codecs=1", "duration_s": 1.5,
            "frames": 12_000, "sample_rate": 8_000, "channels": 2, "sample_format": "s16", "size_bytes": size,
            "recorded_at": "2026-11-20T14:05:09+01:00",
        });
        assert_eq!(serde_json::to_value(&clip).unwrap(), expected);
    }

    #[test]
    fn a_file_that_cannot_be_read_has_an_error_and_null_for_what_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes, format) in [
            ("a.wav", &b"RIFF\0\0\0\0WAVE"[..], Some("wav")),
            ("b.wav", b"", Some("wav")),
            ("c.wave", b"GIF89a and more bytes", Some("wav")),
            ("d.raw", &[0; 64], Some("raw")),
            ("e.strange", &[0; 64], None),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            let value = serde_json::to_value(Clip::read(&path).unwrap()).unwrap();
            assert_eq!(value["format"].as_str(), format, "{name}");
            for field in ["duration_s", "frames", "sample_rate", "channels", "sample_format"] {
                assert_eq!(value.get(field), Some(&serde_json::Value::Null), "{name} {field}");
            }
            assert_eq!(value["size_bytes"], bytes.len(), "{name}");
            assert!(value["recorded_at"].is_string() && value["error"].as_str().unwrap().contains(name), "{value}");
        }
        let missing = Clip::read(&folder.path().join("x.wav")).unwrap_err();
        assert_eq!(missing.io_kind(), Some(std::io::ErrorKind::NotFound));
    }

    #[test]
    fn the_date_is_the_tag_where_it_tells_one() {
        let modified: Zoned = "2026-11-21T08:00:00+02:00[+02:00]".parse().unwrap();
        let date = |text: &str| {
            let found = recorded_at(&tags(text), Some(modified.clone())).unwrap();
            (found.datetime().to_string(), found == modified)
        };
        assert_eq!(date("2026-11-20T14:05:09+01:00").0, "2026-11-20T14:05:09");
        assert_eq!(date("2026-11-20T14:05:09Z").0, "2026-11-20T14:05:09");
        assert_eq!(date(" 2026-11-20 14:05:09").0, "2026-11-20T14:05:09");
        assert_eq!(date("1553-05-03").0, "1553-05-03T00:00:00");
        for text in ["2026-11-21", "2026", "", "yesterday", "2026-13-45T99:00:00Z"] {
            assert!(date(text).1, "{text}");
        }
        assert_eq!(recorded_at(&Metadata::default(), None), None);
    }
}
