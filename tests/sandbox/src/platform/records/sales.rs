//! A sale from its request to the shopper's choice at the bank.

use ecommpay::fields::MinorUnits;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{Change, Records, begin, enter, key, update};
use crate::platform::clarification::{Question, Requirement, merge};
use crate::platform::codes::{self, Code};
use crate::platform::operation::{Kind, Money, Operation, Status};
use crate::platform::order::{Marks, SaleOrder};
use crate::platform::payment::{Confirmation, Payment};

/// What a sale does after the first pause.
#[derive(Debug, Clone)]
pub struct SalePlan {
    /// Whether the bank gives out an address for the browser.
    pub redirect: bool,
    /// Whether the sale ends in `error`.
    pub error: bool,
    /// The data that it needs first.
    pub requirement: Requirement,
}

/// What the shopper does at the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Pays.
    Pay(Charge),
    /// Cancels.
    Decline,
}

/// What the bank takes, and what messages say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The amount that is really taken, in minor units.
    pub moved: u64,
    /// As messages show it.
    pub sum_initial: Money,
    /// As messages show it.
    pub sum_converted: Money,
    /// As messages show it.
    pub payment_sum: Money,
    /// The status in which the payment is held for support.
    pub held: Option<Status>,
    /// The payment's first status in the confirmation procedure.
    pub confirmation: Option<Status>,
}

/// The effect of a clarification request.
#[derive(Debug)]
pub enum Clarified {
    /// Data is still missing.
    PollResult(Box<Change>),
    /// The sale is in `processing` again.
    SaleContinues,
    /// The refund with this number is in `processing` again.
    RefundContinues(u64),
}

impl Records {
    /// Takes a sale. An id can be used again only after `error`.
    pub fn sale(&mut self, order: SaleOrder, token: String, marks: Marks) -> Result<(), Code> {
        self.check_is_free(&order.payment_id)?;
        let sale = Operation::new(Kind::Sale, order.amount, marks);
        self.add(Payment::new(order, token, sale));
        Ok(())
    }

    /// Takes an accepted sale one step on, if it is still in `processing`.
    pub fn proceed(&mut self, id: &str, plan: &SalePlan, now: OffsetDateTime) -> Option<Change> {
        let payment = self.payments.get_mut(&key(id))?;
        let sale = payment.sale()?;
        if sale.status != Status::Processing || payment.held.is_some() {
            return None;
        }
        let sale_id = sale.id;
        let next = if plan.error {
            (Status::Error, codes::VALIDATION)
        } else if payment.order.amount < MinorUnits::BANCONTACT_MIN {
            (Status::Decline, codes::OUTSIDE_LIMITS)
        } else if let Some(question) = plan.requirement.question(&payment.customer_data()) {
            return ask(payment, sale_id, question, now);
        } else if plan.redirect {
            (Status::AwaitingRedirect, codes::AWAITING)
        } else {
            return None;
        };
        enter(payment, sale_id, next, now)
    }

    /// Takes the data of a clarification request. It names only the payment, so the oldest question is answered.
    pub fn clarify(
        &mut self,
        payment_id: &str,
        brought: &Map<String, Value>,
        now: OffsetDateTime,
    ) -> Result<Clarified, Code> {
        let payment = self.find(payment_id)?;
        let asking = payment.asking().ok_or(codes::STATUS_FORBIDS)?;
        let (id, is_sale) = (asking.id, asking.kind == Kind::Sale);
        let asked = asking.question.clone();
        let data = if is_sale {
            let mut data = payment.customer_data();
            merge(&mut data, brought);
            if let Some(Value::Object(customer)) = data.get("customer") {
                payment.order.customer = customer.clone();
            }
            data
        } else {
            let operation = payment.operation_mut(id).ok_or(codes::STATUS_FORBIDS)?;
            merge(&mut operation.data, brought);
            operation.data.clone()
        };
        let question = asked.and_then(|asked| asked.requirement.question(&data));
        if let Some(question) = question {
            let asked = ask(payment, id, question, now).ok_or(codes::STATUS_FORBIDS)?;
            return Ok(Clarified::PollResult(Box::new(asked)));
        }
        enter(payment, id, (Status::Processing, codes::AWAITING), now);
        Ok(match is_sale {
            true => Clarified::SaleContinues,
            false => Clarified::RefundContinues(id),
        })
    }

