//! No name, address, account, key or token leaves through a log, an event or an error: values that
//! stand nowhere else are put wherever a caller can put one, and looked for wherever we write.

use anyhow::{Context, ensure};
use e2e::queue::Queue;
use e2e::shopper::Shopper;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use e2e::{eventually, logs};
use ecommpay::json::{self, Limits};
use ecommpay::{ProjectKey, signature};
use reqwest::{Client, Method, StatusCode};
use sandbox::{Options, Ready, Sandbox};
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

struct Test {
    sandbox: Sandbox,
    http: Client,
    storefront: Storefront,
    shopper: Shopper,
    simulator: Simulator,
    /// What must be found nowhere.
    canaries: Vec<String>,
    /// What was written: where, and what.
    written: Vec<(String, String)>,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options::any_ports()).await?;
        let ready = sandbox.ready();
        let mut canaries: Vec<String> = [
            LAST_NAME,
            CUSTOMER,
            ADDRESS,
            REFUND_ADDRESS,
            EMAIL,
            PHONE,
            ACCOUNT,
            CARD_TOKEN,
            WRONG_KEY,
        ]
        .map(str::to_owned)
        .into();
        canaries.extend([ready.project_key.clone(), ready.storefront_key.clone()]);
        Ok(Self {
            http: Client::builder().no_proxy().build()?,
            storefront: Storefront::new(ready)?,
            shopper: Shopper::new()?,
            simulator: Simulator::new(ready)?,
            sandbox,
            canaries,
            written: Vec::new(),
        })
    }

    fn ready(&self) -> &Ready {
        self.sandbox.ready()
    }

    fn order(&self, payment_id: &str) -> Value {
        let mut order = self.storefront.order(payment_id);
        order["customer"] =
            json!({ "id": CUSTOMER, "ip_address": ADDRESS, "last_name": LAST_NAME });
        order
    }

    /// Creates a checkout and gives its address, whose token is one more canary.
    async fn create(&mut self, payment_id: &str) -> anyhow::Result<String> {
        let order = self.order(payment_id);
        let (status, checkout) = self
            .storefront
            .call(Method::POST, "/checkouts", Some(&order))
            .await?;
        ensure!(status == StatusCode::CREATED, "{status} {checkout}");
        let address = checkout["checkout_url"].as_str().context("no address")?;
        let token = address.rsplit('/').next().context("no token")?;
        self.canaries.push(token.to_owned());
        Ok(address.to_owned())
    }

    /// Calls the API and keeps the error that it must answer.
    async fn refused(
        &mut self,
        storefront: &Storefront,
        (method, path): (Method, &str),
        body: &Value,
        expected: StatusCode,
    ) -> anyhow::Result<()> {
        let (status, problem) = storefront.call(method, path, Some(body)).await?;
        ensure!(
            status == expected,
            "{path} answered {status} instead of {expected}: {problem}"
        );
        self.written
            .push((format!("{path}: {status}"), problem.to_string()));
        Ok(())
    }

    async fn callback(&mut self, body: String, expected: StatusCode) -> anyhow::Result<()> {
        let url = format!("{}/callbacks", self.ready().api);
        let response = self.http.post(url).body(body).send().await?;
        let status = response.status();
        ensure!(status == expected, "{status} instead of {expected}");
        let told = response.text().await?;
        ensure!(told.is_empty(), "a callback was told {told}");
        Ok(())
    }

    fn signed(&self, message: &Value) -> anyhow::Result<String> {
        let text = message.to_string();
        let key = ProjectKey::new(&self.ready().project_key)?;
        let signature = key.sign(&signature::canonical(&json::parse(
            text.as_bytes(),
            Limits::CALLBACK,
        )?));
        let mut signed = message.clone();
        signed["signature"] = json!(signature.to_base64());
        Ok(signed.to_string())
    }

    /// The usual way, with a refund at its end.
    async fn pay_and_refund(&mut self) -> anyhow::Result<()> {
        let checkout = self.create("canary-paid").await?;
        let bank = self.shopper.bank_of(&checkout).await?;
        let back = self.shopper.push(&bank, "pay").await?;
        self.shopper.follow(&back).await?;
        self.storefront.until("canary-paid", "succeeded").await?;

        let mut refund = json!({
            "refund_id": "r-1", "amount": 400, "currency": "EUR", "description": "returned",
            "customer": { "ip_address": REFUND_ADDRESS },
        });
        let (status, answer) = self.storefront.refund("canary-paid", &refund).await?;
        ensure!(status == StatusCode::ACCEPTED, "{status} {answer}");
        self.storefront
            .until("canary-paid", "partially_refunded")
            .await?;

        let storefront = self.storefront.clone();
        let refunds = "/payments/canary-paid/refunds";
        refund["amount"] = json!(401);
        self.refused(
            &storefront,
            (Method::POST, refunds),
            &refund,
            StatusCode::CONFLICT,
        )
        .await?;
        refund["refund_id"] = json!("r-2");
        refund["amount"] = json!(601);
        let too_much = StatusCode::UNPROCESSABLE_ENTITY;
        self.refused(&storefront, (Method::POST, refunds), &refund, too_much)
            .await?;
        refund["customer"] = json!({ "ip_address": format!("{ADDRESS};"), "email": EMAIL });
        self.refused(
            &storefront,
            (Method::POST, refunds),
            &refund,
            StatusCode::BAD_REQUEST,
        )
        .await
    }

    /// What the platform's connection and the shopper's choice can do to a payment.
    async fn fail(&mut self) -> anyhow::Result<()> {
        self.simulator
            .fault("canary-cut", json!({ "answer": "cut", "answer_times": 1 }))
            .await?;
        self.create("canary-cut").await?;
        self.simulator
            .fault("canary-odd", json!({ "wrong_amount": 900 }))
            .await?;
        for (payment_id, button, end) in [
            ("canary-odd", "pay", "quarantined"),
            ("canary-declined", "decline", "declined"),
        ] {
            let checkout = self.create(payment_id).await?;
            let bank = self.shopper.bank_of(&checkout).await?;
            self.shopper.push(&bank, button).await?;
            self.storefront.until(payment_id, end).await?;
        }
        Ok(())
    }

    /// Requests that are answered with an error.
    async fn ask_badly(&mut self) -> anyhow::Result<()> {
        let storefront = self.storefront.clone();
        let stranger = storefront.with_key(WRONG_KEY);
        let checkouts = (Method::POST, "/checkouts");
        let order = self.order("canary-paid");
        self.refused(
            &stranger,
            checkouts.clone(),
            &order,
            StatusCode::UNAUTHORIZED,
        )
        .await?;
        let mut other = order.clone();
        other["amount"] = json!(2000);
        self.refused(&storefront, checkouts.clone(), &other, StatusCode::CONFLICT)
            .await?;

        let bad = json!({
            "payment_id": format!("{CUSTOMER}/"), "order_id": format!("{EMAIL} "),
            "amount": ACCOUNT, "currency": CARD_TOKEN, "channel": LAST_NAME, "language": LAST_NAME,
            "description": format!("{LAST_NAME};"), "expires_in": PHONE, "email": EMAIL,
            "customer": {
                "id": format!("{CUSTOMER};"), "ip_address": format!("{ADDRESS};"),
                "last_name": format!("{LAST_NAME};"), "email": format!("{EMAIL};"), "phone": PHONE,
            },
            "return_url": format!("https://evil.example/?email={EMAIL}"),
        });
        self.refused(
            &storefront,
            checkouts.clone(),
            &bad,
            StatusCode::BAD_REQUEST,
        )
        .await?;
        self.refused(
            &storefront,
            checkouts,
            &json!(LAST_NAME),
            StatusCode::BAD_REQUEST,
        )
        .await?;
        let unknown = format!("/payments/{CUSTOMER}");
        self.refused(
            &storefront,
            (Method::GET, &unknown),
            &json!(null),
            StatusCode::NOT_FOUND,
        )
        .await?;

        let url = format!("{}/checkouts/{CARD_TOKEN}", self.ready().api);
        let page = self.http.get(url).send().await?;
        ensure!(page.status() == StatusCode::NOT_FOUND, "{}", page.status());
        self.written
            .push(("an unknown checkout".into(), page.text().await?));
        Ok(())
    }

    /// Callbacks that tell more than they need to.
    async fn report(&mut self) -> anyhow::Result<()> {
        let mut message = json!({
            "project_id": self.ready().project_id,
            "payment": {
                "id": "canary-elsewhere", "type": "purchase", "status": "success",
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
                "date": "2026-01-01T10:00:00+0000", "request_id": "elsewhere",
                "sum_initial": { "amount": 1000, "currency": "EUR" },
                "sum_converted": { "amount": 1000, "currency": "EUR" },
                "code": "0", "message": format!("Success of {LAST_NAME}"),
            },
            "token": CARD_TOKEN,
        });
        let signed = self.signed(&message)?;
        self.callback(signed.clone(), StatusCode::OK).await?;
        let tampered = signed.replace("canary-elsewhere", "canary-tampered");
        self.callback(tampered, StatusCode::UNAUTHORIZED).await?;
        let half = signed.chars().take(signed.len() / 2).collect();
        self.callback(half, StatusCode::BAD_REQUEST).await?;

        message["payment"]["description"] = json!(format!("{LAST_NAME};payment:status:success"));
        self.callback(self.signed(&message)?, StatusCode::OK)
            .await?;
        message["project_id"] = json!(999);
        self.callback(self.signed(&message)?, StatusCode::FORBIDDEN)
            .await?;
        if let Some(message) = message.as_object_mut() {
            message.remove("payment");
            message.remove("project_id");
        }
        self.callback(self.signed(&message)?, StatusCode::OK).await
    }

    async fn read_events(&mut self) -> anyhow::Result<()> {
        for (name, kinds) in [
            (
                "audit",
                &["payment.created", "payment.declined", "payment.quarantined"][..],
            ),
            ("fulfilment", &["payment.quarantined"]),
        ] {
            let events = Queue::new(self.ready(), name)?.drain().await?;
            let has = |kind: &str| events.iter().any(|event| event["type"] == kind);
            let all = [
                "payment.succeeded",
                "payment.unmatched",
                "refund.pending",
                "refund.succeeded",
            ];
            for kind in all.iter().chain(kinds) {
                ensure!(has(kind), "{name} has no {kind}");
            }
            let events = events
                .into_iter()
                .map(|event| (name.to_owned(), event.to_string()));
            self.written.extend(events);
        }
        Ok(())
    }

    /// Every line of every function, once all of them have arrived.
    async fn read_logs(&mut self) -> anyhow::Result<()> {
        let sandbox = &self.sandbox;
        let outcomes = [
            "applied",
            "hint",
            "no_payment",
            "bad_signature",
            "malformed",
            "foreign_project",
        ];
        let log = eventually("the functions' log", || async {
            let log = logs::of_functions(sandbox).await?;
            let has = |outcome| log.contains(&format!("\"outcome\":\"{outcome}\""));
            Ok(outcomes.into_iter().all(has).then_some(log))
        })
        .await?;
        ensure!(
            log.contains("Gate did not answer"),
            "the cut is not in the log"
        );
        self.written.extend(
            log.lines()
                .map(|line| ("the log".to_owned(), line.to_owned())),
        );
        Ok(())
    }

    fn look_for_canaries(&self) -> anyhow::Result<()> {
        for (place, text) in &self.written {
            for canary in &self.canaries {
                ensure!(!text.contains(canary), "{canary} is in {place}: {text}");
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn nothing_private_is_written_anywhere() -> anyhow::Result<()> {
    let mut test = Test::start().await?;
    test.pay_and_refund().await?;
    test.fail().await?;
    test.ask_badly().await?;
    test.report().await?;
    test.read_events().await?;
    test.read_logs().await?;
    test.look_for_canaries()?;
    test.sandbox.stop().await;
    Ok(())
}
