//! The platform's books: payments, operations and refunds as a pure state machine.
//!
//! Time and ids come from outside; what changed goes out as [`News`], from which a callback is made.

use std::collections::{BTreeMap, HashMap};

use ecommpay::fields::MinorUnits;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::codes::{self, Code};
use super::payment::{Kind, Marks, Operation, Payment, RefundOrder, SaleOrder, Status};

/// The only currency of Bancontact.
pub const CURRENCY: &str = "EUR";

/// All payments of the project.
#[derive(Debug, Default)]
pub struct Books {
    payments: BTreeMap<String, Payment>,
    by_bank_token: HashMap<String, String>,
}

/// A change: the payment after it, and the operation that it is about.
#[derive(Debug, Clone)]
pub struct News {
    /// The payment after the change.
    pub payment: Payment,
    /// The operation that changed.
    pub operation: Operation,
}

/// What a sale does when its first pause is over.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// Whether the bank gives out an address for the browser.
    pub redirect: bool,
    /// Whether the sale ends in `error`.
    pub error: bool,
}

/// What the shopper does at the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Pays this amount in minor units.
    Pay(u64),
    /// Cancels.
    Decline,
}

/// The form of a payment id that two spellings of one id share.
pub fn key(payment_id: &str) -> String {
    payment_id.to_lowercase()
}

impl Books {
    /// The payment with this id, in any spelling.
    pub fn payment(&self, payment_id: &str) -> Option<&Payment> {
        self.payments.get(&key(payment_id))
    }

