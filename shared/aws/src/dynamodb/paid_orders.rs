//! Stores which payments have paid an order.
//!
//! The first payment that pays an order writes the item `first`. This write has the condition that the item does not
//! exist. If the condition fails, the payment writes `paid#<payment id>` instead.
//!
//! Each of these writes belongs to the transaction that changes the payment. Nothing deletes these items, because an
//! order counts as paid even after a refund. The ids of orders and payments are stored in lower case, because ids are
//! compared without case.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Put, Update};
use ecommpay::fields::ProjectId;
use payments::model::ids::PaymentKey;
use payments::model::{PaidOrder, Payment};
use payments::ports::StoreError;

use super::attributes::{Item, item_error, read_text, text};
use super::unreadable::readable;
use super::{DynamoStore, PAGE, failed};

const FIRST_SK: &str = "first";
const LATER_SK_PREFIX: &str = "paid#";

fn pk(order: PaidOrder<'_>) -> String {
    let order_id = order.order_id.as_str().to_ascii_lowercase();
    format!("order#{}/{order_id}/{}", order.project_id, order.storefront)
}

pub(super) struct Writes {
    /// The condition fails if a payment has already paid the order.
    pub first: Put,
    /// Used after the condition of `first` has failed. The item can exist already. Therefore the write is an update,
    /// which keeps attributes that this release does not know.
    pub later: Update,
}

/// Returns the writes if the payment counts as paid for an order after the change, but not before.
pub(super) fn writes(
    table: &str,
    before: Option<&Payment>,
    after: &Payment,
) -> Result<Option<Writes>, StoreError> {
    let known = before.and_then(Payment::paid_order);
    let Some(order) = after.paid_order().filter(|paid| known != Some(*paid)) else {
        return Ok(None);
    };
    let key = after.key();
    let first = Put::builder()
        .table_name(table)
        .item("pk", text(pk(order)))
        .item("sk", text(FIRST_SK))
        .item("paid_by", text(key.folded_id()))
        .condition_expression("attribute_not_exists(pk)");
    let later_sk = format!("{LATER_SK_PREFIX}{}", key.folded_id());
    let later = Update::builder()
        .table_name(table)
        .key("pk", text(pk(order)))
        .key("sk", text(later_sk))
        .update_expression("SET paid_by = :paid_by")
        .expression_attribute_values(":paid_by", text(key.folded_id()));
    Ok(Some(Writes {
        first: first.build().map_err(item_error)?,
        later: later.build().map_err(item_error)?,
    }))
}

fn read(project_id: ProjectId, item: &Item) -> Result<PaymentKey, StoreError> {
    let folded_id = match read_text(item, "sk")? {
        FIRST_SK => Some(read_text(item, "paid_by")?),
        later => later.strip_prefix(LATER_SK_PREFIX),
    };
    let folded_id =
        folded_id.ok_or_else(|| item_error("the sort key is neither `first` nor `paid#...`"))?;
    Ok(PaymentKey::new(project_id, folded_id))
}

impl DynamoStore {
    pub(super) async fn read_paid_by(
        &self,
        order: PaidOrder<'_>,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk(order)))
            .consistent_read(true)
            .limit(PAGE);
        let page = Box::pin(request.send()).await.map_err(failed)?;
        let keys = readable(page.items(), |item| read(order.project_id, item));
        // A payment has both items if it was the first to pay, stopped counting as paid, and later counted as paid
        // again.
        let keys: BTreeSet<PaymentKey> = keys.into_iter().collect();
        Ok(keys.into_iter().collect())
    }
}
