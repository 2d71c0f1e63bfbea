use std::net::SocketAddr;

use payments::model::webhook::{EndpointUrl, LoopbackHosts};
use payments::ports::DeliveryOutcome::{Connect, Delivered, Dns, ForbiddenAddress, Timeout};
use tokio::net::TcpListener;

use super::endpoint::Endpoint;
use super::{FakeNetwork, Internet, Sender, event, post, trusting, url};

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

async fn shop() -> Endpoint {
    Endpoint::with_tls("valid", OK).await
}

#[tokio::test]
async fn a_name_with_public_addresses_gets_the_event() {
    let endpoint = shop().await;
    let network = FakeNetwork::new(endpoint.address, &[&["8.8.8.8", "2606:4700::1"]]);
    assert_eq!(network.post("https://shop.example/").await, Delivered(204));
    assert_eq!(network.connected(), ["8.8.8.8:443"]);
}

#[tokio::test]
async fn a_name_with_a_forbidden_address_is_refused_before_a_connection() {
    for addresses in [
        &["10.0.0.1"][..],
        &["127.0.0.1"],
        &["169.254.169.254"],
        &["::1"],
        &["fd00:ec2::254"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["8.8.8.8", "10.0.0.1"],
        &["10.0.0.1", "8.8.8.8"],
        &["8.8.8.8", "1.1.1.1", "fe80::1"],
    ] {
        let endpoint = shop().await;
        let network = FakeNetwork::new(endpoint.address, &[addresses]);
        let outcome = network.post("https://shop.example/").await;
        assert_eq!(outcome, ForbiddenAddress, "{addresses:?}");
        assert!(network.connected().is_empty(), "{addresses:?}");
        assert_eq!(endpoint.connections(), 0);
    }
}

#[tokio::test]
async fn a_name_that_is_bound_to_a_private_address_after_the_lookup_gets_no_connection_there() {
    let endpoint = shop().await;
    let lookups: &[&[&str]] = &[&["8.8.8.8"], &["127.0.0.1"], &["10.0.0.1"]];
    let network = FakeNetwork::new(endpoint.address, lookups);
    assert_eq!(network.post("https://shop.example/").await, Delivered(204));
    // The first delivery looked the name up once.
    assert_eq!(network.lookups.lock().unwrap().len(), 2);
    for _ in 0..2 {
        let outcome = network.post("https://shop.example/").await;
        assert_eq!(outcome, ForbiddenAddress);
    }
    assert_eq!(network.connected(), ["8.8.8.8:443"]);
}

#[tokio::test]
async fn the_next_address_is_used_if_an_address_does_not_accept_a_connection() {
    let endpoint = shop().await;
    let network = FakeNetwork {
        refused: vec!["8.8.8.8".parse().unwrap()],
        ..FakeNetwork::new(endpoint.address, &[&["8.8.8.8", "1.1.1.1"]])
    };
    assert_eq!(network.post("https://shop.example/").await, Delivered(204));
    assert_eq!(network.connected(), ["8.8.8.8:443", "1.1.1.1:443"]);
}

#[tokio::test]
async fn a_name_without_an_address_has_the_outcome_dns() {
    let endpoint = shop().await;
    let unknown = FakeNetwork::new(endpoint.address, &[]);
    assert_eq!(unknown.post("https://shop.example/").await, Dns);
    let empty = FakeNetwork::new(endpoint.address, &[&[]]);
    assert_eq!(empty.post("https://shop.example/").await, Dns);
}

#[tokio::test]
async fn a_host_that_accepts_no_connection_has_the_outcome_connect() {
    let network = FakeNetwork {
        server: None,
        ..FakeNetwork::new(SocketAddr::from(([127, 0, 0, 1], 0)), &[&["8.8.8.8"]])
    };
    assert_eq!(network.post("https://shop.example/").await, Connect);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(post(&closed).await, Connect);
}

#[tokio::test]
async fn a_public_address_in_the_url_needs_no_lookup() {
    let endpoint = shop().await;
    let network = FakeNetwork::new(endpoint.address, &[]);
    // The certificate is not valid for this address.
    network.post("https://8.8.8.8/").await;
    network.post("https://134744072/").await;
    network.post("https://[2606:4700::1]/").await;
    let expected = ["8.8.8.8:443", "8.8.8.8:443", "[2606:4700::1]:443"];
    assert_eq!(network.connected(), expected);
}

#[tokio::test]
async fn a_loopback_url_is_refused_outside_of_the_sandbox() {
    let endpoint = Endpoint::answering(OK).await;
    let sender = Sender::new(LoopbackHosts::Refused, trusting(), Internet);
    let port = endpoint.address.port();
    for host in ["127.0.0.1", "localhost", "127.1"] {
        let url = url(&format!("http://{host}:{port}/"));
        let outcome = sender.send(&url, &event()).await;
        assert_eq!(outcome, ForbiddenAddress, "{host}");
    }
    assert_eq!(endpoint.connections(), 0);
}

#[tokio::test]
async fn a_loopback_url_gets_the_event_in_the_sandbox() {
    let endpoint = Endpoint::answering(OK).await;
    let port = endpoint.address.port();
    for host in ["127.0.0.1", "localhost", "127.1"] {
        let outcome = post(&format!("http://{host}:{port}/")).await;
        assert_eq!(outcome, Delivered(204), "{host}");
    }
}

#[tokio::test]
async fn the_name_localhost_is_refused_after_its_lookup_outside_of_the_sandbox() {
    let sender = Sender::new(LoopbackHosts::Refused, trusting(), Internet);
    let url = EndpointUrl::parse("https://localhost/", LoopbackHosts::Refused).unwrap();
    assert_eq!(sender.send(&url, &event()).await, ForbiddenAddress);
}

#[tokio::test]
async fn a_lookup_counts_as_time_of_the_delivery() {
    let network = FakeNetwork {
        is_slow: true,
        ..FakeNetwork::new(shop().await.address, &[&["8.8.8.8"]])
    };
    assert_eq!(network.post("https://shop.example/").await, Timeout);
    assert!(network.connected().is_empty());
}
