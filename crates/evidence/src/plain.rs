//! Texts of one's own in letters that every character set of DICOM has.
//!
//! A result keeps the character set of its source, whatever that is, so that names go over as they are. Its own texts
//! are ASCII therefore, without the backslash and the tilde, which are other letters in JIS X 0201 (PS3.5, D and 6.1.2.3).

/// The text in printable ASCII: controls become spaces, and what has no such letter a question mark. What is longer
/// than `longest` letters ends with three dots.
pub(crate) fn plain(text: &str, longest: usize) -> String {
    // One letter more than is kept tells whether any is lost: no work is done for the rest.
    let letters: Vec<char> = text.chars().map(letter).take(longest + 1).collect();
    if letters.len() <= longest {
        return letters.into_iter().collect::<String>().trim().to_owned();
    }
    let kept = letters.into_iter().take(longest.saturating_sub(3));
    kept.chain("...".chars())
        .collect::<String>()
        .trim_start()
        .to_owned()
}

/// As [`plain`], for a value that must not be empty.
pub(crate) fn told(text: &str, longest: usize) -> String {
    let text = plain(text, longest);
    if text.is_empty() {
        return "unknown".to_owned();
    }
    text
}

fn letter(letter: char) -> char {
    match letter {
        '\\' => '/',
        '~' => '-',
        ' '..='}' => letter,
        '≥' => '>',
        '–' | '—' | '−' => '-',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        _ if letter.is_whitespace() || letter.is_control() => ' ',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_in_letters_that_every_character_set_has() {
        assert_eq!(plain("a\\b~c\r\nd\u{1b}$B\u{e9}", 64), "a/b-c  d $B?");
        assert_eq!(plain("  \u{0}x ", 64), "x");
    }

    #[test]
    fn a_text_that_is_to_be_told_is_never_empty() {
        assert_eq!(told(" \n\u{1}", 64), "unknown");
        assert_eq!(told("\u{e9}", 64), "?");
    }

    #[test]
    fn a_text_is_no_longer_than_its_value_may_be() {
        assert_eq!(plain("1234567890", 10), "1234567890");
        assert_eq!(plain("12345678901", 10), "1234567...");
        assert_eq!(plain(&"x".repeat(1 << 20), 64).len(), 64);
    }
}
