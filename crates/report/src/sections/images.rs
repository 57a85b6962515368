//! Example crops, and what the networks' first convolutions make of them.

use attrium_types::Grade;
use maud::{Markup, display, html};

use super::{caption, note, title};
use crate::Raster;
use crate::input::{ActivationFigure, ActivationRow, Example};
use crate::number;
use crate::raster;
use crate::table::Table;

/// Crops of each grade.
pub(crate) fn examples(examples: &[Example]) -> Markup {
    if examples.is_empty() {
        return html! {};
    }
    html! {
        (note(
            "Anterior crops of 128 × 128 pixels as the networks get them, before the logarithm. \
             Shown linear and inverted: white is no count, black the 99.5th percentile of the \
             crop. The patient’s left is at the right."
        ))
        div.grid.pairs {
            @for grade in Grade::ALL {
                (examples_of(grade, examples))
            }
        }
    }
}

fn examples_of(grade: Grade, examples: &[Example]) -> Markup {
    let of_grade = || examples.iter().filter(|example| example.grade == grade);
    html! {
        div {
            h3 { "Grade " (display(grade)) ": " (meaning(grade)) }
            @if of_grade().next().is_none() {
                (note("No study of this grade was used."))
            } @else {
                ul.images {
                    @for example in of_grade() {
                        li {
                            (scan(example))
                            p { "study " (example.study) }
                        }
                    }
                }
            }
        }
    }
}

/// Maps over example crops, one table for each network and target.
pub(crate) fn activation(figures: &[ActivationFigure]) -> Markup {
    if figures.is_empty() {
        return html! {};
    }
    html! {
        (note(html! {
            "The first convolution of each block over example crops: at each place the maximum \
             over the channels. Each map has its own scale, from its least "
            span.key-bar style={ "background:" (raster::gradient()) } {}
            " to its greatest value, which stands below it. The last map (Grad-CAM; of Heart, whose head \
             looks at each place by itself, HiResCAM) is the last \
             convolution’s channels weighted by how much each speaks for a positive. A map shows \
             where a network responds, not why it decided."
        }))
        @for figure in figures {
            div.maps { (map_table(figure)) }
        }
    }
}

fn map_table(figure: &ActivationFigure) -> Table {
    let name = format!("{}, {}", figure.architecture, title(figure.target));
    let headers = ["Example", "Crop"]
        .into_iter()
        .chain(figure.layers.iter().map(String::as_str));
    let mut table = Table::new(caption(name, "Maximum activation maps"), headers);
    for row in &figure.rows {
        let example = example_name(&row.example);
        let cells = html! {
            td { (scan(&row.example)) }
            @for (layer, map) in figure.layers.iter().zip(&row.maps) {
                td { (activation_map(map, layer, &example)) }
            }
            @for _ in row.maps.len()..figure.layers.len() { td {} }
        };
        table.row_of_cells(row_header(row), cells);
    }
    table
}

fn row_header(row: &ActivationRow) -> Markup {
    html! {
        "Grade " (display(row.example.grade))
        br;
        small { "study " (row.example.study) }
        @if let Some(probability) = row.positive_probability {
            br;
            small { "p(positive) " (number::fraction(probability)) }
        }
    }
}

fn example_name(example: &Example) -> String {
    format!("study {}, grade {}", example.study, example.grade)
}

/// A crop as it is read on film.
pub(super) fn scan(example: &Example) -> Markup {
    let (rows, columns) = example.image.size();
    html! {
        img src=(example.image.inverted_grey()) width=(columns) height=(rows)
            alt={ "Crop of " (example_name(example)) };
    }
}

/// A map in colours, with its greatest value and where it lies.
fn activation_map(map: &Raster, layer: &str, example: &str) -> Markup {
    let (rows, columns) = map.size();
    let (greatest, down, right) = map.maximum();
    let percent = |fraction: f64| number::decimals(100.0 * fraction, 0);
    let alternative = format!(
        "{layer} over {example}: greatest {} % down and {} % from the left",
        percent(down),
        percent(right)
    );
    html! {
        img.map src=(map.coloured()) width=(columns) height=(rows) alt=(alternative);
        small { "max " (number::decimals(f64::from(greatest), 2)) }
    }
}

/// What a grade says of the heart's uptake (Perugini).
const fn meaning(grade: Grade) -> &'static str {
    match grade.value() {
        0 => "no cardiac uptake",
        1 => "cardiac uptake less than bone",
        2 => "cardiac uptake equal to bone",
        _ => "cardiac uptake more than bone",
    }
}
