//! Finds the sums of one operation in its reports.

use ecommpay::operation::Outcome;
use ecommpay::report::Sum;

use super::operation::Operation;
use super::operation_report::FinalReport;

impl Operation {
    pub(in crate::model) fn successful_sums(&self) -> impl Iterator<Item = &Sum> {
        let reports = self.effective_source();
        let successes = reports.filter(|report| report.outcome == Outcome::Succeeded);
        successes.filter_map(|report| report.sum_initial.as_ref())
    }

    /// Returns the requested sum, `sum_initial`.
    pub fn sum(&self) -> Option<&Sum> {
        match (self.report_with_sum(), &self.pending) {
            (Some(report), _) => report.sum_initial.as_ref(),
            (None, pending) => pending.as_ref()?.sum.as_ref(),
        }
    }

    /// Returns the final report whose `sum_initial` counts: the report that counts. If that report has no sum, returns
    /// the highest-ranked report with a sum that has the same source, outcome and type. Some reports lack fields.
    fn report_with_sum(&self) -> Option<&FinalReport> {
        let effective = self.effective_report()?;
        let has_sum = |report: &FinalReport| report.sum_initial.is_some();
        if has_sum(effective) {
            return Some(effective);
        }
        let mut same = self.effective_source().filter(|report| {
            (report.outcome, &report.kind) == (effective.outcome, &effective.kind)
        });
        same.find(|report| has_sum(report)).or(Some(effective))
    }

    /// Returns `sum_initial` of every final report, including reports that do not count.
    pub(in crate::model) fn reported_sums(&self) -> impl Iterator<Item = Option<&Sum>> {
        let reports = self.finals.iter();
        reports.map(|report| report.sum_initial.as_ref())
    }

    /// Returns the sums that moved, the sum that counts first.
    pub(in crate::model) fn final_sums(&self) -> impl Iterator<Item = &Sum> {
        let reports = self.effective_report().into_iter();
        let reports = reports.chain(self.report_with_sum());
        let sums = reports.flat_map(|report| [&report.sum_converted, &report.sum_initial]);
        sums.flatten()
    }

    /// Returns the amount of `sum_initial` in minor units.
    pub fn amount(&self) -> Option<u64> {
        self.sum().map(|sum| sum.amount)
    }

    /// Returns the currency of `sum_initial`.
    pub fn currency(&self) -> Option<&str> {
        self.sum().map(|sum| sum.currency.as_str())
    }
}
