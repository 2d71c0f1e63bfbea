//! Reads and writes the secret with the credentials of the Data API: `{"token": "...", "key": "..."}`.

use aws_types::SdkConfig;
use ecommpay::ProjectKey;
use ecommpay::fields::Text;
use payments::service::project_keys::SecretText;
use serde::Deserialize;
use serde_json::json;

use super::secret::{Secret, SecretError};
use crate::data_api_http::DataApiCredentials;

/// The secret with the credentials of the Data API.
#[derive(Debug)]
pub struct DataApiSecret(Secret);

impl DataApiSecret {
    /// Creates the access to the secret with this name or ARN.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self(Secret::new(config, name))
    }

    /// Reads the credentials; `None` if no operator has stored credentials yet.
    pub async fn get(&self) -> Result<Option<DataApiCredentials>, SecretError> {
        let Some(version) = self.0.current().await? else {
            return Ok(None);
        };
        let credentials = parse(&version.value);
        let credentials =
            credentials.ok_or_else(|| self.0.error("does not contain a token and its key"))?;
        Ok(Some(credentials))
    }

    /// Replaces the credentials.
    pub async fn put(&self, token: &SecretText, key: &SecretText) -> Result<(), SecretError> {
        let value = json!({ "token": token, "key": key }).to_string();
        parse(&value).ok_or_else(|| self.0.error("cannot contain this token and key"))?;
        self.0.put(value, None).await?;
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenAndKey {
    token: Text,
    key: String,
}

fn parse(value: &str) -> Option<DataApiCredentials> {
    let TokenAndKey { token, key } = serde_json::from_str(value).ok()?;
    let key = ProjectKey::new(&key).ok()?;
    Some(DataApiCredentials { token, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_and_never_shown() {
        let credentials = parse(r#"{"token":"canary-token","key":"canary-key"}"#).unwrap();
        assert_eq!(credentials.token.as_str(), "canary-token");
        assert!(!format!("{credentials:?}").contains("canary"));
    }

    #[test]
    fn credentials_with_a_missing_empty_or_unknown_field_are_refused() {
        for bad in [
            "",
            "{}",
            r#"{"token":"a"}"#,
            r#"{"token":"","key":"b"}"#,
            r#"{"token":"a","key":""}"#,
            r#"{"token":"a","key":"b","other":"c"}"#,
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
