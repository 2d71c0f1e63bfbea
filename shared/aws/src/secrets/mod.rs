//! Secrets from Secrets Manager.
//!
//! Project keys are a [`ProjectKeySet`](payments::service::project_keys::ProjectKeySet). The token secret is plain text. Access to the Data API:
//! `{"token": "...", "key": "..."}`.

mod cached_project_keys;
mod cached_token_secret;
mod project_key_set;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::{
    GetSecretValueError, GetSecretValueOutput,
};
use ecommpay::ProjectKey;
use ecommpay::fields::Text;
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

pub use self::cached_project_keys::{Ages, CachedProjectKeys};
pub use self::cached_token_secret::CachedTokenSecret;
pub use self::project_key_set::{ProjectKeySetSecret, StoredKeySet, WriteError};

use super::data_api_http::DataApiAccess;
use super::sdk::describe;
use payments::log::Line;
use payments::service::project_keys::SecretText;

/// A secret could not be had. The message never shows any part of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the secret {name} {problem}")]
pub struct SecretError {
    name: String,
    problem: String,
}

/// The access to the Data API, fetched when it is needed.
#[derive(Debug)]
pub struct DataApiSecret {
    client: Client,
    name: String,
}

impl DataApiSecret {
    /// The secret of that name or ARN.
    pub fn new(config: &aws_types::SdkConfig, name: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            name: name.into(),
        }
    }

    /// The access; `None` as long as nobody has put it in.
    pub async fn get(&self) -> Result<Option<DataApiAccess>, SecretError> {
        let request = self.client.get_secret_value().secret_id(&self.name);
        let output = request.send().await;
        if let Err(error) = &output
            && error.code() == Some("ResourceNotFoundException")
        {
            return Ok(None);
        }
        let secret = read(&self.name, output)?;
        let access = access(&secret).ok_or_else(|| SecretError {
            name: self.name.clone(),
            problem: "does not hold a token and its key".into(),
        });
        access.map(Some)
    }

    /// Puts the access in, instead of what is there.
    pub async fn put(&self, token: &SecretText, key: &SecretText) -> Result<(), SecretError> {
        let problem = |problem: String| SecretError {
            name: self.name.clone(),
            problem,
        };
        let secret = json!({ "token": token, "key": key }).to_string();
        access(&secret).ok_or_else(|| problem("cannot hold such a token".into()))?;
        let request = self.client.put_secret_value().secret_id(&self.name);
        let put = request.secret_string(secret).send().await;
        put.map_err(|error| problem(format!("cannot be written: {}", describe(&error))))?;
        Ok(())
    }
}

/// A secret that init could not fetch is fetched again when it is needed; but why not is told.
fn tell<T>(fetched: Result<T, SecretError>) {
    if let Err(error) = fetched {
        Line::warn("a secret is not there before the first event")
            .with("error", error.to_string())
            .write();
    }
}

async fn fetch(client: &Client, name: &str) -> Result<String, SecretError> {
    let output = client.get_secret_value().secret_id(name).send().await;
    read(name, output)
}

fn read(
    name: &str,
    output: Result<GetSecretValueOutput, SdkError<GetSecretValueError>>,
) -> Result<String, SecretError> {
    let problem = |problem: String| SecretError {
        name: name.to_owned(),
        problem,
    };
    let output =
        output.map_err(|error| problem(format!("cannot be read: {}", describe(&error))))?;
    output
        .secret_string
        .ok_or_else(|| problem("is not text".into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenAndKey {
    token: Text,
    key: String,
}

fn access(secret: &str) -> Option<DataApiAccess> {
    let TokenAndKey { token, key } = serde_json::from_str(secret).ok()?;
    let key = ProjectKey::new(&key).ok()?;
    Some(DataApiAccess { token, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_to_the_data_api_is_read_or_refused() {
        let read = access(r#"{"token":"canary-token","key":"canary-key"}"#).unwrap();
        assert_eq!(read.token.as_str(), "canary-token");
        assert!(!format!("{read:?}").contains("canary"));
        for bad in [
            "",
            "{}",
            r#"{"token":"a"}"#,
            r#"{"token":"","key":"b"}"#,
            r#"{"token":"a","key":""}"#,
            r#"{"token":"a","key":"b","other":"c"}"#,
        ] {
            assert!(access(bad).is_none(), "{bad}");
        }
    }
}
