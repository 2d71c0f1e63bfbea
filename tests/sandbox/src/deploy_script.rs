//! The project's own deployment script, `infra/deploy.py`, run against the local AWS as it is run against the real
//! one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::deploy::STACK;
use crate::local_aws::with_clean_environment;
use crate::supervised::{Supervisor, last_line, log_to};
use crate::workspace::{self, Folder};

const STAGE: &str = "dev";

/// The script and what it deploys.
#[derive(Debug)]
pub struct DeployScript {
    supervisor: Supervisor,
    python: PathBuf,
    endpoint: String,
    folder: PathBuf,
}

/// How a run of the script ended.
#[derive(Debug)]
pub struct Run {
    /// Whether it did what it was asked for.
    pub succeeded: bool,
    /// All it said.
    pub text: String,
}

impl DeployScript {
    /// The script for a local AWS.
    ///
    /// # Errors
    ///
    /// When its folder cannot be made.
    pub fn new(
        supervisor: &Supervisor,
        python: &Path,
        folder: &Folder,
        endpoint: &str,
    ) -> anyhow::Result<Self> {
        let folder = folder.file("deployment");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(Self {
            supervisor: supervisor.clone(),
            python: python.to_owned(),
            endpoint: endpoint.to_owned(),
            folder,
        })
    }

    /// Deploys binaries for the first time.
    ///
    /// # Errors
    ///
    /// When the deployment or its smoke test fails.
    pub async fn deploy(
        &self,
        binaries: &BTreeMap<String, PathBuf>,
        parameters: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        for (name, path) in binaries {
            let binary = self.binary(name);
            let folder = binary.parent().context("no folder")?;
            std::fs::create_dir_all(folder)?;
            self.put(path, &binary).await?;
        }
        let mut arguments = self.of_these_binaries();
        for (name, value) in parameters {
            arguments.extend(["--parameter".to_owned(), format!("{name}={value}")]);
        }
        let run = self.run("deploy", &arguments).await?;
        ensure!(run.succeeded, "{}", run.text);
        Ok(())
    }

    /// Deploys again what lies in the folder now; nothing but the binaries can have changed.
    ///
    /// # Errors
    ///
    /// When the script cannot be run.
    pub async fn deploy_again(&self) -> anyhow::Result<Run> {
        self.run("deploy", &self.of_these_binaries()).await
    }

    /// Builds the binaries for AWS, and deploys them.
    ///
    /// # Errors
    ///
    /// When the script cannot be run, or the build fails.
    pub async fn deploy_built(&self) -> anyhow::Result<Run> {
        // Apart for the same reason as the installation.
        let built = self.alone("build").await?;
        let deployed = self.run("deploy", &["--no-build".to_owned()]).await?;
        Ok(Run {
            succeeded: deployed.succeeded,
            text: built + &deployed.text,
        })
    }

    /// Where a binary lies that is deployed.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.folder.join("functions").join(name).join("bootstrap")
    }

    /// What the deployment wrote about the stack.
    pub fn written(&self) -> PathBuf {
        self.folder.join(format!("{STACK}.json"))
    }

    /// Runs one of its commands.
    ///
    /// # Errors
    ///
    /// When the script cannot be run, or its packages cannot be installed.
    pub async fn run(&self, command: &str, arguments: &[String]) -> anyhow::Result<Run> {
        self.alone("install").await?;
        let mut script = self.script();
        with_clean_environment(&mut script, &self.endpoint)
            // The SAM CLI asks twice a second how far CloudFormation is.
            .env("SAM_CLI_POLL_DELAY", "0.2")
            .args([command, STAGE, "--stack", STACK, "--deployed"])
            .arg(&self.folder)
            .args(arguments);
        let log = self.folder.join(format!("{command}.log"));
        log_to(&mut script, &log)?;
        let status = self.supervisor.start(script)?.wait().await;
        Ok(Run {
            succeeded: status.success(),
            text: std::fs::read_to_string(&log)?,
        })
    }

    /// Runs a command that is about no stack, with the user's own settings: they can be needed to reach the package
    /// index.
    async fn alone(&self, command: &str) -> anyhow::Result<String> {
        let mut script = self.script();
        script.arg(command);
        let log = self.folder.join(format!("{command}.log"));
        log_to(&mut script, &log)?;
        let status = self.supervisor.start(script)?.wait().await;
        ensure!(status.success(), last_line(&log));
        Ok(std::fs::read_to_string(&log)?)
    }

    /// Without what debuggers want, as far as there is a `strip`: each deployment compresses it.
    async fn put(&self, built: &Path, place: &Path) -> anyhow::Result<()> {
        let mut strip = self.supervisor.command("strip");
        strip.arg("-o").args([place, built]);
        if !self.supervisor.output(strip).await?.0.success() {
            std::fs::copy(built, place)
                .with_context(|| format!("{} cannot be written", place.display()))?;
        }
        Ok(())
    }

    fn script(&self) -> tokio::process::Command {
        let mut script = self.supervisor.command(&self.python);
        script.arg(workspace::root().join("infra/deploy.py"));
        script
    }

    fn of_these_binaries(&self) -> Vec<String> {
        let folder = self.folder.join("functions").display().to_string();
        // A failing smoke test need not be waited for: all is there at once here.
        ["--binaries", &folder, "--patience", "5"]
            .map(str::to_owned)
            .into()
    }
}
