//! A training run and a screening as they might have been, without any patient.

use std::sync::LazyLock;

use crate::{
    ActivationFigure, ActivationRow, Count, DataFlow, Epoch, Example, Fact, Gate, History, Method,
    Misclassified, MisclassifiedStudies, MisclassifiedStudy, ModelFacts, Provenance, Publication,
    Published, Raster, ScaledOperatingPoints, ScreenedObject, ScreeningReport, StageTime,
    StudyFacts, TrainingReport, UncertainObject, UnusableObject,
};
use attrium_evaluation::monitoring::{
    ComparedWith, Direction, Feature, MonitorRow, MonitorState, Monitoring,
};
use attrium_evaluation::{
    AssumedPrior, Baseline, BaselineStudy, Doubt, EarlierRuns, EvaluationOptions, FlaggedDecisions,
    Metrics, NetworkMetrics, Prediction, Predictions, Unanswered, ValidationOverlap, evaluate,
    gate, proportion,
};
use attrium_types::{
    Architecture, CohortKnowledge, CropMode, Grade, InitialWeights, Intensity, Metric, Target,
};

const ARCHITECTURES: [Architecture; 2] = [Architecture::Linear, Architecture::Residual];
const TARGETS: [Target; 3] = [Target::Perugini, Target::Positive, Target::HighGrade];

/// The studies of each grade.
const GRADES: [u64; 4] = [148, 44, 12, 9];

const fn skill(architecture: Architecture) -> f64 {
    match architecture {
        Architecture::Residual => 1.2,
        _ => 1.0,
    }
}

/// The threshold that the screening screens with.
const THRESHOLD: f64 = 0.4127;

/// What a network of some skill answers to every target, as the evaluation judges it.
fn metrics(architecture: Architecture, target: Target) -> Metrics {
    let predictions = predictions(target, skill(architecture));
    evaluate(target, &predictions, &EvaluationOptions::default())
        .expect("the predictions are valid")
}

/// What the published model answers to the labels of a screening, on the studies that it has not seen.
fn validation() -> Metrics {
    validation_of(|study| !study.is_multiple_of(9))
}

/// The studies of a validation of which the model has seen one in nine.
pub(super) fn overlap() -> ValidationOverlap {
    ValidationOverlap {
        cohort: CohortKnowledge::Known,
        studies: 213,
        seen: Some(24),
        doubtful: Some(3),
        by_study: Some(14),
        by_image: Some(18),
        by_patient: Some(21),
        by_patient_id: Some(3),
        all: Some(Box::new(validation_of(|_| true))),
    }
}

fn validation_of(is_validated: impl Fn(usize) -> bool) -> Metrics {
    let mut predictions = predictions(Target::Positive, skill(Architecture::Residual));
    let mut study = 0..;
    predictions
        .rows
        .retain(|_| study.next().is_some_and(&is_validated));
    let options = EvaluationOptions {
        threshold: Some(THRESHOLD),
        ..EvaluationOptions::default()
    };
    evaluate(Target::Positive, &predictions, &options).expect("the predictions are valid")
}

/// The operating points of the published model.
fn scaled() -> ScaledOperatingPoints {
    let predictions = predictions(Target::Positive, skill(Architecture::Residual));
    let predictions = predictions.at_temperature(1.25);
    let predictions = predictions.at_prevalence(Target::Positive, 0.3, 0.01);
    let options = EvaluationOptions {
        prior: AssumedPrior::Prevalence(0.01),
        ..EvaluationOptions::default()
    };
    let metrics = evaluate(Target::Positive, &predictions, &options);
    let positive = metrics.expect("the predictions are valid").positive;
    ScaledOperatingPoints {
        temperature: 1.25,
        prevalence: Some(0.01),
        points: positive.operating_points,
        decision_curve: positive.decision_curve,
    }
}

fn result(architecture: Architecture, target: Target) -> NetworkMetrics {
    let difference = baseline(target).map(|baseline| {
        let predictions = predictions(target, skill(architecture));
        baseline
            .difference(&predictions)
            .expect("the predictions are valid")
    });
    NetworkMetrics {
        architecture,
        initial_weights: InitialWeights::Random,
        metrics: metrics(architecture, target),
        baseline_difference: difference,
        unanswered: None,
        overlap: None,
        flagged: None,
    }
}

