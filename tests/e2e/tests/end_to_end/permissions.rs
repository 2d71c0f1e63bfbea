//! Nobody may more than is needed: without any one of its permissions a function fails, and says so.
//!
//! Each permission of each role is taken away by itself, and what needs it is done; the local AWS
//! refuses, and the function's log says which action of which role. By default of each function one
//! permission, of another kind than the one before; with `LONG=1` all of them.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::logs;
use e2e::operator::{Grant, Permissions, invoke_with, restart};
use e2e::stage::{Stage, report_of};
use payments::Timestamp;
use reqwest::{Method, StatusCode};
use sandbox::Options;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// What the sandbox waits before the sweeper sends an event.
const GRACE: Duration = Duration::from_millis(2_500);
/// How long the platform takes for an answer, while something else happens.
const SLOW: Duration = Duration::from_secs(3);
/// How much longer at each further attempt, as a busy machine takes longer for that too. Functions wait for 8 s.
const LONGER: Duration = Duration::from_secs(2);
/// Longer than anything that is answered takes.
const LONGEST: Duration = Duration::from_secs(30);
/// A tick of the schedule may have been faster than a test.
const ATTEMPTS: u32 = 3;

const FUNCTIONS: [&str; 8] = [
    "checkout",
    "shopper",
    "callback",
    "refund",
    "sweeper",
    "reconcile",
    "command",
    "fulfilment",
];

struct Test<'a> {
    stage: &'a Stage,
    callback: Permissions<'a>,
    slow: Duration,
    /// Tells payments and operations apart.
    number: u64,
}

