//! Handles items that cannot be read, for example because of wrong JSON or a missing attribute.
//!
//! Each unreadable item is logged and counted, so that operators find its keys. Code that reads many items skips the
//! unreadable items (`shared/decisions/state/0036-unreadable-items.md`).

use payments::log::{Line, Metric};
use payments::ports::StoreError;

use super::attributes::{Item, read_text};

/// Logs an unreadable item. Returns the error of this item.
pub(super) fn unreadable(pk: &str, sk: &str, error: StoreError) -> StoreError {
    let why = match error {
        StoreError::Failed(why) | StoreError::Unreadable { why, .. } => why,
    };
    let item = format!("{pk} {sk}");
    let line = Line::error("an item of the table cannot be read");
    let line = match pk.strip_prefix("payment#") {
        Some(payment) => line.with("payment", payment),
        None => line,
    };
    line.with("item", &item)
        .with("error", &why)
        .with_metrics(&[], &[Metric::once("unreadable_items")])
        .write();
    StoreError::Unreadable { item, why }
}

/// Does the same as [`unreadable`], and takes the keys from the item.
pub(super) fn unreadable_item(item: &Item, error: StoreError) -> StoreError {
    let key = |name| read_text(item, name).unwrap_or("?").to_owned();
    unreadable(&key("pk"), &key("sk"), error)
}

/// Parses the items of a query. Logs and skips the unreadable items.
pub(super) fn readable<T>(items: &[Item], read: impl Fn(&Item) -> Result<T, StoreError>) -> Vec<T> {
    let parse = |item: &Item| {
        let parsed = read(item);
        parsed.map_err(|error| unreadable_item(item, error)).ok()
    };
    items.iter().filter_map(parse).collect()
}
