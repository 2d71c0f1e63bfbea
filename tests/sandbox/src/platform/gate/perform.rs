//! Carries out sale, refund and clarification requests.

use std::sync::Arc;

use time::OffsetDateTime;

use super::refusal::Refusal;
use super::request::GateRequest;
use super::validation;
use crate::platform::messages::codes::Code;
use crate::platform::records::{OperationType, Payment, RefundOrder, Stamp, Status};
use crate::platform::shared::Shared;
use crate::platform::timers;

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
    let (sale_id, token) = (stamp.operation_id, state.ids.secret());
    state.records.add(Payment::with_sale(order, token, stamp))?;
    drop(state);
    timers::continue_sale(shared, payment_id);
    timers::start_sale_limit(shared, payment_id, sale_id);
    Ok(())
}

pub fn clarification(
    shared: &Arc<Shared>,
    request: &GateRequest,
    payment_id: &str,
) -> Result<(), Refusal> {
    let rules = shared.state().faults.of(payment_id).customer_rules();
    let data = validation::clarification(request, &rules)?;
    let now = OffsetDateTime::now_utc();
    let change = shared
        .state()
        .records
        .find(payment_id)?
        .clarify(&data, now)?;
    match (change.operation.kind, change.operation.status) {
        (_, Status::AwaitingClarification) => timers::publish(shared, change),
        (OperationType::Sale, _) => timers::continue_sale(shared, payment_id),
        _ => timers::continue_refund(shared, payment_id, change.operation.id),
    }
    Ok(())
}

/// Accepts a refund that the merchant has requested from Gate or in the Dashboard.
pub fn refund(
    shared: &Arc<Shared>,
    payment_id: &str,
    order: RefundOrder,
    stamp: Stamp,
) -> Result<(), Code> {
    let refund_id = stamp.operation_id;
    shared
        .state()
        .records
        .find(payment_id)?
        .refund(order, stamp)?;
    timers::begin_refund(shared, payment_id, refund_id);
    Ok(())
}
