//! The model that a screening waits for.

use super::*;

#[test]
fn a_screening_waits_for_its_model_and_keeps_it() {
    let mut job = screening("  model: {trainingRun: small}");
    job.model = Model::Waiting("There is no TrainingRun small in this namespace yet".to_owned());
    let decision = job.step();
    assert_nothing_done(&decision);
    assert_eq!(reasons_of(&decision), ["WaitingForModel"]);
    assert_eq!(job.status().phase, Some(Phase::Pending));
    assert_eq!(
        reason_of(&job.status(), "Accepted"),
        (ConditionStatus::Unknown, "WaitingForModel".into())
    );
    job.model = Model::Found(model());
    assert_eq!(job.step().before, [Action::CreateManifest, create(Screen)]);
    assert_eq!(job.status().model, Some(model()));
    // The run may go.
    job.model = Model::Missing("The TrainingRun small has ended".to_owned());
    assert_idle(&job.step());
}

#[test]
fn a_screening_whose_model_will_never_be_there_fails() {
    let mut job = screening("  model: {trainingRun: small}");
    job.model = Model::Missing("The TrainingRun small has ended without a model".to_owned());
    let decision = job.step();
    assert_nothing_done(&decision);
    let expected = (ConditionStatus::False, "ModelUnavailable".to_owned());
    assert_eq!(reason_of(&job.status(), "Succeeded"), expected);
    assert_eq!(reason_of(&job.status(), "Accepted"), expected);
}
