//! Defines the URL of an endpoint.

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;
use url::{Host, Position, Url};

use super::address::is_public;

const MAX_LENGTH: usize = 2048;

/// Whether endpoints may have a loopback host. Only the sandbox allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopbackHosts {
    /// Loopback hosts are allowed, with http or https and any port.
    Allowed,
    /// Every host must be public.
    Refused,
}

/// Why a text is not the URL of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EndpointUrlError {
    /// The text has more than 2,048 bytes.
    #[error("the URL has more than {MAX_LENGTH} bytes")]
    TooLong,
    /// The text is not a URL, or it has characters or slashes that the parser would drop or replace.
    #[error("the text is not a URL")]
    Invalid,
    /// The URL is not an https URL.
    #[error("the URL does not begin with https://")]
    NotHttps,
    /// The URL has a user name or a password.
    #[error("the URL has a user name or a password")]
    UserInfo,
    /// The URL has a fragment.
    #[error("the URL has a fragment")]
    Fragment,
    /// The port is not 443.
    #[error("the port of the URL is not 443")]
    Port,
    /// The host is not a valid name.
    #[error("the host of the URL is not a valid name")]
    HostName,
    /// The host is an IP address that is not public.
    #[error("the address in the URL is not public")]
    ForbiddenAddress,
}

/// The URL to which the events of an endpoint are posted. It is valid, and its host is in ASCII.
///
/// A path or a query can contain a secret, so only [`as_str`](Self::as_str) and
/// [`path_and_query`](Self::path_and_query) return them.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl {
    url: Url,
    is_loopback: bool,
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EndpointUrl({})", self.authority())
    }
}

impl EndpointUrl {
    /// Parses a URL. The addresses of a name are not looked up here: see [`allows`](Self::allows).
    pub fn parse(text: &str, loopback: LoopbackHosts) -> Result<Self, EndpointUrlError> {
        if text.len() > MAX_LENGTH {
            return Err(EndpointUrlError::TooLong);
        }
        // The parser drops or replaces these characters, so that the URL would differ from the text.
        let is_replaced = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if text.contains(is_replaced) {
            return Err(EndpointUrlError::Invalid);
        }
        let url = Url::parse(text).map_err(|_| EndpointUrlError::Invalid)?;
        let host = url.host().ok_or(EndpointUrlError::Invalid)?;
        let is_loopback = loopback == LoopbackHosts::Allowed && is_loopback(&host);
        let is_http = is_loopback && url.scheme() == "http";
        if !is_http && url.scheme() != "https" {
            return Err(EndpointUrlError::NotHttps);
        }
        let written = written_authority(text, url.scheme()).ok_or(EndpointUrlError::Invalid)?;
        if written.contains('@') {
            return Err(EndpointUrlError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(EndpointUrlError::Fragment);
        }
        if !is_loopback {
            check_public(&url, &host)?;
        }
        // The parser percent-encodes some characters.
        if url.as_str().len() > MAX_LENGTH {
            return Err(EndpointUrlError::TooLong);
        }
        Ok(Self { url, is_loopback })
    }

    /// Returns the normalised URL, which [`parse`](Self::parse) reads again.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the host for logs: a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Returns the host for a connection: a name or an address.
    pub fn destination(&self) -> Host<&str> {
        self.url.host().unwrap_or(Host::Domain(""))
    }

    /// Returns the host, and the port if it is not the scheme's default port.
    pub fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// Returns the path and the query.
    pub fn path_and_query(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// Whether requests use TLS. Only a loopback host can have no TLS.
    pub fn uses_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the URL was parsed with [`LoopbackHosts::Allowed`] and has a loopback host.
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Whether a connection to this address is allowed. The caller must check each address of a name before it
    /// connects, because the addresses of a name can change.
    pub fn allows(&self, address: IpAddr) -> bool {
        if self.is_loopback {
            address.is_loopback()
        } else {
            is_public(address)
        }
    }
}

/// Returns the part between `//` and the path as it was written. Returns `None` if there are more or fewer slashes,
/// which the parser ignores.
fn written_authority<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (written_scheme, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    (written_scheme.eq_ignore_ascii_case(scheme) && !authority.is_empty()).then_some(authority)
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn check_public(url: &Url, host: &Host<&str>) -> Result<(), EndpointUrlError> {
    // The parser drops the scheme's default port.
    if url.port().is_some() {
        return Err(EndpointUrlError::Port);
    }
    let address = match host {
        Host::Domain(name) if is_host_name(name) => return Ok(()),
        Host::Domain(_) => return Err(EndpointUrlError::HostName),
        Host::Ipv4(address) => IpAddr::V4(*address),
        Host::Ipv6(address) => IpAddr::V6(*address),
    };
    if is_public(address) {
        Ok(())
    } else {
        Err(EndpointUrlError::ForbiddenAddress)
    }
}

/// Whether a name follows RFC 1123 and has no dot at its end.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests;
