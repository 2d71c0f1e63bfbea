//! Tests `infra/events/bundle.json`, which is made from the schemas of the events.
#![allow(clippy::indexing_slicing)]

use anyhow::ensure;
use schemas::bundle;
use serde_json::Value;

fn objects<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            found.push(value);
            members.values().for_each(|member| objects(member, found));
        }
        Value::Array(values) => values.iter().for_each(|value| objects(value, found)),
        _ => {}
    }
}

#[test]
fn the_stored_bundle_follows_from_the_schemas() -> anyhow::Result<()> {
    let path = tools::root().join("infra/events/bundle.json");
    snapshots::check(&path, &format!("{:#}\n", bundle::make()?))
}

#[test]
fn the_bundle_has_only_forms_that_type_generators_understand() -> anyhow::Result<()> {
    let bundle = bundle::make()?;
    jsonschema::meta::validate(&bundle).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut found = Vec::new();
    objects(&bundle, &mut found);
    let has = |object: &Value, name: &str| object.get(name).is_some();
    for object in found {
        if let Some(target) = object["$ref"].as_str() {
            let is_alone = object.as_object().is_some_and(|members| members.len() == 1);
            let is_inside = target.strip_prefix('#').map(|at| bundle.pointer(at));
            ensure!(is_alone && is_inside.flatten().is_some(), "{object}");
        }
        let is_typed = object["type"].is_string();
        ensure!(is_typed || !has(object, "enum"), "{object}");
        ensure!(!has(object, "allOf") && !has(object, "$id"), "{object}");
        for closing in ["additionalProperties", "unevaluatedProperties"] {
            ensure!(!has(object, closing), "{object}");
        }
    }
    Ok(())
}

#[test]
fn the_bundle_defines_each_event_type_and_each_object_of_its_data() -> anyhow::Result<()> {
    let bundle = bundle::make()?;
    let types = schemas::types()?;
    let events = bundle["oneOf"].as_array().map(Vec::len);
    ensure!(events == Some(types.len()), "{events:?}");
    for kind in types {
        let event = &bundle["$defs"][bundle::type_name(kind)];
        let properties = &event["properties"];
        ensure!(properties["type"]["const"] == kind, "{event}");
        let schema = format!("urn:bancontact:event:{kind}:1");
        ensure!(properties["dataschema"]["const"] == schema, "{event}");
        let data = properties["data"]["$ref"].as_str().unwrap_or_default();
        let data = bundle.pointer(data.trim_start_matches('#'));
        let data = data.map_or(&Value::Null, |data| &data["properties"]);
        for field in [
            "payment_id",
            "status",
            "paid_amount",
            "refunds",
            "operations",
        ] {
            ensure!(data[field].is_object(), "{kind}: {field}");
        }
    }
    Ok(())
}
