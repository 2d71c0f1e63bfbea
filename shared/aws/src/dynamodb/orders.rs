//! The payments that have paid an order.
//!
//! | `pk` | `sk` | |
//! | --- | --- | --- |
//! | `order#<project>/<order id in lower case>/<storefront>` | `first` | `paid_by`: the payment id in lower case |
//! | | `paid#<payment id in lower case>` | any later one |
//!
//! Written with the change by which the order is paid, and never taken away: a refund does not
//! undo that it was paid. A later one is only written where there is a `first`, so that who writes
//! the first is known to be alone.

use aws_sdk_dynamodb::types::Put;
use ecommpay::fields::ProjectId;

use super::payment_item::{Item, broken, read_text, text};
use payments::model::ids::PaymentKey;
use payments::model::{PaidOrder, Payment};
use payments::ports::StoreError;

/// Where the payments of an order are found.
pub(super) fn pk(order: PaidOrder<'_>) -> String {
    let order_id = order.order_id.as_str().to_ascii_lowercase();
    format!("order#{}/{order_id}/{}", order.project_id, order.storefront)
}

/// What is to be written when an order is paid.
pub(super) struct Puts {
    /// If nobody has paid it before; refused if somebody has.
    pub first: Put,
    /// If somebody has.
    pub later: Put,
}

/// What is to be written if a change brings that the order is paid.
pub(super) fn puts(
    table: &str,
    before: Option<&Payment>,
    after: &Payment,
) -> Result<Option<Puts>, StoreError> {
    let known = before.and_then(Payment::paid_order);
    let Some(order) = after.paid_order().filter(|paid| known != Some(*paid)) else {
        return Ok(None);
    };
    let key = after.key();
    let put = || {
        let put = Put::builder().table_name(table);
        put.item("pk", text(pk(order)))
    };
    let first = put()
        .item("sk", text("first"))
        .item("paid_by", text(key.folded_id()))
        .condition_expression("attribute_not_exists(pk)");
    let later = put().item("sk", text(format!("paid#{}", key.folded_id())));
    Ok(Some(Puts {
        first: first.build().map_err(broken)?,
        later: later.build().map_err(broken)?,
    }))
}

/// The payment of an entry.
pub(super) fn read(project_id: ProjectId, item: &Item) -> Result<PaymentKey, StoreError> {
    let folded_id = match read_text(item, "sk")? {
        "first" => Some(read_text(item, "paid_by")?),
        later => later.strip_prefix("paid#"),
    };
    let folded_id = folded_id.ok_or_else(|| broken("not a payment of an order"))?;
    Ok(PaymentKey::new(project_id, folded_id))
}
