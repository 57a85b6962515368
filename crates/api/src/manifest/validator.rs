//! Checks one document by its kind's schema and CEL rules, and makes it a resource.

use std::sync::{LazyLock, OnceLock};

use kube::core::cel::{
    CompiledSchema, ValidationErrors, Validator, apply_defaults, compile_schema,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::fields::{METADATA, join, nearest, prune_nulls, unknown, unknown_field};
use super::schema;
use super::violation::Problem;
use crate::crd::Definition;
use crate::{API_VERSION, Kind, Resource, ScreeningStation};

const TOP_LEVEL: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

/// A kind's definition, and its schema ready to be used.
struct KindSchema {
    definition: Definition,
    schema: jsonschema::Validator,
    /// Its CEL rules, compiled when they are first asked.
    rules: OnceLock<CompiledSchema>,
}

impl KindSchema {
    fn new(definition: Definition) -> Self {
        let mut plain = definition.schema().clone();
        name_types(&mut plain);
        let schema =
            jsonschema::validator_for(&plain).expect("a derived schema should be a JSON schema");
        Self {
            definition,
            schema,
            rules: OnceLock::new(),
        }
    }

    fn rules(&self) -> &CompiledSchema {
        self.rules
            .get_or_init(|| compile_schema(self.definition.schema()))
    }
}

/// Of the kinds that are run, in the order of [`Kind::ALL`].
static KIND_SCHEMAS: LazyLock<[KindSchema; 2]> =
    LazyLock::new(|| Definition::all().map(KindSchema::new));

/// Of the kind that is served.
static STATION_SCHEMA: LazyLock<KindSchema> =
    LazyLock::new(|| KindSchema::new(Definition::screening_station()));

/// The kind that is served.
const STATION: &str = "ScreeningStation";

/// Says in plain JSON Schema what Kubernetes says by an extension.
fn name_types(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("x-kubernetes-int-or-string") {
                fields.insert("type".to_owned(), vec!["integer", "string"].into());
            }
            fields.values_mut().for_each(name_types);
        }
        Value::Array(items) => items.iter_mut().for_each(name_types),
        _ => {}
    }
}

/// Checks documents against both kinds' schemas and rules.
pub(super) struct Validators {
    cel: Validator,
}

impl Validators {
    pub(super) fn new() -> Self {
        Self {
            cel: Validator::new(),
        }
    }

    /// The resource that a document is.
    pub(super) fn read(&self, document: &Value) -> Result<Resource, Vec<Problem>> {
        let kind = kind_of(document).map_err(|problem| vec![problem])?;
        let schema = schema_of(kind);
        match kind {
            Kind::TrainingRun => self.typed(schema, document).map(Resource::from_training),
            Kind::ScreeningJob => self.typed(schema, document).map(Resource::from_screening),
        }
    }

    /// The station that a document is.
    pub(super) fn read_station(&self, document: &Value) -> Result<ScreeningStation, Vec<Problem>> {
        match name_of_kind(document) {
            Ok(STATION) => self.typed(&STATION_SCHEMA, document),
            Ok(_) => {
                let message = "is not a kind that can be served: use ScreeningStation";
                Err(vec![Problem::new("kind", message)])
            }
            Err(problem) => Err(vec![problem]),
        }
    }

    /// A document as its kind's type, defaults in place.
    fn typed<T: DeserializeOwned>(
        &self,
        kind: &KindSchema,
        document: &Value,
    ) -> Result<T, Vec<Problem>> {
        let mut problems = header(document);
        let known = kind.definition.schema();
        let mut document = without_status(document.clone());
        prune_nulls(known, &mut document);
        if let Some(spec) = document.get("spec")
            && let Some(known) = known.pointer("/properties/spec")
        {
            unknown(known, spec, "spec", &mut problems);
        }
        let document = without_status(apply_defaults(known, &document));
        let broken = schema::problems(&kind.schema, &document);
        problems.extend(rules(
            self.cel.validate_compiled(kind.rules(), &document, None),
            &broken,
        ));
        problems.extend(broken);
        if problems.is_empty() {
            let typed = serde_json::from_value(document);
            typed.map_err(|error| vec![Problem::new("", format!("cannot be read: {error}"))])
        } else {
            Err(tidy(problems))
        }
    }

    /// The rules by which one resource may not take the place of another.
    pub(super) fn update(&self, old: &Resource, new: &Resource) -> Vec<Problem> {
        if (old.kind(), old.namespace(), old.name()) != (new.kind(), new.namespace(), new.name()) {
            return vec![Problem::new("metadata", "is of another resource")];
        }
        let kind = schema_of(new.kind());
        let json = |resource: &Resource| serde_json::to_value(resource).unwrap_or_default();
        let (old, new) = (json(old), json(new));
        rules(
            self.cel.validate_compiled(kind.rules(), &new, Some(&old)),
            &[],
        )
    }
}

/// A document without the status that a cluster would give it.
fn without_status(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("status");
    }
    document
}

/// The schema of a kind that is run.
fn schema_of(kind: Kind) -> &'static KindSchema {
    let [training, screening] = &*KIND_SCHEMAS;
    match kind {
        Kind::TrainingRun => training,
        Kind::ScreeningJob => screening,
    }
}

