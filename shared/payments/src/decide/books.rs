//! Taking in how the platform's books differ from ours: it is told once and asked about, and
//! changes nothing of what is known. Only a signed answer about the payment does that.

use ecommpay::fields::ProjectId;

use super::ask_now;
use crate::ids::PaymentKey;
use crate::payment::{Books, Payment};
use crate::timestamp::Timestamp;

/// So many differences of one payment are told; a payment is one item of the store, and no report
/// has more operations.
const MOST: usize = 1_000;

pub(super) fn take(payment: &mut Payment, books: Books<'_>, at: Timestamp) {
    for difference in Payment::new_differences(Some(payment), books) {
        if payment.differences.len() < MOST {
            let digest = difference.digest(payment);
            payment.differences.insert(digest);
            payment.untold_differences.push(difference);
            ask_now(payment, at);
        }
    }
}

/// A payment that the books list and nobody has heard of here.
pub(super) fn first_heard_of(
    project_id: ProjectId,
    books: Books<'_>,
    at: Timestamp,
) -> Option<Payment> {
    let Books::List(listed) = books else {
        return None;
    };
    let is_id = PaymentKey::of_caller(project_id, &listed.payment_id).is_some();
    let differs = !Payment::differences(None, books).is_empty();
    (is_id && differs).then(|| Payment::unknown(project_id, &listed.payment_id, at))
}
