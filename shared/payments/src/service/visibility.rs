//! Decides which payments a storefront may see.

use super::commit::Payments;
use crate::model::Payment;
use crate::model::ids::PaymentKey;
use crate::model::storefront::{Scope, Storefront};
use crate::ports::{PaymentStore, StoreError};

/// Whether a storefront may see a payment. A storefront may see its own payments. A storefront with the scope `project`
/// may also see payments of its project that this service did not create.
pub(super) fn may_see(storefront: &Storefront, payment: &Payment) -> bool {
    match payment.order() {
        Some(order) => order.storefront == storefront.name,
        None => storefront.may(Scope::Project),
    }
}

impl<S: PaymentStore, Q, C> Payments<S, Q, C> {
    /// Loads a payment. Returns `None` if the payment does not exist, or if the storefront may not see the payment.
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
