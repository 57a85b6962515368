//! The scale of a published model's probabilities, worked out by odds.

use serde_json::Value;

/// A network's probability of a positive as a bundle for two classes states it: freed of the classes' weights, at its
/// temperature, and at its prevalence.
pub(crate) fn published(bundle: &Value, probability: f64) -> f64 {
    let number = |value: &Value| value.as_f64().expect("should be a number");
    let odds_of = |share: f64| share / (1.0 - share);
    let correction = bundle["priorCorrection"]
        .as_array()
        .expect("should be a list");
    let [negative, positive] = &correction[..] else {
        panic!("should be of two classes: {correction:?}")
    };
    let weights = (number(positive) - number(negative)).exp();
    let scaled = (odds_of(probability) * weights).powf(number(&bundle["temperature"]).recip());
    let prevalence = |key: &str| odds_of(number(&bundle["prevalence"][key]));
    let odds = scaled * prevalence("stated") / prevalence("cohort");
    odds / (1.0 + odds)
}
