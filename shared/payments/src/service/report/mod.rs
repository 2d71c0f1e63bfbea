//! Makes reports of a project's days: the payments, their operations, and the totals of both.
//!
//! Each payment and each operation belongs to exactly one day in UTC:
//! - A payment belongs to the day on which it was first stored.
//! - An operation that has ended belongs to the day on which it ended, by the platform's clock.
//! - Any other operation belongs to the day of its payment.
//!
//! The rows and totals of a day can change later, because payments change and reports can arrive late.

mod daily;
mod rows;
mod totals;

use ecommpay::fields::ProjectId;
use futures_util::stream::TryStreamExt;

pub use self::rows::{OperationRow, PaymentRow, Rows};
pub use self::totals::{TotalRow, TotalStatus, Totals};
use super::day_pages::{DayPages, load_all};
use crate::model::day::Day;
use crate::ports::{DayPart, PaymentStore, StoreError};

/// Calls `each` with the rows of a project's day, payment by payment.
pub async fn read_day<S: PaymentStore, E: From<StoreError>>(
    store: &S,
    project_id: ProjectId,
    day: Day,
    mut each: impl FnMut(Rows<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut pages = DayPages::new(project_id, DayPart::whole(day));
    while let Some(page) = pages.next(store).await? {
        let mut payments = std::pin::pin!(load_all(store, page.keys));
        while let Some(payment) = payments.try_next().await? {
            each(Rows::of(&payment, day))?;
        }
    }
    Ok(())
}
