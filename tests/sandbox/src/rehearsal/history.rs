//! Makes the events of a payment by the real rules: the records of the simulated platform make callbacks, and the
//! crate `payments` decides which events follow.

use std::time::Duration;

use anyhow::{Context, anyhow};
use ecommpay::answer::Answer;
use ecommpay::customer::CustomerDetails;
use ecommpay::fields::{Currency, LastName, MinorUnits, Text};
use payments::decide::{self, Command, Fact};
use payments::events::{Event, EventKind};
use payments::model::{self, Channel, Customer, Order, Verdict};
use payments::service::callback::verify;
use payments::{MerchantId, PaymentKey, Timestamp};

use super::shared::{Shared, is_wanted, later_release};
use crate::platform::messages;
use crate::platform::messages::codes::Code;
use crate::platform::records::{
    self, CURRENCY, Change, Charge, CreditingResult, FurtherSale, Money, RefundOrder,
    RefundReversal, Requirement, SaleOrder, SalePlan, Stamp, Status,
};

/// The amount of every payment, in minor units.
const AMOUNT: u64 = 1000;
const STEP: Duration = Duration::from_secs(60);
const CHECKOUT: Duration = Duration::from_secs(30 * 60);
/// The first step of a payment is this long ago, so that no date is in the future.
const START: Duration = Duration::from_secs(2 * 3_600);

/// A payment with its events.
pub struct History<'a> {
    shared: &'a Shared,
    order_id: MerchantId,
    records: records::Payment,
    payment: model::Payment,
    events: Vec<Event>,
    now: Timestamp,
}

impl<'a> History<'a> {
    pub fn new(shared: &'a Shared, order_id: MerchantId) -> anyhow::Result<Self> {
        let payment_id = shared.next_id()?;
        let now = Timestamp::now().before(START);
        let order = order(shared, &order_id, now.after(CHECKOUT))?;
        let command = Command::Create {
            project_id: shared.project_id,
            payment_id: &payment_id,
            order: &order,
        };
        let created = decide::execute(None, command, now);
        let created = created.map_err(|reason| anyhow!("No payment is created: {reason:?}"))?;
        let created = created.context("No payment is created")?;
        let sale = SaleOrder {
            payment_id: payment_id.as_str().to_owned(),
            amount: AMOUNT,
            ..SaleOrder::default()
        };
        let stamp = shared.stamp(now)?;
        let answer = accepted(&stamp.request_id);
        let mut history = Self {
            shared,
            order_id,
            records: records::Payment::with_sale(sale, String::new(), stamp),
            payment: created.payment,
            events: created.events,
            now,
        };
        let (attempt, answer) = (history.payment.attempt().number(), &answer);
        history.fact(Fact::SaleAnswer { attempt, answer });
        let plan = SalePlan {
            redirect: true,
            error: false,
            requirement: Requirement::default(),
        };
        history.platform(|records, stamp| records.proceed(&plan, stamp.now))?;
        Ok(history)
    }

    /// Creates another payment for the same order.
    pub fn same_order(&self) -> anyhow::Result<Self> {
        Self::new(self.shared, self.order_id.clone())
    }

    pub fn key(&self) -> PaymentKey {
        self.payment.key()
    }

    /// Returns the events that the queue `fulfilment` receives, in the order of their numbers.
    pub fn events(&self) -> Vec<Event> {
        let events = self.events.iter().filter(|event| is_wanted(event.kind));
        events.cloned().collect()
    }

    /// Returns the event `payment.created`, as a later release could send it: with a type and a field that this
    /// release does not know.
    pub fn of_unknown_type(&self) -> anyhow::Result<Event> {
        let created = self.events.first().context("The payment has no event")?;
        later_release(created, EventKind::of_stored("payment.rehearsed"))
    }

    pub fn pay(&mut self) -> anyhow::Result<&mut Self> {
        self.charge(AMOUNT, None)
    }

    /// The shopper pays another amount than ordered.
    pub fn pay_other_amount(&mut self) -> anyhow::Result<&mut Self> {
        self.charge(AMOUNT - 100, None)
    }

    /// The shopper pays, and the platform waits for the confirmation of the money.
    pub fn pay_unconfirmed(&mut self) -> anyhow::Result<&mut Self> {
        self.charge(AMOUNT, Some(Status::AwaitingConfirmation))?;
        self.platform(|records, stamp| records.begin_confirmation(stamp))
    }

    fn charge(&mut self, sum: u64, confirmation: Option<Status>) -> anyhow::Result<&mut Self> {
        let charge = Charge {
            moved: sum,
            sum_initial: Money::euros(AMOUNT),
            sum_converted: Money::euros(sum),
            payment_sum: Money::euros(sum),
            held: None,
            confirmation,
        };
        self.platform(|records, stamp| records.pay(charge, stamp.now))
    }

    pub fn confirm(&mut self, result: CreditingResult) -> anyhow::Result<&mut Self> {
        self.platform(|records, stamp| records.settle_confirmation(result, stamp.now))
    }

    pub fn decline(&mut self) -> anyhow::Result<&mut Self> {
        self.platform(|records, stamp| records.cancel(stamp.now))
    }

    /// A further sale of the payment succeeds.
    pub fn succeed_later(&mut self) -> anyhow::Result<&mut Self> {
        let request_id = self.records.sale().map(|sale| sale.request_id.clone());
        self.platform(|records, stamp| {
            let request_id = request_id.unwrap_or_default();
            let sale = FurtherSale {
                amount: None,
                status: Status::Success,
            };
            records.add_sale(
                sale,
                Stamp {
                    request_id,
                    ..stamp
                },
            )
        })
    }