/// A score of little skill for two of the targets.
fn baseline(target: Target) -> Option<Baseline> {
    let grades = predictions(Target::Perugini, 0.8).rows.into_iter();
    let study = |row: Prediction| BaselineStudy {
        patient: row.covariates[0].parse().expect("a number"),
        label: match target {
            Target::Perugini => row.label.expect("a grade"),
            _ => usize::from(row.label.expect("a grade") >= 2),
        },
        score: (0..4)
            .map(|grade| grade as f64 * row.probabilities[grade])
            .sum(),
        probabilities: (target == Target::Perugini).then_some(row.probabilities),
        study: row.study,
    };
    (target != Target::HighGrade).then(|| Baseline {
        name: "heart-to-contralateral ratio".to_owned(),
        target,
        studies: grades.map(study).collect(),
    })
}

fn predictions(target: Target, skill: f64) -> Predictions {
    let covariates = [
        "patient",
        "sex",
        "scanner",
        "protocol",
        "metastases",
        "reader2",
    ];
    let mut state = 7 + target.classes().len() as u32;
    let mut rows = Vec::new();
    for grade in Grade::ALL {
        for number in 0..GRADES[usize::from(grade.value())] {
            let study = rows.len();
            // A sum of twelve uniform numbers has a variance of 1.
            let error: f32 = (0..12).map(|_| noise(&mut state)).sum::<f32>() - 6.0;
            let uptake = f64::from(grade.value()) * skill + f64::from(error) * 0.8;
            rows.push(Prediction {
                study: study.to_string(),
                fold: Some(study % 5),
                label: Some(target.class_of(grade)),
                probabilities: probabilities(target, uptake / skill),
                covariates: vec![
                    (study - usize::from(number == 40)).to_string(),
                    ["male", "male", "female"][study % 3].to_owned(),
                    ["Philips Brightview", "Siemens Symbia", "GE Discovery 670"][study % 7 / 3]
                        .to_owned(),
                    if study % 29 == 28 {
                        "planar"
                    } else {
                        "whole-body"
                    }
                    .to_owned(),
                    ["yes", "no"][study % 2].to_owned(),
                    second_reading(grade, study).to_string(),
                ],
            });
        }
    }
    Predictions {
        classes: target.classes().len(),
        covariates: covariates.map(str::to_owned).to_vec(),
        rows,
    }
}

/// A second reader's grade: now and then one more or one less.
fn second_reading(grade: Grade, study: usize) -> u8 {
    match (grade.value(), study % 11) {
        (grade @ 0..=2, 3) => grade + 1,
        (grade @ 1..=3, 7) => grade - 1,
        (grade, _) => grade,
    }
}

