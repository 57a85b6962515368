//! CLAIM, the update of 2024: 44 items.

use super::answers::{data, groups, model, paper, participants, results, standard};
use super::{List, item};

const TITLE: &str = "Title and abstract";
const INTRODUCTION: &str = "Introduction";
const DESIGN: &str = "Methods: study design";
const DATA: &str = "Methods: data";
const STANDARD: &str = "Methods: reference standard";
const PARTITIONS: &str = "Methods: data partitions";
const TESTING: &str = "Methods: testing data";
const MODEL: &str = "Methods: model";
const TRAINING: &str = "Methods: training";
const EVALUATION: &str = "Methods: evaluation";
const RESULTS: &str = "Results";
const DISCUSSION: &str = "Discussion";
const OTHER: &str = "Other information";

// A line for each item.
#[rustfmt::skip]
pub(super) const LIST: List = List {
    name: "CLAIM 2024",
    source: "Tejani et al., Radiol Artif Intell 2024;6(4):e240300",
    items: &[
        item("1", TITLE, "Which kind of artificial intelligence it is", paper::title),
        item("2", TITLE, "A summary of design, methods, results, conclusion", paper::summary),
        item("3", INTRODUCTION, "Background, and what it is meant for", paper::background_and_use),
        item("4", INTRODUCTION, "Aims and hypotheses", paper::objectives),
        item("5", DESIGN, "Prospective or retrospective", paper::prospective),
        item("6", DESIGN, "The study's goal", paper::goal),
        item("7", DATA, "Where the data are from", data::source),
        item("8", DATA, "Inclusion and exclusion", data::eligibility),
        item("9", DATA, "Preprocessing", data::preprocessing),
        item("10", DATA, "Choice of subsets", data::subsets),
        item("11", DATA, "De-identification", data::de_identification),
        item("12", DATA, "Missing data", data::missing),
        item("13", DATA, "How images were acquired", data::acquisition),
        item("14", STANDARD, "How the reference standard was obtained", standard::reference_standard),
        item("15", STANDARD, "Why this reference standard", standard::rationale),
        item("16", STANDARD, "Who annotated", standard::readers),
        item("17", STANDARD, "How the test set was annotated", standard::test_set_annotation),
        item("18", STANDARD, "Variability between and within readers", standard::variability),
        item("19", PARTITIONS, "How data were parted", data::partitions),
        item("20", PARTITIONS, "On which level parts have nothing in common", data::disjoint),
        item("21", TESTING, "The intended size", participants::sample_size),
        item("22", MODEL, "The model in detail", model::architecture),
        item("23", MODEL, "Software", model::software),
        item("24", MODEL, "What parameters began from", model::initial_weights),
        item("25", TRAINING, "How it was trained", model::training),
        item("26", TRAINING, "How the final model was selected", model::selection),
        item("27", TRAINING, "Ensembles", model::ensemble),
        item("28", EVALUATION, "Measures of performance", results::measures),
        item("29", EVALUATION, "Significance and uncertainty", results::uncertainty),
        item("30", EVALUATION, "Robustness and sensitivity", groups::robustness),
        item("31", EVALUATION, "Explainability", results::explainability),
        item("32", EVALUATION, "Evaluation on internal data", results::internal),
        item("33", EVALUATION, "Testing on external data", results::external),
        item("34", EVALUATION, "Registration of a trial", paper::registration),
        item("35", RESULTS, "How many were included and excluded", participants::flow),
        item("36", RESULTS, "Who they are, in each part", participants::characteristics_of_parts),
        item("37", RESULTS, "Performance with its uncertainty", results::performance),
        item("38", RESULTS, "Diagnostic performance and its precision", results::accuracy),
        item("39", RESULTS, "What it got wrong, and why", results::failures),
        item("40", DISCUSSION, "Limitations", results::limitations),
        item("41", DISCUSSION, "What follows for practice", paper::implications),
        item("42", OTHER, "Protocol or technical details", paper::protocol_or_details),
        item("43", OTHER, "Who may have software, model and data", model::availability_of_all),
        item("44", OTHER, "Funding", paper::funding),
    ],
};
