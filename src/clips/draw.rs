//! Waveforms as text. Pure; the program decides what is drawn where.
//!
//! The body of a column is how loud its sound is (RMS), and a dot above it is its peak: peaks alone look the same all
//! through a long clip, because some sample of every minute is loud. Heights are decibels, because speech that is recorded
//! with room to spare would be a flat line on a linear scale, and they are [scaled](Scale) to the clip.

use super::waveform::Bin;
use crate::audio::Dbfs;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];

/// Dots of a Braille pattern (U+2800 on), from the bottom up: left and right column.
const DOTS: [(u32, u32); 4] = [(0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08)];

/// Which levels are the bottom and the top of a picture.
///
/// ```
/// use dictaphone::clips::{Bin, draw::Scale};
/// let (quiet, loud) = (Bin { low: -33, high: 33, rms: 20 }, Bin { low: -16_384, high: 16_384, rms: 8_000 });
/// let scale = Scale::of(&[quiet, loud, loud]);
/// assert!(scale.body(quiet) < 0.1 && scale.body(loud) > 0.7 && scale.outline(loud) == 1.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    floor_db: f64,
    top_db: f64,
}

impl Scale {
    /// From −60 dBFS to full scale, for sound that is not yet known to its end.
    pub const FULL: Self = Self { floor_db: -60.0, top_db: 0.0 };

    /// The widest and the narrowest range, in dB: a steady sound is not made a mountain range.
    const WIDEST_DB: f64 = 60.0;
    const NARROWEST_DB: f64 = 24.0;
    /// The lowest top, in dBFS: noise is not shown as if it were speech.
    const LOWEST_TOP_DB: f64 = -45.0;
    /// How far the bottom is below the quietest twentieth, in dB.
    const MARGIN_DB: f64 = 3.0;

    /// From the quietest sound of a clip, except for a twentieth of it, to its highest peak.
    #[must_use]
    pub fn of(bins: &[Bin]) -> Self {
        Self::from_top(bins, Bin::peak)
    }

    /// The same up to the loudest part, for pictures without peaks.
    #[must_use]
    pub fn of_bodies(bins: &[Bin]) -> Self {
        Self::from_top(bins, Bin::loudness)
    }

    fn from_top(bins: &[Bin], top: fn(Bin) -> f32) -> Self {
        let mut levels: Vec<f64> = bins.iter().filter(|bin| bin.rms > 0).map(|bin| decibels(bin.loudness())).collect();
        levels.sort_by(f64::total_cmp);
        let Some(&quietest) = levels.get(levels.len() / 20) else { return Self::FULL };
        let top_db = bins.iter().map(|&bin| decibels(top(bin))).fold(Self::LOWEST_TOP_DB, f64::max);
        let floor_db = (quietest - Self::MARGIN_DB).clamp(top_db - Self::WIDEST_DB, top_db - Self::NARROWEST_DB);
        Self { floor_db, top_db }
    }

    /// How much of the height the body of `bin` fills: 0 for silence, 1 at the top.
    #[must_use]
    pub fn body(&self, bin: Bin) -> f64 {
        self.height(bin.loudness())
    }

    /// How high its peak is.
    #[must_use]
    pub fn outline(&self, bin: Bin) -> f64 {
        self.height(bin.peak())
    }

    /// How high an amplitude of 0 to 1 is.
    #[must_use]
    pub fn height(&self, amplitude: f32) -> f64 {
        ((decibels(amplitude) - self.floor_db) / (self.top_db - self.floor_db)).clamp(0.0, 1.0)
    }
}

fn decibels(amplitude: f32) -> f64 {
    Dbfs::from_amplitude(f64::from(amplitude)).value()
}

/// One character for each column, by its loudness: `▁▂▃▄▅▆▇█`, or without UTF-8 `_.,-=+*#`.
#[must_use]
pub fn bars(columns: &[Bin], scale: Scale, utf8: bool) -> String {
    let levels = if utf8 { BARS } else { ASCII };
    let bar = |&bin: &Bin| levels.get(steps(scale.body(bin), levels.len() - 1)).copied().unwrap_or(' ');
    columns.iter().map(bar).collect()
}

/// `rows` lines of Braille, the topmost first, two columns a character, four dots a line. Silence is the lowest dot, and
/// a dot above the body is the peak.
#[must_use]
pub fn braille(columns: &[Bin], scale: Scale, rows: usize) -> Vec<String> {
    let max = rows * DOTS.len();
    let dots = |height: f64| steps(height, max.saturating_sub(1)).saturating_add(1).min(max);
    let heights: Vec<_> = columns.iter().map(|&bin| (dots(scale.body(bin)), dots(scale.outline(bin)))).collect();
    (0..rows)
        .rev()
        .map(|row| {
            let column = |height: Option<&(usize, usize)>, side: fn(&(u32, u32)) -> u32| -> u32 {
                let (body, peak) = height.copied().unwrap_or_default();
                let place = |dot: usize| row * DOTS.len() + dot;
                let is_set = |dot: usize| place(dot) < body || place(dot) + 1 == peak;
                DOTS.iter().enumerate().filter(|(dot, _)| is_set(*dot)).map(|(_, bits)| side(bits)).sum()
            };
            let pattern = |pair: &[(usize, usize)]| {
                let bits = column(pair.first(), |bits| bits.0) + column(pair.get(1), |bits| bits.1);
                char::from_u32(0x2800 + bits).unwrap_or(' ')
            };
            heights.chunks(2).map(pattern).collect()
        })
        .collect()
}

