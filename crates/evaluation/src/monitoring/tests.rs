//! Charts on cohorts and jobs that are drawn here.

use attrium_types::random::{self, ChaCha8Rng};

use super::*;

/// A study of a cohort of which a third is positive, on one of two scanners.
fn study(stream: &mut ChaCha8Rng, number: usize) -> ReferenceStudy {
    let positive = number.is_multiple_of(3);
    let shift = if positive { 1.0 } else { 0.0 };
    let scanner = ["forte", "symbia"][number % 2];
    ReferenceStudy {
        scanner: Some(scanner.to_owned()),
        counts: (12.0 + 0.45 * random::normal(stream)).exp(),
        ratio: Some(1.1 + 0.1 * random::normal(stream) + shift),
        positive_probability: Some(
            1.0 / (1.0 + (3.0 + random::normal(stream) - 6.0 * shift).exp()),
        ),
        positive,
        has_warnings: number.is_multiple_of(20),
    }
}

fn reference(studies: usize) -> Reference {
    let mut random = random::named(1, "monitoring reference");
    let studies: Vec<_> = (0..studies)
        .map(|number| study(&mut random, number))
        .collect();
    let set_aside = ReferenceShare {
        part: 3,
        whole: 403,
    };
    Reference::of(&studies, set_aside, false)
}

/// A job of scans whose counts are a multiple of the reference's, all of them negative.
fn job(reference: &Reference, scans: u64, scanner: &str, counts: f64) -> Monitoring {
    let mut random = random::named(2, &format!("monitoring job {counts}"));
    let mut monitor = Monitor::new(reference);
    for row in 1..=scans {
        let drawn = study(&mut random, 3 * row as usize + 1);
        monitor.add(&MonitoredScan {
            row,
            scanner: Some(scanner),
            counts: Some(counts * drawn.counts),
            ratio: drawn.ratio,
            positive_probability: drawn.positive_probability.unwrap(),
            has_warnings: false,
            synthetic: false,
        });
    }
    monitor.finish()
}

fn row<'a>(monitoring: &'a Monitoring, feature: Feature, scanner: Option<&str>) -> &'a MonitorRow {
    let mut rows = monitoring.rows.iter();
    let found = rows.find(|row| row.feature == feature && row.scanner.as_deref() == scanner);
    found.expect("a row")
}

#[test]
fn a_job_like_the_cohort_is_within_it_whatever_its_prevalence() {
    let reference = reference(600);
    let found = job(&reference, 400, "symbia", 1.0);
    assert_eq!(found.state(), MonitorState::Within, "{found:#?}");
    for feature in [Feature::Counts, Feature::Ratio, Feature::Score] {
        let row = row(&found, feature, None);
        assert_eq!(row.state, MonitorState::Within);
        assert!(row.tenths.iter().all(|&scans| scans > 0), "{row:?}");
    }
}

#[test]
fn a_quarter_of_the_counts_less_is_found_and_named_for_the_scanner_too() {
    let reference = reference(600);
    let found = job(&reference, 150, "symbia", 0.75);
    assert_eq!(found.state(), MonitorState::Outside);
    let outside: Vec<_> = found.outside().map(|row| row.feature).collect();
    assert_eq!(outside, [Feature::Counts; 2]);
    let of_scanner = row(&found, Feature::Counts, Some("symbia"));
    assert_eq!(of_scanner.compared_with, ComparedWith::OwnScanner);
    assert_eq!(of_scanner.direction, Some(Direction::Lower));
    assert!(of_scanner.first_alarm.is_some_and(|row| row <= 120));
    let [low, usual] = [of_scanner.location, of_scanner.reference_location].map(Option::unwrap);
    assert!((0.65..0.85).contains(&(low / usual)), "{low} of {usual}");
}

#[test]
fn a_scanner_that_the_reference_lacks_is_named_and_no_alarm() {
    let reference = reference(600);
    let found = job(&reference, 100, "anyscan", 1.0);
    assert_eq!(found.state(), MonitorState::Within);
    let new: Vec<_> = found
        .new_scanners()
        .filter_map(|row| row.scanner.clone())
        .collect();
    assert_eq!(new, ["anyscan"]);
    assert_eq!(
        row(&found, Feature::Scanner, None).state,
        MonitorState::OtherMix
    );
    let counts = row(&found, Feature::Counts, Some("anyscan"));
    assert_eq!(counts.compared_with, ComparedWith::AllScanners);
    assert_eq!(
        job(&reference, 100, "anyscan", 0.6).state(),
        MonitorState::Outside
    );
}

#[test]
fn of_few_scans_nothing_is_said() {
    let reference = reference(600);
    for scans in [0, 1, LEAST_SCANS - 1] {
        let found = job(&reference, scans, "symbia", 0.01);
        assert_eq!(found.state(), MonitorState::TooFew, "{scans}");
    }
    assert_eq!(
        job(&reference, LEAST_SCANS, "symbia", 0.01).state(),
        MonitorState::Outside
    );
}

