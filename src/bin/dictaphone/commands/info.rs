//! `dictaphone info`: everything about one clip, with its waveform and markers.

use std::{
    io::{self, IsTerminal as _},
    ops::{ControlFlow, Range},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use dictaphone::{
    Error,
    audio::time::seconds,
    clips::{
        Advance, Info, Outline, Waveform,
        draw::{self, Scale},
    },
    format,
};
use unicode_width::UnicodeWidthStr as _;

use super::convert::line;
use crate::{
    cli::{InfoArgs, config::Config},
    message::{Failure, Message, exit::Exit, file_failure, visible},
    plan::part,
    report::{Report, markers, quantity::size, status::clock, table},
    shelf,
};

/// The width of the waveform in characters where the width of the terminal is unknown, and the largest width.
const WIDTH: u16 = 76;

/// Lines of the waveform.
const ROWS: usize = 3;

/// Prints the facts about the clip on standard output.
///
/// # Errors
/// If there is no such clip, or it cannot be read, or standard output fails.
pub(crate) fn run(args: &InfoArgs, config: Config, report: &Report) -> anyhow::Result<Exit> {
    let folder = shelf::folder(&args.folder, config)?;
    let path = shelf::find_or_newest(&folder, args.clip.as_deref())?;
    let info = match args.markers {
        // The markers are in the head of the file.
        Some(_) => Info::head(&path),
        None => watched(&path, args, report),
    };
    let info = info.map_err(|error| file_failure(&error))?;
    if args.json {
        report.facts(&info)
    } else if let Some(form) = args.markers {
        report.data(markers::render(&info, form).as_bytes())
    } else if info.clip.sample_rate.is_some() {
        let waveform = match part::frames(args.part, info.clip.frames, info.clip.sample_rate.unwrap_or(1))? {
            None => Some(info.waveform.clone()),
            Some(frames) => enlarged(&path, frames),
        };
        report.data(text(&info, waveform.as_ref(), report).as_bytes())
    } else {
        Ok(())
    }
    .context("cannot write the answer")?;
    match &info.clip.error {
        None => Ok(Exit::Done),
        // Of a read error only the text is kept.
        Some(text) => Err(match format::open(&path) {
            Err(error) => shelf::unreadable(&path, &error),
            Ok(_) => Failure::new(Message::new(text), Exit::Failed),
        }
        .into()),
    }
}

/// Reads the clip to its end. On a terminal, a long one is shown at once with what its head says, soon with a rough
/// waveform, and with the progress.
fn watched(path: &Path, args: &InfoArgs, report: &Report) -> Result<Info, Error> {
    let mut preview = Preview::default();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut total = None;
    let cache = shelf::waveforms();
    let wants_text = !args.json && args.part.from.is_none() && args.part.to.is_none();
    if report.has_live_line() && !cache.as_ref().is_some_and(|cache| cache.knows(path)) {
        let mut head = Info::head(path)?;
        total = head.clip.frames;
        if wants_text && io::stdout().is_terminal() && Waveform::takes_long(total) {
            preview.show(&head, report);
            let rough = format::open(path).ok().and_then(|mut decoder| Waveform::glance(decoder.as_mut()).ok()?);
            head.waveform = rough.unwrap_or_default();
            preview.show(&head, report);
        }
    }
    let watch = |outline: &Outline| {
        let advance = Advance { frames: outline.frames(), total };
        report.draw_line(Instant::now(), |width, style| line::render(advance, &name, width, style));
        ControlFlow::Continue(())
    };
    let info = match &cache {
        Some(cache) => Info::recall(path, cache, watch),
        None => Info::read(path, watch),
    };
    report.clear();
    preview.remove(report);
    info
}

/// What is shown on a terminal before all is known.
#[derive(Default)]
struct Preview {
    /// The lines of the terminal that it occupies.
    lines: usize,
}

impl Preview {
    fn show(&mut self, info: &Info, report: &Report) {
        let text = text(info, Some(&info.waveform), report);
        let (columns, rows) = crossterm::terminal::size().unwrap_or((WIDTH, 0));
        let columns = usize::from(columns).max(1);
        let lines = text.lines().map(|line| line.width().div_ceil(columns).max(1)).sum();
        self.remove(report);
        // Lines that have scrolled off the top of the screen could not be replaced.
        if lines < usize::from(rows) && report.data(text.as_bytes()).is_ok() {
            self.lines = lines;
        }
    }

    fn remove(&mut self, report: &Report) {
        // Messages to a person reach the same terminal through another stream.
        report.finish();
        match std::mem::take(&mut self.lines) {
            0 => {}
            // Without a terminal there was nothing to show.
            lines => drop(report.data(format!("\x1b[{lines}A\r\x1b[J").as_bytes())),
        }
    }
}

fn width() -> usize {
    crossterm::terminal::size().map_or(WIDTH, |(columns, _)| columns.clamp(1, WIDTH)).into()
}

/// That part of it enlarged; a read error was reported already.
fn enlarged(path: &Path, frames: Range<u64>) -> Option<Waveform> {
    let mut decoder = format::open(path).ok()?;
    Waveform::measure_part(decoder.as_mut(), frames, |_| ControlFlow::Continue(())).ok()
}

/// The facts for people; what is unknown is left out.
fn text(info: &Info, waveform: Option<&Waveform>, report: &Report) -> String {
    let (width, utf8) = (width(), report.speaks_utf8());
    let mut text = table::render(&rows(info));
    let columns = |count: usize| waveform.map(|waveform| waveform.columns(count)).unwrap_or_default();
    let scale = Scale::of(info.waveform.bins());
    let lines =
        if utf8 { draw::braille(&columns(width * 2), scale, ROWS) } else { draw::ascii(&columns(width), scale, ROWS) };
    for line in lines.iter().filter(|line| !line.is_empty()) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn rows(info: &Info) -> Vec<[String; 2]> {
    let clip = &info.clip;
    let rate = clip.sample_rate.unwrap_or(0);
    let time = |seconds: f64| clock(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let facts = [
        ("name", Some(visible(&clip.name))),
        ("file", Some(visible(&clip.path.to_string_lossy()))),
        ("title", info.title.as_deref().map(visible)),
        ("recorded", clip.recorded_at.as_ref().map(|time| time.strftime("%Y-%m-%d %H:%M:%S %:z").to_string())),
        ("device", info.device.as_deref().map(visible)),
        ("length", clip.duration_s.zip(clip.frames).map(|(s, frames)| format!("{} ({frames} frames)", time(s)))),
        ("format", Some(format(info))),
        ("size", clip.size_bytes.map(size)),
        ("peak", info.peak_dbfs.map(|db| format!("{db:.1} dBFS"))),
        ("loudness", info.loudness_lufs.map(|lufs| format!("{lufs:.1} LUFS"))),
        ("device rate", info.device_rate_hz.map(|hertz| format!("{hertz:.1} Hz"))),
        ("damage", info.damage.clone()),
        ("lost", info.lost_frames.map(|frames| format!("{frames} frames ({:.3} s)", seconds(frames, rate)))),
    ];
    let markers =
        info.markers.iter().map(|marker| ("marker", Some(format!("{}  {}", time(marker.at_s), visible(&marker.text)))));
    let facts = facts.into_iter().chain(markers);
    facts.filter_map(|(name, value)| Some([name.to_owned(), value?.trim_end().to_owned()])).collect()
}

/// `wav, 48 kHz mono s16`.
fn format(info: &Info) -> String {
    let clip = &info.clip;
    let channels = match clip.channels {
        Some(1) => "mono".to_owned(),
        Some(2) => "stereo".to_owned(),
        n => format!("{} channels", n.unwrap_or(0)),
    };
    let khz = f64::from(clip.sample_rate.unwrap_or(0)) / 1000.0;
    let name = visible(clip.format.as_deref().unwrap_or("unknown"));
    format!("{name}, {khz} kHz {channels} {}", clip.sample_format.as_deref().unwrap_or(""))
}
