//! Makes the pages where a shopper confirms an order.

use std::ops::RangeInclusive;

use axum::response::Response;
use maud::{Markup, html};

use super::link::Link;
use crate::platform::gate::customer_rules::CustomerField;
use crate::platform::html::{link_to_shop, order_summary, page};
use crate::platform::records::Payment;

/// The page has an input for each field in `missing`. If `is_invalid` is set, the page says that an input was invalid.
pub fn payment_page(link: &Link, missing: &[CustomerField], is_invalid: bool) -> Response {
    let inputs = html! {
        @for field in missing { (input(*field)) }
        @if is_invalid {
            p role="alert" { "Fill in every field. A last name has 3 to 100 characters." }
        }
    };
    let order = &link.order;
    let content = html! {
        (order_summary("Payment Page", order.amount, order.title()))
        (confirmation_form(&inputs))
        (link_to_shop(link.buttons.back.as_deref()))
    };
    page("Payment Page", content)
}

pub fn dashboard_link(payment: &Payment) -> Response {
    let order = &payment.order;
    let content = html! {
        (order_summary("Payment link", order.amount, order.title()))
        (confirmation_form(&html! {}))
    };
    page("Payment link", content)
}

/// The minimum and maximum number of characters that the page accepts.
pub fn length_of(field: CustomerField) -> RangeInclusive<usize> {
    match field {
        CustomerField::LastName => 3..=100,
        CustomerField::FirstName | CustomerField::Email => 1..=255,
    }
}

fn confirmation_form(inputs: &Markup) -> Markup {
    html! {
        form method="post" {
            (inputs)
            button.main id="confirm" { "Continue with Bancontact" }
        }
    }
}

fn input(field: CustomerField) -> Markup {
    let (label, kind, autocomplete) = match field {
        CustomerField::LastName => ("Last name", "text", "family-name"),
        CustomerField::FirstName => ("First name", "text", "given-name"),
        CustomerField::Email => ("E-mail", "email", "email"),
    };
    let length = length_of(field);
    html! {
        label {
            (label)
            input type=(kind) name=(field.name()) autocomplete=(autocomplete) required
                minlength=(length.start()) maxlength=(length.end());
        }
    }
}
