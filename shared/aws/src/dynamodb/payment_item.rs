//! Reads the item of a payment, and builds the partition key of the item.

use payments::model::ids::PaymentKey;
use payments::model::{Format, document};
use payments::ports::{StoreError, Stored};

use super::attributes::{Item, item_error, read_number, read_text};

const PK_PREFIX: &str = "payment#";

pub(super) const PAYMENT_SK: &str = "payment";

/// Returns the partition key of a payment, its events and its days.
pub(super) fn payment_pk(key: &PaymentKey) -> String {
    format!("{PK_PREFIX}{key}")
}

pub(super) fn read_payment_key(item: &Item) -> Result<PaymentKey, StoreError> {
    let key = read_text(item, "pk")?.strip_prefix(PK_PREFIX);
    let key = key.and_then(PaymentKey::from_text);
    key.ok_or_else(|| item_error("not the key of a payment"))
}

/// Reads a payment. The next change of the payment is stored in `format`, or in the format of the stored document if
/// that format is greater.
pub(super) fn read_payment(item: &Item, format: Format) -> Result<Stored, StoreError> {
    let read = document::read(read_text(item, "document")?);
    let (mut payment, residue) = read.map_err(item_error)?;
    payment.raise_format(format);
    Ok(Stored {
        payment,
        residue,
        version: read_number(item, "version")?,
        published: read_number(item, "published")?,
        is_first_to_pay: false,
    })
}

#[cfg(test)]
mod tests {
    use ecommpay::fields::ProjectId;

    use super::super::attributes::text;
    use super::*;

    #[test]
    fn a_payment_key_is_read_as_it_was_written() {
        let project_id = ProjectId::new(211).unwrap();
        for id in ["order-1", "a/b//c", "#", "payment#1/2", " \u{e9}\u{20ac} "] {
            let key = PaymentKey::new(project_id, id);
            let item = Item::from([("pk".to_owned(), text(payment_pk(&key)))]);
            assert_eq!(read_payment_key(&item).unwrap(), key);
        }
    }

    #[test]
    fn a_partition_key_that_names_no_payment_is_refused() {
        for pk in ["", "payment#", "payment#x/y", "checkout#211/y"] {
            let item = Item::from([("pk".to_owned(), text(pk))]);
            assert!(read_payment_key(&item).is_err(), "{pk}");
        }
    }
}
