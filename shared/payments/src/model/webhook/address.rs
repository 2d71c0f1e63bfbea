//! Decides which IP addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of IPv4 addresses: its first address and the length of its prefix.
type Block4 = (Ipv4Addr, u32);
/// A block of IPv6 addresses: its first address and the length of its prefix.
type Block6 = (Ipv6Addr, u32);

/// All blocks of the [IANA registry] of special-purpose addresses, and multicast. Some of them are globally reachable,
/// but no endpoint of a storefront is there.
///
/// [IANA registry]: https://www.iana.org/assignments/iana-ipv4-special-registry
const SPECIAL_4: &[Block4] = &[
    // This network
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Shared with customers of a provider (CGNAT)
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, with the metadata services of AWS and of Lambda
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // IETF protocols
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // AS112
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    // AMT
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    // Relays of 6to4
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarking
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Multicast
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, with the broadcast address
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The only block that IANA assigns as global unicast. The unspecified address, loopback, unique-local, link-local,
/// site-local, multicast and other special addresses are outside.
const GLOBAL_6: Block6 = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The blocks of the [IANA registry] of special-purpose addresses within [`GLOBAL_6`].
///
/// [IANA registry]: https://www.iana.org/assignments/iana-ipv6-special-registry
const SPECIAL_6: &[Block6] = &[
    // IETF protocols, with Teredo, benchmarking and ORCHID
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    // AS112
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
];

/// The blocks whose addresses lead to the IPv4 address in their last 32 bits. A network with DNS64 gives each name that
/// has only IPv4 addresses an address in the block of NAT64.
const WITH_IPV4: &[Block6] = &[
    // IPv4-mapped
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
    // NAT64
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
];

/// Whether an address belongs to a host of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_4(address),
        IpAddr::V6(address) => is_public_6(address),
    }
}

fn is_public_4(address: Ipv4Addr) -> bool {
    let contains = |(first, length): &Block4| {
        let differing = (address.to_bits() ^ first.to_bits()).leading_zeros();
        differing >= *length
    };
    !SPECIAL_4.iter().any(contains)
}

fn is_public_6(address: Ipv6Addr) -> bool {
    let contains = |(first, length): &Block6| {
        let differing = (address.to_bits() ^ first.to_bits()).leading_zeros();
        differing >= *length
    };
    if WITH_IPV4.iter().any(contains) {
        let [.., a, b, c, d] = address.octets();
        return is_public_4(Ipv4Addr::new(a, b, c, d));
    }
    contains(&GLOBAL_6) && !SPECIAL_6.iter().any(contains)
}

#[cfg(test)]
mod tests;
