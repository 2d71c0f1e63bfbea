//! Finds the payment of a checkout token.

use std::time::Duration;

use payments::model::{Order, Payment};
use payments::ports::{PaymentStore, StoreError};
use payments::service::checkout::token;
use url::Url;

use crate::checkouts::Checkouts;
use crate::language::Language;

/// The longest wait of a shopper's request. The limit is short because the shopper should soon see a page, and because
/// a waiting request occupies an instance of the function.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(5);

/// The payment of a checkout token, and the payment's order.
pub(super) struct ShopperCheckout {
    pub(super) payment: Payment,
    pub(super) order: Order,
}

impl ShopperCheckout {
    /// Returns the language that the storefront chose, or else the language of the browser.
    pub(super) fn language(&self, browser: Language) -> Language {
        let chosen = self.order.language.as_deref().and_then(Language::of_code);
        chosen.unwrap_or(browser)
    }

    /// Returns the storefront's return URL with the payment's id as the parameter `payment_id`.
    pub(super) fn shop_url(&self) -> String {
        let return_url = self.order.return_url.as_str();
        match Url::parse(return_url) {
            Ok(mut url) => {
                url.query_pairs_mut()
                    .append_pair("payment_id", self.payment.payment_id());
                url.into()
            }
            Err(_) => return_url.to_owned(),
        }
    }
}

impl Checkouts {
    /// Reads the payment of a token once. Returns `None` if the token is unknown.
    pub(super) async fn find(&self, token: &str) -> Result<Option<ShopperCheckout>, StoreError> {
        self.find_when(token, Duration::ZERO, |_| true).await
    }

    /// Reads the payment of a token repeatedly until `is_enough` returns true, for at most `wait`. Returns the
    /// payment as it was read last, or `None` if the token is unknown.
    pub(super) async fn find_when(
        &self,
        token: &str,
        wait: Duration,
        is_enough: impl Fn(&Payment) -> bool,
    ) -> Result<Option<ShopperCheckout>, StoreError> {
        let payments = &self.payments;
        let key = payments.store.payment_of_token(&token::hash(token)).await?;
        let Some(key) = key else { return Ok(None) };
        let payment = payments.wait_until(&key, wait, is_enough).await?;
        Ok(payment.and_then(|payment| {
            let order = payment.order()?.clone();
            Some(ShopperCheckout { payment, order })
        }))
    }

    /// Returns the URL of a checkout.
    pub(super) fn checkout_url(&self, token: &str) -> String {
        format!("{}/checkouts/{token}", self.base_url)
    }
}
