//! The network: its input, its form, how it was trained, what it gives, and who may have it.

use super::super::Answer;
use super::super::facts::{
    ARTEFACTS, BUNDLE, DEFINITIONS, DICOM, Facts, METRICS, REPORT, SCREENING, SPEC,
};
use super::{data, of_the_development, participants, results};
use attrium_api::{ClassWeights, OperatingPoint, PublishMethod, StudyField, TrainingSpec};
use attrium_types::{Architecture, Target};

/// What a network is, in a few words.
const fn form(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Linear => "four blocks of six 3x3 convolutions",
        Architecture::Residual => {
            "four blocks of six 3x3 convolutions with a skip connection around every other one"
        }
        Architecture::VGG16 => "thirteen 3x3 convolutions",
        Architecture::ResNet50 => "sixteen units of three convolutions with skip connections",
        Architecture::InceptionV3 => "eleven blocks of branches side by side",
        Architecture::MobileNet => "convolutions of single channels and of single pixels in turn",
        Architecture::Heart => {
            "seven convolutions, with an output for each threshold between classes"
        }
    }
}

/// The network and what it is asked.
fn description(facts: &Facts) -> Option<String> {
    let reported = facts.reported()?;
    let architecture = reported.network.architecture;
    let classes = reported.metrics.target.classes().join(", ");
    let also = match facts.training() {
        Some(spec) if spec.networks.len() > 1 => {
            let names = spec.networks.iter().map(|network| network.architecture);
            format!(
                "; trained beside each other: {}",
                super::listed(names, "and")
            )
        }
        _ => String::new(),
    };
    Some(format!(
        "{architecture}, a convolutional network ({}): one image in, a probability of each class out ({classes}){also}",
        form(architecture)
    ))
}

/// What goes in.
pub(crate) fn predictors(facts: &Facts) -> Answer {
    Answer::default()
        .know(
            DICOM,
            "One predictor: the crop of the anterior view, which a program finds without a person",
        )
        .and(data::preprocessing(facts))
}

pub(crate) fn choice_of_predictors(facts: &Facts) -> Answer {
    if facts.training().is_none() {
        return of_the_development("How were the predictors chosen");
    }
    Answer::default().know(
        SPEC,
        "The image alone, by the method of Halme et al. 2022; no clinical variable was looked at, and none selected",
    )
}

pub(crate) fn subjective_predictors(_: &Facts) -> Answer {
    Answer::default().know(
        DICOM,
        "Does not apply: no person measures the predictor, since a program finds crop and scale",
    )
}

pub(crate) fn handling_of_predictors(facts: &Facts) -> Answer {
    let Some(spec) = facts.training() else {
        return of_the_development("How were the predictors handled");
    };
    let copies = &spec.augmentation;
    data::preprocessing(facts).know(
        SPEC,
        format!(
            "Trained on random copies: shifted by up to {} %, rotated by up to {} degrees, scaled by up to {} %, \
             thinned by up to {} % of their counts",
            copies.shift_percent,
            copies.rotation_degrees,
            copies.scale_percent,
            copies.exposure_percent
        ),
    )
}

/// The form of the network.
pub(crate) fn architecture(facts: &Facts) -> Answer {
    Answer::default().know_or(SPEC, description(facts), "Which network is it?")
}

/// How the weights came about.
fn fit(training: &TrainingSpec, architecture: Architecture) -> String {
    if architecture == Architecture::Heart {
        let heart = &training.heart;
        return format!(
            "AdamW in one cycle of the learning rate up to {}, weight decay {}, {} steps or more in batches of {}, and \
             the moving average of the weights",
            heart.learning_rate, heart.weight_decay, heart.steps, heart.batch_size
        );
    }
    format!(
        "Adam from a learning rate of {}, divided by ten after {} epochs without a lower validation loss; {} epochs in \
         batches of {}",
        training.learning_rate, training.patience, training.epochs, training.batch_size
    )
}

/// What a training begins from.
pub(crate) fn initial_weights(facts: &Facts) -> Answer {
    if facts.training().is_none() {
        return of_the_development("What did the training begin from");
    }
    let weights = facts.reported().map(|reported| {
        let weights = &reported.network.initial_weights;
        format!("It began from {weights}")
    });
    Answer::default().know_or(METRICS, weights, "What did it begin from?")
}

