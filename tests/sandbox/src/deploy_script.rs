//! Runs the deployment script `infra/deploy.py` against the local AWS, in the same way as an operator does for AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tokio::process::Command;
use tools::Supervisor;
use tools::supervised::{last_line, log_to};

use crate::deploy::STACK;
use crate::local_aws::with_clean_environment;
use crate::workspace::Folder;

const STAGE: &str = "dev";
const PACKAGES: &str = "infra/deployment/sam.txt";

/// The script, with a folder for its binaries and logs.
#[derive(Debug)]
pub struct DeployScript {
    supervisor: Supervisor,
    endpoint: String,
    folder: PathBuf,
}

/// The result of a run of the script.
#[derive(Debug)]
pub struct Run {
    /// Whether the exit status was 0.
    pub succeeded: bool,
    /// The standard output and standard error.
    pub text: String,
}

impl DeployScript {
    /// Creates the folder for the binaries and the logs.
    pub fn new(supervisor: &Supervisor, folder: &Folder, endpoint: &str) -> anyhow::Result<Self> {
        let folder = folder.file("deployment");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be created", folder.display()))?;
        Ok(Self {
            supervisor: supervisor.clone(),
            endpoint: endpoint.to_owned(),
            folder,
        })
    }

    /// Deploys binaries for the first time.
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
        let mut arguments = self.with_binaries();
        for (name, value) in parameters {
            arguments.extend(["--parameter".to_owned(), format!("{name}={value}")]);
        }
        let run = self.run("deploy", &arguments).await?;
        ensure!(run.succeeded, "{}", run.text);
        Ok(())
    }

    /// Deploys the binaries in the folder again, with the earlier parameters.
    pub async fn deploy_again(&self) -> anyhow::Result<Run> {
        self.run("deploy", &self.with_binaries()).await
    }

    /// Builds the binaries for AWS and deploys them.
    pub async fn deploy_built(&self) -> anyhow::Result<Run> {
        let built = self.build().await?;
        let deployed = self.run("deploy", &["--no-build".to_owned()]).await?;
        Ok(Run {
            succeeded: deployed.succeeded,
            text: built + &deployed.text,
        })
    }

    /// Returns the path of a deployed binary.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.folder.join("functions").join(name).join("bootstrap")
    }

    /// Replaces a binary for the next deployment.
    pub async fn replace(&self, name: &str, built: &Path) -> anyhow::Result<()> {
        self.put(built, &self.binary(name)).await
    }

    /// Returns the path of the file in which a deployment describes the stack.
    pub fn written(&self) -> PathBuf {
        self.folder.join(format!("{STACK}.json"))
    }

    /// Runs a command of the script.
    pub async fn run(&self, command: &str, arguments: &[String]) -> anyhow::Result<Run> {
        // The installation keeps the user's environment variables, because pip can need the variables of a proxy.
        self.supervisor.install(PACKAGES).await?;
        let mut script = self.script(command);
        with_clean_environment(&mut script, &self.endpoint)
            // The time between two requests of the SAM CLI for the state of the stack, in seconds.
            .env("SAM_CLI_POLL_DELAY", "0.2")
            .args([STAGE, "--stack", STACK, "--deployed"])
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

    /// The build keeps the user's environment variables, because cargo can need them.
    async fn build(&self) -> anyhow::Result<String> {
        let mut script = self.script("build");
        let log = self.folder.join("build.log");
        log_to(&mut script, &log)?;
        let status = self.supervisor.start(script)?.wait().await;
        ensure!(status.success(), last_line(&log));
        Ok(std::fs::read_to_string(&log)?)
    }

    /// Copies a binary without its debugging symbols, because each deployment compresses the copy. If the program
    /// `strip` fails or is missing, copies the whole binary.
    async fn put(&self, built: &Path, copy: &Path) -> anyhow::Result<()> {
        let mut strip = self.supervisor.command("strip");
        strip.arg("-o").args([copy, built]);
        if !self.supervisor.output(strip).await?.0.success() {
            std::fs::copy(built, copy)
                .with_context(|| format!("{} cannot be written", copy.display()))?;
        }
        Ok(())
    }

    fn script(&self, command: &str) -> Command {
        let mut script = self.supervisor.command(self.supervisor.python());
        script
            .arg(tools::root().join("infra/deploy.py"))
            .arg(command);
        script
    }

    fn with_binaries(&self) -> Vec<String> {
        let folder = self.folder.join("functions").display().to_string();
        // The smoke test repeats a failing check for 5 seconds. The local AWS applies changes immediately.
        ["--binaries", &folder, "--patience", "5"]
            .map(str::to_owned)
            .into()
    }
}
