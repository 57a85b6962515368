//! What lists ask for, and what runs with and without facts answer.

use std::collections::BTreeSet;

use super::*;
use attrium_api::{
    DataStatus, ModelReference, Publish, PublishMethod, Resource, ScreeningStatus, Study,
    StudyDates, StudyField,
};
use attrium_bundle::{
    BundleManifest, FORMAT_VERSION, INTENDED_USE, Member, StatedPrevalence, TrainingProvenance,
};
use attrium_evaluation::{
    AssumedPrior, EarlierRuns, EvaluationOptions, Metrics, MetricsDocument, NetworkMetrics,
    Predictions, Unanswered, evaluate,
};
use attrium_fixtures as fixtures;
use attrium_types::{Architecture, InitialWeights, Target};

const LISTS: [&List; 3] = [&TRIPOD_AI, &CLAIM, &STARD_AI];

/// What was measured on 40 studies of as many patients, of which 10 are positive.
fn metrics(columns: bool, threshold: Option<f64>) -> Metrics {
    let rows: String = (0..40)
        .map(|study| {
            let grade = study % 4;
            let label = u8::from(grade == 3);
            let p = (f64::from(grade) + f64::from(study % 7) / 3.0) / 6.0;
            let own = if columns {
                let (sex, age) = (if study % 3 == 0 { "F" } else { "M" }, 60 + study);
                let scanner = if study < 4 { "" } else { "Symbia" };
                format!(",{study},{grade},{age},{sex},{scanner},cancer,{grade}")
            } else {
                String::new()
            };
            format!("{study},{},{label},{},{p}{own}\n", study % 2, 1.0 - p)
        })
        .collect();
    let own = if columns {
        ",patient,grade,age,sex,scanner,indication,reader2"
    } else {
        ""
    };
    let table = format!("study,fold,label,p_0,p_1{own}\n{rows}");
    let predictions = Predictions::parse(table.as_bytes()).expect("a right table");
    let options = EvaluationOptions {
        threshold,
        prior: AssumedPrior::Cohort,
        ..EvaluationOptions::default()
    };
    evaluate(Target::Positive, &predictions, &options).expect("metrics")
}

fn document(metrics: Metrics, unanswered: Option<Unanswered>) -> MetricsDocument {
    MetricsDocument {
        results: vec![NetworkMetrics {
            architecture: Architecture::Residual,
            initial_weights: InitialWeights::Random,
            metrics,
            baseline_difference: None,
            unanswered,
            overlap: None,
            flagged: None,
        }],
        ..MetricsDocument::default()
    }
}

fn study() -> Study {
    let text = |field: StudyField| Some(format!("the {}", field.title()));
    Study {
        sites: vec!["the sites".to_owned()],
        dates: Some(StudyDates {
            from: "2012".to_owned(),
            to: "2021".to_owned(),
        }),
        reference_standard: text(StudyField::ReferenceStandard),
        readers: text(StudyField::Readers),
        ethics: text(StudyField::Ethics),
        contact: text(StudyField::Contact),
        licence: text(StudyField::Licence),
        funding: text(StudyField::Funding),
        registration: text(StudyField::Registration),
        protocol: text(StudyField::Protocol),
        data_availability: text(StudyField::DataAvailability),
        code_availability: text(StudyField::CodeAvailability),
        intended_users: text(StudyField::IntendedUsers),
        population: text(StudyField::Population),
    }
}

