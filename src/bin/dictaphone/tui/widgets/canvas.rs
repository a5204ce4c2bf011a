//! A grid of dots that are smaller than characters: 2 × 4 in a braille character, 1 × 2 in ASCII. Pure.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

/// Bits of the braille patterns from U+2800 on, by row and column.
const BRAILLE: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The dots of an area.
pub(crate) struct Canvas {
    area: Rect,
    unicode: bool,
    /// One byte a character, as braille has its dots; ASCII uses the two lowest bits.
    cells: Vec<u8>,
}

impl Canvas {
    pub(crate) fn new(area: Rect, unicode: bool) -> Self {
        Self { area, unicode, cells: vec![0; usize::from(area.width) * usize::from(area.height)] }
    }

    const fn dots(&self) -> (usize, usize) {
        if self.unicode { (2, 4) } else { (1, 2) }
    }

    /// Columns of dots.
    pub(crate) fn columns(&self) -> usize {
        usize::from(self.area.width) * self.dots().0
    }

    /// Rows of dots.
    pub(crate) fn rows(&self) -> usize {
        usize::from(self.area.height) * self.dots().1
    }

    /// Sets a dot, counted from the left and from the top; outside there is none.
    pub(crate) fn set(&mut self, x: usize, y: usize) {
        let (across, down) = self.dots();
        let bit = match self.unicode {
            true => BRAILLE.get(y % down).and_then(|row| row.get(x % across)).copied().unwrap_or(0),
            false => 1 << (y % down),
        };
        if x < self.columns()
            && let Some(cell) = self.cells.get_mut(y / down * usize::from(self.area.width) + x / across)
        {
            *cell |= bit;
        }
    }

    /// Sets the dots of a column from one row to another.
    pub(crate) fn line(&mut self, x: usize, from: usize, to: usize) {
        (from.min(to)..=from.max(to)).for_each(|y| self.set(x, y));
    }

    /// The columns of dots of that column of characters.
    pub(crate) fn columns_of(&self, cell: usize) -> std::ops::Range<usize> {
        let (across, _) = self.dots();
        cell * across..(cell + 1) * across
    }

    /// Draws every character that has a dot, in the style of its column.
    pub(crate) fn draw(&self, buffer: &mut Buffer, style: impl Fn(usize) -> Style) {
        let width = usize::from(self.area.width).max(1);
        for (position, &dots) in self.area.positions().zip(&self.cells) {
            if dots == 0 {
                continue;
            }
            let shape = match (self.unicode, dots) {
                (true, _) => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
                (false, 1) => '\'',
                (false, 2) => '.',
                (false, _) => '#',
            };
            let column = usize::from(position.x - self.area.x) % width;
            if let Some(cell) = buffer.cell_mut(position) {
                cell.set_char(shape).set_style(style(column));
            }
        }
    }
}

/// The part of the height that a linear peak fills: decibels, from −48 dBFS at the bottom.
pub(crate) fn height(peak: f32) -> f32 {
    // NaN and silence fill nothing.
    if peak > 0.0 { (1.0 + 20.0 * peak.log10() / 48.0).clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(unicode: bool, dots: &[(usize, usize)]) -> String {
        let area = Rect::new(0, 0, 2, 1);
        let mut canvas = Canvas::new(area, unicode);
        dots.iter().for_each(|&(x, y)| canvas.set(x, y));
        let mut buffer = Buffer::empty(area);
        canvas.draw(&mut buffer, |_| Style::new());
        buffer.content().iter().map(|cell| cell.symbol()).collect()
    }

    #[test]
    fn dots_become_characters() {
        assert_eq!(drawn(true, &[(0, 0), (1, 3), (2, 3), (3, 3)]), "⢁⣀");
        assert_eq!(drawn(false, &[(0, 0), (1, 1)]), "'.");
        assert_eq!(drawn(false, &[(0, 0), (0, 1)]), "# ");
        assert_eq!(drawn(true, &[(4, 0), (0, 4), (usize::MAX, 0)]), "  ", "outside there is no dot");
    }

    #[test]
    fn heights_are_decibels() {
        for (peak, expected) in
            [(1.0, 1.0), (0.063_095_73, 0.5), (0.0, 0.0), (0.000_1, 0.0), (f32::NAN, 0.0), (9.0, 1.0)]
        {
            assert!((height(peak) - expected).abs() < 1e-4, "{peak}");
        }
    }
}
