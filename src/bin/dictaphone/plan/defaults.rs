//! Fills in the arguments of `record` that the config sets and the command line does not. Pure.

use dictaphone::format::Keeps;

use super::Target;
use crate::cli::{CaptureArgs, RecordArgs, container::Container, steps::StepArgs};

/// `args`, with those that are not given filled in from the config.
///
/// Where the recording goes, and in which format, is decided before: `file`, `dir`, `name`, `format`, `bitrate` and
/// `force` are left as they are.
pub(super) fn fill(args: RecordArgs, defaults: &RecordArgs) -> RecordArgs {
    // Without `..`, so that no new flag is forgotten.
    let RecordArgs { file: _, duration, capture, force: _, fast, reconnect, on_saved, paused, steps, print_path, json } =
        defaults;
    RecordArgs {
        duration: args.duration.or(*duration),
        fast: args.fast || *fast && has_no_pace(args.capture.device.as_ref().or(capture.device.as_ref())),
        reconnect: args.reconnect.or(*reconnect),
        on_saved: if args.on_saved.is_empty() { on_saved.clone() } else { args.on_saved },
        paused: args.paused || *paused,
        // They exclude each other, and a flag takes precedence.
        print_path: args.print_path || *print_path,
        json: args.json || *json && !args.print_path,
        capture: fill_capture(args.capture, capture),
        steps: fill_steps(args.steps, steps),
        ..args
    }
}

/// The same without what such a recording cannot have: the config applies to all recordings.
pub(super) fn fitting(defaults: &RecordArgs, target: &Target, container: &Container) -> RecordArgs {
    let mut fitting = defaults.clone();
    let steps = &mut fitting.steps;
    if *target == Target::Stdout {
        (steps.split, steps.split_align, steps.vox_split, steps.also) = (None, false, false, None);
    }
    if *target == Target::Stdout || container.format().keeps == Keeps::Nothing {
        steps.keep = None;
    }
    fitting
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
    // A preset on the command line is three flags in one word, and those take precedence.
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

fn fill_steps(args: StepArgs, defaults: &StepArgs) -> StepArgs {
    let StepArgs { split, split_align, max_size, vox, vox_split, threshold, hang, .. } = defaults;
    let StepArgs { pre_roll, stop_on_silence, wait_device, keep, dry_run: _, also, cue, .. } = defaults;
    // What belongs to a gate or a split that the command line chooses is chosen there as well.
    let has_gate = args.vox.is_some() || args.vox_split;
    let is_split = args.split.is_some() || args.vox_split;
    StepArgs {
        split: args.split.or(split.filter(|_| !is_split)),
        split_align: args.split_align || *split_align && !is_split,
        max_size: args.max_size.or(*max_size),
        vox: args.vox.or(vox.filter(|_| !has_gate)),
        vox_split: args.vox_split || *vox_split && !has_gate && !is_split,
        threshold: args.threshold.or(threshold.filter(|_| !has_gate)),
        hang: args.hang.or(*hang),
        pre_roll: args.pre_roll.or(*pre_roll),
        stop_on_silence: args.stop_on_silence.or(*stop_on_silence),
        wait_device: args.wait_device.or(*wait_device),
        keep: args.keep.or(*keep),
        dry_run: args.dry_run,
        also: args.also.or_else(|| also.clone()),
        cue: args.cue || *cue,
    }
}

/// Whether it can run as fast as it can be encoded; a microphone has its own pace.
fn has_no_pace(device: Option<&String>) -> bool {
    let word = device.and_then(|device| device.split(':').next());
    matches!(word, Some("tone" | "melody" | "silence" | "noise" | "file"))
}