/// What a document says that its kind is.
fn name_of_kind(document: &Value) -> Result<&str, Problem> {
    if !document.is_object() {
        let message = "is not an object: write apiVersion, kind, metadata and spec";
        return Err(Problem::new("", message));
    }
    let name = document.get("kind").and_then(Value::as_str);
    name.ok_or_else(|| Problem::new("kind", "is required: use TrainingRun or ScreeningJob"))
}

/// The kind, among those that are run, that a document says it is.
fn kind_of(document: &Value) -> Result<Kind, Problem> {
    let name = name_of_kind(document)?;
    if name == STATION {
        let message = "is served and not run: use `attrium serve -f`";
        return Err(Problem::new("kind", message));
    }
    name.parse().map_err(|_| {
        let hint = match nearest(name, &Kind::ALL.map(Kind::name)) {
            Some(near) => format!("did you mean {near}?"),
            None => "use TrainingRun or ScreeningJob".to_owned(),
        };
        let name: String = name.chars().take(80).collect();
        Problem::new(
            "kind",
            format!("{name:?} is not a kind that can be run: {hint}"),
        )
    })
}

/// What is wrong above the spec.
fn header(document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(fields) = document.as_object() else {
        return problems;
    };
    match fields.get("apiVersion") {
        None => problems.push(Problem::new(
            "apiVersion",
            format!("is required: use {API_VERSION}"),
        )),
        Some(version) if version != API_VERSION => problems.push(Problem::new(
            "apiVersion",
            format!("is not known: use {API_VERSION}"),
        )),
        Some(_) => {}
    }
    for name in fields
        .keys()
        .filter(|name| !TOP_LEVEL.contains(&name.as_str()))
    {
        problems.push(Problem::new(
            name.chars().take(80).collect::<String>(),
            unknown_field(name, &TOP_LEVEL),
        ));
    }
    match fields.get("metadata") {
        Some(Value::Object(metadata)) => problems.extend(self::metadata(metadata)),
        Some(Value::Null) | None => problems.push(Problem::new(
            "metadata.name",
            "is required: name the resource",
        )),
        Some(_) => problems.push(Problem::new(
            "metadata",
            "is not an object: write name and namespace",
        )),
    }
    problems
}

fn metadata(metadata: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for name in metadata
        .keys()
        .filter(|name| !METADATA.contains(&name.as_str()))
    {
        let path = join("metadata", name);
        problems.push(Problem::new(path, unknown_field(name, &METADATA)));
    }
    match metadata.get("name") {
        Some(Value::String(name)) => {
            if !is_name(name, 253, true) {
                problems.push(Problem::new("metadata.name", NO_NAME));
            }
        }
        Some(Value::Null) | None => {
            problems.push(Problem::new(
                "metadata.name",
                "is required: name the resource",
            ));
        }
        Some(_) => problems.push(Problem::new(
            "metadata.name",
            "is not a string: put it in quotes",
        )),
    }
    match metadata.get("namespace") {
        Some(Value::String(name)) if is_name(name, 63, false) => {}
        Some(Value::Null) | None => {}
        Some(_) => problems.push(Problem::new("metadata.namespace", NO_NAMESPACE)),
    }
    problems
}

const NO_NAME: &str = "is no Kubernetes name: use lower-case letters, digits, '-' and '.', with a \
                       letter or a digit at both ends";
const NO_NAMESPACE: &str = "is no Kubernetes namespace: use at most 63 lower-case letters, digits \
                            and '-', with a letter or a digit at both ends";

/// A DNS label, or labels with dots between them.
fn is_name(name: &str, most: usize, dots: bool) -> bool {
    let label = |label: &str| {
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let bytes = label.as_bytes();
        bytes.first().is_some_and(|c| plain(*c))
            && bytes.last().is_some_and(|c| plain(*c))
            && bytes.iter().all(|c| plain(*c) || *c == b'-')
    };
    name.len() <= most
        && if dots {
            name.split('.').all(label)
        } else {
            label(name)
        }
}

/// The rules that are broken, except those about a field that already violates the schema: what
/// they say follows from that.
fn rules(outcome: Result<(), ValidationErrors>, broken: &[Problem]) -> Vec<Problem> {
    let Err(errors) = outcome else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    for error in errors {
        let path = error.field_path.trim_start_matches('.');
        if !broken.iter().any(|other| follows(&error.rule, path, other)) {
            problems.push(Problem::new(path, error.message));
        }
    }
    problems
}

/// Whether a rule looks at a field that is wrong, or at what such a field is part of.
fn follows(rule: &str, path: &str, broken: &Problem) -> bool {
    let fields = broken
        .path
        .split(['.', '['])
        .filter(|field| !field.ends_with(']'));
    path == broken.path || fields.skip(1).any(|field| mentions(rule, field))
}

fn mentions(rule: &str, field: &str) -> bool {
    let field = format!(".{field}");
    rule.match_indices(&field).any(|(at, _)| {
        let after = rule[at + field.len()..].chars().next();
        !after.is_some_and(|next| next.is_ascii_alphanumeric())
    })
}

/// In the order of their paths, and each once.
fn tidy(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (&a.path, &a.message).cmp(&(&b.path, &b.message)));
    problems.dedup();
    problems
}
