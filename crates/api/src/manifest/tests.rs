//! Manifests that are right, and what is said of those that are not.

mod compute;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{ModelPlace, OperatingPoint, PublishMethod, Status, TrainingRun};

/// A training run that is right.
fn run() -> Value {
    json!({
        "apiVersion": "attrium.dev/v1alpha1",
        "kind": "TrainingRun",
        "metadata": { "name": "perugini", "namespace": "nuclear-medicine" },
        "spec": {
            "images": "s3://scans/2012-2021/",
            "labels": "s3://scans/labels.csv",
            "output": "s3://models/perugini/",
            "tasks": ["Perugini", "Positive"],
            "networks": [{ "architecture": "Residual" }],
            "training": { "learningRate": "1e-4", "minLearningRate": "1e-7" },
            "publish": { "architecture": "Residual", "task": "Positive" },
            "gates": [
                { "architecture": "Residual", "task": "Positive", "metric": "auc", "min": "0.88" },
            ],
        },
    })
}

/// A screening job that is right.
fn job() -> Value {
    json!({
        "apiVersion": "attrium.dev/v1alpha1",
        "kind": "ScreeningJob",
        "metadata": { "name": "archive" },
        "spec": {
            "images": "scans/",
            "output": "results/",
            "model": { "trainingRun": "perugini" },
        },
    })
}

/// The path and message of each violation of one document.
fn violations(document: &Value) -> Vec<(String, String)> {
    match parse(&document.to_string()) {
        Ok(_) => Vec::new(),
        Err(violations) => violations
            .0
            .into_iter()
            .map(|found| (found.path, found.message))
            .collect(),
    }
}

/// One mutation of a valid document, the path where it is reported and a part of the sentence.
struct Mutation {
    pointer: &'static str,
    value: Value,
    path: &'static str,
    says: &'static str,
}

fn mutation(
    pointer: &'static str,
    value: Value,
    path: &'static str,
    says: &'static str,
) -> Mutation {
    Mutation {
        pointer,
        value,
        path,
        says,
    }
}

/// Puts a value at a pointer, making the last step where it is missing.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    let parent = document.pointer_mut(parent).expect("a parent");
    match parent {
        Value::Array(items) => items[last.parse::<usize>().expect("an index")] = value,
        parent => parent[last.replace("~1", "/")] = value,
    }
}

fn check(valid: fn() -> Value, mutations: Vec<Mutation>) {
    assert_eq!(violations(&valid()), []);
    for Mutation {
        pointer,
        value,
        path,
        says,
    } in mutations
    {
        let mut document = valid();
        put(&mut document, pointer, value.clone());
        let found = violations(&document);
        assert_eq!(found.len(), 1, "{pointer} = {value}: {found:?}");
        assert_eq!(found[0].0, path, "{pointer} = {value}: {found:?}");
        assert!(found[0].1.contains(says), "{pointer} = {value}: {found:?}");
    }
}

