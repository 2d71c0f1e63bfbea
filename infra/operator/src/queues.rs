//! How many messages are in the queues of events.

use anyhow::{Context, anyhow};
use aws::sdk::describe;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use clap::Args;
use serde::Serialize;

use crate::session::Session;
use crate::table::Table;

const COLUMNS: [&str; 5] = ["queue", "kind", "visible", "in_flight", "delayed"];

/// Shows how many messages are in each queue of events and in its dead letters, as CSV; with --json as
/// JSON lines. The numbers are those of SQS, and so about right.
#[derive(Args)]
pub struct QueuesArgs {}

#[derive(Serialize)]
struct Row<'a> {
    queue: &'a str,
    kind: &'static str,
    #[serde(flatten)]
    counts: Counts,
}

/// How many messages a queue has.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Counts {
    /// They can be received.
    pub visible: u64,
    /// Somebody has received them and not deleted them yet.
    pub in_flight: u64,
    /// They cannot be received yet.
    pub delayed: u64,
}

impl QueuesArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let client = Client::new(&session.account.config);
        let mut table = Table::new(&COLUMNS, session.json, session.out)?;
        for (queue, url) in &session.account.stack.queues {
            let dead_letters = session.account.stack.dead_letters.get(queue);
            let dead_letters = dead_letters.map(|url| ("dead_letters", url));
            for (kind, url) in [("queue", url)].into_iter().chain(dead_letters) {
                let counts = counts(&client, url).await?;
                table.write(&Row {
                    queue,
                    kind,
                    counts,
                })?;
            }
        }
        table.end()
    }
}

/// What a queue tells about itself.
pub async fn counts(client: &Client, url: &str) -> anyhow::Result<Counts> {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let request = client.get_queue_attributes().queue_url(url);
    let answer = request
        .set_attribute_names(Some(names.to_vec()))
        .send()
        .await;
    let answer = answer
        .map_err(|error| anyhow!(describe(&error)))
        .with_context(|| format!("{url} does not tell about itself"))?;
    let count = |name| {
        let value = answer.attributes().and_then(|all| all.get(&name));
        let value = value.with_context(|| format!("{url} has no {name}"))?;
        value
            .parse()
            .with_context(|| format!("{name} is no number"))
    };
    let [visible, in_flight, delayed] = names.map(count);
    Ok(Counts {
        visible: visible?,
        in_flight: in_flight?,
        delayed: delayed?,
    })
}
