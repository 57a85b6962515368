//! How often a cohort was evaluated before, so that gates that are passed by repetition leave a trace.

use serde::Deserialize;

use super::task_io::TrainingIo;
use attrium_evaluation::EarlierRuns;
use attrium_storage::{Error, Storage};
use attrium_workflow::artefacts::METRICS;

/// A larger file of metrics, in bytes, is not read for this.
const LARGEST: u64 = 64 << 20;

/// The runs below the same output and namespace that were evaluated on labels with this digest; `None`, with a
/// warning, where the store does not let this run look.
pub(super) fn earlier_runs(io: &TrainingIo<'_>, labels: &str) -> Option<EarlierRuns> {
    let resource = io.context.resource;
    let output = resource.output().trim_end_matches('/');
    let uri = format!("{output}/{}", resource.namespace());
    let of_namespace = Storage::open(&uri, &io.options);
    let counted = of_namespace.and_then(|it| count(&it, io.context.prefix, labels));
    counted
        .inspect_err(|error| {
            let error: &dyn std::error::Error = error;
            tracing::warn!(error, "Earlier runs on the same labels cannot be counted");
        })
        .ok()
}

/// What of `metrics.json` is needed.
#[derive(Deserialize)]
struct Evaluated {
    labels: Option<String>,
    #[serde(default)]
    gates: Vec<Gate>,
}

#[derive(Deserialize)]
struct Gate {
    passed: bool,
}

/// Counts the runs of a namespace but for the one with the prefix `own`.
fn count(namespace: &Storage, own: &str, labels: &str) -> Result<EarlierRuns, Error> {
    let own = own.trim_end_matches('/');
    let mut earlier = EarlierRuns::default();
    for name in namespace.folders()? {
        let of_name = namespace.at(&name)?;
        for uid in of_name.folders()? {
            let run = of_name.at(&uid)?;
            if run.uri().trim_end_matches('/').ends_with(own) {
                continue;
            }
            let metrics = match run.get(METRICS, LARGEST) {
                Err(Error::NotFound { .. } | Error::TooLarge { .. }) => continue,
                metrics => metrics?,
            };
            // What cannot be read is of no run on these labels.
            let evaluated: Option<Evaluated> = serde_json::from_slice(&metrics).ok();
            let Some(evaluated) = evaluated.filter(|it| it.labels.as_deref() == Some(labels))
            else {
                continue;
            };
            earlier.runs += 1;
            earlier.gate_missed += u64::from(evaluated.gates.iter().any(|gate| !gate.passed));
        }
    }
    Ok(earlier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_on_the_same_labels_are_counted_by_whatever_name_they_go_but_for_this_one() {
        let store = Storage::memory();
        let put = |key: &str, text: &str| store.put(key, text.as_bytes().to_vec()).unwrap();
        let missed = r#"{"results": [], "labels": "sha256:1", "gates": [{"passed": false}]}"#;
        put(
            "a/1/metrics.json",
            r#"{"results": [], "labels": "sha256:1"}"#,
        );
        put("a/2/metrics.json", missed);
        put("b/3/metrics.json", missed);
        put("b/3/report/index.html", "");
        put("b/own/metrics.json", missed);
        put(
            "c/4/metrics.json",
            r#"{"results": [], "labels": "sha256:2"}"#,
        );
        put("c/5/metrics.json", r#"{"results": []}"#);
        put("c/6/metrics.json", "not JSON");
        put("c/7/status.yaml", "");
        let own = store.at("b/own").unwrap().uri();
        let earlier = count(&store, &format!("{own}/"), "sha256:1").unwrap();
        let expected = EarlierRuns {
            runs: 3,
            gate_missed: 2,
        };
        assert_eq!(earlier, expected);
        assert_eq!(
            count(&store, "", "sha256:9").unwrap(),
            EarlierRuns::default()
        );
    }
}