/// A training of which everything is known that can be.
fn full() -> Facts {
    let mut run = fixtures::training_run();
    run.spec.study = Some(study());
    run.spec.publish = Some(Publish {
        architecture: Architecture::Residual,
        task: Target::Positive,
        method: PublishMethod::Ensemble,
        force: false,
    });
    let metrics = metrics(true, None);
    let manifest = BundleManifest {
        format_version: FORMAT_VERSION,
        architecture: Architecture::Residual,
        initial_weights: InitialWeights::Random,
        target: Target::Positive,
        classes: vec!["negative".to_owned(), "positive".to_owned()],
        synthetic: false,
        crop: run.spec.preprocessing.crop,
        intensity: run.spec.preprocessing.intensity,
        members: vec![Member::of_fold(0), Member::of_fold(1)],
        training: TrainingProvenance {
            run: "small".to_owned(),
            attrium: "9.8.7".to_owned(),
            method: PublishMethod::Ensemble,
            studies: 40,
            by_grade: Default::default(),
            cross_validation: run.spec.cross_validation.clone(),
            augmentation: run.spec.augmentation.clone(),
            training: run.spec.training.clone(),
            study: run.spec.study.clone(),
        },
        prior_correction: vec![0.5, -0.5],
        temperature: 1.5,
        prevalence: Some(StatedPrevalence {
            cohort: 0.25,
            stated: 0.01,
        }),
        recalibration: None,
        metrics: metrics.clone(),
        positive_scores: vec![0.9],
        uncertainty: None,
        intended_use: INTENDED_USE.to_owned(),
    };
    let mut document = document(metrics, None);
    document.earlier_runs = Some(EarlierRuns {
        runs: 2,
        gate_missed: 1,
    });
    Facts {
        resource: Resource::from_training(run),
        metrics: document,
        data: Some(DataStatus {
            objects: 50,
            missing_images: Some(3),
            patient_unknown: Some(0),
            ..DataStatus::default()
        }),
        screening: None,
        set_aside: Some([("late".to_owned(), 7), ("other-view".to_owned(), 3)].into()),
        model: Some(PublishedModel {
            reference: ModelReference {
                uri: "s3://models/small/".to_owned(),
                digest: format!("sha256:{}", "0a".repeat(32)),
            },
            manifest,
        }),
    }
}

/// A training of an earlier attrium, of which nothing is stated and little is left.
fn bare() -> Facts {
    Facts {
        resource: Resource::from_training(fixtures::training_run()),
        metrics: document(metrics(false, None), None),
        data: None,
        screening: None,
        set_aside: None,
        model: None,
    }
}

/// A training whose evaluation has no network at all.
fn empty() -> Facts {
    Facts {
        metrics: MetricsDocument::default(),
        ..bare()
    }
}

fn validation() -> Facts {
    let mut job = fixtures::screening_job();
    job.spec.labels = Some("labels.csv".to_owned());
    let metrics = metrics(true, Some(0.5));
    let chosen = *metrics.positive.chosen().expect("a threshold");
    let unanswered = Unanswered::at(&chosen, 4, 2);
    Facts {
        resource: Resource::from_screening(job),
        metrics: document(metrics, Some(unanswered)),
        data: None,
        screening: Some(ScreeningStatus {
            objects: 60,
            other_views: 9,
            screened: 44,
            superseded: Some(1),
            ambiguous: Some(0),
            unusable_by_reason: [("late".to_owned(), 2)].into(),
            ..ScreeningStatus::default()
        }),
        set_aside: None,
        model: None,
    }
}

fn all_facts() -> [Facts; 4] {
    [full(), bare(), empty(), validation()]
}

fn item<'a>(checklist: &'a Checklist, number: &str) -> &'a Row {
    let mut rows = checklist.items.iter();
    rows.find(|row| row.number == number).expect("an item")
}

fn known(row: &Row) -> String {
    let texts: Vec<_> = row.known.iter().map(|it| it.text.as_str()).collect();
    texts.join("\n")
}

fn fields(row: &Row) -> Vec<Option<&'static str>> {
    row.open.iter().map(|question| question.field).collect()
}

/// A number and its letter, if it has one.
fn parts(number: &str) -> (u32, Option<u8>) {
    let digits = number.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    let letter = &number[digits.len()..];
    assert!(letter.len() <= 1, "{number}");
    (digits.parse().expect("a number"), letter.bytes().next())
}

#[test]
fn numbers_run_from_the_first_to_the_last_without_a_gap_and_each_once() {
    for (list, last, count) in [(LISTS[0], 27, 52), (LISTS[1], 44, 44), (LISTS[2], 40, 48)] {
        let mut before = (0, None);
        for item in list.items {
            let (number, letter) = parts(item.number);
            let is_next = match letter {
                None | Some(b'a') => number == before.0 + 1,
                Some(letter) => before == (number, Some(letter - 1)),
            };
            assert!(is_next, "{} {}", list.name, item.number);
            before = (number, letter);
        }
        assert_eq!((before.0, list.items.len()), (last, count), "{}", list.name);
        let alone = |number: u32| {
            list.items
                .iter()
                .filter(move |it| parts(it.number).0 == number)
        };
        for number in 1..=last {
            let lettered = alone(number).all(|it| parts(it.number).1.is_some());
            assert!(
                alone(number).count() == 1 || lettered,
                "{} {number}",
                list.name
            );
        }
    }
}

