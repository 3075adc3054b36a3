//! How a host is reached: TLS and its authorities, proxies, timeouts, and which addresses are out of bounds.

use std::fmt;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::config::Config;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Proxy};

use super::access::{Access, Networks, is_loopback};
use super::permits::Permits;
use crate::limits::{Limits, MIB};
use crate::source::Error;

const MAX_CA_BYTES: u64 = 4 * MIB;
const CONNECT: Duration = Duration::from_secs(15);
/// Longest header section of an answer, in bytes.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Connections to hosts that are reached in one way, used again by whoever holds a clone: what a server keeps for each registry.
#[derive(Debug, Clone)]
pub struct Connections {
    pub(super) reach: Arc<Reach>,
    pub(super) permits: Permits,
}

impl Connections {
    /// Connections that are made as `access` says, of which at most `most` are used at once; 0: as many as are wanted.
    ///
    /// # Errors
    /// A certificate authority that cannot be read.
    pub fn new(access: &Access, limits: &Limits, most: usize) -> Result<Self, Error> {
        Ok(Self { reach: Arc::new(Reach::new(access, limits)?), permits: Permits::new(most) })
    }
}

/// The two ways to a host: through the environment's proxy, where there is one, and straight to this machine itself.
#[derive(Debug)]
pub(super) struct Reach {
    proxied: Agent,
    direct: Agent,
}

impl Reach {
    /// Reads the certificate authorities.
    pub(super) fn new(access: &Access, limits: &Limits) -> Result<Self, Error> {
        let tls = TlsConfig::builder()
            .root_certs(roots(access)?)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let proxy = if access.networks == Networks::Public { None } else { Proxy::try_from_env() };
        let agent = |proxy| Agent::with_parts(config(tls.clone(), proxy, limits), DefaultConnector::default(), guard(access));
        Ok(Self { proxied: agent(proxy), direct: agent(None) })
    }

    /// What speaks to `host`.
    pub(super) fn agent(&self, host: &str) -> &Agent {
        if is_loopback(host) { &self.direct } else { &self.proxied }
    }
}

fn config(tls: TlsConfig, proxy: Option<Proxy>, limits: &Limits) -> Config {
    let stall = Duration::from_secs(limits.registry_stall_seconds.max(1));
    Agent::config_builder()
        .tls_config(tls)
        .proxy(proxy)
        .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        // every hop is looked at here, with its host and its scheme
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(MAX_HEADER_BYTES)
        .timeout_resolve(Some(CONNECT.min(stall)))
        .timeout_connect(Some(CONNECT.min(stall)))
        .timeout_send_request(Some(stall))
        .timeout_recv_response(Some(stall))
        .timeout_per_read(Some(stall))
        .build()
}

/// The system's authorities, those that browsers trust where the system has none, and those that were given.
fn roots(access: &Access) -> Result<RootCerts, Error> {
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    let system = rustls_native_certs::load_native_certs().certs;
    certificates.extend(system.iter().map(|certificate| Certificate::from_der(certificate).to_owned()));
    if certificates.is_empty() {
        certificates.extend(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|root| Certificate::from_der(root)));
    }
    for path in &access.ca_files {
        certificates.extend(authorities(path)?);
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

fn authorities(path: &Path) -> Result<Vec<Certificate<'static>>, Error> {
    let what = || format!("the certificate authorities in {}", crate::oci::escape(path.as_os_str().as_encoded_bytes()));
    let io = |cause| Error::Io { what: what(), cause };
    let other = |reason: &str| io(std::io::Error::other(reason.to_owned()));
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(io)?.take(MAX_CA_BYTES.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_CA_BYTES {
        return Err(other("it is larger than 4 MiB"));
    }
    let mut found = Vec::new();
    for item in parse_pem(&bytes) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(other("it is no PEM")),
        }
    }
    if found.is_empty() { Err(other("it holds no certificate in PEM")) } else { Ok(found) }
}

/// Resolves names, and refuses those that lead to an address that is out of bounds. The addresses that it hands on
/// are the ones that are connected to: a name cannot change its mind in between.
struct Guard {
    networks: Networks,
    names: Box<dyn Resolver>,
}

fn guard(access: &Access) -> Guard {
    Guard { networks: access.networks, names: Box::new(DefaultResolver::default()) }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("networks", &self.networks).finish_non_exhaustive()
    }
}

/// Why a name was not connected to.
#[derive(Debug, thiserror::Error)]
#[error("it resolves to {0}, which is {kind}", kind = if is_metadata(*.0) { "where metadata services are" } else { "not a public address" })]
pub(super) struct OutOfBounds(IpAddr);

