//! Shows what waits for an endpoint and what was given up, and sends dead letters again.

use std::fmt::{self, Display, Formatter};

use aws::environment::LiveWebhooks;
use clap::Args;
use payments::model::webhook::{EndpointId, EndpointKey};
use payments::ports::{DeadLetter, DeliveryStore, Waiting};
use payments::{PaymentKey, Timestamp};
use serde::Serialize;

use super::rows::StateRow;
use super::{IdArgs, named};
use crate::output::text::plain;
use crate::payment::args::payment_id;
use crate::session::Session;

/// Shows the state of an endpoint, the payments with waiting events, and the dead letters: the events that were given up.
///
/// With --redeliver, sends dead letters again. They are added to the waiting events of their payments, so the events of a
/// payment arrive in order. The events between two dead letters of a payment arrive a second time.
#[derive(Args)]
pub struct DeliveriesArgs {
    #[command(flatten)]
    endpoint: IdArgs,
    /// The maximum number of waiting payments, and of dead letters, to show.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(1..),
        conflicts_with = "redeliver"
    )]
    most: u16,
    /// Sends the dead letters again.
    #[arg(long)]
    redeliver: bool,
    /// Sends only the dead letters of this payment again.
    #[arg(long, value_name = "PAYMENT_ID", requires = "redeliver", value_parser = payment_id)]
    payment: Option<String>,
}

#[derive(Serialize)]
struct WaitingRow {
    payment_id: String,
    since: Timestamp,
    due: Timestamp,
}

#[derive(Serialize)]
struct LetterRow {
    payment_id: String,
    sequence: u64,
    since: Timestamp,
    at: Timestamp,
    error: String,
}

#[derive(Serialize)]
struct Deliveries {
    #[serde(skip)]
    named: String,
    endpoint: StateRow,
    /// The payments with waiting events, the earliest due first.
    waiting: Vec<WaitingRow>,
    dead_letters: Vec<LetterRow>,
}

#[derive(Serialize)]
struct Redelivered<'a> {
    endpoint: &'a EndpointId,
    redelivered: u64,
}

impl DeliveriesArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let webhooks = session.stack.webhooks()?;
        let entry = self.endpoint.find(&webhooks).await?;
        if self.redeliver {
            return self.redeliver(&webhooks, &entry.key, session).await;
        }
        let (id, most) = (&entry.key.id, usize::from(self.most));
        let waiting = webhooks.deliveries.waiting(id, most).await?;
        let letters = dead_letters(&webhooks, id, most).await?;
        let deliveries = Deliveries {
            named: named(&entry.key),
            endpoint: StateRow::read(&webhooks, &entry, Timestamp::now()).await?,
            waiting: waiting.into_iter().map(WaitingRow::from).collect(),
            dead_letters: letters.into_iter().map(LetterRow::from).collect(),
        };
        session.write(&deliveries, &deliveries)
    }

    async fn redeliver(
        &self,
        webhooks: &LiveWebhooks,
        key: &EndpointKey,
        mut session: Session<'_>,
    ) -> anyhow::Result<()> {
        let named = named(key);
        let which = match &self.payment {
            Some(id) => format!("the dead letters of payment {}", plain(id)),
            None => {
                let counts = webhooks.deliveries.counts(&key.id).await?;
                format!("{} dead letters", counts.dead_letters)
            }
        };
        session
            .confirm
            .ask(&format!("Send {which} to {named} again?"))?;
        let payment = self.payment.as_ref();
        let only = payment.map(|id| PaymentKey::new(key.owner.project_id, id));
        let redelivered = webhooks.redeliver(key, only.as_ref()).await?;
        let shown = Redelivered {
            endpoint: &key.id,
            redelivered,
        };
        let text = format!("{redelivered} dead letters wait for the {named} again.\n");
        session.write(&shown, text)
    }
}

async fn dead_letters(
    webhooks: &LiveWebhooks,
    id: &EndpointId,
    most: usize,
) -> anyhow::Result<Vec<DeadLetter>> {
    let mut letters: Vec<DeadLetter> = Vec::new();
    while letters.len() < most {
        let page = webhooks.deliveries.dead_letters(id, letters.last()).await?;
        if page.is_empty() {
            break;
        }
        letters.extend(page);
    }
    letters.truncate(most);
    Ok(letters)
}

impl From<Waiting> for WaitingRow {
    fn from(waiting: Waiting) -> Self {
        Self {
            payment_id: waiting.payment.folded_id().to_owned(),
            since: waiting.since,
            due: waiting.due,
        }
    }
}

impl From<DeadLetter> for LetterRow {
    fn from(letter: DeadLetter) -> Self {
        Self {
            payment_id: letter.payment.folded_id().to_owned(),
            sequence: letter.sequence,
            since: letter.since,
            at: letter.at,
            error: letter.error,
        }
    }
}

impl Display for Deliveries {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let StateRow {
            health,
            waiting,
            dead_letters,
            ..
        } = &self.endpoint;
        write!(to, "{}: {}", self.named, health.state.replace('_', " "))?;
        if let (Some(at), Some(by)) = (health.disabled_at, health.disabled_by) {
            write!(to, " since {at} by the {by}")?;
        }
        if let Some(reason) = &health.reason {
            write!(to, " ({})", plain(reason))?;
        }
        if let Some(since) = health.failing_since {
            write!(to, ", {} failures in a row since {since}", health.failures)?;
        }
        writeln!(to, "\npayments with waiting events: {waiting}")?;
        for row in &self.waiting {
            let id = plain(&row.payment_id);
            writeln!(to, "  {id}: waits since {}, due {}", row.since, row.due)?;
        }
        writeln!(to, "dead letters: {dead_letters}")?;
        for row in &self.dead_letters {
            let (id, error) = (plain(&row.payment_id), plain(&row.error));
            let (sequence, at) = (row.sequence, row.at);
            writeln!(to, "  {id}: event {sequence}, given up {at}: {error}")?;
        }
        Ok(())
    }
}
