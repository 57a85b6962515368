//! Whether Jobs are made of a resource at all: its spec has to keep the rules of its definition, whichever
//! definition let it in, and to name only what the administrator allows.
//!
//! Pure.

use serde_json::Value;

use super::created_resource::WholeResource;
use super::decide::Refusal;
use super::{Settings, allowance};
use attrium_api::{ConditionStatus, manifest, reasons};
use attrium_workflow::ConditionState;

/// Why what was decided is not created, if it is not: a reason that may go, since the spec or what is
/// allowed may be changed.
pub(super) fn refusal(settings: &Settings, resource: &WholeResource) -> Option<Refusal> {
    let refused = |reason, message: String| {
        let state = ConditionState::new(ConditionStatus::False, reason, message);
        Some(Refusal::NotAccepted(state))
    };
    let object = serde_json::to_value(&***resource).unwrap_or_default();
    if let Some(rules) = broken_rules(&object) {
        return refused(reasons::INVALID, rules);
    }
    let message = allowance::refused(settings, resource)?;
    refused(reasons::NOT_ALLOWED, message)
}

/// The most violations that a status names.
const MAX_VIOLATIONS: usize = 8;

/// The rules that the spec of an object breaks, field by field; an older definition may have let it in.
pub(super) fn broken_rules(object: &Value) -> Option<String> {
    let violations = manifest::check_spec(object).err()?;
    let named = violations.iter().take(MAX_VIOLATIONS);
    let named = named.map(|violation| format!("{} {}", violation.path, violation.message));
    Some(named.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::allowance::{Allowance, Patterns};
    use crate::fixtures::{settings, training_run, training_spec, whole};

    fn reason(refusal: Option<Refusal>) -> Option<(String, String)> {
        match refusal? {
            Refusal::NotAccepted(state) => Some((state.reason, state.message)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_spec_as_the_definition_has_it_is_admitted() {
        assert_eq!(refusal(&settings(), &whole(&training_run(""))), None);
    }

    #[test]
    fn a_template_that_an_older_definition_let_in_makes_no_job() {
        let mut run = training_run("");
        let template = json!({ "spec": { "volumes": [
            { "name": "root", "hostPath": { "path": "/" } },
        ] } });
        training_spec(&mut run).compute.pod_template =
            Some(serde_json::from_value(template).expect("a template"));
        let (reason, message) = reason(refusal(&settings(), &whole(&run))).expect("a refusal");
        assert_eq!(reason, "Invalid");
        assert!(
            message.contains("spec.compute.podTemplate.spec.volumes[0].hostPath"),
            "{message}"
        );
    }

    #[test]
    fn what_is_not_allowed_makes_no_job() {
        let run = training_run("  compute: {image: \"docker.io/someone/else:1\"}");
        assert_eq!(refusal(&settings(), &whole(&run)), None);
        let mut settings = settings();
        settings.allowance = Allowance {
            images: Some(Patterns::parse("mirror.example/*")),
            ..Allowance::default()
        };
        let found = reason(refusal(&settings, &whole(&run)));
        let message = "spec.compute.image names the image docker.io/someone/else:1, which the \
                       administrator does not allow: allowed are attrium's own, mirror.example/*";
        let expected = ("NotAllowed".to_owned(), message.to_owned());
        assert_eq!(found, Some(expected));
    }
}
