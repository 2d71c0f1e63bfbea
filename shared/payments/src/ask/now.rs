//! A question that is put by hand, whatever the schedule says; the schedule goes on as it was.

use super::{Answered, AskError, Asker};
use crate::apply::{self, ApplyError};
use crate::decide::{self, Command, Fact};
use crate::event::{self, EventKind};
use crate::ids::PaymentKey;
use crate::model::Payment;
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};

/// What a question brought that was put by hand.
#[derive(Debug)]
pub struct Asked {
    /// The payment before; `None` if it was not known.
    pub before: Option<Payment>,
    /// The payment as it is now; `None` if it is still not known.
    pub payment: Option<Payment>,
    /// What the platform has of it.
    pub found: Found,
    /// The events that were sent.
    pub sent: Vec<EventKind>,
}

impl Asked {
    /// Of a payment that is still not known.
    fn without_payment(found: Found) -> Self {
        Self {
            before: None,
            payment: None,
            found,
            sent: Vec::new(),
        }
    }
}

/// What the platform has of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Operations.
    Operations,
    /// Nothing.
    Nothing,
    /// Its answer says neither.
    Unclear,
}

impl<S, Q, C, G> Asker<'_, S, Q, C, G>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    G: Gate + Sync,
{
    /// Asks about one payment now, also about one that is closed, overdue or not known here, and
    /// takes in the answer.
    pub async fn ask_now(&self, key: &PaymentKey) -> Result<Asked, AskError> {
        let payments = self.payments;
        let claimed = payments.update(key, |payment, at| {
            let claimed = decide::execute(payment, Command::PollNow, at);
            Ok::<_, ApplyError>(claimed.unwrap_or_default())
        });
        let Some((mut stored, Some(change))) = claimed.await? else {
            return self.ask_about_unknown(key).await;
        };
        let told = payments.publish(&mut stored, change.events).await;
        let mut sent = told.unwrap_or_else(|error| {
            apply::warn_unsent(key, &error);
            Vec::new()
        });
        let before = stored.payment;
        if let Err(error) = self.question(&before, &mut sent).await {
            event::count(key, &sent);
            return Err(error);
        }
        let now = payments.store.load(key).await.map_err(ApplyError::from)?;
        let payment = now.map(|stored| stored.payment);
        let poll = before.polling().polls_sent();
        let found = match payment.as_ref().map(Payment::polling) {
            Some(polling) if polling.last_answered() >= poll => Found::Operations,
            Some(polling) if polling.last_not_found() >= poll => Found::Nothing,
            _ => Found::Unclear,
        };
        Ok(Asked {
            before: Some(before),
            payment,
            found,
            sent,
        })
    }

    /// There is nothing to claim, and nothing that an answer without operations could change. What
    /// names itself in another way is about something else.
    async fn ask_about_unknown(&self, key: &PaymentKey) -> Result<Asked, AskError> {
        let signed = match self.put(key.project_id(), key.folded_id()).await? {
            Answered::Report(signed) => signed,
            Answered::NotFound { .. } => return Ok(Asked::without_payment(Found::Nothing)),
            Answered::Unrelated => return Ok(Asked::without_payment(Found::Unclear)),
        };
        let report = &signed.report;
        let payment_id = report.payment_id.as_deref().unwrap_or_default();
        let is_about = report.project_id == Some(u64::from(key.project_id().get()))
            && payment_id.eq_ignore_ascii_case(key.folded_id());
        let (found, applied) = match report.operations.is_empty() {
            true => (Found::Unclear, None),
            false if !is_about => (Found::Unclear, None),
            false => {
                let report = signed.report();
                // Older than every status request that may have been sent meanwhile.
                let fact = Fact::StatusAnswer { report, poll: 0 };
                (Found::Operations, self.payments.apply(key, fact).await?)
            }
        };
        let (payment, sent) = match applied {
            Some(applied) => (Some(applied.payment), applied.published?),
            None => (None, Vec::new()),
        };
        Ok(Asked {
            before: None,
            payment,
            found,
            sent,
        })
    }
}