#[test]
fn every_item_says_something_and_nothing_that_is_known_or_asked_is_empty() {
    for facts in all_facts() {
        for list in LISTS {
            let answered = answer(list, &facts);
            for row in &answered.items {
                let place = format!("{} {}", list.name, row.number);
                assert!(!row.known.is_empty() || !row.open.is_empty(), "{place}");
                assert!(!row.asks.is_empty() && !row.section.is_empty(), "{place}");
                for statement in &row.known {
                    let text = statement.text.trim();
                    assert!(!text.is_empty() && !statement.from.is_empty(), "{place}");
                    assert!(
                        !text.contains("NaN") && !text.contains("Some("),
                        "{place}: {text}"
                    );
                }
                for question in &row.open {
                    assert!(question.text.contains('?'), "{place}: {}", question.text);
                }
                let state = match (row.known.len(), row.open.len()) {
                    (0, _) => State::Open,
                    (_, 0) => State::Known,
                    _ => State::Partly,
                };
                assert_eq!(row.state, state, "{place}");
            }
            let Counts {
                known,
                partly,
                open,
            } = answered.counts;
            assert_eq!(known + partly + open, list.items.len());
        }
    }
}

#[test]
fn what_is_stated_is_known_by_its_field_and_no_question_asks_for_it_again() {
    let facts = full();
    let mut told = BTreeSet::new();
    for list in LISTS {
        for row in answer(list, &facts).items {
            told.extend(row.known.iter().map(|statement| statement.from));
            for field in fields(&row).into_iter().flatten() {
                assert!(!field.starts_with("study."), "{} {field}", row.number);
            }
        }
    }
    // No list asks whom to ask.
    let fields = StudyField::ALL.into_iter();
    for field in fields.filter(|&field| field != StudyField::Contact) {
        assert!(told.contains(field.path()), "{}", field.path());
    }
}

#[test]
fn what_is_not_stated_is_asked_for_by_its_field() {
    for facts in [bare(), validation()] {
        let mut asked = BTreeSet::new();
        for list in LISTS {
            for row in answer(list, &facts).items {
                asked.extend(fields(&row).into_iter().flatten());
                let from_people = |it: &Statement| it.from.starts_with("study.");
                assert!(!row.known.iter().any(from_people), "{}", row.number);
            }
        }
        let fields = StudyField::ALL.into_iter();
        for field in fields.filter(|&field| field != StudyField::Contact) {
            assert!(asked.contains(field.path()), "{}", field.path());
        }
    }
}

