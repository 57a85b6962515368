//! Texts in the character set that the object declares, read leniently.
//!
//! A text that its character set does not hold is still a text: its words in plain letters are read
//! whatever the others are. Never: a word that ends where a letter was not understood.

use std::borrow::Cow;

use encoding_rs::{
    EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5,
    ISO_8859_6, ISO_8859_7, ISO_8859_8, ISO_8859_15, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1252,
    WINDOWS_1254,
};

/// How texts are written: Specific Character Set (0008,0005), as far as it is known.
#[derive(Clone, Copy)]
pub(crate) struct CharacterSet(&'static Encoding);

impl Default for CharacterSet {
    /// The default repertoire, whose letters all of these have; Latin for what exceeds it.
    fn default() -> Self {
        Self(WINDOWS_1252)
    }
}

/// The standard's terms without their prefixes `ISO_IR` and `ISO 2022 IR` (PS3.3, C.12.1.1.2), each with an
/// encoding that holds at least its letters.
const TERMS: &[(&str, &Encoding)] = &[
    ("13", SHIFT_JIS),
    ("58", GBK),
    ("87", ISO_2022_JP),
    ("101", ISO_8859_2),
    ("109", ISO_8859_3),
    ("110", ISO_8859_4),
    ("126", ISO_8859_7),
    ("127", ISO_8859_6),
    ("138", ISO_8859_8),
    ("144", ISO_8859_5),
    ("148", WINDOWS_1254),
    ("149", EUC_KR),
    ("159", ISO_2022_JP),
    ("166", WINDOWS_874),
    ("192", UTF_8),
    ("203", ISO_8859_15),
];

impl CharacterSet {
    /// The set that a value of Specific Character Set declares. Of several terms the first counts that is
    /// more than the default one; a term that neither the standard nor the web knows counts as none.
    pub(super) fn declared(value: &[u8]) -> Self {
        let terms = String::from_utf8_lossy(value);
        let known = terms.split('\\').find_map(encoding_of);
        known.map_or_else(Self::default, Self)
    }

    /// The text that the bytes are.
    ///
    /// Bytes that the declared set does not hold are read as the Western European one, which has a letter
    /// or a sign for each. Of sets with one byte a letter UTF-8 is tried first, since a text that is
    /// valid in it and not plain is hardly ever meant otherwise.
    pub(super) fn decode(self, bytes: &[u8]) -> String {
        let coded = bytes;
        let bytes = without_designations(coded, self.0);
        let first = if self.0.is_single_byte() {
            UTF_8
        } else {
            self.0
        };
        [first, self.0]
            .iter()
            .find_map(|set| set.decode_without_bom_handling_and_without_replacement(&bytes))
            .map_or_else(|| western(coded), Cow::into_owned)
    }
}

fn encoding_of(term: &str) -> Option<&'static Encoding> {
    let term = term.trim_matches(['\0', ' ']);
    let number = term
        .strip_prefix("ISO_IR")
        .or_else(|| term.strip_prefix("ISO 2022 IR"))
        .map(|number| number.trim_start_matches([' ', '_']));
    let Some(number) = number else {
        return match term {
            "GB18030" => Some(GB18030),
            // Names of the web, such as "UTF-8" and "ISO-8859-1", which some writers use.
            _ => Encoding::for_label(term.as_bytes()),
        };
    };
    TERMS
        .iter()
        .find(|(known, _)| *known == number)
        .map(|(_, encoding)| *encoding)
}

/// The text in the Western European set, which has a letter or a sign for each byte. What an escape sequence
/// designates as letters of several bytes of seven bits is left out: as letters of one they would be words.
fn western(coded: &[u8]) -> String {
    let bytes = without_escapes(coded, true);
    WINDOWS_1252.decode_without_bom_handling(&bytes).0.into()
}

/// The bytes without the escape sequences that designate character sets (PS3.3, Tables C.12-3 and C.12-4),
/// except for Japanese, whose encoding has them.
fn without_designations<'a>(bytes: &'a [u8], set: &Encoding) -> Cow<'a, [u8]> {
    if set == ISO_2022_JP {
        return bytes.into();
    }
    without_escapes(bytes, false)
}

fn without_escapes(bytes: &[u8], only_single_bytes: bool) -> Cow<'_, [u8]> {
    const ESCAPE: u8 = 0x1B;
    if !bytes.contains(&ESCAPE) {
        return bytes.into();
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut is_multiple = false;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == ESCAPE {
            // Intermediate bytes, then a final one (ISO 2022).
            let intermediate = after.iter().take_while(|it| (0x20..0x30).contains(*it));
            let length = intermediate.count() + 1;
            // Sets of several bytes are designated by a dollar sign; those of G1 have the eighth bit.
            is_multiple = only_single_bytes && after.starts_with(b"$") && !after.starts_with(b"$)");
            rest = after.get(length..).unwrap_or_default();
        } else if !is_multiple {
            plain.push(byte);
        }
    }
    plain.into()
}

/// The words of a text in plain capital letters, see [`tokens`].
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = tokens(text);
    words.retain(|word| !word.starts_with(|letter: char| letter.is_ascii_digit()));
    words
}

