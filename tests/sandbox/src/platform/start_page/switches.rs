//! The switches.

/// Switches that belong together.
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// The switches.
    pub switches: &'static [Switch],
}

/// A switch, an example of its value, and what it does.
pub struct Switch {
    /// The field of the object.
    pub name: &'static str,
    /// A value.
    pub example: &'static str,
    /// What it does.
    pub effect: &'static str,
}

const fn switch(name: &'static str, example: &'static str, effect: &'static str) -> Switch {
    Switch {
        name,
        example,
        effect,
    }
}

/// All switches.
pub const SWITCHES: &[Group] = &[
    Group {
        title: "Callbacks",
        switches: &[
            switch("duplicate", "2", "further copies of each callback"),
            switch(
                "delay_ms",
                "500",
                "pause before each callback, in real milliseconds",
            ),
            switch("hold", "true", "callbacks wait until this is switched off"),
            switch(
                "drop",
                "true",
                "callbacks get lost (switched off: the next repeat arrives)",
            ),
            switch(
                "reorder",
                "true",
                "every other callback comes after the next one",
            ),
            switch("tamper", "true", "callbacks are changed after signing"),
            switch(
                "intermediate_once",
                "true",
                "intermediate callbacks are sent once and not repeated",
            ),
        ],
    },
    Group {
        title: "Sales",
        switches: &[
            switch(
                "no_redirect",
                "true",
                "the sale stays in processing, without redirect data",
            ),
            switch(
                "redirect_method",
                "\"POST\"",
                "the browser posts a form to the bank (default GET)",
            ),
            switch(
                "sale_error",
                "true",
                "the sale is accepted and ends in \"error\"",
            ),
            switch(
                "decline_after_redirect_s",
                "10800",
                "an unpaid payment is declined this many seconds of the platform's clock after the redirect \
                 (default: 30 days after the sale)",
            ),
            switch(
                "mandatory_fields",
                "[\"first_name\", \"email\"]",
                "fields of the customer that a sale must have; also last_name",
            ),
            switch(
                "mandatory_fields_missing",
                "\"clarify\"",
                "asks for them; default \"refuse\": code 2004",
            ),
            switch(
                "ipv4_only",
                "true",
                "refuses IPv6 addresses of the customer: code 502 with field and constraint",
            ),
            switch(
                "no_diacritics",
                "true",
                "refuses names with diacritics: code 502 with field and constraint",
            ),
            switch(
                "clarification_form",
                "\"schema\"",
                "clarification_fields with required and errors (default list)",
            ),
        ],
    },
    Group {
        title: "Money",
        switches: &[
            switch(
                "wrong_amount",
                "900",
                "the bank takes this amount (true: one cent less)",
            ),
            switch(
                "wrong_amount_in",
                "[\"payment_sum\", \"sum_initial\"]",
                "the fields that show it; also sum_converted. Default payment_sum and sum_converted",
            ),
            switch("wrong_currency", "\"USD\"", "the currency in those fields"),
            switch(
                "hold_payment",
                "\"processing\"",
                "the paid payment waits in this status for the call manual-change; also \"external processing\"",
            ),
            switch(
                "confirmation",
                "{\"first_status\": \"awaiting confirmation\", \"result\": \"credit\", \"after_s\": 604800}",
                "the confirmation procedure; all three fields have these defaults. first_status is payment.status in \
                 the sale's callback: also \"processing\", \"external processing\", \"success\". result: also \
                 \"decline\", \"decline_and_reverse\", \"none\" (only a control call ends it). after_s: seconds of \
                 the platform's clock",
            ),
            switch(
                "refund_external_s",
                "60",
                "refunds, and the payment with them, first enter \"external processing\" for this many seconds of \
                 the platform's clock",
            ),
            switch(
                "refund_clarification",
                "{\"account\": [\"number\"]}",
                "refunds ask for this data and are declined after 30 minutes without it",
            ),
        ],
    },
    Group {
        title: "Answers to requests",
        switches: &[
            switch(
                "answer",
                "\"error_500\"",
                "not taken: error_400 (502), error_403, error_404, error_422, error_500, error_3041, lost (cut). \
                 Taken: not_json, slow, cut. Status requests only: not_found (3061), details_not_received (3062, for \
                 a payment that was taken)",
            ),
            switch(
                "answer_to",
                "[\"sale\", \"refund\"]",
                "the requests that answer applies to (this is the default); also clarification and status",
            ),
            switch(
                "slow_ms",
                "5000",
                "the duration of slow, in real milliseconds",
            ),
            switch("answer_times", "1", "for this many requests only"),
            switch(
                "not_found_form",
                "\"top_level\"",
                "3061 and 3062 without a payment object, signed; also \"top_level_unsigned\" (default payment)",
            ),
        ],
    },
    Group {
        title: "Data API",
        switches: &[
            switch(
                "unlisted",
                "[\"sale\"]",
                "operations that are not listed; also refund, refund_reverse, payment_confirmation, reversal, \
                 manual_change, invoice, other",
            ),
            switch("listed_amount", "900", "the amount that is listed"),
            switch(
                "list_transaction_status",
                "true",
                "lists payment.status as transaction_status",
            ),
        ],
    },
];
