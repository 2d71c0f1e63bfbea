//! Stores dead letters: the events that were given up.

use aws_sdk_dynamodb::types::AttributeValue;
use payments::model::webhook::EndpointId;
use payments::ports::{DeadLetter, StoreError};
use payments::{PaymentKey, Timestamp};

use super::super::attributes::{
    Item, expiry, item_error, millis, number, read_millis, read_number, read_text, text,
};
use super::super::unreadable::readable;
use super::super::{PAGE, failed};
use super::deliveries::endpoint_pk;
use super::{RETENTION, WebhookDeliveries};

pub(super) const SK_PREFIX: &str = "dead#";

/// Returns a sort key with ten digits, so that DynamoDB sorts the events of a payment by their numbers.
fn sk(letter: &DeadLetter) -> String {
    format!("{SK_PREFIX}{}#{:010}", letter.payment, letter.sequence)
}

fn key(id: &EndpointId, letter: &DeadLetter) -> [(String, AttributeValue); 2] {
    [
        ("pk".to_owned(), text(endpoint_pk(id))),
        ("sk".to_owned(), text(sk(letter))),
    ]
}

impl WebhookDeliveries {
    pub(super) async fn put_letter(
        &self,
        id: &EndpointId,
        letter: &DeadLetter,
    ) -> Result<(), StoreError> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(id, letter).into()))
            .item("sequence", number(letter.sequence))
            .item("since", millis(letter.since))
            .item("at", millis(letter.at))
            .item("error", text(&letter.error))
            .item("expires_at", expiry(Timestamp::now().after(RETENTION)));
        Box::pin(request.send()).await.map_err(failed)?;
        Ok(())
    }

    pub(super) async fn read_letters(
        &self,
        id: &EndpointId,
        after: Option<&DeadLetter>,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let mut start_key = after.map(|letter| key(id, letter).into());
        // An empty page ends the loop of the caller. Therefore this loop skips a page on which no item can be read.
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", text(endpoint_pk(id)))
                .expression_attribute_values(":prefix", text(SK_PREFIX))
                .consistent_read(true)
                .set_exclusive_start_key(start_key)
                .limit(PAGE);
            let page = Box::pin(page.send()).await.map_err(failed)?;
            let letters = readable(page.items(), read);
            start_key = page.last_evaluated_key;
            if !letters.is_empty() || start_key.is_none() {
                return Ok(letters);
            }
        }
    }

    pub(super) async fn delete_letter(
        &self,
        id: &EndpointId,
        letter: &DeadLetter,
    ) -> Result<(), StoreError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(id, letter).into()));
        Box::pin(request.send()).await.map_err(failed)?;
        Ok(())
    }
}

fn read(item: &Item) -> Result<DeadLetter, StoreError> {
    let payment = read_text(item, "sk")?.strip_prefix(SK_PREFIX);
    let payment = payment.and_then(|rest| PaymentKey::from_text(rest.rsplit_once('#')?.0));
    Ok(DeadLetter {
        payment: payment.ok_or_else(|| item_error("not the key of a dead letter"))?,
        sequence: read_number(item, "sequence")?,
        since: read_millis(item, "since")?,
        at: read_millis(item, "at")?,
        error: read_text(item, "error")?.to_owned(),
    })
}