#[test]
fn one_mutation_of_a_training_run_is_one_violation_at_its_place() {
    let long = "x".repeat(1025);
    let gate = |min: Value| json!([{ "architecture": "Residual", "task": "Positive", "metric": "auc", "min": min }]);
    check(
        run,
        vec![
            mutation(
                "/kind",
                json!("TrainingRum"),
                "kind",
                "did you mean TrainingRun?",
            ),
            mutation(
                "/kind",
                json!("Pod"),
                "kind",
                "use TrainingRun or ScreeningJob",
            ),
            mutation(
                "/apiVersion",
                json!("attrium.dev/v1"),
                "apiVersion",
                "v1alpha1",
            ),
            mutation(
                "/metadata/name",
                json!("Perugini"),
                "metadata.name",
                "lower-case",
            ),
            mutation(
                "/metadata/name",
                json!("a".repeat(51)),
                "",
                "longer than 50",
            ),
            mutation(
                "/metadata/namespace",
                json!("a.b"),
                "metadata.namespace",
                "namespace",
            ),
            mutation(
                "/metadata/label",
                json!({}),
                "metadata.label",
                "did you mean labels?",
            ),
            mutation("/specs", json!({}), "specs", "did you mean spec?"),
            mutation(
                "/spec/image",
                json!("x"),
                "spec.image",
                "did you mean images?",
            ),
            mutation(
                "/spec/training/epoch",
                json!(3),
                "spec.training.epoch",
                "epochs?",
            ),
            mutation(
                "/spec/training/dropout",
                json!(3),
                "spec.training.dropout",
                "known are",
            ),
            mutation(
                "/spec/networks/0/layers",
                json!(3),
                "spec.networks[0].layers",
                "no such",
            ),
            mutation("/spec/images", Value::Null, "spec.images", "is required"),
            mutation("/spec/images", json!(3), "spec.images", "put it in quotes"),
            mutation("/spec/images", json!(""), "spec.images", "is empty"),
            mutation(
                "/spec/images",
                json!(long),
                "spec.images",
                "longer than 1024",
            ),
            mutation(
                "/spec/images",
                json!("ftp://scans/"),
                "spec.images",
                "no place",
            ),
            mutation(
                "/spec/images",
                json!("s3://tenant:scans/2012/"),
                "spec.images",
                "leave out a tenant",
            ),
            mutation(
                "/spec/labels",
                json!("s3://scans/2012/../labels.csv"),
                "spec.labels",
                "an empty part",
            ),
            mutation(
                "/spec/output",
                json!("gs://scans//results/"),
                "spec.output",
                "an empty part",
            ),
            mutation(
                "/spec/maxUnusable",
                json!("1.5"),
                "spec.maxUnusable",
                "is above 1",
            ),
            mutation(
                "/spec/maxUnusable",
                json!("few"),
                "spec.maxUnusable",
                "not a decimal",
            ),
            mutation(
                "/spec/labels",
                json!("s3:///labels.csv"),
                "spec.labels",
                "no place",
            ),
            mutation("/spec/tasks", json!([]), "spec.tasks", "fewer than 1"),
            mutation(
                "/spec/tasks/1",
                json!("Postive"),
                "spec.tasks[1]",
                "did you mean Positive?",
            ),
            mutation(
                "/spec/tasks",
                json!(["Positive", "Positive"]),
                "spec.tasks",
                "names a task twice",
            ),
            mutation(
                "/spec/networks/0/architecture",
                json!("vgg16"),
                "spec.networks[0].architecture",
                "did you mean VGG16?",
            ),
            mutation(
                "/spec/networks/0/pretrainedWeights",
                json!("s3://models/vgg16.h5"),
                "spec.networks[0].pretrainedWeights",
                "no weights of ImageNet",
            ),
            mutation(
                "/spec/networks",
                json!([{ "architecture": "Residual" }, { "architecture": "Residual" }]),
                "spec.networks",
                "names an architecture twice",
            ),
            mutation(
                "/spec/publish/architecture",
                json!("Linear"),
                "spec.publish",
                "does not train",
            ),
            mutation(
                "/spec/publish/task",
                json!("HighGrade"),
                "spec.publish",
                "does not train",
            ),
            mutation(
                "/spec/publish/method",
                json!("Refti"),
                "spec.publish.method",
                "Refit?",
            ),
            mutation(
                "/spec/gates/0/task",
                json!("HighGrade"),
                "spec.gates",
                "does not train",
            ),
            mutation(
                "/spec/gates",
                gate(json!("1.01")),
                "spec.gates[0].min",
                "above 1",
            ),
            mutation(
                "/spec/gates",
                gate(json!("-0.5")),
                "spec.gates[0].min",
                "not a decimal",
            ),
            mutation(
                "/spec/gates",
                gate(json!(0.88)),
                "spec.gates[0].min",
                "\"0.88\"",
            ),
            mutation(
                "/spec/crossValidation",
                json!({ "folds": 1 }),
                FOLDS,
                "least value 2",
            ),
            mutation(
                "/spec/crossValidation",
                json!({ "folds": 21 }),
                FOLDS,
                "greatest value 20",
            ),
            mutation(
                "/spec/crossValidation",
                json!({ "folds": "5" }),
                FOLDS,
                "without quotes",
            ),
            mutation(
                "/spec/crossValidation",
                json!({ "folds": 2.5 }),
                FOLDS,
                "not an integer",
            ),
            mutation(
                "/spec/training/epochs",
                json!(0),
                "spec.training.epochs",
                "least value 1",
            ),
            mutation(
                "/spec/training/batchSize",
                json!(1),
                "spec.training.batchSize",
                "value 2",
            ),
            mutation(
                "/spec/training/learningRate",
                json!("2"),
                "spec.training.learningRate",
                "at most \"1\"",
            ),
            mutation(
                "/spec/training/minLearningRate",
                json!("1e-3"),
                "spec.training.minLearningRate",
                "above learningRate",
            ),
            mutation(
                "/spec/storage",
                json!({ "endpoint": "minio" }),
                "spec.storage.endpoint",
                "no web address",
            ),
            mutation(
                "/spec/storage",
                json!({ "credentialsSecret": "Not a name" }),
                "spec.storage.credentialsSecret",
                "Kubernetes name",
            ),
            mutation(
                "/spec/compute",
                json!({ "resources": { "limits": { "memory": "4 GiB" } } }),
                "spec.compute.resources.limits.memory",
                "not a quantity",
            ),
            mutation(
                "/spec/compute",
                json!({ "parallelism": 0 }),
                "spec.compute.parallelism",
                "least value 1",
            ),
            mutation(
                "/spec/suspend",
                json!("maybe"),
                "spec.suspend",
                "not a boolean",
            ),
            mutation(
                "/spec/study",
                json!({ "ethics": " \n" }),
                "spec.study.ethics",
                "is blank",
            ),
            mutation(
                "/spec/study",
                json!({ "readers": "r".repeat(2049) }),
                "spec.study.readers",
                "2048",
            ),
            mutation(
                "/spec/study",
                json!({ "sites": ["a hospital", "\t"] }),
                "spec.study.sites",
                "a blank one",
            ),
            mutation(
                "/spec/study",
                json!({ "dates": { "from": "2012-03-04", "to": "2021" } }),
                "spec.study.dates.from",
                "7",
            ),
            mutation(
                "/spec/study",
                json!({ "dates": { "from": "2012", "to": "2021-13" } }),
                "spec.study.dates.to",
                "never a day",
            ),
            mutation(
                "/spec/study",
                json!({ "dates": { "from": 2012, "to": "2021" } }),
                "spec.study.dates.from",
                "put it in quotes",
            ),
            mutation(
                "/spec/study",
                json!({ "dates": { "from": "2012" } }),
                "spec.study.dates.to",
                "is required",
            ),
            mutation(
                "/spec/study",
                json!({ "dates": { "from": "2012-05", "to": "2012-04" } }),
                "spec.study.dates",
                "ends before it begins",
            ),
            mutation(
                "/spec/study",
                json!({ "license": "MIT" }),
                "spec.study.license",
                "did you mean licence?",
            ),
        ],
    );
}

