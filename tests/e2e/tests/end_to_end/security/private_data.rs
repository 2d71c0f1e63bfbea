//! Tests that no name, address, account, key or token reaches a log, an event or an error.
//!
//! The test sends unique values, the canaries, in all fields that a caller can set. Then it searches for them in
//! everything that the system writes.

use anyhow::ensure;
use e2e::eventually;
use e2e::queue::types;
use e2e::storefront::{Storefront, checkout_url, partial_refund};
use e2e::system::System;
use sandbox::Options;
use serde_json::{Value, json};

const LAST_NAME: &str = "Kanarievogel";
const CUSTOMER: &str = "canary-customer-7f3";
const ADDRESS: &str = "198.51.100.77";
const REFUND_ADDRESS: &str = "198.51.100.78";
const EMAIL: &str = "canary.bird@mail.example";
const PHONE: &str = "32470998877";
const ACCOUNT: &str = "BE71096123456769";
const CARD_TOKEN: &str = "canarytoken5f0b1c";
const WRONG_KEY: &str = "sk_sandbox_canary9d2e";

const CANARIES: [&str; 9] = [
    LAST_NAME,
    CUSTOMER,
    ADDRESS,
    REFUND_ADDRESS,
    EMAIL,
    PHONE,
    ACCOUNT,
    CARD_TOKEN,
    WRONG_KEY,
];

struct Test {
    system: System,
    canaries: Vec<String>,
    /// The texts that the system wrote, each with its source.
    written: Vec<(String, String)>,
}

#[tokio::test]
async fn no_log_event_or_error_contains_private_data() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let ready = system.ready();
    let keys = [ready.project_key.clone(), ready.storefront_key.clone()];
    let mut test = Test {
        canaries: CANARIES
            .map(str::to_owned)
            .into_iter()
            .chain(keys)
            .collect(),
        system,
        written: Vec::new(),
    };
    test.pay_and_refund().await?;
    test.fail_and_decline().await?;
    test.send_invalid_requests().await?;
    test.post_callbacks().await?;
    test.read_events().await?;
    test.read_logs().await?;
    for (source, text) in &test.written {
        for canary in &test.canaries {
            ensure!(!text.contains(canary), "{canary} is in {source}: {text}");
        }
    }
    test.system.stop().await;
    Ok(())
}

impl Test {
    fn customer() -> Value {
        json!({ "customer": { "id": CUSTOMER, "ip_address": ADDRESS, "last_name": LAST_NAME } })
    }

    /// Creates a checkout, and adds its token to the canaries.
    async fn create(&mut self, payment_id: &str) -> anyhow::Result<Value> {
        let storefront = &self.system.storefront;
        let checkout = storefront.create_with(payment_id, Self::customer()).await?;
        let token = checkout_url(&checkout)?.rsplit('/').next();
        self.canaries.extend(token.map(str::to_owned));
        Ok(checkout)
    }

    /// Sends requests that the API must refuse with these statuses, and stores the errors.
    async fn refused(
        &mut self,
        storefront: &Storefront,
        path: &str,
        requests: impl IntoIterator<Item = (Value, u16)>,
    ) -> anyhow::Result<()> {
        for (body, expected) in requests {
            let problem = storefront.post(path, &body, expected).await?;
            let source = format!("{path}: {expected}");
            self.written.push((source, problem.to_string()));
        }
        Ok(())
    }

    async fn pay_and_refund(&mut self) -> anyhow::Result<()> {
        let payment_id = "canary-paid";
        let checkout = self.create(payment_id).await?;
        let storefront = self.system.storefront.clone();
        let return_url = self.system.shopper.pay(&checkout).await?;
        self.system.shopper.follow(&return_url).await?;
        storefront.until(payment_id, "succeeded").await?;

        let refund = |id, amount, customer| {
            let mut refund = partial_refund(id, amount);
            refund["customer"] = customer;
            refund
        };
        let customer = || json!({ "ip_address": REFUND_ADDRESS });
        let first = refund("r-1", 400, customer());
        storefront.post_refund(payment_id, &first, 202).await?;
        storefront.until(payment_id, "partially_refunded").await?;
        let invalid = json!({ "ip_address": format!("{ADDRESS};"), "email": EMAIL });
        let errors = [
            (refund("r-1", 401, customer()), 409),
            (refund("r-2", 601, customer()), 422),
            (refund("r-2", 601, invalid), 400),
        ];
        let path = "/payments/canary-paid/refunds";
        self.refused(&storefront, path, errors).await
    }

    /// Creates a payment without an answer from Gate, a quarantined payment and a declined payment.
    async fn fail_and_decline(&mut self) -> anyhow::Result<()> {
        let cut = json!({ "answer": "cut", "answer_times": 1 });
        self.system.simulator.set_faults("canary-cut", cut).await?;
        self.create("canary-cut").await?;
        let wrong = json!({ "wrong_amount": 900 });
        let simulator = &self.system.simulator;
        simulator.set_faults("canary-quarantined", wrong).await?;
        for (payment_id, button, status) in [
            ("canary-quarantined", "pay", "quarantined"),
            ("canary-declined", "decline", "declined"),
        ] {
            let checkout = self.create(payment_id).await?;
            let system = &self.system;
            let bank_page = system.shopper.bank_page(&checkout).await?;
            system.shopper.press(&bank_page, button).await?;
            system.storefront.until(payment_id, status).await?;
        }
        Ok(())
    }

