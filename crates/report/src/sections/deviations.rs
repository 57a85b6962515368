//! Where the method is not the paper's, each with its reason.

use attrium_types::{Architecture, CropMode, Intensity};
use maud::{Markup, Render, html};

use super::{caption, note};
use crate::input::Method;
use crate::paper;
use crate::table::Table;

/// A step of the method, as the paper has it and as this run has it, and why.
struct Deviation {
    step: &'static str,
    paper: &'static str,
    here: String,
    reason: &'static str,
}

impl Deviation {
    fn new(
        step: &'static str,
        paper: &'static str,
        here: impl Into<String>,
        reason: &'static str,
    ) -> Self {
        Self {
            step,
            paper,
            here: here.into(),
            reason,
        }
    }
}

/// One table of everything in which a run with these networks differs from the paper.
pub(crate) fn section(networks: &[Architecture], method: &Method) -> Markup {
    let all = images(method)
        .into_iter()
        .chain(training(networks, method))
        .chain(results());
    let mut table = Table::new(
        caption(
            "Differences from the paper",
            "What is not here is as the paper has it.",
        ),
        ["Step", "Paper", "This run", "Why"],
    );
    for it in all {
        let cells = html! {
            td.wide { (it.paper) }
            td.wide { (it.here) }
            td.wide { (it.reason) }
        };
        table.row_of_cells(it.step.render(), cells);
    }
    html! {
        (note(paper::CITATION))
        (table)
    }
}

fn images(method: &Method) -> Vec<Deviation> {
    let mut rows = vec![Deviation::new(
        "Scans",
        "those of one hospital’s archive that its physicians graded",
        "admitted by rules: anterior view, bone tracer, time after injection, and by the image itself",
        "an archive holds knees, early phases, other tracers and pages of text",
    )];
    let crop = match method.crop {
        CropMode::Paper => None,
        CropMode::Robust => Some(
            "the same from the rows above a small share of the profile’s maximum, small gaps closed",
        ),
        CropMode::Heart => Some("192 mm × 192 mm around the heart, where it is found"),
    };
    rows.extend(crop.map(|crop| {
        Deviation::new(
            "Crop",
            "from 85 % of the patient’s height downwards, the height by the rows that are not zero",
            crop,
            "stray counts beside the patient moved the crop, by 32 pixels on a real scan",
        )
    }));
    if method.intensity == Intensity::Normalized {
        rows.push(Deviation::new(
            "Scale of counts",
            "the natural logarithm of every count that is not zero",
            "counts over the median uptake of the patient in the crop, and the logarithm of one more",
            "the logarithm of counts goes with dose, delay and speed, and decisions went with it",
        ));
    }
    rows
}

fn training(networks: &[Architecture], method: &Method) -> Vec<Deviation> {
    let mut rows = vec![Deviation::new(
        "Folds",
        "stratified by grade",
        "stratified by grade, all studies of a patient in one fold",
        "a network would else know the patient",
    )];
    if method.exposure_percent > 0 {
        rows.push(Deviation::new(
            "Exposure of an augmented image",
            "as it was",
            format!(
                "thinned by up to {} % of the counts",
                method.exposure_percent
            ),
            "another camera, dose or delay has other counts",
        ));
    }
    let has = |wanted: fn(Architecture) -> bool| networks.iter().copied().any(wanted);
    if has(|network| network != Architecture::Heart) {
        rows.extend(of_the_papers_recipe());
    }
    if has(|network| network == Architecture::Heart) {
        rows.push(Deviation::new(
            "The network Heart",
            "does not have it",
            "seven convolutions, an output for each threshold between grades, AdamW in one cycle of the learning \
             rate, copies drawn anew for each epoch, an average of the weights, no validation part",
            "as good as larger networks in a part of their time",
        ));
    }
    rows
}

fn of_the_papers_recipe() -> [Deviation; 4] {
    [
        Deviation::new(
            "Validation part of a fold",
            "10 % of the training data",
            "10 % of the training studies, by patient, set aside before the others are augmented",
            "copies of one scan on both sides make a validation that cannot fail",
        ),
        Deviation::new(
            "Scale of an augmented image",
            "± 20 %",
            "± 20 %, one factor for height and width",
            "a patient is not stretched in one direction",
        ),
        Deviation::new(
            "z-score image",
            "over the deviation of each pixel",
            "over 0.1 at least",
            "a pixel that is almost always 0 would be divided by almost 0",
        ),
        Deviation::new(
            "Batch normalisation",
            "running statistics that begin at 0 and 1 (Keras)",
            "the first batches weigh more, until the weight of a new one has fallen to that of Keras",
            "after a short training the statistics would be those of the beginning",
        ),
    ]
}

fn results() -> [Deviation; 2] {
    [
        Deviation::new(
            "AUC of two classes",
            "of hard labels, which is balanced accuracy",
            "of probabilities, and that of hard labels beside it",
            "which threshold is used is for the hospital to say",
        ),
        Deviation::new(
            "Probabilities of a published model",
            "as the network gives them",
            "freed of the classes’ weights, scaled by a temperature, stated for a prevalence",
            "class weights make rare grades look as frequent as the others",
        ),
    ]
}
