//! Deploys a sandbox with `infra/deploy.py`, and runs other commands of the script.

use anyhow::ensure;
use sandbox::deploy_script::{DeployScript, Run};
use sandbox::{Options, Sandbox};

pub struct Deployment {
    pub sandbox: Sandbox,
    pub script: DeployScript,
}

impl Deployment {
    pub async fn start() -> anyhow::Result<Self> {
        let options = Options {
            by_script: true,
            ..Options::any_ports()
        };
        let sandbox = Sandbox::start(options).await?;
        let script = sandbox.deploy_script()?;
        Ok(Self { sandbox, script })
    }

    /// Runs a command, which must succeed.
    pub async fn run(&self, command: &str) -> anyhow::Result<String> {
        succeeded(self.script.run(command, &arguments(command)).await?)
    }

    /// Runs a command, which must fail.
    pub async fn fail(&self, command: &str) -> anyhow::Result<String> {
        failed(self.script.run(command, &arguments(command)).await?)
    }
}

fn arguments(command: &str) -> Vec<String> {
    match command {
        "delete" => vec!["--yes".to_owned()],
        _ => Vec::new(),
    }
}

pub fn succeeded(run: Run) -> anyhow::Result<String> {
    ensure!(run.succeeded, "{}", run.text);
    Ok(run.text)
}

pub fn failed(run: Run) -> anyhow::Result<String> {
    ensure!(!run.succeeded, "{}", run.text);
    Ok(run.text)
}
