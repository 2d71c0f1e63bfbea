//! Messages that a consumer has given up.

use anyhow::ensure;
use e2e::eventually;
use e2e::queue::Queue;

use crate::keys::desk::Desk;

const REDRIVE: [&str; 4] = ["--yes", "--json", "redrive", "audit"];

pub async fn go_back_into_their_queue(desk: &Desk) -> anyhow::Result<()> {
    let audit = Queue::new(desk.ready(), "audit")?;
    let fulfilment = Queue::new(desk.ready(), "fulfilment")?;
    for queue in [&audit, &fulfilment] {
        queue.drain().await?;
    }
    desk.refused(&["redrive", "schedules"], "", "fulfilment, audit")
        .await?;
    desk.refused(&["redrive", "audit", "--most", "0"], "", "--most")
        .await?;
    desk.kept("redrive_nothing.json", &REDRIVE, "").await?;

    // Bodies of any form, in two groups.
    audit.hurry(1, 1).await?;
    let [first, second, other] = ["a 1", "{\"a\": \"\u{20ac} 2\"}", "b 1"];
    for (group, name, body) in [("a", "1", first), ("a", "2", second), ("b", "3", other)] {
        audit.send(group, name, body).await?;
    }
    die(&audit, 3).await?;
    desk.kept("queues.txt", &["queues"], "").await?;
    desk.kept("queues.json", &["queues", "--json"], "").await?;
    let question = desk.run(&["redrive", "audit"], "n\n").await?;
    desk.keep("redrive_question.txt", &question.told)?;
    ensure!(audit.dead_letters().await?.counts().await? == (3, 0));

    let most = [&REDRIVE[..], &["--most", "2"]].concat();
    desk.kept("redrive_most.json", &most, "").await?;
    desk.kept("redrive.txt", &["--yes", "redrive", "audit"], "")
        .await?;
    // They die once more, and are moved once more, within the five minutes in which a queue
    // takes the same message only once.
    die(&audit, 3).await?;
    desk.kept("redrive.json", &REDRIVE, "").await?;
    audit.hurry(180, 10).await?;
    let came = audit.take(3).await?;
    let of_a: Vec<&String> = came.iter().filter(|body| *body != other).collect();
    ensure!(
        of_a == [first, second] && came.contains(&other.to_owned()),
        "{came:?}"
    );
    desk.kept("queues_empty.txt", &["queues"], "").await
}

/// Lets everything in a queue be delivered and not answered until it is dead.
async fn die(queue: &Queue, letters: u64) -> anyhow::Result<()> {
    let dead_letters = queue.dead_letters().await?;
    eventually("dying", || async {
        queue.leave().await?;
        Ok((dead_letters.counts().await? == (letters, 0)).then_some(()))
    })
    .await
}
