//! Makes the planned payments: sends the requests of storefronts and the callbacks of the platform.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::plan::{Plan, RedirectTime};
use super::platform::{Report, callback};
use super::pool::{Pool, Reply};
use super::services::Services;
use crate::scenario::{event, order};

pub struct Traffic {
    /// The instances that handle `POST /checkouts`.
    pub checkouts: Pool,
    /// The instances that handle `POST /callbacks`.
    pub callbacks: Pool,
    pub services: Arc<Services>,
    /// The waits since the last [`Traffic::take_waits`].
    pub waits: Mutex<Waits>,
}

/// How long callers waited for answers, including the wait for an idle instance.
#[derive(Debug, Default, Clone)]
pub struct Waits {
    pub checkouts: Vec<Duration>,
    pub callbacks: Vec<Duration>,
    /// The payments that have ended.
    pub payments: u64,
}

impl Traffic {
    /// Makes a payment, from the order to the last callback.
    pub async fn pay(&self, plan: Plan) -> anyhow::Result<()> {
        let redirect = plan.redirect_time();
        if redirect == RedirectTime::Early {
            let sale = self.services.platform.sale_of(plan);
            let early = async {
                sale.await?;
                self.report(plan, Report::Redirect).await
            };
            tokio::try_join!(self.check_out(plan), early)?;
        } else {
            self.check_out(plan).await?;
        }
        if redirect == RedirectTime::Usual {
            self.report(plan, Report::Redirect).await?;
        }
        if plan.is_reported_twice() {
            let (one, other) = (
                self.report(plan, Report::End),
                self.report(plan, Report::End),
            );
            tokio::try_join!(one, other)?;
        } else {
            self.report(plan, Report::End).await?;
        }
        if redirect == RedirectTime::Late {
            self.report(plan, Report::Redirect).await?;
        }
        self.record(|waits| waits.payments += 1);
        Ok(())
    }

    /// Returns the waits since the last call.
    pub fn take_waits(&self) -> Waits {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waits)
    }

    async fn check_out(&self, plan: Plan) -> anyhow::Result<()> {
        let order = order(&plan.payment_id()).to_string();
        let event = event("POST /checkouts", None, &order);
        let begin = Instant::now();
        let reply = self.checkouts.invoke(event.to_string()).await?;
        self.record(|waits| waits.checkouts.push(begin.elapsed()));
        check(201, plan, &reply)
    }

    async fn report(&self, plan: Plan, content: Report) -> anyhow::Result<()> {
        let event = event("POST /callbacks", None, &callback(plan, content)?);
        let begin = Instant::now();
        let reply = self.callbacks.invoke(event.to_string()).await?;
        self.record(|waits| waits.callbacks.push(begin.elapsed()));
        check(200, plan, &reply)
    }

    fn record(&self, record: impl FnOnce(&mut Waits)) {
        record(&mut self.waits.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn check(status: u16, plan: Plan, reply: &Reply) -> anyhow::Result<()> {
    let body = reply.body.as_deref().unwrap_or_default();
    ensure!(
        reply.status_code == status,
        "{}: answered {}, not {status}: {body}",
        plan.payment_id(),
        reply.status_code
    );
    Ok(())
}