/// `rows` lines of plain ASCII, the topmost first, one column a character; a `'` above the body is the peak.
#[must_use]
pub fn ascii(columns: &[Bin], scale: Scale, rows: usize) -> Vec<String> {
    let heights = columns.iter().map(|&bin| (steps(scale.body(bin), rows * 2), steps(scale.outline(bin), rows * 2)));
    let heights: Vec<(usize, usize)> = heights.collect();
    let line = |row: usize| {
        let cell = |&(body, peak): &(usize, usize)| match body.saturating_sub(row * 2) {
            0 if peak.saturating_sub(row * 2).wrapping_sub(1) < 2 => '\'',
            0 if row == 0 => '_',
            0 => ' ',
            1 => '.',
            _ => '|',
        };
        heights.iter().map(cell).collect()
    };
    (0..rows).rev().map(line).collect()
}

/// A height in steps from 0 to `max`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to max")]
fn steps(height: f64, max: usize) -> usize {
    (height * max as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part of that level, with a peak that much higher.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of a test")]
    fn bin(db: f64, crest_db: f64) -> Bin {
        let level = |db: f64| 32_767.0 * 10_f64.powf(db / 20.0);
        Bin { low: 0, high: level(db + crest_db) as i16, rms: level(db) as u16 }
    }

    /// Up from silence to full scale and down again.
    fn hill(crest_db: f64) -> Vec<Bin> {
        let up = (0..=24).map(|step| bin(f64::from(step) * 2.5 - 60.0 - crest_db, crest_db));
        up.clone().chain(up.rev()).collect()
    }

    #[test]
    fn bars_rise_and_fall() {
        let full = Scale::FULL;
        insta::assert_snapshot!(bars(&hill(0.0), full, true), @"▁▁▂▂▂▂▃▃▃▄▄▄▄▅▅▅▆▆▆▇▇▇▇████▇▇▇▇▆▆▆▅▅▅▄▄▄▄▃▃▃▂▂▂▂▁▁");
        insta::assert_snapshot!(bars(&hill(0.0), full, false), @"__....,,,----===+++****####****+++===----,,,....__");
    }

    #[test]
    fn braille_has_two_columns_a_character_and_four_dots_a_line() {
        insta::assert_snapshot!(braille(&hill(0.0), Scale::FULL, 1).join("\n"));
        insta::assert_snapshot!(braille(&hill(12.0), Scale::FULL, 2).join("\n"));
    }

    #[test]
    fn ascii_has_two_steps_a_line() {
        insta::assert_snapshot!(ascii(&hill(12.0), Scale::FULL, 2).join("\n"));
    }

    #[test]
    fn nothing_is_drawn_without_columns_or_rows() {
        let full = Scale::FULL;
        let nothing = (String::new(), vec![], vec![]);
        assert_eq!((bars(&[], full, true), braille(&hill(0.0), full, 0), ascii(&hill(0.0), full, 0)), nothing);
        assert_eq!(braille(&[], full, 2), ["", ""]);
    }

    #[test]
    fn silence_is_the_lowest_line_and_full_scale_the_highest() {
        for quiet in [Bin::default(), bin(-60.0, 0.0)] {
            assert_eq!(bars(&[quiet], Scale::FULL, true), "▁");
            assert_eq!(braille(&[quiet], Scale::FULL, 2), ["⠀", "⡀"]);
        }
        let loud = Bin { low: i16::MIN, high: 0, rms: 32_768 };
        assert_eq!(bars(&[loud], Scale::FULL, true), "█");
        assert_eq!(braille(&[loud, loud], Scale::FULL, 2), ["⣿", "⣿"]);
    }

    #[test]
    fn a_lecture_shows_who_speaks_who_asks_and_the_break() {
        // A hundred minutes: every part has a loud sample in it.
        let (speaker, question, pause) = (bin(-22.0, 16.0), bin(-38.0, 30.0), bin(-58.0, 40.0));
        let parts = [vec![speaker; 40], vec![pause; 10], vec![speaker; 30], vec![question; 20]].concat();
        let scale = Scale::of(&parts);
        let (speaker, question, pause) = (scale.body(speaker), scale.body(question), scale.body(pause));
        assert!(speaker - question > 0.2 && question - pause > 0.2 && pause < 0.1, "{speaker} {question} {pause}");
    }

    #[test]
    fn a_quiet_clip_fills_the_picture_and_noise_alone_does_not() {
        let quiet = [vec![bin(-50.0, 12.0); 9], vec![bin(-80.0, 12.0); 9]].concat();
        assert!(Scale::of(&quiet).outline(quiet[0]) > 0.99);
        let noise = vec![bin(-85.0, 12.0); 9];
        assert!(Scale::of(&noise).outline(noise[0]) < 0.6);
        let steady = vec![bin(-9.0, 3.0); 9];
        assert!(Scale::of(&steady).body(steady[0]) > 0.8);
        assert_eq!(Scale::of(&[]), Scale::FULL);
        assert_eq!(Scale::of(&[Bin::default()]), Scale::FULL);
    }

    #[test]
    fn whatever_is_no_level_has_no_height() {
        let heights = [f32::NAN, -0.0, 0.0].map(|amplitude| Scale::FULL.height(amplitude));
        assert_eq!((heights, Scale::FULL.height(f32::INFINITY)), ([0.0; 3], 1.0));
    }
}
