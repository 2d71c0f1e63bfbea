//! The refunds of a payment, brought in line with the platform's operations and with Gate's answers.

mod attribution;
pub mod refund;

use std::collections::{BTreeMap, BTreeSet};

use ecommpay::fields::{Currency, Text};
use ecommpay::operation::Outcome;

use self::attribution::{Ours, by_elimination, may_be, nameless};
use self::refund::{Refund, RefundOrder, RefundStatus};
use super::{GateRequest, Operation, Payment, Status};
use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;

/// The code of an operation that was declined because the refund exists already.
const REFUND_EXISTS: &str = "3230";

/// Whose refund an operation is: the merchant's, by its id, or an external one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Ours(String),
    External(String),
}

fn name_of(refund: &Refund) -> Name {
    match (&refund.refund_id, &refund.operation_id) {
        (Some(refund_id), _) => Name::Ours(refund_id.as_str().to_owned()),
        (None, operation_id) => Name::External(operation_id.clone().unwrap_or_default()),
    }
}

/// Where a refund stands.
struct End {
    status: RefundStatus,
    code: Option<String>,
    /// The operation that says so, and how much it gives back.
    operation: Option<(String, u64)>,
    /// How much of it was taken back.
    returned_amount: u64,
    /// Operations name our request, so the refund need not.
    is_named: bool,
}

impl End {
    fn write(self, refund: &mut Refund) {
        (refund.status, refund.code) = (self.status, self.code);
        refund.returned_amount = self.returned_amount;
        match (self.operation, &refund.refund_id) {
            (Some((id, amount)), ours) => {
                if ours.is_none() {
                    refund.amount = amount;
                }
                refund.operation_id = Some(id);
            }
            (None, Some(_)) => refund.operation_id = None,
            (None, None) => {}
        }
        if !refund.status.is_reserved() {
            // Never sent again, so nothing personal is kept of it.
            (refund.description, refund.ip_address) = (None, None);
            if self.is_named {
                refund.request = GateRequest::NotSent;
            }
        }
    }
}

impl Payment {
    /// Reserves a refund and claims its sending.
    pub(crate) fn reserve(&mut self, order: &RefundOrder, amount: u64, at: Timestamp) {
        let mut refund = Refund::requested(order, amount, at);
        refund.request.send(self.polling.polls_sent, at);
        self.refunds.push(refund);
        self.polling.start(at);
    }

    /// The request of the refund with this id.
    pub(crate) fn refund_request_mut(&mut self, id: &MerchantId) -> Option<&mut GateRequest> {
        let mut refunds = self.refunds.iter_mut();
        let refund = refunds.find(|refund| refund.refund_id.as_ref() == Some(id))?;
        Some(&mut refund.request)
    }

    /// The address that a refund is sent with: its own, else the checkout's.
    pub(crate) fn refund_address(&self, refund_id: &MerchantId) -> Option<Text> {
        let own = self.refund(refund_id)?.ip_address.as_ref();
        let customer = || self.order.as_ref()?.customer.as_ref();
        own.map(|address| address.0.clone())
            .or_else(|| Some(customer()?.ip_address.clone()))
    }

    /// Whether money can go back: something was paid, in the only currency that is sent, under an id
    /// that may be signed.
    pub(crate) fn is_refundable(&self) -> bool {
        let is_paid = matches!(
            self.status(),
            Status::Succeeded | Status::PartiallyRefunded | Status::Quarantined | Status::Unmatched
        );
        is_paid
            && self.paid_amount() > 0
            && self.currency() == Some(Currency::Eur.code())
            && Text::new(self.payment_id.clone()).is_ok()
    }

    /// Whether an operation that is not attributed could be this refund.
    pub(crate) fn may_be_there(&self, refund: &Refund) -> bool {
        nameless(self).any(|(_, operation)| may_be(refund, operation))
    }

    /// Whether the platform knows a refund request of ours by this name.
    pub(in crate::model) fn is_refund_request(&self, request_id: &str) -> bool {
        Ours::of(self).by_request.contains_key(request_id)
    }

