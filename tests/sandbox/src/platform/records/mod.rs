//! Holds the platform records. Each payment is a state machine without I/O: its methods receive the time and new ids.
//!
//! A change that causes a callback returns a [`Change`]. The file `change` has the steps that all changes share, and
//! each kind of change has its own file.

mod added_operations;
mod change;
mod clarification;
mod confirmation;
mod links;
mod operation;
mod order;
mod payment;
mod payment_status;
mod refunds;
mod requirement;
mod sales;
mod status;
mod store;
#[cfg(test)]
mod tests;

pub use added_operations::FurtherSale;
pub use change::Change;
pub use confirmation::CreditingResult;
pub use operation::{CURRENCY, Money, Operation, OperationType};
pub use order::{
    CallbackOptions, PageOrder, PageUrls, RefundOrder, ReturnUrls, SaleOrder, Stamp, is_web_address,
};
pub use payment::Payment;
pub use refunds::RefundReversal;
pub use requirement::{ClarificationForm, FieldNames, Requirement};
pub use sales::{Charge, SalePlan};
pub use status::{Status, read_one_of, read_optional};
pub use store::{Records, key};