#[test]
fn a_run_knows_its_flow_its_participants_and_its_figures() {
    let tripod = answer(&TRIPOD_AI, &full());
    let flow = known(item(&tripod, "20a"));
    for words in [
        "50 objects were read",
        "by reason (10): late 7, other-view 3",
        "40 studies of 40 patients, 10 of them positive",
    ] {
        assert!(flow.contains(words), "{flow}");
    }
    let participants = item(&tripod, "20b");
    assert_eq!(participants.state, State::Known);
    let text = known(participants);
    assert!(text.contains("By sex: F 14, M 26"), "{text}");
    assert!(text.contains("By grade: 0 10, 1 10, 2 10, 3 10"), "{text}");
    let missing = known(item(&tripod, "11"));
    assert!(
        missing.contains("3 labelled studies without a usable image"),
        "{missing}"
    );
    assert!(missing.contains("scanner of 4"), "{missing}");
    let performance = item(&tripod, "23a");
    assert_eq!(performance.state, State::Known, "{:?}", performance.open);
    let text = known(performance);
    for words in [
        "AUC of a positive 0.",
        "sensitivity of 0.95",
        "Calibration",
        "net benefit",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let imbalance = known(item(&tripod, "13"));
    assert!(imbalance.contains("a temperature of 1.50"), "{imbalance}");
    assert!(
        imbalance.contains("prevalence of 1.0 % where the cohort has 25.0 %"),
        "{imbalance}"
    );
    let claim = answer(&CLAIM, &full());
    assert!(known(item(&claim, "23")).contains("attrium 9.8.7"));
    assert!(known(item(&claim, "26")).contains("2 runs were evaluated"));
    assert_eq!(item(&claim, "20").state, State::Known);
    let stard = answer(&STARD_AI, &full());
    assert!(known(item(&stard, "30")).contains("of the positives 10 called positive"));
}

#[test]
fn a_run_without_facts_asks_and_does_not_guess() {
    let tripod = answer(&TRIPOD_AI, &bare());
    let participants = item(&tripod, "20b");
    assert_eq!(participants.state, State::Partly);
    let columns = ["labels.csv: age", "labels.csv: sex", "labels.csv: scanner"];
    for column in columns {
        assert!(
            fields(participants).contains(&Some(column)),
            "{participants:?}"
        );
    }
    for number in ["5b", "6a", "8b", "11", "14", "17", "18a", "18b", "19"] {
        assert_eq!(item(&tripod, number).state, State::Open, "{number}");
    }
    let model = item(&tripod, "22");
    assert_eq!(model.state, State::Open);
    assert_eq!(fields(model), [Some("publish"), Some("study.licence")]);
    let claim = answer(&CLAIM, &bare());
    assert_eq!(fields(item(&claim, "20")), [Some("labels.csv: patient")]);
    let nothing = answer(&TRIPOD_AI, &empty());
    for number in ["20a", "23a"] {
        assert_eq!(item(&nothing, number).state, State::Open, "{number}");
    }
    assert_eq!(nothing.about, None);
}

#[test]
fn an_area_that_is_not_defined_is_asked_for_and_not_known() {
    let mut facts = bare();
    facts.metrics.results[0].metrics.positive.auc = None;
    facts.metrics.results[0]
        .metrics
        .positive
        .operating_points
        .clear();
    let row = answer(&CLAIM, &facts);
    let accuracy = item(&row, "38");
    assert_eq!(accuracy.state, State::Open);
    assert!(
        accuracy.open[0].text.contains("not defined"),
        "{accuracy:?}"
    );
}

#[test]
fn studies_whose_patient_is_not_known_are_counted_and_asked_for() {
    let mut facts = full();
    facts.data.as_mut().expect("counts").patient_unknown = Some(5);
    let claim = answer(&CLAIM, &facts);
    let row = item(&claim, "20");
    assert_eq!(row.state, State::Partly);
    assert!(row.open[0].text.contains("5 studies"), "{row:?}");
}

#[test]
fn a_validation_says_what_it_has_not_seen_and_leaves_the_development_to_its_own_run() {
    let tripod = answer(&TRIPOD_AI, &validation());
    for number in ["9a", "12b", "12c", "13"] {
        let row = item(&tripod, number);
        assert_eq!(row.state, State::Open, "{number}");
        assert!(row.open[0].text.contains("the training run"), "{row:?}");
    }
    let missing = known(item(&tripod, "11"));
    assert!(
        missing.contains("4 labelled studies without a prediction, 2 of them positive"),
        "{missing}"
    );
    let flow = known(item(&tripod, "20a"));
    assert!(flow.contains("60 objects were read"), "{flow}");
    assert!(
        flow.contains("by reason (12): late 2, other-view 9, superseded 1"),
        "{flow}"
    );
    assert!(
        flow.contains("3 objects of studies without a label"),
        "{flow}"
    );
    let performance = known(item(&tripod, "23a"));
    assert!(performance.contains("(chosen before)"), "{performance}");
    assert!(known(item(&tripod, "12f")).contains("was not updated"));
}

#[test]
fn a_run_on_phantoms_says_so_at_the_top_and_another_does_not() {
    let mut facts = full();
    assert!(!to_text(&answer(&CLAIM, &facts)).contains("Synthetic"));
    facts.metrics.synthetic = true;
    let answered = answer(&CLAIM, &facts);
    assert!(answered.synthetic);
    let text = to_text(&answered);
    let third = text.lines().nth(2).expect("a third line");
    assert!(
        third.starts_with("Synthetic: images or model are of phantoms"),
        "{text}"
    );
    let mut of_model = full();
    of_model.model.as_mut().expect("a model").manifest.synthetic = true;
    assert!(answer(&CLAIM, &of_model).synthetic);
    let mut of_images = full();
    of_images.data.as_mut().expect("counts").synthetic = Some(1);
    assert!(answer(&CLAIM, &of_images).synthetic);
}

#[test]
fn the_text_has_each_item_with_its_state_and_ends_with_the_counts() {
    let answered = answer(&STARD_AI, &full());
    let text = to_text(&answered);
    assert!(text.starts_with(
        "STARD-AI (Sounderajah et al., Nat Med 2025;31:3283)\nTrainingRun hospital/small\n"
    ));
    for row in &answered.items {
        let head = format!("\n{:>5}  {:<6}  {}", row.number, row.state.word(), row.asks);
        assert!(text.contains(&head), "{head}");
    }
    let Counts {
        known,
        partly,
        open,
    } = answered.counts;
    assert!(known > 0 && partly > 0 && open > 0);
    let last = format!("\n{known} known, {partly} partly, {open} open, of 48 items\n");
    assert!(text.ends_with(&last), "{text}");
}