const FOLDS: &str = "spec.crossValidation.folds";

#[test]
fn one_mutation_of_a_screening_job_is_one_violation_at_its_place() {
    check(
        job,
        vec![
            mutation("/spec/model", json!({}), "spec.model", "exactly one"),
            mutation(
                "/spec/model",
                json!({ "uri": "model/", "trainingRun": "perugini" }),
                "spec.model",
                "exactly one",
            ),
            mutation("/spec/model", Value::Null, "spec.model", "is required"),
            mutation(
                "/spec/model",
                json!({ "uri": "model/", "digest": format!("sha256:{}", "A".repeat(64)) }),
                "spec.model.digest",
                "no digest: use sha256:",
            ),
            mutation(
                "/spec/model",
                json!({ "trainingRun": "perugini", "digest": format!("sha256:{}", "a".repeat(64)) }),
                "spec.model",
                "a digest without a uri",
            ),
            mutation(
                "/spec/operatingPoint",
                json!({}),
                "spec.operatingPoint",
                "exactly one",
            ),
            mutation(
                "/spec/operatingPoint",
                json!({ "threshold": "0.5", "sensitivity": "0.95" }),
                "spec.operatingPoint",
                "exactly one",
            ),
            mutation(
                "/spec/operatingPoint",
                json!({ "sensitivity": "0" }),
                "spec.operatingPoint.sensitivity",
                "out of range",
            ),
            mutation(
                "/spec/alert",
                json!({ "webhook": { "url": "mailto:someone", "allowHttp": true } }),
                "spec.alert.webhook.url",
                "no web address",
            ),
            mutation(
                "/spec/alert",
                json!({ "webhook": { "url": "http://alerts.example/hook" } }),
                "spec.alert.webhook",
                "use https://, or set allowHttp",
            ),
            mutation(
                "/spec/alert",
                json!({ "webhook": {} }),
                "spec.alert.webhook",
                "exactly one of url and urlFrom",
            ),
            mutation(
                "/spec/alert",
                json!({ "webhook": { "url": "https://a/", "urlFrom": { "secret": "hook" } } }),
                "spec.alert.webhook",
                "exactly one of url and urlFrom",
            ),
            mutation(
                "/spec/activationMaps",
                json!("Some"),
                "spec.activationMaps",
                "None",
            ),
            mutation(
                "/spec/maxUnusable",
                json!("1.5"),
                "spec.maxUnusable",
                "is above 1",
            ),
            mutation(
                "/spec/study",
                json!({ "contact": "" }),
                "spec.study.contact",
                "is empty",
            ),
            mutation(
                "/spec/shards",
                json!(1000),
                "spec.shards",
                "greatest value 999",
            ),
        ],
    );
}

