use std::sync::Arc;
use std::time::{Duration, Instant};

use payments::ports::DeliveryOutcome::{Cut, Delivered, Gone, InvalidAnswer, Refused, Timeout};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::endpoint::{Endpoint, read_request, reply};
use super::{BODY, SHORT, TIME_LIMIT, event, post, post_patiently, sandbox_sender, url};

#[tokio::test]
async fn an_event_is_posted_with_its_headers_and_its_body() {
    let mut endpoint = Endpoint::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let outcome = post(&endpoint.url("/hook/a?key=1")).await;
    assert_eq!(outcome, Delivered(200));
    let request = endpoint.request().await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, BODY);
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /hook/a?key=1 HTTP/1.1");
    lines.sort_unstable();
    let [id, time, signature] = event()
        .headers()
        .map(|(name, value)| format!("{name}: {value}"));
    let mut expected = vec![
        "connection: close".to_owned(),
        format!("content-length: {}", BODY.len()),
        "content-type: application/cloudevents+json".to_owned(),
        format!("host: {}", endpoint.address),
        "user-agent: bancontact-webhooks/1".to_owned(),
        id,
        time,
        signature,
    ];
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn the_status_of_the_answer_decides_the_outcome() {
    for (status, outcome) in [
        (200, Delivered(200)),
        (204, Delivered(204)),
        (299, Delivered(299)),
        (300, Refused(300)),
        (400, Refused(400)),
        (404, Refused(404)),
        (410, Gone),
        (429, Refused(429)),
        (500, Refused(500)),
        (503, Refused(503)),
    ] {
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
        let endpoint = Endpoint::answering(answer).await;
        assert_eq!(post(&endpoint.url("/")).await, outcome, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Endpoint::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    for status in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} x\r\nlocation: {}\r\n\r\n",
            target.url("/")
        );
        let endpoint = Endpoint::answering(answer).await;
        assert_eq!(post(&endpoint.url("/")).await, Refused(status));
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn informational_answers_do_not_end_a_delivery() {
    let answer = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    let endpoint = Endpoint::answering(answer).await;
    assert_eq!(post(&endpoint.url("/")).await, Delivered(204));
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_in_time_is_a_timeout() {
    let endpoint = Endpoint::start(|mut stream| async move {
        let request = read_request(&mut stream).await;
        sleep(Duration::from_secs(60)).await;
        request
    })
    .await;
    let start = Instant::now();
    assert_eq!(post(&endpoint.url("/")).await, Timeout);
    assert!(start.elapsed() >= SHORT && start.elapsed() < 4 * SHORT);
}

#[tokio::test]
async fn an_endpoint_that_accepts_no_data_is_a_timeout() {
    // The system accepts the connection, and no program reads from it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    assert_eq!(post(&url).await, Timeout);
}

#[tokio::test]
async fn an_endpoint_that_sends_its_headers_one_by_one_is_a_timeout() {
    let endpoint = Endpoint::start(|mut stream| async move {
        reply(&mut stream, "HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"a: b\r\n").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
        None
    })
    .await;
    let start = Instant::now();
    assert_eq!(post(&endpoint.url("/")).await, Timeout);
    assert!(start.elapsed() < 4 * SHORT);
}

#[tokio::test]
async fn an_endless_body_is_cut_and_the_event_is_delivered() {
    let is_cut = Arc::new(Notify::new());
    let cut = Arc::clone(&is_cut);
    let endpoint = Endpoint::start(move |mut stream| {
        let cut = Arc::clone(&cut);
        async move {
            reply(&mut stream, "HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
            cut.notify_one();
            None
        }
    })
    .await;
    let start = Instant::now();
    assert_eq!(post_patiently(&endpoint.url("/")).await, Delivered(200));
    // The size ends the body before the time does.
    assert!(start.elapsed() < Duration::from_secs(1));
    is_cut.notified().await;
}

#[tokio::test]
async fn a_slow_body_is_cut_and_the_event_is_delivered() {
    let endpoint = Endpoint::start(|mut stream| async move {
        reply(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await;
        sleep(Duration::from_secs(60)).await;
        None
    })
    .await;
    let start = Instant::now();
    assert_eq!(post_patiently(&endpoint.url("/")).await, Delivered(200));
    assert!(start.elapsed() < TIME_LIMIT / 2);
}

#[tokio::test]
async fn a_body_that_ends_too_early_does_not_change_the_outcome() {
    for (status, outcome) in [(200, Delivered(200)), (500, Refused(500))] {
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 9\r\n\r\nabc");
        let endpoint = Endpoint::answering(answer).await;
        assert_eq!(post(&endpoint.url("/")).await, outcome);
    }
}

#[tokio::test]
async fn headers_above_a_limit_are_an_invalid_answer() {
    let long = format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
    for answer in [long, many] {
        let endpoint = Endpoint::answering(answer).await;
        assert_eq!(post(&endpoint.url("/")).await, InvalidAnswer);
    }
}

#[tokio::test]
async fn an_answer_in_another_protocol_is_invalid() {
    for answer in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "<html>\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
    ] {
        let endpoint = Endpoint::answering(answer).await;
        assert_eq!(post(&endpoint.url("/")).await, InvalidAnswer, "{answer}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_cut() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-le"] {
        let endpoint = Endpoint::answering(answer).await;
        assert_eq!(post(&endpoint.url("/")).await, Cut, "{answer}");
    }
    let endpoint = Endpoint::start(async |_| None).await;
    assert_eq!(post(&endpoint.url("/")).await, Cut);
}

#[tokio::test]
async fn each_delivery_has_its_own_connection() {
    let endpoint = Endpoint::start(|mut stream| async move {
        let answer = "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n";
        while reply(&mut stream, answer).await.is_some() {}
        None
    })
    .await;
    let sender = sandbox_sender();
    for _ in 0..3 {
        let outcome = sender.send(&url(&endpoint.url("/")), &event()).await;
        assert_eq!(outcome, Delivered(200));
    }
    assert_eq!(endpoint.connections(), 3);
}
