use proptest::prelude::*;

use super::*;

/// Blocks that are not public, as other documents write them: the registries of IANA, AWS and RFCs.
const NOT_PUBLIC: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.170/31",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "::1/128",
    // IPv4-compatible
    "::/96",
    "::ffff:10.0.0.0/104",
    "::ffff:127.0.0.0/104",
    // IPv4-translated
    "::ffff:0:0:0/96",
    "64:ff9b::10.0.0.0/104",
    "64:ff9b::169.254.0.0/112",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:1::/32",
    "2001:2::/48",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "4000::/2",
    "8000::/1",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

/// Returns the bits of an address, moved to the start of a number with 128 bits, and the length of the address.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

fn address_of(bits: u128, length: u32) -> IpAddr {
    match length {
        32 => Ipv4Addr::from_bits((bits >> 96) as u32).into(),
        _ => Ipv6Addr::from_bits(bits).into(),
    }
}

/// Returns the first and the last address of a block.
fn ends(block: &str) -> [IpAddr; 2] {
    let (first, prefix) = block.split_once('/').unwrap();
    let (first, length) = bits(first.parse().unwrap());
    let below = u128::MAX.checked_shr(prefix.parse().unwrap()).unwrap_or(0);
    [first & !below, first | below].map(|bits| address_of(bits, length))
}

/// Returns the addresses next to a block.
fn neighbours(block: &str) -> [IpAddr; 2] {
    let [first, last] = ends(block).map(bits);
    let step = 1 << (128 - first.1);
    let (before, after) = (first.0.wrapping_sub(step), last.0.wrapping_add(step));
    [before, after].map(|bits| address_of(bits, first.1))
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn the_first_and_the_last_address_of_each_special_block_are_not_public() {
    for block in NOT_PUBLIC {
        for address in ends(block) {
            assert!(!is_public(address), "{block} {address}");
        }
    }
}

/// Whether an IPv4 address is in one of the blocks.
fn is_listed(address: IpAddr) -> bool {
    let value = bits(address).0;
    let contains = |block: &str| {
        let [first, last] = ends(block).map(|end| bits(end).0);
        (first..=last).contains(&value)
    };
    let blocks = NOT_PUBLIC.iter().filter(|block| !block.contains(':'));
    blocks.copied().any(contains)
}

#[test]
fn the_addresses_next_to_an_ipv4_block_are_public_unless_another_block_has_them() {
    for block in NOT_PUBLIC.iter().filter(|block| !block.contains(':')) {
        for neighbour in neighbours(block) {
            let expected = !is_listed(neighbour);
            assert_eq!(is_public(neighbour), expected, "{block} {neighbour}");
        }
    }
}

#[test]
fn addresses_of_the_internet_are_public() {
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2000::",
        "2001:200::",
        "2001:4860:4860::8888",
        "2001:db7:ffff::",
        "2001:db9::",
        "2003::",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "3fff:1000::",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ] {
        assert!(is_public(address(text)), "{text}");
    }
}

#[test]
fn metadata_services_are_not_public() {
    for text in [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.100.1",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "2001:0:a9fe:a9fe::",
        "fe80::a9fe:a9fe",
    ] {
        assert!(!is_public(address(text)), "{text}");
    }
}

proptest! {
    #[test]
    fn no_address_of_a_special_block_is_public(
        block in prop::sample::select(NOT_PUBLIC),
        random in any::<u128>(),
    ) {
        let [first, last] = ends(block).map(bits);
        let address = address_of(first.0 | random & (first.0 ^ last.0), first.1);
        prop_assert!(!is_public(address), "{block} {address}");
    }

    #[test]
    fn an_ipv4_address_is_public_exactly_if_no_block_has_it(number in any::<u32>()) {
        let address = IpAddr::from(Ipv4Addr::from_bits(number));
        prop_assert_eq!(is_public(address), !is_listed(address));
    }

    #[test]
    fn an_ipv6_address_that_leads_to_ipv4_is_public_only_if_the_ipv4_address_is(number in any::<u32>()) {
        let address = Ipv4Addr::from_bits(number);
        let expected = is_public(address.into());
        let mapped = address.to_ipv6_mapped();
        let nat64 = Ipv6Addr::from_bits((0x64_ff9b << 96) | u128::from(number));
        prop_assert_eq!(is_public(mapped.into()), expected);
        prop_assert_eq!(is_public(nat64.into()), expected);
    }

    #[test]
    fn an_address_outside_global_unicast_is_public_only_with_an_ipv4_address(number in any::<u128>()) {
        let address = Ipv6Addr::from_bits(number);
        if is_public(address.into()) {
            prop_assert_eq!(number >> 125, 1);
        }
    }
}
