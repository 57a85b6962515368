//! Kueue's record of a Job, its Workload, which says why a queue has not admitted the Job.

use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::discovery;
use kube::error::DiscoveryError;
use serde_json::Value;
use tokio::sync::OnceCell;

use attrium_api::Uid;

/// Kueue's API group.
const GROUP: &str = "kueue.x-k8s.io";
/// The label of a Workload that has the uid of its Job.
const JOB_UID: &str = "kueue.x-k8s.io/job-uid";
/// The conditions that a Workload meets on its way through a queue, in this order.
const CONDITIONS: [&str; 2] = ["QuotaReserved", "Admitted"];

/// What Kueue says of a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kueue {
    /// The cluster has no Kueue.
    Absent,
    /// It knows nothing of the Job, or has admitted it.
    Silent,
    /// Why it has not admitted the Job.
    Waits(String),
}

impl Kueue {
    /// Why a Job waits. One that names a queue waits for Kueue even where there is none.
    pub(super) fn reason(self, is_queued: bool) -> Option<String> {
        match self {
            Self::Waits(reason) => Some(reason),
            Self::Absent if is_queued => {
                Some(format!("the cluster has no Kueue (API group {GROUP})"))
            }
            Self::Absent | Self::Silent => None,
        }
    }
}

/// Where Workloads are asked for: the version of Kueue's API that the cluster prefers, once it is
/// known.
#[derive(Debug, Default)]
pub(super) struct Workloads {
    kind: OnceCell<ApiResource>,
}

impl Workloads {
    /// What Kueue says of a Job that it may hold.
    pub(super) async fn of(
        &self,
        client: &Client,
        namespace: &str,
        job: &Uid,
    ) -> kube::Result<Kueue> {
        let kind = match self.kind.get_or_try_init(|| discover(client)).await {
            Ok(kind) => kind,
            Err(kube::Error::Discovery(DiscoveryError::MissingApiGroup(_))) => {
                return Ok(Kueue::Absent);
            }
            Err(error) => return Err(error),
        };
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, kind);
        let params = ListParams::default().labels(&format!("{JOB_UID}={job}"));
        let workloads = api.list(&params).await?.items;
        let unmet = workloads.iter().find_map(|it| unmet_condition(&it.data));
        Ok(unmet.map_or(Kueue::Silent, Kueue::Waits))
    }
}

async fn discover(client: &Client) -> kube::Result<ApiResource> {
    let group = discovery::group(client, GROUP).await?;
    let found = group.recommended_kind("Workload");
    let (kind, _) = found.ok_or_else(|| {
        kube::Error::Discovery(DiscoveryError::MissingKind(format!("Workload of {GROUP}")))
    })?;
    Ok(kind)
}

/// The message of the first condition that a Workload does not meet.
fn unmet_condition(workload: &Value) -> Option<String> {
    let conditions = workload["status"]["conditions"].as_array()?;
    let condition = |name: &&str| conditions.iter().find(|it| it["type"] == **name);
    let mut present = CONDITIONS.iter().filter_map(condition);
    let unmet = present.find(|condition| condition["status"] == "False")?;
    let message = unmet["message"].as_str().unwrap_or_default();
    (!message.is_empty()).then(|| message.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workload(conditions: &[(&str, &str, &str)]) -> Value {
        let conditions: Vec<_> = conditions
            .iter()
            .map(|(kind, status, message)| json!({"type": kind, "status": status, "message": message}))
            .collect();
        json!({"status": {"conditions": conditions}})
    }

    #[test]
    fn a_workload_without_quota_says_what_it_lacks() {
        let stopped = "ClusterQueue research is inactive";
        let workload = workload(&[("QuotaReserved", "False", stopped)]);
        assert_eq!(unmet_condition(&workload).as_deref(), Some(stopped));
    }

    #[test]
    fn a_workload_with_quota_says_which_check_it_waits_for() {
        let workload = workload(&[
            ("QuotaReserved", "True", "Quota reserved"),
            ("Admitted", "False", "Not all checks are ready"),
        ]);
        assert_eq!(
            unmet_condition(&workload).as_deref(),
            Some("Not all checks are ready")
        );
    }

    #[test]
    fn a_workload_that_is_new_or_admitted_says_nothing() {
        assert_eq!(unmet_condition(&json!({})), None);
        let admitted = workload(&[("QuotaReserved", "True", ""), ("Admitted", "True", "")]);
        assert_eq!(unmet_condition(&admitted), None);
    }
}
