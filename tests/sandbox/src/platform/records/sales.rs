//! Defines the steps of a sale from the accepted request to the payment at the bank.

use ecommpay::fields::MinorUnits;
use time::OffsetDateTime;

use super::change::{Change, check};
use super::operation::{Money, Operation};
use super::payment::{Confirmation, Payment};
use super::requirement::Requirement;
use super::status::Status;
use crate::platform::messages::codes::{self, Code};

#[derive(Debug, Clone)]
pub struct SalePlan {
    /// If false, the sale stays in `processing`.
    pub redirect: bool,
    pub error: bool,
    /// The platform requests clarification of missing data.
    pub requirement: Requirement,
}

/// What the bank charges, and what messages show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The amount that is really charged, in minor units.
    pub moved: u64,
    pub sum_initial: Money,
    pub sum_converted: Money,
    pub payment_sum: Money,
    /// The status of a held payment.
    pub held: Option<Status>,
    /// With the confirmation procedure, the payment's first status.
    pub confirmation: Option<Status>,
}

impl Payment {
    /// Moves an accepted sale from `processing` to its next step. Refused if the sale is not in `processing`, if the
    /// payment is held, or if the plan has no next step.
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

    /// Declines an open sale at its time limit. Refused if the sale or the payment is decided, or if the payment is
    /// held.
    pub fn time_out(&mut self, sale_id: u64, now: OffsetDateTime) -> Result<Change, Code> {
        let sale = self.operation(sale_id)?;
        let is_open = self.status().is_open() && sale.status.is_open();
        check(is_open && self.held.is_none())?;
        self.set_status(sale_id, (Status::Decline, codes::TIME_OUT), now)
    }

    /// The shopper has cancelled at the bank.
    pub fn cancel(&mut self, now: OffsetDateTime) -> Result<Change, Code> {
        let id = self.sale_at_bank()?.id;
        self.set_status(id, (Status::Decline, codes::CANCELLED_BY_OWNER), now)
    }

    /// The shopper has paid at the bank.
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
            // The messages about a held payment show the ordered amount.
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
