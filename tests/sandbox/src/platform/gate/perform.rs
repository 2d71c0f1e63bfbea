//! Carries out requests that are valid.

use std::sync::Arc;

use time::OffsetDateTime;

use super::refusal::Refusal;
use super::request::GateRequest;
use super::validation;
use crate::platform::messages::codes::Code;
use crate::platform::records::{Clarified, RefundOrder, Stamp};
use crate::platform::shared::Shared;
use crate::platform::{callbacks, timers};

/// Carries out a sale request.
pub fn sale(
    shared: &Arc<Shared>,
    request: &GateRequest,
    payment_id: &str,
    request_id: &str,
) -> Result<(), Refusal> {
    let rules = shared.state().faults.of(payment_id).customer_rules();
    let order = validation::sale(request, payment_id.to_owned(), &rules)?;
    let mut state = shared.state();
    let stamp = state.ids.stamp_of(request_id);
    let (operation_id, token) = (stamp.operation_id, state.ids.secret());
    state.records.sale(order, token, stamp)?;
    drop(state);
    timers::sale_accepted(shared, payment_id, operation_id);
    Ok(())
}

/// Carries out a clarification request.
pub fn clarification(
    shared: &Arc<Shared>,
    request: &GateRequest,
    payment_id: &str,
) -> Result<(), Refusal> {
    let rules = shared.state().faults.of(payment_id).customer_rules();
    let data = validation::clarification(request, &rules)?;
    let now = OffsetDateTime::now_utc();
    let clarified = shared.state().records.clarify(payment_id, &data, now)?;
    match clarified {
        Clarified::SaleContinues => timers::continue_sale(shared, payment_id),
        Clarified::RefundContinues(operation_id) => {
            timers::continue_refund(shared, payment_id, operation_id);
        }
        Clarified::Incomplete(change) => {
            timers::start_clarification_limit(shared, &change);
            callbacks::send(shared, *change);
        }
    }
    Ok(())
}

/// Accepts a refund from a merchant or from the Dashboard.
pub fn refund(shared: &Arc<Shared>, order: RefundOrder, stamp: Stamp) -> Result<(), Code> {
    let payment_id = order.payment_id.clone();
    let operation_id = stamp.operation_id;
    shared.state().records.refund(order, stamp)?;
    timers::refund_accepted(shared, &payment_id, operation_id);
    Ok(())
}
