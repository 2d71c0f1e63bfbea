//! Implements the cache of a secret that never changes.

use aws_types::SdkConfig;
use payments::model::webhook::MasterSecret;
use payments::service::checkout::token::TokenSecret;
use tokio::sync::OnceCell;

use super::secret::{Secret, SecretError};
use super::warn_if_failed;

/// The cache of the token secret. A change of the secret would invalidate the checkout URLs of shoppers
/// (`shared/decisions/protocol/0015-checkout-tokens.md`).
pub type CachedTokenSecret = CachedSecret<TokenSecret>;
/// The cache of the secret from which the secrets of endpoints are derived. A change of the secret would invalidate the
/// secrets of all endpoints.
pub type CachedWebhookSecret = CachedSecret<MasterSecret>;

/// The cache of a secret. The cache reads the secret only once, because the secret never changes.
#[derive(Debug)]
pub struct CachedSecret<T> {
    secret: Secret,
    /// Returns `None` if the text has fewer than 32 bytes.
    parse: fn(&str) -> Option<T>,
    cached: OnceCell<T>,
}

impl CachedTokenSecret {
    /// Creates an empty cache of the secret with this name or ARN.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self::empty(config, name, TokenSecret::new)
    }
}

impl CachedWebhookSecret {
    /// Creates an empty cache of the secret with this name or ARN.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self::empty(config, name, MasterSecret::new)
    }
}

impl<T> CachedSecret<T> {
    fn empty(config: &SdkConfig, name: impl Into<String>, parse: fn(&str) -> Option<T>) -> Self {
        Self {
            secret: Secret::new(config, name),
            parse,
            cached: OnceCell::new(),
        }
    }

    /// Reads the secret before the first request; see [`crate::prewarm`].
    pub async fn prewarm(&self) {
        warn_if_failed(self.get().await);
    }

    /// Returns the secret.
    pub async fn get(&self) -> Result<&T, SecretError> {
        self.cached.get_or_try_init(|| self.read()).await
    }

    async fn read(&self) -> Result<T, SecretError> {
        let value = self.secret.value().await?;
        let too_short = || self.secret.error("is shorter than 32 characters");
        (self.parse)(&value).ok_or_else(too_short)
    }
}
