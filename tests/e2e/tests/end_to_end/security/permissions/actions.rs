//! For each function, performs an action that uses all of the function's permissions.

use std::time::Duration;

use e2e::lambda::invoke_with;
use e2e::permissions::Permissions;
use e2e::storefront::{checkout_url, partial_refund};
use e2e::system::{OUTBOX_GRACE, System, callback_message};
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::ports::{Daily, Run, Work};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::security::permissions::webhooks;

pub const FUNCTIONS: [&str; 11] = [
    "checkout",
    "shopper",
    "callback",
    "refund",
    "sweeper",
    "reconcile",
    "command",
    "fulfilment",
    "worker",
    "webhookrouter",
    "webhook",
];

pub struct Actions<'a> {
    system: &'a System,
    callback: Permissions<'a>,
    /// The platform delays its answers by this time. Meanwhile, a callback about the same payment arrives.
    delay: Duration,
    /// Makes the ids of payments and operations unique.
    number: u64,
}

impl<'a> Actions<'a> {
    pub async fn new(system: &'a System) -> anyhow::Result<Self> {
        Ok(Self {
            callback: Permissions::of(&system.sandbox, "callback").await?,
            system,
            delay: Duration::ZERO,
            number: 0,
        })
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Creates the state in which [`Actions::act`] uses all permissions. Returns the payment id.
    pub async fn prepare(&mut self, function: &str, delay: Duration) -> anyhow::Result<String> {
        self.delay = delay;
        let number = self.next();
        let payment = format!("{function}-{number}");
        match function {
            "checkout" => self.delay_answers(&payment, json!({})).await?,
            "shopper" => {
                self.await_clarification(&payment).await?;
                self.await_clarification(&format!("{payment}-declined"))
                    .await?;
            }
            "callback" => {
                self.create(&payment).await?;
                self.leave_unpublished(&declined(&payment, number)).await?;
            }
            "refund" => {
                self.create(&payment).await?;
                let paid = callback_message(&payment, 10 * number, "sale", "success", 1000);
                self.system.post_signed(&paid, 200).await?;
                self.leave_unpublished(&refunded(&payment, number)).await?;
            }
            "sweeper" | "command" | "worker" => {
                self.create(&payment).await?;
                self.leave_unpublished(&declined(&payment, number)).await?;
                self.create(&format!("{payment}-open")).await?;
                sleep(OUTBOX_GRACE).await;
            }
            "reconcile" => {
                self.system.create_paid(&payment).await?;
                let unlisted = json!({ "unlisted": ["sale"] });
                self.system.simulator.set_faults(&payment, unlisted).await?;
                self.leave_unpublished(&refunded(&payment, number)).await?;
            }
            _ => self.create(&payment).await?,
        }
        Ok(payment)
    }

    /// Performs an action that uses all permissions. Each step can fail, because a permission can be missing.
    pub async fn act(&mut self, function: &str, payment: &str) -> anyhow::Result<()> {
        let number = self.next();
        let system = self.system;
        match function {
            "checkout" => {
                let created = self.order(payment);
                self.meanwhile(created, &declined(payment, number)).await?;
            }
            "shopper" => {
                self.submit_clarification(payment).await?;
                let other = format!("{payment}-declined");
                let submitted = self.submit_clarification(&other);
                self.meanwhile(submitted, &declined(&other, number)).await?;
            }
            "refund" => {
                let refund = partial_refund("r-1", 300);
                system.storefront.refund(payment, &refund).await?;
            }
            // The sweeper emits an event only when a checkout expires.
            "sweeper" => {
                let short = json!({ "expires_in": 1 });
                let expiring = format!("{payment}-expiring");
                system.simulator.drop_callbacks(&expiring).await?;
                system.storefront.create_with(&expiring, short).await?;
                for _ in 0..4 {
                    system.sweep().await?;
                    sleep(Duration::from_millis(700)).await;
                }
            }
            "worker" => {
                let open = format!("{payment}-open");
                for (kind, payment) in [("publish", payment), ("poll", &open)] {
                    let due = json!({
                        "project_id": 211, "payment_id": payment, "since": Timestamp::now(),
                    });
                    let work = json!({ "kind": kind, "payments": [due] });
                    let message = json!({ "messageId": payment, "body": work.to_string() });
                    let messages = json!({ "Records": [message] });
                    invoke_with(&system.sandbox, "worker", &messages).await?;
                }
            }
            "command" => {
                for payment in [payment, &format!("{payment}-open")] {
                    let resync =
                        json!({ "command": "resync", "project_id": 211, "payment_id": payment });
                    invoke_with(&system.sandbox, "command", &resync).await?;
                }
            }
            "reconcile" => {
                let from = Timestamp::now().before(Duration::from_secs(3_000));
                system.reconcile(from).await?;
                self.work_parts(from, number).await?;
            }
            "webhookrouter" => webhooks::route_and_hand_out(system, payment).await?,
            "webhook" => webhooks::deliver(system, payment).await?,
            // For `callback`. Also for `fulfilment`, which consumes the event that `callback` publishes.
            _ => {
                let paid = callback_message(payment, 10 * number, "sale", "success", 1000);
                system.post_signed(&paid, 200).await?;
            }
        }
        Ok(())
    }

    /// Delivers the first parts of a run, as the queue does. The last of these parts sends a further part.
    async fn work_parts(&self, from: Timestamp, number: u64) -> anyhow::Result<()> {
        let run = Run {
            project_id: ProjectId::new(211)?,
            daily: Daily::Compare,
            from,
            to: from.after(Duration::from_secs(1)),
            id: format!("permissions-{number}"),
            is_scheduled: false,
        };
        for part in run.first_parts() {
            let run = run.clone();
            let work = json!(Work::Part { run, part });
            let message = json!({ "messageId": "m", "body": work.to_string() });
            let messages = json!({ "Records": [message] });
            invoke_with(&self.system.sandbox, "reconcile", &messages).await?;
        }
        Ok(())
    }

    /// Creates a payment about which the platform sends no callbacks.
    async fn create(&self, payment: &str) -> anyhow::Result<()> {
        self.system.simulator.drop_callbacks(payment).await?;
        self.order(payment).await?;
        Ok(())
    }

    /// Requests a checkout without a last name, so that the platform requests the last name. Accepts any status.
    async fn order(&self, payment: &str) -> anyhow::Result<Value> {
        let storefront = &self.system.storefront;
        let nameless = json!({ "customer": { "id": "c-42", "ip_address": "192.0.2.10" } });
        let order = storefront.order_with(payment, nameless);
        let answer = storefront.call(Method::POST, "/checkouts", Some(&order));
        let (_, checkout) = answer.await?;
        Ok(checkout)
    }

    async fn delay_answers(&self, payment: &str, mut faults: Value) -> anyhow::Result<()> {
        faults["drop"] = json!(true);
        faults["answer"] = json!("slow");
        faults["slow_ms"] = json!(self.delay.as_millis() as u64);
        self.system.simulator.set_faults(payment, faults).await
    }

    /// Posts a callback while all queues refuse events. The function commits the callback, but cannot publish the
    /// events.
    async fn leave_unpublished(&self, message: &Value) -> anyhow::Result<()> {
        self.callback.revoke("sqs:SendMessage").await?;
        let refused = self.system.post_signed(message, 500).await;
        self.callback.restore().await?;
        refused
    }

    /// Creates a payment that awaits a last name and already has a redirect URL. Therefore a clarification emits
    /// `payment.awaiting_customer`.
    async fn await_clarification(&mut self, payment: &str) -> anyhow::Result<()> {
        self.create(payment).await?;
        let mut asking = callback_message(payment, 10 * self.next(), "sale", "success", 1000);
        asking["payment"]["status"] = json!("awaiting clarification");
        asking["operation"]["status"] = json!("awaiting clarification");
        asking["clarification_fields"] = json!({ "customer": ["last_name"] });
        asking["redirect_data"] = json!({
            "method": "GET", "body": [], "encrypted": [], "url": "https://bank.example/",
        });
        self.system.post_signed(&asking, 200).await?;
        let only = json!({ "answer_to": ["clarification"] });
        self.delay_answers(payment, only).await
    }

    /// Submits the form of the checkout page.
    async fn submit_clarification(&self, payment: &str) -> anyhow::Result<()> {
        let checkout = self.order(payment).await?;
        let form = [("customer.last_name", "Janssens")];
        let request = self.system.shopper.http.post(checkout_url(&checkout)?);
        request.form(&form).send().await?;
        Ok(())
    }

    /// Sends a request. While the request waits for the platform, posts a callback whose events stay unpublished.
    async fn meanwhile<T>(
        &self,
        request: impl Future<Output = anyhow::Result<T>>,
        message: &Value,
    ) -> anyhow::Result<()> {
        let report = async {
            sleep(self.delay / 3).await;
            self.leave_unpublished(message).await
        };
        let (answered, reported) = tokio::join!(request, report);
        answered?;
        reported
    }
}

fn declined(payment: &str, number: u64) -> Value {
    let mut declined = callback_message(payment, 10 * number + 1, "sale", "decline", 1000);
    declined["operation"]["status"] = json!("decline");
    declined["operation"]["code"] = json!("20105");
    declined
}

fn refunded(payment: &str, number: u64) -> Value {
    let (id, status) = (10 * number + 2, "partially refunded");
    callback_message(payment, id, "refund", status, 100)
}
