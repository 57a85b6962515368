//! What the chart lets the operator do where it watches.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::network::OnItsWay;

const TEMPLATE: &str = include_str!("../../../../charts/attrium/templates/_rules.tpl");

/// Each verb with the resource, or its part, that it is for: `get pods/log`.
static RULES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let (_, rules) = TEMPLATE.split_once("\"attrium.rules\" -}}").expect("rules");
    let (rules, _) = rules.split_once("{{- end }}").expect("their end");
    let rules: Vec<Value> = serde_saphyr::from_str(rules).expect("should be YAML");
    let words = |rule: &Value, field: &str| {
        let words = rule[field].as_array().expect("a list").iter();
        let words = words.map(|word| word.as_str().expect("a word").to_owned());
        words.collect::<Vec<_>>()
    };
    let each = |rule: Value| {
        let (verbs, resources) = (words(&rule, "verbs"), words(&rule, "resources"));
        let verbs = verbs.into_iter();
        verbs.flat_map(move |verb| {
            resources
                .clone()
                .into_iter()
                .map(move |it| format!("{verb} {it}"))
        })
    };
    rules.into_iter().flat_map(each).collect()
});

/// Whether the operator's account may do what a request asks for. Its Lease is not in these rules, and
/// everybody may ask which groups there are.
pub(super) fn allow(request: &OnItsWay) -> bool {
    let Some((resource, is_named)) = resource(&request.path) else {
        return request.path == "/apis";
    };
    let verb = match request.method.as_str() {
        "GET" if is_named => "get",
        "GET" if request.query.contains("watch=true") => "watch",
        "GET" => "list",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => return false,
    };
    resource == "leases" || RULES.contains(&format!("{verb} {resource}"))
}

/// The resource of a path, with its part, and whether one of them is named.
fn resource(path: &str) -> Option<(String, bool)> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let rest = match parts.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => return None,
    };
    match *rest {
        ["namespaces", _, resource] => Some((resource.to_owned(), false)),
        ["namespaces", _, resource, _] => Some((resource.to_owned(), true)),
        ["namespaces", _, resource, _, part] => Some((format!("{resource}/{part}"), true)),
        [resource] => Some((resource.to_owned(), false)),
        [resource, _] => Some((resource.to_owned(), true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_resource_and_its_part() {
        let table = [
            ("/api/v1/pods", "pods", false),
            ("/api/v1/namespaces/ward", "namespaces", true),
            ("/api/v1/namespaces/ward/configmaps", "configmaps", false),
            ("/apis/batch/v1/namespaces/ward/jobs/demo", "jobs", true),
            (
                "/apis/attrium.dev/v1alpha1/namespaces/ward/trainingruns/demo/status",
                "trainingruns/status",
                true,
            ),
        ];
        for (path, name, is_named) in table {
            assert_eq!(resource(path), Some((name.to_owned(), is_named)), "{path}");
        }
        assert!(RULES.contains("get pods/log") && !RULES.contains("get secrets"));
    }
}
