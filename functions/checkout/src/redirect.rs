//! Makes the redirect of the shopper's browser to the bank or to Payment Page.

use std::collections::BTreeMap;

use aws::config;
use aws::secrets::SecretError;
use payments::model::{Payment, Redirect, RedirectMethod, Status};
use payments::service::checkout::payment_page::PaymentPageLinks;
use url::Url;

use crate::checkouts::Checkouts;

impl Checkouts {
    /// Returns the redirect with which the shopper can pay. Returns `None` if the shopper cannot pay now, or if the
    /// redirect is not allowed.
    pub(crate) async fn redirect(
        &self,
        payment: &Payment,
    ) -> Result<Option<Redirect>, SecretError> {
        if !self.is_open(payment) || payment.status() != Status::AwaitingCustomer {
            return Ok(None);
        }
        match payment.has_unused_link() {
            true => self.redirect_to_payment_page(payment).await,
            false => Ok(self.redirect_to_bank(payment)),
        }
    }

    async fn redirect_to_payment_page(
        &self,
        payment: &Payment,
    ) -> Result<Option<Redirect>, SecretError> {
        let keyring = self.keys.of(payment.project_id()).await?;
        let links = PaymentPageLinks {
            page_url: &self.page_url,
            settings: &self.page_settings,
            base_url: &self.base_url,
            tokens: self.tokens.get().await?,
        };
        let link = links.link(payment, keyring.current());
        Ok(link.map(|url| Redirect {
            method: RedirectMethod::Get,
            url,
            fields: BTreeMap::new(),
        }))
    }

    /// Returns the redirect that the platform reported, if its URL has the scheme https. If this service and the bank
    /// have loopback addresses, as in the sandbox, http is also allowed.
    fn redirect_to_bank(&self, payment: &Payment) -> Option<Redirect> {
        let redirect = payment.redirect()?;
        let url = Url::parse(&redirect.url).ok()?;
        let is_local = || Url::parse(&self.base_url).is_ok_and(|own| config::is_loopback(&own));
        let is_allowed = match url.scheme() {
            "https" => true,
            "http" => config::is_loopback(&url) && is_local(),
            _ => false,
        };
        is_allowed.then(|| Redirect {
            // A parsed URL is plain ASCII, and therefore valid in a header.
            url: url.into(),
            ..redirect.clone()
        })
    }
}
