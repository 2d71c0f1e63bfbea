use http::uri::PathAndQuery;
use proptest::prelude::*;

use super::*;

fn public(text: &str) -> Result<EndpointUrl, EndpointUrlError> {
    EndpointUrl::parse(text, LoopbackHosts::Refused)
}

fn sandbox(text: &str) -> Result<EndpointUrl, EndpointUrlError> {
    EndpointUrl::parse(text, LoopbackHosts::Allowed)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_url_with_a_public_host_is_accepted_and_normalised() {
    for (text, expected) in [
        ("https://shop.example/hook", "https://shop.example/hook"),
        ("HTTPS://SHOP.example", "https://shop.example/"),
        (
            "https://shop.example:443/a?key=1&b",
            "https://shop.example/a?key=1&b",
        ),
        (
            "https://shop.example/../a/./b?",
            "https://shop.example/a/b?",
        ),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        (
            "https://xn--bcher-kva.example/",
            "https://xn--bcher-kva.example/",
        ),
        ("https://shop.example/é", "https://shop.example/%C3%A9"),
        ("https://shop.example/a@b", "https://shop.example/a@b"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700::1]/", "https://[2606:4700::1]/"),
        // These names are refused when they are looked up.
        ("https://localhost/", "https://localhost/"),
        (
            "https://ip-10-0-0-1.ec2.internal/",
            "https://ip-10-0-0-1.ec2.internal/",
        ),
    ] {
        let url = public(text).unwrap();
        assert_eq!(url.as_str(), expected, "{text}");
        assert!(url.uses_tls() && !url.is_loopback(), "{text}");
        assert_eq!(url.port(), 443, "{text}");
        assert_eq!(public(url.as_str()), Ok(url), "{text}");
    }
}

#[test]
fn a_url_has_the_parts_of_its_request() {
    let url = public("https://shop.example:443/a/b?key=1").unwrap();
    assert_eq!(url.host(), "shop.example");
    assert_eq!(url.authority(), "shop.example");
    assert_eq!(url.path_and_query(), "/a/b?key=1");
    assert_eq!(url.destination(), Host::Domain("shop.example"));
    let url = sandbox("http://[::1]:8080").unwrap();
    assert_eq!(url.host(), "[::1]");
    assert_eq!(url.authority(), "[::1]:8080");
    assert_eq!(url.path_and_query(), "/");
    assert_eq!((url.port(), url.uses_tls()), (8080, false));
}

#[test]
fn a_url_is_refused_for_the_first_rule_that_it_breaks() {
    use EndpointUrlError::*;
    let long = format!("https://shop.example/{}", "a".repeat(2048));
    // The parser encodes each quotation mark with three bytes.
    let grows = format!("https://shop.example/{}", "\"".repeat(1000));
    let label = format!("https://{}.example/", "a".repeat(64));
    let name = format!("https://{}example/", "abcdefg.".repeat(31));
    for (text, error) in [
        ("", Invalid),
        ("shop.example", Invalid),
        ("//shop.example/", Invalid),
        ("https://", Invalid),
        (" https://shop.example/", Invalid),
        ("https://shop.example/a b", Invalid),
        ("https://shop.example/\n", Invalid),
        ("https://shop\t.example/", Invalid),
        ("https://shop.example\\@10.0.0.1/", Invalid),
        ("https:\\\\shop.example/", Invalid),
        ("https://shop.example/\u{a0}", Invalid),
        ("https://shop.example/\u{0}", Invalid),
        ("https://shop example/", Invalid),
        ("https://[::1", Invalid),
        ("https://shop.example:99999/", Invalid),
        ("https://xn--a/", Invalid),
        ("http://shop.example/", NotHttps),
        ("ftp://shop.example/", NotHttps),
        ("file:///etc/passwd", Invalid),
        ("data:text/html,x", Invalid),
        ("javascript:alert(1)", Invalid),
        ("gopher://shop.example/", NotHttps),
        ("https:shop.example/", Invalid),
        ("https:/shop.example/", Invalid),
        ("https:///shop.example/", Invalid),
        ("https:////shop.example/", Invalid),
        ("https:///user@shop.example/", Invalid),
        ("https:user@shop.example/?://a", Invalid),
        ("https:/user@shop.example/://a", Invalid),
        ("https://user@shop.example/", UserInfo),
        ("https://user:pw@shop.example/", UserInfo),
        ("https://@shop.example/", UserInfo),
        ("https://:@shop.example/", UserInfo),
        ("https://shop.example@10.0.0.1/", UserInfo),
        ("https://shop.example/#a", Fragment),
        ("https://shop.example/#", Fragment),
        ("https://shop.example:8443/", Port),
        ("https://shop.example:80/", Port),
        ("https://shop.example:0/", Port),
        ("https://10.0.0.1:22/", Port),
        ("https://shop.example./", HostName),
        ("https://localhost./", HostName),
        ("https://shop..example/", HostName),
        ("https://.shop.example/", HostName),
        ("https://./", HostName),
        ("https://-shop.example/", HostName),
        ("https://shop-.example/", HostName),
        ("https://sh_op.example/", HostName),
        ("https://*.example/", HostName),
        ("https://shop.example,evil.example/", HostName),
        ("https://$(id).example/", HostName),
        (&label, HostName),
        (&name, HostName),
        (&long, TooLong),
        (&grows, TooLong),
    ] {
        assert_eq!(public(text), Err(error), "{text:?}");
    }
}

/// Each text leads to an address that is not public, or is no URL at all.
const HOSTILE_ADDRESSES: &[&str] = &[
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "127.0.0.1.",
    // Decimal, octal and hexadecimal
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7F.1",
    "0177.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0x0.0.1",
    "127.0.0.0x1",
    "00000177.0.0.1",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "3232235521",
    "0",
    "0.0.0.0",
    "4294967295",
    "4294967296",
    "1.2.3.4.5",
    "256.0.0.1",
    "09.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    // Other digits and dots that the parser maps to ASCII, and percent-encoding
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "127｡0｡0｡1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127.0.0.1%00",
    "127.0.0.1%2f",
    // IPv6
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::8.8.8.8]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    // Zone ids
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[::1%25lo]",
    "::1",
    "[::1",
    "[127.0.0.1]",
];

