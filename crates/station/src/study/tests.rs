//! What becomes of a study, event by event, and in any order.

use attrium_dataset::Delay;
use attrium_imaging::{Acquisition, Origin, ViewSource};
use proptest::prelude::*;

use super::*;

const RULES: Rules = Rules {
    mode: StationMode::Live,
    alert_at: AlertAt::FirstPositive,
    synthetic: SyntheticScans::Withhold,
    prefer: PreferredAcquisition::WholeBody,
};

const PREFERENCE: Preference = Preference {
    origin: Origin::Original,
    view_source: ViewSource::ViewCode,
    delay: Delay::Usual,
    acquired: None,
    acquisition: Acquisition::WholeBody,
};

fn image(probability: f64) -> DecidedImage {
    DecidedImage {
        positive: probability >= 0.5,
        probability,
        synthetic: false,
        preference: PREFERENCE,
    }
}

fn decided(probability: f64) -> Finding {
    Finding::Decided(image(probability))
}

fn unusable() -> Finding {
    Finding::Unusable {
        reason: "not-nuclear".to_owned(),
        sentence: "it is no image of nuclear medicine".to_owned(),
    }
}

/// A study whose objects came to this, before it is complete.
fn open(findings: &[Finding]) -> Study {
    let mut study = Study::default();
    for (arrival, finding) in (1..).zip(findings) {
        study.keep(arrival, &[]);
        study.screened(arrival, finding.clone(), &RULES);
    }
    study
}

const DELIVER: Effect = Effect::Deliver { previous: None };

fn tell(event: AlertEvent) -> Effect {
    Effect::Tell(event)
}

#[test]
fn a_positive_is_told_at_its_first_image_and_results_follow_once_it_is_complete() {
    let mut study = Study::default();
    assert_eq!(study.keep(7, &[]), [Effect::Screen(7)]);
    assert_eq!(
        study.screened(7, decided(0.9), &RULES),
        [tell(AlertEvent::Positive)]
    );
    study.keep(8, &[]);
    assert_eq!(study.screened(8, decided(0.8), &RULES), []);
    assert_eq!(study.complete("m", &RULES), [DELIVER]);
    assert_eq!((study.state, study.revision), (State::Settled, 1));
}

#[test]
fn a_positive_is_told_at_its_end_where_that_is_asked_for() {
    let rules = Rules {
        alert_at: AlertAt::StudyEnd,
        ..RULES
    };
    let mut study = Study::default();
    study.keep(1, &[]);
    assert_eq!(study.screened(1, decided(0.9), &rules), []);
    let effects = study.complete("m", &rules);
    assert_eq!(effects, [tell(AlertEvent::Positive), DELIVER]);
}

#[test]
fn a_negative_is_told_to_nobody_and_delivered() {
    let mut study = open(&[decided(0.1)]);
    assert_eq!(study.complete("m", &RULES), [DELIVER]);
}

#[test]
fn a_study_is_not_decided_while_an_object_waits() {
    let mut study = open(&[decided(0.9)]);
    study.keep(2, &[]);
    assert_eq!(study.complete("m", &RULES), []);
    assert_eq!(study.state, State::Open);
    study.screened(2, Finding::OtherView, &RULES);
    assert_eq!(study.complete("m", &RULES), [DELIVER]);
}

#[test]
fn the_image_that_stands_for_the_study_decides_and_a_positive_of_another_is_taken_back() {
    let mut derived = image(0.9);
    derived.preference.origin = Origin::Derived;
    let mut study = open(&[Finding::Decided(derived), decided(0.1)]);
    assert!(study.told_positive);
    let effects = study.complete("m", &RULES);
    assert_eq!(effects, [tell(AlertEvent::Amended), DELIVER]);
    let decision = study.decision.expect("a decision");
    assert_eq!((decision.arrival, decision.candidates), (2, 1));
}

#[test]
fn of_images_that_nothing_tells_apart_the_most_suspicious_decides_and_their_number_is_kept() {
    let mut study = open(&[decided(0.2), decided(0.7), decided(0.4)]);
    study.complete("m", &RULES);
    let decision = study.decision.expect("a decision");
    assert_eq!((decision.arrival, decision.candidates), (2, 3));
    assert!(decision.positive);
}

#[test]
fn a_study_without_a_usable_image_is_no_error_and_no_alert() {
    let mut study = open(&[unusable(), Finding::OtherView]);
    assert_eq!(study.complete("m", &RULES), []);
    assert_eq!(study.state, State::Unusable);
}

#[test]
fn a_late_image_opens_the_study_again_and_only_what_changes_is_told() {
    let mut study = open(&[decided(0.9)]);
    study.complete("m", &RULES);
    study.delivery(0, 0);
    assert_eq!(study.state, State::Delivered);
    assert_eq!(study.keep(2, &[]), [Effect::Screen(2)]);
    assert_eq!((study.state, study.revision), (State::Open, 2));
    assert_eq!(study.screened(2, decided(0.8), &RULES), []);
    let previous = Some(Reported {
        revision: 1,
        positive: true,
    });
    assert_eq!(study.complete("m", &RULES), [Effect::Deliver { previous }]);
}

#[test]
fn a_negative_that_becomes_positive_is_told() {
    let mut study = open(&[decided(0.1)]);
    study.complete("m", &RULES);
    study.keep(2, &[]);
    assert_eq!(
        study.screened(2, decided(0.9), &RULES),
        [tell(AlertEvent::Positive)]
    );
}

