//! Deploys the template into the local AWS with the script `deploy.py` of this crate. The script is in Python, because
//! only AWS's Python library can translate SAM templates.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;
use tools::Supervisor;
use tools::supervised::last_line;

use crate::local_aws::{LocalAws, with_clean_environment};
use crate::workspace::Folder;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy.py");
/// The name of the only stack.
pub const STACK: &str = "sandbox";

/// Deploys a template with `deploy.py`.
#[derive(Debug)]
pub struct Deployer<'a> {
    /// Starts the script.
    pub supervisor: &'a Supervisor,
    /// The Python interpreter that has the packages.
    pub python: &'a Path,
    /// The sandbox's folder, for logs.
    pub folder: &'a Folder,
    /// The template.
    pub template: &'a Path,
}

impl Deployer<'_> {
    /// Creates the stack, waits until the stack is complete, and returns its outputs. An error names the first refused
    /// resource and the reason.
    pub async fn deploy(
        &self,
        aws: &LocalAws,
        binaries: &BTreeMap<String, PathBuf>,
        parameters: &BTreeMap<String, String>,
    ) -> anyhow::Result<Outputs> {
        let request = json!({
            "template": self.template,
            "stack": STACK,
            "binaries": binaries,
            "parameters": parameters,
        });
        self.run(aws, "deploy", &request.to_string()).await
    }

    /// Returns the outputs of a stack that another program has deployed.
    pub async fn outputs(&self, aws: &LocalAws) -> anyhow::Result<Outputs> {
        self.run(aws, "outputs", STACK).await
    }

    async fn run(&self, aws: &LocalAws, mode: &str, argument: &str) -> anyhow::Result<Outputs> {
        let log = self.folder.file(&format!("{mode}.log"));
        let stderr =
            File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
        let mut command = self.supervisor.command(self.python);
        with_clean_environment(&mut command, aws.endpoint())
            .args(["-I", SCRIPT, mode, argument])
            .stderr(stderr);
        let (status, answer) = self.supervisor.output(command).await?;
        if !status.success() {
            bail!(last_line(&log));
        }
        let outputs = serde_json::from_slice(&answer);
        Ok(Outputs(
            outputs.context("The stack's outputs cannot be read")?,
        ))
    }
}

/// The outputs of the stack, by their names in the template.
#[derive(Clone, Debug)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// Returns an output.
    pub fn get(&self, name: &str) -> anyhow::Result<&str> {
        self.find(name)
            .with_context(|| format!("The template has no output {name}"))
    }

    /// Returns an output, or `None` if a condition of the template leaves it out.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the outputs whose names end with `end`. A key is the rest of the name in lower case: for `end` =
    /// `QueueUrl`, `AuditQueueUrl` has the key `audit`.
    pub fn ending(&self, end: &str) -> BTreeMap<String, String> {
        let named = self.0.iter().filter_map(|(name, value)| {
            Some((name.strip_suffix(end)?.to_lowercase(), value.clone()))
        });
        named.collect()
    }
}
