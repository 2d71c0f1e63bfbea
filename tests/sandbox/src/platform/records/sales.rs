//! A sale from its request to the shopper's choice at the bank.

use ecommpay::fields::MinorUnits;
use time::OffsetDateTime;

use super::clarification::Requirement;
use super::clarifying::request_clarification;
use super::operation::{Money, Operation, OperationType};
use super::order::{SaleOrder, Stamp};
use super::payment::{Confirmation, Payment};
use super::status::Status;
use super::store::{Change, Records, check, set_status, update};
use crate::platform::messages::codes::{self, Code};

/// What a sale does after the first delay.
#[derive(Debug, Clone)]
pub struct SalePlan {
    /// Whether the bank returns redirect data.
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

/// The charge of the bank, and how messages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The amount that is really charged, in minor units.
    pub moved: u64,
    /// In messages.
    pub sum_initial: Money,
    /// In messages.
    pub sum_converted: Money,
    /// In messages.
    pub payment_sum: Money,
    /// The status in which the payment is held.
    pub held: Option<Status>,
    /// The payment's first status in the confirmation procedure.
    pub confirmation: Option<Status>,
}

impl Records {
    /// Accepts a sale.
    pub fn sale(&mut self, order: SaleOrder, token: String, stamp: Stamp) -> Result<(), Code> {
        self.check_is_free(&order.payment_id)?;
        let sale = Operation::new(OperationType::Sale, order.amount, stamp);
        self.add(Payment::new(order, token, sale));
        Ok(())
    }

    /// Moves an accepted sale to its next step. No change if the plan leaves it in `processing`.
    pub fn proceed(
        &mut self,
        payment_id: &str,
        plan: &SalePlan,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let sale = payment.sale().ok_or(codes::NOT_FOUND)?;
        check(sale.status == Status::Processing && payment.held.is_none())?;
        let id = sale.id;
        let next = if plan.error {
            (Status::Error, codes::VALIDATION)
        } else if payment.order.amount < MinorUnits::BANCONTACT_MIN {
            (Status::Decline, codes::OUTSIDE_LIMITS)
        } else if let Some(missing) = plan.requirement.clarification(&payment.customer_data()) {
            return request_clarification(payment, id, missing, now);
        } else {
            check(plan.redirect)?;
            (Status::AwaitingRedirect, codes::AWAITING)
        };
        set_status(payment, id, next, now)
    }

    /// Declines a sale at its time limit, if it is still open and the payment is not held.
    pub fn time_out(
        &mut self,
        payment_id: &str,
        sale_id: u64,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find(payment_id)?;
        let sale = payment.operation(sale_id).ok_or(codes::NOT_FOUND)?;
        let is_open = payment.status().is_open() && sale.status.is_open();
        check(is_open && payment.held.is_none())?;
        set_status(payment, sale_id, (Status::Decline, codes::TIME_OUT), now)
    }

    /// Applies the shopper's choice at the bank, while the bank's page is open.
    pub fn choose(
        &mut self,
        token: &str,
        choice: Choice,
        now: OffsetDateTime,
    ) -> Result<Change, Code> {
        let payment = self.find_by_token(token)?;
        let sale = payment.sale().ok_or(codes::STATUS_FORBIDS)?;
        // After an error, an id can belong to a newer payment with another page.
        check(sale.status == Status::AwaitingRedirect && payment.token == token)?;
        let id = sale.id;
        match choice {
            Choice::Decline => {
                let declined = (Status::Decline, codes::CANCELLED_BY_OWNER);
                set_status(payment, id, declined, now)
            }
            Choice::Pay(charge) => {
                update(payment, id, now, |payment| pay(payment, id, charge, now))
            }
        }
    }
}

fn pay(payment: &mut Payment, sale_id: u64, charge: Charge, now: OffsetDateTime) {
    payment.held = charge.held;
    payment.confirmation = charge.confirmation.map(|first_status| Confirmation {
        first_status,
        reverses: false,
    });
    if charge.held.is_none() {
        payment.currency = charge.payment_sum.currency;
    }
    let Some(sale) = payment.operation_mut(sale_id) else {
        return;
    };
    sale.moved = charge.moved;
    match charge.held {
        // Messages show the ordered amount until support has decided about the other one.
        Some(status) => sale.set_status(status, codes::AWAITING, now),
        None => {
            sale.counted = charge.payment_sum.amount;
            sale.sum_initial = charge.sum_initial;
            sale.sum_converted = charge.sum_converted;
            sale.set_status(Status::Success, codes::SUCCESS, now);
        }
    }
}
