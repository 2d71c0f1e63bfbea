//! Shows a payment with its history as text.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

use payments::Timestamp;
use payments::model::{Order, Payment, path_id};

use super::history::{History, NextStep, What};
use crate::output::text::{money, plain, ranges, spaced};
use crate::payment::quarantine::{Quarantine, describe};

pub struct Text<'a> {
    payment: &'a Payment,
    quarantine: Quarantine,
    history: &'a History<'a>,
    at: Timestamp,
}

impl<'a> Text<'a> {
    pub fn new(
        payment: &'a Payment,
        history: &'a History<'a>,
        at: Timestamp,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            payment,
            quarantine: Quarantine::of(payment, at)?,
            history,
            at,
        })
    }

    fn order(&self, order: &Order, to: &mut Formatter<'_>) -> fmt::Result {
        let order_id = order.order_id.as_ref().map_or("-", |id| id.as_str());
        let channel = self.payment.channel();
        let channel = channel.map_or_else(|| "-".to_owned(), |channel| spaced(&channel));
        let storefront = plain(&order.storefront);
        writeln!(
            to,
            "order {order_id} of storefront {storefront}, channel {channel}"
        )?;
        let checkout = self.payment.checkout_state(self.at);
        let checkout = checkout.map_or_else(String::new, |state| spaced(&state));
        writeln!(to, "checkout {checkout}, expires {}", order.expires_at)?;
        let earlier = self.payment.earlier_payments_of_order().iter();
        let earlier: Vec<String> = earlier.map(|id| plain(id)).collect();
        if !earlier.is_empty() {
            writeln!(to, "the order was already paid by {}", earlier.join(", "))?;
        }
        let (amount, currency) = (order.amount.get(), order.currency.code());
        writeln!(to, "ordered {}", money(amount, currency))
    }

    fn amounts(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let payment = self.payment;
        let currency = payment.currency().unwrap_or("EUR");
        for (label, amount) in [
            ("paid", payment.paid_amount()),
            ("refunded", payment.refunded_amount()),
            ("being refunded", payment.pending_refund_amount()),
            ("refundable", payment.refundable_amount()),
        ] {
            writeln!(to, "{label} {}", money(amount, currency))?;
        }
        Ok(())
    }

    fn polling(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let polling = self.payment.polling();
        write!(to, "status requests: {} sent", polling.polls_sent())?;
        for (label, number) in [
            ("answered", polling.last_answered()),
            ("answered \"not found\"", polling.last_not_found()),
        ] {
            if number > 0 {
                write!(to, ", last {label}: number {number}")?;
            }
        }
        writeln!(to)?;
        if polling.needs_recheck() {
            writeln!(to, "a recheck is due: only a signed answer settles it")?;
        }
        Ok(())
    }

    fn next_step(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let Some(NextStep { what, at }) = &self.history.next else {
            return writeln!(to, "next: nothing");
        };
        match what {
            What::Poll => writeln!(to, "next: status request at {at}"),
            What::Expire => writeln!(to, "next: the checkout expires at {at}"),
            What::Erase => writeln!(to, "next: the customer's data is erased at {at}"),
            What::Overdue if !self.payment.has_signable_id() => {
                writeln!(
                    to,
                    "overdue from {at}: never polled, because the id cannot be signed"
                )
            }
            What::Overdue => writeln!(to, "overdue since {at}: polling has stopped"),
        }
    }

    fn operations(&self, to: &mut Formatter<'_>) -> fmt::Result {
        for (id, operation) in self.payment.operations() {
            let kind = plain(operation.kind().as_str());
            let outcome = spaced(&operation.outcome());
            write!(to, "operation {}: {kind} {outcome}", plain(id))?;
            if let Some((amount, currency)) = operation.amount().zip(operation.currency()) {
                write!(to, ", {}", money(amount, currency))?;
            }
            let status = plain(operation.platform_status());
            write!(to, ", platform status {status}")?;
            if let Some(code) = operation.code() {
                write!(to, " (code {})", plain(code))?;
            }
            writeln!(to, ", evidence: {}", spaced(&operation.evidence()))?;
        }
        Ok(())
    }

    fn refunds(&self, to: &mut Formatter<'_>) -> fmt::Result {
        for refund in self.payment.refunds() {
            let id = refund.refund_id();
            let id = id.map_or("not requested by this service", |id| id.as_str());
            let currency = self.payment.currency().unwrap_or("EUR");
            let (amount, status) = (money(refund.amount(), currency), spaced(&refund.status()));
            write!(to, "refund {id}: {status}, {amount}")?;
            if refund.returned_amount() > 0 {
                let returned = money(refund.returned_amount(), currency);
                write!(to, ", {returned} returned")?;
            }
            if let Some(operation_id) = refund.operation_id() {
                write!(to, ", operation {}", plain(operation_id))?;
            }
            if let Some(code) = refund.code() {
                write!(to, " (code {})", plain(code))?;
            }
            writeln!(to, ", created {}", refund.created_at())?;
            let request = self.payment.clarification_request_of(refund);
            for field in request.map_or(&[][..], |request| request.clarification_fields()) {
                let required = if field.required { ", required" } else { "" };
                writeln!(to, "    requested field: {}{required}", plain(&field.name))?;
            }
        }
        Ok(())
    }

    fn review(&self, to: &mut Formatter<'_>) -> fmt::Result {
        if !self.quarantine.is_empty() {
            write!(to, "in quarantine:\n{}", self.quarantine)?;
        }
        for decision in &self.history.decisions {
            let (verdict, by) = (spaced(&decision.verdict), plain(decision.by));
            writeln!(to, "{verdict} by {by}, {}", decision.at)?;
            for item in &decision.items {
                writeln!(to, "    {}", describe(item))?;
            }
            if decision.former_items > 0 {
                let count = decision.former_items;
                writeln!(to, "    items that the reports no longer show: {count}")?;
            }
        }
        Ok(())
    }

    fn events(&self, to: &mut Formatter<'_>) -> fmt::Result {
        if !self.history.gone.is_empty() {
            let gone = ranges(self.history.gone.iter().copied());
            writeln!(to, "events no longer stored, or not readable: {gone}")?;
        }
        for event in &self.history.events {
            let published = if event.published {
                "published"
            } else {
                "not published"
            };
            let (number, kind) = (event.sequence, event.kind);
            writeln!(to, "event {number}: {kind}, {}, {published}", event.time)?;
        }
        Ok(())
    }
}

