//! `dictaphone devices`: what can be recorded from.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use dictaphone::{
    capture::{DeviceInfo, DeviceKind},
    media::MediaDevices,
};
use unicode_width::UnicodeWidthStr as _;

use crate::{
    cli::DevicesArgs,
    message::{Failure, Message, exit::Exit, visible},
    report::{Report, json::DeviceFacts, status::shortened, table},
    session::remembered,
};

/// Lists the devices on standard output.
///
/// # Errors
/// When the sound system does not answer, there is nothing to list, or standard output fails.
pub(crate) fn run(args: &DevicesArgs, report: &Report) -> anyhow::Result<Exit> {
    report.silence_libraries();
    let mut devices = found()?;
    devices.retain(|device| args.all || device.kind == DeviceKind::Input);
    let written = if args.json {
        let devices: Vec<DeviceFacts<'_>> = devices.iter().map(DeviceFacts::from).collect();
        report.facts(&devices)
    } else if devices.is_empty() {
        return Err(Failure::new(
            Message::new("no input device").hint("`dictaphone record --device tone` records a test tone"),
            Exit::NoDevice,
        )
        .into());
    } else {
        let columns = match io::stdout().is_terminal() {
            true => crossterm::terminal::size().map_or(usize::MAX, |(columns, _)| columns.into()),
            false => usize::MAX,
        };
        report.data(fitting(&devices, columns, report.speaks_utf8()).as_bytes())
    };
    written.context("cannot write the list")?;
    Ok(Exit::Done)
}

/// Everything that the backends list.
fn found() -> anyhow::Result<Vec<DeviceInfo>> {
    let mut devices = MediaDevices::new().enumerate_devices()?;
    remembered::mark(&mut devices);
    Ok(devices)
}

/// The table or, where that is wider than the terminal, two lines for each device: its id, which is never cut, and what
/// it is.
fn fitting(devices: &[DeviceInfo], columns: usize, utf8: bool) -> String {
    let wide = table(devices);
    if wide.lines().all(|line| line.width() <= columns) {
        return wide;
    }
    let lines = devices.iter().map(|device| {
        let [kind, id, label, channels, formats] = row(device);
        let facts = |formats: &str| format!("      {label}  {channels}  {}", formats.trim_end());
        let all = facts(&formats);
        let facts = if all.width() <= columns { all } else { facts(&rate_range(&device.sample_rates)) };
        format!("{kind}  {id}\n{}\n", shortened(&facts, columns, utf8))
    });
    lines.collect()
}

/// Columns for people, the default marked with a star; the name of a device cannot control the terminal.
fn table(devices: &[DeviceInfo]) -> String {
    table::render(devices.iter().map(row).collect::<Vec<_>>().as_slice())
}

fn row(device: &DeviceInfo) -> [String; 5] {
    let kind = match device.kind {
        DeviceKind::Input => "in",
        DeviceKind::Output => "out",
    };
    [
        format!("{} {kind}", if device.is_default { "*" } else { " " }),
        visible(&device.id),
        visible(&device.label),
        channels(device.channels),
        format!("{}  {}", rates(&device.sample_rates), visible(&device.sample_formats.join(","))),
    ]
}

fn channels((least, most): (u16, u16)) -> String {
    if least == most { format!("{most} ch") } else { format!("{least}-{most} ch") }
}

/// `44.1,48 kHz`.
fn rates(hertz: &[u32]) -> String {
    let kilohertz: Vec<String> = hertz.iter().map(|&hz| (f64::from(hz) / 1000.0).to_string()).collect();
    if kilohertz.is_empty() { String::new() } else { format!("{} kHz", kilohertz.join(",")) }
}

/// `44.1-48 kHz`: the lowest and the highest, where all of them are too many for a line.
fn rate_range(hertz: &[u32]) -> String {
    match (hertz.iter().min(), hertz.iter().max()) {
        (Some(low), Some(high)) if low < high => {
            format!("{}-{} kHz", f64::from(*low) / 1000.0, f64::from(*high) / 1000.0)
        }
        _ => rates(hertz),
    }
}

#[cfg(test)]
mod tests {
    use dictaphone::audio::{AudioFormat, SampleFormat};

    use super::*;

    fn device(id: &str, label: &str, is_default: bool) -> DeviceInfo {
        DeviceInfo {
            id: id.into(),
            label: label.into(),
            host: "alsa".into(),
            kind: DeviceKind::Input,
            is_default,
            is_monitor: false,
            converts: false,
            format: AudioFormat::new(48_000, 1, SampleFormat::S16),
            channels: (1, if is_default { 2 } else { 1 }),
            sample_rates: vec![44_100, 48_000],
            sample_formats: vec!["s16".into(), "s24".into()],
        }
    }

    #[test]
    fn columns_line_up_whatever_the_names_are() {
        let devices = [device("alsa:1", "USB", true), device("alsa:12", "マイク\u{1b}", false)];
        assert_eq!(
            table(&devices),
            "* in  alsa:1   USB           1-2 ch  44.1,48 kHz  s16,s24\n  in  alsa:12  マイク\\u{1b}  1 ch    44.1,48 kHz  s16,s24\n"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_two_lines_for_each_device_and_no_id_is_cut() {
        let id = format!("pulse:alsa_input.usb-{}", "x".repeat(60));
        let devices = [device(&id, &"long name ".repeat(9), true), device("alsa:1", "USB", false)];
        let text = fitting(&devices, 80, true);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), lines[0], lines[2]), (4, format!("* in  {id}").as_str(), "  in  alsa:1"));
        assert!(lines[1].width() <= 80 && lines[3].width() <= 80, "{text}");
        let rates = vec![8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
        let many = DeviceInfo { sample_rates: rates, ..device(&id, "USB", false) };
        let text = fitting(&[many], 60, true);
        assert_eq!(text.lines().last(), Some("      USB  1 ch  8-192 kHz"), "no list is cut in the middle of a number");
        assert_eq!(fitting(&devices, usize::MAX, true), table(&devices));
    }
}
