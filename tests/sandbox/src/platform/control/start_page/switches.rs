//! The explanations of the switches.

/// Switches that belong together.
pub struct Group {
    pub title: &'static str,
    pub switches: &'static [Switch],
}

/// A switch.
pub struct Switch {
    /// The field of the JSON object.
    pub name: &'static str,
    /// An example of the value.
    pub example: &'static str,
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
            switch(
                "duplicate",
                "2",
                "Sends this many copies of each callback, in addition to the original.",
            ),
            switch(
                "delay_ms",
                "500",
                "Waits before each callback, in real milliseconds.",
            ),
            switch("hold", "true", "Callbacks wait until the switch is off."),
            switch(
                "drop",
                "true",
                "Callbacks are lost. When the switch is off, the next repeat arrives.",
            ),
            switch(
                "reorder",
                "true",
                "Every other callback waits until a later callback was sent, at most 3 seconds.",
            ),
            switch("tamper", "true", "Changes callbacks after they are signed."),
            switch(
                "intermediate_once",
                "true",
                "Does not repeat callbacks whose status is not final.",
            ),
        ],
    },
    Group {
        title: "Sales",
        switches: &[
            switch(
                "no_redirect",
                "true",
                "The sale stays in \"processing\". No callback has redirect data.",
            ),
            switch(
                "redirect_method",
                "\"POST\"",
                "The browser posts a form to the bank. The default is GET.",
            ),
            switch(
                "sale_error",
                "true",
                "The sale is accepted and then ends in \"error\".",
            ),
            switch(
                "decline_after_redirect_s",
                "10800",
                "Declines an unpaid payment this many seconds of the platform's clock after the redirect. The \
                 default is 30 days after the sale.",
            ),
            switch(
                "mandatory_fields",
                "[\"first_name\", \"email\"]",
                "Fields of the customer that a sale must have: first_name, last_name, email.",
            ),
            switch(
                "mandatory_fields_missing",
                "\"clarify\"",
                "Requests clarification if a mandatory field is missing. The default \"refuse\" refuses the sale \
                 with code 2004.",
            ),
            switch(
                "ipv4_only",
                "true",
                "Refuses a sale whose customer has an IPv6 address: code 502 with field and constraint.",
            ),
            switch(
                "no_diacritics",
                "true",
                "Refuses names with diacritics: code 502 with field and constraint.",
            ),
            switch(
                "clarification_form",
                "\"schema\"",
                "clarification_fields has a schema with required and errors. The default is \"list\".",
            ),
        ],
    },
    Group {
        title: "Money",
        switches: &[
            switch(
                "wrong_amount",
                "900",
                "The bank charges this amount. true means one cent less than ordered.",
            ),
            switch(
                "wrong_amount_in",
                "[\"payment_sum\", \"sum_initial\"]",
                "The fields that show the charged amount: payment_sum, sum_initial, sum_converted. The default is \
                 payment_sum and sum_converted. The other fields show the ordered amount.",
            ),
            switch("wrong_currency", "\"USD\"", "The currency in these fields."),
            switch(
                "hold_payment",
                "\"processing\"",
                "The paid payment stays in this status until the call manual-change. The other value is \"external \
                 processing\".",
            ),
            switch(
                "confirmation",
                "{\"first_status\": \"awaiting confirmation\", \"result\": \"credit\", \"after_s\": 604800}",
                "Starts a confirmation procedure after the shopper has paid. The example shows the defaults. \
                 first_status is payment.status in the sale's callback: \"awaiting confirmation\", \"processing\", \
                 \"external processing\" or \"success\". result is \"credit\", \"decline\", \
                 \"decline_and_reverse\" or \"none\"; after \"none\", only the call confirmation ends the \
                 procedure. after_s is in seconds of the platform's clock.",
            ),
            switch(
                "refund_external_s",
                "60",
                "A refund, and its payment, first stays in \"external processing\" for this many seconds of the \
                 platform's clock.",
            ),
            switch(
                "refund_clarification",
                "{\"account\": [\"number\"]}",
                "A refund requests this data, and is declined without it after 30 minutes.",
            ),
        ],
    },
    Group {
        title: "Answers to requests",
        switches: &[
            switch(
                "answer",
                "\"error_500\"",
                "The request is refused: error_400 (code 502), error_403, error_404, error_422, error_500, \
                 error_3041, lost (the connection is cut). The request is carried out: not_json, slow, cut. Status \
                 requests only: not_found (code 3061), details_not_received (code 3062, for a known payment).",
            ),
            switch(
                "answer_to",
                "[\"sale\", \"refund\"]",
                "The requests that answer applies to: sale, refund, clarification, status. The example shows the \
                 default.",
            ),
            switch(
                "slow_ms",
                "5000",
                "The delay of a slow answer, in real milliseconds. The default is 10000.",
            ),
            switch(
                "answer_times",
                "1",
                "answer applies to this many requests only.",
            ),
            switch(
                "not_found_form",
                "\"top_level\"",
                "Codes 3061 and 3062 are sent without a payment object, with a signature. \"top_level_unsigned\" \
                 is sent without a signature. The default is \"payment\".",
            ),
        ],
    },
    Group {
        title: "Data API",
        switches: &[
            switch(
                "unlisted",
                "[\"sale\"]",
                "Does not list these operations: sale, refund, refund_reverse, payment_confirmation, reversal, \
                 manual_change, invoice, other.",
            ),
            switch(
                "listed_amount",
                "900",
                "Lists this amount for every operation, in minor units.",
            ),
            switch(
                "list_transaction_status",
                "true",
                "Lists payment.status as transaction_status.",
            ),
        ],
    },
];
