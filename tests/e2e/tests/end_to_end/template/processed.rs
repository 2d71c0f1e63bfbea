//! Reads `infra/template.yaml` after SAM has processed it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use anyhow::ensure;
use sandbox::local_aws;
use serde_json::Value;
use tokio::sync::Mutex;
use tools::Supervisor;

pub struct Template(Arc<Value>);

/// The processed templates, by their parameters. SAM needs more than a second for each, and most tests read the same.
static PROCESSED: Mutex<BTreeMap<Vec<String>, Arc<Value>>> = Mutex::const_new(BTreeMap::new());

async fn process(parameters: &[&str]) -> anyhow::Result<Value> {
    let supervisor = Supervisor::new()?;
    let python = local_aws::python(&supervisor).await?;
    let root = tools::root();
    let mut command = supervisor.command(&python);
    command
        .arg(root.join("tests/e2e/tests/end_to_end/template/process.py"))
        .arg(root.join("infra/template.yaml"))
        .args(parameters)
        .env("AWS_DEFAULT_REGION", "eu-west-1");
    let (status, output) = supervisor.output(command).await?;
    ensure!(status.success(), "the template cannot be processed");
    Ok(serde_json::from_slice(&output)?)
}

impl Template {
    /// Processes the template with the defaults of all parameters.
    pub async fn processed() -> anyhow::Result<Self> {
        Self::with_parameters(&[]).await
    }

    /// Processes the template with these parameters. A parameter has the form `Name=value`.
    pub async fn with_parameters(parameters: &[&str]) -> anyhow::Result<Self> {
        let key = parameters.iter().map(|&parameter| parameter.to_owned());
        // The lock is held while SAM works, so no other test processes the same template at the same time.
        let mut processed = PROCESSED.lock().await;
        let template = match processed.entry(key.collect()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Arc::new(process(parameters).await?)),
        };
        Ok(Self(Arc::clone(template)))
    }

    /// Returns a section, such as `Outputs`.
    pub fn section(&self, name: &str) -> &Value {
        &self.0[name]
    }

    pub fn default(&self, parameter: &str) -> &Value {
        &self.0["Parameters"][parameter]["Default"]
    }

    /// Returns the properties of the resources of a type, by name.
    pub fn all(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let resources = self.0["Resources"].as_object().into_iter().flatten();
        resources
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(name, resource)| (name.as_str(), &resource["Properties"]))
            .collect()
    }

    /// Returns a resource, or null if the resource does not exist.
    pub fn resource(&self, name: &str) -> &Value {
        &self.0["Resources"][name]
    }

    /// Returns an environment variable by function. The value is null for a function without this variable.
    pub fn variables(&self, name: &str) -> BTreeMap<&str, &Value> {
        let functions = self.all("AWS::Lambda::Function").into_iter();
        functions
            .map(|(function, properties)| {
                let variables = &properties["Environment"]["Variables"];
                (function, &variables[name])
            })
            .collect()
    }

    /// Returns the function of an alias. `reference` names the alias.
    pub fn function_of_alias<'a>(&'a self, reference: &Value) -> Option<&'a str> {
        let alias = self.resource(target(reference)?);
        let is_alias = alias["Type"] == "AWS::Lambda::Alias";
        is_alias.then(|| target(&alias["Properties"]["FunctionName"]))?
    }
}

/// Returns the name in `{"Fn::GetAtt": [name, ..]}` or `{"Ref": name}`. For `Fn::If`, returns the name if the condition
/// holds.
pub fn target(value: &Value) -> Option<&str> {
    let value = value["Fn::If"].get(1).unwrap_or(value);
    let attribute = value["Fn::GetAtt"][0].as_str();
    attribute.or(value["Ref"].as_str())
}

/// Returns the names in a list of references, or in one reference.
pub fn targets(value: &Value) -> impl Iterator<Item = &str> {
    list(value).iter().filter_map(target)
}

/// Returns the values of a list. Any other value counts as a list of one.
pub fn list(value: &Value) -> &[Value] {
    let list = value.as_array().map(Vec::as_slice);
    list.unwrap_or(std::slice::from_ref(value))
}

/// Appends all strings in a value, at any level.
pub fn append_strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| append_strings(value, found)),
        Value::Object(values) => values
            .values()
            .for_each(|value| append_strings(value, found)),
        _ => {}
    }
}