#[test]
fn no_spelling_of_a_private_address_is_accepted() {
    for host in HOSTILE_ADDRESSES {
        let text = format!("https://{host}/");
        assert!(public(&text).is_err(), "{text} {:?}", public(&text));
    }
}

#[test]
fn a_spelling_of_a_public_address_is_normalised() {
    for (text, host) in [
        ("https://134744072/", "8.8.8.8"),
        ("https://0x8.8.8.8/", "8.8.8.8"),
        ("https://010.010.8.8/", "8.8.8.8"),
        ("https://[::ffff:8.8.8.8]/", "[::ffff:808:808]"),
        ("https://[2606:4700:0:0::0001]/", "[2606:4700::1]"),
    ] {
        assert_eq!(public(text).unwrap().host(), host, "{text}");
    }
}

#[test]
fn a_loopback_host_is_accepted_only_in_the_sandbox() {
    for text in [
        "http://127.0.0.1:8080/hook",
        "http://localhost:1/",
        "https://localhost:8443/",
        "https://[::1]/",
        "http://127.1/",
    ] {
        let url = sandbox(text).unwrap();
        assert!(url.is_loopback(), "{text}");
        assert_eq!(sandbox(url.as_str()), Ok(url), "{text}");
    }
    assert_eq!(
        public("http://127.0.0.1:8080/hook"),
        Err(EndpointUrlError::NotHttps)
    );
    assert_eq!(
        public("https://127.0.0.1/"),
        Err(EndpointUrlError::ForbiddenAddress)
    );
}

