//! Explains the platform's result codes (`operation.code`, and `code` of an error): the message of each code, the
//! advice that follows from it, and which codes are confidential.
//!
//! One list of 378 codes serves all payment methods. 0 means success. 100 to 999 concern the platform, 2xxx and
//! 3xxx the request and the rules, 10xxx cards, 20xxx alternative methods such as Bancontact, and 30xxx the
//! merchant. 9999, 19999 and 29999 mean "wait".
//!
//! Source: Codes.

mod action;
mod result_code;
mod table;

pub use result_code::ResultCode;