    /// Whether the operation of a refund takes one back: such a refund stands for itself, as it could
    /// be attributed to none.
    pub(crate) fn is_unattributed_return(&self, refund: &Refund) -> bool {
        let operation = refund.operation_id().and_then(|id| self.operation(id));
        operation.is_some_and(Operation::is_refund_reversal)
    }

    /// Brings the refunds in line with the operations and with what Gate said.
    pub(in crate::model) fn settle_refunds(&mut self, at: Timestamp) {
        let polls_sent = self.polling.polls_sent;
        for refund in &mut self.refunds {
            refund.request.give_up(polls_sent, at);
        }
        let mut operations = self.operations_of_refunds();
        let returns = self.attributed_returns(&operations);
        let returned: BTreeSet<&String> = returns.values().flatten().collect();
        for (id, operation) in &self.reported.operations {
            let is_return = operation.is_refund_reversal() && operation.has_succeeded();
            if is_return && !returned.contains(id) {
                operations.insert(Name::External(id.clone()), vec![id.clone()]);
            }
        }
        // What seemed to be external may have turned out to be ours.
        let refunds = &mut self.refunds;
        refunds.retain(|refund| {
            refund.refund_id.is_some() || operations.contains_key(&name_of(refund))
        });
        let known: BTreeSet<Name> = refunds.iter().map(name_of).collect();
        for name in operations.keys().filter(|name| !known.contains(name)) {
            if let Name::External(id) = name {
                refunds.push(Refund::external(id, at));
            }
        }
        let ends: Vec<End> = self
            .refunds
            .iter()
            .map(|refund| {
                let name = name_of(refund);
                let end = match operations.get(&name) {
                    Some(ids) => self.end_by_operations(refund, ids),
                    None => self.end_by_request(refund, at),
                };
                self.with_returns(end, returns.get(&name))
            })
            .collect();
        for (refund, end) in self.refunds.iter_mut().zip(ends) {
            end.write(refund);
        }
    }

    /// The ids of the refund operations, by the refund that they are.
    fn operations_of_refunds(&self) -> BTreeMap<Name, Vec<String>> {
        let ours = Ours::of(self);
        let eliminated = by_elimination(self);
        let mut operations: BTreeMap<Name, Vec<String>> = BTreeMap::new();
        let refunds = self.reported.operations.iter();
        for (id, operation) in refunds.filter(|(_, one)| one.gives_back()) {
            let named = ours.refund_of(operation);
            let name = match named.or(eliminated.get(id.as_str()).copied()) {
                Some(refund_id) => Name::Ours(refund_id.to_owned()),
                None => Name::External(id.clone()),
            };
            operations.entry(name).or_default().push(id.clone());
        }
        operations
    }

    /// The operations that take refunds back, by the refund that each takes back: by
    /// `merchant_refund_id`, else the only refund of that amount that was made before.
    fn attributed_returns(
        &self,
        operations: &BTreeMap<Name, Vec<String>>,
    ) -> BTreeMap<Name, Vec<String>> {
        let ours = Ours::of(self);
        let made = |id: &String| {
            let operation = self.reported.operations.get(id)?;
            let date = &operation.order()?.0;
            let amount = self.given_back_by(id, operation);
            operation.has_succeeded().then_some((amount, date))
        };
        let refunds: Vec<(&Name, u64, &String)> = operations
            .iter()
            .filter_map(|(name, ids)| Some((name, ids.iter().filter_map(made).max()?)))
            .map(|(name, (amount, date))| (name, amount, date))
            .collect();
        let returns = || {
            let all = self.reported.operations.iter();
            all.filter(|(_, one)| one.is_refund_reversal() && one.has_succeeded())
        };
        let mut attributed: BTreeMap<Name, Vec<String>> = BTreeMap::new();
        for (id, operation) in returns() {
            let named = operation.merchant_refund_id().and_then(|id| ours.named(id));
            let amount = self.given_back_by(id, operation);
            let of_amount = || {
                let date = &operation.order()?.0;
                let mut candidates = refunds
                    .iter()
                    .filter(|(_, other, made)| *other == amount && *made <= date);
                let mut rivals = returns().filter(|(id, one)| {
                    let is_before = one.order().is_some_and(|order| order.0 <= *date);
                    let is_nameless = one.merchant_refund_id().is_none();
                    is_nameless && is_before && self.given_back_by(id, one) == amount
                });
                match (candidates.next(), candidates.next(), rivals.nth(1)) {
                    (Some((name, ..)), None, None) => Some((*name).clone()),
                    _ => None,
                }
            };
            let name = match operation.merchant_refund_id() {
                Some(_) => named.map(|refund_id| Name::Ours(refund_id.to_owned())),
                None => of_amount(),
            };
            if let Some(name) = name {
                attributed.entry(name).or_default().push(id.clone());
            }
        }
        attributed
    }

