//! The control calls.

/// A call, an example of its body, and what it does.
pub struct Call {
    /// Method and path.
    pub request: &'static str,
    /// An example; empty if the call has no body.
    pub body: &'static str,
    /// What it does.
    pub effect: &'static str,
}

/// All calls.
pub const CALLS: &[Call] = &[
    Call {
        request: "GET /simulator/payments, GET /simulator/payments/{id}",
        body: "",
        effect: "The platform record: status, payment.sum, operations, callbacks, requests and switches. `money` has \
                 what really came, went back and was taken back, in minor units; `effect` of an operation is what it \
                 really did. All effects together are `money.left`, or below zero where that is 0.",
    },
    Call {
        request: "POST /simulator/payments/{id}/refunds",
        body: r#"{"amount": 400}"#,
        effect: "A refund from the Dashboard; all that is left without an amount.",
    },
    Call {
        request: "POST /simulator/payments/{id}/refunds/{operation}/reverse",
        body: r#"{"amount": 250, "with_merchant_refund_id": false}"#,
        effect: "Takes a successful refund back by the operation `refund reverse`; all that is left of it without an \
                 amount.",
    },
    Call {
        request: "POST /simulator/payments/{id}/confirmation",
        body: r#"{"result": "credit"}"#,
        effect: "Ends the confirmation procedure at once: `credit`, `decline`, or `decline_and_reverse`. A second \
                 call with another result contradicts the first one; a reversal is final.",
    },
    Call {
        request: "POST /simulator/payments/{id}/manual-change",
        body: r#"{"result": "success", "amount": 900, "decline_sale": false}"#,
        effect: "Support settles a payment that is held (switch `hold_payment`): `success` or `decline`. Without an \
                 amount the one that the bank took. The sale stays undecided unless `decline_sale` is true.",
    },
    Call {
        request: "POST /simulator/payments/{id}/sales",
        body: r#"{"amount": 1000, "status": "success"}"#,
        effect: "A further sale in the same payment: a second charge (`success`, the default), or another try of a \
                 cascade (`processing`, `decline`). The ordered amount without another one. As long as one sale is \
                 undecided, the payment stays in `processing`.",
    },
    Call {
        request: "POST /simulator/payments/{id}/sales/{operation}",
        body: r#"{"status": "decline"}"#,
        effect: "Ends a further sale that was left in `processing`: `success` or `decline`.",
    },
    Call {
        request: "POST /simulator/payments/{id}/operations",
        body: r#"{"type": "capture settlement", "amount": 300, "status": "success", "takes_money": false}"#,
        effect: "An operation of any other type. With `takes_money` it counts in payment.sum and can be refunded.",
    },
    Call {
        request: "POST /simulator/links",
        body: r#"{"amount": 1000, "payment_id": "LINK-1", "description": "Invoice 7", "customer": {}, "send": true, "expires_in_s": 2592000}"#,
        effect: "A payment link from the Dashboard; only `amount` is required. The answer (201) has `payment_id` and \
                 the `url` for the shopper. With `send` (the default) the platform sends it by itself.",
    },
    Call {
        request: "POST /simulator/payments/{id}/link",
        body: r#"{"status": "expired"}"#,
        effect: "Changes a link that no shopper has confirmed: `invoice sent`, `expired` or `invoice canceled`.",
    },
];
