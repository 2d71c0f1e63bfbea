//! Derives the state of each refund from its operations, or else from its Gate request.

use std::collections::BTreeSet;

use ecommpay::operation::Outcome;

use super::attribution::RefundKey;
use super::refund::Refund;
use super::refund_status::RefundStatus;
use crate::model::attempt::gate_request::GateRequest;
use crate::model::ledger::RefundAmounts;
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;
use crate::model::reported::request_ids::RequestIds;
use crate::model::timestamp::Timestamp;

/// Up to this number, all refunds of ours keep their Gate request. Beyond it, an ended refund loses its request if
/// reports contain the same data.
const MAX_WITH_REQUEST: usize = 50;

/// Up to this size of all descriptions in bytes, ended refunds keep the data of their Gate request.
const MAX_DESCRIPTION_BYTES: usize = 8 * 1_024;

/// The code of an operation that was declined because its `merchant_refund_id` exists already.
pub(crate) const DUPLICATE_REFUND: &str = "3230";

struct RefundState {
    status: RefundStatus,
    code: Option<String>,
    /// The `operation.id` of the operation that decides the status, and its amount.
    operation: Option<(String, u64)>,
    returned_amount: u64,
    /// Whether an operation names both the refund and its Gate request.
    is_request_reported: bool,
}

impl RefundState {
    /// Stores the state in the refund. `has_many` says whether the payment has more than [`MAX_WITH_REQUEST`] refunds
    /// of ours. `keeps_request_data` says whether an ended refund keeps the data of its Gate request.
    fn store(self, refund: &mut Refund, has_many: bool, keeps_request_data: bool) {
        (refund.status, refund.code) = (self.status, self.code);
        refund.returned_amount = self.returned_amount;
        match (self.operation, &refund.refund_id) {
            (Some((id, amount)), own) => {
                let requested = refund.requested_amount();
                let is_true = own.is_none() || self.status.has_succeeded();
                refund.amount = if is_true { amount } else { requested };
                refund.requested_amount =
                    Some(requested).filter(|_| own.is_some() && refund.amount != requested);
                refund.operation_id = Some(id);
            }
            (None, Some(_)) => {
                refund.amount = refund.requested_amount();
                (refund.requested_amount, refund.operation_id) = (None, None);
            }
            (None, None) => {}
        }
        if !refund.status.is_reserved() {
            if !keeps_request_data {
                refund.erase_request_data();
                refund.repeated = false;
            }
            if self.is_request_reported && has_many {
                refund.request = GateRequest::NotSent;
            }
        }
    }
}

impl Payment {
    /// Updates the state of each refund, and adds external refunds. Removes an external refund whose operation turns
    /// out to belong to a refund of ours.
    pub(in crate::model) fn update_refunds(&mut self, at: Timestamp) {
        let polls_sent = self.polling.polls_sent();
        for refund in &mut self.refunds {
            refund.request.time_out(polls_sent, at);
        }
        let amounts = RefundAmounts::of(self);
        let (mut operations, returns) = self.attributed(&amounts);
        let attributed: BTreeSet<&String> = returns.values().flatten().collect();
        for (id, operation) in self.successful_returns() {
            // A return without an amount in the payment's currency causes only a quarantine item.
            if !attributed.contains(id) && amounts.of_operation(id, operation) > 0 {
                operations.insert(RefundKey::External(id.clone()), vec![id.clone()]);
            }
        }
        let (refunds, former) = (&mut self.refunds, &mut self.former_refunds);
        refunds.retain(|refund| {
            let is_kept =
                refund.refund_id().is_some() || operations.contains_key(&RefundKey::of(refund));
            if !is_kept {
                former.remember(refund);
            }
            is_kept
        });
        let known: BTreeSet<RefundKey> = refunds.iter().map(RefundKey::of).collect();
        for key in operations.keys().filter(|key| !known.contains(key)) {
            if let RefundKey::External(id) = key {
                let mut refund = Refund::external(id, at);
                if let Some(emitted) = former.take(id) {
                    *refund.emitted_mut() = emitted;
                }
                refunds.push(refund);
            }
        }
        let amounts = RefundAmounts::of(self);
        let states: Vec<RefundState> = self
            .refunds
            .iter()
            .map(|refund| {
                let key = RefundKey::of(refund);
                let state = match operations.get(&key) {
                    Some(ids) => self.state_by_operations(refund, ids, &amounts, at),
                    None => self.state_by_request(refund, at),
                };
                let returns = returns.get(&key).map_or(&[][..], Vec::as_slice);
                self.with_returns(state, returns, &amounts)
            })
            .collect();
        let requested = self.refunds.iter().filter(|one| one.refund_id().is_some());
        let has_many = requested.count() > MAX_WITH_REQUEST;
        let descriptions = self.refunds.iter().filter_map(Refund::description);
        let bytes: usize = descriptions.map(|text| text.as_str().len()).sum();
        let customer = self
            .order
            .as_ref()
            .and_then(|order| order.customer.as_ref());
        // A later report can open an ended refund again.
        let keeps_request_data = customer.is_some() && !has_many && bytes <= MAX_DESCRIPTION_BYTES;
        for (refund, state) in self.refunds.iter_mut().zip(states) {
            state.store(refund, has_many, keeps_request_data);
        }
    }

