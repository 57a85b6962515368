//! The uid of a resource that no cluster has named, and the prefix of what a resource leaves.

use sha2::{Digest, Sha256};

use attrium_api::{Kind, Resource, Uid};

/// The uid of a resource that no cluster has given one: a UUID of version 8 (RFC 9562, section
/// 5.8) made of the SHA-256 of `<kind>/<namespace>/<name>`.
///
/// The same resource run again on a laptop therefore finds what it has left, whatever its spec
/// says by now; the stored manifest tells whether that has changed.
pub fn local_uid(resource: &Resource) -> Uid {
    local_uid_of(resource.kind(), resource.namespace(), resource.name())
}

/// [`local_uid`] of a resource that is known by its kind, namespace and name.
pub fn local_uid_of(kind: Kind, namespace: &str, name: &str) -> Uid {
    let digest = Sha256::digest(format!("{kind}/{namespace}/{name}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    let uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    Uid::new(uuid.to_string()).expect("a UUID should not be empty")
}

/// The prefix of everything that a resource leaves: `<output>/<namespace>/<name>/<uid>/`.
pub fn prefix(resource: &Resource, uid: &Uid) -> String {
    prefix_of(
        resource.output(),
        resource.namespace(),
        resource.name(),
        uid,
    )
}

/// [`prefix`] of a resource that is known by its output, namespace and name.
pub fn prefix_of(output: &str, namespace: &str, name: &str, uid: &Uid) -> String {
    format!("{}/{namespace}/{name}/{uid}/", output.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_fixtures as fixtures;

    #[test]
    fn the_local_uid_is_a_uuid_that_depends_on_kind_namespace_and_name_alone() {
        let mut run = fixtures::training_run();
        let uid = local_uid(&Resource::TrainingRun(Box::new(run.clone())));
        assert_eq!(uid.as_str().len(), 36);
        assert_eq!(uid.as_str().as_bytes()[14], b'8');
        assert!(matches!(
            uid.as_str().as_bytes()[19],
            b'8' | b'9' | b'a' | b'b'
        ));
        run.spec.training.epochs += 1;
        assert_eq!(
            local_uid(&Resource::TrainingRun(Box::new(run.clone()))),
            uid
        );
        run.metadata.namespace = None;
        assert_ne!(local_uid(&Resource::TrainingRun(Box::new(run))), uid);
    }

    #[test]
    fn a_prefix_ends_in_one_slash_whether_the_output_does_or_not() {
        let uid = Uid::new("u").expect("a uid");
        let mut run = fixtures::training_run();
        for output in ["s3://models/perugini/", "s3://models/perugini"] {
            run.spec.output = output.to_owned();
            let resource = Resource::TrainingRun(Box::new(run.clone()));
            assert_eq!(
                prefix(&resource, &uid),
                "s3://models/perugini/hospital/small/u/"
            );
        }
    }
}