/// Probabilities that peak at the class of an uptake on the scale of the grades.
fn probabilities(target: Target, uptake: f64) -> Vec<f64> {
    let weight = |centre: f64| 1.0 / (1.0 + 4.0 * (uptake - centre).powi(2)).powi(2);
    let weights: Vec<f64> = match target {
        Target::Perugini => [0.0, 1.0, 2.0, 3.0].map(weight).to_vec(),
        Target::Positive | Target::HighGrade => {
            let cut = if target == Target::Positive { 1.5 } else { 2.5 };
            let distance = 2.5 * (uptake - cut);
            let positive = 0.5 + 0.5 * distance / (1.0 + distance.abs());
            vec![1.0 - positive, positive]
        }
    };
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// A report with something in every section.
pub(super) fn training() -> TrainingReport {
    static REPORT: LazyLock<TrainingReport> = LazyLock::new(evaluated_training);
    REPORT.clone()
}

fn evaluated_training() -> TrainingReport {
    let results: Vec<NetworkMetrics> = ARCHITECTURES
        .into_iter()
        .flat_map(|architecture| TARGETS.map(|target| result(architecture, target)))
        .collect();
    TrainingReport {
        name: "perugini-2026-11".to_owned(),
        namespace: "nuclear-medicine".to_owned(),
        synthetic: 213,
        data: data(),
        gates: vec![Gate {
            architecture: Architecture::Residual,
            target: Target::Positive,
            outcome: gate(&metrics(Architecture::Residual, Target::Positive), Metric::Auc, 0.88),
        }],
        earlier_runs: Some(EarlierRuns {
            runs: 3,
            gate_missed: 2,
        }),
        publication: Publication::Published(Published {
            architecture: Architecture::Residual,
            target: Target::Positive,
            method: "Ensemble".to_owned(),
            uri: "s3://models/perugini/nuclear-medicine/perugini-2026-11/0d1c/model/residual-positive/"
                .to_owned(),
            digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        }),
        scaled_operating_points: Some(scaled()),
        histories: histories(),
        examples: Grade::ALL.into_iter().flat_map(|grade| [0, 1, 2].map(|n| example(grade, n))).collect(),
        misclassified: vec![misclassified()],
        method: Method {
            crop: CropMode::Heart,
            intensity: Intensity::Normalized,
            exposure_percent: 90,
        },
        activation_maps: ARCHITECTURES.map(activation).to_vec(),
        study: study(),
        provenance: provenance("TrainingRun"),
        results,
        baselines: TARGETS.into_iter().filter_map(baseline).map(|of| of.metrics()).collect(),
    }
}

/// A screening with positives, unusable objects and an external validation.
pub(super) fn screening() -> ScreeningReport {
    static REPORT: LazyLock<ScreeningReport> = LazyLock::new(evaluated_screening);
    REPORT.clone()
}

fn evaluated_screening() -> ScreeningReport {
    ScreeningReport {
        name: "archive-2019".to_owned(),
        namespace: "nuclear-medicine".to_owned(),
        synthetic: 0,
        objects: 10_412,
        other_views: 5_216,
        screened: 5_118,
        positive: 131,
        seen: Some(74),
        uncertain: Some(241),
        uncertain_objects: vec![
            uncertain(17, 0.41, &[Doubt::NearThreshold]),
            uncertain(52, 0.02, &[Doubt::UnlikeTraining]),
            uncertain(1048, 0.48, &[Doubt::NearThreshold, Doubt::MembersDisagree]),
        ],
        positives: (0..4).map(screened).collect(),
        unusable: vec![
            count("another modality", 61),
            count("ends within the pixel data", 14),
            count("lossy compression", 3),
        ],
        unusable_objects: vec![
            unusable("archive/2019/03/a8f1.dcm", "The object is of modality CT; only NM is used."),
            unusable(
                &format!("archive/2019/{}.dcm", "very-long-key-without-a-break".repeat(5)),
                "The file ends within the pixel data: 131,072 of 524,288 bytes are there.",
            ),
        ],
        warnings: vec![count("view known by the image alone", 7)],
        scores: [
            12, 60, 205, 611, 1480, 1290, 712, 402, 120, 51, 40, 22, 18, 9, 0, 16, 26, 44,
        ],
        threshold: THRESHOLD,
        operating_point: "sensitivity 0.95 on the model’s own out-of-fold predictions".to_owned(),
        model: ModelFacts {
            architecture: Architecture::Residual,
            target: Target::Positive,
            initial_weights: InitialWeights::Random,
            synthetic: false,
            uri: "s3://models/perugini/nuclear-medicine/perugini-2026-11/0d1c/model/residual-positive/"
                .to_owned(),
            digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
            facts: vec![
                fact("Trained on", "1,301 studies, 47 positive, five folds"),
                fact("Out-of-fold AUC", "0.89 [0.84, 0.93]"),
                fact("Intended use", "Research: finding bone scans that a physician should look at again."),
            ],
        },
        unanswered: validation()
            .positive
            .chosen()
            .map(|point| Unanswered::at(point, 9, 7)),
        development: metrics(Architecture::Residual, Target::Positive),
        flagged: Some(flagged()),
        overlap: Some(overlap()),
        calibration: Some("The model was recalibrated on these scans.".to_owned()),
        validation: Some(validation()),
        monitoring: Some(monitoring()),
        study: StudyFacts {
            stated: Vec::new(),
            not_stated: vec!["sites".to_owned(), "dates".to_owned()],
        },
        provenance: provenance("ScreeningJob"),
    }
}

/// A job whose counts are low, on a scanner of the cohort and on one that it lacks.
fn monitoring() -> Monitoring {
    let row = |feature, scanner: Option<&str>, compared_with| MonitorRow {
        feature,
        scanner: scanner.map(str::to_owned),
        compared_with,
        reference_studies: Some(1301),
        reference_location: None,
        reference_spread: None,
        scans: 5118,
        location: None,
        spread: None,
        statistic: Some(4.2),
        limit: Some(17.5),
        direction: Some(Direction::Lower),
        first_alarm: None,
        state: MonitorState::Within,
        tenths: Vec::new(),
    };
    let all = |feature, [reference, spread]: [f64; 2], [location, own]: [f64; 2]| MonitorRow {
        reference_location: Some(reference),
        reference_spread: Some(spread),
        location: Some(location),
        spread: Some(own),
        tenths: vec![498, 530, 512, 500, 507, 531, 524, 519, 490, 507],
        ..row(feature, None, ComparedWith::EachItsOwn)
    };
    let share = |feature, reference, location| MonitorRow {
        reference_location: Some(reference),
        location: Some(location),
        ..row(feature, None, ComparedWith::EachItsOwn)
    };
    let outside = MonitorRow {
        statistic: Some(1412.6),
        first_alarm: Some(187),
        state: MonitorState::Outside,
        tenths: vec![1290, 961, 710, 580, 433, 377, 290, 221, 160, 96],
        ..all(Feature::Counts, [201_440.0, 0.46], [149_830.0, 0.47])
    };
    let of_symbia = MonitorRow {
        scanner: Some("symbia".to_owned()),
        compared_with: ComparedWith::OwnScanner,
        reference_studies: Some(402),
        scans: 5001,
        first_alarm: Some(190),
        ..outside.clone()
    };
    let few = MonitorRow {
        scans: 117,
        reference_location: Some(0.0),
        location: Some(0.0229),
        state: MonitorState::NewScanner,
        reference_studies: None,
        statistic: None,
        limit: None,
        ..row(Feature::Scanner, Some("anyscan"), ComparedWith::AllScanners)
    };
    let usual = MonitorRow {
        reference_studies: Some(402),
        reference_location: Some(0.309),
        scans: 5001,
        location: Some(0.9771),
        statistic: None,
        limit: None,
        ..row(Feature::Scanner, Some("symbia"), ComparedWith::AllScanners)
    };
    let mix = MonitorRow {
        statistic: Some(512.3),
        limit: Some(4.2),
        state: MonitorState::OtherMix,
        ..row(Feature::Scanner, None, ComparedWith::AllScanners)
    };
    Monitoring {
        reference_studies: 1301,
        synthetic: false,
        scans: 5118,
        rows: vec![
            outside,
            all(Feature::Ratio, [1.12, 0.09], [1.13, 0.1]),
            all(Feature::Score, [-4.6, 1.4], [-4.5, 1.3]),
            share(Feature::Warnings, 0.031, 0.028),
            share(Feature::SetAside, 0.021, 0.015),
            mix,
            few,
            usual,
            of_symbia,
        ],
    }
}

/// Two misses, of which both are shown, and twelve false alarms, of which one is.
fn misclassified() -> Misclassified {
    let study = |grade: usize, number, positive_probability| MisclassifiedStudy {
        example: example(Grade::ALL[grade], number),
        positive_probability,
    };
    Misclassified {
        architecture: Architecture::Residual,
        target: Target::Positive,
        missed: MisclassifiedStudies {
            studies: 2,
            shown: vec![study(2, 0, 0.08), study(3, 1, 0.31)],
        },
        false_alarms: MisclassifiedStudies {
            studies: 12,
            shown: vec![study(1, 2, 0.97)],
        },
    }
}

fn data() -> DataFlow {
    DataFlow {
        objects: 471,
        dropped_objects: vec![
            count("another modality", 12),
            count("lossy compression", 4),
            count("posterior view or second object of a study", 224),
        ],
        studies: 231,
        dropped_studies: vec![count("without a label", 18)],
        used: 213,
        patients: Some(209),
        missing_images: 5,
        by_grade: GRADES,
        warnings: vec![
            count("view known by the image alone", 3),
            count("scan shorter than the crop", 1),
        ],
    }
}

fn histories() -> Vec<History> {
    let mut histories = Vec::new();
    for architecture in ARCHITECTURES {
        for target in TARGETS {
            histories.extend((0..5).map(|fold| History {
                architecture,
                target,
                fold,
                epochs: (1..=20).map(|number| epoch(number, fold)).collect(),
            }));
        }
    }
    histories
}

/// Losses that fall, and a validation loss that stops falling.
fn epoch(epoch: u32, fold: usize) -> Epoch {
    let time = f64::from(epoch);
    let fold = f64::from(u32::try_from(fold).expect("a small fold"));
    let wave = ((time * 7.0 + fold * 3.0) % 5.0 - 2.0) / 80.0;
    let loss = 1.1 / (1.0 + time * 0.45);
    Epoch {
        epoch,
        loss,
        accuracy: 1.0 - loss * 0.5,
        validation_loss: Some(loss + 0.12 + 0.02 * fold + wave),
        validation_accuracy: Some(0.97 - loss * 0.5 - 0.01 * fold - wave),
        learning_rate: 1e-4 / f64::from(1_u32 << (epoch / 6)),
    }
}

/// Numbers that look random and are the same everywhere.
fn noise(state: &mut u32) -> f32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    let high = u16::try_from(*state >> 16).expect("sixteen bits");
    f32::from(high) / 65_536.0
}

