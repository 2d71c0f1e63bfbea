//! Lists which statuses of payments and operations are documented, and which are final.
//!
//! Sources ([list](crate::sources)): Confirmation; Payment links; Results; the platform's plug-ins.

const DOCUMENTED_STATUSES: [&str; 28] = [
    "awaiting 3ds result",
    "awaiting capture",
    "awaiting clarification",
    "awaiting confirmation",
    "awaiting customer",
    "awaiting customer action",
    "awaiting merchant auth",
    "awaiting payment",
    "awaiting redirect result",
    "awaiting retry",
    "canceled",
    "cancelled",
    "decline",
    "error",
    "expired",
    "external error",
    "external processing",
    "internal error",
    "invoice canceled",
    "invoice cancelled",
    "invoice sent",
    "partially paid",
    "partially refunded",
    "partially reversed",
    "processing",
    "refunded",
    "reversed",
    "success",
];

/// Returns whether the meaning of a status is known, from the platform's documents or its plug-ins. The status can be
/// of a payment or of an operation.
pub fn is_documented(status: &str) -> bool {
    DOCUMENTED_STATUSES.contains(&status)
}

/// Returns whether a `payment.status` is final for the payment. Undocumented statuses are not final.
pub(super) fn is_final(payment_status: &str) -> bool {
    matches!(
        payment_status,
        "success"
            | "decline"
            | "partially refunded"
            | "refunded"
            | "partially reversed"
            | "reversed"
            | "partially paid"
            | "canceled"
            | "cancelled"
            | "expired"
            | "external error"
            | "internal error"
            | "invoice canceled"
            | "invoice cancelled"
    )
}
