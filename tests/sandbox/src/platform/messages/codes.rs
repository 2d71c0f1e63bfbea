//! Lists the result codes that the simulation uses, from the platform's list of codes.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// A string, as in callbacks.
    pub number: &'static str,
    pub message: &'static str,
}

const fn code(number: &'static str, message: &'static str) -> Code {
    Code { number, message }
}

pub const SUCCESS: Code = code("0", "Success");
pub const AWAITING: Code = code("9999", "Awaiting processing");
pub const ACCESS_DENIED: Code = code("303", "Access denied");
pub const INTERNAL: Code = code("501", "Internal error");
pub const VALIDATION: Code = code("502", "Validation error");
pub const INVALID_JSON: Code = code("2003", "Invalid JSON string");
pub const FIELD_MISSING: Code = code("2004", "Required field not provided");
pub const PROJECT_UNKNOWN: Code = code("2442", "Project ID not found");
pub const PAYMENT_EXISTS: Code = code("3041", "Payment ID already exists");
pub const STATUS_FORBIDS: Code = code(
    "3060",
    "Current payment or operation status does not allow this action",
);
pub const NOT_FOUND: Code = code("3061", "Transaction not found");
pub const DETAILS_NOT_RECEIVED: Code = code("3062", "Payment details not received");
pub const INVALID_CURRENCY: Code = code("3121", "Invalid currency");
pub const NEED_CLARIFICATION: Code = code("3191", "Need clarification");
pub const REFUND_EXISTS: Code = code(
    "3230",
    "The operation with such merchant_refund_id already exists",
);
pub const INVALID_SIGNATURE: Code = code("3261", "Invalid signature");
pub const EMPTY_SIGNATURE: Code = code("3262", "Empty signature");
pub const REFUND_TOO_LARGE: Code = code("3283", "Refund amount more than init amount");
pub const REFUND_CURRENCY: Code = code("3284", "Refund currency mismatched or empty");
pub const AMOUNT_REQUIRED: Code = code("3286", "The property amount is required");
pub const CURRENCY_REQUIRED: Code = code("3287", "The property currency is required");
pub const OUTSIDE_LIMITS: Code = code("20101", "Decline due to amount or frequency limit");
pub const CANCELLED_BY_OWNER: Code = code("20301", "Account owner cancelled operation");
pub const TIME_OUT: Code = code("20602", "Time-out");
pub const AWAITING_PROVIDER: Code = code("29999", "Awaiting processing");
pub const NOT_CREDITED: Code = code(
    "20812",
    "The service provider did not confirm the account crediting",
);
