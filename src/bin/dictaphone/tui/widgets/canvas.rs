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
    /// Whether a character has more than an outline in it.
    solid: Vec<bool>,
}

impl Canvas {
    pub(crate) fn new(area: Rect, unicode: bool) -> Self {
        let count = usize::from(area.width) * usize::from(area.height);
        Self { area, unicode, cells: vec![0; count], solid: vec![false; count] }
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
        self.set_as(x, y, true);
    }

    /// Sets a dot of an outline, which is drawn in a style of its own where nothing else is.
    pub(crate) fn trace(&mut self, x: usize, y: usize) {
        self.set_as(x, y, false);
    }

    fn set_as(&mut self, x: usize, y: usize, solid: bool) {
        let (across, down) = self.dots();
        let bit = match self.unicode {
            true => BRAILLE.get(y % down).and_then(|row| row.get(x % across)).copied().unwrap_or(0),
            false => 1 << (y % down),
        };
        let place = y / down * usize::from(self.area.width) + x / across;
        if x < self.columns()
            && let Some((cell, is_solid)) = self.cells.get_mut(place).zip(self.solid.get_mut(place))
        {
            *cell |= bit;
            *is_solid |= solid;
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
        self.draw_outlined(buffer, |column, _| style(column));
    }

    /// The same; `style` also receives whether the character has more than an outline in it.
    pub(crate) fn draw_outlined(&self, buffer: &mut Buffer, style: impl Fn(usize, bool) -> Style) {
        let width = usize::from(self.area.width).max(1);
        for ((position, &dots), &solid) in self.area.positions().zip(&self.cells).zip(&self.solid) {
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
                cell.set_char(shape).set_style(style(column, solid));
            }
        }
    }
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
}
