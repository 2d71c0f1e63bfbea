//! Serves `POST /checkouts/{token}`: sends the data that the shopper entered in the clarification form.

use lambda_http::{Request, Response};
use payments::api::problem::ExternalCause;
use payments::log::Line;
use payments::model::Status;
use payments::ports::Clock;
use payments::service::checkout::token;
use payments::service::clarification::{ClarificationError, MAX_SHOPPER_TRIES};
use payments::service::error::ApplyError;

use super::hand_off::requested_data;
use super::response::{see_other, unavailable};
use crate::checkouts::Checkouts;
use crate::form;
use crate::language::Language;
use crate::pages::{self, FormNotice};

impl Checkouts {
    /// Sends the shopper's data to Gate and redirects the browser to the checkout, which shows the next step.
    ///
    /// Shows the form again if a value is invalid, the data was not sent, or the platform gave no clear answer. If the
    /// platform refuses the data, or no data can be sent any more, shows a page with a link to the shop.
    pub(crate) async fn submit_form(
        &self,
        token: &str,
        request: &Request,
        browser: Language,
    ) -> Response<String> {
        let checkout = match self.find(token).await {
            Ok(Some(checkout)) => checkout,
            Ok(None) => return pages::unknown_token(browser),
            Err(error) => return unavailable(error, browser, None),
        };
        let payment = &checkout.payment;
        let language = checkout.language(browser);
        let checkout_url = self.checkout_url(token);
        let now = self.payments.clock.now();
        // For example, the shopper has submitted the form a second time, or the checkout has expired.
        if checkout.status() != Status::AwaitingClarification || !checkout.is_open(now) {
            return see_other(&checkout_url, language);
        }
        let shop_url = checkout.shop_url();
        let Some(requested) = requested_data(payment) else {
            return pages::data_missing(language, &shop_url);
        };
        let answers = match form::read(&requested, form::body(request)) {
            Ok(answers) => answers,
            Err(fields) => {
                return pages::clarification(language, &checkout_url, &shop_url, &fields, None);
            }
        };
        // Shows the entered values, so that the shopper can submit them again. A repeat is safe.
        let show_again = |notice| {
            let fields = form::filled(&requested, &answers);
            pages::clarification(language, &checkout_url, &shop_url, &fields, Some(notice))
        };
        let Some(slot) = self.claim_form(&token::hash(token)).await else {
            return show_again(FormNotice::NotSent);
        };
        let sent = self
            .send_clarification(payment, &answers, MAX_SHOPPER_TRIES)
            .await;
        self.end_wait(slot).await;
        match sent {
            Ok(_) | Err(ClarificationError::NotRequested) => see_other(&checkout_url, language),
            Err(ClarificationError::Refused(code)) => {
                Line::warn("the platform refused the data of a shopper's clarification form")
                    .with("payment", payment.key().to_string())
                    .with("code", code)
                    .write();
                pages::data_missing(language, &shop_url)
            }
            Err(ClarificationError::NotSendable | ClarificationError::TooManyTries) => {
                pages::data_missing(language, &shop_url)
            }
            Err(ClarificationError::NoAnswer) => show_again(FormNotice::NoAnswer),
            Err(ClarificationError::Unavailable(error)) => {
                let is_contention = matches!(error, ApplyError::Contention);
                let mut response = unavailable(error, language, Some(&shop_url));
                if is_contention {
                    response.extensions_mut().insert(ExternalCause);
                }
                response
            }
        }
    }
}
