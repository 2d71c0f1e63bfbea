//! Limits how many requests wait at the same time, because each waiting request occupies an instance of its function.
//!
//! Three kinds of requests have separate slots:
//! - A shopper's request waits for a change of the payment.
//! - A shopper's form waits for Gate's answer.
//! - A storefront's request waits for the redirect URL.
//!
//! The checkout's token decides which slot a request must claim. A request that gets no slot is answered immediately
//! (`shared/decisions/functions/0034-wait-slots.md`).

use std::time::Duration;

use payments::log::Line;
use payments::model::timestamp::Timestamp;
use payments::ports::{Clock, StoreError};
use payments::service::MAX_CALL;

use crate::checkouts::Checkouts;

/// A claim lasts longer than its wait by this time, because the clocks of two instances can differ.
const MARGIN: Duration = Duration::from_millis(500);

/// The maximum time for a form: Gate's answer ([`MAX_CALL`]), and 1 s for the store.
const MAX_FORM: Duration = MAX_CALL.saturating_add(Duration::from_secs(1));

/// A slot that this request has claimed.
pub(crate) struct WaitSlot {
    slot: String,
    until: Timestamp,
}

impl Checkouts {
    /// Claims the slot of a token for a shopper's wait. Returns `None` if another request has the slot, or if the claim
    /// cannot be stored.
    pub(crate) async fn claim_wait(&self, token_hash: &str, wait: Duration) -> Option<WaitSlot> {
        let slot = slot_of(token_hash, self.wait_slots);
        self.claim(slot.to_string(), wait).await
    }

    /// Claims the slot of a token for a form. Forms have their own slots, half as many as waits, so that waiting
    /// browsers do not block forms.
    pub(crate) async fn claim_form(&self, token_hash: &str) -> Option<WaitSlot> {
        let slot = slot_of(token_hash, self.wait_slots.div_ceil(2));
        let slot = self.wait_slots.saturating_add(slot);
        self.claim(slot.to_string(), MAX_FORM).await
    }

    /// Claims the slot of a token for the wait of a storefront's request. A separate function serves storefronts, so
    /// they have their own slots.
    pub(crate) async fn claim_storefront_wait(
        &self,
        token_hash: &str,
        wait: Duration,
    ) -> Option<WaitSlot> {
        let slot = slot_of(token_hash, self.wait_slots);
        self.claim(format!("storefront#{slot}"), wait).await
    }

    async fn claim(&self, slot: String, wait: Duration) -> Option<WaitSlot> {
        let now = self.payments.clock.now();
        let until = now.after(wait + MARGIN);
        let claimed = self.payments.store.claim_wait_slot(&slot, now, until).await;
        let is_claimed = claimed.unwrap_or_else(|error| {
            warn("a slot for a waiting request cannot be claimed", &error);
            false
        });
        is_claimed.then_some(WaitSlot { slot, until })
    }

    /// Frees a slot after the wait, or after Gate's answer to a form.
    pub(crate) async fn end_wait(&self, claimed: WaitSlot) {
        let WaitSlot { slot, until } = claimed;
        let released = self.payments.store.release_wait_slot(&slot, until).await;
        if let Err(error) = released {
            warn("a slot cannot be freed before its claim ends", &error);
        }
    }
}

fn warn(message: &'static str, error: &StoreError) {
    Line::warn(message).with("error", error.to_string()).write();
}

/// Returns the slot of a token. The hash of a token is random, so tokens are spread evenly over the slots.
fn slot_of(token_hash: &str, slots: u64) -> u64 {
    let start = token_hash.get(..15).unwrap_or_default();
    u64::from_str_radix(start, 16).unwrap_or_default() % slots.max(1)
}

#[cfg(test)]
mod tests {
    use payments::service::checkout::token;

    use super::*;

    #[test]
    fn a_token_has_one_slot_and_the_tokens_are_spread_over_all_slots() {
        let slot = |number: u32| slot_of(&token::hash(&number.to_string()), 20);
        assert_eq!(slot(7), slot(7));
        let mut counts = [0; 20];
        for number in 0..2_000 {
            counts[usize::try_from(slot(number)).unwrap()] += 1;
        }
        assert!(
            counts.iter().all(|count| (50..200).contains(count)),
            "{counts:?}"
        );
        assert_eq!(slot_of(&token::hash("a"), 0), 0);
    }
}