pub(crate) fn training(facts: &Facts) -> Answer {
    let Some(spec) = facts.training() else {
        return of_the_development("How was the model trained");
    };
    let fit = facts
        .reported()
        .map(|reported| fit(&spec.training, reported.network.architecture));
    handling_of_predictors(facts)
        .know_or(SPEC, fit, "How was it fitted?")
        .and(class_weights(facts))
}

/// How the classes weigh, and how that is taken out again.
fn class_weights(facts: &Facts) -> Answer {
    let Some(spec) = facts.training() else {
        return of_the_development("How was class imbalance handled");
    };
    let is_heart = facts
        .reported()
        .is_some_and(|reported| reported.network.architecture == Architecture::Heart);
    Answer::default().know(
        SPEC,
        match spec.training.class_weights {
            ClassWeights::None => "All classes weigh the same in the loss",
            ClassWeights::Balanced if is_heart => {
                "Classes weigh by the inverse square root of their share in the loss, so that few positives are not \
                 outweighed"
            }
            ClassWeights::Balanced => {
                "Classes weigh by the inverse of their share in the loss, so that few positives are not outweighed"
            }
        },
    )
}

pub(crate) fn imbalance(facts: &Facts) -> Answer {
    let answer = class_weights(facts);
    let Some(model) = &facts.model else {
        return answer;
    };
    let manifest = &model.manifest;
    let correction = match manifest
        .prior_correction
        .iter()
        .any(|&factor| factor != 0.0)
    {
        true => "the weights of the classes were taken out of the probabilities, and ",
        false => "",
    };
    let prevalence = manifest.prevalence.map_or_else(String::new, |prevalence| {
        format!(
            ", and they are stated for a prevalence of {:.1} % where the cohort has {:.1} %",
            100.0 * prevalence.stated,
            100.0 * prevalence.cohort
        )
    });
    answer.know(
        BUNDLE,
        format!(
            "Before publication {correction}a temperature of {:.2} was fitted to out-of-fold predictions{prevalence}",
            manifest.temperature
        ),
    )
}

pub(crate) fn building(facts: &Facts) -> Answer {
    if facts.training().is_none() {
        return of_the_development("How was the model built");
    }
    architecture(facts)
        .and(training(facts))
        .and(selection(facts))
        .and(data::partitions(facts))
        .ask("Why this kind of model, and were settings tried out on these data before?")
}

/// How the model that is reported was chosen.
pub(crate) fn selection(facts: &Facts) -> Answer {
    let Some(spec) = facts.training() else {
        return of_the_development("How was the model selected");
    };
    let publish = match &spec.publish {
        Some(publish) => format!(
            "The manifest names {} for {} to be published; no search over settings is part of a run",
            publish.architecture, publish.task
        ),
        None => "No model is selected: every network that was asked for is reported".to_owned(),
    };
    Answer::default()
        .know(SPEC, publish)
        .and(earlier_runs(facts))
}

/// What was tried on the same labels before.
fn earlier_runs(facts: &Facts) -> Answer {
    let earlier = facts.metrics.earlier_runs.map(|earlier| {
        format!(
            "{} on the same labels, in the same output, before this one; {} missed a gate",
            super::counted(earlier.runs, "run was evaluated", "runs were evaluated"),
            earlier.gate_missed
        )
    });
    Answer::default().know_or(
        METRICS,
        earlier,
        "How many runs on the same labels were there before?",
    )
}

pub(crate) fn ensemble(facts: &Facts) -> Answer {
    let Some(spec) = facts.training() else {
        return of_the_development("Is the model an ensemble");
    };
    Answer::default().know(
        SPEC,
        match spec.publish.as_ref().map(|publish| publish.method) {
            Some(PublishMethod::Ensemble) => {
                "The published model is the mean of the probabilities of all folds' networks; its figures are of \
                 single networks, out of fold"
            }
            Some(PublishMethod::Refit) => {
                "None: the published model is one network, trained once more on all studies"
            }
            None => "None: no model is asked for, and figures are of single networks",
        },
    )
}

pub(crate) fn development(facts: &Facts) -> Answer {
    if facts.training().is_none() {
        return of_the_development("How was the index test developed");
    }
    data::partitions(facts)
        .and(participants::numbers_per_analysis(facts))
        .and(training(facts))
}

