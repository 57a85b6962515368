//! TRIPOD+AI: 27 items, of which some have parts. Those of a development (D) and of an evaluation (E) are all there: one
//! that does not apply says so.

use super::answers::{data, groups, model, paper, participants, results, standard};
use super::{List, item};

const TITLE: &str = "Title and abstract";
const INTRODUCTION: &str = "Introduction";
const METHODS: &str = "Methods";
const OPEN_SCIENCE: &str = "Open science";
const INVOLVEMENT: &str = "Patient and public involvement";
const RESULTS: &str = "Results";
const DISCUSSION: &str = "Discussion";

// A line for each item.
#[rustfmt::skip]
pub(super) const LIST: List = List {
    name: "TRIPOD+AI",
    source: "Collins et al., BMJ 2024;385:e078378",
    items: &[
        item("1", TITLE, "What kind of study, in whom, of what", paper::title),
        item("2", TITLE, "A structured abstract", paper::summary),
        item("3a", INTRODUCTION, "The clinical question, and earlier models", paper::background),
        item("3b", INTRODUCTION, "For which patients, for what, and for whose hands", paper::intended_use),
        item("3c", INTRODUCTION, "Known inequalities of health", paper::inequalities),
        item("4", INTRODUCTION, "Aims: development, evaluation or both", paper::objectives),
        item("5a", METHODS, "Where the data are from, and whom they represent", data::source),
        item("5b", METHODS, "From when to when", data::dates),
        item("6a", METHODS, "Setting, centres and their places", data::sites),
        item("6b", METHODS, "Who could take part", data::eligibility),
        item("6c", METHODS, "Treatments, and how they were handled", data::treatments),
        item("7", METHODS, "Preparation and checks of the data", data::preparation),
        item("8a", METHODS, "The outcome: what, when, how, why", standard::outcome),
        item("8b", METHODS, "Who assessed the outcome", standard::readers),
        item("8c", METHODS, "To what the assessors were blind", standard::readers_blinding),
        item("9a", METHODS, "How predictors were chosen", model::choice_of_predictors),
        item("9b", METHODS, "What the predictors are, and how measured", model::predictors),
        item("9c", METHODS, "Who measured predictors that need judgement", model::subjective_predictors),
        item("10", METHODS, "The size of the study, and why", participants::sample_size),
        item("11", METHODS, "What is missing, and how that was handled", data::missing),
        item("12a", METHODS, "Which data were used for what, and how parted", data::use_of_data),
        item("12b", METHODS, "How predictors enter the model", model::handling_of_predictors),
        item("12c", METHODS, "The kind of model, its building and internal validation", model::building),
        item("12d", METHODS, "Differences between clusters, and how handled", groups::clusters),
        item("12e", METHODS, "Measures of performance", results::methods),
        item("12f", METHODS, "Updating after an evaluation", model::updating),
        item("12g", METHODS, "How predictions were computed in an evaluation", model::calculation),
        item("13", METHODS, "Class imbalance, and recalibration after it", model::imbalance),
        item("14", METHODS, "What was done for fairness", groups::fairness),
        item("15", METHODS, "What the model gives, and how thresholds were found", model::output),
        item("16", METHODS, "How evaluation data differ from development data", participants::differences),
        item("17", METHODS, "Approval and consent", paper::ethics),
        item("18a", OPEN_SCIENCE, "Funding", paper::funding),
        item("18b", OPEN_SCIENCE, "Conflicts of interest", paper::conflicts),
        item("18c", OPEN_SCIENCE, "The protocol", paper::protocol),
        item("18d", OPEN_SCIENCE, "Registration", paper::registration),
        item("18e", OPEN_SCIENCE, "Sharing of data", paper::data_availability),
        item("18f", OPEN_SCIENCE, "Sharing of code", paper::code_availability),
        item("19", INVOLVEMENT, "How patients and the public took part", paper::public_involvement),
        item("20a", RESULTS, "The flow of participants, with and without the outcome", participants::flow),
        item("20b", RESULTS, "Who the participants are", participants::characteristics_and_dates),
        item("20c", RESULTS, "The same beside the development, in an evaluation", participants::comparison),
        item("21", RESULTS, "Participants and outcomes in each analysis", participants::numbers_per_analysis),
        item("22", RESULTS, "The whole model, and who may use it", model::availability),
        item("23a", RESULTS, "Performance with intervals, also in groups", results::performance_of_groups),
        item("23b", RESULTS, "Performance from cluster to cluster", groups::clusters),
        item("24", RESULTS, "The updated model and its performance", results::after_updating),
        item("25", DISCUSSION, "What the results mean", paper::interpretation),
        item("26", DISCUSSION, "Limitations", results::limitations),
        item("27a", DISCUSSION, "Input that is poor or not there", data::unavailable_input),
        item("27b", DISCUSSION, "What users have to do, and to know", paper::expertise),
        item("27c", DISCUSSION, "What has to be studied next", paper::next_steps),
    ],
};
