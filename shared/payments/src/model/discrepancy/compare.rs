//! Compares the platform records with our records.

use ecommpay::data_api::ListedOperation;
use ecommpay::operation::Outcome;
use ecommpay::report::Sum;
use serde_json::json;

use super::{Discrepancy, DiscrepancyKind, Entry, PlatformRecord};
use crate::model::payment::Payment;
use crate::model::reported::operation::Operation;
use crate::model::timestamp::Timestamp;
use crate::sha256;

pub(crate) fn listed_final_outcome(listed: &ListedOperation) -> Option<Outcome> {
    Some(listed.outcome()).filter(|outcome| outcome.is_final())
}

/// Returns the digest that identifies a discrepancy. Our status of an operation can change while a discrepancy about
/// the status stays the same. Therefore the digest of such a discrepancy contains our outcome instead of our status.
fn digest(discrepancy: &Discrepancy, payment: &Payment) -> String {
    let is_about_status = discrepancy.kind == DiscrepancyKind::Status;
    let local = discrepancy.local.as_ref().filter(|_| !is_about_status);
    let known = payment.operation(&discrepancy.operation_id);
    let outcome = known.map(Operation::outcome).filter(|_| is_about_status);
    let parts = (
        &discrepancy.operation_id,
        discrepancy.kind,
        local,
        outcome,
        &discrepancy.platform,
    );
    sha256::start_of_hex(json!(parts).to_string().as_bytes(), 16)
}

impl Payment {
    /// Returns the differences between a platform record and our payment. `payment` is `None` if the payment is not
    /// stored.
    ///
    /// An operation is compared only if it has ended in at least one of the two records. The sum is compared only if
    /// the operation succeeded in both records.
    pub(crate) fn find_discrepancies(
        payment: Option<&Self>,
        record: PlatformRecord<'_>,
    ) -> Vec<Discrepancy> {
        let known = |id: &str| payment.and_then(|payment| payment.operation(id));
        let listed = match record {
            PlatformRecord::Listed(listed) => listed,
            PlatformRecord::Missing(id) => {
                let ended = known(id).filter(|operation| operation.outcome().is_final());
                let missing = ended.map(|_| Discrepancy {
                    operation_id: id.to_owned(),
                    kind: DiscrepancyKind::MissingAtPlatform,
                    local: Some(Entry::text(id)),
                    platform: None,
                });
                return missing.into_iter().collect();
            }
        };
        let id = &listed.operation_id;
        let Some(operation) = known(id) else {
            let missing = listed_final_outcome(listed).map(|_| Discrepancy {
                operation_id: id.clone(),
                kind: DiscrepancyKind::MissingLocally,
                local: None,
                platform: Some(Entry::text(id)),
            });
            return missing.into_iter().collect();
        };
        let differences = [
            differing_status(operation, listed),
            differing_sum(operation, listed),
        ];
        differences.into_iter().flatten().collect()
    }

    /// Returns the differences that the payment does not store yet.
    pub fn new_discrepancies(
        payment: Option<&Self>,
        record: PlatformRecord<'_>,
    ) -> Vec<Discrepancy> {
        let mut found = Self::find_discrepancies(payment, record);
        found.retain(|discrepancy| {
            let is_known = |payment: &Self| {
                let digest = digest(discrepancy, payment);
                payment.discrepancies.contains(&digest)
            };
            !payment.is_some_and(is_known)
        });
        found
    }

    /// Adds new differences to the payment and requests a recheck. Changes no other part of the payment.
    pub(crate) fn add_discrepancies(&mut self, record: PlatformRecord<'_>, at: Timestamp) {
        for discrepancy in Self::new_discrepancies(Some(self), record) {
            let digest = digest(&discrepancy, self);
            if self.discrepancies.add(discrepancy, digest) {
                self.polling.request_recheck(at);
            }
        }
    }
}

/// Returns the difference between the outcomes. A platform record without a status does not differ from an ended
/// operation.
fn differing_status(operation: &Operation, listed: &ListedOperation) -> Option<Discrepancy> {
    let outcome = listed_final_outcome(listed);
    let has_ended =
        outcome.is_some() || operation.outcome().is_final() && !listed.status.is_empty();
    (has_ended && outcome != Some(operation.outcome())).then(|| Discrepancy {
        operation_id: listed.operation_id.clone(),
        kind: DiscrepancyKind::Status,
        local: Some(Entry::text(operation.platform_status())),
        platform: Some(Entry::text(&listed.status)),
    })
}

fn differing_sum(operation: &Operation, listed: &ListedOperation) -> Option<Discrepancy> {
    let has_succeeded = listed.outcome() == Outcome::Succeeded && operation.has_succeeded();
    let platform = listed.sum_initial.as_ref().filter(|_| has_succeeded)?;
    let local = operation.sum();
    let is_same_currency = local.is_none_or(|local| local.currency == platform.currency);
    let entry = |sum: &Sum| match is_same_currency {
        true => Entry::Amount(sum.amount),
        false => Entry::text(&format!("{} {}", sum.amount, sum.currency)),
    };
    (local != Some(platform)).then(|| Discrepancy {
        operation_id: listed.operation_id.clone(),
        kind: DiscrepancyKind::Amount,
        local: local.map(entry),
        platform: Some(entry(platform)),
    })
}
