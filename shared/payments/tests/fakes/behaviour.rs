//! Defines what a test can change in the behaviour of the fakes. By default, a fake stores everything and never fails.

use std::collections::BTreeSet;
use std::future::{Future, ready};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use payments::PaymentKey;
use payments::model::Payment;
use payments::ports::{SendError, StoreError};

/// Failures of the fake ports, and payments that are computed instead of stored. A test overrides the methods that it
/// needs.
pub trait Behaviour: Send + Sync {
    fn before_store(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(Ok(()))
    }

    fn after_load(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Runs after a write of the store. If this method fails, the store keeps the write, and only the answer is lost.
    fn after_write(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(Ok(()))
    }

    /// Returns whether a commit fails with a conflict, although the store does not show the conflicting write yet.
    fn has_conflict(&self) -> bool {
        false
    }

    fn before_send(&self, _queue: usize) -> impl Future<Output = Result<(), SendError>> + Send {
        ready(Ok(()))
    }

    /// Runs after a queue accepted an event. If this method fails, the queue keeps the event, and only the answer is
    /// lost.
    fn after_send(&self) -> impl Future<Output = Result<(), SendError>> + Send {
        ready(Ok(()))
    }

    /// Returns whether an item of the store cannot be read. The text names a payment (`211/order-1`), an event
    /// (`211/order-1/2`) or the progress of the daily tasks (`progress`).
    fn is_unreadable(&self, _item: &str) -> bool {
        false
    }

    /// Returns the form in which the store keeps `document`. `before` is the document that was stored before this
    /// write. Only tests with two releases override this method. If the result is `None`, the store keeps no document.
    fn to_stored(&self, _document: &str, _before: Option<&str>) -> Option<String> {
        None
    }

    /// Returns what the running release can read of a stored document.
    fn to_read(&self, stored: &str) -> String {
        stored.to_owned()
    }

    /// Returns what the newer of the two releases can read of a stored document.
    fn to_known(&self, stored: &str) -> String {
        stored.to_owned()
    }

    /// Computes a payment that the store does not hold.
    fn payment(&self, _key: &PaymentKey) -> Option<Payment> {
        None
    }

    /// Computes the shard of a payment. If the result is `None`, the store chooses the shard.
    fn shard(&self, _key: &PaymentKey) -> Option<u8> {
        None
    }

    /// Computes a page of a day's payments. If the result is `None`, the store reads its own page.
    fn page_of_day(&self, _shard: u8, _after: Option<&PaymentKey>) -> Option<Vec<PaymentKey>> {
        None
    }
}

/// Makes commits conflict, sends fail, and items unreadable. A test sets the number of failures and names the items.
#[derive(Debug, Clone, Default)]
pub struct FailNext(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    commits: AtomicUsize,
    sends: AtomicUsize,
    send_millis: AtomicU64,
    unreadable: Mutex<BTreeSet<String>>,
}

impl FailNext {
    /// Makes an item of the store unreadable ([`Behaviour::is_unreadable`]).
    pub fn damage(&self, item: &str) {
        self.0.unreadable.lock().unwrap().insert(item.to_owned());
    }

    pub fn repair(&self) {
        self.0.unreadable.lock().unwrap().clear();
    }

    pub fn commits(&self, count: usize) {
        self.0.commits.store(count, SeqCst);
    }

    pub fn sends(&self, count: usize) {
        self.0.sends.store(count, SeqCst);
    }

    /// Makes each send take at least this time.
    pub fn slow_sends(&self, millis: u64) {
        self.0.send_millis.store(millis, SeqCst);
    }
}

/// Subtracts one from the failures that are left. Returns `false` if none was left.
fn takes_one(count: &AtomicUsize) -> bool {
    let counted = count.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
    counted.is_ok()
}

impl Behaviour for FailNext {
    fn is_unreadable(&self, item: &str) -> bool {
        self.0.unreadable.lock().unwrap().contains(item)
    }

    fn has_conflict(&self) -> bool {
        takes_one(&self.0.commits)
    }

    async fn before_send(&self, _: usize) -> Result<(), SendError> {
        tokio::task::yield_now().await;
        let millis = self.0.send_millis.load(SeqCst);
        if millis > 0 {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        match takes_one(&self.0.sends) {
            true => Err(SendError("down".into())),
            false => Ok(()),
        }
    }
}
