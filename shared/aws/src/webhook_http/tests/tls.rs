use payments::model::webhook::LoopbackHosts;
use payments::ports::DeliveryOutcome::{Cut, Delivered, Timeout, Tls};
use tokio::net::TcpListener;

use super::endpoint::Endpoint;
use super::{FakeNetwork, Sender, event, post, url};
use crate::https::tls_config;

const OK: &str = "HTTP/1.1 200 OK\r\n\r\n";
const PUBLIC: &[&[&str]] = &[&["8.8.8.8"]];

#[tokio::test]
async fn an_event_is_posted_over_tls_if_the_certificate_is_valid_for_the_host() {
    let mut endpoint = Endpoint::with_tls("valid", OK).await;
    let network = FakeNetwork::new(endpoint.address, PUBLIC);
    let outcome = network.post("https://shop.example/hook").await;
    assert_eq!(outcome, Delivered(200));
    let request = endpoint.request().await;
    assert!(request.contains("\r\nhost: shop.example\r\n"), "{request}");
}

#[tokio::test]
async fn an_address_in_the_url_must_be_in_the_certificate() {
    let endpoint = Endpoint::with_tls("valid", OK).await;
    let port = endpoint.address.port();
    assert_eq!(
        post(&format!("https://127.0.0.1:{port}/")).await,
        Delivered(200)
    );
    let network = FakeNetwork::new(endpoint.address, PUBLIC);
    assert_eq!(network.post("https://8.8.8.8/").await, Tls);
}

#[tokio::test]
async fn no_event_is_sent_if_the_certificate_is_not_valid() {
    for (certificate, host) in [("valid", "other.example"), ("expired", "shop.example")] {
        let endpoint = Endpoint::with_tls(certificate, OK).await;
        let network = FakeNetwork::new(endpoint.address, PUBLIC);
        let outcome = network.post(&format!("https://{host}/")).await;
        assert_eq!(outcome, Tls, "{certificate} {host}");
    }
}

#[tokio::test]
async fn the_built_in_roots_do_not_trust_an_unknown_issuer() {
    let endpoint = Endpoint::with_tls("valid", OK).await;
    let network = FakeNetwork::new(endpoint.address, PUBLIC);
    let built_in = tls_config(None).unwrap();
    let sender = Sender::new(LoopbackHosts::Refused, built_in, network);
    let outcome = sender.send(&url("https://shop.example/"), &event()).await;
    assert_eq!(outcome, Tls);
}

#[tokio::test]
async fn an_endpoint_without_tls_has_the_outcome_tls() {
    let endpoint = Endpoint::start(|mut stream| async move {
        use tokio::io::AsyncWriteExt;
        let _ = stream.write_all(OK.as_bytes()).await;
        None
    })
    .await;
    let network = FakeNetwork::new(endpoint.address, PUBLIC);
    assert_eq!(network.post("https://shop.example/").await, Tls);
}

#[tokio::test]
async fn an_endpoint_that_ends_the_connection_after_the_handshake_is_cut() {
    let endpoint = Endpoint::with_tls("valid", "").await;
    let network = FakeNetwork::new(endpoint.address, PUBLIC);
    assert_eq!(network.post("https://shop.example/").await, Cut);
}

#[tokio::test]
async fn a_handshake_counts_as_time_of_the_delivery() {
    // The system accepts the connection, and no program answers the handshake.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let network = FakeNetwork::new(listener.local_addr().unwrap(), PUBLIC);
    assert_eq!(network.post("https://shop.example/").await, Timeout);
}
