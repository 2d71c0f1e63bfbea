//! Decides which payments a storefront may see.

use super::commit::Payments;
use crate::model::Payment;
use crate::model::ids::PaymentKey;
use crate::model::storefront::{Scope, Storefront};
use crate::ports::{PaymentStore, StoreError};

/// Whether a storefront may see a payment. A storefront may see its own payments. With the scope `project`, it may also
/// see the external payments of its project.
pub(super) fn may_see(storefront: &Storefront, payment: &Payment) -> bool {
    match payment.order() {
        Some(order) => order.storefront == storefront.name,
        None => storefront.may(Scope::Project),
    }
}

impl<S: PaymentStore, Q, C> Payments<S, Q, C> {
    /// Loads a payment; `None` if it does not exist or the storefront may not see it.
    pub async fn visible_to(
        &self,
        storefront: &Storefront,
        payment_id: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let Some(key) = PaymentKey::parse(storefront.project_id, payment_id) else {
            return Ok(None);
        };
        let stored = self.store.load(&key).await?;
        Ok(stored
            .map(|stored| stored.payment)
            .filter(|payment| may_see(storefront, payment)))
    }
}
