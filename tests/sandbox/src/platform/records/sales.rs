//! Makes the steps of a sale from the accepted request until the shopper pays or cancels at the bank.

use ecommpay::fields::MinorUnits;
use time::OffsetDateTime;

use super::change::{Change, check};
use super::operation::{Money, Operation};
use super::payment::{Confirmation, Payment};
use super::requirement::Requirement;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

/// How an accepted sale continues.
#[derive(Debug, Clone)]
pub struct SalePlan {
    /// Whether the bank returns redirect data. Without redirect data, the sale stays in `processing`.
    pub redirect: bool,
    /// Whether the sale ends in `error`.
    pub error: bool,
    /// The customer's data that the sale needs. If a part is missing, the platform requests clarification.
    pub requirement: Requirement,
}

/// The amount that the bank charges the shopper, and the sums that messages of the platform show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The amount that is really charged, in minor units.
    pub moved: u64,
    /// `operation.sum_initial` in messages.
    pub sum_initial: Money,
    /// `operation.sum_converted` in messages.
    pub sum_converted: Money,
    /// `payment.sum` in messages.
    pub payment_sum: Money,
    /// The status in which the platform holds the payment; `None` if the payment is not held.
    pub held: Option<Status>,
    /// The payment's first status in the confirmation procedure; `None` without the procedure.
    pub confirmation: Option<Status>,
}

impl Payment {
    /// Moves an accepted sale from `processing` to its next step.
    ///
    /// Returns a refusal if the sale is not in `processing`, the payment is held, or the plan has no redirect.
    pub fn proceed(&mut self, plan: &SalePlan, now: OffsetDateTime) -> Result<Change, Code> {
        let sale = self.sale().ok_or(codes::STATUS_FORBIDS)?;
        check(sale.status == Status::Processing && self.held.is_none())?;
        let id = sale.id;
        let next = if plan.error {
            (Status::Error, codes::VALIDATION)
        } else if self.order.amount < MinorUnits::BANCONTACT_MIN {
            (Status::Decline, codes::OUTSIDE_LIMITS)
        } else if let Some(missing) = plan.requirement.clarification(&self.customer_data()) {
            return self.request_clarification(id, missing, now);
        } else {
            check(plan.redirect)?;
            (Status::AwaitingRedirect, codes::AWAITING)
        };
        self.set_status(id, next, now)
    }

    /// Declines a sale at its time limit, if the sale and the payment are still open and the payment is not held.
    pub fn time_out(&mut self, sale_id: u64, now: OffsetDateTime) -> Result<Change, Code> {
        let sale = self.operation(sale_id)?;
        let is_open = self.status().is_open() && sale.status.is_open();
        check(is_open && self.held.is_none())?;
        self.set_status(sale_id, (Status::Decline, codes::TIME_OUT), now)
    }

    /// Declines the sale, because the shopper has canceled at the bank.
    pub fn cancel(&mut self, now: OffsetDateTime) -> Result<Change, Code> {
        let id = self.sale_at_bank()?.id;
        self.set_status(id, (Status::Decline, codes::CANCELLED_BY_OWNER), now)
    }

    /// Applies the charge, because the shopper has paid at the bank.
    pub fn pay(&mut self, charge: Charge, now: OffsetDateTime) -> Result<Change, Code> {
        let id = self.sale_at_bank()?.id;
        self.change(id, now, |payment| {
            payment.held = charge.held;
            payment.confirmation = charge.confirmation.map(|first_status| Confirmation {
                first_status,
                reverses: false,
            });
            let Some(sale) = payment.operation_mut(id) else {
                return;
            };
            sale.moved = charge.moved;
            // Messages show the ordered amount until the platform's support has decided about a held payment.
            if let Some(status) = charge.held {
                return sale.set_status(status, codes::AWAITING, now);
            }
            sale.counted = charge.payment_sum.amount;
            sale.sum_initial = charge.sum_initial;
            sale.sum_converted = charge.sum_converted;
            sale.set_status(Status::Success, codes::SUCCESS, now);
            payment.currency = charge.payment_sum.currency;
        })
    }

    fn sale_at_bank(&self) -> Result<&Operation, Code> {
        let sale = self.sale().ok_or(codes::STATUS_FORBIDS)?;
        check(sale.status == Status::AwaitingRedirect)?;
        Ok(sale)
    }
}