#[test]
fn of_a_reference_that_is_too_small_nothing_is_known() {
    let small = reference(LEAST_REFERENCE - 1);
    assert!(small.all.distributions.is_empty() && small.is_sound());
    let found = job(&small, 100, "symbia", 0.01);
    assert_eq!(found.state(), MonitorState::NotKnown);
    let counts = row(&found, Feature::Counts, None);
    assert_eq!(
        (counts.state, counts.statistic),
        (MonitorState::NotKnown, None)
    );
}

#[test]
fn a_feature_that_tells_no_positive_from_a_negative_is_not_looked_at() {
    let mut random = random::named(3, "monitoring");
    let studies = (0..400).map(|number| ReferenceStudy {
        ratio: Some(random::normal(&mut random)),
        ..study(&mut random, number)
    });
    let studies: Vec<_> = studies.collect();
    let reference = Reference::of(&studies, ReferenceShare::default(), false);
    assert!(!reference.bulk.contains_key(&Feature::Ratio));
    assert!(reference.bulk.contains_key(&Feature::Score));
    let found = job(&reference, 100, "symbia", 1.0);
    assert_eq!(
        row(&found, Feature::Ratio, None).state,
        MonitorState::NotKnown
    );
    assert_eq!(
        row(&found, Feature::SetAside, None).state,
        MonitorState::NotKnown
    );
    assert_eq!(
        row(&found, Feature::Score, None).state,
        MonitorState::Within
    );
}

#[test]
fn a_table_from_before_counts_were_kept_leaves_them_unknown() {
    let reference = reference(600);
    let mut monitor = Monitor::new(&reference);
    for row in 1..=100 {
        monitor.add(&MonitoredScan {
            row,
            scanner: None,
            counts: None,
            ratio: Some(1.1),
            positive_probability: 0.05,
            has_warnings: row.is_multiple_of(20),
            synthetic: false,
        });
    }
    let found = monitor.finish();
    for feature in [Feature::Counts, Feature::Scanner] {
        assert_eq!(row(&found, feature, None).state, MonitorState::NotKnown);
    }
}

#[test]
fn shares_that_grow_are_found_and_shares_that_shrink_are_not() {
    let reference = reference(600);
    let mut monitor = Monitor::new(&reference);
    for row in 1u64..=200 {
        if row.is_multiple_of(3) {
            monitor.add_set_aside(row);
        }
        let mut random = random::named(row, "monitoring shares");
        let drawn = study(&mut random, 1);
        monitor.add(&MonitoredScan {
            row,
            scanner: Some("forte"),
            counts: Some(drawn.counts),
            ratio: drawn.ratio,
            positive_probability: drawn.positive_probability.unwrap(),
            has_warnings: row.is_multiple_of(2),
            synthetic: true,
        });
    }
    let found = monitor.finish();
    assert!(found.synthetic);
    for feature in [Feature::Warnings, Feature::SetAside] {
        let row = row(&found, feature, None);
        assert_eq!(row.state, MonitorState::Outside, "{row:?}");
        assert_eq!(row.direction, Some(Direction::Higher));
    }
    let without = job(&reference, 400, "forte", 1.0);
    assert_eq!(
        row(&without, Feature::Warnings, None).state,
        MonitorState::Within
    );
}

#[test]
fn a_quarter_of_the_counts_less_is_nearly_always_found_and_a_false_alarm_is_rare() {
    let reference = reference(600);
    let outside = |scans, counts: f64| {
        let jobs = (0..20).map(|number| {
            // A job's draws follow from its factor, which a millionth does not change.
            let found = job(
                &reference,
                scans,
                "symbia",
                counts + 1e-6 * f64::from(number),
            );
            u32::from(found.state() == MonitorState::Outside)
        });
        jobs.sum::<u32>()
    };
    assert!(outside(100, 0.75) >= 18);
    assert!(outside(2000, 1.0) <= 6);
}

#[test]
fn scores_of_a_model_that_was_recalibrated_are_those_that_it_would_have_had() {
    let mut random = random::named(1, "monitoring recalibrated");
    let mut studies: Vec<_> = (0..300).map(|number| study(&mut random, number)).collect();
    let set_aside = ReferenceShare::default();
    let changed = Reference::of(&studies, set_aside, false).with_scores(0.5, -1.0);
    for study in &mut studies {
        let score = study.positive_probability.as_mut().unwrap();
        let log_odds = 0.5 * (*score / (1.0 - *score)).ln() - 1.0;
        *score = 1.0 / (1.0 + (-log_odds).exp());
    }
    let expected = serde_json::to_value(Reference::of(&studies, set_aside, false)).unwrap();
    let found = serde_json::to_value(changed).unwrap();
    let near = |a: &serde_json::Value, b: &serde_json::Value| {
        (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-9
    };
    let (a, b) = (
        &expected["all"]["distributions"],
        &found["all"]["distributions"],
    );
    for field in ["mean", "deviation"] {
        assert!(near(&a["score"][field], &b["score"][field]), "{field}");
    }
    for percentage in 0..99 {
        let quantile = |of: &serde_json::Value| of["score"]["quantiles"][percentage].clone();
        assert!(near(&quantile(a), &quantile(b)), "{percentage}");
    }
    assert!(near(&expected["bulk"]["score"], &found["bulk"]["score"]));
    assert_eq!(a["counts"], b["counts"]);
}
