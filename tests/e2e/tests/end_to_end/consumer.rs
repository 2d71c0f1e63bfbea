//! The sample consumer behind its queue: events that come twice, late or never, messages that
//! nobody can take, and a consumer that crashes.

use std::time::SystemTime;

use anyhow::ensure;
use e2e::memory::Memory;
use e2e::queue::Queue;
use e2e::shopper::Shopper;
use e2e::storefront::Storefront;
use e2e::{eventually, logs};
use reqwest::StatusCode;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

struct Test {
    sandbox: Sandbox,
    storefront: Storefront,
    shopper: Shopper,
    fulfilment: Queue,
    dead_letters: Queue,
    audit: Queue,
    memory: Memory,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        let options = Options {
            sample_consumer: true,
            ..Options::any_ports()
        };
        let sandbox = Sandbox::start(options).await?;
        let ready = sandbox.ready();
        let fulfilment = Queue::new(ready, "fulfilment")?;
        Ok(Self {
            storefront: Storefront::new(ready)?,
            shopper: Shopper::new()?,
            dead_letters: fulfilment.dead_letters().await?,
            fulfilment,
            audit: Queue::new(ready, "audit")?,
            memory: Memory::new(ready)?,
            sandbox,
        })
    }

    async fn pay(&self, payment_id: &str) -> anyhow::Result<()> {
        let checkout = self.storefront.create(payment_id).await?;
        let checkout_url = checkout["checkout_url"].as_str().unwrap_or_default();
        let bank = self.shopper.bank_of(checkout_url).await?;
        self.shopper.push(&bank, "pay").await?;
        self.storefront.until(payment_id, "succeeded").await?;
        Ok(())
    }

    async fn refund(&self, payment_id: &str, amount: u64) -> anyhow::Result<()> {
        let refund = json!({ "refund_id": "r-1", "amount": amount, "currency": "EUR", "description": "returned" });
        let (status, answer) = self.storefront.refund(payment_id, &refund).await?;
        ensure!(status == StatusCode::ACCEPTED, "{status} {answer}");
        let end = if amount < 1000 {
            "partially_refunded"
        } else {
            "refunded"
        };
        self.storefront.until(payment_id, end).await?;
        Ok(())
    }

    async fn shipped(&self, payment_id: &str) -> anyhow::Result<()> {
        let shipped = |actions: Vec<&str>| actions.contains(&"ship");
        self.memory
            .until(payment_id, |remembered| shipped(remembered.actions()))
            .await?;
        Ok(())
    }

    /// Sends an event once more, as after a crash of the sender or by hand.
    async fn send_again(&self, event: &Value, name: &str) -> anyhow::Result<()> {
        let id = event["id"].as_str().unwrap_or_default();
        let (payment, sequence) = id.rsplit_once('/').unwrap_or_default();
        let (payment, name) = (payment.to_ascii_lowercase(), format!("{name}-{sequence}"));
        self.fulfilment
            .send(&payment, &name, &event.to_string())
            .await
    }

    async fn has_dead_letters(&self) -> anyhow::Result<bool> {
        Ok(self.dead_letters.counts().await? != (0, 0))
    }
}

