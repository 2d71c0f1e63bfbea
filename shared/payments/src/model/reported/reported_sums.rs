//! Lists every sum that the platform named for the money received. The sums are displayed beside the order.

use std::collections::BTreeSet;

use ecommpay::report::Sum;

use super::operation::Operation;
use crate::model::payment::Payment;

pub(crate) struct ReportedSum {
    /// The operation; `None` for a sum of the whole payment.
    pub(crate) operation_id: Option<String>,
    /// The name of the field in the report.
    pub(crate) field: &'static str,
    pub(crate) sum: Sum,
}

impl Payment {
    pub(crate) fn reported_sums(&self) -> Vec<ReportedSum> {
        let mut of_payment = self.reported.sums.named();
        of_payment.extend(self.newest_sum().map(|newest| newest.sum.clone()));
        let of_payment = of_payment.into_iter().map(|sum| ReportedSum {
            operation_id: None,
            field: "payment.sum",
            sum,
        });
        let operations = self.reported.operations.iter();
        let of_operations = operations
            .filter(|(_, operation)| takes_money(operation))
            .flat_map(|(id, operation)| {
                let sums = sums_of(operation).into_iter();
                sums.map(|(field, sum)| ReportedSum {
                    operation_id: Some(id.clone()),
                    field,
                    sum: sum.clone(),
                })
            });
        of_payment.chain(of_operations).collect()
    }
}

fn takes_money(operation: &Operation) -> bool {
    operation.has_succeeded()
        && !operation.kind().moves_no_money()
        && !operation.kind().is_about_refund()
}

fn sums_of(operation: &Operation) -> BTreeSet<(&'static str, &Sum)> {
    let reports = operation.finals.iter();
    let sums = reports.flat_map(|report| {
        let initial = report.sum_initial.as_ref();
        let converted = report.sum_converted.as_ref();
        let initial = initial.map(|sum| ("sum_initial", sum));
        [initial, converted.map(|sum| ("sum_converted", sum))]
    });
    sums.flatten().collect()
}
