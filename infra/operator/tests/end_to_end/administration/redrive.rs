//! Tests `operator queues` and `operator redrive`.

use anyhow::ensure;
use e2e::eventually;
use e2e::queue::Queue;

use crate::operator::Operator;

const REDRIVE: [&str; 4] = ["--yes", "--json", "redrive", "audit"];

pub async fn dead_letters_are_moved_back_in_order(operator: &Operator) -> anyhow::Result<()> {
    let audit = Queue::new(operator.ready(), "audit")?;
    let fulfilment = Queue::new(operator.ready(), "fulfilment")?;
    for queue in [&audit, &fulfilment] {
        queue.drain().await?;
    }
    let unknown = ["redrive", "schedules"];
    operator.fails(&unknown, "", "fulfilment, audit").await?;
    let none = ["redrive", "audit", "--most", "0"];
    operator.fails(&none, "", "--most").await?;
    operator
        .matches("redrive_nothing.json", &REDRIVE, "")
        .await?;

    // The tool moves any message, so the bodies need not be events.
    audit.set_redelivery(1, 1).await?;
    let [first, second, other] = ["a 1", "{\"a\": \"\u{20ac} 2\"}", "b 1"];
    for (group, name, body) in [("a", "1", first), ("a", "2", second), ("b", "3", other)] {
        audit.send(group, name, body).await?;
    }
    become_dead_letters(&audit, 3).await?;
    operator.matches("queues.txt", &["queues"], "").await?;
    let json = ["queues", "--json"];
    operator.matches("queues.json", &json, "").await?;
    let refused = operator.run(&["redrive", "audit"], "n\n").await?;
    operator.check("redrive_prompt.txt", &refused.stderr)?;
    ensure!(audit.dead_letters().await?.counts().await? == (3, 0));

    let most = [&REDRIVE[..], &["--most", "2"]].concat();
    operator.matches("redrive_most.json", &most, "").await?;
    let rest = ["--yes", "redrive", "audit"];
    operator.matches("redrive.txt", &rest, "").await?;
    // The messages become dead letters a second time, within five minutes. A queue drops a repeated deduplication id
    // for five minutes, so the tool must send new ids.
    become_dead_letters(&audit, 3).await?;
    operator.matches("redrive.json", &REDRIVE, "").await?;
    audit.set_redelivery(180, 10).await?;
    let received = audit.take(3).await?;
    let mut of_b = received.iter().filter(|message| message.body == other);
    ensure!(of_b.next().is_some(), "{received:?}");
    let of_a = received.iter().filter(|message| message.body != other);
    let of_a = of_a.map(|message| (message.body.as_str(), message.attributes["type"].as_str()));
    let of_a: Vec<(&str, &str)> = of_a.collect();
    ensure!(of_a == [(first, "1"), (second, "2")], "{received:?}");
    operator.matches("queues_empty.txt", &["queues"], "").await
}

/// Receives messages without deleting them, until the dead-letter queue has the expected number of messages.
async fn become_dead_letters(queue: &Queue, expected: u64) -> anyhow::Result<()> {
    let dead_letters = queue.dead_letters().await?;
    eventually("the dead letters", || async {
        queue.receive_only().await?;
        Ok((dead_letters.counts().await? == (expected, 0)).then_some(()))
    })
    .await
}
