//! What holds for every page, whatever is in it.

use proptest::prelude::*;

use super::fixture;
use crate::{
    Fact, Method, Publication, ScreeningReport, TrainingReport, screening_report, training_report,
};
use attrium_evaluation::Interval;
use attrium_types::{Architecture, CropMode, InitialWeights, Intensity, Target};

/// The tags and texts of a page's source, scripts' and styles' content included.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    page.split('<')
        .skip(1)
        .filter_map(|part| part.split('>').next())
}

fn pages() -> [String; 2] {
    [
        training_report(&fixture::training()),
        screening_report(&fixture::screening()),
    ]
}

#[test]
fn a_page_refers_to_nothing_outside_itself() {
    for page in pages() {
        for tag in tags(&page) {
            let name = tag.split(' ').next().unwrap_or("");
            let forbidden = [
                "script", "link", "iframe", "object", "embed", "base", "form", "use",
            ];
            assert!(!forbidden.contains(&name), "{tag}");
            for attribute in [
                " src=\"",
                " href=\"",
                " srcset=\"",
                " action=\"",
                " data=\"",
            ] {
                if let Some((_, value)) = tag.split_once(attribute) {
                    let inside = value.starts_with('#') || value.starts_with("data:image/png;");
                    assert!(inside, "{}", tag.get(..200).unwrap_or(tag));
                }
            }
        }
        let style = page
            .split_once("<style>")
            .and_then(|(_, rest)| rest.split_once("</style>"));
        let (style, _) = style.expect("the page has a style sheet");
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

#[test]
fn each_link_of_the_contents_has_its_section() {
    for page in pages() {
        let links: Vec<&str> = tags(&page)
            .filter_map(|tag| tag.strip_prefix("a href=\"#"))
            .collect();
        assert!(links.len() >= 6, "{links:?}");
        for link in links {
            assert!(page.contains(&format!("<section id=\"{link}>")), "{link}");
        }
    }
}

#[test]
fn every_element_is_closed_in_its_turn() {
    for page in pages() {
        let mut open = Vec::new();
        for tag in tags(&page) {
            let name = tag.split([' ', '/']).next().unwrap_or("");
            let void = ["!DOCTYPE", "br", "img", "meta"].contains(&name);
            if let Some(closed) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(closed));
            } else if !void && !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert_eq!(open, [""; 0]);
    }
}

#[test]
fn phantoms_are_called_synthetic_and_patients_are_not() {
    let mut report = fixture::training();
    let page = training_report(&report);
    assert!(page.contains("<strong>Synthetic data.</strong> The images are simulated phantoms"));
    assert!(page.contains("Research use only · synthetic"));
    report.synthetic = 3;
    let page = training_report(&report);
    assert!(page.contains("3 of 213 studies are simulated phantoms"));
    report.synthetic = 0;
    let page = training_report(&report);
    assert!(!page.contains("<strong>Synthetic"));
    assert!(page.contains("<strong>Research use only</strong>"));
}

#[test]
fn a_screening_says_apart_whether_its_images_and_its_model_are_synthetic() {
    let mut report = fixture::screening();
    let marks = |report: &ScreeningReport| {
        let page = screening_report(report);
        ["data", "model"].map(|what| page.contains(&format!("<strong>Synthetic {what}.</strong>")))
    };
    assert_eq!(marks(&report), [false, false]);
    report.synthetic = report.screened;
    assert_eq!(marks(&report), [true, false]);
    report.model.synthetic = true;
    assert_eq!(marks(&report), [true, true]);
    report.synthetic = 0;
    assert_eq!(marks(&report), [false, true]);
}

#[test]
fn an_external_validation_begins_with_the_threshold_that_the_job_screened_with() {
    let page = screening_report(&fixture::screening());
    let (_, validation) = page.split_once("id=\"validation\"").expect("a section");
    assert!(validation.contains("At this job’s threshold of 0.4127, chosen on other studies"));
    let (_, operating) = page.split_once("id=\"operating\"").expect("a section");
    let place = |text: &str| operating.find(text).expect(text);
    assert!(place("this job’s threshold") < place("sensitivity ≥"));
    let (_, calibration) = page.split_once("id=\"calibration\"").expect("a section");
    assert!(calibration.contains("own temperature is in these probabilities already"));
}

#[test]
fn every_object_of_a_screening_is_accounted_for() {
    let report = fixture::screening();
    let unusable: u64 = report.unusable.iter().map(|reason| reason.count).sum();
    assert_eq!(
        report.screened + report.other_views + unusable,
        report.objects
    );
    let page = screening_report(&report);
    assert!(page.contains("10,412 objects were found and 5,118 of them screened."));
    assert!(page.contains("5,216 show no anterior view, and 78 could not be used."));
}

#[test]
fn operating_points_of_a_published_model_are_on_its_own_scale() {
    let mut report = fixture::training();
    let group = "Residual as published: freed of the classes’ weights, logits divided by 1.250, stated for a prevalence \
                 of 1.0\u{a0}%";
    assert!(training_report(&report).contains(group));
    report.publication = Publication::NotAsked;
    assert!(!training_report(&report).contains("Residual as published"));
}

#[test]
fn a_threshold_that_was_looked_for_tells_what_it_is_expected_to_find_and_to_call() {
    let report = fixture::training();
    let page = training_report(&report);
    let points = &report.results[0].metrics.positive.operating_points;
    let expected = points[0].expected_sensitivity.expect("there are positives");
    assert!(expected < points[0].sensitivity.expect("there are positives").value);
    let (_, operating) = page.split_once("id=\"operating\"").expect("a section");
    assert!(operating.contains("Expected on new positives"));
    assert!(operating.contains("Alerts per 1,000 at 1.0\u{a0}%"));
    assert!(operating.contains(&format!("<td>{expected:.2}</td>")));
}

#[test]
fn net_benefit_has_a_curve_for_each_network_and_for_the_published_model() {
    let mut report = fixture::training();
    let page = training_report(&report);
    let (_, section) = page.split_once("id=\"benefit\"").expect("a section");
    assert!(section.contains("Linear is worth more than looking at every scan or at none"));
    assert!(section.contains("Residual as published is worth more"));
    for result in &mut report.results {
        result.metrics.positive.decision_curve = None;
    }
    report.scaled_operating_points = None;
    assert!(!training_report(&report).contains("id=\"benefit\""));
}

#[test]
fn a_second_reader_stands_beside_the_networks() {
    let page = training_report(&fixture::training());
    assert!(page.contains("Agreement with the reader"));
    assert!(page.contains("Two readers, these studies"));
}

#[test]
fn each_network_says_what_its_training_began_from() {
    let mut report = fixture::training();
    assert!(training_report(&report).contains("Linear<small>from random weights</small>"));
    report.results[0].initial_weights = InitialWeights::ImageNet;
    assert!(training_report(&report).contains("Linear<small>from weights of ImageNet</small>"));
}

#[test]
fn misses_and_false_alarms_are_shown_with_how_many_there_are() {
    let page = training_report(&fixture::training());
    assert!(page.contains("Positives that it missed: 2"));
    assert!(page.contains("Negatives that it called positive: 12"));
    assert!(page.contains("1 of them are shown."));
    assert!(page.contains("p(positive) 0.97"));
}

#[test]
fn runs_on_the_same_labels_before_are_told_of_beside_the_gates() {
    let mut report = fixture::training();
    let page = training_report(&report);
    assert!(
        page.contains(
            "3 other runs were evaluated on these labels in this place before, 2 of them"
        )
    );
    report.earlier_runs = None;
    assert!(training_report(&report).contains("is not known"));
}

#[test]
fn participants_of_development_and_validation_stand_side_by_side() {
    let mut report = fixture::screening();
    let page = screening_report(&report);
    let headers = "<th scope=\"col\">Development</th><th scope=\"col\">This validation</th>";
    assert!(page.contains(headers));
    let validation = report.validation.as_mut().expect("has labels");
    validation.subgroups.retain(|group| group.column != "sex");
    let row = |page: &str| {
        let (_, after) = page.split_once(">female</th>").expect("a row for women");
        after.split_once("</tr>").expect("ends").0.to_owned()
    };
    let without = screening_report(&report);
    assert!(row(&without).ends_with("<td>–</td>"), "{}", row(&without));
    assert!(row(&page).ends_with("%)</td>"), "{}", row(&page));
}

#[test]
fn a_run_by_the_letter_of_the_paper_differs_in_less() {
    let mut report = fixture::training();
    let steps = [
        "Scale of counts",
        "Exposure of an augmented image",
        "192 mm × 192 mm",
    ];
    let page = training_report(&report);
    for step in steps {
        assert!(page.contains(step), "{step}");
    }
    report.method = Method {
        crop: CropMode::Paper,
        intensity: Intensity::Paper,
        exposure_percent: 0,
    };
    let page = training_report(&report);
    for step in steps {
        assert!(!page.contains(step), "{step}");
    }
    assert!(page.contains("Validation part of a fold"));
}

#[test]
fn a_missed_gate_is_said_on_the_first_screen() {
    let mut report = fixture::training();
    report.publication = Publication::GateMissed;
    report.gates[0].outcome.passed = false;
    let page = training_report(&report);
    let (first, _) = page.split_once("<nav").expect("the page has contents");
    assert!(first.contains("1 gate was missed: no model of this run was published."));
    assert!(page.contains("because a gate was missed"));
}

#[test]
fn a_model_that_has_learned_nothing_is_told_of_on_the_first_screen() {
    let mut report = fixture::training();
    let reason = "the AUC of a positive, 0.520 [0.410, 0.630], may be chance".to_owned();
    report.publication = Publication::NothingLearned { reason };
    let page = training_report(&report);
    let (first, _) = page.split_once("<nav").expect("the page has contents");
    assert!(first.contains("learned anything: the AUC of a positive, 0.520 [0.410, 0.630]"));
    assert!(page.contains("publish.force"));
}

#[test]
fn a_model_that_is_trained_later_or_cannot_be_made_is_told_of_as_such() {
    let mut report = fixture::training();
    report.publication = Publication::Later {
        architecture: Architecture::Residual,
        target: Target::Positive,
    };
    let page = training_report(&report);
    assert!(page.contains("is trained on all studies after this report is written"));
    assert!(page.contains("the model to be published"));
    assert!(!page.contains("No model was published"));
    report.publication = Publication::Impossible {
        reason: "a fold has failed".to_owned(),
    };
    let page = training_report(&report);
    assert_eq!(
        page.matches("No model was published: a fold has failed.")
            .count(),
        2
    );
}

#[test]
fn a_network_that_is_not_shown_to_beat_the_baseline_is_a_caveat() {
    let mut report = fixture::training();
    report
        .baselines
        .retain(|baseline| baseline.target == Target::Positive);
    let with = |low: f64, high: f64| {
        let mut report = report.clone();
        for result in &mut report.results {
            if let Some(difference) = &mut result.baseline_difference {
                let auc = difference.auc.as_mut().expect("both classes are there");
                auc.interval = Some(Interval { low, high });
            }
        }
        training_report(&report)
    };
    let unclear = "Positive: Linear and Residual are not shown to do better than";
    assert!(with(-0.01, 0.05).contains(unclear));
    assert!(with(0.0, 0.05).contains(unclear));
    assert!(with(-0.05, -0.01).contains("Positive: Linear and Residual do worse than"));
    assert!(!with(0.01, 0.05).contains("which reaches an AUC of"));
}

#[test]
fn four_grades_are_compared_with_the_baseline_by_grades_and_by_positives() {
    let page = training_report(&fixture::training());
    let (_, grades) = page
        .split_once("Networks against the heart-to-contralateral ratio")
        .expect("the first target is that of four grades");
    let (table, _) = grades.split_once("</table>").expect("the table ends");
    let groups: Vec<_> = table.matches("scope=\"rowgroup\"").collect();
    assert_eq!(
        (groups.len(), table.matches("<td>213</td>").count()),
        (2, 4)
    );
    assert!(table.contains("All four grades") && table.contains("Grade 2 or 3"));
}

#[test]
fn a_run_without_anything_still_makes_a_page() {
    let empty = TrainingReport {
        results: Vec::new(),
        baselines: Vec::new(),
        gates: Vec::new(),
        publication: Publication::NotAsked,
        histories: Vec::new(),
        examples: Vec::new(),
        activation_maps: Vec::new(),
        ..fixture::training()
    };
    let page = training_report(&empty);
    assert!(page.contains("No network was trained"));
    assert!(!page.contains("id=\"roc\""));
}

/// The tags of a page with the names of their attributes, which foreign text must not change.
fn skeleton(page: &str) -> Vec<String> {
    tags(page)
        .map(|tag| tag.split('"').step_by(2).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_text_of_a_screening_changes_the_page_around_it(
        text in "(\\PC|[<>\"'&;/=!-]|</?script>|--!?>|\\]\\]>){1,30}"
    ) {
        let plain = skeleton(&screening_report(&hostile("a")));
        let page = screening_report(&hostile(&text));
        prop_assert_eq!(skeleton(&page), plain);
    }

    #[test]
    fn no_text_of_a_run_changes_the_page_around_it(
        text in "(\\PC|[<>\"'&;/=!-]|</?script>|--!?>|\\]\\]>){1,30}"
    ) {
        let plain = skeleton(&training_report(&hostile_run("a")));
        let page = training_report(&hostile_run(&text));
        prop_assert_eq!(skeleton(&page), plain);
    }
}

/// A run in which every foreign text is the same.
fn hostile_run(text: &str) -> TrainingReport {
    let mut report = fixture::training();
    report.name = text.to_owned();
    report.namespace = text.to_owned();
    report.data.dropped_objects[0].what = text.to_owned();
    report.data.dropped_studies[0].what = text.to_owned();
    report.data.warnings[0].what = text.to_owned();
    report.baselines[0].name = text.to_owned();
    report.gates[0].outcome.message = text.to_owned();
    if let Publication::Published(model) = &mut report.publication {
        model.method = text.to_owned();
        model.uri = text.to_owned();
        model.digest = text.to_owned();
    }
    report.histories.truncate(1);
    report.examples.clear();
    report.activation_maps.truncate(1);
    // A layer's name becomes a header and, for its map, the value of an attribute.
    report.activation_maps[0].layers[0] = text.to_owned();
    report.activation_maps[0].rows.truncate(1);
    report.activation_maps[0].rows[0].maps.truncate(1);
    report.provenance.stages[0].stage = text.to_owned();
    report.provenance.finished = Some(text.to_owned());
    report
}

/// A screening in which every foreign text is the same.
fn hostile(text: &str) -> crate::ScreeningReport {
    let mut report = fixture::screening();
    let fact = Fact {
        name: text.to_owned(),
        value: text.to_owned(),
    };
    report.name = text.to_owned();
    report.namespace = text.to_owned();
    report.operating_point = text.to_owned();
    report.model.uri = text.to_owned();
    report.model.digest = text.to_owned();
    report.model.facts = vec![fact.clone()];
    report.provenance.manifest = text.to_owned();
    report.provenance.versions = vec![fact.clone()];
    report.provenance.digests = vec![fact];
    report.unusable[0].what = text.to_owned();
    report.unusable_objects[0].object = text.to_owned();
    report.unusable_objects[0].reason = text.to_owned();
    report.positives.truncate(1);
    report.positives[0].object = text.to_owned();
    report.positives[0].warnings = vec![text.to_owned()];
    report.positives[0].montage = None;
    if let Some(metrics) = &mut report.validation {
        metrics.warnings = vec![text.to_owned()];
        metrics.classes[0].name = text.to_owned();
        metrics.subgroups.truncate(1);
        metrics.subgroups[0].column = text.to_owned();
        metrics.subgroups[0].value = text.to_owned();
    }
    report
}
