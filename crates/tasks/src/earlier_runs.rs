//! How often a cohort was evaluated before, so that gates that are passed by repetition leave a trace.

use super::task_io::TrainingIo;
use attrium_evaluation::{EarlierRuns, MetricsDocument};
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
    let counted = of_namespace.and_then(|it| count(&it, &io.files.store.uri(), labels));
    counted
        .inspect_err(|error| {
            let error: &dyn std::error::Error = error;
            tracing::warn!(error, "Earlier runs on the same labels cannot be counted");
        })
        .ok()
}

/// Counts the runs of a namespace but for the one at the URI `own`.
fn count(namespace: &Storage, own: &str, labels: &str) -> Result<EarlierRuns, Error> {
    let mut earlier = EarlierRuns::default();
    for name in namespace.folders()? {
        let of_name = namespace.at(&name)?;
        for uid in of_name.folders()? {
            let run = of_name.at(&uid)?;
            if run.uri() == own {
                continue;
            }
            let metrics = match run.get(METRICS, LARGEST) {
                Err(Error::NotFound { .. } | Error::TooLarge { .. }) => continue,
                metrics => metrics?,
            };
            // What cannot be read is of no run on these labels.
            let evaluated: Option<MetricsDocument> = serde_json::from_slice(&metrics).ok();
            let Some(evaluated) = evaluated.filter(|it| it.labels.as_deref() == Some(labels))
            else {
                continue;
            };
            earlier.runs += 1;
            earlier.gate_missed += u64::from(!evaluated.gates_passed());
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
        let missed = r#"{"results": [], "labels": "sha256:1", "gates": [{
            "architecture": "Linear", "task": "Positive", "metric": "auc", "minimum": 0.9, "value": 0.8,
            "passed": false, "message": "auc is 0.8, below 0.9"
        }]}"#;
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
        let earlier = count(&store, &own, "sha256:1").unwrap();
        let expected = EarlierRuns {
            runs: 3,
            gate_missed: 2,
        };
        assert_eq!(earlier, expected);
        assert_eq!(
            count(&store, &own, "sha256:9").unwrap(),
            EarlierRuns::default()
        );
    }
}