#[tokio::test]
async fn what_is_paid_ships_once_although_its_events_come_twice() -> anyhow::Result<()> {
    let test = Test::start().await?;
    ensure!(test.sandbox.ready().functions.contains_key("fulfilment"));
    for payment_id in ["kept", "Given-Back", "in-part"] {
        test.pay(payment_id).await?;
        test.shipped(payment_id).await?;
    }
    test.refund("Given-Back", 1000).await?;
    test.refund("in-part", 400).await?;

    let last = [
        ("kept", "payment.succeeded"),
        ("Given-Back", "refund.succeeded"),
        ("in-part", "refund.succeeded"),
    ];
    let mut announced = test.audit.until_all(&last).await?;
    let wanted = ["payment.succeeded", "refund.pending", "refund.succeeded"];
    announced.retain(|event| wanted.iter().any(|kind| event["type"] == *kind));
    for name in ["again", "and-again"] {
        for event in &announced {
            test.send_again(event, name).await?;
        }
    }
    test.fulfilment.empty().await?;

    for (payment_id, goods, actions) in [
        ("kept", "shipped", ["ship"].as_slice()),
        (
            "given-back",
            "taken_back",
            &["ship", "nothing", "take_back"],
        ),
        ("in-part", "shipped", &["ship", "nothing", "nothing"]),
    ] {
        let remembered = test.memory.until(payment_id, |_| true).await?;
        ensure!(remembered.actions() == actions, "{remembered:?}");
        ensure!(remembered.goods == goods, "{remembered:?}");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let days = (remembered.expires_at - i64::try_from(now.as_secs())?) / (24 * 3_600);
        ensure!(days >= 31, "forgotten after {days} days");
    }
    ensure!(!test.has_dead_letters().await?);
    test.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_taken_ends_in_the_dead_letters_and_the_rest_flows_on() -> anyhow::Result<()>
{
    let test = Test::start().await?;
    // Half a minute until a message is given up.
    test.fulfilment.hurry(15, 2).await?;
    let poison = r#"{"specversion": "1.0", "subject": "canary-in-a-poison-message"}"#;

    // A payment that is in the middle of its life, one whose events will always fail, and one that
    // has nothing to do with either.
    test.pay("poisoned").await?;
    test.shipped("poisoned").await?;
    test.memory.spoil("spoilt").await?;
    test.pay("spoilt").await?;
    test.fulfilment
        .send("211/poisoned", "poison", poison)
        .await?;
    eventually("the delivery of the poison and the event", || async {
        Ok((test.fulfilment.counts().await?.1 == 2).then_some(()))
    })
    .await?;
    test.pay("healthy").await?;
    test.shipped("healthy").await?;
    ensure!(
        !test.has_dead_letters().await?,
        "the healthy payment has waited"
    );

    // What follows the poison in its group waits for it, and is taken then.
    test.refund("poisoned", 1000).await?;
    test.refund("spoilt", 1000).await?;
    let remembered = test
        .memory
        .until("poisoned", |remembered| remembered.goods == "taken_back")
        .await?;
    ensure!(
        remembered.actions() == ["ship", "nothing", "take_back"],
        "{remembered:?}"
    );
    ensure!(
        test.has_dead_letters().await?,
        "the refund has overtaken the poison"
    );

    let dead = test.dead_letters.take(4).await?;
    let (poisons, events): (Vec<_>, Vec<_>) = dead.into_iter().partition(|body| body == poison);
    ensure!(poisons.len() == 1, "{} times the poison", poisons.len());
    test.fulfilment.empty().await?;
    let logged = logs::of_functions(&test.sandbox).await?;
    ensure!(
        logged.contains("the message is not a valid event"),
        "no log line"
    );
    ensure!(
        !logged.contains("canary-in-a-poison"),
        "the log holds a body"
    );

    // Repaired and sent again, the wrong way round: nothing ships what was given back.
    test.memory.forget("spoilt").await?;
    for event in events.iter().rev() {
        test.send_again(&serde_json::from_str(event)?, "redriven")
            .await?;
    }
    let remembered = test
        .memory
        .until("spoilt", |remembered| remembered.actions.len() == 3)
        .await?;
    ensure!(remembered.actions() == ["nothing"; 3], "{remembered:?}");
    test.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_consumer_that_is_killed_acts_once() -> anyhow::Result<()> {
    let test = Test::start().await?;
    test.fulfilment.hurry(1, 1000).await?;
    let ready = test.sandbox.ready();
    let function = crash::Function {
        name: ready.functions["fulfilment"].clone(),
        aws_endpoint: ready.aws_endpoint.clone(),
    };

    let payments = ["killed-1", "killed-2", "killed-3"];
    let story = async {
        for payment_id in payments {
            test.pay(payment_id).await?;
        }
        let paid = payments.map(|payment_id| (payment_id, "payment.succeeded"));
        let mut announced = test.audit.until_all(&paid).await?;
        announced.retain(|event| event["type"] == "payment.succeeded");
        // Until one was killed over a batch, which then came again.
        eventually("a crash over a batch", || async {
            for event in &announced {
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
                test.send_again(event, &now.as_nanos().to_string()).await?;
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            let logged = logs::of_functions(&test.sandbox).await?;
            Ok(logged.contains("\"deliveries\":2").then_some(()))
        })
        .await?;
        anyhow::Ok(())
    };
    let kills = function.kill_during(story).await?;
    ensure!(kills > 0, "never killed");

    test.fulfilment.empty().await?;
    for payment_id in payments {
        let remembered = test.memory.until(payment_id, |_| true).await?;
        ensure!(remembered.actions() == ["ship"], "{remembered:?}");
    }
    ensure!(!test.has_dead_letters().await?);
    test.sandbox.stop().await;
    Ok(())
}

/// Kills the processes of a function, again and again.
#[cfg(target_os = "linux")]
mod crash {
    use std::time::Duration;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    pub struct Function {
        pub name: String,
        pub aws_endpoint: String,
    }

    impl Function {
        /// Gives how often it was killed while `story` went on.
        pub async fn kill_during(
            &self,
            story: impl Future<Output = anyhow::Result<()>>,
        ) -> anyhow::Result<u32> {
            let mut kills = 0;
            let killing = async {
                // Pauses of many lengths, so that each step of the function is hit some time.
                for pause in (20..).step_by(7).map(|millis| millis % 300) {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    for process in self.processes() {
                        kills += u32::from(kill(process, Signal::SIGKILL).is_ok());
                    }
                }
            };
            tokio::select! {
                told = story => told?,
                () = killing => {}
            }
            Ok(kills)
        }

        /// The function's processes below this sandbox's local AWS, and no other's.
        fn processes(&self) -> Vec<Pid> {
            let wanted = [
                format!("AWS_LAMBDA_FUNCTION_NAME={}", self.name),
                format!("AWS_ENDPOINT_URL={}", self.aws_endpoint),
            ];
            let processes = std::fs::read_dir("/proc").into_iter().flatten();
            processes
                .filter_map(|process| process.ok()?.file_name().to_str()?.parse().ok())
                .filter(|process: &i32| {
                    let environment = std::fs::read(format!("/proc/{process}/environ"));
                    let environment = environment.unwrap_or_default();
                    let has = |wanted: &String| {
                        environment
                            .split(|byte| *byte == 0)
                            .any(|variable| variable == wanted.as_bytes())
                    };
                    wanted.iter().all(has)
                })
                .map(Pid::from_raw)
                .collect()
        }
    }
}
