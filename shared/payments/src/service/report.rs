//! The report of a project's days: its payments, their operations, and totals of both.
//!
//! A payment stands under the day on which we first heard of it, an operation under the day on
//! which it ended by the platform's clock; as long as it has not, under its payment's day. So each
//! of them stands under one day, whatever interval is asked for. Days are those of UTC. A day can
//! still change while its payments do, and until all that ended on it was heard of.

use std::collections::BTreeMap;

use ecommpay::fields::ProjectId;
use futures_util::stream::TryStreamExt;
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use crate::model::day::Day;
use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{Channel, Operation, Outcome, Payment, Status};
use crate::ports::{Clock, Daily, EventQueue, PaymentStore, ProgressStore, StoreError};
use crate::service::commit::Payments;
use crate::service::day_pages::{AT_ONCE, DayPages, load_all};
use crate::service::error::PublishError;

/// A payment.
#[derive(Debug, Serialize)]
pub struct PaymentRow<'a> {
    day: Day,
    project_id: ProjectId,
    payment_id: &'a str,
    order_id: Option<&'a MerchantId>,
    storefront: Option<&'a str>,
    status: Status,
    code: Option<&'a str>,
    channel: Option<Channel>,
    currency: Option<&'a str>,
    amount: Option<u64>,
    paid_amount: u64,
    refunded_amount: u64,
    pending_refund_amount: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// An operation.
#[derive(Debug, Serialize)]
pub struct OperationRow<'a> {
    day: Day,
    project_id: ProjectId,
    payment_id: &'a str,
    order_id: Option<&'a MerchantId>,
    operation_id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    status: Outcome,
    platform_status: &'a str,
    code: Option<&'a str>,
    currency: Option<&'a str>,
    amount: Option<u64>,
    refund_id: Option<&'a str>,
    ended_at: Option<Timestamp>,
}

/// How many payments, or operations of a type, of a day ended in the same way, and their sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TotalRow<'a> {
    /// The day.
    pub day: Day,
    /// `payment`, or an operation's type.
    pub of: &'a str,
    /// How they stand.
    pub status: Standing,
    /// The platform's code, if there is one.
    pub code: Option<&'a str>,
    /// What the sum is in.
    pub currency: Option<&'a str>,
    /// How many.
    pub count: u64,
    /// The sum, in minor units. Of payments: what was ordered; of those that nobody created here,
    /// what was paid.
    pub amount: u64,
}

/// How a payment or an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Standing {
    /// A payment.
    Payment(Status),
    /// An operation.
    Operation(Outcome),
}

/// The totals of some days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<Group, Total>);

/// What is summed up: day, what it is, status, code, currency.
type Group = (Day, String, Standing, Option<String>, Option<String>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Total {
    count: u64,
    amount: u64,
}

/// The rows of a payment that stand under a day.
#[derive(Debug)]
pub struct Rows<'a> {
    /// The payment itself.
    pub payment: Option<PaymentRow<'a>>,
    /// Its operations.
    pub operations: Vec<OperationRow<'a>>,
}

impl<'a> Rows<'a> {
    /// Those of a payment.
    pub fn of(payment: &'a Payment, day: Day) -> Self {
        let is_of_day = Day::of(payment.created_at()) == day;
        let operations = payment.operations();
        let of_day = operations.filter(|(_, operation)| day_of(payment, operation) == day);
        Self {
            payment: is_of_day.then(|| PaymentRow::new(payment, day)),
            operations: of_day
                .map(|(id, operation)| OperationRow::new(payment, id, operation, day))
                .collect(),
        }
    }
}

fn day_of(payment: &Payment, operation: &Operation) -> Day {
    Day::of(operation.ended_at().unwrap_or(payment.created_at()))
}

impl<'a> PaymentRow<'a> {
    /// The names of its fields, in their order.
    pub const COLUMNS: [&'static str; 15] = [
        "day",
        "project_id",
        "payment_id",
        "order_id",
        "storefront",
        "status",
        "code",
        "channel",
        "currency",
        "amount",
        "paid_amount",
        "refunded_amount",
        "pending_refund_amount",
        "created_at",
        "updated_at",
    ];

    fn new(payment: &'a Payment, day: Day) -> Self {
        let order = payment.order();
        let status = payment.status();
        Self {
            day,
            project_id: payment.project_id(),
            payment_id: payment.payment_id(),
            order_id: order.and_then(|order| order.order_id.as_ref()),
            storefront: order.map(|order| order.storefront.as_str()),
            status,
            code: payment.end_code(status),
            channel: order.map(|order| order.channel),
            currency: payment.currency(),
            amount: order.map(|order| order.amount.get()),
            paid_amount: payment.paid_amount(),
            refunded_amount: payment.refunded_amount(),
            pending_refund_amount: payment.pending_refund_amount(),
            created_at: payment.created_at(),
            updated_at: payment.updated_at(),
        }
    }
}

impl<'a> OperationRow<'a> {
    /// The names of its fields, in their order.
    pub const COLUMNS: [&'static str; 13] = [
        "day",
        "project_id",
        "payment_id",
        "order_id",
        "operation_id",
        "type",
        "status",
        "platform_status",
        "code",
        "currency",
        "amount",
        "refund_id",
        "ended_at",
    ];

