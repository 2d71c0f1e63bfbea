//! Implements the cache of the secret from which the secrets of endpoints are derived.

use aws_types::SdkConfig;
use payments::model::webhook::MasterSecret;
use tokio::sync::OnceCell;

use super::secret::{Secret, SecretError};
use super::warn_if_failed;

/// The cache of the secret. The cache reads the secret only once, because the secret never changes: a change would
/// invalidate the secrets of all endpoints.
#[derive(Debug)]
pub struct CachedWebhookSecret {
    secret: Secret,
    cached: OnceCell<MasterSecret>,
}

impl CachedWebhookSecret {
    /// Creates an empty cache of the secret with this name or ARN.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self {
            secret: Secret::new(config, name),
            cached: OnceCell::new(),
        }
    }

    /// Reads the secret before the first message; see [`crate::prewarm`].
    pub async fn prewarm(&self) {
        warn_if_failed(self.get().await);
    }

    /// Returns the secret.
    pub async fn get(&self) -> Result<&MasterSecret, SecretError> {
        self.cached.get_or_try_init(|| self.read()).await
    }

    async fn read(&self) -> Result<MasterSecret, SecretError> {
        let value = self.secret.value().await?;
        let too_short = || self.secret.error("is shorter than 32 characters");
        MasterSecret::new(&value).ok_or_else(too_short)
    }
}