impl Test<'_> {
    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// A payment of a storefront, about which the platform tells nothing by itself.
    async fn create(&self, payment: &str) -> anyhow::Result<Value> {
        self.stage.simulator.keep_quiet_about(payment).await?;
        self.order(payment).await
    }

    /// Orders without a last name, so that the platform takes it later.
    async fn order(&self, payment: &str) -> anyhow::Result<Value> {
        let storefront = &self.stage.storefront;
        let mut order = storefront.order(payment);
        order["customer"] = json!({ "id": "c-42", "ip_address": "192.0.2.10" });
        let created = storefront.call(Method::POST, "/checkouts", Some(&order));
        let (_, checkout) = created.await?;
        Ok(checkout)
    }

    /// Something is reported and committed, and no queue takes its events.
    async fn leave_unpublished(&self, message: &Value) -> anyhow::Result<()> {
        self.callback.take("sqs:SendMessage").await?;
        let refused = StatusCode::INTERNAL_SERVER_ERROR;
        let reported = self.stage.report(message, refused).await;
        self.callback.give_back().await?;
        reported
    }

    /// Leads to where a function needs all of its permissions; gives the payment.
    async fn prepare(&mut self, function: &str) -> anyhow::Result<String> {
        let number = self.next();
        let payment = format!("{function}-{number}");
        let payment = payment.as_str();
        match function {
            "checkout" => {
                let slow = json!({
                    "drop": true, "answer": "slow", "slow_ms": self.slow.as_millis() as u64,
                });
                self.stage.simulator.fault(payment, slow).await?;
            }
            "shopper" => self.ask_the_shopper(payment).await?,
            "callback" => {
                self.create(payment).await?;
                self.leave_unpublished(&declined(payment, number)).await?;
            }
            "refund" => {
                self.create(payment).await?;
                let paid = report_of(payment, 10 * number, "sale", "success", 1000);
                self.stage.report(&paid, StatusCode::OK).await?;
                self.leave_unpublished(&refunded(payment, number)).await?;
            }
            "sweeper" | "command" => {
                self.create(payment).await?;
                self.leave_unpublished(&declined(payment, number)).await?;
                self.create(&format!("{payment}-silent")).await?;
                sleep(GRACE).await;
            }
            "reconcile" => {
                self.stage.paid(payment).await?;
                let unlisted = json!({ "unlisted": ["sale"] });
                self.stage.simulator.fault(payment, unlisted).await?;
                self.leave_unpublished(&refunded(payment, number)).await?;
            }
            _ => {
                self.create(payment).await?;
            }
        }
        Ok(payment.to_owned())
    }

    /// The platform asks for a last name, and has the bank's address already: so once the shopper has
    /// answered, that is announced.
    async fn ask_the_shopper(&mut self, payment: &str) -> anyhow::Result<()> {
        for payment in [payment.to_owned(), format!("{payment}-declined")] {
            self.create(&payment).await?;
            let mut asked = report_of(&payment, 10 * self.next(), "sale", "success", 1000);
            asked["payment"]["status"] = json!("awaiting clarification");
            asked["operation"]["status"] = json!("awaiting clarification");
            asked["clarification_fields"] = json!({ "customer": ["last_name"] });
            asked["redirect_data"] = json!({
                "method": "GET", "body": [], "encrypted": [], "url": "https://bank.example/",
            });
            self.stage.report(&asked, StatusCode::OK).await?;
            let slow = json!({
                "drop": true, "answer": "slow", "slow_ms": self.slow.as_millis() as u64,
                "answer_to": ["clarification"],
            });
            self.stage.simulator.fault(&payment, slow).await?;
        }
        Ok(())
    }

    /// Does what needs the permissions. It may fail anywhere.
    async fn act(&mut self, function: &str, payment: &str) -> anyhow::Result<()> {
        let number = self.next();
        let stage = self.stage;
        match function {
            "checkout" => {
                let created = self.order(payment);
                self.meanwhile(created, &declined(payment, number)).await?;
            }
            "shopper" => {
                self.fill_in(payment).await?;
                let other = format!("{payment}-declined");
                let filled_in = self.fill_in(&other);
                self.meanwhile(filled_in, &declined(&other, number)).await?;
            }
            "callback" => {
                let late = report_of(payment, 10 * number, "sale", "success", 1000);
                stage.report(&late, StatusCode::OK).await?;
            }
            "refund" => {
                let refund = json!({
                    "refund_id": "r-1", "amount": 300, "currency": "EUR", "description": "returned",
                });
                stage.storefront.refund(payment, &refund).await?;
            }
            "sweeper" => {
                stage.sweep().await?;
            }
            "command" => {
                for payment in [payment.to_owned(), format!("{payment}-silent")] {
                    let ask =
                        json!({ "command": "resync", "project_id": 211, "payment_id": payment });
                    invoke_with(&stage.sandbox, "command", &ask).await?;
                }
            }
            "reconcile" => {
                let now = Timestamp::now();
                let from = now.before(Duration::from_secs(3_000));
                let range = json!({ "project_id": 211, "from": from, "to": now });
                invoke_with(&stage.sandbox, "reconcile", &range).await?;
            }
            _ => {
                let paid = report_of(payment, 10 * number, "sale", "success", 1000);
                stage.report(&paid, StatusCode::OK).await?;
            }
        }
        Ok(())
    }

    /// While the platform takes its time for an answer, something else of the payment is left unpublished.
    async fn meanwhile<T>(
        &self,
        request: impl Future<Output = anyhow::Result<T>>,
        message: &Value,
    ) -> anyhow::Result<()> {
        let report = async {
            sleep(self.slow / 3).await;
            self.leave_unpublished(message).await
        };
        let (answered, reported) = tokio::join!(request, report);
        answered?;
        reported
    }

    /// The shopper answers what the platform asks.
    async fn fill_in(&self, payment: &str) -> anyhow::Result<()> {
        let checkout = self.order(payment).await?;
        let address = checkout["checkout_url"].as_str().context("no address")?;
        let form = [("customer.last_name", "Janssens")];
        self.stage.shopper.fill_in(address, &form).await
    }

    /// Whether without a permission what needs it fails.
    async fn is_needed(&mut self, function: &str, grant: &Grant) -> anyhow::Result<bool> {
        let permissions = Permissions::of(&self.stage.sandbox, function).await?;
        for attempt in 0..ATTEMPTS {
            self.slow = SLOW + LONGER * attempt;
            let payment = self.prepare(function).await?;
            let before = self.refusals(permissions.role(), grant).await?;
            permissions.take_grant(grant).await?;
            if grant.action.starts_with("secretsmanager:") {
                // What it has read once it remembers.
                restart(&self.stage.sandbox, function).await?;
            }
            // What comes of it is in the log.
            let acted = timeout(LONGEST, self.act(function, &payment)).await;
            let is_told = self.is_told(permissions.role(), grant, before).await?;
            permissions.give_back().await?;
            if is_told {
                return Ok(true);
            }
            eprintln!("{function} without {grant:?}: {acted:?}, again");
        }
        Ok(false)
    }

    /// Whether a function's log tells of more refusals than before.
    async fn is_told(&self, role: &str, grant: &Grant, before: usize) -> anyhow::Result<bool> {
        // Consumers are called a little later, and lines take a moment.
        for _ in 0..20 {
            if self.refusals(role, grant).await? > before {
                return Ok(true);
            }
            sleep(Duration::from_millis(500)).await;
        }
        Ok(false)
    }

    /// How many lines tell that a role was refused an action; the local AWS does not name the thing.
    async fn refusals(&self, role: &str, grant: &Grant) -> anyhow::Result<usize> {
        let role = format!(":assumed-role/{role}/");
        let refused = format!(" is not authorized to perform: {} ", grant.action);
        let sandbox = &self.stage.sandbox;
        // A function that does not even start has no line of its own.
        let log = logs::of_functions(sandbox).await?;
        let log = log + &std::fs::read_to_string(sandbox.aws_log())?;
        let lines = log.lines();
        let told = lines.filter(|line| line.contains(&role) && line.contains(&refused));
        Ok(told.count())
    }
}

