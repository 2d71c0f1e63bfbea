//! Tests sales: from the checkout to the paid, declined, failed or expired payment.

mod clarification;
mod confirmation;
mod declines;
mod expiry;
mod external;
mod gate_answers;
mod held;
mod last_request;
mod lifecycle;
mod unlisted;