    async fn send_invalid_requests(&mut self) -> anyhow::Result<()> {
        let storefront = self.system.storefront.clone();
        let stranger = storefront.with_key(WRONG_KEY);
        let order = storefront.order_with("canary-paid", Self::customer());
        let mut other = order.clone();
        other["amount"] = json!(2000);
        let invalid = json!({
            "payment_id": format!("{CUSTOMER}/"), "order_id": format!("{EMAIL} "),
            "amount": ACCOUNT, "currency": CARD_TOKEN, "channel": LAST_NAME, "language": LAST_NAME,
            "description": format!("{LAST_NAME};"), "expires_in": PHONE, "email": EMAIL,
            "customer": {
                "id": format!("{CUSTOMER};"), "ip_address": format!("{ADDRESS};"),
                "last_name": format!("{LAST_NAME};"), "email": format!("{EMAIL};"), "phone": PHONE,
            },
            "return_url": format!("https://evil.example/?email={EMAIL}"),
        });
        let unauthorized = [(order, 401)];
        self.refused(&stranger, "/checkouts", unauthorized).await?;
        let errors = [(other, 409), (invalid, 400), (json!(LAST_NAME), 400)];
        self.refused(&storefront, "/checkouts", errors).await?;

        let unknown = format!("/payments/{CUSTOMER}");
        let problem = storefront.get(&unknown, 404).await?;
        self.written.push((unknown, problem.to_string()));
        let url = format!("{}/checkouts/{CARD_TOKEN}", self.system.ready().api);
        let page = self.system.shopper.page_with(&url, 404, "").await?;
        self.written.push(("an unknown checkout".into(), page));
        Ok(())
    }

    /// The callbacks have personal data in all fields that can contain such data.
    async fn post_callbacks(&mut self) -> anyhow::Result<()> {
        let system = &self.system;
        let mut message = json!({
            "project_id": system.ready().project_id,
            "payment": {
                "id": "canary-external", "type": "purchase", "status": "success",
                "date": "2026-01-01T10:00:00+0000", "method": "bancontact",
                "sum": { "amount": 1000, "currency": "EUR" },
                "description": format!("for {LAST_NAME}"),
            },
            "customer": {
                "id": CUSTOMER, "last_name": LAST_NAME, "ip_address": ADDRESS, "email": EMAIL,
                "phone": PHONE,
            },
            "account": { "number": ACCOUNT, "token": CARD_TOKEN, "card_holder": LAST_NAME },
            "operation": {
                "id": 990_001, "type": "sale", "status": "success",
                "date": "2026-01-01T10:00:00+0000", "request_id": "external",
                "sum_initial": { "amount": 1000, "currency": "EUR" },
                "sum_converted": { "amount": 1000, "currency": "EUR" },
                "code": "0", "message": format!("Success of {LAST_NAME}"),
            },
            "token": CARD_TOKEN,
        });
        let signed = system.signed(&message)?;
        let tampered = signed.replace("canary-external", "canary-tampered");
        let half: String = signed.chars().take(signed.len() / 2).collect();
        for (body, expected) in [(signed, 200), (tampered, 401), (half, 400)] {
            let status = system.post_callback(body).await?;
            ensure!(status == expected, "{status} instead of {expected}");
        }

        message["payment"]["description"] = json!(format!("{LAST_NAME};payment:status:success"));
        system.post_signed(&message, 200).await?;
        message["project_id"] = json!(999);
        system.post_signed(&message, 403).await?;
        if let Some(message) = message.as_object_mut() {
            message.remove("payment");
            message.remove("project_id");
        }
        system.post_signed(&message, 200).await
    }

    async fn read_events(&mut self) -> anyhow::Result<()> {
        let both = [
            "payment.succeeded",
            "payment.unmatched",
            "payment.quarantined",
            "refund.pending",
            "refund.succeeded",
        ];
        let only_audit = ["payment.created", "payment.declined"];
        for (name, further) in [("audit", &only_audit[..]), ("fulfilment", &[])] {
            let events = self.system.queue(name)?.drain().await?;
            let types = types(&events);
            for kind in both.iter().chain(further) {
                ensure!(types.contains(kind), "{name} has no {kind}");
            }
            let events = events.iter().map(Value::to_string);
            self.written
                .extend(events.map(|event| (name.into(), event)));
        }
        Ok(())
    }

    /// Waits until the log has a line for each outcome of a callback, and stores all lines.
    async fn read_logs(&mut self) -> anyhow::Result<()> {
        let outcomes = [
            "applied",
            "hint",
            "no_payment",
            "bad_signature",
            "malformed",
            "foreign_project",
        ];
        let log = eventually("a log line of every outcome", async || {
            let log = self.system.log().await?;
            let has = |outcome| log.contains(&format!("\"outcome\":\"{outcome}\""));
            Ok(outcomes.into_iter().all(has).then_some(log))
        })
        .await?;
        let cut = "Gate did not answer";
        ensure!(
            log.contains(cut),
            "the log does not mention the cut connection"
        );
        let lines = log.lines().map(|line| ("the log".into(), line.into()));
        self.written.extend(lines);
        Ok(())
    }
}
