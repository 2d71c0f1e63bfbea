//! The explanations of the control calls.

/// A call.
pub struct Call {
    /// Method and path.
    pub request: &'static str,
    /// An example of the body; empty if there is none.
    pub body: &'static str,
    pub effect: &'static str,
}

/// All calls.
pub const CALLS: &[Call] = &[
    Call {
        request: "GET /simulator/payments, GET /simulator/payments/{id}",
        body: "",
        effect: "Returns the platform record: status, payment.sum, operations, callbacks, requests and switches. \
                 `money` has the amounts that were really received, refunded and reversed (refunds only), and the \
                 remaining amount, in minor units. `effect` is the real effect of an operation on the merchant's \
                 money. The sum of all effects is `money.remaining`; if the sum is below 0, `money.remaining` is 0.",
    },
    Call {
        request: "POST /simulator/payments/{id}/refunds",
        body: r#"{"amount": 400}"#,
        effect: "Refunds a payment in the Dashboard. The default is the remaining amount.",
    },
    Call {
        request: "POST /simulator/payments/{id}/refunds/{operation}/reverse",
        body: r#"{"amount": 250, "with_merchant_refund_id": false}"#,
        effect: "Reverses a successful refund with the operation `refund reverse`. The default is everything that is \
                 not reversed yet.",
    },
    Call {
        request: "POST /simulator/payments/{id}/confirmation",
        body: r#"{"result": "credit"}"#,
        effect: "Ends the confirmation procedure immediately: `credit`, `decline` or `decline_and_reverse`. A second \
                 call with another result contradicts the first one. A reversal is final.",
    },
    Call {
        request: "POST /simulator/payments/{id}/manual-change",
        body: r#"{"result": "success", "amount": 900, "decline_sale": false}"#,
        effect: "The platform's support decides about a held payment (switch `hold_payment`): `success` or `decline`. \
                 The default amount is the one that the bank charged. The sale stays undecided unless `decline_sale` \
                 is true.",
    },
    Call {
        request: "POST /simulator/payments/{id}/sales",
        body: r#"{"amount": 1000, "status": "success"}"#,
        effect: "Adds a sale to the payment: a second charge (`success`, the default), or another attempt of a \
                 cascade (`processing`, `decline`). The default amount is the ordered one. While one sale is \
                 undecided, the payment stays in `processing`.",
    },
    Call {
        request: "POST /simulator/payments/{id}/sales/{operation}",
        body: r#"{"status": "decline"}"#,
        effect: "Ends an added sale that is in `processing`: `success` or `decline`.",
    },
    Call {
        request: "POST /simulator/payments/{id}/operations",
        body: r#"{"type": "capture settlement", "amount": 300, "status": "success", "takes_money": false}"#,
        effect: "Adds an operation of any other type. With `takes_money` it charges the shopper: it counts in \
                 payment.sum and can be refunded.",
    },
    Call {
        request: "POST /simulator/links",
        body: r#"{"amount": 1000, "payment_id": "LINK-1", "description": "Invoice 7", "customer": {}, "send": true, "expires_in_s": 2592000}"#,
        effect: "Creates a payment link in the Dashboard. Only `amount` is required. The answer (201) has the \
                 `payment_id`, and the `url` for the shopper. The platform sends the link unless `send` is false.",
    },
    Call {
        request: "POST /simulator/payments/{id}/link",
        body: r#"{"status": "expired"}"#,
        effect: "Changes a payment link that the shopper has not confirmed: `invoice sent`, `expired` or `invoice \
                 canceled`.",
    },
];
