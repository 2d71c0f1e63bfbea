//! Contains the texts in English.

use super::{Hints, Labels, Notice, Problems, Texts};

pub(super) const TEXTS: Texts = Texts {
    back_to_shop: "Back to the shop",
    hand_off: Notice {
        title: "To Bancontact",
        text: "We are taking you to the payment page of Bancontact. If nothing happens, please press the button.",
    },
    hand_off_button: "Continue to Bancontact",
    waiting: Notice {
        title: "One moment, please",
        text: "We are connecting to Bancontact. This page continues by itself; you do not have to do anything.",
    },
    waiting_for_result: Notice {
        title: "One moment, please",
        text: "We are waiting for the result of your payment. This page continues by itself; you do not have to do anything.",
    },
    waiting_link: "Try again now",
    redirect_missing: "Bancontact has not answered yet. You can wait here, or go back to the shop.",
    clarification: Notice {
        title: "A few more details",
        text: "Bancontact needs these details to start your payment.",
    },
    clarification_button: "Continue",
    clarification_problems: "Please check the fields that are marked.",
    clarification_not_sent: "Your details have not been sent yet, because many people are paying right now. Please wait a moment and press Continue again.",
    clarification_no_answer: "Bancontact has not confirmed that it received your details. Please press Continue to send them again.",
    data_missing: Notice {
        title: "Some details are missing",
        text: "Bancontact needs more details to start this payment. Please go back to the shop to continue.",
    },
    being_checked: Notice {
        title: "Your payment is being checked",
        text: "It is not certain yet whether your payment went through. Please do not pay again; the shop will let you know.",
    },
    declined: Notice {
        title: "The payment was declined",
        text: "This payment was not made. You can try again in the shop.",
    },
    failed: Notice {
        title: "The payment was not started",
        text: "Something went wrong before you could pay. You can try again in the shop.",
    },
    expired: Notice {
        title: "This payment link has expired",
        text: "The time to pay is over. You can start again in the shop.",
    },
    unknown_token: Notice {
        title: "Unknown payment link",
        text: "This payment link is not known. Please check that the address is complete, or go back to the shop.",
    },
    unavailable: Notice {
        title: "Not available at the moment",
        text: "This page is not available right now. It tries again by itself. If this takes too long, you can go back to the shop.",
    },
    labels: Labels {
        last_name: "Last name",
        first_name: "First name",
        middle_name: "Middle name",
        email: "E-mail address",
        phone: "Phone number",
        address: "Street and number",
        city: "Town or city",
        state: "State or province",
        postal_code: "Postal code",
        country: "Country",
        day_of_birth: "Date of birth",
        billing: "billing address",
        optional: "optional",
    },
    hints: Hints {
        phone: "With the country code, for example +32 470 12 34 56",
        country: "The two letters of the country, for example BE",
    },
    problems: Problems {
        missing: "Please fill in this field.",
        too_short: "Please enter at least {} characters.",
        too_long: "Please enter at most {} characters.",
        forbidden_character: "Please do not use a semicolon or other special characters.",
        email: "Please enter a whole e-mail address, such as name@example.com.",
        phone: "Please enter a phone number of 4 to 24 digits.",
        country: "Please enter the two letters of the country, for example BE.",
        day_of_birth: "Please enter a date that exists, for example 31-12-1990.",
    },
};
