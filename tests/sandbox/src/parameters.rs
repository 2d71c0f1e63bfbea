//! Sets the template parameters whose values in the sandbox differ from the defaults.

use std::collections::BTreeMap;
use std::time::Duration;

use payments::model::schedule::Schedule;
use payments::model::webhook::RetrySchedule;

use crate::Options;

/// Returns the parameters by name. `api` and `platform` are addresses.
pub(crate) fn parameters(options: &Options, api: &str, platform: &str) -> BTreeMap<String, String> {
    let payment_page = format!("{platform}/payment");
    let times = divided(&Schedule::default(), options.divide_times);
    let retries = divided_list(RetrySchedule::default().delays(), options.divide_times);
    let mut parameters = vec![
        ("PublicBaseUrl", api),
        ("GateUrl", platform),
        ("PaymentPageUrl", &payment_page),
        ("DataApiUrl", platform),
        // The local AWS speaks plain HTTP.
        ("RequireTls", "false"),
        // With any other value, no queue delivers messages, because the local AWS compares the number as a text.
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
    if options.webhooks {
        parameters.extend([
            ("Webhooks", "true"),
            ("WebhookAllowLoopback", "true"),
            ("WebhookDelays", retries.as_str()),
        ]);
    }
    parameters
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(options.parameters.clone())
        .collect()
}

fn divided(schedule: &Schedule, by: u32) -> [(&'static str, String); 5] {
    let seconds = |time: &Duration| divided_time(*time, by);
    [
        ("StatusPollDelays", divided_list(&schedule.poll_delays, by)),
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

fn divided_list(times: &[Duration], by: u32) -> String {
    let times: Vec<String> = times.iter().map(|time| divided_time(*time, by)).collect();
    times.join(",")
}

fn divided_time(time: Duration, by: u32) -> String {
    (time.as_secs_f64() / f64::from(by)).to_string()
}