    pub fn expire(&mut self) -> anyhow::Result<&mut Self> {
        self.now = self.now.after(CHECKOUT);
        self.execute(Command::Expire)
    }

    /// Refunds `amount`, or the whole remaining amount.
    pub fn refund(&mut self, amount: Option<u64>) -> anyhow::Result<&mut Self> {
        let refund_id = format!("r-{}", self.payment.refunds().len() + 1);
        let order = model::RefundOrder {
            refund_id: MerchantId::new(refund_id).context("The id of a refund is invalid")?,
            amount,
            description: Text::new("rehearsal")?,
            ip_address: None,
            content: String::new(),
        };
        self.execute(Command::Refund(&order))?;
        self.finish_refund()
    }

    /// The platform executes the last refund.
    fn finish_refund(&mut self) -> anyhow::Result<&mut Self> {
        let refund = self.payment.refunds().last();
        let refund = refund.context("The payment has no refund")?;
        let refund_id = refund.refund_id().context("The refund has no id")?.clone();
        let sum = Some((refund.amount(), CURRENCY.to_owned()));
        let stamp = self.stamp()?;
        let operation = stamp.operation_id;
        let answer = accepted(&stamp.request_id);
        let order = RefundOrder {
            sum,
            merchant_refund_id: Some(refund_id.as_str().to_owned()),
        };
        self.records.refund(order, stamp).map_err(refusal)?;
        self.fact(Fact::RefundAnswer {
            refund_id: &refund_id,
            answer: &answer,
        });
        self.platform(|records, stamp| {
            records.settle_refund(operation, &Requirement::default(), stamp.now)
        })
    }

    /// The bank takes the last refund back.
    pub fn return_refund(&mut self) -> anyhow::Result<&mut Self> {
        let last = self.records.operations.last();
        let refund = last.context("The payment has no refund")?.id;
        let reversal = RefundReversal {
            amount: None,
            with_merchant_refund_id: true,
        };
        self.platform(|records, stamp| records.reverse_refund(refund, reversal, stamp))
    }

    pub fn release(&mut self) -> anyhow::Result<&mut Self> {
        self.review(Verdict::Released)
    }

    /// An operator rejects the money, and the platform refunds it.
    pub fn reject(&mut self) -> anyhow::Result<&mut Self> {
        self.review(Verdict::Rejected)?.finish_refund()
    }

    fn review(&mut self, verdict: Verdict) -> anyhow::Result<&mut Self> {
        let items = &self.payment.quarantine();
        let by = "rehearsal";
        self.execute(Command::Review { verdict, by, items })
    }

    /// The service finds that `other` paid the order before.
    pub fn find_paid_twice(&mut self, other: &Self) -> &mut Self {
        let ids = &[other.payment.payment_id().to_owned()].into();
        self.fact(Fact::EarlierPayments { ids })
    }

    /// Changes the platform's records and receives the callback.
    fn platform(
        &mut self,
        change: impl FnOnce(&mut records::Payment, Stamp) -> Result<Change, Code>,
    ) -> anyhow::Result<&mut Self> {
        let stamp = self.stamp()?;
        let change = change(&mut self.records, stamp).map_err(refusal)?;
        let body = messages::callback(&self.shared.project, &change, None)?;
        let callback = verify(&body, &self.shared.keys);
        let callback = callback.map_err(|reason| anyhow!("A callback is refused: {reason:?}"))?;
        Ok(self.fact(callback.fact()))
    }

    fn fact(&mut self, fact: Fact<'_>) -> &mut Self {
        let change = decide::decide(Some(&self.payment), fact, self.now);
        self.apply(change)
    }

    fn execute(&mut self, command: Command<'_>) -> anyhow::Result<&mut Self> {
        self.now = self.now.after(STEP);
        let change = decide::execute(Some(&self.payment), command, self.now);
        let change = change.map_err(|reason| anyhow!("A command is refused: {reason:?}"))?;
        Ok(self.apply(change))
    }

    fn apply(&mut self, change: Option<decide::Change>) -> &mut Self {
        if let Some(change) = change {
            self.payment = change.payment;
            self.events.extend(change.events);
        }
        self
    }

    fn stamp(&mut self) -> anyhow::Result<Stamp> {
        self.now = self.now.after(STEP);
        self.shared.stamp(self.now)
    }
}

fn order(shared: &Shared, order_id: &MerchantId, expires_at: Timestamp) -> anyhow::Result<Order> {
    Ok(Order {
        storefront: shared.storefront.clone(),
        order_id: Some(order_id.clone()),
        amount: MinorUnits::for_sale(AMOUNT)?,
        currency: Currency::Eur,
        channel: Channel::Gate,
        return_url: Text::new("https://shop.example/")?,
        origins: [].into(),
        language: None,
        description: None,
        customer: Some(Customer {
            id: Text::new("rehearsal")?,
            ip_address: Text::new("192.0.2.1")?,
            last_name: Some(LastName::new("Janssens")?),
            details: CustomerDetails::default(),
        }),
        expires_at,
        content: String::new(),
    })
}

fn accepted(request_id: &str) -> Answer {
    let request_id = Some(request_id.to_owned());
    Answer::Accepted { request_id }
}

fn refusal(code: Code) -> anyhow::Error {
    anyhow!("The platform refuses a change: {}", code.message)
}
