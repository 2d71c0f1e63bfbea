//! Tests `operator republish`.

use anyhow::ensure;
use e2e::queue::Queue;

use super::matches;
use crate::operator::Operator;

pub async fn published_events_are_published_again(operator: &Operator) -> anyhow::Result<()> {
    let queue = Queue::new(operator.ready(), "fulfilment")?;
    let first = queue.until("paid", "refund.succeeded").await?;
    queue.drain().await?;

    let command = ["republish", "--project", "211", "paid", "--by", "anna"];
    let republish = [&command[..], &["--yes"]].concat();
    matches(operator, "republish.txt", &republish).await?;
    // The queue drops a repeated deduplication id for five minutes. So the events can arrive again only with new ids.
    let again = queue.until("paid", "refund.succeeded").await?;
    ensure!(first == again, "{first:?}\n{again:?}");

    let last = [&republish[..], &["--from", "5", "--json"]].concat();
    matches(operator, "republish.json", &last).await?;
    let again = queue.until("paid", "refund.succeeded").await?;
    ensure!(again.len() == 1, "{again:?}");

    let beyond = [&republish[..], &["--to", "9"]].concat();
    operator.fails(&beyond, "", "has the events 1 to 5").await?;
    let unknown = ["republish", "--project", "211", "unknown", "--by", "anna"];
    let confirmed = [&unknown[..], &["--yes"]].concat();
    operator.fails(&confirmed, "", "no such payment").await?;
    operator.fails(&unknown, "\n", "nothing was changed").await
}
