//! Waveforms as text. Pure; what is drawn where is the program's business.
//!
//! The height of a column is its peak in decibels, from [`FLOOR_DB`] below full scale upwards, because speech that is
//! recorded with room to spare would be a flat line on a linear scale.

use super::waveform::Bin;
use crate::audio::Dbfs;

/// Peaks at or below this are drawn as silence, in dBFS.
pub const FLOOR_DB: f64 = -48.0;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];

/// Dots of a Braille pattern (U+2800 on), from the bottom up: left and right column.
const DOTS: [(u32, u32); 4] = [(0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08)];

/// How much of the height `bin` fills: 0 for silence, 1 for full scale.
#[must_use]
pub fn height(bin: Bin) -> f64 {
    let db = Dbfs::from_amplitude(f64::from(bin.peak())).value();
    ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0)
}

/// One character a column: `▁▂▃▄▅▆▇█`, or without UTF-8 `_.,-=+*#`.
#[must_use]
pub fn bars(columns: &[Bin], utf8: bool) -> String {
    let levels = if utf8 { BARS } else { ASCII };
    columns.iter().map(|&bin| levels.get(level(bin, levels.len() - 1)).copied().unwrap_or(' ')).collect()
}

/// `rows` lines of Braille, the topmost first, two columns a character, four dots a line. Silence is the lowest dot.
#[must_use]
pub fn braille(columns: &[Bin], rows: usize) -> Vec<String> {
    let heights: Vec<usize> = columns.iter().map(|&bin| dots(bin, rows * DOTS.len())).collect();
    (0..rows)
        .rev()
        .map(|row| {
            let filled = |height: Option<&usize>| height.map_or(0, |height| height.saturating_sub(row * DOTS.len()));
            heights.chunks(2).map(|pair| pattern(filled(pair.first()), filled(pair.get(1)))).collect()
        })
        .collect()
}

/// `rows` lines of plain ASCII, the topmost first, one column a character.
#[must_use]
pub fn ascii(columns: &[Bin], rows: usize) -> Vec<String> {
    let heights: Vec<usize> = columns.iter().map(|&bin| level(bin, rows * 2)).collect();
    let line = |row: usize| {
        let cell = |&height: &usize| match height.saturating_sub(row * 2) {
            0 if row == 0 => '_',
            0 => ' ',
            1 => '.',
            _ => '|',
        };
        heights.iter().map(cell).collect()
    };
    (0..rows).rev().map(line).collect()
}

/// The height in steps from 0 to `max`.
fn level(bin: Bin, max: usize) -> usize {
    (height(bin) * max as f64).round() as usize
}

/// The height in dots from 1 to `max`, 0 only without room.
fn dots(bin: Bin, max: usize) -> usize {
    level(bin, max.saturating_sub(1)).saturating_add(1).min(max)
}

/// The Braille pattern with so many dots filled from the bottom.
fn pattern(left: usize, right: usize) -> char {
    let column = |filled: usize, side: fn(&(u32, u32)) -> u32| DOTS.iter().take(filled).map(side).sum::<u32>();
    char::from_u32(0x2800 + column(left, |dot| dot.0) + column(right, |dot| dot.1)).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(db: f64) -> Bin {
        Bin { low: 0, high: (32_767.0 * 10_f64.powf(db / 20.0)) as i16 }
    }

    /// Up from silence to full scale and down again.
    fn hill() -> Vec<Bin> {
        let up = (0..=24).map(|step| bin(f64::from(step) * 2.0 - 48.0));
        up.clone().chain(up.rev()).collect()
    }

    #[test]
    fn bars_rise_and_fall() {
        insta::assert_snapshot!(bars(&hill(), true), @"▁▁▂▂▂▂▃▃▃▄▄▄▄▅▅▅▆▆▆▇▇▇▇████▇▇▇▇▆▆▆▅▅▅▄▄▄▄▃▃▃▂▂▂▂▁▁");
        insta::assert_snapshot!(bars(&hill(), false), @"__....,,,----===+++****####****+++===----,,,....__");
    }

    #[test]
    fn braille_has_two_columns_a_character_and_four_dots_a_line() {
        insta::assert_snapshot!(braille(&hill(), 1).join("\n"), @"⣀⣀⣠⣤⣤⣤⣴⣶⣶⣶⣾⣿⣿⣿⣷⣶⣶⣶⣦⣤⣤⣤⣄⣀⣀");
        insta::assert_snapshot!(braille(&hill(), 2).join("\n"), @r"
        ⠀⠀⠀⠀⠀⠀⢀⣀⣤⣴⣶⣾⣿⣷⣶⣦⣤⣀⡀⠀⠀⠀⠀⠀⠀
        ⣀⣤⣤⣶⣾⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣷⣶⣤⣤⣀
        ");
    }

    #[test]
    fn ascii_has_two_steps_a_line() {
        let (low, high) = ("____......", "|||||||||||||||");
        let top = format!("{0}......||||||......{0}", " ".repeat(16));
        assert_eq!(ascii(&hill(), 2), [top, format!("{low}{high}{high}......____")]);
    }

    #[test]
    fn nothing_is_drawn_without_columns_or_rows() {
        assert_eq!((bars(&[], true), braille(&hill(), 0), ascii(&hill(), 0)), (String::new(), vec![], vec![]));
        assert_eq!(braille(&[], 2), ["", ""]);
    }

    #[test]
    fn silence_and_whispers_below_the_floor_are_the_lowest_line() {
        for quiet in [Bin::default(), Bin { low: -1, high: 1 }, bin(FLOOR_DB)] {
            assert_eq!(bars(&[quiet], true), "▁");
            assert_eq!(braille(&[quiet], 2), ["⠀", "⡀"]);
        }
        for loud in [Bin { low: i16::MIN, high: 0 }, Bin { low: 0, high: i16::MAX }] {
            assert_eq!((bars(&[loud], true), braille(&[loud, loud], 2)), ("█".into(), vec!["⣿".into(), "⣿".into()]));
        }
    }
}
