//! Implements the cache of the secret of checkout tokens.

use aws_types::SdkConfig;
use payments::service::checkout::token::TokenSecret;
use tokio::sync::OnceCell;

use super::secret::{Secret, SecretError};
use super::warn_if_failed;

/// The cache of the secret of checkout tokens. The cache reads the secret only once, because the secret never changes:
/// a change would invalidate the checkout URLs of shoppers (`shared/decisions/protocol/0015-checkout-tokens.md`).
#[derive(Debug)]
pub struct CachedTokenSecret {
    secret: Secret,
    cached: OnceCell<TokenSecret>,
}

impl CachedTokenSecret {
    /// Creates an empty cache of the secret with this name or ARN.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self {
            secret: Secret::new(config, name),
            cached: OnceCell::new(),
        }
    }

    /// Reads the secret before the first request; see [`crate::prewarm`].
    pub async fn prewarm(&self) {
        warn_if_failed(self.get().await);
    }

    /// Returns the secret.
    pub async fn get(&self) -> Result<&TokenSecret, SecretError> {
        self.cached.get_or_try_init(|| self.read()).await
    }

    async fn read(&self) -> Result<TokenSecret, SecretError> {
        let value = self.secret.value().await?;
        let too_short = || self.secret.error("is shorter than 32 characters");
        TokenSecret::new(&value).ok_or_else(too_short)
    }
}