    fn new(payment: &'a Payment, id: &'a str, operation: &'a Operation, day: Day) -> Self {
        let order = payment.order();
        Self {
            day,
            project_id: payment.project_id(),
            payment_id: payment.payment_id(),
            order_id: order.and_then(|order| order.order_id.as_ref()),
            operation_id: id,
            kind: operation.kind().as_str(),
            status: operation.outcome(),
            platform_status: operation.platform_status(),
            code: operation.code(),
            currency: operation.currency(),
            amount: operation.amount(),
            refund_id: operation.merchant_refund_id(),
            ended_at: operation.ended_at(),
        }
    }
}

impl TotalRow<'_> {
    /// The names of its fields, in their order.
    pub const COLUMNS: [&'static str; 7] =
        ["day", "of", "status", "code", "currency", "count", "amount"];
}

impl Totals {
    /// Adds what stands in some rows.
    pub fn add(&mut self, rows: &Rows<'_>) {
        if let Some(row) = &rows.payment {
            let amount = row.amount.unwrap_or(row.paid_amount);
            let status = Standing::Payment(row.status);
            let group = (row.day, "payment", status, row.code, row.currency);
            self.count(group, amount);
        }
        for row in &rows.operations {
            let amount = row.amount.unwrap_or_default();
            let status = Standing::Operation(row.status);
            let group = (row.day, row.kind, status, row.code, row.currency);
            self.count(group, amount);
        }
    }

    fn count(
        &mut self,
        (day, of, status, code, currency): (Day, &str, Standing, Option<&str>, Option<&str>),
        amount: u64,
    ) {
        let (code, currency) = (code.map(str::to_owned), currency.map(str::to_owned));
        let group = (day, of.to_owned(), status, code, currency);
        let total = self.0.entry(group).or_default();
        total.count += 1;
        total.amount = total.amount.saturating_add(amount);
    }

    /// Day by day.
    pub fn rows(&self) -> impl Iterator<Item = TotalRow<'_>> {
        let rows = self.0.iter();
        rows.map(|((day, of, status, code, currency), total)| TotalRow {
            day: *day,
            of,
            status: *status,
            code: code.as_deref(),
            currency: currency.as_deref(),
            count: total.count,
            amount: total.amount,
        })
    }
}

/// Hands over the rows of a project's day, payment by payment.
pub async fn read_day<S: PaymentStore, E: From<StoreError>>(
    store: &S,
    project_id: ProjectId,
    day: Day,
    mut take: impl FnMut(Rows<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut pages = DayPages::new(project_id, day);
    while let Some(page) = pages.next(store).await? {
        let mut payments = std::pin::pin!(load_all(store, page.keys));
        while let Some(payment) = payments.try_next().await? {
            take(Rows::of(&payment, day))?;
        }
    }
    Ok(())
}

/// What was reported of a project.
#[derive(Debug, Serialize)]
pub struct Reported {
    /// How many days.
    pub days: u64,
    /// `false`: time was up, and days are left.
    pub in_time: bool,
    /// Every day before this moment is reported; the next one to report begins with it.
    pub until: Timestamp,
    /// Why a day could not be reported; the next run begins with it.
    pub failure: Option<String>,
}

/// With which day the first run begins.
fn first_to_report(now: Timestamp) -> Day {
    Day::of(now).previous()
}

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Reports each day of a project that is over and was not reported; for the first time, the day
    /// before.
    pub async fn report_rest(
        &self,
        project_id: ProjectId,
        deadline: Instant,
        mut tell: impl FnMut(Day, &Totals),
    ) -> Reported
    where
        S: ProgressStore,
    {
        let mut reported = Reported {
            days: 0,
            in_time: true,
            until: first_to_report(self.clock.now()).start(),
            failure: None,
        };
        let all = self.report_days(project_id, &mut reported, &mut tell);
        match timeout_at(deadline, all).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => reported.failure = Some(format!("{project_id}: {error}")),
            Err(_) => reported.in_time = false,
        }
        reported
    }

    async fn report_days(
        &self,
        project_id: ProjectId,
        reported: &mut Reported,
        tell: &mut impl FnMut(Day, &Totals),
    ) -> Result<(), PublishError>
    where
        S: ProgressStore,
    {
        let now = self.clock.now();
        let until = self.store.progress(project_id, Daily::Report).await?;
        let mut day = until.map_or(first_to_report(now), Day::of);
        reported.until = day.start();
        while day < Day::of(now) {
            let totals = self.close_day(project_id, day).await?;
            tell(day, &totals);
            reported.days += 1;
            day = day.next();
            let progress = self.store.advance(project_id, Daily::Report, day.start());
            progress.await?;
            reported.until = day.start();
        }
        Ok(())
    }

    /// The totals of a project's day. On the way it is looked once more which orders were paid
    /// twice.
    async fn close_day(&self, project_id: ProjectId, day: Day) -> Result<Totals, PublishError> {
        let mut totals = Totals::default();
        let mut pages = DayPages::new(project_id, day);
        while let Some(page) = pages.next(&self.store).await? {
            let payments = load_all(&self.store, page.keys).map_err(PublishError::from);
            let looked = payments.map_ok(|payment| async {
                self.check_paid_twice(&payment).await?;
                Ok(payment)
            });
            let mut looked = std::pin::pin!(looked.try_buffered(AT_ONCE));
            while let Some(payment) = looked.try_next().await? {
                totals.add(&Rows::of(&payment, day));
            }
        }
        Ok(totals)
    }
}
