//! The description of a device, from what cpal reports about it.

use cpal::traits::DeviceTrait;

use super::system::System;
use crate::{
    audio::AudioFormat,
    capture::{
        DeviceInfo, DeviceKind, OpenRequest,
        negotiate::{self, Encoding, Native, Offer},
    },
};

/// How many channels may be requested of a device that does not report how many it has.
const STAND_IN_CHANNELS: std::ops::RangeInclusive<u16> = 1..=64;

/// The description of a device for people and for the choice of a format; `None` for what cannot be recorded or played.
pub(super) fn describe(
    system: System,
    device: &cpal::Device,
    kind: DeviceKind,
    is_default: bool,
) -> Option<DeviceInfo> {
    let id = device.id().ok()?;
    let offers = offers(device, kind).ok()?;
    let native = native(system, device, kind, &offers)?;
    let format = match native.encoding {
        Some(encoding) => AudioFormat::new(native.rate, native.channels, encoding.sample_format()),
        None => negotiate::choose(&offers, native, &OpenRequest::default())?.format(),
    };
    Some(DeviceInfo {
        id: id.to_string(),
        label: label(device),
        host: id.host().to_string(),
        kind,
        is_default,
        is_monitor: false,
        converts: system.converts(),
        format,
        channels: negotiate::channel_range(&offers)?,
        sample_rates: negotiate::usual_rates(&offers, native.rate),
        sample_formats: negotiate::encoding_names(&offers),
    })
}

/// The name for people.
pub(super) fn label(device: &cpal::Device) -> String {
    let Ok(description) = device.description() else { return "the device".to_owned() };
    match description.name() {
        // The PipeWire host's stand-ins for whatever the session's defaults are.
        "default_input" => "Default input".to_owned(),
        "default_output" => "Default output".to_owned(),
        "default_sink" => "Default output, and what it plays".to_owned(),
        name => name.to_owned(),
    }
}

/// The formats that it supports.
pub(super) fn offers(device: &cpal::Device, kind: DeviceKind) -> Result<Vec<Offer>, cpal::Error> {
    let system = device.id().map_or(System::Other, |id| System::of(id.host()));
    let offer = |range| offer(system, range);
    let mut offers: Vec<Offer> = match kind {
        DeviceKind::Input => device.supported_input_configs()?.filter_map(offer).collect(),
        DeviceKind::Output => device.supported_output_configs()?.filter_map(offer).collect(),
    };
    if stands_in(device) {
        let any = offers.iter().flat_map(|&offer| STAND_IN_CHANNELS.map(move |channels| Offer { channels, ..offer }));
        offers = any.collect();
    }
    Ok(offers)
}

/// Whether this is one of the PipeWire host's stand-ins for whatever the session's defaults are. It reports two
/// channels for them because their number is not known; PipeWire provides as many as are requested.
pub(super) fn stands_in(device: &cpal::Device) -> bool {
    let id = device.id();
    id.is_ok_and(|id| {
        System::of(id.host()) == System::PipeWire
            && ["input_default", "output_default", "sink_default"].contains(&id.id())
    })
}

/// How many channels the session's default source has. PipeWire's bridge for PulseAudio's clients reports it, if it
/// runs.
pub(super) fn default_channels() -> Option<u16> {
    #[cfg(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
    return crate::capture::Backend::default_input(&crate::capture::pulse::PulseBackend::new())
        .ok()?
        .map(|source| source.format.channels);
    #[cfg(not(any(target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd")))]
    None
}

fn offer(system: System, range: cpal::SupportedStreamConfigRange) -> Option<Offer> {
    let frames = match range.buffer_size() {
        cpal::SupportedBufferSize::Range { min, max } => Some((*min, *max)),
        cpal::SupportedBufferSize::Unknown => None,
    };
    Some(Offer {
        channels: range.channels(),
        rates: (range.min_sample_rate(), range.max_sample_rate()),
        frames: frames.filter(|(_, max)| *max > 0 && system.keeps().is_none()),
        encoding: encoding(range.sample_format())?,
    })
}

/// What the device runs at by itself. ALSA does not report it, and cpal's guess for it follows other preferences.
pub(super) fn native(system: System, device: &cpal::Device, kind: DeviceKind, offers: &[Offer]) -> Option<Native> {
    let config = match kind {
        _ if system == System::Alsa => return negotiate::assume_native(offers),
        DeviceKind::Input => device.default_input_config(),
        DeviceKind::Output => device.default_output_config(),
    };
    match config {
        Ok(config) => Some(Native {
            rate: config.sample_rate(),
            channels: config.channels(),
            encoding: encoding(config.sample_format()),
        }),
        Err(_) => negotiate::assume_native(offers),
    }
}

/// `None` for DSD, which is no sequence of samples that could be mixed or measured.
fn encoding(format: cpal::SampleFormat) -> Option<Encoding> {
    match format {
        cpal::SampleFormat::I8 => Some(Encoding::I8),
        cpal::SampleFormat::I16 => Some(Encoding::I16),
        cpal::SampleFormat::I24 => Some(Encoding::I24),
        cpal::SampleFormat::I32 => Some(Encoding::I32),
        cpal::SampleFormat::I64 => Some(Encoding::I64),
        cpal::SampleFormat::U8 => Some(Encoding::U8),
        cpal::SampleFormat::U16 => Some(Encoding::U16),
        cpal::SampleFormat::U24 => Some(Encoding::U24),
        cpal::SampleFormat::U32 => Some(Encoding::U32),
        cpal::SampleFormat::U64 => Some(Encoding::U64),
        cpal::SampleFormat::F32 => Some(Encoding::F32),
        cpal::SampleFormat::F64 => Some(Encoding::F64),
        _ => None,
    }
}