/// A hill of height 1 around a place.
fn hill(row: u16, column: u16, [top, left, radius]: [f32; 3]) -> f32 {
    let (down, right) = (f32::from(row) - top, f32::from(column) - left);
    1.0 / (1.0 + (down * down + right * right) / (radius * radius)).powi(3)
}

/// Something like a thorax: spine, ribs, and a heart as hot as the grade.
fn crop(grade: Grade, number: u32) -> Raster {
    let mut state = u32::from(grade.value()) * 97 + number * 13 + 1;
    let mut pixels = Vec::new();
    for row in 0..128_u16 {
        for column in 0..128_u16 {
            let body = hill(row, column, [64.0, 64.0, 70.0]) * 45.0;
            let spine = hill(64, column, [64.0, 64.0, 9.0]) * 70.0;
            let ribs = if row % 14 < 4 { 22.0 } else { 0.0 };
            let heart = hill(row, column, [62.0, 84.0, 20.0]) * 55.0 * f32::from(grade.value());
            let counts = body + spine + ribs + heart;
            pixels.push((counts * (0.8 + 0.4 * noise(&mut state))).round());
        }
    }
    Raster::new(128, 128, pixels).expect("a crop")
}

fn example(grade: Grade, number: u32) -> Example {
    Example {
        grade,
        study: u32::from(grade.value()) * 40 + number * 7 + 3,
        image: crop(grade, number),
    }
}

