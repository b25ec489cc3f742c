//! Real answers, checked against the schema that the document gives for them.

use axum_entra_openapi::PROBLEM_SCHEMA_NAME;
use serde_json::Value;

use crate::Answer;

/// The answer's status is documented, and its body and header are what the document says.
pub(crate) fn assert_problem(document: &Value, operation: &Value, answer: &Answer) {
    let documented = &operation["responses"][answer.status.as_str()];
    assert!(!documented.is_null(), "{} is not documented", answer.status);
    let (content_type, content) = documented["content"]
        .as_object()
        .and_then(|content| content.iter().next())
        .unwrap();
    assert_eq!(&answer.content_type, content_type);
    assert_eq!(
        content["schema"]["$ref"],
        format!("#/components/schemas/{PROBLEM_SCHEMA_NAME}")
    );
    let has_challenge = !documented["headers"]["WWW-Authenticate"].is_null();
    assert_eq!(answer.challenge.is_some(), has_challenge, "{answer:?}");
    assert_fits(
        &answer.body,
        &document["components"]["schemas"][PROBLEM_SCHEMA_NAME],
    );
    assert_eq!(answer.body["status"], answer.status.as_u16());
}

/// As much of JSON Schema as the problem's schema uses.
fn assert_fits(value: &Value, schema: &Value) {
    match schema["type"].as_str().unwrap() {
        "object" => {
            let members = value.as_object().unwrap();
            let properties = schema["properties"].as_object().unwrap();
            for required in schema["required"].as_array().unwrap() {
                assert!(
                    members.contains_key(required.as_str().unwrap()),
                    "{required}"
                );
            }
            for (name, member) in members {
                let schema = properties.get(name);
                assert_fits(
                    member,
                    schema.unwrap_or_else(|| panic!("{name} has no schema")),
                );
            }
        }
        "string" => {
            assert!(value.is_string(), "{value}");
            if let Some(values) = schema["enum"].as_array() {
                assert!(values.contains(value), "{value} is none of {values:?}");
            }
        }
        "integer" => {
            let number = value.as_f64().unwrap();
            assert!(number >= schema["minimum"].as_f64().unwrap());
            assert!(number <= schema["maximum"].as_f64().unwrap());
        }
        other => panic!("{other} is not expected here"),
    }
}