#[test]
fn equal_bytes_that_come_again_change_nothing() {
    let mut study = open(&[decided(0.1)]);
    study.complete("m", &RULES);
    let before = study.clone();
    study.repeat();
    assert_eq!(study.repeats, 1);
    study.repeats = 0;
    assert_eq!(study, before);
}

#[test]
fn nobody_is_told_and_given_anything_by_a_silent_station_or_of_a_phantom() {
    let silent = Rules {
        mode: StationMode::Silent,
        ..RULES
    };
    let mut study = Study::default();
    study.keep(1, &[]);
    assert_eq!(study.screened(1, decided(0.9), &silent), []);
    assert_eq!(study.complete("m", &silent), []);
    assert_eq!(study.state, State::Settled);
    assert!(study.decision.expect("a decision").positive);

    let phantom = DecidedImage {
        synthetic: true,
        ..image(0.9)
    };
    for (synthetic, effects) in [(SyntheticScans::Withhold, 0), (SyntheticScans::Tell, 2)] {
        let rules = Rules { synthetic, ..RULES };
        let mut study = Study::default();
        study.keep(1, &[]);
        let mut found = study.screened(1, Finding::Decided(phantom.clone()), &rules);
        found.extend(study.complete("m", &rules));
        assert_eq!(found.len(), effects, "{synthetic:?}");
    }
}

#[test]
fn a_result_that_failed_is_told_once_and_may_be_sent_again() {
    let mut study = open(&[decided(0.9)]);
    study.complete("m", &RULES);
    assert_eq!(study.delivery(1, 0), []);
    assert_eq!(study.delivery(0, 1), [tell(AlertEvent::Undelivered)]);
    assert_eq!(study.delivery(0, 1), []);
    assert!(study.may_expire(0));
    assert_eq!(study.delivery(1, 0), []);
    assert_eq!(study.state, State::Settled);
    assert!(!study.may_expire(1));
    assert_eq!(study.delivery(0, 0), []);
    assert_eq!(study.state, State::Delivered);
}

#[test]
fn an_object_of_a_known_instance_with_other_content_takes_its_place() {
    let mut study = open(&[decided(0.1)]);
    study.keep(2, &[1]);
    assert_eq!(
        study.screened(1, decided(0.9), &RULES),
        [],
        "it came too late"
    );
    study.screened(2, decided(0.2), &RULES);
    study.complete("m", &RULES);
    let decision = study.decision.expect("a decision");
    assert_eq!((decision.arrival, decision.candidates), (2, 1));
}

#[test]
fn an_expired_study_that_comes_back_knows_nothing_of_files_that_are_gone() {
    let mut study = open(&[decided(0.9)]);
    study.complete("m", &RULES);
    study.expire();
    study.keep(2, &[]);
    assert_eq!(study.findings.keys().collect::<Vec<_>>(), [&2]);
    assert_eq!(study.revision, 2);
}

#[test]
fn a_study_reads_back_from_its_record() {
    let mut study = open(&[decided(0.25), unusable(), Finding::OtherView]);
    study.keep(9, &[]);
    let text = serde_json::to_string(&study).expect("JSON");
    let read: Study = serde_json::from_str(&text).expect("a study");
    assert_eq!(read, study);
}

/// What may happen to a study.
#[derive(Clone, Debug)]
enum Event {
    Keep,
    Screen(f64),
    Reject,
    Complete,
    Delivery(usize, usize),
    Expire,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Keep),
        3 => (0.0..1.0).prop_map(Event::Screen),
        1 => Just(Event::Reject),
        2 => Just(Event::Complete),
        2 => (0..2usize, 0..2usize).prop_map(|(pending, failed)| Event::Delivery(pending, failed)),
        1 => Just(Event::Expire),
    ]
}

/// The study after an event, and what has to be done.
fn after(study: &mut Study, event: &Event, arrival: u64) -> Vec<Effect> {
    let waiting = study.waiting().next();
    match event {
        Event::Keep => study.keep(arrival, &[]),
        Event::Screen(probability) => waiting
            .map(|it| study.screened(it, decided(*probability), &RULES))
            .unwrap_or_default(),
        Event::Reject => waiting
            .map(|it| study.screened(it, unusable(), &RULES))
            .unwrap_or_default(),
        Event::Complete => study.complete("m", &RULES),
        Event::Delivery(pending, failed) => study.delivery(*pending, *failed),
        Event::Expire => {
            if study.may_expire(0) {
                study.expire();
            }
            Vec::new()
        }
    }
}

proptest! {
    #[test]
    fn whoever_is_told_knows_the_last_decision_and_is_never_told_twice_of_the_same(
        events in proptest::collection::vec(event(), 1..60)
    ) {
        let mut study = Study::default();
        let mut last = None;
        let mut revision = 0;
        for (arrival, event) in (1..).zip(&events) {
            let before = study.state;
            for effect in after(&mut study, event, arrival) {
                if let Effect::Tell(told @ (AlertEvent::Positive | AlertEvent::Amended)) = effect {
                    prop_assert_ne!(last, Some(told));
                    prop_assert!(told == AlertEvent::Positive || last.is_some());
                    last = Some(told);
                }
            }
            prop_assert!(study.revision >= revision);
            revision = study.revision;
            prop_assert_eq!(study.told_positive, last == Some(AlertEvent::Positive));
            if study.state == State::Settled && before == State::Open {
                let decision = study.decision.as_ref().expect("a decision");
                prop_assert_eq!(decision.positive, study.told_positive);
            }
            let unknown = study.is_waiting();
            prop_assert!(!unknown || study.state == State::Open);
        }
    }
}
