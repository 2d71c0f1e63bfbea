//! Lets time pass: what happens to a payment a while after a request was taken.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::Shared;
use super::books::Way;
use super::callbacks;
use super::payment::Status;

/// From an accepted request to the next callback.
const WORK: Duration = Duration::from_millis(300);
/// How long missing data is waited for.
const CLARIFICATION: Duration = Duration::from_secs(30 * 60);
/// How long a Bancontact payment can stay open.
const THRESHOLD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Follows a sale that was just taken, up to the end of its time.
pub fn sale_taken(shared: &Arc<Shared>, payment_id: String, operation_id: u64) {
    sale_continues(shared, payment_id.clone());
    sale_ends(shared, payment_id, operation_id);
}

/// Declines a sale at the end of its time.
pub fn sale_ends(shared: &Arc<Shared>, payment_id: String, operation_id: u64) {
    let on = shared.clone();
    shared.spawn(async move {
        on.pause(THRESHOLD).await;
        let mut state = on.state();
        let news = state
            .books
            .time_over(operation_id, &payment_id, OffsetDateTime::now_utc());
        drop(state);
        if let Some(news) = news {
            callbacks::announce(&on, news);
        }
    });
}

/// Takes a sale to the next thing that the merchant or the shopper has to do.
pub fn sale_continues(shared: &Arc<Shared>, payment_id: String) {
    let on = shared.clone();
    shared.spawn(async move {
        on.pause(WORK).await;
        let mut state = on.state();
        let faults = state.faults.of(&payment_id);
        let way = Way {
            redirect: !faults.no_redirect,
            error: faults.sale_error,
        };
        let now = OffsetDateTime::now_utc();
        let news = state.books.proceed(&payment_id, way, now);
        drop(state);
        let Some(news) = news else { return };
        if news.payment.status == Status::AwaitingClarification {
            clarification_asked(&on, payment_id, news.payment.round);
        }
        callbacks::announce(&on, news);
    });
}

/// Declines the sale if the data of this round does not come in time.
pub fn clarification_asked(shared: &Arc<Shared>, payment_id: String, round: u32) {
    let on = shared.clone();
    shared.spawn(async move {
        on.pause(CLARIFICATION).await;
        let now = OffsetDateTime::now_utc();
        let mut state = on.state();
        let news = state.books.clarification_over(&payment_id, round, now);
        drop(state);
        if let Some(news) = news {
            callbacks::announce(&on, news);
        }
    });
}

/// Carries out a refund that was just taken.
pub fn refund_taken(shared: &Arc<Shared>, payment_id: String, operation_id: u64) {
    let on = shared.clone();
    shared.spawn(async move {
        on.pause(WORK).await;
        let now = OffsetDateTime::now_utc();
        let mut state = on.state();
        let news = state.books.settle_refund(&payment_id, operation_id, now);
        drop(state);
        if let Some(news) = news {
            callbacks::announce(&on, news);
        }
    });
}
