//! What gives access to the platform's Data API.

use aws::secrets::DataApiSecret;
use clap::Args;
use serde::Serialize;

use crate::answer;
use crate::session::Session;
use crate::stdin_key;

/// Stores the token of the Data API and its own key, instead of those that are there.
///
/// Both are made in the platform's Dashboard and read from stdin, where they are piped in from its
/// first two lines. The next run of the reconciliation reads them.
#[derive(Args)]
pub struct DataApiTokenArgs {}

/// What was stored, as it is shown.
#[derive(Serialize)]
struct Stored {
    token: String,
    key: String,
}

impl DataApiTokenArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let token = stdin_key::read("token")?;
        let key = stdin_key::read("key of the token")?;
        let stored = Stored {
            token: token.fingerprint(),
            key: key.fingerprint(),
        };
        let Stored {
            token: of_token,
            key: of_key,
        } = &stored;
        let what = format!("token {of_token} with the key {of_key}");
        session
            .confirm
            .ask(&format!("{what} will be all that gives access; go on?"))?;
        let secret = DataApiSecret::new(
            &session.account.config,
            &session.account.stack.data_api_token_secret,
        );
        secret.put(&token, &key).await?;
        let sentence = format!("{what} is stored. The next run of the reconciliation reads it.");
        answer::write(session.out, session.json, &stored, &sentence)
    }
}