#[test]
fn a_manifest_has_the_defaults_of_its_schema() {
    let resources = parse(&format!("{}\n---\n{}", run(), job())).expect("should be right");
    let [Resource::TrainingRun(run), Resource::ScreeningJob(job)] = &resources[..] else {
        panic!("should be a run and a job: {resources:?}");
    };
    assert_eq!(run.spec.training.epochs, 50);
    assert_eq!(run.spec.preprocessing.shards, 4);
    assert_eq!(
        run.spec.publish.as_ref().map(|it| it.method),
        Some(PublishMethod::Ensemble)
    );
    assert_eq!(job.spec.operating_point, OperatingPoint::default());
    assert_eq!(job.spec.shards, 4);
    let most = [&run.spec.max_unusable, &job.spec.max_unusable];
    assert_eq!(most.map(|it| it.value()), [0.1, 0.1]);
    assert_eq!(resources[0].namespace(), "nuclear-medicine");
    assert_eq!(resources[1].namespace(), "default");
}

#[test]
fn an_alert_may_go_without_encryption_where_that_is_allowed_and_to_an_address_of_a_secret() {
    for webhook in [
        json!({ "url": "http://alerts.example/hook", "allowHttp": true }),
        json!({ "urlFrom": { "secret": "hook" }, "secret": "token" }),
    ] {
        let mut document = job();
        put(&mut document, "/spec/alert", json!({ "webhook": webhook }));
        assert!(parse(&document.to_string()).is_ok(), "{webhook}");
    }
}

#[test]
fn a_model_by_its_digest_is_taken() {
    let mut document = job();
    let digest = format!("sha256:{}", "0a".repeat(32));
    put(
        &mut document,
        "/spec/model",
        json!({ "uri": "model/", "digest": digest, "requireSigned": true }),
    );
    let resources = parse(&document.to_string()).expect("should be right");
    let place = ModelPlace {
        uri: "model/",
        digest: Some(&digest),
    };
    assert_eq!(resources[0].model(), Some(place));
}