    /// A refund that is taken back whole is `returned`.
    fn with_returns(&self, end: End, returns: Option<&Vec<String>>) -> End {
        let returned = returns.into_iter().flatten();
        let returned_amount = returned
            .filter_map(|id| Some((id, self.reported.operations.get(id)?)))
            .map(|(id, one)| self.given_back_by(id, one))
            .fold(0, u64::saturating_add);
        let amount = end.operation.as_ref().map_or(0, |(_, amount)| *amount);
        let is_whole = end.status == RefundStatus::Succeeded && returned_amount >= amount;
        match returned_amount {
            0 => end,
            _ => End {
                status: if is_whole {
                    RefundStatus::Returned
                } else {
                    end.status
                },
                returned_amount,
                ..end
            },
        }
    }

    /// A refund that the platform tried more than once is done as soon as one try is.
    fn end_by_operations(&self, refund: &Refund, ids: &[String]) -> End {
        let weight = |one: &Operation| match one.outcome() {
            Outcome::Declined => 0,
            Outcome::Pending => 1,
            Outcome::Succeeded => 2,
        };
        // A try that was declined because the refund exists already is no end of it.
        let is_try = |one: &Operation| {
            one.outcome() != Outcome::Declined || one.code() != Some(REFUND_EXISTS)
        };
        let tries = || {
            let operations = &self.reported.operations;
            let operations = ids.iter().filter_map(|id| Some((id, operations.get(id)?)));
            operations.filter(|(_, one)| is_try(one))
        };
        let decides = tries().max_by(|(_, one), (_, other)| {
            (weight(one), one.order()).cmp(&(weight(other), other.order()))
        });
        let is_return = decides.is_some_and(|(_, one)| one.is_refund_reversal());
        let (status, code) = match decides {
            Some(_) if is_return => (RefundStatus::Returned, None),
            Some((_, one)) if one.outcome() == Outcome::Succeeded => {
                (RefundStatus::Succeeded, None)
            }
            Some((_, one)) if one.outcome() == Outcome::Declined => {
                (RefundStatus::Declined, one.code().map(str::to_owned))
            }
            _ => (RefundStatus::Pending, None),
        };
        let request_id = refund.request.request_id();
        let names_request = |one: &Operation| {
            let is_same = request_id.is_none() || one.request_id() == request_id;
            one.merchant_refund_id().is_some() && is_same
        };
        let operation = decides.map(|(id, one)| (id.clone(), self.given_back_by(id, one)));
        End {
            status,
            code,
            returned_amount: match &operation {
                Some((_, amount)) if is_return => *amount,
                _ => 0,
            },
            operation,
            is_named: tries().any(|(_, one)| names_request(one)),
        }
    }

    /// Without an operation the answer to our request is all that is known.
    fn end_by_request(&self, refund: &Refund, at: Timestamp) -> End {
        let code = self.refusal_of(&refund.request).map(str::to_owned);
        let status = match code {
            Some(_) => RefundStatus::Declined,
            None if refund.request.is_lost(at) => RefundStatus::Unknown,
            None => RefundStatus::Pending,
        };
        End {
            status,
            code,
            operation: None,
            returned_amount: 0,
            is_named: false,
        }
    }
}
