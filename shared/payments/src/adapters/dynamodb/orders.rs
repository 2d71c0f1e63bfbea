//! The payments that have paid an order.
//!
//! | `pk` | `sk` |
//! | --- | --- |
//! | `order#<project>/<order id in lower case>/<storefront>` | `paid#<payment id in lower case>` |
//!
//! Written with the change by which the order is paid, and never taken away: a refund does not
//! undo that it was paid.

use aws_sdk_dynamodb::types::Put;
use ecommpay::fields::ProjectId;

use super::item::{Item, broken, read_text, text};
use crate::ids::PaymentKey;
use crate::payment::{PaidOrder, Payment};
use crate::ports::StoreError;

/// Where the payments of an order are found.
pub(super) fn pk(order: PaidOrder<'_>) -> String {
    let order_id = order.order_id.as_str().to_ascii_lowercase();
    format!("order#{}/{order_id}/{}", order.project_id, order.storefront)
}

/// What is to be written if a change brings that the order is paid.
pub(super) fn put(
    table: &str,
    before: Option<&Payment>,
    after: &Payment,
) -> Result<Option<Put>, StoreError> {
    let known = before.and_then(Payment::paid_order);
    let Some(order) = after.paid_order().filter(|paid| known != Some(*paid)) else {
        return Ok(None);
    };
    let put = Put::builder()
        .table_name(table)
        .item("pk", text(pk(order)))
        .item("sk", text(format!("paid#{}", after.key().folded_id())));
    put.build().map(Some).map_err(broken)
}

/// The payment of an entry.
pub(super) fn read(project_id: ProjectId, item: &Item) -> Result<PaymentKey, StoreError> {
    let folded_id = read_text(item, "sk")?.strip_prefix("paid#");
    let folded_id = folded_id.ok_or_else(|| broken("not a payment of an order"))?;
    Ok(PaymentKey::new(project_id, folded_id))
}
