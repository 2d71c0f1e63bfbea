//! The secret with the keys of the projects, as an operator changes it.
//!
//! All projects are in one secret, so two operators at once could lose one another's change. A
//! plain `PutSecretValue` has no condition, but moving a staging label has one:
//! `UpdateSecretVersionStage` fails if the label is no longer on the version that it is to be
//! removed from, or is on any version if none is named. So the new value is put as a version that
//! nobody reads, under a label of its own, and becomes `AWSCURRENT` only if that still is on the
//! version that was read. Who changes the secret otherwise, with a plain put after this, still wins
//! over it; what was there before stays as `AWSPREVIOUS` then.
//!
//! Source: Secrets Manager's API reference, `PutSecretValue` and `UpdateSecretVersionStage`.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use thiserror::Error;

use super::{SecretError, read};
use crate::sdk::describe;
use payments::service::project_keys::ProjectKeySet;

/// The version that everybody reads.
const CURRENT: &str = "AWSCURRENT";

/// The secret.
#[derive(Debug, Clone)]
pub struct ProjectKeySetSecret {
    client: Client,
    name: String,
}

/// The book as it was read.
#[derive(Debug, Clone)]
pub struct StoredKeySet {
    /// The keys; none as long as nobody has put any in.
    pub book: ProjectKeySet,
    version: Option<String>,
}

/// Why the secret was not changed.
#[derive(Debug, Error)]
pub enum WriteError {
    /// Somebody else has changed it since it was read.
    #[error("somebody else has changed the keys meanwhile")]
    Changed,
    /// It could not be written; whether it was is not known.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl ProjectKeySetSecret {
    /// The secret of that name or ARN.
    pub fn new(config: &aws_types::SdkConfig, name: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            name: name.into(),
        }
    }

    /// The keys as they are now.
    pub async fn read(&self) -> Result<StoredKeySet, SecretError> {
        let request = self.client.get_secret_value().secret_id(&self.name);
        let output = request.send().await;
        if let Err(error) = &output
            && error.code() == Some("ResourceNotFoundException")
        {
            // The deployment makes the secret without a value.
            return Ok(StoredKeySet {
                book: ProjectKeySet::default(),
                version: None,
            });
        }
        let version = output.as_ref().ok();
        let version = version.and_then(|output| output.version_id.clone());
        let secret = read(&self.name, output)?;
        // A local AWS makes it with an empty one.
        let book = match secret.is_empty() {
            true => Some(ProjectKeySet::default()),
            false => ProjectKeySet::read(&secret),
        };
        Ok(StoredKeySet {
            book: book.ok_or_else(|| self.error("does not hold project keys"))?,
            version,
        })
    }

    /// Writes the keys, if they still are as they were read.
    pub async fn write(&self, read: &StoredKeySet, book: &ProjectKeySet) -> Result<(), WriteError> {
        let secret = book.to_secret();
        let secret = secret.map_err(|_| self.error("cannot hold these keys"))?;
        let label = label().map_err(|_| self.error("cannot be written without chance"))?;
        let put = self
            .client
            .put_secret_value()
            .secret_id(&self.name)
            .secret_string(secret)
            .version_stages(&label)
            .send();
        let put = Box::pin(put).await.map_err(|error| {
            let why = describe(&error);
            self.error(&format!("cannot be written: {why}"))
        })?;
        let version = put.version_id.unwrap_or_default();
        // The first of all versions is the current one at once.
        let is_current = put
            .version_stages
            .unwrap_or_default()
            .iter()
            .any(|stage| stage == CURRENT);
        let made_current = match is_current {
            true => Ok(()),
            false => self.make_current(&version, read.version.as_deref()).await,
        };
        // Whatever keeps the label, it harms nothing: a version without any is thrown away in time.
        let _ = self.drop_label(&label, &version).await;
        made_current
    }

    async fn make_current(&self, version: &str, read: Option<&str>) -> Result<(), WriteError> {
        let moved = self
            .client
            .update_secret_version_stage()
            .secret_id(&self.name)
            .version_stage(CURRENT)
            .move_to_version_id(version)
            .set_remove_from_version_id(read.map(str::to_owned))
            .send();
        let Err(error) = Box::pin(moved).await else {
            return Ok(());
        };
        // A refused move has no code of its own. And the SDK repeats a call whose answer was lost.
        let now = self.read().await?.version;
        match now.as_deref() {
            Some(current) if current == version => Ok(()),
            current if current != read => Err(WriteError::Changed),
            _ => {
                let why = describe(&error);
                Err(self.error(&format!("cannot be changed: {why}")).into())
            }
        }
    }

    async fn drop_label(&self, label: &str, version: &str) -> Result<(), SecretError> {
        let dropped = self
            .client
            .update_secret_version_stage()
            .secret_id(&self.name)
            .version_stage(label)
            .remove_from_version_id(version)
            .send();
        let dropped = Box::pin(dropped).await;
        dropped
            .map(|_| ())
            .map_err(|error| self.error(&describe(&error)))
    }

    fn error(&self, problem: &str) -> SecretError {
        SecretError {
            name: self.name.clone(),
            problem: problem.to_owned(),
        }
    }
}

/// A label that no other write has.
fn label() -> Result<String, getrandom::Error> {
    let random = getrandom::u64()?;
    Ok(format!("operator-{random:016x}"))
}