fn activation(architecture: Architecture) -> ActivationFigure {
    let row = |grade: Grade| ActivationRow {
        example: example(grade, 0),
        positive_probability: Some(0.03 + 0.3 * f64::from(grade.value())),
        maps: [128_u16, 64, 32, 16, 16]
            .map(|side| map(side, grade))
            .to_vec(),
    };
    ActivationFigure {
        architecture,
        target: Target::Positive,
        layers: (1..=4)
            .map(|block| format!("block {block}"))
            .chain(["Grad-CAM, positive".to_owned()])
            .collect(),
        rows: Grade::ALL.map(row).to_vec(),
    }
}

fn map(side: u16, grade: Grade) -> Raster {
    let scale = 128.0 / f32::from(side);
    let mut pixels = Vec::new();
    for row in 0..side {
        for column in 0..side {
            let heart = hill(row, column, [62.0 / scale, 84.0 / scale, 22.0 / scale]);
            let spine = hill(0, column, [0.0, 64.0 / scale, 12.0 / scale]);
            pixels.push(heart * f32::from(grade.value()) + 0.8 * spine);
        }
    }
    Raster::new(usize::from(side), usize::from(side), pixels).expect("a map")
}

fn uncertain(row: u64, positive_probability: f64, doubts: &[Doubt]) -> UncertainObject {
    UncertainObject {
        object: format!("archive/2019/07/scan-{row}.dcm"),
        row,
        positive: positive_probability >= THRESHOLD,
        positive_probability,
        doubts: doubts.to_vec(),
    }
}

