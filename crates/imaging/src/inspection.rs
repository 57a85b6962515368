//! What was found in an object, as JSON or as a table.

use std::fmt::Write;

use serde::Serialize;

use super::{
    Acquisition, AnteriorImage, Crop, CropRectangle, Heart, StatedPhase, StatedTracer, View,
    ViewSource,
};
use attrium_types::Tracer;

/// What was found in one object, for a person or a program to read.
///
/// Nothing in it identifies the patient.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// The view of the image that was found.
    pub view: View,
    /// How the view is known.
    pub view_source: ViewSource,
    /// Whole body or static.
    pub acquisition: Acquisition,
    /// The bone tracer, where the object names one.
    pub tracer: Option<Tracer>,
    /// Minutes from the injection to the image, where the object states both times.
    pub minutes_after_injection: Option<u32>,
    /// Whether the object shows a phantom instead of a patient.
    pub synthetic: bool,
    /// Rows of the image as it is cropped.
    pub rows: usize,
    /// Columns of the image as it is cropped.
    pub columns: usize,
    /// Millimetres between rows and between columns, where the object states them.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// The sum of all pixels, rounded.
    pub counts: u64,
    /// Where the crop lies; none where the scan does not hold it.
    pub crop: Option<CropRectangle>,
    /// Where the heart is and how much it takes up; none where no thorax is seen.
    pub heart: Option<Heart>,
    /// What a reader should know, a sentence each.
    pub warnings: Vec<String>,
}

impl Inspection {
    /// Describes an image and, where it has them, its crop and its heart.
    pub fn new(image: &AnteriorImage, crop: Option<&Crop>, heart: Option<Heart>) -> Self {
        let of_crop = crop.map_or(&[][..], |crop| &crop.warnings);
        Self {
            view: image.view,
            view_source: image.view_source,
            acquisition: image.acquisition,
            tracer: match image.tracer {
                StatedTracer::Bone(tracer) => Some(tracer),
                _ => None,
            },
            minutes_after_injection: match image.phase {
                StatedPhase::Late { minutes } => Some(minutes),
                _ => None,
            },
            synthetic: image.synthetic,
            rows: image.counts.rows,
            columns: image.counts.columns,
            pixel_spacing_mm: image.pixel_spacing_mm,
            counts: image.counts.sum().round() as u64,
            crop: crop.map(|crop| crop.rectangle),
            heart,
            warnings: image
                .warnings
                .iter()
                .chain(of_crop)
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// The description as lines of a name and a value each.
    pub fn to_table(&self) -> String {
        let mut lines = vec![
            ("view", format!("{} (by {})", self.view, self.view_source)),
            ("acquisition", self.acquisition.to_string()),
            (
                "size",
                format!("{} rows x {} columns", self.rows, self.columns),
            ),
        ];
        if let Some([height, width]) = self.pixel_spacing_mm {
            lines.push(("pixels", format!("{height:.2} mm x {width:.2} mm")));
        }
        if let Some(tracer) = self.tracer {
            lines.push(("tracer", tracer.to_string()));
        }
        if let Some(minutes) = self.minutes_after_injection {
            lines.push(("delay", format!("{minutes} min after the injection")));
        }
        lines.push(("counts", self.counts.to_string()));
        lines.push((
            "crop",
            self.crop.as_ref().map_or("none".to_owned(), describe),
        ));
        if let Some(heart) = &self.heart {
            lines.push(("heart", describe_heart(heart)));
        }
        if self.synthetic {
            lines.push(("origin", "synthetic".to_owned()));
        }
        let mut table = String::new();
        for (name, value) in lines {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{name:<12} {value}");
        }
        for warning in &self.warnings {
            let _ = writeln!(table, "{:<12} {warning}", "warning");
        }
        table
    }
}

fn describe(crop: &CropRectangle) -> String {
    format!(
        "{}: rows {} to {}, columns {} to {}",
        crop.mode,
        crop.top,
        crop.top + crop.height - 1,
        crop.left,
        crop.left + crop.width - 1
    )
}

fn describe_heart(heart: &Heart) -> String {
    let mut text = format!("row {:.0}, column {:.0}", heart.row, heart.column);
    for (name, ratio, digits) in [
        ("H/CL", heart.ratios.contralateral, 2),
        ("H/rib", heart.ratios.rib, 2),
        ("H/WB", heart.ratios.whole_body, 4),
    ] {
        if let Some(ratio) = ratio {
            // Writing to a string cannot fail.
            let _ = write!(text, "; {name} {ratio:.digits$}");
        }
    }
    text
}