#[test]
fn a_study_of_a_month_of_a_year_or_of_years_is_taken_and_one_that_states_nothing() {
    for (from, to) in [
        ("2012", "2012"),
        ("2012-03", "2012"),
        ("2012", "2012-03"),
        ("2011-12", "2012-01"),
    ] {
        let mut document = run();
        let dates = json!({ "from": from, "to": to });
        put(&mut document, "/spec/study", json!({ "dates": dates }));
        assert_eq!(violations(&document), []);
    }
    let mut document = job();
    put(&mut document, "/spec/study", json!({}));
    assert_eq!(violations(&document), []);
}

#[test]
fn a_null_is_as_no_field_and_a_status_is_dropped() {
    let mut document = run();
    put(&mut document, "/spec/queueName", Value::Null);
    put(&mut document, "/spec/training", json!({ "epochs": null }));
    put(
        &mut document,
        "/status",
        json!({ "phase": "Succeeded", "what": "ever" }),
    );
    let resources = parse(&document.to_string()).expect("should be right");
    let Resource::TrainingRun(run) = &resources[0] else {
        panic!("should be a run")
    };
    assert_eq!(run.spec.training.epochs, 50);
    assert_eq!(run.status, None);
}

#[test]
fn all_violations_of_all_documents_are_told_at_once() {
    let mut first = run();
    put(&mut first, "/spec/tasks/0", json!("Grade"));
    put(&mut first, "/spec/training/minLearningRate", json!("1e-3"));
    put(&mut first, "/spec/colour", json!("red"));
    let mut second = job();
    put(&mut second, "/spec/model", json!({}));
    let text = format!("{first}\n---\n{second}\n---\nkind: [");
    let found = parse(&text).expect_err("should be wrong").to_string();
    let expected = [
        "document 1: spec.colour: there is no such field: known are",
        "document 1: spec.tasks[0]: is \"Grade\", which is not known: use one of Perugini",
        "document 1: spec.training.minLearningRate: is above learningRate",
        "document 2: spec.model: needs exactly one of uri and trainingRun",
        "document 3, line ",
    ];
    let lines: Vec<_> = found.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{found}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}\n{expected}");
    }
}

#[test]
fn text_that_is_no_yaml_is_told_with_its_line() {
    let text = "apiVersion: attrium.dev/v1alpha1\nkind: TrainingRun\nspec: {images: [}\n";
    let violations = parse(text).expect_err("should be wrong");
    assert_eq!(violations.0.len(), 1);
    assert_eq!(violations.0[0].line, Some(3));
    let twice = "kind: TrainingRun\nkind: ScreeningJob\n";
    assert_eq!(
        parse(twice).expect_err("should be wrong").0[0].line,
        Some(2)
    );
}

#[test]
fn anything_that_is_no_document_is_one_clear_sentence() {
    for text in ["", "---\n", "# nothing\n", "null\n"] {
        let found = parse(text).expect_err("should be wrong").to_string();
        assert!(found.contains("the manifest is empty"), "{text:?}: {found}");
    }
    for text in ["3", "[1, 2]", "hello"] {
        let found = parse(text).expect_err("should be wrong").to_string();
        assert!(found.contains("is not an object"), "{text:?}: {found}");
    }
    assert!(
        parse("{}")
            .expect_err("should be wrong")
            .to_string()
            .contains("kind: is required")
    );
}

#[test]
fn a_large_manifest_is_refused_before_it_is_read() {
    let text = "#".repeat(MAX_BYTES + 1);
    assert!(
        parse(&text)
            .expect_err("should be wrong")
            .to_string()
            .contains("bytes")
    );
    let many = "---\na: 1\n".repeat(MAX_DOCUMENTS + 1);
    assert!(
        parse(&many)
            .expect_err("should be wrong")
            .to_string()
            .contains("documents")
    );
}

#[test]
fn aliases_and_depth_do_not_take_the_machines_memory() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert!(parse(&bomb).is_err());
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert!(parse(&"a:\n ".repeat(10_000)).is_err());
}

#[test]
fn an_alias_is_as_good_as_what_it_stands_for() {
    let text = "
apiVersion: attrium.dev/v1alpha1
kind: TrainingRun
metadata: {name: a}
spec:
  images: &where scans/
  labels: *where
  output: out/
  tasks: [Positive]
  networks: [{architecture: Linear}]
";
    let resources = parse(text).expect("should be right");
    let Resource::TrainingRun(run) = &resources[0] else {
        panic!("should be a run")
    };
    assert_eq!(run.spec.labels, "scans/");
}

