//! Rules that several fields share, as a CRD states them.

use kube::core::Rule;
use schemars::Schema;

/// The longest URI or path.
pub(super) const URI: u32 = 1024;
/// The longest DNS subdomain name, as Kubernetes has it.
pub(super) const NAME: u32 = 253;
/// The longest line of a person's words.
pub(super) const LINE: u32 = 256;
/// The longest text of a person's words.
pub(super) const TEXT: u32 = 2048;

/// What a Kubernetes quantity looks like.
pub(super) const QUANTITY: &str =
    r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][-+]?[0-9]{1,2})?$";

/// Adds a rule to a schema.
pub(super) fn add(schema: &mut Schema, rule: Rule) {
    kube::core::validate(schema, rule).expect("a rule should be JSON");
}

/// A place in a store: an object store's URI, a `file://` URI or a path. Whatever it lets pass can be
/// opened.
pub(super) fn uri(schema: &mut Schema) {
    let form = Rule::new("self.matches('^(s3|gs|az)://[^/]+(/.*)?$|^file:///.*$|^[^:]+$')")
        .message(
            "is no place that can be opened: use s3://bucket/prefix, gs://bucket/prefix, \
         az://container/prefix, file:///path or a plain path",
        );
    add(schema, form);
    let bucket = Rule::new("!self.matches('^(s3|gs|az)://[^/]*[^-A-Za-z0-9_./]')").message(
        "names a bucket that cannot be opened: a bucket's name has letters, digits, '.', '-' and '_'; \
         leave out a tenant, which the credentials tell, and credentials themselves",
    );
    add(schema, bucket);
    let parts =
        Rule::new("!self.matches('^(s3|gs|az)://.*/([.][.]?)?/|^(s3|gs|az)://.*/[.][.]?$')")
            .message("has an empty part or one of '.' or '..': a bucket has no such keys");
    add(schema, parts);
}

/// A web address.
pub(super) fn http_url(schema: &mut Schema) {
    let rule = Rule::new("self.matches('^https?://[^/]+(/.*)?$')")
        .message("is no web address: use https://host or https://host/path");
    add(schema, rule);
}

/// A name of a Kubernetes object.
pub(super) fn object_name(schema: &mut Schema) {
    let rule = Rule::new("self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')").message(
        "is no Kubernetes name: use lower-case letters, digits, '-' and '.', with a letter or a \
         digit at both ends",
    );
    add(schema, rule);
}

/// A digest of a bundle.
pub(super) fn digest(schema: &mut Schema) {
    let rule = Rule::new("self.matches('^sha256:[0-9a-f]{64}$')")
        .message("is no digest: use sha256: and 64 small hexadecimal digits");
    add(schema, rule);
}

/// A text that says something.
pub(super) fn words(schema: &mut Schema) {
    let rule = Rule::new(r"self.matches('\\S')").message("is blank: leave it out");
    add(schema, rule);
}

/// A decimal that is a share.
pub(super) fn share(schema: &mut Schema) {
    let rule =
        Rule::new("double(self) <= 1.0").message("is above 1: use a share from \"0\" to \"1\"");
    add(schema, rule);
}

/// A decimal that is a positive share.
pub(super) fn positive_share(schema: &mut Schema) {
    let rule = Rule::new("double(self) > 0.0 && double(self) <= 1.0")
        .message("is out of range: use a number above \"0\", at most \"1\"");
    add(schema, rule);
}

/// A decimal that is neither none nor all.
pub(super) fn part(schema: &mut Schema) {
    let rule = Rule::new("double(self) > 0.0 && double(self) < 1.0")
        .message("is out of range: use a number above \"0\" and below \"1\"");
    add(schema, rule);
}

/// The name of a resource, which has to fit into 63 characters with the suffixes of its Jobs.
pub(super) fn resource_name() -> Rule {
    Rule::new("size(self.metadata.name) <= 50")
        .message("metadata.name is longer than 50 characters: use a shorter name")
}

/// A training that waited for its own model would wait for ever.
pub(super) fn starts_from_another() -> Rule {
    let is_own = "has(n.startFrom) && has(n.startFrom.trainingRun) \
                  && n.startFrom.trainingRun == self.metadata.name";
    Rule::new(format!("!self.spec.networks.exists(n, {is_own})"))
        .message("a network starts from the model of this very run: name another trainingRun")
        .field_path(".spec.networks")
}

/// How long a pod may wait to start where a manifest does not say, in seconds.
pub(super) const fn default_start_deadline() -> u32 {
    3600
}

/// The fields of a spec that may not change once its work has started.
pub(super) struct Unchanged {
    /// Those that are always there, as given or by default.
    pub(super) required: &'static [&'static str],
    /// Those that may be absent.
    pub(super) optional: &'static [&'static str],
}

/// Once its status names a stage, only how a spec is run may change.
pub(super) fn immutable(unchanged: Unchanged) -> Rule {
    let required = unchanged
        .required
        .iter()
        .map(|field| same("self.spec", field));
    let optional = unchanged
        .optional
        .iter()
        .map(|field| same_if_there("self.spec", field));
    let accelerator = same("self.spec.compute", "accelerator");
    let compute = [
        "gpuResource",
        "resourceClaimTemplateName",
        "image",
        "resources",
        "podTemplate",
    ]
    .map(|field| same_if_there("self.spec.compute", field));
    let fields: Vec<_> = required
        .chain(optional)
        .chain([accelerator])
        .chain(compute)
        .collect();
    Rule::new(format!(
        "!has(oldSelf.status) || !has(oldSelf.status.stages) || size(oldSelf.status.stages) == 0 \
         || ({})",
        fields.join(" && ")
    ))
    .message(
        "may not change once work has started, but for suspend, maxUnusable, study, \
         compute.parallelism, compute.jobLabels, compute.jobAnnotations and the deadlines: make a resource of another name",
    )
    .field_path(".spec")
}

fn same(parent: &str, field: &str) -> String {
    let old = parent.replacen("self", "oldSelf", 1);
    format!("{parent}.{field} == {old}.{field}")
}

fn same_if_there(parent: &str, field: &str) -> String {
    let old = parent.replacen("self", "oldSelf", 1);
    format!(
        "has({parent}.{field}) == has({old}.{field}) && (!has({parent}.{field}) || {})",
        same(parent, field)
    )
}
