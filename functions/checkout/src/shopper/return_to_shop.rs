//! Serves `GET` and `POST /checkouts/{token}/return`: redirects the shopper to the storefront after the visit to the
//! bank. A bank can return the shopper with a posted form. The content of the form is ignored.

use std::time::Duration;

use lambda_http::Response;
use payments::model::Payment;

use super::response::{see_other, unavailable};
use crate::checkouts::Checkouts;
use crate::language::Language;
use crate::pages;

/// The maximum wait for the result of the payment.
const MAX_WAIT: Duration = Duration::from_secs(2);

impl Checkouts {
    /// Waits for the result of the payment, so that the storefront can show the result. Then redirects the browser. If
    /// no slot is free for the wait, shows a page that loads the shop's page by itself.
    pub(crate) async fn return_to_shop(&self, token: &str, browser: Language) -> Response<String> {
        let is_decided = |payment: &Payment| !payment.status().is_undecided();
        match self.find_when(token, MAX_WAIT, is_decided).await {
            Ok(Some(checkout)) if checkout.could_not_wait => {
                pages::waiting_for_result(checkout.language(browser), &checkout.shop_url())
            }
            Ok(Some(checkout)) => see_other(&checkout.shop_url(), checkout.language(browser)),
            Ok(None) => pages::unknown_token(browser),
            Err(error) => unavailable(error, browser, None),
        }
    }
}