impl Resolver for Guard {
    fn resolve(&self, uri: &ureq::http::Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.names.resolve(uri, config, timeout)?;
        // one address that is out of bounds is enough: such names are made to be resolved twice
        let is_denied = |address: &IpAddr| match self.networks {
            Networks::Any => false,
            Networks::NoMetadata => is_metadata(*address),
            Networks::Public => !is_public(*address),
        };
        match addresses.iter().map(std::net::SocketAddr::ip).find(is_denied) {
            Some(address) => Err(std::io::Error::other(OutOfBounds(address)).into()),
            None => Ok(addresses),
        }
    }
}

/// Whether an address is one at which clouds answer questions about the machine that asks, credentials included: the link-local
/// ones, Amazon's over IPv6, Alibaba's and Oracle's.
fn is_metadata(address: IpAddr) -> bool {
    let is_v4 =
        |address: Ipv4Addr| address.is_link_local() || matches!(address.octets(), [100, 100, 100, 200] | [192, 0, 0, 192]);
    match address {
        IpAddr::V4(address) => is_v4(address),
        IpAddr::V6(address) => {
            address.is_unicast_link_local()
                || address.segments() == [0xFD00, 0x0EC2, 0, 0, 0, 0, 0, 0x0254]
                || address.to_ipv4().is_some_and(is_v4)
        }
    }
}

/// Whether an address is of the public internet, by the special-purpose registries of RFC 6890; an IPv4 address inside an
/// IPv6 one counts as itself.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // mapped, translated, 6to4
        [0, 0, 0, 0, 0, 0xFFFF, high, low] | [0x64, 0xFF9B, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => inner(high, low),
        // Teredo, benchmarks, ORCHID; documentation; all else that is no global unicast
        [0x2001, 0..=0x1FF | 0xDB8, ..] => false,
        [first, ..] => (0x2000..=0x3FFE).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name server of one's own.
    #[derive(Debug)]
    struct Fixed(Vec<IpAddr>);

    impl Resolver for Fixed {
        fn resolve(&self, _: &ureq::http::Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut found = self.empty();
            self.0.iter().for_each(|address| found.push((*address, 443).into()));
            Ok(found)
        }
    }

    fn resolved(addresses: &[&str], networks: Networks) -> Result<(), String> {
        let names = Box::new(Fixed(addresses.iter().map(|address| address.parse().unwrap()).collect()));
        let uri = "https://rebind.example/".parse().unwrap();
        let guard = Guard { networks, names };
        guard.resolve(&uri, &Config::default(), NextTimeout::default()).map(drop).map_err(|error| error.to_string())
    }

    const PRIVATE: [&str; 26] = [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "169.254.169.254",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "fc00::1",
        "fdab::1",
        "fe80::1",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "100.64.0.1",
        "100.127.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2001:0:1::",
        "ff02::1",
        "255.255.255.255",
        "224.0.0.1",
        "198.18.0.1",
        "::127.0.0.1",
    ];

    #[test]
    fn names_that_resolve_to_an_address_that_is_not_public_are_refused() {
        for address in PRIVATE {
            let error = resolved(&[address], Networks::Public).unwrap_err();
            assert!(error.contains("not a public address") || error.contains("metadata"), "{address}: {error}");
            assert!(resolved(&["93.184.215.14", address], Networks::Public).is_err(), "{address} behind a public one");
            assert!(resolved(&[address], Networks::Any).is_ok(), "{address} when that is allowed");
        }
    }

    #[test]
    fn metadata_services_are_out_of_bounds_where_private_addresses_are_not() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "192.0.0.192",
            "::ffff:169.254.169.254",
        ] {
            let error = resolved(&[address], Networks::NoMetadata).unwrap_err();
            assert!(error.contains("where metadata services are"), "{address}: {error}");
        }
        for address in ["127.0.0.1", "10.1.2.3", "192.168.1.1", "fd00::1", "100.64.0.1", "93.184.215.14"] {
            assert!(resolved(&[address], Networks::NoMetadata).is_ok(), "{address}");
        }
    }

    #[test]
    fn public_addresses_are_connected_to() {
        for address in [
            "93.184.215.14",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "2606:2800:21f::1",
            "2a00:1450::1",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(resolved(&[address], Networks::Public).is_ok(), "{address}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_no_authority() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "no PEM at all").unwrap();
        let access = Access { ca_files: vec![path], ..Access::default() };
        assert!(Reach::new(&access, &Limits::default()).unwrap_err().to_string().contains("no certificate"));
        let access = Access { ca_files: vec![folder.path().to_owned()], ..Access::default() };
        assert!(Reach::new(&access, &Limits::default()).unwrap_err().to_string().contains("no regular file"));
    }
}
