//! The platform records: all payments of the project, as a pure state machine.
//!
//! Time and ids are arguments. Each change returns a [`Change`], from which a callback is made. `store` finds payments;
//! the other files hold what a payment consists of, and the changes by topic.

mod added_operations;
mod clarification;
mod clarifying;
mod confirmation;
mod links;
mod operation;
mod order;
mod payment;
mod payment_status;
mod refunds;
mod sales;
mod status;
mod store;
#[cfg(test)]
mod tests;

pub use added_operations::{FurtherSale, ManualChange, OtherOperation};
pub use clarification::{ClarificationForm, FieldNames, Requirement};
pub use clarifying::Clarified;
pub use confirmation::CreditingResult;
pub use operation::{CURRENCY, Money, Operation, OperationType};
pub use order::{
    CallbackOptions, PageOrder, PageUrls, RefundOrder, ReturnUrls, SaleOrder, Stamp, is_web_address,
};
pub use payment::Payment;
pub use refunds::RefundReversal;
pub use sales::{Charge, Choice, SalePlan};
pub use status::{Status, read_one_of, read_optional, read_result};
pub use store::{Change, Records, key};
