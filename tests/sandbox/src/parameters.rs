//! Sets the template parameters whose values in the sandbox differ from the defaults.

use std::collections::BTreeMap;
use std::time::Duration;

use payments::model::schedule::Schedule;

use crate::Options;

/// Returns the parameters by name. `api` is the public address of the API, and `platform` the address of the platform.
pub(crate) fn parameters(options: &Options, api: &str, platform: &str) -> BTreeMap<String, String> {
    let payment_page = format!("{platform}/payment");
    let times = divided(&Schedule::default(), options.divide_times);
    let mut parameters = vec![
        ("PublicBaseUrl", api),
        ("GateUrl", platform),
        ("PaymentPageUrl", &payment_page),
        ("DataApiUrl", platform),
        // The local AWS speaks plain HTTP.
        ("RequireTls", "false"),
        // The local AWS compares the number of a parameter as a text, and then delivers no message of any queue.
        ("PollConcurrency", "0"),
        ("ReconcileConcurrency", "0"),
        // The default, half a minute, is too long for tests and demonstrations.
        ("OutboxGraceSeconds", "2"),
    ];
    if options.divide_times > 1 {
        parameters.extend(times.iter().map(|(name, value)| (*name, value.as_str())));
    }
    if options.sample_consumer {
        parameters.push(("SampleConsumer", "true"));
    }
    parameters
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(options.parameters.clone())
        .collect()
}

/// Returns the parameters of a schedule, with all times divided by `by`.
fn divided(schedule: &Schedule, by: u32) -> [(&'static str, String); 5] {
    let seconds = |time: &Duration| (time.as_secs_f64() / f64::from(by)).to_string();
    let delays: Vec<String> = schedule.poll_delays.iter().map(seconds).collect();
    [
        ("StatusPollDelays", delays.join(",")),
        (
            "RedirectPollDelaySeconds",
            seconds(&schedule.redirect_poll_delay),
        ),
        ("StatusPollMaxAgeSeconds", seconds(&schedule.max_poll_age)),
        ("CheckoutGraceSeconds", seconds(&schedule.checkout_grace)),
        (
            "CustomerRetentionSeconds",
            seconds(&schedule.customer_retention),
        ),
    ]
}
