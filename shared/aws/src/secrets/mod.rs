//! Reads and changes secrets in Secrets Manager: the project keys, the token secret, the secret from which the secrets
//! of endpoints are derived, and the credentials of the Data API.

mod cached_project_keys;
mod cached_secret;
mod data_api_secret;
mod project_key_set;
mod secret;

use payments::log::Line;

pub use self::cached_project_keys::{CacheTtl, CachedProjectKeys};
pub use self::cached_secret::{CachedSecret, CachedTokenSecret, CachedWebhookSecret};
pub use self::data_api_secret::DataApiSecret;
pub use self::project_key_set::{ProjectKeySetSecret, StoredKeySet, WriteError};
pub use self::secret::SecretError;

/// Logs why a secret could not be read during init. The first request that needs the secret reads it again.
fn warn_if_failed<T>(prewarmed: Result<T, SecretError>) {
    if let Err(error) = prewarmed {
        Line::warn("a secret could not be read during init")
            .with("error", error.to_string())
            .write();
    }
}