    /// Declines an operation whose data has not come, if that round is still open.
    pub fn clarification_over(
        &mut self,
        payment_id: &str,
        (operation_id, round): (u64, u32),
        now: OffsetDateTime,
    ) -> Option<Change> {
        let payment = self.payments.get_mut(&key(payment_id))?;
        let operation = payment.operation(operation_id)?;
        let open = operation.status == Status::AwaitingClarification && operation.round == round;
        let declined = (Status::Decline, codes::NEED_CLARIFICATION);
        open.then(|| enter(payment, operation_id, declined, now))?
    }

    /// Declines a sale that has stayed open for as long as the method allows. A held payment waits for support.
    pub fn time_over(&mut self, sale_id: u64, id: &str, now: OffsetDateTime) -> Option<Change> {
        let payment = self.payments.get_mut(&key(id))?;
        let is_open = payment.status().is_open() && payment.held.is_none();
        let open = is_open && payment.operation(sale_id)?.status.is_open();
        open.then(|| enter(payment, sale_id, (Status::Decline, codes::TIME_OUT), now))?
    }

    /// The shopper's choice at the bank. No change if the page is not open (any more).
    pub fn choose(&mut self, token: &str, choice: Choice, now: OffsetDateTime) -> Option<Change> {
        let payment = self.payments.get_mut(self.by_token.get(token)?)?;
        let sale = payment.sale()?;
        if sale.status != Status::AwaitingRedirect || payment.token != token {
            return None;
        }
        let id = sale.id;
        match choice {
            Choice::Decline => enter(
                payment,
                id,
                (Status::Decline, codes::CANCELLED_BY_OWNER),
                now,
            ),
            Choice::Pay(charge) => update(payment, id, now, |payment| pay(payment, charge, now)),
        }
    }

    /// Adds a further sale to a payment that has one: a second charge, or another try of a cascade.
    pub fn further_sale(
        &mut self,
        payment_id: &str,
        amount: Option<u64>,
        status: Status,
        marks: Marks,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        if payment.sale().is_none() || payment.status() == Status::Error {
            return Err(codes::STATUS_FORBIDS);
        }
        let now = marks.now;
        let amount = amount.unwrap_or(payment.order.amount);
        let mut sale = Operation::new(Kind::Sale, amount, marks);
        sale.enter(status, result_code(status), now);
        begin(payment, sale).ok_or(codes::NOT_FOUND)
    }

    /// Ends a further sale that is undecided.
    pub fn end_further_sale(
        &mut self,
        payment_id: &str,
        operation_id: u64,
        status: Status,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let operation = payment.operation(operation_id).ok_or(codes::NOT_FOUND)?;
        let is_further = payment.sale().is_some_and(|sale| sale.id != operation_id);
        let is_open = operation.kind == Kind::Sale && operation.status == Status::Processing;
        if !is_open || !is_further {
            return Err(codes::STATUS_FORBIDS);
        }
        let next = (status, result_code(status));
        enter(payment, operation_id, next, now).ok_or(codes::NOT_FOUND)
    }
}

/// The code that goes with a status.
pub fn result_code(status: Status) -> Code {
    match status {
        Status::Success => codes::SUCCESS,
        Status::Decline => codes::CANCELLED_BY_OWNER,
        _ => codes::AWAITING,
    }
}

/// Puts a question about an operation.
pub fn ask(
    payment: &mut Payment,
    operation_id: u64,
    question: Question,
    now: OffsetDateTime,
) -> Option<Change> {
    update(payment, operation_id, now, |payment| {
        if let Some(operation) = payment.operation_mut(operation_id) {
            operation.ask(question, now);
        }
    })
}

fn pay(payment: &mut Payment, charge: Charge, now: OffsetDateTime) {
    payment.held = charge.held;
    payment.confirmation = charge.confirmation.map(|first_status| Confirmation {
        first_status,
        reverses: false,
    });
    let sales = payment.operations.iter_mut();
    let Some(sale) = sales
        .into_iter()
        .find(|operation| operation.kind == Kind::Sale)
    else {
        return;
    };
    sale.moved = charge.moved;
    match charge.held {
        // Messages show the ordered amount until support has settled the other one.
        Some(status) => sale.enter(status, codes::AWAITING, now),
        None => {
            sale.counted = charge.payment_sum.amount;
            sale.sum_initial = charge.sum_initial;
            sale.sum_converted = charge.sum_converted;
            payment.currency = charge.payment_sum.currency;
            sale.enter(Status::Success, codes::SUCCESS, now);
        }
    }
}
