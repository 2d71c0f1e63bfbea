//! Lists the addresses and names that a program needs to use the sandbox.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// The addresses and names of a started sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The API's public address.
    pub api: String,
    /// The demo shop's address.
    pub shop: String,
    /// The simulated platform's address.
    pub platform: String,
    /// The address of the local AWS.
    pub aws_endpoint: String,
    /// The AWS region.
    pub region: String,
    /// The name of the table of payments.
    pub table: String,
    /// The name of the table of storefront keys.
    pub storefront_keys_table: String,
    /// The URLs of the queues of events, of work and of daily runs, by name.
    pub queues: BTreeMap<String, String>,
    /// The URLs of the dead-letter queues, by the name of the queue.
    pub dead_letters: BTreeMap<String, String>,
    /// The id of the secret with the project keys.
    pub project_keys_secret: String,
    /// The id of the secret with the Data API's token.
    pub data_api_token_secret: String,
    /// The name of the table of endpoints. This name and the next two are absent without webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_endpoints_table: Option<String>,
    /// The name of the table of deliveries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_deliveries_table: Option<String>,
    /// The id of the secret from which the secrets of endpoints are derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<String>,
    /// The names of the functions in the local AWS. A key is the name of the template's output in lower case, without
    /// `FunctionName`.
    pub functions: BTreeMap<String, String>,
    /// The name of the sample consumer's table, if this consumer is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfilment_memory: Option<String>,
    /// A key for the API with all scopes.
    pub storefront_key: String,
    /// The project id at the platform.
    pub project_id: u32,
    /// The project's secret key.
    pub project_key: String,
}

/// The file `ready.json`. Dropping this value deletes the file.
#[derive(Debug)]
pub struct ReadyFile {
    path: PathBuf,
    _lock: Option<File>,
}

impl ReadyFile {
    /// Reserves the path `usual`. If another run has reserved `usual`, uses the path `own`. If a killed run has left a
    /// file at the used path, deletes this file.
    pub fn claim(usual: &Path, own: PathBuf) -> anyhow::Result<Self> {
        let claim = || -> std::io::Result<Option<File>> {
            if let Some(parent) = usual.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let lock = File::create(usual.with_extension("lock"))?;
            Ok(lock.try_lock().is_ok().then_some(lock))
        };
        let lock = claim().with_context(|| format!("{} cannot be written", usual.display()))?;
        let path = if lock.is_some() {
            usual.to_owned()
        } else {
            own
        };
        let _ = std::fs::remove_file(&path);
        Ok(Self { path, _lock: lock })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file in one step, so that no reader finds a part of it.
    pub fn write(&self, ready: &Ready) -> anyhow::Result<()> {
        let write = || -> std::io::Result<()> {
            let parent = self.path.parent().unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(parent)?;
            serde_json::to_writer_pretty(&mut file, ready)?;
            file.write_all(b"\n")?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
