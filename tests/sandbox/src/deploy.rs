//! Deploys the template into the local AWS. What a SAM template means is left to AWS's own Python code, which
//! `deploy.py` calls; the AWS SDK for Rust would only bring the calls, not the reading of the template.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use serde_json::json;

use crate::local_aws::{LocalAws, with_clean_environment};
use crate::supervised::{Supervisor, last_line};
use crate::workspace::Folder;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy.py");
/// The name of the only stack.
pub const STACK: &str = "sandbox";

/// Reads templates and deploys them.
#[derive(Debug)]
pub struct Deployer<'a> {
    /// What its processes run under.
    pub supervisor: &'a Supervisor,
    /// The interpreter of the environment with the packages.
    pub python: &'a Path,
    /// The sandbox's folder, for a log.
    pub folder: &'a Folder,
    /// The template.
    pub template: &'a Path,
}

impl Deployer<'_> {
    /// The names of the binaries that the template's functions are made of.
    ///
    /// # Errors
    ///
    /// When the template cannot be read or a function names no binary.
    pub async fn binaries(&self) -> anyhow::Result<Vec<String>> {
        let template = self
            .template
            .to_str()
            .context("The template's path is not valid UTF-8")?;
        let answer = self.run("", "binaries", template).await?;
        serde_json::from_slice(&answer).context("The list of binaries cannot be read")
    }

    /// Creates the stack, waits for it and returns its outputs.
    ///
    /// # Errors
    ///
    /// When a resource is refused; the message names the first one and the reason.
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
        let answer = self
            .run(aws.endpoint(), "deploy", &request.to_string())
            .await?;
        Ok(Outputs(
            serde_json::from_slice(&answer).context("The stack's outputs cannot be read")?,
        ))
    }

    /// The outputs of the stack, where somebody else has deployed it.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub async fn outputs(&self, aws: &LocalAws) -> anyhow::Result<Outputs> {
        let answer = self.run(aws.endpoint(), "outputs", STACK).await?;
        Ok(Outputs(
            serde_json::from_slice(&answer).context("The stack's outputs cannot be read")?,
        ))
    }

    async fn run(&self, endpoint: &str, mode: &str, argument: &str) -> anyhow::Result<Vec<u8>> {
        let log = self.folder.file(&format!("{mode}.log"));
        let stderr = std::fs::File::create(&log)
            .with_context(|| format!("{} cannot be written", log.display()))?;
        let mut command = self.supervisor.command(self.python);
        with_clean_environment(&mut command, endpoint)
            .args(["-I", SCRIPT, mode, argument])
            .stderr(Stdio::from(stderr));
        let (status, answer) = self.supervisor.output(command).await?;
        if !status.success() {
            bail!(last_line(&log));
        }
        Ok(answer)
    }
}

/// The outputs of the stack by their names in the template.
#[derive(Clone, Debug)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// One output.
    ///
    /// # Errors
    ///
    /// When the template has no such output.
    pub fn get(&self, name: &str) -> anyhow::Result<&str> {
        self.find(name)
            .with_context(|| format!("The template has no output {name}"))
    }

    /// One output that depends on a condition of the template.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All outputs whose name ends so, by the lower-case rest of the name: of `AuditQueueUrl`, `audit`.
    pub fn ending(&self, end: &str) -> BTreeMap<String, String> {
        let named = self.0.iter().filter_map(|(name, value)| {
            Some((name.strip_suffix(end)?.to_lowercase(), value.clone()))
        });
        named.collect()
    }
}