/// What comes out, and what is made of it.
pub(crate) fn output(facts: &Facts) -> Answer {
    let classes = facts.reported().map(|reported| {
        let target = reported.metrics.target;
        let positive = match target {
            Target::Perugini => "; that of a positive is the sum of grades 2 and 3",
            Target::Positive | Target::HighGrade => "",
        };
        format!(
            "The probability of each class ({}){positive}",
            target.classes().join(", ")
        )
    });
    Answer::default()
        .know_or(DEFINITIONS, classes, "What does the model give?")
        .and(thresholds(facts))
}

/// Which thresholds there are, and how they were chosen.
pub(crate) fn thresholds(facts: &Facts) -> Answer {
    let answer = match facts.job() {
        None => Answer::default().know(
            DEFINITIONS,
            "Thresholds were looked for on the out-of-fold predictions that they are judged on; what each is expected \
             to find of new positives stands beside it",
        ),
        Some(job) => threshold_of_job(&job.operating_point),
    };
    answer
        .and(results::operating_point(facts))
        .ask("Which threshold is to be used, why that, and was it settled in advance?")
}

/// How the threshold of a screening came about.
fn threshold_of_job(point: &OperatingPoint) -> Answer {
    match &point.sensitivity {
        Some(sensitivity) => Answer::default().know(
            SPEC,
            format!(
                "The threshold is the highest that reaches a sensitivity of {sensitivity} on the model's own \
                 out-of-fold predictions"
            ),
        ),
        None => Answer::default()
            .know(SPEC, "The manifest states the threshold")
            .ask("On which scans was it chosen?"),
    }
}

/// How a prediction is computed.
pub(crate) fn calculation(facts: &Facts) -> Answer {
    let known = match facts.training() {
        Some(_) => {
            "Each study by the network of the fold that has not seen it; predictions/ has every probability"
        }
        None => {
            "By the bundle, whose digest stands in every row; predictions/ has every probability"
        }
    };
    Answer::default().know(ARTEFACTS, known)
}

/// What a screening does to the model's probabilities.
pub(crate) fn updating(facts: &Facts) -> Answer {
    let Some(job) = facts.job() else {
        return Answer::default().know(
            SPEC,
            "Does not apply: the development has no evaluation on other data that a model was updated after",
        );
    };
    Answer::default().know(
        SPEC,
        match &job.prevalence {
            Some(prevalence) => format!(
                "Probabilities were brought to a prevalence of {prevalence}; weights and temperature stayed"
            ),
            None => "The model was not updated".to_owned(),
        },
    )
}

pub(crate) fn software(facts: &Facts) -> Answer {
    match &facts.model {
        Some(model) => Answer::default().know(
            BUNDLE,
            format!(
                "attrium {}, bundle format {}",
                model.manifest.training.attrium, model.manifest.format_version
            ),
        ),
        None => Answer::default().know(REPORT, "The version of attrium stands below Provenance"),
    }
}

/// Where the model is and who may have it.
pub(crate) fn availability(facts: &Facts) -> Answer {
    let place = match (&facts.model, facts.job()) {
        (Some(model), _) => Some((
            BUNDLE,
            format!(
                "The whole model is a bundle (weights, normalisation, crop, scale, thresholds) with the digest {}, \
                 enough to screen with",
                model.reference.digest
            ),
        )),
        (None, Some(_)) => Some((
            SCREENING,
            "The model is a bundle, whose digest the table has".to_owned(),
        )),
        (None, None) => None,
    };
    let answer = match place {
        Some((from, text)) => Answer::default().know(from, text),
        None => Answer::default().ask_for(
            "publish",
            "Where is the model? The run has published none, so that nobody can use it",
        ),
    };
    answer.stated(
        facts,
        StudyField::Licence,
        "Who may use the model, on which terms?",
    )
}

/// The model, the data and the code.
pub(crate) fn availability_of_all(facts: &Facts) -> Answer {
    availability(facts)
        .and(super::paper::data_availability(facts))
        .and(super::paper::code_availability(facts))
}

/// The index test as a whole.
pub(crate) fn index_test(facts: &Facts) -> Answer {
    predictors(facts).and(architecture(facts))
}
