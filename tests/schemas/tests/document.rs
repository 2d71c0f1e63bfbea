//! Tests that `infra/openapi.yaml` describes every route, and that its schemas match its examples and the answers in
//! `tests/data/responses`.
#![allow(clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, ensure};
use schemas::openapi::Document;
use serde_json::Value;

/// Returns the members of an object. Any other value has no members.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Adds each object inside a value, at any depth, with its JSON pointer.
fn objects<'a>(at: String, value: &'a Value, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(inner) => {
            found.push((at.clone(), value));
            for (name, value) in inner {
                objects(format!("{at}/{name}"), value, found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                objects(format!("{at}/{index}"), value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn the_document_describes_exactly_the_routes_of_the_template() -> anyhow::Result<()> {
    let document = Document::read()?;
    ensure!(document.json()["openapi"] == "3.1.0");
    let template = schemas::yaml("template.yaml")?;
    let routes: BTreeSet<String> = members(&template["Resources"])
        .filter_map(|(_, resource)| resource["Properties"]["RouteKey"].as_str())
        .map(str::to_owned)
        .collect();
    let described: BTreeSet<String> = document.operations().into_keys().collect();
    ensure!(routes == described, "{routes:#?}\n{described:#?}");
    Ok(())
}

#[test]
fn every_operation_has_a_unique_name_and_the_parameters_of_its_path() -> anyhow::Result<()> {
    let document = Document::read()?;
    let mut names = BTreeSet::new();
    for (route, operation) in document.operations() {
        let name = operation["operationId"]
            .as_str()
            .context("no operationId")?;
        ensure!(names.insert(name), "{name} is not unique");
        let path = route.split_once(' ').unwrap_or_default().1;
        let in_path: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let described = document.json()["paths"][path]["parameters"].as_array();
        let described: BTreeSet<&str> = described
            .into_iter()
            .flatten()
            .filter_map(|parameter| document.follow(parameter)["name"].as_str())
            .collect();
        ensure!(in_path == described, "{route}: {described:?}");
    }
    Ok(())
}

#[test]
fn every_reference_has_a_target_and_every_component_is_used() -> anyhow::Result<()> {
    let document = Document::read()?;
    let mut all = Vec::new();
    objects(String::new(), document.json(), &mut all);
    let mut used = BTreeSet::new();
    for (at, object) in all {
        let Some(target) = object.get("$ref").and_then(Value::as_str) else {
            continue;
        };
        if let Some(pointer) = target.strip_prefix('#') {
            ensure!(document.json().pointer(pointer).is_some(), "{at}: {target}");
            used.insert(pointer.to_owned());
        } else {
            document.differences(object, &Value::Null).context(at)?;
        }
    }
    for (kind, components) in members(&document.json()["components"]) {
        for (name, component) in members(components) {
            let pointer = format!("/components/{kind}/{name}");
            ensure!(
                kind == "securitySchemes" || used.contains(&pointer),
                "{pointer} is not used"
            );
            if kind == "schemas" {
                jsonschema::meta::validate(component)
                    .map_err(|error| anyhow::anyhow!("{pointer}: {error}"))?;
            }
        }
    }
    Ok(())
}

#[test]
fn every_example_matches_its_schema() -> anyhow::Result<()> {
    let document = Document::read()?;
    let mut all = Vec::new();
    objects(String::new(), document.json(), &mut all);
    let mut count = 0;
    for (at, described) in all {
        let Some(schema) = described.get("schema") else {
            continue;
        };
        let named = members(&described["examples"]).map(|(_, example)| example);
        let named = named.filter_map(|example| document.follow(example).get("value"));
        for example in named.chain(described.get("example")) {
            let differences = document.differences(schema, example)?;
            ensure!(differences.is_empty(), "{at}: {differences:#?}");
            count += 1;
        }
    }
    ensure!(count > 20, "only {count} examples");
    Ok(())
}

#[test]
fn every_stored_answer_matches_its_description() -> anyhow::Result<()> {
    let document = Document::read()?;
    let operations = document.operations();
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/responses");
    for entry in std::fs::read_dir(stored)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let answer: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
        let route = answer["route"].as_str().unwrap_or_default();
        let operation = operations
            .get(route)
            .with_context(|| format!("{name}: the document has no route {route}"))?;
        let status = answer["status"].to_string();
        let described = document.follow(&operation["responses"][&status]);
        ensure!(
            described.is_object(),
            "{name}: {status} of {route} is not described"
        );

        let kind = answer["headers"]["content-type"]
            .as_str()
            .unwrap_or_default();
        let schema = &described["content"][kind]["schema"];
        ensure!(
            schema.is_object(),
            "{name}: {kind} of {route} {status} is not described"
        );
        let differences = document.differences(schema, &answer["body"])?;
        ensure!(differences.is_empty(), "{name}: {differences:#?}");

        for (header, value) in members(&answer["headers"]) {
            let mut named = members(&described["headers"]);
            let Some((_, described)) = named.find(|(name, _)| name.eq_ignore_ascii_case(header))
            else {
                // The document need not describe these headers.
                let is_usual = header == "content-type" || kind == "application/problem+json";
                ensure!(is_usual, "{name}: {header} is not described");
                continue;
            };
            let schema = &document.follow(described)["schema"];
            let differences = document.differences(schema, value)?;
            ensure!(differences.is_empty(), "{name}: {header}: {differences:#?}");
        }
    }
    Ok(())
}

#[test]
fn a_problem_that_differs_from_its_schema_is_refused() -> anyhow::Result<()> {
    let document = Document::read()?;
    let schemas = &document.json()["components"]["schemas"];
    let problem = serde_json::json!({
        "type": "urn:bancontact:problem:platform-refused", "title": "no", "status": 422, "detail": "no",
        "code": "402", "message": null, "advice": null,
    });
    ensure!(
        document
            .differences(&schemas["PlatformRefused"], &problem)?
            .is_empty()
    );
    for (field, value) in [
        ("stack", serde_json::json!("at main.rs")),
        ("status", serde_json::json!(400)),
        ("code", Value::Null),
    ] {
        let mut problem = problem.clone();
        problem[field] = value;
        let differences = document.differences(&schemas["PlatformRefused"], &problem)?;
        ensure!(!differences.is_empty(), "{field}");
    }
    Ok(())
}
