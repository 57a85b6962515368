//! The words on the picture.

use embedded_graphics::mono_font::ascii::FONT_10X20;

use super::canvas::{Canvas, Rgb, Style};
use super::panel::{Panel, SIDE};
use super::{LEFT, Pictures, WIDTH, colour};
use crate::decision::{Decision, Synthetic};
use crate::plain::plain;
use crate::words;

/// What stands above all else.
const NOTICE: &str = "RESEARCH USE ONLY - NOT FOR DIAGNOSIS";

/// What stands beside that where a phantom was scanned, or a model has seen nothing else.
const SYNTHETIC: &str = "SYNTHETIC";

/// Where the words below the images begin, and how far their lines are apart.
const BELOW: usize = 548;
const LINE: usize = 24;

/// How many letters a column of words is wide, and how many lines it has.
const LETTERS: usize = 44;
const LINES: usize = 6;

const fn usual(colour: Rgb) -> Style<'static> {
    Style {
        font: &FONT_10X20,
        colour,
        size: 1,
    }
}

const fn large(colour: Rgb) -> Style<'static> {
    Style {
        font: &FONT_10X20,
        colour,
        size: 2,
    }
}

/// That this is for research, over the whole width, and whether anything is invented.
pub(super) fn banner(canvas: &mut Canvas, synthetic: Synthetic) {
    canvas.rectangle([0, 0], [40, WIDTH], colour::AMBER);
    let style = usual(colour::BACKGROUND);
    let left = (WIDTH - style.width(NOTICE.len())) / 2;
    canvas.text([11, left], NOTICE, style);
    if synthetic.any() {
        let width = style.width(SYNTHETIC.len());
        let left = LEFT[1] + SIDE - width - 10;
        canvas.rectangle([6, left - 10], [28, width + 20], colour::BACKGROUND);
        canvas.text([11, left], SYNTHETIC, usual(colour::AMBER));
    }
}

/// What the images are, and on which side of the patient.
pub(super) fn titles(canvas: &mut Canvas, left: &Panel, right: &Panel) {
    for (panel, title) in [
        (left, "Anterior view, crop"),
        (right, "Where the model looked"),
    ] {
        canvas.text([panel.top - 28, panel.left], title, usual(colour::TEXT));
    }
    canvas.text([left.top + 6, left.left + 8], "R", usual(colour::INK));
    canvas.text(
        [left.top + 6, left.left + SIDE - 18],
        "L",
        usual(colour::INK),
    );
}

/// What the outlines are around.
pub(super) fn legend(canvas: &mut Canvas, panel: &Panel) {
    let mut right = panel.left + SIDE;
    let top = panel.top - 24;
    for (word, colour) in [("contralateral", colour::BLUE), ("heart", colour::RED)] {
        let style = usual(colour::QUIET);
        let left = right - style.width(word.len());
        canvas.text([top - 4, left], word, style);
        canvas.rectangle([top, left - 18], [12, 12], colour);
        right = left - 34;
    }
}

/// What the colours of the heat map mean.
pub(super) fn scale(canvas: &mut Canvas, panel: &Panel) {
    let width = 120;
    let start = panel.left + SIDE - width - 50;
    let top = panel.top - 24;
    for column in 0..width {
        let heat = column as f32 / (width - 1) as f32;
        canvas.rectangle([top, start + column], [12, 1], colour::of_heat(heat));
    }
    canvas.text([top - 4, start - 40], "low", usual(colour::QUIET));
    canvas.text([top - 4, start + width + 10], "high", usual(colour::QUIET));
}

/// That there is no heat map.
pub(super) fn no_heat(canvas: &mut Canvas, panel: &Panel) {
    let (text, style) = ("No heat map", usual(colour::QUIET));
    let left = panel.left + (SIDE - style.width(text.len())) / 2;
    canvas.text([panel.top + SIDE / 2 - 10, left], text, style);
}

/// The decision, and what there is to know of it.
pub(super) fn decision(canvas: &mut Canvas, decision: &Decision, pictures: &Pictures<'_>) {
    let colour = match (decision.positive, decision.doubts.is_empty()) {
        (true, _) => colour::AMBER,
        (false, true) => colour::CALM,
        // A negative decision that is uncertain is nothing to be calm about.
        (false, false) => colour::TEXT,
    };
    let verdict = words::verdict(decision.positive);
    let [left, right] = LEFT;
    canvas.text([BELOW, left], verdict, large(colour));
    let comparison = words::comparison(decision);
    canvas.text(
        [BELOW + 12, left + large(colour).width(verdict.len()) + 20],
        &comparison,
        usual(colour::TEXT),
    );
    let facts = facts(decision, pictures);
    for (line, fact) in facts.iter().enumerate() {
        let top = BELOW + 52 + LINE * line;
        canvas.text([top, left], &plain(fact, LETTERS), usual(colour::TEXT));
    }
    for (line, (text, style)) in remarks(decision).into_iter().enumerate() {
        canvas.text([BELOW + 2 + LINE * line, right], &text, style);
    }
}

fn facts(decision: &Decision, pictures: &Pictures<'_>) -> Vec<String> {
    let ratio = decision
        .heart
        .and_then(|heart| heart.heart_to_contralateral);
    let ratio = match (ratio, &pictures.regions) {
        (Some(ratio), _) => format!("Heart / contralateral  {ratio:.2}"),
        (None, Some(_)) => "Heart / contralateral  not measurable".to_owned(),
        (None, None) => "Heart  not found".to_owned(),
    };
    let model = &decision.model;
    vec![
        ratio,
        format!("Model  {} {}", model.name, model.version),
        format!("Bundle  {}", words::short_digest(model)),
    ]
}

/// What makes the decision less than it seems, the gravest first, in lines of a column's width.
fn remarks(decision: &Decision) -> Vec<(String, Style<'static>)> {
    let mut grave = Vec::new();
    grave.extend(decision.synthetic.sentence().map(str::to_owned));
    let predecessor = decision.predecessor.as_ref();
    if predecessor.is_some_and(|predecessor| predecessor.amended.is_some()) {
        grave.push("AMENDED: reverses an earlier report.".to_owned());
    }
    if !decision.doubts.is_empty() {
        grave.push(format!("UNCERTAIN: {}", decision.doubts.join("; ")));
    }
    let (loud, quiet) = (usual(colour::AMBER), usual(colour::QUIET));
    let grave = grave.iter().flat_map(|text| wrapped(text));
    let warnings = decision.warnings.iter().flat_map(|text| wrapped(text));
    let lines = grave.map(|line| (line, loud));
    let mut lines: Vec<_> = lines.chain(warnings.map(|line| (line, quiet))).collect();
    if lines.len() > LINES {
        lines.truncate(LINES - 1);
        lines.push(("... more in the report".to_owned(), quiet));
    }
    lines
}

/// A text in lines of a column's width; words that are longer are cut.
fn wrapped(text: &str) -> Vec<String> {
    let text = plain(text, LETTERS * LINES);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_ascii_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= LETTERS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(plain(word, LETTERS)),
        }
    }
    lines
}