/// The words of a text in plain capital letters, and its numbers.
///
/// Marks above and below letters are left out. A change from small to capital letters parts words, and so
/// does whatever is no Latin letter, but for letters that could not be decoded.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let mut tokens = vec![String::new()];
    let mut previous = ' ';
    for letter in text.chars() {
        let plain = plain(letter);
        let is_digit = letter.is_ascii_digit();
        let begins = (letter.is_uppercase() && previous.is_lowercase())
            || is_digit != previous.is_ascii_digit()
            || (plain.is_empty() && !is_digit);
        if begins {
            tokens.push(String::new());
        }
        if let Some(token) = tokens.last_mut() {
            token.push_str(plain);
            token.extend(is_digit.then_some(letter));
        }
        previous = letter;
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

/// A Latin letter in plain capitals; empty for anything else.
fn plain(letter: char) -> &'static str {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if letter.is_ascii_alphabetic() {
        let place = usize::from(letter.to_ascii_uppercase() as u8 - b'A');
        return &ALPHABET[place..=place];
    }
    match letter {
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' => "A",
        'Æ' | 'æ' => "AE",
        'Ç' | 'ç' | 'Ć'..='č' => "C",
        'Ď'..='đ' | 'Ð' | 'ð' => "D",
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' => "E",
        'Ĝ'..='ģ' => "G",
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' => "I",
        'Ķ'..='ķ' => "K",
        'Ĺ'..='ł' => "L",
        'Ñ' | 'ñ' | 'Ń'..='ň' => "N",
        'Ò'..='Ö' | 'ò'..='ö' | 'Ø' | 'ø' | 'Ō'..='ő' => "O",
        'Œ' | 'œ' => "OE",
        'Ŕ'..='ř' => "R",
        'Ś'..='š' | 'Ș' | 'ș' => "S",
        'ß' | 'ẞ' => "SS",
        'Ţ'..='ŧ' | 'Ț' | 'ț' => "T",
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' => "U",
        'Ý' | 'ý' | 'ÿ' | 'Ÿ' => "Y",
        'Ź'..='ž' => "Z",
        char::REPLACEMENT_CHARACTER => "?",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(declared: &[u8], bytes: &[u8]) -> Vec<String> {
        words(&CharacterSet::declared(declared).decode(bytes))
    }

    #[test]
    fn a_letter_outside_the_declared_set_parts_no_word_and_hides_none() {
        let declared: [&[u8]; 8] = [
            b"",
            b"ISO_IR 6",
            b"ISO_IR 100",
            b"ISO_IR 192",
            b"ISO 2022 IR 6\\ISO 2022 IR 100",
            b"GB18030",
            b"UTF-8",
            b"nonsense",
        ];
        for declared in declared {
            let found = read(declared, b"Ganzk\xF6rper POST");
            // In Chinese the two bytes from the broken one on are a letter.
            let is_chinese = declared == b"GB18030";
            let words = if is_chinese {
                "GANZK PER POST"
            } else {
                "GANZKORPER POST"
            };
            assert_eq!(found.join(" "), words, "{declared:?}");
            let found = read(declared, "schräg Körper ANT".as_bytes());
            assert!(found.contains(&"ANT".to_owned()), "{found:?}");
        }
    }

    #[test]
    fn sets_of_several_bytes_a_letter_are_read_and_their_letters_part_words() {
        let cases: [(&[u8], &[u8]); 6] = [
            // A letter whose second byte is a backslash in other sets.
            (b"GB18030", b"\x81\x5CPOST"),
            (b"\\GB18030", b"\xC8\xAB\xC9\xED POST"),
            (b"ISO_IR 13", b"\x95\x5C POST"),
            (b"\\ISO 2022 IR 87", b"\x1B$B8eLL\x1B(B POST"),
            (b"\\ISO 2022 IR 149", b"\x1B$)C\xC0\xFC\xBD\xC5 POST"),
            (b"\\ISO 2022 IR 58", b"\x1B$)A\xC8\xAB\xC9\xED POST"),
        ];
        for (declared, bytes) in cases {
            assert_eq!(read(declared, bytes), ["POST"], "{declared:?}");
        }
    }

    #[test]
    fn letters_of_a_set_that_is_not_known_are_no_words() {
        for declared in [
            &b"\\ISO 2022 IR 87\\ISO 2022 IR 159"[..],
            b"\\ISO 2022 IR 159",
        ] {
            let found = read(declared, b"\x1B$(DPOST\x1B(B ANT");
            assert_eq!(found, ["ANT"], "{declared:?}");
        }
    }

    #[test]
    fn escapes_between_latin_sets_are_no_letters() {
        let declared = b"ISO 2022 IR 6\\ISO 2022 IR 100";
        assert_eq!(read(declared, b"\x1B-Aant\xE9rieur"), ["ANTERIEUR"]);
    }

    #[test]
    fn words_are_plain_capitals() {
        assert_eq!(words("antérieur/schräg"), ["ANTERIEUR", "SCHRAG"]);
        assert_eq!(words("WholeBodyAnt"), ["WHOLE", "BODY", "ANT"]);
        assert_eq!(words("前ANT"), ["ANT"]);
        assert_eq!(words("POST\u{FFFD}RIEUR"), ["POST?RIEUR"]);
        assert!(words(" _12 ").is_empty());
        assert_eq!(tokens("3h POST12"), ["3", "H", "POST", "12"]);
    }
}