impl Display for Text<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let payment = self.payment;
        let id = plain(payment.payment_id());
        writeln!(
            to,
            "{}/{id}: {}",
            payment.project_id(),
            spaced(&payment.status())
        )?;
        if let Cow::Owned(encoded) = path_id::to_path(payment.payment_id()) {
            writeln!(to, "id in commands and paths of the API: {encoded}")?;
        }
        match payment.order() {
            Some(order) => self.order(order, to)?,
            None => writeln!(to, "not created by this service")?,
        }
        self.amounts(to)?;
        if let Some(status) = payment.platform_status() {
            writeln!(to, "payment.status at the platform: {}", plain(status))?;
        }
        if let Some(code) = payment.refusal_code() {
            writeln!(
                to,
                "the platform refused the sale request (code {})",
                plain(code)
            )?;
        }
        let (created, updated) = (payment.created_at(), payment.updated_at());
        writeln!(to, "created {created}, updated {updated}")?;
        self.polling(to)?;
        self.next_step(to)?;
        self.operations(to)?;
        self.refunds(to)?;
        self.review(to)?;
        self.events(to)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ecommpay::fields::ProjectId;
    use ecommpay::json::{Limits, parse};
    use ecommpay::report::Report;
    use payments::decide::{Command, Fact, SignedReport, decide, execute};
    use payments::escape::is_visible;
    use payments::model::storefront::Storefront;
    use payments::ports::Stored;
    use payments::service::checkout::CheckoutRequest;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_900_000_000_000);

    fn created() -> Payment {
        let storefront = Storefront {
            key_id: "shop".into(),
            key_hash: String::new(),
            name: "shop".into(),
            project_id: ProjectId::new(211).unwrap(),
            scopes: [].into(),
            return_origins: ["https://shop.example".into()].into(),
            payment_id_prefix: None,
        };
        let body = json!({
            "payment_id": "order-1", "amount": 1000, "currency": "EUR", "return_url": "https://shop.example/",
            "customer": { "id": "c", "ip_address": "192.0.2.1", "last_name": "Janssens" },
        });
        let request = CheckoutRequest::read(body.to_string().as_bytes(), &storefront, NOW).unwrap();
        let create = Command::Create {
            project_id: storefront.project_id,
            payment_id: &request.payment_id,
            order: &request.order,
        };
        execute(None, create, NOW).unwrap().unwrap().payment
    }

    /// Returns what `show` writes about an external payment and about a payment in quarantine: for each payment the
    /// text, then the JSON. Both payments have `text` in each field that others choose.
    fn shown(text: &str) -> [String; 4] {
        [None, Some(created())].map(|before| {
            let id = before.as_ref().map_or(text, |payment| payment.payment_id());
            let operation = |number: u8, kind: &str| {
                json!({
                    "id": format!("{number}{text}"), "type": kind, "status": "success",
                    "date": "2026-11-21T10:00:00+0000", "code": text,
                    "sum_initial": { "amount": 900, "currency": text },
                })
            };
            let body = json!({
                "project_id": 211,
                "payment": { "id": id, "status": text, "sum": { "amount": 900, "currency": text } },
                "operations": [operation(1, "sale"), operation(2, "refund"), operation(3, text)],
            });
            let report = Report::read(&parse(body.to_string().as_bytes(), Limits::ANSWER).unwrap());
            let report = SignedReport {
                report: &report,
                canonical: "d",
            };
            let fact = Fact::StatusAnswer { report, poll: 1 };
            let payment = decide(before.as_ref(), fact, NOW).unwrap().payment;
            let stored = Stored {
                payment,
                residue: Default::default(),
                version: 1,
                published: 0,
                is_first_to_pay: false,
            };
            let history = History::new(&stored, None, Vec::new(), NOW).unwrap();
            let text = Text::new(&stored.payment, &history, NOW).unwrap();
            let json = serde_json::to_string(&history).unwrap();
            [text.to_string(), payments::escape::json_for_terminal(json)]
        })
        .concat()
        .try_into()
        .unwrap()
    }

    #[test]
    fn the_output_shows_each_field_that_others_choose() {
        let [external, _, quarantined, _] = shown("xyz");
        assert!(external.starts_with("211/xyz: "), "{external}");
        for field in [
            "operation 1xyz: sale",
            "(code xyz)",
            "at the platform: xyz",
            "units of xyz",
        ] {
            assert!(quarantined.contains(field), "{field}: {quarantined}");
        }
        assert!(quarantined.contains("in quarantine:"), "{quarantined}");
    }

    proptest! {
        #[test]
        fn no_text_of_others_adds_a_line_or_an_invisible_character(
            parts in proptest::collection::vec(
                prop_oneof![
                    any::<char>(),
                    proptest::sample::select(&[
                        '\n', '\r', '\t', '\u{1b}', '\u{9b}', '\u{85}', '\u{200b}', '\u{202e}', '\u{2028}', '\\',
                    ][..]),
                ],
                3..20,
            )
        ) {
            let text = String::from_iter(parts);
            let lines = |shown: &[String; 4]| shown.each_ref().map(|text| text.lines().count());
            let hostile = shown(&text);
            // An id that a path cannot carry has a line with its encoded form.
            let harmless = if path_id::to_path(&text) == text { "xyz" } else { "x/z" };
            prop_assert_eq!(lines(&hostile), lines(&shown(harmless)), "{:?}", hostile);
            for output in &hostile {
                prop_assert!(output.chars().all(|c| c == '\n' || is_visible(c)), "{}", output);
            }
        }
    }
}
