//! Stores the payment and the attempt of each checkout token. Only the SHA-256 of a token is stored, never the token
//! (`shared/decisions/protocol/0015-checkout-tokens.md`).

use std::time::Duration;

use aws_sdk_dynamodb::types::Put;
use ecommpay::fields::ProjectId;
use payments::model::Payment;
use payments::model::ids::PaymentKey;
use payments::ports::{StoreError, TokenCheckout};

use super::DynamoStore;
use super::attributes::{Item, expiry, item_error, number, read_number, read_text, text};
use super::unreadable::unreadable;

/// The item of a token expires this long after the checkout. The token is valid until DynamoDB deletes the item.
const RETENTION: Duration = Duration::from_secs(31 * 24 * 3_600);

const SK: &str = "checkout";

fn pk(token_hash: &str) -> String {
    format!("checkout#{token_hash}")
}

pub(super) fn put(table: &str, token_hash: &str, payment: &Payment) -> Result<Put, StoreError> {
    let order = payment.order();
    let end = order.map_or(payment.created_at(), |order| order.expires_at);
    let return_url = order.map_or("", |order| order.return_url.as_str());
    Put::builder()
        .table_name(table)
        .item("pk", text(pk(token_hash)))
        .item("sk", text(SK))
        .item("project_id", number(u64::from(payment.project_id().get())))
        .item("payment_id", text(payment.payment_id()))
        .item("attempt", number(payment.attempt().number().into()))
        .item("return_url", text(return_url))
        .item("expires_at", expiry(end.after(RETENTION)))
        .build()
        .map_err(item_error)
}

impl DynamoStore {
    pub(super) async fn read_token(
        &self,
        token_hash: &str,
    ) -> Result<Option<TokenCheckout>, StoreError> {
        let Some(item) = self.get(pk(token_hash), SK).await? else {
            return Ok(None);
        };
        let checkout = read(&item);
        let checkout = checkout.map_err(|error| unreadable(&pk(token_hash), SK, error));
        checkout.map(Some)
    }
}

fn read(item: &Item) -> Result<TokenCheckout, StoreError> {
    let project_id = ProjectId::new(read_number(item, "project_id")?).map_err(item_error)?;
    Ok(TokenCheckout {
        key: PaymentKey::new(project_id, read_text(item, "payment_id")?),
        attempt: read_number(item, "attempt")?
            .try_into()
            .map_err(item_error)?,
        return_url: read_text(item, "return_url")?.to_owned(),
    })
}
