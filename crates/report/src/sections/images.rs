//! Example crops, and what the networks' first convolutions make of them.

use super::{caption, heading, note, title};
use crate::Raster;
use crate::input::{ActivationFigure, ActivationRow, Example};
use crate::markup::{Element, Markup, element};
use crate::number;
use crate::raster;
use crate::table::{Kind, Table};
use attrium_types::Grade;

/// Crops of each grade.
pub(crate) fn examples(examples: &[Example]) -> Markup {
    if examples.is_empty() {
        return Markup::none();
    }
    let mut grades = Vec::new();
    let content = note(
        "Anterior crops of 128 × 128 pixels as the networks get them, before the logarithm. Shown \
         linear and inverted: white is no count, black the 99.5th percentile of the crop. The \
         patient’s left is at the right.",
    );
    for grade in Grade::ALL {
        let crops: Vec<Element> = examples
            .iter()
            .filter(|example| example.grade == grade)
            .map(|example| {
                let text = format!("study {}", example.study);
                element("li")
                    .child(scan(example))
                    .child(element("p").child(text))
            })
            .collect();
        let heading = heading(format!("Grade {grade}: {}", meaning(grade)));
        let shown = if crops.is_empty() {
            note("No study of this grade was used.")
        } else {
            element("ul").class("images").children(crops).into()
        };
        grades.push(element("div").child(heading).child(shown));
    }
    content.with(element("div").class("grid pairs").children(grades))
}

/// Maps over example crops, one table for each network and task.
pub(crate) fn activation(figures: &[ActivationFigure]) -> Markup {
    if figures.is_empty() {
        return Markup::none();
    }
    let key = element("span")
        .class("key-bar")
        .attribute("style", format!("background:{}", raster::gradient()));
    let explanation = Markup::from(
        "The first convolution of each block over example crops: at each place the maximum over \
         the channels. Each map has its own scale, from its least ",
    )
    .with(key)
    .with(
        " to its greatest value, which stands below it. The last map (Grad-CAM) is the last \
         convolution’s channels weighted by how much each speaks for a positive. A map shows where \
         a network responds, not why it decided.",
    );
    let mut content = note(explanation);
    for figure in figures {
        content.push(maps(figure));
    }
    content
}

fn maps(figure: &ActivationFigure) -> Markup {
    let name = format!("{}, {}", figure.architecture, title(figure.task));
    let headers = ["Example", "Crop"]
        .into_iter()
        .map(str::to_owned)
        .chain(figure.layers.iter().cloned());
    let mut table = Table::new(caption(name, "Maximum activation maps"), headers);
    for row in &figure.rows {
        let crop = element("td").child(scan(&row.example));
        let maps = row.maps.iter().enumerate().map(|(index, map)| {
            let layer = figure.layers.get(index).map_or("map", String::as_str);
            element("td").child(coloured(map, layer, &example_name(&row.example)))
        });
        table.cells(
            Kind::Own,
            row_header(row),
            std::iter::once(crop).chain(maps),
        );
    }
    element("div").class("maps").child(table).into()
}

fn row_header(row: &ActivationRow) -> Markup {
    let mut header = Markup::from(format!("Grade {}", row.example.grade))
        .with(element("br"))
        .with(element("small").child(format!("study {}", row.example.study)));
    if let Some(probability) = row.positive_probability {
        header.push(element("br"));
        let text = format!("p(positive) {}", number::fraction(probability));
        header.push(element("small").child(text));
    }
    header
}

fn example_name(example: &Example) -> String {
    format!("study {}, grade {}", example.study, example.grade)
}

fn scan(example: &Example) -> Element {
    scan_image(
        &example.image,
        &format!("Crop of {}", example_name(example)),
    )
}

/// A crop as it is read on film.
pub(super) fn scan_image(image: &Raster, alternative: &str) -> Element {
    sized(image, image.inverted_grey()).attribute("alt", alternative)
}

/// A map in colours, with its greatest value and where it lies.
pub(super) fn coloured(map: &Raster, layer: &str, example: &str) -> Markup {
    let (greatest, down, right) = map.maximum();
    let percent = |fraction: f64| number::decimals(100.0 * fraction, 0);
    let alternative = format!(
        "{layer} over {example}: greatest {} % down and {} % from the left",
        percent(down),
        percent(right)
    );
    let image = sized(map, map.coloured())
        .class("map")
        .attribute("alt", alternative);
    let value = format!("max {}", number::decimals(f64::from(greatest), 2));
    Markup::from(image).with(element("small").child(value))
}

fn sized(image: &Raster, uri: String) -> Element {
    let (rows, columns) = image.size();
    element("img")
        .attribute("src", uri)
        .attribute("width", columns.to_string())
        .attribute("height", rows.to_string())
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
