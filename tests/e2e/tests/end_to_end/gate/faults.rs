//! Tests sales without a clear answer from Gate.

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::system::System;
use sandbox::Options;
use serde_json::json;

use crate::gate::requests::{once, pay_once, post};

/// Each case has a fault of Gate's first answer, whether the platform receives the first sale, the number of repeated
/// checkout requests, and the total number of sale requests.
///
/// Only the first repeated checkout request repeats the sale. The second does not, because it follows within ten
/// seconds. If the platform has received the first sale, the platform refuses the repeat with the code 3041, and the
/// outcome stays unknown.
const CASES: [(&str, bool, usize, usize); 8] = [
    ("cut", true, 0, 1),
    ("cut", true, 2, 2),
    ("slow", true, 2, 2),
    ("not_json", true, 2, 2),
    ("error_500", false, 2, 2),
    ("lost", false, 1, 2),
    ("lost", false, 2, 2),
    ("error_3041", false, 2, 2),
];

#[tokio::test]
async fn a_sale_with_an_unknown_outcome_is_sent_again_on_request_and_paid_once()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    for (fault, is_received, repeats, sales) in CASES {
        let payment_id = format!("{fault}-{repeats}");
        let simulator = &system.simulator;
        simulator.set_faults(&payment_id, once(fault)).await?;
        let checkout = post(&system, &payment_id, 201).await?;
        ensure_contains(&checkout, json!({ "status": "processing" }))?;
        let records = simulator.records(&payment_id).await?;
        ensure!(records["status"].is_string() == is_received, "{records}");

        let same = json!({ "status": "processing", "checkout_url": checkout["checkout_url"] });
        for _ in 0..repeats {
            let repeated = post(&system, &payment_id, 200).await?;
            ensure_contains(&repeated, same.clone())?;
        }
        let records = simulator.records(&payment_id).await?;
        ensure_contains(&records, json!({ "requests": { "sale": sales } }))?;
        simulator.set_faults(&payment_id, json!({})).await?;
        pay_once(&system, &payment_id, &checkout).await?;
    }
    system.stop().await;
    Ok(())
}
