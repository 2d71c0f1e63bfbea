//! Counts the messages in the queues and their dead-letter queues.

use anyhow::{Context, anyhow};
use aws::sdk::describe;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use clap::Args;
use serde::Serialize;

use crate::session::Session;

const COLUMNS: [&str; 5] = ["queue", "kind", "visible", "in_flight", "delayed"];

/// Counts the messages in each queue of events, in the queues of work and of daily runs, and in their dead-letter
/// queues, as CSV; with --json as JSON lines. SQS counts only approximately.
#[derive(Args)]
pub struct QueuesArgs {}

#[derive(Serialize)]
struct Row<'a> {
    queue: &'a str,
    kind: &'static str,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Counts {
    /// The number of messages that a consumer can receive now.
    pub visible: u64,
    /// The number of messages that a consumer has received and not deleted yet.
    pub in_flight: u64,
    /// The number of messages that a consumer can receive only after a delay.
    pub delayed: u64,
}

impl QueuesArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let client = Client::new(&session.stack.config);
        let resources = &session.stack.resources;
        let mut table = session.table(&COLUMNS)?;
        for (queue, url) in &resources.queues {
            let dead_letters = resources.dead_letters.get(queue);
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

pub async fn counts(client: &Client, url: &str) -> anyhow::Result<Counts> {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let answer = client
        .get_queue_attributes()
        .queue_url(url)
        .set_attribute_names(Some(names.to_vec()))
        .send()
        .await
        .map_err(|error| anyhow!(describe(&error)))
        .with_context(|| format!("the attributes of {url} cannot be read"))?;
    let count = |name| {
        let value = answer.attributes().and_then(|all| all.get(&name));
        let value = value.with_context(|| format!("{url} has no attribute {name}"))?;
        value
            .parse()
            .with_context(|| format!("{name} of {url} is not a number"))
    };
    let [visible, in_flight, delayed] = names.map(count);
    Ok(Counts {
        visible: visible?,
        in_flight: in_flight?,
        delayed: delayed?,
    })
}
