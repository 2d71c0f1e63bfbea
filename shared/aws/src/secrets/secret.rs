//! Reads and writes one secret in Secrets Manager.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::{
    GetSecretValueError, GetSecretValueOutput,
};
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueOutput;
use aws_types::SdkConfig;
use thiserror::Error;

use crate::sdk::describe;

/// A secret cannot be read or written. The message never contains a part of the secret's value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the secret {name} {problem}")]
pub struct SecretError {
    name: String,
    /// The end of the message, after the name of the secret.
    problem: String,
}

#[derive(Debug, Clone)]
pub(super) struct Secret {
    client: Client,
    /// The name or the ARN.
    name: String,
}

pub(super) struct Version {
    pub(super) id: Option<String>,
    pub(super) value: String,
}

impl Secret {
    pub(super) fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            name: name.into(),
        }
    }

    pub(super) async fn value(&self) -> Result<String, SecretError> {
        let version = self.version(self.get().await)?;
        Ok(version.value)
    }

    /// Returns `None` if the secret has no version yet or does not exist.
    pub(super) async fn current(&self) -> Result<Option<Version>, SecretError> {
        match self.get().await {
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            output => self.version(output).map(Some),
        }
    }

    /// Stores a new version. Without `label`, the new version becomes the current version.
    pub(super) async fn put(
        &self,
        value: String,
        label: Option<&str>,
    ) -> Result<PutSecretValueOutput, SecretError> {
        let labels = label.map(|label| vec![label.to_owned()]);
        let request = self
            .client
            .put_secret_value()
            .secret_id(&self.name)
            .secret_string(value)
            .set_version_stages(labels);
        let put = Box::pin(request.send()).await;
        put.map_err(|error| self.write_error(&error))
    }

    /// Moves a label from version `from` to version `to`. Without `to`, removes the label. Fails if the label is not on
    /// `from`. Without `from`, fails if the label is on any version.
    pub(super) async fn move_label(
        &self,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(), SecretError> {
        let request = self
            .client
            .update_secret_version_stage()
            .secret_id(&self.name)
            .version_stage(label)
            .set_remove_from_version_id(from.map(str::to_owned))
            .set_move_to_version_id(to.map(str::to_owned));
        match Box::pin(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.write_error(&error)),
        }
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> SecretError {
        SecretError {
            name: self.name.clone(),
            problem: problem.into(),
        }
    }

    fn write_error<E: ProvideErrorMetadata, R>(&self, error: &SdkError<E, R>) -> SecretError {
        self.error(format!("cannot be written: {}", describe(error)))
    }

    async fn get(&self) -> Result<GetSecretValueOutput, SdkError<GetSecretValueError>> {
        let request = self.client.get_secret_value().secret_id(&self.name);
        request.send().await
    }

    fn version(
        &self,
        output: Result<GetSecretValueOutput, SdkError<GetSecretValueError>>,
    ) -> Result<Version, SecretError> {
        let output =
            output.map_err(|error| self.error(format!("cannot be read: {}", describe(&error))))?;
        let value = output.secret_string;
        Ok(Version {
            id: output.version_id,
            value: value.ok_or_else(|| self.error("is not text"))?,
        })
    }
}
