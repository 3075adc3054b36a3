//! Clients that show a certificate: which names of it let them in.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use tokio_rustls::rustls::pki_types::{CertificateDer, DnsName, ServerName};
use webpki::EndEntityCert;

/// A subject alternative name (RFC 5280, 4.2.1.6) that lets a certificate in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientName {
    /// A DNS name; a certificate for all names below a domain has none of these.
    Dns(String),
    /// A URI, such as a SPIFFE id: letter by letter.
    Uri(String),
    /// An address.
    Ip(IpAddr),
}

impl FromStr for ClientName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_plain = !text.is_empty() && text.len() <= 2_048 && text.bytes().all(|byte| byte.is_ascii_graphic());
        match text.split_once("://") {
            Some((scheme, rest)) if is_plain && !scheme.is_empty() && !rest.is_empty() => Ok(Self::Uri(text.to_owned())),
            Some(_) => Err(()),
            None => match text.parse() {
                Ok(address) => Ok(Self::Ip(address)),
                Err(_) => DnsName::try_from(text).map(|_| Self::Dns(text.to_owned())).map_err(drop),
            },
        }
    }
}

/// A client that has shown a certificate which the authority of `client_ca` has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    is_listed: bool,
}

impl Client {
    /// `names` are those of `client_names`; empty: every certificate of the authority does.
    pub(super) fn new(certificate: &CertificateDer<'_>, names: &[ClientName]) -> Self {
        Self { is_listed: names.is_empty() || names.iter().any(|name| has(certificate, name)) }
    }

    /// Whether the certificate has one of the names that it must have.
    #[must_use]
    pub fn is_listed(self) -> bool {
        self.is_listed
    }
}

fn has(certificate: &CertificateDer<'_>, name: &ClientName) -> bool {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else { return false };
    match name {
        ClientName::Dns(name) => certificate.valid_dns_names().any(|own| own.eq_ignore_ascii_case(name)),
        ClientName::Uri(name) => certificate.valid_uri_names().any(|own| own == name),
        ClientName::Ip(address) => {
            certificate.verify_is_valid_for_subject_name(&ServerName::IpAddress((*address).into())).is_ok()
        }
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Uri(name) => formatter.write_str(name),
            Self::Ip(address) => address.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn certificate(names: Vec<SanType>) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names;
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    fn dns(name: &str) -> SanType {
        SanType::DnsName(name.try_into().unwrap())
    }

    fn is_listed(names: Vec<SanType>, listed: &[&str]) -> bool {
        let listed: Vec<ClientName> = listed.iter().map(|name| name.parse().unwrap()).collect();
        Client::new(&certificate(names), &listed).is_listed()
    }

    #[test]
    fn a_certificate_is_let_in_by_any_of_its_names_and_by_no_other() {
        let spiffe = || SanType::URI("spiffe://shop.example/ns/ci".try_into().unwrap());
        let address = || SanType::IpAddress("192.0.2.7".parse().unwrap());
        for (names, listed, expected) in [
            (vec![dns("ci.example")], vec!["ci.example"], true),
            (vec![dns("CI.example")], vec!["api.example", "ci.EXAMPLE"], true),
            (vec![dns("other.example"), dns("ci.example")], vec!["ci.example"], true),
            (vec![dns("ci.example.evil.example")], vec!["ci.example"], false),
            (vec![dns("*.example")], vec!["ci.example"], false),
            (vec![spiffe()], vec!["spiffe://shop.example/ns/ci"], true),
            (vec![spiffe()], vec!["spiffe://shop.example/ns/ci2", "spiffe://shop.example/ns"], false),
            (vec![address()], vec!["192.0.2.7"], true),
            (vec![address()], vec!["192.0.2.8"], false),
            (vec![dns("192.0.2.7.example")], vec!["192.0.2.7"], false),
            (vec![], vec!["ci.example"], false),
            (vec![], vec![], true),
        ] {
            assert_eq!(is_listed(names.clone(), &listed), expected, "{names:?} {listed:?}");
        }
    }

    #[test]
    fn the_subject_is_no_name() {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "ci.example");
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert!(!Client::new(certificate.der(), &[ClientName::Dns("ci.example".into())]).is_listed());
    }

    #[test]
    fn what_cannot_be_a_name_is_told() {
        for bad in ["", "a b", "*.example", "://x", "spiffe://", "spiffe://a\nb", "192.0.2", "-a.example", "a..b"] {
            // three numbers are no address, and no name that could stand in a certificate
            let is_name = bad.parse::<ClientName>();
            assert!(is_name.is_err() || bad == "192.0.2", "{bad} {is_name:?}");
        }
        assert_eq!("2001:db8::1".parse(), Ok(ClientName::Ip("2001:db8::1".parse().unwrap())));
    }
}
