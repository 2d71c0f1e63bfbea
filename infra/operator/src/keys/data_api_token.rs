//! Stores the token of the platform's Data API, and the key of this token.

use aws::secrets::DataApiSecret;
use clap::Args;
use serde::Serialize;

use crate::input::secret;
use crate::session::Session;

/// Stores a token of the Data API and the token's key. The new token and key replace the stored token and key.
///
/// Create both in the platform's Dashboard. The tool reads both from standard input. On a terminal, the tool prompts
/// for each value. Without a terminal, the first line is the token and the second line is the key. The next
/// reconciliation uses the new token and key.
#[derive(Args)]
pub struct DataApiTokenArgs {}

#[derive(Serialize)]
struct Fingerprints {
    token: String,
    key: String,
}

impl DataApiTokenArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let token = secret::read("token")?;
        let key = secret::read("key of the token")?;
        let fingerprints = Fingerprints {
            token: token.fingerprint(),
            key: key.fingerprint(),
        };
        let Fingerprints {
            token: token_fingerprint,
            key: key_fingerprint,
        } = &fingerprints;
        session.confirm.ask(&format!(
            "Any stored token and key will be replaced. Store token {token_fingerprint} with key {key_fingerprint}?"
        ))?;
        let secret = DataApiSecret::new(
            &session.stack.config,
            &session.stack.resources.data_api_token_secret,
        );
        secret.put(&token, &key).await?;
        let text = format!(
            "Token {token_fingerprint} with key {key_fingerprint} is stored. The next reconciliation uses it.\n"
        );
        session.write(&fingerprints, text)
    }
}