fn declined(payment: &str, number: u64) -> Value {
    let mut declined = report_of(payment, 10 * number + 1, "sale", "decline", 1000);
    declined["operation"]["status"] = json!("decline");
    declined["operation"]["code"] = json!("20105");
    declined
}

fn refunded(payment: &str, number: u64) -> Value {
    report_of(
        payment,
        10 * number + 2,
        "refund",
        "partially refunded",
        100,
    )
}

/// What a function's own code does. Log lines and traces are sent by Lambda, and messages taken from a
/// queue and deleted by it, in the function's name.
fn is_of_code(grant: &Grant) -> bool {
    let of_lambda = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    ];
    !grant.action.starts_with("logs:") && !of_lambda.contains(&grant.action.as_str())
}

#[tokio::test]
async fn no_function_may_more_than_it_needs() -> anyhow::Result<()> {
    let is_long = std::env::var_os("LONG").is_some();
    let stage = Stage::start(Options {
        divide_times: 3_600,
        sample_consumer: true,
        ..Options::any_ports()
    })
    .await?;
    let mut test = Test {
        callback: Permissions::of(&stage.sandbox, "callback").await?,
        stage: &stage,
        slow: SLOW,
        number: 0,
    };
    let (mut needed, mut unneeded) = (0, Vec::new());
    for (index, function) in FUNCTIONS.into_iter().enumerate() {
        let permissions = Permissions::of(&stage.sandbox, function).await?;
        let grants: Vec<Grant> = permissions
            .grants()
            .into_iter()
            .filter(is_of_code)
            .collect();
        ensure!(!grants.is_empty(), "{function} may do nothing");
        let one = index % grants.len();
        let sample = if is_long {
            0..grants.len()
        } else {
            one..one + 1
        };
        for grant in &grants[sample] {
            match test.is_needed(function, grant).await? {
                true => needed += 1,
                false => unneeded.push((function, grant.clone())),
            }
        }
    }
    println!("{needed} permissions are needed");
    ensure!(unneeded.is_empty(), "{unneeded:#?} are not");
    stage.sandbox.stop().await;
    Ok(())
}
