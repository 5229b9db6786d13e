//! The JSON Schema of the machine formats, derived from the views.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::view::{Capture, Connection, Event, Finding, Problem, Session, Summary};

/// The result of `--format json`. A verb that shows a part of the result leaves the other members out.
#[derive(JsonSchema)]
#[schemars(title = "ghostshark/1 document")]
#[allow(
    dead_code,
    reason = "the type exists for its schema; the document itself is written record by record"
)]
struct Document<'a> {
    /// Name and version of this contract.
    #[schemars(extend("const" = super::view::SCHEMA))]
    schema: &'a str,
    /// The inputs.
    #[schemars(skip_serializing_if = "Option::is_none")]
    captures: Option<Vec<Capture<'a>>>,
    /// The connections, in order of id unless asked otherwise.
    #[schemars(skip_serializing_if = "Option::is_none")]
    connections: Option<Vec<Connection<'a>>>,
    /// The sessions, in order of id.
    #[schemars(skip_serializing_if = "Option::is_none")]
    sessions: Option<Vec<Session>>,
    /// What the rules found, in order of id.
    #[schemars(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<Finding<'a>>>,
    /// What was said in the connections, where it was asked for.
    #[schemars(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<Event<'a>>>,
    /// What was wrong in the inputs and yet survived.
    #[schemars(skip_serializing_if = "Option::is_none")]
    problems: Option<Vec<Problem<'a>>>,
    /// Counts over the whole run.
    #[schemars(skip_serializing_if = "Option::is_none")]
    summary: Option<Summary<'a>>,
}

/// A line of `--format jsonl`.
#[derive(JsonSchema)]
#[schemars(title = "ghostshark/1 line", untagged)]
#[allow(
    dead_code,
    reason = "the type exists for its schema; the lines themselves are written record by record"
)]
enum Line<'a> {
    /// One input.
    Capture(Capture<'a>),
    /// One connection.
    Connection(Box<Connection<'a>>),
    /// A session.
    Session(Box<Session>),
    /// Something that was said on a connection.
    Event(Box<Event<'a>>),
    /// What a rule found.
    Finding(Box<Finding<'a>>),
    /// What was wrong in the input and yet survived.
    Problem(Problem<'a>),
    /// Counts over the whole run; the last line.
    Summary(Summary<'a>),
}

/// The schema of the document of `--format json`.
pub fn document() -> Schema {
    derive::<Document<'static>>()
}

/// The schema of one line of `--format jsonl`.
pub fn line() -> Schema {
    derive::<Line<'static>>()
}

/// In the dialect of JSON Schema 2020-12, as what is written and not as what is read.
fn derive<T: JsonSchema>() -> Schema {
    let mut schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(never_null).transform(&mut schema);
    schema
}

/// An optional field is absent and never null, which the type `Option` does not say by itself.
fn never_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(choices)) = schema.get_mut("anyOf") else { return };
    choices.retain(|choice| *choice != json!({ "type": "null" }));
    if let [Value::Object(only)] = &choices[..] {
        let only = only.clone();
        schema.remove("anyOf");
        for (key, value) in only {
            schema.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_may_be_null() {
        for schema in [document(), line()] {
            let text = serde_json::to_string(&schema).unwrap();
            assert!(!text.contains("\"null\""), "{text}");
        }
    }
}
