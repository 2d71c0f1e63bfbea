//! Authorizes the calls of the API, and makes the answers.
//!
//! The code of a route first calls [`caller`] or [`visible_payment`]. The code returns a response or a [`Problem`]; `?`
//! converts an error into a [`Problem`]. The handler passes this result to [`respond`].

use http::{HeaderMap, Response, header};

use super::problem::Problem;
use crate::model::Payment;
use crate::model::storefront::{Scope, Storefront};
use crate::ports::{PaymentStore, StorefrontStore};
use crate::service::commit::Payments;
use crate::service::storefront;

/// Returns the storefront that makes the call. Returns a problem if the storefront's key does not allow `scope`.
pub async fn caller(
    storefronts: &impl StorefrontStore,
    headers: &HeaderMap,
    scope: Scope,
) -> Result<Storefront, Problem> {
    let header = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    Ok(storefront::authorize(storefronts, header, scope).await?)
}

/// Returns the payment with this id. Returns a problem if the caller's key does not allow `scope`. Returns
/// `not_found` if the payment does not exist or the caller may not see it.
pub async fn visible_payment<S: PaymentStore, Q, C>(
    payments: &Payments<S, Q, C>,
    storefronts: &impl StorefrontStore,
    headers: &HeaderMap,
    scope: Scope,
    payment_id: &str,
    not_found: fn() -> Problem,
) -> Result<Payment, Problem> {
    let storefront = caller(storefronts, headers, scope).await?;
    let payment = payments.visible_to(&storefront, payment_id).await?;
    payment.ok_or_else(not_found)
}

/// Returns the answer to a call: the response of the handler, or the problem document.
pub fn respond(handled: Result<Response<String>, Problem>) -> Response<String> {
    handled.unwrap_or_else(Problem::into_response)
}
