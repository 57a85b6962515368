//! STARD-AI: 40 items, of which some have parts. The index test is the network, the reference standard a reader's grade.

use super::answers::{data, groups, model, paper, participants, results, standard};
use super::{List, item};

const TITLE: &str = "Title and abstract";
const INTRODUCTION: &str = "Introduction";
const DESIGN: &str = "Methods: design and ethics";
const PARTICIPANTS: &str = "Methods: participants";
const DATASET: &str = "Methods: data set";
const TESTS: &str = "Methods: tests";
const ANALYSIS: &str = "Methods: analysis";
const COHORT: &str = "Results: participants and data set";
const RESULTS: &str = "Results: tests";
const DISCUSSION: &str = "Discussion";
const OTHER: &str = "Other information";

// A line for each item.
#[rustfmt::skip]
pub(super) const LIST: List = List {
    name: "STARD-AI",
    source: "Sounderajah et al., Nat Med 2025;31:3283",
    items: &[
        item("1", TITLE, "That it is of an AI's diagnostic accuracy", paper::title),
        item("2", TITLE, "A structured abstract", paper::summary),
        item("3", INTRODUCTION, "Background, and what the test is meant for", paper::background_and_use),
        item("4", INTRODUCTION, "Aims and hypotheses", paper::objectives),
        item("5", DESIGN, "Prospective or retrospective", paper::prospective),
        item("6", DESIGN, "Approval", paper::ethics),
        item("7", PARTICIPANTS, "Criteria, of participants and of data", data::eligibility),
        item("8", PARTICIPANTS, "How participants were found", data::identification),
        item("9", PARTICIPANTS, "Where and when", data::setting_and_dates),
        item("10", PARTICIPANTS, "In a row, at random or by convenience", data::series),
        item("11", DATASET, "Where the data are from", data::source),
        item("12", DATASET, "Who annotated, and how", standard::readers),
        item("13", DATASET, "Devices and software", data::devices),
        item("14", DATASET, "Acquisition and preprocessing", data::acquisition_and_preprocessing),
        item("15a", TESTS, "The index test, so that it can be repeated", model::index_test),
        item("15b", TESTS, "How the index test was developed", model::development),
        item("15c", TESTS, "Its thresholds, and why", model::thresholds),
        item("15d", TESTS, "Who uses it, with which experience", paper::expertise),
        item("16a", TESTS, "The reference standard", standard::reference_standard),
        item("16b", TESTS, "Why this reference standard", standard::rationale),
        item("16c", TESTS, "What it calls positive, and why", standard::cut_offs),
        item("17a", TESTS, "What the index test knew of the rest", standard::network_blinding),
        item("17b", TESTS, "What the readers knew of the rest", standard::readers_blinding),
        item("18", ANALYSIS, "How accuracy was estimated", results::methods),
        item("19", ANALYSIS, "Results that cannot be told", participants::indeterminate),
        item("20", ANALYSIS, "Missing data", data::missing),
        item("21", ANALYSIS, "Variability of accuracy", groups::robustness),
        item("22", ANALYSIS, "The intended size", participants::sample_size),
        item("23", ANALYSIS, "Errors, bias and fairness", groups::fairness),
        item("24", COHORT, "The flow of participants", participants::flow),
        item("25", COHORT, "Who they are, in each part", participants::characteristics_of_parts),
        item("26a", COHORT, "How severe the disease is in those with it", participants::severity),
        item("26b", COHORT, "What those without it have", participants::alternative_diagnoses),
        item("27", COHORT, "The time between both tests", standard::interval_between),
        item("28", COHORT, "Whether the data are those of its use", participants::representativeness),
        item("29", COHORT, "How external data differ", participants::comparison),
        item("30", RESULTS, "Both tests in one table", results::cross_tabulation),
        item("31", RESULTS, "Accuracy and its precision", results::accuracy),
        item("32", RESULTS, "Harm by either test", paper::adverse_events),
        item("33", DISCUSSION, "Limitations", results::limitations),
        item("34", DISCUSSION, "What follows for practice", paper::implications),
        item("35", DISCUSSION, "Ethics and fairness of its use", paper::fairness_in_use),
        item("36", OTHER, "Registration", paper::registration),
        item("37", OTHER, "The protocol", paper::protocol),
        item("38", OTHER, "Funding", paper::funding),
        item("39", OTHER, "Commercial interests", paper::conflicts),
        item("40a", OTHER, "Who may have data and code", model::availability_of_all),
        item("40b", OTHER, "Whether outputs are kept and can be audited", results::audit),
    ],
};
