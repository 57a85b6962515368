//! A checklist as text for people: an item's number, its state and what it asks for, and below it what is known and what
//! is asked.

use super::{Checklist, Row};

/// The columns of a line.
const WIDTH: usize = 100;
/// The columns before what is known and what is asked.
const INDENT: usize = 15;

/// What stands over a list of a run on phantoms.
const SYNTHETIC: &str =
    "Synthetic: images or model are of phantoms, and no figure says anything about patients.";

/// The list, and how many items are in which state.
pub(crate) fn to_text(checklist: &Checklist) -> String {
    let mut text = format!(
        "{} ({})\n{} {}/{}\n",
        checklist.list, checklist.source, checklist.kind, checklist.namespace, checklist.name
    );
    if checklist.synthetic {
        text.push_str(SYNTHETIC);
        text.push('\n');
    }
    if let Some(about) = &checklist.about {
        text.push_str(&wrapped(about, "", ""));
    }
    text.push_str(&wrapped(LEGEND, "", ""));
    let mut section = "";
    for row in &checklist.items {
        if row.section != section {
            section = row.section;
            text.push_str(&format!("\n{}\n", section.to_uppercase()));
        }
        text.push_str(&item(row));
    }
    let counts = &checklist.counts;
    text.push_str(&format!(
        "\n{} known, {} partly, {} open, of {} items\n",
        counts.known,
        counts.partly,
        counts.open,
        checklist.items.len()
    ));
    text
}

const LEGEND: &str = "Below an item + is what the run knows, with where from; ? is what a person has to say, with the \
    field or column that takes it. Items are in our own words: the list itself has the last one.";

fn item(row: &Row) -> String {
    let head = format!("{:>5}  {:<6}  ", row.number, row.state.word());
    let mut text = wrapped(row.asks, &head, &" ".repeat(INDENT));
    for statement in &row.known {
        text.push_str(&marked('+', &statement.text, Some(statement.from)));
    }
    for question in &row.open {
        text.push_str(&marked('?', &question.text, question.field));
    }
    text
}

fn marked(mark: char, text: &str, place: Option<&str>) -> String {
    let place = place.map_or_else(String::new, |place| format!(" [{place}]"));
    let first = format!("{}{mark} ", " ".repeat(INDENT));
    wrapped(
        &format!("{text}{place}"),
        &first,
        &" ".repeat(first.chars().count()),
    )
}

/// Words in lines that are as long as they may be; a longer word has a line of its own.
fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = rest.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_lost_and_no_line_is_longer_than_it_may_be() {
        for count in 1..200 {
            let words: Vec<_> = (0..count).map(|word| "w".repeat(1 + word % 13)).collect();
            let lines = wrapped(&words.join(" "), "  5a  ", "      ");
            assert!(
                lines.lines().all(|line| line.chars().count() <= WIDTH),
                "{lines}"
            );
            let after_head = lines.strip_prefix("  5a  ").expect("the first line's head");
            let back: Vec<_> = after_head.split_whitespace().collect();
            assert_eq!(back, words);
        }
    }

    #[test]
    fn a_word_that_is_longer_than_a_line_has_a_line_of_its_own() {
        let place = "s3://".to_owned() + &"a".repeat(WIDTH);
        let lines = wrapped(&format!("at {place} it is"), "", "  ");
        assert_eq!(lines, format!("at\n  {place}\n  it is\n"));
    }
}
