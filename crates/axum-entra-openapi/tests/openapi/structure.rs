//! The document is a valid OpenAPI 3.1 document, as far as its structure shows.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use crate::{Api, operations};

#[tokio::test]
async fn the_document_is_valid_openapi_3_1() {
    let api = Api::start().await;
    assert_valid(&api.document);
}

/// OpenAPI 3.1.0, the required fields and the cross references.
pub(crate) fn assert_valid(document: &Value) {
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    assert_references(document, document);
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    for (name, scheme) in schemes {
        assert_scheme(name, scheme);
    }
    let mut ids = HashSet::new();
    for (method, path, operation) in operations(document) {
        let place = format!("{method} {path}");
        assert!(path.starts_with('/'), "{place}");
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{place}"
        );
        let responses = operation["responses"].as_object().unwrap();
        assert!(!responses.is_empty(), "{place}");
        for (status, response) in responses {
            assert!(
                status.len() == 3 && status.chars().all(|digit| digit.is_ascii_digit()),
                "{place}: {status}"
            );
            assert!(
                response["description"].is_string(),
                "{place} {status}: no description"
            );
        }
        assert_eq!(in_braces(&path), path_parameters(&operation), "{place}");
        for requirement in operation["security"].as_array().unwrap() {
            for (name, scopes) in requirement.as_object().unwrap() {
                let scheme = schemes.get(name);
                let scheme = scheme.unwrap_or_else(|| panic!("{place}: no scheme {name}"));
                assert_declared(scheme, scopes.as_array().unwrap(), &place);
            }
        }
    }
}

fn assert_references(node: &Value, document: &Value) {
    match node {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(
                    document.pointer(pointer).is_some(),
                    "{reference} leads nowhere"
                );
            }
            members
                .values()
                .for_each(|one| assert_references(one, document));
        }
        Value::Array(elements) => elements
            .iter()
            .for_each(|one| assert_references(one, document)),
        _ => {}
    }
}

fn assert_scheme(name: &str, scheme: &Value) {
    match scheme["type"].as_str().unwrap() {
        "http" => assert!(scheme["scheme"].is_string(), "{name}"),
        "oauth2" => {
            let flows = scheme["flows"].as_object().unwrap();
            assert!(!flows.is_empty(), "{name}");
            for (flow, fields) in flows {
                let needed: &[&str] = match flow.as_str() {
                    "authorizationCode" => &["authorizationUrl", "tokenUrl"],
                    "clientCredentials" => &["tokenUrl"],
                    other => panic!("{name}: {other}"),
                };
                for field in needed {
                    let url = fields[field].as_str().unwrap();
                    assert!(url.parse::<axum::http::Uri>().is_ok(), "{name}: {url}");
                }
                let scopes = fields["scopes"].as_object().unwrap();
                assert!(scopes.values().all(Value::is_string), "{name}");
            }
        }
        other => panic!("{name}: {other}"),
    }
}

fn assert_declared(scheme: &Value, scopes: &[Value], place: &str) {
    if scheme["type"] != "oauth2" {
        return;
    }
    let flows = scheme["flows"].as_object().unwrap();
    for scope in scopes {
        let is_declared = flows
            .values()
            .any(|flow| !flow["scopes"][scope.as_str().unwrap()].is_null());
        assert!(is_declared, "{place}: {scope} is not declared");
    }
}

fn in_braces(path: &str) -> BTreeSet<String> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(str::to_owned)
        .collect()
}

fn path_parameters(operation: &Value) -> BTreeSet<String> {
    let parameters = operation["parameters"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let of_path = parameters
        .iter()
        .filter(|parameter| parameter["in"] == "path");
    of_path
        .map(|parameter| {
            assert_eq!(parameter["required"], true);
            parameter["name"].as_str().unwrap().to_owned()
        })
        .collect()
}
