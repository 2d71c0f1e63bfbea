//! Shows a payment with its history.

mod history;
mod text;

use clap::Args;
use payments::Timestamp;
use payments::service::outbox::{pages, read_events};

use self::history::{EventRow, History};
use self::text::Text;
use super::args::PaymentArgs;
use crate::session::Session;

/// Shows a payment with its history, as the table stores it. Shows no personal data.
///
/// The output has the status and the amounts, the status requests and the next due step. Then it lists the operations
/// with the evidence for their outcomes, and the refunds. For a payment in quarantine, it has the reasons, the ordered
/// sum, and every sum that the platform named. At the end, it lists the decisions of operators and the events. Each
/// event is marked as published or not.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    payment: PaymentArgs,
}

impl ShowArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let stored = self.payment.load(session.stack).await?;
        let (store, key) = (session.stack.store(), self.payment.key());
        let next = store.next_action(&key).await?;
        let mut events = Vec::new();
        for (first, last) in pages(1, stored.payment.sequence()) {
            for event in read_events(&store, &key, first, last).await?.events {
                events.push(EventRow::new(&event, stored.published)?);
            }
        }
        let now = Timestamp::now();
        let history = History::new(&stored, next, events, now)?;
        let text = Text::new(&stored.payment, &history, now)?;
        session.write(&history, text)
    }
}
