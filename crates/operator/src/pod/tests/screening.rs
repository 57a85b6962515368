//! What the pods of a screening are told: its model, whose signatures that needs, and who is told of it.

use super::*;
use crate::Settings;
use crate::fixtures::{job_with, settings, training_run_from};

#[test]
fn the_bundle_of_a_training_run_is_an_argument_and_its_cloud_counts() {
    let lines = "  model: {trainingRun: run}\n  storage: {credentialsSecret: keys}";
    let model = ModelPlace {
        uri: "gs://models/run/model/Residual-Positive/",
        digest: Some("sha256:0"),
    };
    let template = with_model(&screening_job(lines), Screen, Some(model));
    let arguments = json!([
        "stage",
        "screen",
        "--manifest",
        "/etc/attrium/manifest/manifest.yaml",
        "--termination-message",
        "/dev/termination-log",
        "--model",
        model.uri,
        "--model-digest",
        "sha256:0",
    ]);
    assert_eq!(container(&template)["args"], arguments);
    let keys: Vec<_> = credentials(&template)
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert!(keys.contains(&"GOOGLE_SERVICE_ACCOUNT_KEY"), "{keys:?}");
    assert!(keys.contains(&"AWS_ACCESS_KEY_ID"), "{keys:?}");
}

#[test]
fn the_administrators_keys_are_handed_to_whoever_opens_a_bundle_and_to_no_other() {
    let settings = Settings {
        trusted_keys: vec!["RWa".to_owned(), "RWb".to_owned()],
        require_signed: true,
        ..settings()
    };
    let arguments = |resource: &CreatedResource, stage| -> Vec<String> {
        let job = job_with(resource, stage, None, &settings);
        let pod = job.spec.expect("a spec").template.spec.expect("a pod");
        pod.containers[0].args.clone().expect("arguments")
    };
    let demanded = [
        "--trusted-key",
        "RWa",
        "--trusted-key",
        "RWb",
        "--require-signed",
    ];
    let job = screening_job("  model: {uri: /m}");
    let adapted = training_run_from("{uri: /m}");
    for (resource, stage) in [
        (&job, Screen),
        (&job, Summarize),
        (&adapted, Train),
        (&adapted, Refit),
    ] {
        let arguments = arguments(resource, stage);
        assert!(arguments.ends_with(&demanded.map(str::to_owned)), "{stage}");
    }
    let plain = training_run("");
    for (resource, stage) in [
        (&plain, Train),
        (&adapted, Preprocess),
        (&adapted, Evaluate),
    ] {
        let arguments = arguments(resource, stage);
        assert!(!arguments.iter().any(|it| it == "--trusted-key"), "{stage}");
    }
}

#[test]
fn token_and_address_of_an_alert_are_those_of_secrets_where_it_is_sent() {
    let lines = "  model: {uri: /m}\n  alert: {webhook: {urlFrom: {secret: hook}, secret: token}}";
    let job = screening_job(lines);
    let of_secrets = |stage| {
        let template = template(&job, stage);
        ["ATTRIUM_ALERT_URL", "ATTRIUM_ALERT_TOKEN"].map(|name| {
            let variable = variable(&template, name)?;
            let from = &variable["valueFrom"]["secretKeyRef"];
            Some((from["name"].clone(), from["key"].clone()))
        })
    };
    let url = Some((json!("hook"), json!("url")));
    let token = Some((json!("token"), json!("token")));
    assert_eq!(of_secrets(Summarize), [url, token]);
    assert_eq!(of_secrets(Screen), [None, None]);
}
