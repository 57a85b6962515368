//! Text for people: aligned tables, texts of a limited length, and an error with its causes.

use std::error::Error;

/// Rows of cells as a table: columns as wide as their widest cell, `gap` spaces apart, without
/// spaces at the end of a line. A row may have fewer cells than another.
pub fn table(rows: &[Vec<String>], gap: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).filter_map(width).collect();
    let gap = " ".repeat(gap);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(cells.join(&gap).trim_end());
        text.push('\n');
    }
    text
}

/// A text of at most so many bytes: a longer one ends after the last character that fits.
pub fn truncate(text: impl Into<String>, bytes: usize) -> String {
    let mut text = text.into();
    text.truncate(text.floor_char_boundary(bytes));
    text
}

/// An error and its causes as one sentence, with colons between them.
pub fn causes(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        sentence.push_str(": ");
        sentence.push_str(&cause.to_string());
        next = cause.source();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_in_characters() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let rows = [row(&["NAME", "N"]), row(&["Öl", "12"]), row(&["last"])];
        assert_eq!(table(&rows, 2), "NAME  N\nÖl    12\nlast\n");
        assert_eq!(table(&rows[1..2], 3), "Öl   12\n");
        assert_eq!(table(&[], 2), "");
    }

    #[test]
    fn a_text_is_cut_between_two_characters() {
        assert_eq!(truncate("äöü", 5), "äö");
        assert_eq!(truncate("äöü", 6), "äöü");
        assert_eq!(truncate(String::new(), 3), "");
    }

    #[derive(Debug)]
    struct Caused(&'static str, Option<Box<Caused>>);

    impl fmt::Display for Caused {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Caused {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn a_chain_of_causes_is_one_sentence() {
        let root = Caused("the disk is full", None);
        let error = Caused("the model cannot be kept", Some(Box::new(root)));
        let told = "the model cannot be kept: the disk is full";
        assert_eq!(causes(&error), told);
    }
}
