//! The switches that make the platform misbehave, for all new payments or for one.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{books, payment};

/// How the platform misbehaves for one payment. By default it does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// So many further copies of every callback.
    pub duplicate: u8,
    /// A pause before every callback, in real milliseconds.
    pub delay_ms: u64,
    /// Callbacks wait until this is switched off.
    pub hold: bool,
    /// Callbacks get lost on the way (and are repeated as if nobody had answered).
    pub drop: bool,
    /// Every other callback waits for the one after it, at most three seconds.
    pub reorder: bool,
    /// Callbacks are changed after they were signed.
    pub tamper: bool,
    /// The bank takes another amount than was ordered.
    pub wrong_amount: WrongAmount,
    /// The sale stays in `processing`; nobody learns where to send the browser.
    pub no_redirect: bool,
    /// How the browser is sent to the bank.
    pub redirect_method: RedirectMethod,
    /// The sale is accepted and then ends in `error`.
    pub sale_error: bool,
    /// How the requests of [`Faults::answer_to`] are answered.
    pub answer: Answer,
    /// Which requests `answer` is about.
    pub answer_to: Vec<Kind>,
    /// How long a `slow` answer takes, in real milliseconds.
    pub slow_ms: u64,
    /// After so many answers, `answer` is `ok` again; without it, never.
    pub answer_times: Option<u32>,
    /// Operations that the Data API does not list.
    pub unlisted: Vec<ListedKind>,
    /// The amount that the Data API lists instead of the true one, in minor units.
    pub listed_amount: Option<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            duplicate: 0,
            delay_ms: 0,
            hold: false,
            drop: false,
            reorder: false,
            tamper: false,
            wrong_amount: WrongAmount::Switch(false),
            no_redirect: false,
            redirect_method: RedirectMethod::Get,
            sale_error: false,
            answer: Answer::Ok,
            answer_to: vec![Kind::Sale, Kind::Refund],
            slow_ms: 10_000,
            answer_times: None,
            unlisted: Vec::new(),
            listed_amount: None,
        }
    }
}

/// What the bank takes instead of the ordered amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WrongAmount {
    /// `true`: one minor unit less.
    Switch(bool),
    /// This amount, in minor units.
    Paid(u64),
}

impl WrongAmount {
    /// The amount that the bank takes for an order of `amount`.
    pub fn paid(self, amount: u64) -> u64 {
        match self {
            WrongAmount::Switch(false) => amount,
            WrongAmount::Switch(true) => amount.saturating_sub(1),
            WrongAmount::Paid(other) => other,
        }
    }
}

/// How the browser is sent to the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RedirectMethod {
    /// It follows an address.
    Get,
    /// It posts a form.
    Post,
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Starts a payment.
    Sale,
    /// Gives money back.
    Refund,
    /// Brings data that was asked for.
    Clarification,
    /// Asks how a payment stands.
    Status,
}

/// An operation that the Data API can list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListedKind {
    /// Takes money.
    Sale,
    /// Gives it back.
    Refund,
}

impl ListedKind {
    /// Whether this is the kind of an operation.
    pub fn is(self, kind: payment::Kind) -> bool {
        match self {
            ListedKind::Sale => kind == payment::Kind::Sale,
            ListedKind::Refund => kind == payment::Kind::Refund,
        }
    }
}

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// As it should be.
    Ok,
    /// HTTP 500; the request is not taken.
    #[serde(rename = "error_500")]
    Error500,
    /// HTTP 400 with code 502; the request is not taken.
    #[serde(rename = "error_400")]
    Error400,
    /// HTTP 400 with code 3041; the request is not taken.
    #[serde(rename = "error_3041")]
    Error3041,
    /// The request is taken and answered with HTML.
    NotJson,
    /// The request is taken and answered after [`Faults::slow_ms`].
    Slow,
    /// The request is taken and the connection cut.
    Cut,
    /// The connection is cut before the request is taken.
    Lost,
}

/// The switches of all payments.
#[derive(Debug, Default)]
pub struct FaultBoard {
    /// For payments that nobody has set switches for.
    pub defaults: Faults,
    by_payment: HashMap<String, Faults>,
}

impl FaultBoard {
    /// The switches of a payment.
    pub fn of(&self, payment_id: &str) -> &Faults {
        let own = self.by_payment.get(&books::key(payment_id));
        own.unwrap_or(&self.defaults)
    }

    /// The switches of a payment, if it has its own.
    pub fn own(&self, payment_id: &str) -> Option<&Faults> {
        self.by_payment.get(&books::key(payment_id))
    }

    /// Replaces the switches of a payment, which need not exist yet.
    pub fn set(&mut self, payment_id: &str, faults: Faults) {
        self.by_payment.insert(books::key(payment_id), faults);
    }

    /// How the next request of a kind about a payment is answered, and how slowly. From the
    /// first request on the payment has its own switches, whatever the defaults become.
    pub fn next_answer(&mut self, payment_id: &str, kind: Kind) -> (Answer, Duration) {
        let own = self.by_payment.entry(books::key(payment_id));
        let faults = own.or_insert_with(|| self.defaults.clone());
        let slow = Duration::from_millis(faults.slow_ms);
        if !faults.answer_to.contains(&kind) {
            return (Answer::Ok, slow);
        }
        match faults.answer_times.as_mut() {
            None => (faults.answer, slow),
            Some(0) => (Answer::Ok, slow),
            Some(times) => {
                *times -= 1;
                (faults.answer, slow)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Faults, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn switches_are_read_and_unknown_ones_refused() {
        let faults = read(r#"{"wrong_amount":900,"answer":"error_500","redirect_method":"POST"}"#);
        let faults = faults.unwrap();
        assert_eq!(faults.wrong_amount.paid(1000), 900);
        assert_eq!(faults.answer, Answer::Error500);
        assert_eq!(read("{}").unwrap(), Faults::default());
        let error = read(r#"{"explode":true}"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `explode`"), "{error}");
        assert!(read(r#"{"answer":"maybe"}"#).is_err());
    }

    #[test]
    fn an_answer_can_be_wrong_a_few_times_only() {
        let mut board = FaultBoard::default();
        let faults = read(r#"{"answer":"lost","answer_times":1}"#).unwrap();
        board.set("Order-1", faults);
        let mut next = |id, kind| board.next_answer(id, kind).0;
        assert_eq!(next("order-1", Kind::Status), Answer::Ok);
        assert_eq!(next("order-1", Kind::Sale), Answer::Lost);
        assert_eq!(next("ORDER-1", Kind::Sale), Answer::Ok);
        assert_eq!(next("order-2", Kind::Sale), Answer::Ok);
    }

    #[test]
    fn answers_of_one_kind_can_be_wrong() {
        let mut board = FaultBoard::default();
        let faults = read(r#"{"answer":"error_400","answer_to":["clarification"]}"#).unwrap();
        board.set("order-1", faults);
        let mut next = |kind| board.next_answer("order-1", kind).0;
        assert_eq!(next(Kind::Sale), Answer::Ok);
        assert_eq!(next(Kind::Clarification), Answer::Error400);
    }

    #[test]
    fn the_defaults_are_those_of_the_first_request() {
        let mut board = FaultBoard::default();
        board.defaults.drop = true;
        board.next_answer("order-1", Kind::Sale);
        board.defaults.drop = false;
        assert!(board.of("order-1").drop);
        assert!(!board.of("order-2").drop);
    }
}
