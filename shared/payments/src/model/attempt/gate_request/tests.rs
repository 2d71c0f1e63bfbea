//! Tests each answer in each state of a request to Gate.

use ecommpay::answer::Refusal;

use super::*;

const T: Timestamp = Timestamp::from_millis(1_562_059_700_000);
/// 30 seconds after `T`.
const LATER: Timestamp = Timestamp::from_millis(1_562_059_730_000);

fn sending(repeat: bool) -> GateRequest {
    GateRequest::Sending {
        since: T,
        repeat,
        locked: false,
        polls_before: 1,
        duplicate: None,
    }
}

fn unknown(refused_repeat: Option<&str>, duplicate: Option<Duplicate>) -> GateRequest {
    GateRequest::Unknown {
        polls_before: 3,
        refused_repeat: refused_repeat.map(str::to_owned),
        locked: false,
        duplicate,
    }
}

fn locked() -> GateRequest {
    GateRequest::Unknown {
        polls_before: 3,
        refused_repeat: None,
        locked: true,
        duplicate: None,
    }
}

fn accepted() -> GateRequest {
    GateRequest::Accepted {
        request_id: Some("r".into()),
        polls_before: 3,
    }
}

fn refused() -> GateRequest {
    GateRequest::Refused {
        code: "2004".into(),
        request_id: None,
    }
}

#[test]
fn each_answer_in_each_state_has_one_next_state() {
    let code = |code: &str| {
        Answer::Refused(Refusal {
            code: code.into(),
            message: None,
            request_id: None,
        })
    };
    let accept = Answer::Accepted {
        request_id: Some("r".into()),
    };
    let (first, again) = (sending(false), sending(true));
    let mut after_lock = locked();
    after_lock.send(1, T);
    let mut after_lost_answer = after_lock.clone();
    after_lost_answer.send(1, LATER);
    let unclear = unknown(None, None);
    let foreign = unknown(None, Some(Duplicate::Foreign));
    let own = unknown(None, Some(Duplicate::Own(LATER)));
    let table = [
        (&first, &accept, accepted()),
        (&first, &code("2004"), refused()),
        (&first, &code("3041"), foreign.clone()),
        (&first, &code("3230"), foreign.clone()),
        (&first, &code("2147"), locked()),
        (&first, &code("3613"), locked()),
        (&after_lock, &code("3613"), locked()),
        (&after_lock, &code("3041"), foreign.clone()),
        (&after_lock, &code("2004"), refused()),
        (&after_lock, &accept, accepted()),
        (&after_lock, &Answer::Unclear, unclear.clone()),
        (&after_lost_answer, &code("3041"), own.clone()),
        (&again, &code("2147"), unclear.clone()),
        (&first, &code("20899"), unclear.clone()),
        (&first, &Answer::Unclear, unclear.clone()),
        (&again, &accept, accepted()),
        (&again, &code("2004"), unknown(Some("2004"), None)),
        (&again, &code("3230"), own),
        (&again, &code("3285"), unclear.clone()),
        (&again, &code("3283"), unclear.clone()),
        (&unclear, &code("20602"), unclear.clone()),
        (&again, &Answer::Unclear, unclear.clone()),
        (&unclear, &accept, accepted()),
        (&unclear, &code("2004"), unknown(Some("2004"), None)),
        (&foreign, &Answer::Unclear, foreign.clone()),
        (&accepted(), &code("2004"), accepted()),
        (&refused(), &accept, refused()),
        (&GateRequest::NotSent, &accept, GateRequest::NotSent),
    ];
    for (before, answer, expected) in table {
        let mut request = before.clone();
        request.on_answer(answer, 3, LATER);
        assert_eq!(request, expected, "{before:?} on {answer:?}");
    }
}

#[test]
fn a_request_without_an_answer_is_unknown_after_thirty_seconds() {
    let mut request = GateRequest::NotSent;
    request.send(1, T);
    assert_eq!(request, sending(false));
    request.time_out(3, LATER.before(Duration::from_millis(1)));
    assert_eq!(request, sending(false));
    request.time_out(3, LATER);
    assert_eq!(request, unknown(None, None));
    assert!(!request.is_covered_by(3) && request.is_covered_by(4));
    request.send(1, T);
    assert_eq!(request, sending(true));
}

#[test]
fn a_refund_that_is_refused_because_of_a_lock_has_an_unknown_outcome() {
    for code in LOCK_CODES {
        let answer = Answer::Refused(Refusal {
            code: code.into(),
            message: None,
            request_id: None,
        });
        let mut request = sending(false);
        request.on_refund_answer(&answer, 3, LATER);
        assert_eq!(request, unknown(None, None), "{code}");
    }
}

#[test]
fn a_request_whose_id_another_system_used_stays_foreign_after_repeats() {
    let duplicate = Answer::Refused(Refusal {
        code: "3041".into(),
        message: None,
        request_id: None,
    });
    let foreign = unknown(None, Some(Duplicate::Foreign));
    let mut request = foreign.clone();
    request.send(1, T);
    request.on_answer(&duplicate, 3, LATER);
    assert_eq!(request, foreign);
    request.send(1, T);
    request.time_out(3, LATER);
    assert_eq!(request, foreign);
}

#[test]
fn a_code_that_an_earlier_try_can_cause_refuses_a_first_try() {
    for code in CODES_OF_EARLIER_TRY {
        let answer = Answer::Refused(Refusal {
            code: code.into(),
            message: None,
            request_id: None,
        });
        let mut request = sending(false);
        request.on_answer(&answer, 3, LATER);
        assert!(request.was_never_accepted(), "{code}: {request:?}");
        let mut request = sending(true);
        request.on_answer(&answer, 3, LATER);
        assert_eq!(request, unknown(None, None), "{code}");
    }
}

#[test]
fn an_accepted_request_keeps_its_id_when_it_is_refused_later() {
    let mut request = accepted();
    request.refuse("2004");
    assert_eq!(request.request_id(), Some("r"));
    let mut request = unknown(None, None);
    request.refuse("2004");
    assert_eq!(request, refused());
}

#[test]
fn an_accepted_request_does_not_time_out() {
    let mut request = accepted();
    request.time_out(9, LATER);
    assert_eq!(request, accepted());
}