    /// Derives the state from the operations, which can be several tries of one refund. The newest try with the
    /// greatest weight decides: a success, then a try that can still succeed, then a decline.
    fn state_by_operations(
        &self,
        refund: &Refund,
        ids: &[String],
        amounts: &RefundAmounts<'_>,
        at: Timestamp,
    ) -> RefundState {
        let is_undecided = |one: &Operation| self.may_succeed_after_decline(refund, one, at);
        let weight = |operation: &Operation| match operation.outcome() {
            Outcome::Declined if !is_undecided(operation) => 0,
            Outcome::Declined | Outcome::Pending => 1,
            Outcome::Succeeded => 2,
        };
        // A try of ours that was declined as a duplicate does not decide. An external refund has no other try, so its
        // decline counts.
        let is_duplicate = |operation: &Operation| {
            refund.refund_id().is_some() && operation.is_declined_duplicate()
        };
        let tries = || {
            let operations = ids.iter().filter_map(|id| Some((id, self.operation(id)?)));
            operations.filter(|(_, operation)| !is_duplicate(operation))
        };
        let deciding =
            tries().max_by_key(|(_, operation)| (weight(operation), operation.report_order()));
        let Some((id, deciding)) = deciding else {
            return self.state_by_request(refund, at);
        };
        let is_return = deciding.is_refund_reversal();
        let (status, code) = match deciding.outcome() {
            _ if is_return => (RefundStatus::Returned, None),
            Outcome::Succeeded => (RefundStatus::Succeeded, None),
            Outcome::Declined if is_undecided(deciding) => match refund.refund_id() {
                Some(_) => (RefundStatus::Unknown, None),
                None => (RefundStatus::Pending, None),
            },
            Outcome::Declined => (RefundStatus::Declined, deciding.code().map(str::to_owned)),
            Outcome::Pending => (RefundStatus::Pending, None),
        };
        let request_id = refund.request.request_id();
        let request_ids = RequestIds::one(request_id);
        let reports_request = |operation: &Operation| {
            let is_same = request_id.is_none() || request_ids.are_named_by(operation);
            operation.merchant_refund_id().is_some() && is_same
        };
        let amount = amounts.of_operation(id, deciding);
        RefundState {
            status,
            code,
            returned_amount: if is_return { amount } else { 0 },
            operation: Some((id.clone(), amount)),
            is_request_reported: tries().any(|(_, operation)| reports_request(operation)),
        }
    }

    fn state_by_request(&self, refund: &Refund, at: Timestamp) -> RefundState {
        let code = self.refusal_of_refund(&refund.request).map(str::to_owned);
        let status = match code {
            Some(_) => RefundStatus::Declined,
            None if self.has_unknown_outcome(refund, at) || refund.request.is_repeat() => {
                RefundStatus::Unknown
            }
            None => RefundStatus::Pending,
        };
        RefundState {
            status,
            code,
            operation: None,
            returned_amount: 0,
            is_request_reported: false,
        }
    }

    /// Adds the returned amount. If the whole amount was returned, the status is `returned`.
    fn with_returns(
        &self,
        state: RefundState,
        returns: &[String],
        amounts: &RefundAmounts<'_>,
    ) -> RefundState {
        let returned_amount = returns
            .iter()
            .filter_map(|id| Some(amounts.of_operation(id, self.operation(id)?)))
            .fold(0, u64::saturating_add);
        if returned_amount == 0 {
            return state;
        }
        let amount = state.operation.as_ref().map_or(0, |(_, amount)| *amount);
        let is_whole = state.status == RefundStatus::Succeeded && returned_amount >= amount;
        RefundState {
            status: match is_whole {
                true => RefundStatus::Returned,
                false => state.status,
            },
            returned_amount,
            ..state
        }
    }
}
