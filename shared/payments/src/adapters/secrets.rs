//! Secrets from Secrets Manager, kept for a limited time.
//!
//! Project keys are a [`KeyBook`]. The token secret is plain text. Access to the Data API:
//! `{"token": "...", "key": "..."}`.

mod book;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::{
    GetSecretValueError, GetSecretValueOutput,
};
use ecommpay::fields::{ProjectId, Text};
use ecommpay::{Keyring, ProjectKey};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub use self::book::{KeyBookSecret, ReadBook, WriteError};

use super::aws::describe;
use super::data_api_http::DataApiAccess;
use crate::callback::ProjectKeys;
use crate::key_book::KeyBook;
use crate::key_book::KeyText;
use crate::log::Line;
use crate::token::TokenSecret;

/// How long a secret is kept before it is fetched again: the longest that a new key stays unknown.
const KEPT: Duration = Duration::from_secs(300);

/// A secret could not be had. The message never shows any part of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the secret {name} {problem}")]
pub struct SecretError {
    name: String,
    problem: String,
}

/// The project keys, fetched when they are first needed and again after a while.
#[derive(Debug)]
pub struct ProjectKeySecret {
    client: Client,
    name: String,
    kept: Mutex<Option<(Instant, Arc<ProjectKeys>)>>,
}

impl ProjectKeySecret {
    /// The secret of that name or ARN.
    pub fn new(config: &aws_types::SdkConfig, name: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            name: name.into(),
            kept: Mutex::new(None),
        }
    }

    /// The keys of every project. When they cannot be fetched again, those that are known serve on.
    pub async fn get(&self) -> Result<Arc<ProjectKeys>, SecretError> {
        let mut kept = self.kept.lock().await;
        if let Some((fetched, keys)) = kept.as_ref()
            && fetched.elapsed() < KEPT
        {
            return Ok(Arc::clone(keys));
        }
        match (self.fetch().await, kept.as_ref()) {
            (Ok(keys), _) => {
                *kept = Some((Instant::now(), Arc::clone(&keys)));
                Ok(keys)
            }
            (Err(error), Some((_, keys))) => {
                Line::error("the project keys cannot be fetched again")
                    .with("error", error.to_string())
                    .write();
                let keys = Arc::clone(keys);
                // Not again at once: each caller would wait for it.
                *kept = Some((Instant::now(), Arc::clone(&keys)));
                Ok(keys)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// The keys of one project.
    pub async fn of(&self, project_id: ProjectId) -> Result<Keyring, SecretError> {
        let keys = self.get().await?;
        keys.get(&project_id).cloned().ok_or_else(|| SecretError {
            name: self.name.clone(),
            problem: format!("has no key of project {project_id}"),
        })
    }

    async fn fetch(&self) -> Result<Arc<ProjectKeys>, SecretError> {
        let secret = fetch(&self.client, &self.name).await?;
        KeyBook::read(&secret)
            .and_then(|book| book.keyrings())
            .map(Arc::new)
            .ok_or_else(|| SecretError {
                name: self.name.clone(),
                problem: "does not hold project keys".into(),
            })
    }
}

/// The secret of checkout tokens. It never changes: addresses that shoppers hold depend on it.
pub async fn token_secret(
    config: &aws_types::SdkConfig,
    name: &str,
) -> Result<TokenSecret, SecretError> {
    let secret = fetch(&Client::new(config), name).await?;
    TokenSecret::new(&secret).ok_or_else(|| SecretError {
        name: name.to_owned(),
        problem: "is shorter than 32 characters".into(),
    })
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
    pub async fn put(&self, token: &KeyText, key: &KeyText) -> Result<(), SecretError> {
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
