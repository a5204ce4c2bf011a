//! What the words of `record` are where the command line is silent and the config is not. Pure.

use crate::cli::{CaptureArgs, RecordArgs};

/// `args`, with what the config says in the gaps.
///
/// Where the recording goes, and in which format, is decided before: `file`, `dir`, `name`, `format`, `bitrate` and
/// `force` are left as they are.
pub(super) fn fill(args: RecordArgs, defaults: &RecordArgs) -> RecordArgs {
    // Without `..`, so that no new flag is forgotten.
    let RecordArgs { file: _, duration, capture, force: _, fast, reconnect, paused, print_path, json } = defaults;
    RecordArgs {
        duration: args.duration.or(*duration),
        fast: args.fast || *fast && has_no_pace(args.capture.device.as_ref().or(capture.device.as_ref())),
        reconnect: args.reconnect.or(*reconnect),
        paused: args.paused || *paused,
        // They exclude each other, and a flag wins.
        print_path: args.print_path || *print_path,
        json: args.json || *json && !args.print_path,
        capture: fill_capture(args.capture, capture),
        ..args
    }
}

fn fill_capture(args: CaptureArgs, defaults: &CaptureArgs) -> CaptureArgs {
    let CaptureArgs {
        device,
        format: _,
        rate,
        channels,
        map,
        sample_format,
        bitrate: _,
        preset,
        gain,
        name: _,
        dir: _,
    } = defaults;
    // A preset on the command line is three flags in one word, and those win.
    let silent = args.preset.is_none();
    CaptureArgs {
        device: args.device.or_else(|| device.clone()),
        rate: args.rate.or(rate.filter(|_| silent)),
        channels: args.channels.or(channels.filter(|_| silent)),
        map: args.map.or_else(|| map.clone()),
        sample_format: args.sample_format.or(sample_format.filter(|_| silent)),
        preset: args.preset.or(*preset),
        gain: args.gain.or(*gain),
        ..args
    }
}

/// Whether it can run as fast as it can be encoded; a microphone has its own pace.
fn has_no_pace(device: Option<&String>) -> bool {
    let word = device.and_then(|device| device.split(':').next());
    matches!(word, Some("tone" | "melody" | "silence" | "noise" | "file"))
}