fn started(change: impl FnOnce(&mut TrainingRun)) -> (Resource, Resource) {
    let resources = parse(&run().to_string()).expect("should be right");
    let Resource::TrainingRun(run) = &resources[0] else {
        panic!("should be a run")
    };
    let mut old = run.clone();
    let mut new = run.clone();
    old.status = Some(Status {
        stages: vec![Default::default()],
        ..Status::default()
    });
    change(&mut new);
    (Resource::TrainingRun(old), Resource::TrainingRun(new))
}

/// Asserts that a change is refused once work has started.
#[track_caller]
fn assert_forbidden(change: impl FnOnce(&mut TrainingRun)) {
    let (old, new) = started(change);
    let found = check_update(&old, &new)
        .expect_err("should be forbidden")
        .to_string();
    assert!(
        found.contains("spec: may not change once work has started"),
        "{found}"
    );
}

#[test]
fn once_started_only_what_does_not_change_results_may_change() {
    let allowed: [fn(&mut TrainingRun); 10] = [
        |run| run.spec.compute.job_labels = [("team".to_owned(), "a".to_owned())].into(),
        |run| run.spec.compute.job_annotations = [("team".to_owned(), "a".to_owned())].into(),
        |_| {},
        |run| run.spec.max_unusable = "0.5".parse().expect("a decimal"),
        |run| run.spec.suspend = true,
        |run| run.spec.study = Some(Default::default()),
        |run| run.spec.compute.parallelism = Some(3),
        |run| run.spec.start_deadline_seconds = 60,
        |run| run.spec.active_deadline_seconds = Some(60),
        |run| run.spec.ttl_seconds_after_finished = Some(60),
    ];
    for change in allowed {
        let (old, new) = started(change);
        assert_eq!(check_update(&old, &new), Ok(()));
    }
    let forbidden: [fn(&mut TrainingRun); 6] = [
        |run| run.spec.images = "elsewhere/".to_owned(),
        |run| run.spec.training.epochs = 3,
        |run| run.spec.publish = None,
        |run| run.spec.gates.clear(),
        |run| run.spec.queue_name = Some("gpu".to_owned()),
        |run| run.spec.compute.pod_template = Some(Default::default()),
    ];
    for change in forbidden {
        assert_forbidden(change);
    }
}

#[test]
fn the_fields_that_changed_are_named_by_their_paths() {
    let (old, new) = started(|run| {
        run.spec.training.epochs = 3;
        run.spec.publish = None;
        run.spec.tasks.pop();
    });
    assert_eq!(
        changed_fields(&old, &new),
        ["spec.publish", "spec.tasks", "spec.training.epochs"]
    );
    assert!(changed_fields(&old, &old).is_empty());
}

#[test]
fn before_it_has_started_a_spec_may_change() {
    let (mut old, new) = started(|run| run.spec.training.epochs = 3);
    if let Resource::TrainingRun(run) = &mut old {
        run.status = None;
    }
    assert_eq!(check_update(&old, &new), Ok(()));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn no_value_in_any_place_makes_the_parser_panic(
        pointer in prop::sample::select(vec![
            "/metadata", "/metadata/name", "/spec", "/spec/images", "/spec/tasks",
            "/spec/tasks/0", "/spec/networks", "/spec/training", "/spec/training/learningRate",
            "/spec/gates", "/spec/gates/0/min", "/spec/publish", "/spec/compute",
        ]),
        value in prop::sample::select(vec![
            json!(null), json!(true), json!(-1), json!(1e300), json!("x"), json!("1e99"),
            json!([]), json!([null]), json!({}), json!({ "": null }), json!([[[]]]),
            json!({ "architecture": 3 }), json!(u64::MAX),
        ]),
    ) {
        let mut document = run();
        put(&mut document, pointer, value);
        let _ = parse(&document.to_string());
    }
}
