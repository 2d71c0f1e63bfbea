//! The secret of checkout tokens, as a function keeps it.

use aws_sdk_secretsmanager::Client;
use tokio::sync::OnceCell;

use super::{SecretError, fetch, tell};
use payments::service::checkout::token::TokenSecret;

/// The secret of checkout tokens, fetched once: it never changes, as addresses that shoppers hold
/// depend on it.
#[derive(Debug)]
pub struct CachedTokenSecret {
    client: Client,
    name: String,
    kept: OnceCell<TokenSecret>,
}

impl CachedTokenSecret {
    /// The secret of that name or ARN.
    pub fn new(config: &aws_types::SdkConfig, name: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            name: name.into(),
            kept: OnceCell::new(),
        }
    }

    /// Fetches it before the first event; see [`crate::prewarm`].
    pub async fn prewarm(&self) {
        tell(self.get().await);
    }

    /// The secret.
    pub async fn get(&self) -> Result<&TokenSecret, SecretError> {
        self.kept.get_or_try_init(|| self.fetch()).await
    }

    async fn fetch(&self) -> Result<TokenSecret, SecretError> {
        let secret = fetch(&self.client, &self.name).await?;
        TokenSecret::new(&secret).ok_or_else(|| SecretError {
            name: self.name.clone(),
            problem: "is shorter than 32 characters".into(),
        })
    }
}
