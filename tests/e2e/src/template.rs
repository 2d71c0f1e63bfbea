//! The template as SAM processes it. The local AWS accepts much that AWS would not, and ignores some
//! of what must hold, so that is checked here.

#![allow(clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use sandbox::local_aws;
use serde_json::Value;
use tools::Supervisor;

/// The processed template.
#[derive(Debug)]
pub struct Template(pub Value);

impl Template {
    /// Processes `infra/template.yaml`.
    ///
    /// # Errors
    ///
    /// When Python is missing, or the template is wrong.
    pub async fn processed() -> anyhow::Result<Self> {
        let supervisor = Supervisor::new()?;
        let python = local_aws::python(&supervisor).await?;
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let template = here.join("../../infra/template.yaml");
        let mut command = supervisor.command(&python);
        command
            .arg(here.join("tests/end_to_end/template/process.py"))
            .arg(template);
        command.env("AWS_DEFAULT_REGION", "eu-west-1");
        let (status, output) = supervisor.output(command).await?;
        ensure!(status.success(), "the template cannot be processed");
        Ok(Self(serde_json::from_slice(&output)?))
    }

    /// The properties of all resources of a type, by their names.
    pub fn all(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let resources = self.0["Resources"].as_object().into_iter().flatten();
        resources
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(name, resource)| (name.as_str(), &resource["Properties"]))
            .collect()
    }

    /// A resource, or null.
    pub fn resource(&self, name: &str) -> &Value {
        &self.0["Resources"][name]
    }

    /// The function that a reference leads to: at once, or by an alias where it is kept warm.
    pub fn function<'a>(&'a self, reference: &'a Value) -> Option<&'a str> {
        let choice = &reference["Fn::If"];
        let name = target(choice.get(2).unwrap_or(reference))?;
        let Some(warm) = choice.get(1) else {
            return Some(name);
        };
        let alias = self.resource(target(warm)?);
        let of_alias = target(&alias["Properties"]["FunctionName"]);
        of_alias.filter(|of_alias| *of_alias == name)
    }

    /// There is a rule that calls a function at these times, and may do so.
    ///
    /// # Errors
    ///
    /// When there is not.
    pub fn ensure_schedule(&self, function: &str, times: &str) -> anyhow::Result<()> {
        let rules = self.all("AWS::Events::Rule");
        let mut rules = rules.iter();
        let calls = |properties: &Value| target(&properties["Targets"][0]["Arn"]) == Some(function);
        let rule = rules.find(|(_, properties)| calls(properties));
        let (rule, properties) = rule.with_context(|| format!("{function} has no rule"))?;
        ensure!(properties["ScheduleExpression"] == times, "{properties}");
        let dead_letters = &properties["Targets"][0]["DeadLetterConfig"]["Arn"];
        ensure!(
            target(dead_letters) == Some("ScheduleDeadLetters"),
            "{properties}"
        );
        let permissions = self.all("AWS::Lambda::Permission");
        let is_permitted = permissions.values().any(|permission| {
            permission["Principal"] == "events.amazonaws.com"
                && target(&permission["FunctionName"]) == Some(function)
                && target(&permission["SourceArn"]) == Some(rule)
        });
        ensure!(is_permitted, "{rule} may not call {function}");
        Ok(())
    }
}

/// The resource that `{"Fn::GetAtt": [name, ..]}` or `{"Ref": name}` points to.
pub fn target(value: &Value) -> Option<&str> {
    value["Fn::GetAtt"][0]
        .as_str()
        .or_else(|| value["Ref"].as_str())
}
