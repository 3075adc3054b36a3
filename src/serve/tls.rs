//! Certificates: read, held together with their keys, and read again when their files change.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::client::Client;
use super::config::Tls;
use super::expiry;
use super::host::Host;
use crate::limits::MIB;

/// Certificates of one file.
const MOST_CERTIFICATES: usize = 1_000;

/// What is served with.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    /// For the handshake.
    pub(super) config: Arc<ServerConfig>,
    /// Seconds since 1970 at which the certificate ends; None when that cannot be read.
    pub(super) expires: Option<i64>,
    /// The texts that it was made of.
    texts: Texts,
}

#[derive(Clone, PartialEq, Eq)]
struct Texts {
    cert: String,
    key: String,
    client_ca: Option<String>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // a key never reaches a log
        formatter.write_str("Texts(..)")
    }
}

/// Reads the files and makes of them what a handshake needs; otherwise says which file is wrong and why.
pub(super) fn load(tls: &Tls, host: &Host) -> Result<Loaded, String> {
    made(texts(tls, host)?)
}

fn texts(tls: &Tls, host: &Host) -> Result<Texts, String> {
    let read = |what: &str, path| (host.read)(path, MIB).map_err(|error| format!("`{what}` cannot be read: {error}"));
    Ok(Texts {
        cert: read("cert", &tls.cert)?,
        key: read("key", &tls.key)?,
        client_ca: tls.client_ca.as_deref().map(|path| read("client_ca", path)).transpose()?,
    })
}

fn made(texts: Texts) -> Result<Loaded, String> {
    let chain = certificates(&texts.cert).map_err(|problem| format!("`cert` cannot be used: {problem}"))?;
    // what the parser says of a key is not repeated
    let key = PrivateKeyDer::from_pem_slice(texts.key.as_bytes()).map_err(|_| "`key` holds no private key in PEM".to_owned())?;
    let expires = chain.first().and_then(|certificate| expiry::not_after(certificate.as_ref()));
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("TLS cannot be set up: {error}"))?;
    let builder = match &texts.client_ca {
        None => builder.with_no_client_auth(),
        Some(text) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(text)?), provider());
            // callers without a certificate may still show a token
            let verifier = verifier.allow_unauthenticated().build();
            builder.with_client_cert_verifier(verifier.map_err(|error| format!("`client_ca` cannot be used: {error}"))?)
        }
    };
    let mut config =
        builder.with_single_cert(chain, key).map_err(|error| format!("`cert` and `key` cannot be used together: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Loaded { config: Arc::new(config), expires, texts })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn roots(text: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(text).map_err(|problem| format!("`client_ca` cannot be used: {problem}"))? {
        roots.add(certificate).map_err(|error| format!("`client_ca` cannot be used: {error}"))?;
    }
    Ok(roots)
}

/// The certificates of a PEM text, at least one.
pub(super) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_slice_iter(text.as_bytes()).take(MOST_CERTIFICATES).collect::<Result<Vec<_>, _>>();
    let all = all.map_err(|error| error.to_string())?;
    if all.is_empty() { Err("no certificate in PEM in it".to_owned()) } else { Ok(all) }
}

/// A pair that can be replaced while it serves.
#[derive(Debug)]
pub(super) struct Current {
    tls: Tls,
    held: RwLock<Loaded>,
}

impl Current {
    pub(super) fn new(tls: &Tls, host: &Host) -> Result<Self, String> {
        Ok(Self { tls: tls.clone(), held: RwLock::new(load(tls, host)?) })
    }

    /// What new connections are served with.
    pub(super) fn loaded(&self) -> Loaded {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The client at the other end, by the certificate that it has shown.
    pub(super) fn client(&self, certificate: &CertificateDer<'_>) -> Client {
        Client::new(certificate, &self.tls.client_names)
    }

    /// Reads the files again: whether they were new. Err when they cannot be used: the old pair stays.
    pub(super) fn refresh(&self, host: &Host) -> Result<bool, String> {
        let texts = texts(&self.tls, host)?;
        if texts == self.loaded().texts {
            return Ok(false);
        }
        let loaded = made(texts)?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }
}
