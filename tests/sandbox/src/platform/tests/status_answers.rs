//! The forms of "not found", and refused requests.

use super::stage::*;
use super::*;

fn question(payment_id: &str) -> Value {
    json!({"general": {"project_id": 211, "payment_id": payment_id}})
}

#[tokio::test]
async fn not_found_has_three_forms() {
    let stage = Stage::new(0).await;
    let (_, usual) = stage.gate("status", question("x")).await;
    assert_eq!(usual["payment"]["status"], "error");
    assert_eq!(usual["errors"][0]["code"], "3061");
    for (form, is_signed) in [("top_level", true), ("top_level_unsigned", false)] {
        stage.put("faults", json!({"not_found_form": form})).await;
        let payment_id = format!("unknown-{form}");
        let body = signed(question(&payment_id), KEY);
        let answer = stage.send("/v2/payment/status", body).await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer = answer.bytes().await.unwrap();
        let message: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(
            (&message["status"], &message["code"]),
            (&json!("error"), &json!("3061"))
        );
        assert!(message.get("payment").is_none());
        assert_eq!(message.get("signature").is_some(), is_signed);
        assert!(!is_signed || super::stage::is_signed(&answer));
    }
}

#[tokio::test]
async fn a_taken_payment_can_be_out_of_reach_for_a_while() {
    let mut stage = Stage::new(0).await;
    stage.paid("order-1").await;
    for (answer, code) in [("details_not_received", "3062"), ("not_found", "3061")] {
        let twice = json!({"answer": answer, "answer_to": ["status"], "answer_times": 1});
        stage.put("payments/order-1/faults", twice).await;
        let answer = stage.status("order-1").await;
        assert_eq!(answer["payment"]["status"], "error");
        assert_eq!(answer["operations"], json!([]));
        assert_eq!(answer["errors"][0]["code"], code);
        assert_eq!(
            stage.status("order-1").await["payment"]["status"],
            "success"
        );
    }
    let unsigned = json!({
        "answer": "details_not_received",
        "answer_to": ["status"],
        "not_found_form": "top_level_unsigned",
    });
    stage.put("payments/order-1/faults", unsigned).await;
    let (_, answer) = stage.gate("status", question("order-1")).await;
    let message = "Payment details not received";
    let expected = json!({"status": "error", "code": "3062", "message": message});
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn requests_are_answered_with_403_404_and_422_as_switched() {
    let stage = Stage::new(0).await;
    for (answer, status, code) in [
        ("error_403", 403, "303"),
        ("error_404", 404, "2442"),
        ("error_422", 422, "2003"),
    ] {
        stage
            .put("payments/order-1/faults", json!({"answer": answer}))
            .await;
        let refused = stage.gate("bancontact/sale", sale("order-1")).await;
        assert_eq!(refused.0, status);
        assert_eq!(refused.1["status"], "error");
        assert_eq!(refused.1["code"], code);
    }
    assert_eq!(stage.record("order-1").await["status"], Value::Null);
}
