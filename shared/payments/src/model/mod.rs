//! Defines a payment: its data, and everything that follows from the data.
//!
//! Reports are stored as sets, and the status is derived from them. Therefore the same facts result in the same
//! state, in any order (`shared/decisions/state/0003-facts-as-sets.md`). Only [`crate::decide`] changes a payment.
//! `shared/README.md` explains the rules.
//!
//! | module | holds |
//! | --- | --- |
//! | [`payment`] | the payment, made of the parts in this table |
//! | [`order`] | what the storefront ordered |
//! | [`attempt`] | the current attempt: its sale request, its checkout, requests for clarification |
//! | [`reported`] | the platform's reports, merged as sets |
//! | [`status`] | the status table, and whether the money of a sale counts |
//! | `ledger` | the amounts: paid, refunded, reserved, refundable |
//! | [`quarantine`] | why money is in quarantine, and what operators decided |
//! | [`refunds`] | the refunds, and which operation belongs to which refund |
//! | [`discrepancy`] | differences between the platform records and ours |
//! | [`polling`], [`schedule`] | the status requests that were sent, and what is due next |
//! | [`emitted`] | what the last events said |
//! | [`document`], `format` | the stored document of a payment, and its format |
//! | [`storefront`] | storefronts and the scopes of their keys |
//! | [`webhook`] | endpoints, their health and backlogs, and the signature of a posted event |
//! | [`ids`], [`path_id`], [`timestamp`], [`day`] | ids, also in paths, and times |

pub mod attempt;
pub mod day;
pub mod discrepancy;
pub mod document;
pub mod emitted;
pub mod format;
pub mod ids;
mod ledger;
pub mod order;
pub mod path_id;
pub mod payment;
pub mod polling;
pub mod quarantine;
pub mod refunds;
pub mod reported;
pub mod schedule;
pub(crate) mod serde_skip;
mod short_form;
pub mod status;
pub mod storefront;
pub mod timestamp;
pub mod webhook;

pub use ecommpay::operation::{OperationType, Outcome};

pub use self::attempt::checkout::CheckoutState;
pub use self::attempt::gate_request::GateRequest;
pub use self::discrepancy::{Discrepancy, DiscrepancyKind, Entry, PlatformRecord};
pub(crate) use self::emitted::{EmittedState, ShownRefunds};
pub use self::format::Format;
pub use self::order::{Channel, Customer, Order, PaidOrder, Private};
pub use self::payment::Payment;
pub use self::quarantine::{AllItems, Decision, QuarantineItem, QuarantineReason, Verdict};
pub use self::refunds::refund::{Refund, RefundOrder};
pub use self::refunds::refund_status::RefundStatus;
pub(crate) use self::refunds::revoked::RevokedRefund;
pub(crate) use self::refunds::update::DUPLICATE_REFUND;
pub use self::reported::evidence::Evidence;
pub use self::reported::operation::Operation;
pub(crate) use self::reported::report_limits::is_storable;
pub use self::reported::report_source::SignedReport;
pub(crate) use self::reported::reported_sums::ReportedSum;
pub(crate) use self::reported::request_error::{ending_error, failed_request};
pub use self::reported::waiting::{Redirect, RedirectMethod, Waiting};
pub use self::status::Status;
pub(crate) use self::status::sale_state::SaleState;
pub use self::status::table::{Row, TABLE};