#[test]
fn the_sandbox_keeps_all_other_rules() {
    use EndpointUrlError::*;
    for (text, error) in [
        ("http://shop.example/", NotHttps),
        ("http://10.0.0.1/", NotHttps),
        ("http://127.0.0.1.evil.example/", NotHttps),
        ("http://localhost.evil.example/", NotHttps),
        ("https://10.0.0.1/", ForbiddenAddress),
        ("https://0.0.0.0/", ForbiddenAddress),
        ("https://shop.example:8443/", Port),
        ("http://user@127.0.0.1/", UserInfo),
        ("http://127.0.0.1/#a", Fragment),
        ("ftp://127.0.0.1/", NotHttps),
    ] {
        assert_eq!(sandbox(text), Err(error), "{text}");
    }
}

#[test]
fn a_public_host_may_use_only_public_addresses_and_a_loopback_host_only_loopback_addresses() {
    let public = sandbox("https://shop.example/").unwrap();
    let loopback = sandbox("http://localhost:8080/").unwrap();
    for (text, to_public, to_loopback) in [
        ("8.8.8.8", true, false),
        ("127.0.0.1", false, true),
        ("::1", false, true),
        ("10.0.0.1", false, false),
        ("169.254.169.254", false, false),
        ("::ffff:127.0.0.1", false, false),
    ] {
        assert_eq!(public.allows(address(text)), to_public, "{text}");
        assert_eq!(loopback.allows(address(text)), to_loopback, "{text}");
    }
}

#[test]
fn debug_shows_neither_path_nor_query() {
    let url = public("https://shop.example/hook/s3cret?token=s3cret").unwrap();
    assert_eq!(format!("{url:?}"), "EndpointUrl(shop.example)");
}

proptest! {
    #[test]
    fn an_accepted_url_is_https_to_a_host_name_or_a_public_address(text in "https:/{0,4}([a-z0-9.:@%_\\[\\]-]{1,20}|[^@]{0,2}@?[^@]{1,10})(/[^@]{0,5})?") {
        let Ok(url) = public(&text) else { return Ok(()) };
        prop_assert!(url.uses_tls() && url.port() == 443, "{text}");
        prop_assert!(url.as_str().is_ascii(), "{text}");
        let parts = format!("https://{}{}", url.authority(), url.path_and_query());
        prop_assert_eq!(url.as_str(), parts);
        match url.destination() {
            Host::Domain(name) => prop_assert!(is_host_name(name), "{text}"),
            Host::Ipv4(address) => prop_assert!(is_public(address.into()), "{text}"),
            Host::Ipv6(address) => prop_assert!(is_public(address.into()), "{text}"),
        }
        prop_assert_eq!(public(url.as_str()), Ok(url));
    }

    #[test]
    fn the_path_and_the_query_of_an_accepted_url_can_be_sent(text in "[/?]\\PC{0,20}") {
        let Ok(url) = public(&format!("https://shop.example{text}")) else { return Ok(()) };
        prop_assert!(PathAndQuery::try_from(url.path_and_query()).is_ok(), "{text}");
    }

    #[test]
    fn every_numeric_spelling_of_an_ipv4_address_is_checked(
        number in any::<u32>(),
        bases in prop::array::uniform4(0_usize..3),
        count in 1_usize..=4,
    ) {
        let octets = number.to_be_bytes().map(u64::from);
        // The last number has all octets that remain.
        let (first, rest) = octets.split_at(count - 1);
        let last = rest.iter().fold(0, |sum, octet| sum << 8 | octet);
        let numbers = first.iter().copied().chain([last]).zip(bases);
        let parts = numbers.map(|(number, base)| match base {
            0 => number.to_string(),
            1 => format!("0{number:o}"),
            _ => format!("0x{number:x}"),
        });
        let host = parts.collect::<Vec<_>>().join(".");
        let expected = is_public(std::net::Ipv4Addr::from_bits(number).into());
        prop_assert_eq!(public(&format!("https://{host}/")).is_ok(), expected, "{}", host);
    }
}
