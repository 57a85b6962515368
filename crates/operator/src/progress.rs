//! Progress: now and then the last lines of a few running pods' logs.
//!
//! A convenience beside the work: no reconciliation waits for it, and a run ends right without it. The
//! number of requests is bounded whatever runs.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams};
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use super::context::Context;
use super::queue::WorkQueue;
use super::resource_entry::ResourceKey;
use super::snapshot::PodSnapshot;
use attrium_api::CONTAINER;
use attrium_workflow::Progress;

/// How often logs are read.
const PERIOD: Duration = Duration::from_secs(15);
/// The most pods whose logs are read each time.
const MAX_PODS: usize = 24;
/// How many of the last lines are read.
const LINES: i64 = 20;
/// The most bytes of them.
const BYTES: i64 = 64 << 10;
/// How long a kubelet may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Follows the progress of tasks for as long as the process lives, and while it leads.
pub(super) async fn follow(context: Arc<Context>, queue: WorkQueue) {
    let mut last: Option<ResourceKey> = None;
    loop {
        sleep(PERIOD).await;
        if !context.leadership.is_leader() {
            continue;
        }
        let mut running = context.index.running_pods();
        running.sort_by(|(_, a, _), (_, b, _)| a.cmp(b));
        let first = running.partition_point(|(_, key, _)| Some(key) <= last.as_ref());
        running.rotate_left(first);
        running.truncate(MAX_PODS);
        last = running.last().map(|(_, key, _)| key.clone());
        for (uid, key, pod) in running {
            if let Some(progress) = progress(&context, &key, &pod).await
                && let Some(key) = context.index.apply_progress(&uid, pod.task(), progress)
            {
                queue.add(key);
            }
        }
    }
}

async fn progress(context: &Context, key: &ResourceKey, pod: &PodSnapshot) -> Option<Progress> {
    let api: Api<Pod> = Api::namespaced(context.client.clone(), &key.namespace);
    let params = LogParams {
        container: Some(CONTAINER.to_owned()),
        tail_lines: Some(LINES),
        limit_bytes: Some(BYTES),
        ..LogParams::default()
    };
    match timeout(TIMEOUT, api.logs(&pod.name, &params)).await {
        Ok(Ok(log)) => latest(&log),
        Ok(Err(error)) => {
            tracing::debug!(pod = pod.name, %error, "A log cannot be read");
            None
        }
        Err(_) => None,
    }
}

/// A line of progress among the lines of a log.
#[derive(Deserialize)]
struct Line {
    progress: Progress,
}

/// The latest progress in a log.
pub(super) fn latest(log: &str) -> Option<Progress> {
    let lines = log.lines().rev();
    let mut progress = lines.filter_map(|line| serde_json::from_str::<Line>(line).ok());
    progress.next().map(|line| line.progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_the_last_line_that_has_it() {
        let log = r#"{"level":"INFO","message":"x"}
{"task":"train/3","progress":{"done":1,"total":10,"unit":"batches"}}
{"task":"train/3","progress":{"done":2,"total":10,"unit":"batches","epoch":1,"epochs":5}}
not JSON
{"level":"INFO","progress":"none"}
"#;
        let progress = latest(log).expect("progress");
        assert_eq!(
            (progress.done, progress.total, progress.epoch),
            (2, 10, Some(1))
        );
        assert_eq!(latest("nothing\n"), None);
    }
}
