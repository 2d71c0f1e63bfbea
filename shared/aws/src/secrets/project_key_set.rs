//! Changes the secret with the keys of all projects (`shared/decisions/protocol/0014-project-keys.md`).
//!
//! [`PutSecretValue`](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html) has no
//! condition, so one of two concurrent changes could overwrite the other. But
//! [`UpdateSecretVersionStage`](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html)
//! moves a label only if the label is on the version that the request names. If the request names no version, the label
//! must be on no version. So a write has two steps:
//!
//! 1. The write stores the new value as a version with a random label. No function reads this version.
//! 2. The write moves the label `AWSCURRENT` from the version that was read to the new version.
//!
//! Another program can still overwrite the change with `PutSecretValue`. The version with the change then has the label
//! `AWSPREVIOUS`.

use aws_types::SdkConfig;
use payments::service::project_keys::ProjectKeySet;
use thiserror::Error;

use super::secret::{Secret, SecretError};

/// The label of the version that functions read.
const CURRENT: &str = "AWSCURRENT";

/// The secret with the keys of all projects.
#[derive(Debug, Clone)]
pub struct ProjectKeySetSecret(Secret);

/// The keys of all projects, and the version of the secret that contains them.
#[derive(Debug, Clone)]
pub struct StoredKeySet {
    /// The keys; empty if no operator has stored keys yet.
    pub keys: ProjectKeySet,
    version: Option<String>,
}

/// The reason why the secret was not changed.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The secret was changed after it was read.
    #[error("another operator has changed the keys since they were read")]
    Changed,
    /// A call failed. It is unknown whether the secret was changed.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl ProjectKeySetSecret {
    /// Creates the access to the secret with this name or ARN.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self(Secret::new(config, name))
    }

    /// Reads the current keys.
    pub async fn read(&self) -> Result<StoredKeySet, SecretError> {
        let Some(current) = self.0.current().await? else {
            // A deployment creates the secret without a version.
            return Ok(StoredKeySet {
                keys: ProjectKeySet::default(),
                version: None,
            });
        };
        // A local AWS creates the secret with an empty value.
        let keys = match current.value.is_empty() {
            true => Some(ProjectKeySet::default()),
            false => ProjectKeySet::read(&current.value),
        };
        Ok(StoredKeySet {
            keys: keys.ok_or_else(|| self.0.error("does not contain project keys"))?,
            version: current.id,
        })
    }

    /// Writes the keys, unless the secret was changed after `read`.
    pub async fn write(&self, read: &StoredKeySet, keys: &ProjectKeySet) -> Result<(), WriteError> {
        let value = keys
            .to_secret()
            .map_err(|_| self.0.error("cannot contain these keys"))?;
        let label = random_label()
            .map_err(|_| self.0.error("cannot be written without a random number"))?;
        let put = self.0.put(value, Some(&label)).await?;
        let version = put.version_id.unwrap_or_default();
        let labels = put.version_stages.unwrap_or_default();
        // Secrets Manager gives the label `AWSCURRENT` to the first version of a secret immediately.
        let is_current = labels.iter().any(|label| label == CURRENT);
        let made_current = match is_current {
            true => Ok(()),
            false => self.make_current(&version, read.version.as_deref()).await,
        };
        // Removes the random label, so that AWS can delete the version when the version has no other label. A failure
        // does no harm.
        let _ = self.0.move_label(&label, Some(&version), None).await;
        made_current
    }

    async fn make_current(&self, version: &str, read: Option<&str>) -> Result<(), WriteError> {
        let Err(error) = self.0.move_label(CURRENT, read, Some(version)).await else {
            return Ok(());
        };
        // A failed condition has no error code of its own. The condition also fails if a first try succeeded, but its
        // answer was lost. Therefore this code reads the current version, which shows whether the change was made.
        let now = self.read().await?.version;
        match now.as_deref() {
            Some(current) if current == version => Ok(()),
            current if current != read => Err(WriteError::Changed),
            _ => Err(error.into()),
        }
    }
}

/// Returns a label that no other write uses.
fn random_label() -> Result<String, getrandom::Error> {
    let random = getrandom::u64()?;
    Ok(format!("operator-{random:016x}"))
}
