//! Explains the platform's result codes (`operation.code`, and `code` of an error): the message of each code, the
//! advice for the shop, and which codes are confidential.
//!
//! One list of 378 codes serves all payment methods:
//!
//! - 0: success;
//! - 100 to 999: the platform;
//! - 1401 to 1499: the platform's risk system;
//! - 2003 to 3901: the request and the platform's rules;
//! - 10000 to 10812: cards;
//! - 20000 to 20899: alternative methods such as Bancontact;
//! - 30000 to 30401: the merchant;
//! - 9999, 19999 and 29999: no result yet.
//!
//! Source ([list](crate::sources)): Codes.

mod action;
mod result_code;
mod table;

pub use result_code::ResultCode;
