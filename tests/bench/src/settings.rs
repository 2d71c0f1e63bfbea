//! Reads the functions' environment variables from the template, and defines their secrets.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::Value;

pub const PROJECT: u64 = 211;
pub const KEY: &str = "bench-project-key";
/// In the template, this name is the reference `!Ref Table`. `schemas::yaml` ignores the tag and leaves the text
/// `Table`.
pub const TABLE: &str = "Table";
pub const STOREFRONT_KEYS: &str = "StorefrontKeys";

/// The hosts that a deployed function calls.
pub const HOSTS: [&str; 4] = [
    "dynamodb.eu-west-1.amazonaws.com",
    "sqs.eu-west-1.amazonaws.com",
    "secretsmanager.eu-west-1.amazonaws.com",
    "api.ecommpay.com",
];

/// Replaces references in the template's texts.
const REFERENCES: [(&str, &str); 3] = [
    (
        "${FulfilmentQueue}",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/fulfilment.fifo",
    ),
    (
        "${AuditQueue}",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/audit.fifo",
    ),
    ("${AWS::StackName}", "bench"),
];

/// Returns the variables of a function, such as `callback`, with the defaults of the parameters.
pub fn variables(function: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let template = schemas::yaml("template.yaml")?;
    let (first, rest) = function
        .split_at_checked(1)
        .context("the function has no name")?;
    let resource = format!(
        "/Resources/{}{rest}Function/Properties",
        first.to_uppercase()
    );
    let mut variables = BTreeMap::new();
    for owner in ["/Globals/Function", &resource] {
        let block = template.pointer(&format!("{owner}/Environment/Variables"));
        let block = block.and_then(Value::as_object);
        let block = block.with_context(|| format!("the template has no variables at {owner}"))?;
        for (name, value) in block {
            variables.insert(name.clone(), resolved(&template, value));
        }
    }
    // In the template, this value depends on a condition, which `resolved` cannot read.
    if let Some(address) = variables.get_mut("PUBLIC_BASE_URL") {
        *address = "https://pay.shop.example".to_owned();
    }
    Ok(variables)
}

/// Returns the default of a parameter.
pub fn default_of(parameter: &str) -> anyhow::Result<String> {
    let template = schemas::yaml("template.yaml")?;
    let default = template.pointer(&format!("/Parameters/{parameter}/Default"));
    let default = default.with_context(|| format!("{parameter} has no default"))?;
    Ok(default
        .as_str()
        .map_or_else(|| default.to_string(), str::to_owned))
}

fn resolved(template: &Value, value: &Value) -> String {
    // The text is the first element of a list if it has variables of its own.
    let text = value.get(0).unwrap_or(value);
    let text = text.as_str().unwrap_or_default();
    match template.pointer(&format!("/Parameters/{text}/Default")) {
        Some(Value::String(default)) => default.clone(),
        Some(default) => default.to_string(),
        None => {
            let references = REFERENCES.map(|(reference, value)| (reference.to_owned(), value));
            references
                .into_iter()
                .chain(otherwise(value))
                .fold(text.to_owned(), |text, (reference, value)| {
                    text.replace(&reference, value)
                })
        }
    }
}

/// Returns the text's own variables. Each is the last part of an `!If`, because by default no condition holds.
fn otherwise(value: &Value) -> impl Iterator<Item = (String, &str)> {
    let variables = value.get(1).and_then(Value::as_object);
    variables.into_iter().flatten().filter_map(|(name, value)| {
        let otherwise = value.get(2)?.as_str()?;
        Some((format!("${{{name}}}"), otherwise))
    })
}

/// Returns a secret. `id` is the template's reference to the secret.
pub fn secret(id: &str) -> Option<String> {
    match id {
        "ProjectKeys.Id" => Some(format!(r#"{{"{PROJECT}":{{"current":"{KEY}"}}}}"#)),
        "TokenSecret.Id" => Some("s".repeat(64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_contain_defaults_of_parameters_and_addresses_of_queues() {
        let variables = variables("checkout").unwrap();
        let value = |name: &str| variables.get(name).map(String::as_str).unwrap_or_default();
        assert_eq!(value("TABLE_NAME"), TABLE);
        assert_eq!(value("STOREFRONT_KEYS_TABLE"), STOREFRONT_KEYS);
        assert_eq!(value("GATE_URL"), "https://api.ecommpay.com");
        assert_eq!(value("PUBLIC_BASE_URL"), "https://pay.shop.example");
        for name in ["PROJECT_KEYS_SECRET", "TOKEN_SECRET"] {
            assert!(secret(value(name)).is_some(), "{name} is {}", value(name));
        }
        let queues = value("EVENT_QUEUES");
        assert!(queues.contains("/audit.fifo"), "{queues}");
        assert!(!queues.contains("${"), "{queues}");
    }
}
