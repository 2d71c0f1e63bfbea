//! Finds the payment of a checkout token.

use std::time::Duration;

use payments::model::timestamp::Timestamp;
use payments::model::{CheckoutState, Order, Payment, Status};
use payments::ports::{Clock, PaymentStore, StoreError, TokenCheckout};
use payments::service::checkout::{READ_INTERVAL, token};
use url::Url;

use crate::checkouts::Checkouts;
use crate::language::Language;

/// The maximum wait for the redirect URL. It is short, because the shopper should soon see a page, and because a
/// waiting request occupies an instance of the function.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(5);

/// The checkout of a token: an attempt of a payment.
pub(super) struct ShopperCheckout {
    pub(super) payment: Payment,
    pub(super) order: Order,
    /// The return URL of this attempt. A later attempt can have another return URL.
    return_url: String,
    /// Whether the payment has no later attempt.
    is_current: bool,
    /// Whether the request had to wait but got no slot ([`crate::wait_slot`]).
    pub(super) could_not_wait: bool,
}

impl ShopperCheckout {
    pub(super) fn without_wait(self) -> Self {
        Self {
            could_not_wait: true,
            ..self
        }
    }

    /// Returns the language that the storefront chose, or else the language of the browser. The chosen language belongs
    /// to the current attempt only.
    pub(super) fn language(&self, browser: Language) -> Language {
        let chosen = self.order.language.as_deref().and_then(Language::of_code);
        chosen.filter(|_| self.is_current).unwrap_or(browser)
    }

    /// Returns the status that this shopper sees: normally the status of the payment. If the payment has a later
    /// attempt and no money, the status is `failed`, because another shopper can have started the later attempt.
    pub(super) fn status(&self) -> Status {
        match self.shows_payment() {
            true => self.payment.status(),
            false => Status::Failed,
        }
    }

    /// Returns the state of the checkout that this shopper sees.
    pub(super) fn state(&self, at: Timestamp) -> Option<CheckoutState> {
        match self.shows_payment() {
            true => self.payment.checkout_state(at),
            false => Some(CheckoutState::Done),
        }
    }

    /// Whether this shopper can still pay.
    pub(super) fn is_open(&self, at: Timestamp) -> bool {
        self.state(at) == Some(CheckoutState::Open)
    }

    fn shows_payment(&self) -> bool {
        let status = self.payment.status();
        let has_money = status.is_paid()
            || matches!(status, Status::Quarantined | Status::AwaitingConfirmation)
            || self.payment.successful_sales().next().is_some();
        self.is_current || has_money
    }

    /// Returns the storefront's return URL with the payment's id as the parameter `payment_id`.
    pub(super) fn shop_url(&self) -> String {
        match Url::parse(&self.return_url) {
            Ok(mut url) => {
                url.query_pairs_mut()
                    .append_pair("payment_id", self.payment.payment_id());
                url.into()
            }
            Err(_) => self.return_url.clone(),
        }
    }
}

impl Checkouts {
    /// Reads the payment of a token once. Returns `None` if the token is unknown.
    pub(super) async fn find(&self, token: &str) -> Result<Option<ShopperCheckout>, StoreError> {
        self.find_when(token, Duration::ZERO, |_| true).await
    }

    /// Reads the payment of a token until `is_enough` returns true, for at most `wait`. Reads only once if the payment
    /// has a later attempt, or if the request gets no slot ([`crate::wait_slot`]). Returns the last payment that was
    /// read, or `None` if the token is unknown.
    pub(super) async fn find_when(
        &self,
        token: &str,
        wait: Duration,
        is_enough: impl Fn(&Payment) -> bool,
    ) -> Result<Option<ShopperCheckout>, StoreError> {
        let (payments, hash) = (&self.payments, token::hash(token));
        let found = payments.store.checkout_of_token(&hash).await?;
        let Some(TokenCheckout {
            key,
            attempt,
            return_url,
        }) = found
        else {
            return Ok(None);
        };
        let is_current = |payment: &Payment| payment.attempt().number() == attempt;
        let is_enough = |payment: &Payment| !is_current(payment) || is_enough(payment);
        let mut payment = payments
            .wait_until(&key, Duration::ZERO, &is_enough)
            .await?;
        let must_wait = payment.as_ref().is_some_and(|payment| !is_enough(payment));
        let mut could_not_wait = false;
        if let Some(rest) = wait.checked_sub(READ_INTERVAL).filter(|_| must_wait) {
            match self.claim_wait(&hash, wait).await {
                Some(slot) => {
                    payments.clock.sleep(READ_INTERVAL).await;
                    let waited = payments.wait_until(&key, rest, &is_enough).await;
                    self.end_wait(slot).await;
                    payment = waited?;
                }
                None => could_not_wait = true,
            }
        }
        Ok(payment.and_then(|payment| {
            Some(ShopperCheckout {
                order: payment.order()?.clone(),
                return_url,
                is_current: is_current(&payment),
                could_not_wait,
                payment,
            })
        }))
    }

    pub(super) fn checkout_url(&self, token: &str) -> String {
        format!("{}/checkouts/{token}", self.base_url)
    }
}
