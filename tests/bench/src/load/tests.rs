//! Tests the load test with a small load on the functions of the dev build.

use sandbox::functions;
use tools::Supervisor;

use super::*;

/// Among 20 payments, each variant of [`Plan`](super::plan::Plan) occurs: a decline, a repeated result, an early and a
/// late redirect URL.
const PAYMENTS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn each_payment_ends_as_planned_and_a_lost_event_is_detected() {
    let load = load().await;
    let outcome = load.run(|_| {}).await.unwrap();
    assert_eq!(outcome.payments, PAYMENTS);
    let ended = outcome.windows.iter().map(|window| window.waits.payments);
    assert_eq!(ended.sum::<u64>(), u64::from(PAYMENTS));
    for window in &outcome.windows {
        let memory: Vec<u64> = window.memory.iter().flatten().copied().collect();
        assert_eq!(memory.len(), 4);
        assert!(memory.iter().all(|bytes| *bytes > 1 << 20), "{memory:?}");
    }
    let summary = outcome.to_string();
    assert!(summary.starts_with("20 payments in"), "{summary}");

    let losing = Load {
        lost_event: Some((PAYMENTS / 2, 1)),
        ..load
    };
    let error = losing.run(|_| {}).await.unwrap_err().to_string();
    assert!(error.contains("load-00000010: "), "{error}");
    assert!(error.contains("audit.fifo has ["), "{error}");
}

async fn load() -> Load {
    let supervisor = Supervisor::new().unwrap();
    let names = ["checkout", "callback"].map(str::to_owned);
    let built = functions::build(&supervisor, &names).await.unwrap();
    Load {
        checkout: built["checkout"].clone(),
        callback: built["callback"].clone(),
        instances: 2,
        rate: 100.0,
        concurrent: 8,
        payments: PAYMENTS,
        length: Duration::from_secs(600),
        report_every: Duration::from_millis(200),
        lost_event: None,
    }
}
