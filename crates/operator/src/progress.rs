//! Progress: now and then the last lines of a few running pods' logs.
//!
//! A convenience beside the work: no look at a resource waits for it, and a run ends right without
//! it. The number of requests is bounded whatever runs.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams};
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use super::context::Context;
use super::queue::Requests;
use super::resource_entry::Key;
use super::snapshot::PodSeen;
use attrium_api::CONTAINER;
use attrium_workflow::Progress;

/// How often pods are listened to.
const OFTEN: Duration = Duration::from_secs(15);
/// The most pods that are listened to each time.
const MOST: usize = 24;
/// The last lines that are looked at.
const LINES: i64 = 20;
/// The most bytes of them.
const BYTES: i64 = 64 << 10;
/// How long a kubelet may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Listens for as long as the process lives; only while it leads.
pub(super) async fn listen(context: Arc<Context>, requests: Requests) {
    let mut last: Option<Key> = None;
    loop {
        sleep(OFTEN).await;
        if !context.leadership.holds() {
            continue;
        }
        let mut running = context.index.running();
        running.sort_by(|(_, a, _), (_, b, _)| a.cmp(b));
        let first = running.partition_point(|(_, key, _)| Some(key) <= last.as_ref());
        running.rotate_left(first);
        running.truncate(MOST);
        last = running.last().map(|(_, key, _)| key.clone());
        for (uid, key, pod) in running {
            if let Some(progress) = progress(&context, &key, &pod).await
                && let Some(key) = context.index.put_progress(&uid, pod.task(), progress)
            {
                requests.now(key);
            }
        }
    }
}

async fn progress(context: &Context, key: &Key, pod: &PodSeen) -> Option<Progress> {
    let api: Api<Pod> = Api::namespaced(context.client.clone(), &key.namespace);
    let params = LogParams {
        container: Some(CONTAINER.to_owned()),
        tail_lines: Some(LINES),
        limit_bytes: Some(BYTES),
        ..LogParams::default()
    };
    match timeout(LIMIT, api.logs(&pod.name, &params)).await {
        Ok(Ok(log)) => last(&log),
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

/// The progress that a log told last.
fn last(log: &str) -> Option<Progress> {
    let lines = log.lines().rev();
    let mut told = lines.filter_map(|line| serde_json::from_str::<Line>(line).ok());
    told.next().map(|line| line.progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_the_last_line_that_tells_of_it() {
        let log = r#"{"level":"INFO","message":"x"}
{"task":"train/3","progress":{"done":1,"total":10,"unit":"batches"}}
{"task":"train/3","progress":{"done":2,"total":10,"unit":"batches","epoch":1,"epochs":5}}
not JSON
{"level":"INFO","progress":"none"}
"#;
        let told = last(log).expect("progress");
        assert_eq!((told.done, told.total, told.epoch), (2, 10, Some(1)));
        assert_eq!(last("nothing\n"), None);
    }
}
