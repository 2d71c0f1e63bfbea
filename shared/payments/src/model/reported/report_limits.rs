//! Defines the size limits of a report. A report is limited, because the payment stores it, and the store limits a
//! payment to 400 KB.

use ecommpay::report::{self, Report, Sum};

/// The maximum number of characters of an id, a date, a status or a similar text.
const MAX_TEXT_LENGTH: usize = 255;
/// The maximum size of a redirect, in bytes: the URL and the form fields.
const MAX_REDIRECT_BYTES: usize = 32 * 1_024;
/// The maximum number of clarification fields.
const MAX_FIELDS: usize = 100;
/// The maximum size of the names of all clarification fields, in bytes.
const MAX_NAMES_BYTES: usize = 8 * 1_024;

/// Whether a report is within all limits. A callback that exceeds a limit is only a hint. A status answer that
/// exceeds a limit is ignored.
pub(crate) fn is_storable(report: &Report) -> bool {
    let is_short = |text: &str| text.chars().count() <= MAX_TEXT_LENGTH;
    let are_short = |texts: &[&Option<String>]| {
        let mut texts = texts.iter().filter_map(|text| text.as_deref());
        texts.all(is_short)
    };
    let currency = |sum: &Option<Sum>| sum.as_ref().is_none_or(|sum| is_short(&sum.currency));
    let operation = |operation: &report::Operation| {
        is_short(operation.kind.as_str())
            && is_short(&operation.status)
            && currency(&operation.sum_initial)
            && currency(&operation.sum_converted)
            && are_short(&[
                &operation.id,
                &operation.date,
                &operation.created_date,
                &operation.code,
                &operation.request_id,
                &operation.merchant_refund_id,
            ])
    };
    let redirect_bytes = report.redirect.as_ref().map_or(0, |redirect| {
        let fields = redirect.fields.iter();
        let fields = fields.map(|(name, value)| name.len() + value.len());
        redirect.url.len() + fields.sum::<usize>()
    });
    let names = report
        .clarification_fields
        .iter()
        .map(|field| field.name.len());
    let names_bytes: usize = names.sum();
    let mut fields = report.clarification_fields.iter();
    are_short(&[
        &report.payment_id,
        &report.payment_status,
        &report.payment_date,
    ]) && currency(&report.payment_sum)
        && report.operations.iter().all(operation)
        && report.errors.iter().all(|error| is_short(&error.code))
        && redirect_bytes <= MAX_REDIRECT_BYTES
        && report.clarification_fields.len() <= MAX_FIELDS
        && names_bytes <= MAX_NAMES_BYTES
        && fields.all(|field| is_short(&field.name))
}