/// Of 16 wrong decisions eleven, and of 286 right ones 17.
fn flagged() -> FlaggedDecisions {
    FlaggedDecisions {
        decisions: 302,
        wrong: 16,
        wrong_flagged: 11,
        right_flagged: 17,
        share: proportion(28, 302),
        wrong_share: proportion(11, 16),
        right_share: proportion(17, 286),
    }
}

fn screened(number: u32) -> ScreenedObject {
    let probability = 0.97 - 0.11 * f64::from(number);
    let grade = Grade::ALL[3];
    ScreenedObject {
        object: format!("archive/2019/0{}/scan-{}.dcm", number + 1, 4711 + number),
        row: u64::from(number) * 1031 + 17,
        probabilities: vec![1.0 - probability, probability],
        positive_probability: probability,
        contralateral_ratio: (number != 1).then_some(2.31 - 0.17 * f64::from(number)),
        rib_ratio: (number != 1).then_some(1.42 - 0.08 * f64::from(number)),
        warnings: if number == 2 {
            vec!["The view is known by the image alone.".to_owned()]
        } else {
            Vec::new()
        },
        montage: Some(crate::montage(&crop(grade, number), &[], &[map(64, grade)])),
    }
}

fn study() -> StudyFacts {
    StudyFacts {
        stated: vec![
            fact("sites", "a university hospital; a district hospital"),
            fact("dates", "2012 to 2021-11"),
            fact(
                "readers",
                "two nuclear physicians with 8 and 15 years of experience, blinded to biopsies & to each other",
            ),
        ],
        not_stated: vec!["ethics".to_owned(), "licence".to_owned()],
    }
}

fn provenance(kind: &str) -> Provenance {
    Provenance {
        manifest: format!(
            "apiVersion: attrium.dev/v1alpha1\nkind: {kind}\nmetadata:\n  name: perugini-2026-11\n  \
             namespace: nuclear-medicine\nspec:\n  images: s3://scans/2012-2021/\n  labels: \
             s3://scans/labels.csv\n  crossValidation: {{folds: 5, seed: 1}}\n"
        ),
        seed: Some(1),
        versions: vec![fact("attrium", "0.1.0"), fact("burn", "0.22.1")],
        digests: vec![
            fact(
                "manifest.yaml",
                "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            ),
            fact(
                "labels.csv",
                "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
            ),
        ],
        machine: vec![
            fact("Processor", "x86_64, 2 threads"),
            fact("Accelerator", "none"),
        ],
        stages: vec![
            StageTime {
                stage: "preprocess".to_owned(),
                tasks: 4,
                seconds: 12,
            },
            StageTime {
                stage: "train".to_owned(),
                tasks: 30,
                seconds: 4_329,
            },
            StageTime {
                stage: "evaluate".to_owned(),
                tasks: 1,
                seconds: 7,
            },
        ],
        finished: Some("2026-11-24 19:30 UTC".to_owned()),
    }
}

fn count(what: &str, count: u64) -> Count {
    Count {
        what: what.to_owned(),
        count,
    }
}

fn fact(name: &str, value: &str) -> Fact {
    Fact {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn unusable(object: &str, reason: &str) -> UnusableObject {
    UnusableObject {
        object: object.to_owned(),
        reason: reason.to_owned(),
    }
}
