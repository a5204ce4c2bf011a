//! From options, stream and format to a take that can begin.

use std::{sync::Arc, time::Duration};

use super::{MediaRecorder, no_live_track};
use crate::{
    audio::{AudioFormat, Chain, ChannelMap, ChannelMixer, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
    format::{Codec, Delivery, EncoderSettings, Format, Keeps},
    media::{
        MediaStream, MediaStreamTrack, ReadyState, RecorderOptions, Split, identity,
        listening::Listening,
        piece::PiecePlan,
        source::Source,
        take::{Take, TakePlan},
    },
};

impl MediaRecorder {
    pub(super) fn prepare(&self, timeslice: Option<Duration>) -> Result<(Take, Arc<Source>)> {
        let tracks: Vec<MediaStreamTrack> =
            self.stream.tracks().into_iter().filter(|track| track.ready_state() == ReadyState::Live).collect();
        let source = tracks.first().ok_or_else(no_live_track)?.source();
        if tracks.iter().any(|track| !Arc::ptr_eq(track.source(), source)) {
            return Err(Error::new(
                ErrorKind::NotSupported,
                "tracks of more than one device cannot be recorded together",
            ));
        }
        let channels = source.format().channels;
        let mixer = ChannelMixer::keep(channels, source.speakers(), self.options.map.as_ref(), self.options.channels)?;
        let wanted = self.options.sample_rate.unwrap_or(source.format().sample_rate);
        let format = AudioFormat {
            sample_rate: self.container.sample_rate(wanted),
            channels: u16::try_from(mixer.channels_out()).unwrap_or(u16::MAX),
            sample_format: self.sample_format()?,
        };
        self.container.supported(format)?;
        let dates_broadcast =
            self.options.broadcast && self.container.keeps == Keeps::Everything && timeslice.is_none();
        let mut metadata = self.metadata(source, &mixer);
        if dates_broadcast {
            metadata.broadcast = Some(metadata.broadcast_payload());
        }
        let files = PiecePlan {
            container: self.container,
            settings: EncoderSettings {
                audio: format,
                delivery: if timeslice.is_some() { Delivery::Stream } else { Delivery::File },
                bits_per_second: self.options.audio_bits_per_second,
                metadata: metadata.clone(),
            },
            bits_per_second: self.container.estimated_bits_per_second(format, self.options.audio_bits_per_second),
            storage: self.options.storage.clone(),
        };
        self.refuse_too_small(&files)?;
        let plan = TakePlan {
            key: identity::new_key(),
            tracks: tracks.iter().map(MediaStreamTrack::key).collect(),
            source_format: source.format(),
            format,
            mime_type: self.container.full_mime_type(format),
            metadata,
            dates_broadcast,
            mixer,
            gain_db: self.options.gain_db,
            timeslice,
            max_frames: self.options.max_frames,
            max_bytes: self.options.max_bytes,
            split: self.options.split.filter(|_| timeslice.is_none()),
            pre_roll: self.options.pre_roll,
            gate_lead: self.options.gate.map_or(Duration::ZERO, |gate| gate.lead),
            reach: self.options.reach,
            splits_at_gate: timeslice.is_none() && self.options.gate.is_some_and(|gate| gate.splits),
            starts_paused: self.options.starts_paused,
            files,
        };
        let chain =
            Chain::new(plan.mixer.clone(), plan.source_format.sample_rate, plan.format.sample_rate, plan.gain_db)?;
        let (gate, silence) = (self.options.gate, self.options.stop_on_silence);
        let listening = Listening::new(gate, silence, plan.source_format, self.options.gain_db)?;
        Ok((Take::new(plan, Arc::clone(&self.shared), chain, listening)?, Arc::clone(source)))
    }

    fn refuse_too_small(&self, files: &PiecePlan) -> Result<()> {
        let of_split = match self.options.split {
            Some(Split::Bytes(bytes)) => Some(bytes),
            Some(Split::Every(length) | Split::Aligned(length)) if length.is_zero() => Some(0),
            _ => None,
        };
        let smallest = [of_split, self.options.max_bytes].into_iter().flatten().min();
        match smallest {
            Some(bytes) if bytes < files.min_bytes() => {
                let context =
                    format!("{bytes} bytes are too few for a file; at least {} are needed", files.min_bytes());
                Err(Error::new(ErrorKind::NotSupported, context))
            }
            _ => Ok(()),
        }
    }

    /// The requested format, or the one that the codec implies.
    pub(super) fn sample_format(&self) -> Result<SampleFormat> {
        let mut implied = self.codecs.iter().flat_map(|codec| codec.sample_formats).copied();
        match self.options.sample_format {
            None => Ok(implied.next().unwrap_or(SampleFormat::S16)),
            Some(wanted) if self.codecs.is_empty() || implied.any(|format| format == wanted) => Ok(wanted),
            Some(wanted) => {
                let context = format!("'{}' names no codec for {wanted} samples", self.options.mime_type);
                Err(Error::new(ErrorKind::NotSupported, context))
            }
        }
    }

    fn metadata(&self, source: &Source, mixer: &ChannelMixer) -> Metadata {
        let mut metadata = self.options.metadata.clone();
        metadata.speakers = mixer.speakers().filter(|speakers| speakers.count() > 2).cloned();
        metadata.device.get_or_insert_with(|| source.device().label.clone());
        metadata.software.get_or_insert_with(|| concat!("dictaphone ", env!("CARGO_PKG_VERSION")).to_owned());
        metadata
    }
}

/// About how many bits a second a recording of that stream takes, or the requested number.
pub(super) fn estimate(
    stream: &MediaStream,
    options: &RecorderOptions,
    container: &'static Format,
    codecs: &[&'static Codec],
) -> u32 {
    if let Some(asked) = options.audio_bits_per_second.filter(|asked| *asked > 0) {
        return asked;
    }
    let source = stream.tracks().first().map(|track| track.source().format());
    let (rate, channels) = source.map_or((48_000, 1), |source| (source.sample_rate, source.channels));
    let kept = options.channels.or(options.map.as_ref().map(ChannelMap::count)).unwrap_or(channels);
    let implied = codecs.iter().flat_map(|codec| codec.sample_formats).copied().next();
    let audio = AudioFormat {
        sample_rate: container.sample_rate(options.sample_rate.unwrap_or(rate)),
        channels: kept.max(1),
        sample_format: options.sample_format.or(implied).unwrap_or(SampleFormat::S16),
    };
    container.estimated_bits_per_second(audio, None).max(1)
}
