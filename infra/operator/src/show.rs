//! One payment with all that we know of it.

use clap::Args;
use payments::Timestamp;
use payments::ports::PaymentStore;

use crate::history::History;
use crate::payment::PaymentArgs;
use crate::session::Session;

/// Shows a payment with its whole history, as the table has it.
///
/// Status and amounts; in quarantine, each reason with what was ordered and every sum that the platform
/// named; operations and how sure each outcome is; refunds; decisions; the status requests; what is due
/// next; every event and whether it is sent. Nothing about the customer is shown.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    payment: PaymentArgs,
}

impl ShowArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let stored = self.payment.load(session.account).await?;
        let (store, key) = (session.account.store(), self.payment.key());
        let plan = store.next_action(&key).await?;
        let events = store.events(&key, 1, stored.payment.sequence()).await?;
        let history = History::new(&stored, plan, &events, Timestamp::now())?;
        match session.json {
            true => writeln!(session.out, "{}", serde_json::to_string(&history)?)?,
            false => write!(session.out, "{history}")?,
        }
        Ok(())
    }
}
