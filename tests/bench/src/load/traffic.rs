//! The shoppers: each pays once, as planned.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::functions::{Pool, Reply};
use super::plan::Plan;
use super::platform::{News, callback};
use super::services::Services;
use super::storefront;
use crate::scenario::event;

/// The functions, and what they call.
pub struct Traffic {
    /// Of `POST /checkouts`.
    pub checkouts: Pool,
    /// Of `POST /callbacks`.
    pub callbacks: Pool,
    /// What they call.
    pub services: Arc<Services>,
    /// How long callers waited since this was last taken.
    pub waited: Mutex<Waited>,
}

/// How long callers waited for their answers, for a free sandbox included.
#[derive(Debug, Default, Clone)]
pub struct Waited {
    /// Those who asked for a checkout.
    pub checkouts: Vec<Duration>,
    /// The platform, for each callback.
    pub callbacks: Vec<Duration>,
    /// Payments that have ended.
    pub payments: u64,
}

impl Traffic {
    /// One payment from its order to the last callback.
    ///
    /// # Errors
    ///
    /// When any answer is not the one that it must be.
    pub async fn pay(&self, plan: Plan) -> anyhow::Result<()> {
        match plan.is_told_early() {
            true => {
                let sale = self.services.platform.sale_of(plan);
                let early = async {
                    sale.await?;
                    self.tell(plan, News::Address).await
                };
                tokio::try_join!(self.check_out(plan), early)?;
            }
            false => self.check_out(plan).await?,
        }
        if !plan.is_told_early() && !plan.is_told_late() {
            self.tell(plan, News::Address).await?;
        }
        match plan.is_told_twice() {
            true => {
                let (one, other) = (self.tell(plan, News::End), self.tell(plan, News::End));
                tokio::try_join!(one, other)?;
            }
            false => self.tell(plan, News::End).await?,
        }
        if plan.is_told_late() {
            self.tell(plan, News::Address).await?;
        }
        self.note(|waited| waited.payments += 1);
        Ok(())
    }

    /// How long callers waited since the last call of this.
    pub fn take_waited(&self) -> Waited {
        let mut waited = self.waited.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waited)
    }

    async fn check_out(&self, plan: Plan) -> anyhow::Result<()> {
        let event = event("POST /checkouts", None, &storefront::order(plan));
        let begin = Instant::now();
        let reply = self.checkouts.invoke(event.to_string()).await?;
        self.note(|waited| waited.checkouts.push(begin.elapsed()));
        is(201, plan, &reply)
    }

    async fn tell(&self, plan: Plan, news: News) -> anyhow::Result<()> {
        let event = event("POST /callbacks", None, &callback(plan, news)?);
        let begin = Instant::now();
        let reply = self.callbacks.invoke(event.to_string()).await?;
        self.note(|waited| waited.callbacks.push(begin.elapsed()));
        is(200, plan, &reply)
    }

    fn note(&self, note: impl FnOnce(&mut Waited)) {
        note(&mut self.waited.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn is(status: u16, plan: Plan, reply: &Reply) -> anyhow::Result<()> {
    let body = reply.body.as_deref().unwrap_or_default();
    ensure!(
        reply.status_code == status,
        "{}: answered {}, not {status}: {body}",
        plan.payment_id(),
        reply.status_code
    );
    Ok(())
}
