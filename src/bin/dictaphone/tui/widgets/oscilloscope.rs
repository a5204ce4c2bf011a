//! The wave itself: the latest few milliseconds, held still at a rising zero crossing. Pure.

use ratatui::{buffer::Buffer, layout::Rect};

use super::canvas::Canvas;
use crate::tui::app::Model;

/// Samples that are shown: 20 ms at 48 kHz.
const SHOWN_SAMPLES: usize = 960;

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the rows of a screen")]
pub(crate) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut canvas = Canvas::new(area, theme.unicode);
    let sound: Vec<f32> = model.live.sound.iter().copied().collect();
    let shown = window(&sound);
    let (columns, rows) = (canvas.columns(), canvas.rows());
    let row = |sample: f32| ((1.0 - sample.clamp(-1.0, 1.0)) / 2.0 * (rows.max(1) - 1) as f32).round() as usize;
    let mut before = None;
    for x in 0..columns {
        let part = shown.get(x * shown.len() / columns..(x + 1) * shown.len() / columns).unwrap_or_default();
        // With more columns than samples a column may have none of its own.
        let Some((low, high)) = bounds(part).or(before) else { continue };
        canvas.line(
            x,
            row(high.max(before.map_or(high, |(low, _)| low))),
            row(low.min(before.map_or(low, |(_, high)| high))),
        );
        before = bounds(part);
    }
    canvas.draw(buffer, |_| theme.accent());
}

fn bounds(samples: &[f32]) -> Option<(f32, f32)> {
    let finite = || samples.iter().copied().filter(|sample| !sample.is_nan());
    Some((finite().reduce(f32::min)?, finite().reduce(f32::max)?))
}

/// The latest samples that begin at a rising zero crossing; the latest ones without one.
fn window(sound: &[f32]) -> &[f32] {
    let latest = sound.len().saturating_sub(SHOWN_SAMPLES);
    let crossing = (1..=latest).rev().find(|&at| match sound.get(at - 1..=at) {
        Some([before, after]) => *before < 0.0 && *after >= 0.0,
        _ => false,
    });
    let start = crossing.unwrap_or(latest);
    sound.get(start..(start + SHOWN_SAMPLES).min(sound.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_tone_stands_still() {
        let tone = |shift: usize| -> Vec<f32> {
            (0..4_096).map(|i| ((i + shift) as f32 * std::f32::consts::TAU / 96.0 + 0.05).sin()).collect()
        };
        let (one, other) = (tone(0), tone(37));
        for (a, b) in window(&one).iter().zip(window(&other)) {
            assert!((a - b).abs() < 1e-3);
        }
        assert_eq!(window(&one).len(), SHOWN_SAMPLES);
    }

    #[test]
    fn sound_without_a_crossing_and_too_little_of_it_are_shown_as_they_are() {
        assert_eq!(window(&[0.5; 2_000]).len(), SHOWN_SAMPLES);
        assert_eq!(window(&[0.5; 3]).len(), 3);
        assert!(window(&[]).is_empty());
    }
}