    /// All payments, by id.
    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payments.values()
    }

    /// The payment behind a page of the bank.
    pub fn at_bank(&self, token: &str) -> Option<&Payment> {
        self.payments.get(self.by_bank_token.get(token)?)
    }

    /// Takes a sale. An id can be used again only after `error`.
    pub fn sale(&mut self, order: SaleOrder, token: String, marks: Marks) -> Result<(), Code> {
        let key = key(&order.payment_id);
        let earlier = self.payments.get(&key);
        if earlier.is_some_and(|payment| payment.status != Status::Error) {
            return Err(codes::PAYMENT_EXISTS);
        }
        let payment = Payment {
            status: Status::Processing,
            date: marks.now,
            sale: Operation::new(Kind::Sale, order.amount, marks),
            refunds: Vec::new(),
            bank_token: token.clone(),
            round: 0,
            order,
        };
        self.by_bank_token.insert(token, key.clone());
        self.payments.insert(key, payment);
        Ok(())
    }

    /// Takes an accepted sale one step on, if it is still in `processing`.
    pub fn proceed(&mut self, payment_id: &str, way: Way, now: OffsetDateTime) -> Option<News> {
        let payment = self.payments.get_mut(&key(payment_id))?;
        if payment.status != Status::Processing {
            return None;
        }
        let (status, code) = if way.error {
            (Status::Error, codes::VALIDATION)
        } else if payment.order.amount < MinorUnits::BANCONTACT_MIN {
            (Status::Decline, codes::OUTSIDE_LIMITS)
        } else if payment.lacks_last_name() {
            payment.round += 1;
            (Status::AwaitingClarification, codes::NEED_CLARIFICATION)
        } else if way.redirect {
            (Status::AwaitingRedirect, codes::AWAITING)
        } else {
            return None;
        };
        Some(settle_sale(payment, status, code, now))
    }

    /// Takes the data of a clarification request. There is news if something is still missing;
    /// without news the sale is in `processing` again.
    pub fn clarify(
        &mut self,
        payment_id: &str,
        customer: &Map<String, Value>,
        now: OffsetDateTime,
    ) -> Result<Option<News>, Code> {
        let payment = self.payments.get_mut(&key(payment_id));
        let payment = payment.ok_or(codes::NOT_FOUND)?;
        if payment.status != Status::AwaitingClarification {
            return Err(codes::STATUS_FORBIDS);
        }
        let brought = customer.iter().map(|(k, v)| (k.clone(), v.clone()));
        payment.order.customer.extend(brought);
        payment.round += 1;
        if payment.lacks_last_name() {
            let (status, code) = (Status::AwaitingClarification, codes::NEED_CLARIFICATION);
            return Ok(Some(settle_sale(payment, status, code, now)));
        }
        settle_sale(payment, Status::Processing, codes::AWAITING, now);
        Ok(None)
    }

    /// Declines a sale whose data has not come, if that round is still open.
    pub fn clarification_over(
        &mut self,
        payment_id: &str,
        round: u32,
        now: OffsetDateTime,
    ) -> Option<News> {
        let payment = self.payments.get_mut(&key(payment_id))?;
        let open = payment.status == Status::AwaitingClarification && payment.round == round;
        open.then(|| settle_sale(payment, Status::Decline, codes::NEED_CLARIFICATION, now))
    }

    /// Declines a sale that has stayed open for as long as the method allows.
    pub fn time_over(&mut self, operation_id: u64, id: &str, now: OffsetDateTime) -> Option<News> {
        let payment = self.payments.get_mut(&key(id))?;
        let open = payment.status.is_open() && payment.sale.id == operation_id;
        open.then(|| settle_sale(payment, Status::Decline, codes::TIME_OUT, now))
    }

    /// What the shopper does at the bank. No news if the page is not open (any more).
    pub fn choose(&mut self, token: &str, choice: Choice, now: OffsetDateTime) -> Option<News> {
        let payment = self.payments.get_mut(self.by_bank_token.get(token)?)?;
        if payment.status != Status::AwaitingRedirect || payment.bank_token != token {
            return None;
        }
        let (status, code) = match choice {
            Choice::Pay(amount) => {
                payment.sale.moved = amount;
                (Status::Success, codes::SUCCESS)
            }
            Choice::Decline => (Status::Decline, codes::CANCELLED_BY_OWNER),
        };
        Some(settle_sale(payment, status, code, now))
    }

    /// Takes a refund, which [`Books::settle_refund`] will carry out or decline.
    ///
    /// A repeat is named as such even when nothing is left: its sender asks what became of the
    /// first request. An amount above what is left is no reason to refuse the request.
    pub fn refund(&mut self, order: RefundOrder, marks: Marks) -> Result<(), Code> {
        let payment = self.payments.get_mut(&key(&order.payment_id));
        let payment = payment.ok_or(codes::NOT_FOUND)?;
        let repeats = |refund: &Operation| {
            refund.merchant_refund_id.is_some()
                && refund.merchant_refund_id == order.merchant_refund_id
        };
        if payment.refunds.iter().any(repeats) {
            return Err(codes::REFUND_EXISTS);
        }
        if !payment.is_refundable() {
            return Err(codes::STATUS_FORBIDS);
        }
        let amount = match order.sum {
            None => payment.left(),
            Some((amount, currency)) if currency == CURRENCY => amount,
            Some(_) => return Err(codes::REFUND_CURRENCY),
        };
        let mut refund = Operation::new(Kind::Refund, amount, marks);
        refund.merchant_refund_id = order.merchant_refund_id;
        payment.refunds.push(refund);
        Ok(())
    }

    /// Carries out an accepted refund, or declines it when it is above what is left.
    pub fn settle_refund(
        &mut self,
        payment_id: &str,
        operation_id: u64,
        now: OffsetDateTime,
    ) -> Option<News> {
        let payment = self.payments.get_mut(&key(payment_id))?;
        let left = payment.left();
        let refund = payment.refunds.iter_mut();
        let refund = refund
            .filter(|refund| refund.status == Status::Processing)
            .find(|refund| refund.id == operation_id)?;
        if refund.amount == 0 || refund.amount > left {
            refund.enter(Status::Decline, codes::REFUND_TOO_LARGE, now);
        } else {
            refund.enter(Status::Success, codes::SUCCESS, now);
            payment.date = now;
            payment.status = if refund.amount == left {
                Status::Refunded
            } else {
                Status::PartiallyRefunded
            };
        }
        let operation = refund.clone();
        let payment = payment.clone();
        Some(News { payment, operation })
    }
}

fn settle_sale(payment: &mut Payment, status: Status, code: Code, now: OffsetDateTime) -> News {
    payment.status = status;
    payment.date = now;
    payment.sale.enter(status, code, now);
    News {
        payment: payment.clone(),
        operation: payment.sale.clone(),
    }
}

#[cfg(test)]
#[path = "books_tests.rs"]
mod tests;
