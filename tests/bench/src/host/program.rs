//! Describes the program of a function, and its environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use tokio::process::Command;

const REGION: &str = "eu-west-1";

#[derive(Debug, Clone)]
pub struct Program {
    pub name: String,
    /// The absolute path of the executable.
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
    /// The folder of the code. The default is the executable's folder.
    pub folder: PathBuf,
    /// The name of the function in the code, for runtimes that need this name.
    pub handler: String,
    /// Further environment variables. A variable replaces the variable of Lambda with the same name.
    pub variables: BTreeMap<String, String>,
    /// The file for the output. `None` drops the output.
    pub log: Option<PathBuf>,
}

impl Program {
    /// Returns a program without variables and log.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: name.into(),
            folder: path.parent().unwrap_or(Path::new("/")).to_owned(),
            path,
            arguments: Vec::new(),
            handler: "bootstrap".to_owned(),
            variables: BTreeMap::new(),
            log: None,
        }
    }

    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Returns the command that starts the program. The program does not inherit this process's environment.
    pub(super) fn command(&self, runtime_api: SocketAddr) -> anyhow::Result<Command> {
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment(runtime_api))
            .stdin(Stdio::null())
            .stdout(self.output()?)
            .stderr(self.output()?)
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }

    fn environment(&self, runtime_api: SocketAddr) -> BTreeMap<String, String> {
        let name = &self.name;
        let folder = self.folder.display();
        let set = [
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".into()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
            (
                "AWS_LAMBDA_LOG_STREAM_NAME",
                format!("2026/01/01/[$LATEST]{:032x}", runtime_api.port()),
            ),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
            ("AWS_REGION", REGION.into()),
            ("AWS_DEFAULT_REGION", REGION.into()),
            // The SDKs need credentials to sign requests. The stubs do not check the signatures.
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".into()),
            ("AWS_SECRET_ACCESS_KEY", "x".repeat(40)),
            ("AWS_SESSION_TOKEN", "x".repeat(400)),
            ("_HANDLER", self.handler.clone()),
            ("LAMBDA_TASK_ROOT", folder.to_string()),
            ("LAMBDA_RUNTIME_DIR", folder.to_string()),
            ("LANG", "en_US.UTF-8".into()),
            ("TZ", ":UTC".into()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        ];
        let set = set.map(|(name, value)| (name.to_owned(), value));
        set.into_iter().chain(self.variables.clone()).collect()
    }

    fn output(&self) -> anyhow::Result<Stdio> {
        let Some(path) = &self.log else {
            return Ok(Stdio::null());
        };
        let file = File::options().create(true).append(true).open(path);
        let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(file.into())
    }

    /// Returns the last five lines of the log for an error message.
    pub(super) fn end_of_log(&self) -> String {
        let log = self.log.as_ref().and_then(|path| std::fs::read(path).ok());
        let log = log.unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines
            .get(lines.len().saturating_sub(5)..)
            .unwrap_or_default()
            .join("\n")
    }
}

/// Fails if a log has an error.
pub fn check_log(log: &Path) -> anyhow::Result<()> {
    for line in BufReader::new(File::open(log)?).lines() {
        let line = line?;
        ensure!(!line.contains("ERROR"), "the log contains an error: {line}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_of_a_program_replaces_the_same_variable_of_lambda() {
        let program = Program::new("callback", "/code/bootstrap")
            .with("TABLE_NAME", "payments")
            .with("TZ", "Europe/Brussels");
        let environment = program.environment(([127, 0, 0, 1], 9001).into());
        let value = |name: &str| environment.get(name).map(String::as_str);
        assert_eq!(value("AWS_LAMBDA_RUNTIME_API"), Some("127.0.0.1:9001"));
        assert_eq!(value("LAMBDA_TASK_ROOT"), Some("/code"));
        assert_eq!(value("TABLE_NAME"), Some("payments"));
        assert_eq!(value("TZ"), Some("Europe/Brussels"));
        assert_eq!(value("HOME"), None, "inherited from this process");
    }
}
