//! Columns of text for people, lined up by the width that a terminal gives each character. Pure.

use unicode_width::UnicodeWidthStr;

/// A line for each row, columns two blanks apart, no blanks at the end. The cells must be harmless to a terminal.
pub(crate) fn render<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: Vec<usize> = (0..N)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let rows = [["a", "b", ""], ["録音", "", "c"]].map(|row| row.map(str::to_owned));
        assert_eq!(render(&rows), "a     b\n録音     c\n");
        assert_eq!(render::<2>(&[]), "");
    }
}
