//! Certificates: swapped while requests run, kept while new ones are wrong; clients that show their own.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use super::{REGISTRY, Reply, Running, START, connected, question, rest, until};

/// An authority of one test.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key in PEM.
struct Pair {
    cert: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn signs(&self, name: &str) -> Pair {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { cert, key: key.serialize_pem() }
    }

    /// A client that trusts this authority, and shows this certificate.
    fn client(&self, shown: Option<&Pair>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        Arc::new(match shown {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let chain = vec![CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap()).unwrap()
            }
        })
    }
}

/// Asks over TLS; the answer, and the certificate that was shown.
fn ask(address: SocketAddr, client: &Arc<ClientConfig>, sent: &str) -> Option<(Reply, Vec<u8>)> {
    let name = ServerName::try_from("plimsoll.example").unwrap();
    let mut session = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut socket = connected(address);
    let mut stream = Stream::new(&mut session, &mut socket);
    stream.write_all(sent.as_bytes()).ok()?;
    let mut answer = vec![0; 1];
    stream.read_exact(&mut answer).ok()?;
    answer.extend(rest(&mut stream));
    let shown = session.peer_certificates()?.first()?.to_vec();
    Some((Reply::read(&answer), shown))
}

fn der(pem: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

fn good() -> String {
    question(r#"{"image": "registry.example/good:1", "wait_ms": 60000}"#, "")
}

fn serving(pair: &Pair, more: &str, files: &[(&str, &str)]) -> Running {
    let text = format!("{START}{more}{REGISTRY}");
    let files = [&[("tls.crt", pair.cert.as_str()), ("tls.key", pair.key.as_str())], files].concat();
    Running::with(&text, &files)
}

const TLS: &str = "[server.tls]\ncert = 'tls.crt'\nkey = 'tls.key'\n";

#[test]
fn a_certificate_is_swapped_under_load_and_a_wrong_one_changes_nothing() {
    let authority = Authority::new();
    let (old, new) = (authority.signs("plimsoll.example"), authority.signs("plimsoll.example"));
    let server = serving(&old, TLS, &[]);
    let (at, client) = (server.at.api, authority.client(None));
    let is_done = AtomicBool::new(false);
    let shown = || ask(at, &client, &good()).unwrap().1;
    thread::scope(|scope| {
        let load = || {
            while !is_done.load(Ordering::SeqCst) {
                assert_eq!(ask(at, &client, &good()).unwrap().0.status, 200);
            }
        };
        let loads = [scope.spawn(load), scope.spawn(load)];
        assert_eq!(shown(), der(&old.cert));
        // the pair is written one file after the other, as mounts do: the moment between is no outage
        std::fs::write(server.file("tls.crt"), &new.cert).unwrap();
        server.again.notify_one();
        thread::sleep(Duration::from_millis(300));
        assert_eq!(shown(), der(&old.cert));
        std::fs::write(server.file("tls.key"), &new.key).unwrap();
        server.again.notify_one();
        until("the new certificate", || (shown() == der(&new.cert)).then_some(()));
        for broken in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            std::fs::write(server.file("tls.crt"), broken).unwrap();
            server.again.notify_one();
            thread::sleep(Duration::from_millis(300));
            assert_eq!(shown(), der(&new.cert));
        }
        is_done.store(true, Ordering::SeqCst);
        for load in loads {
            load.join().unwrap();
        }
    });
    let page = server.metrics();
    assert!(page.contains("plimsoll_cert_reload_total{result=\"ok\"} 1"), "{page}");
    assert!(page.contains("plimsoll_cert_expiry_seconds{listener=\"api\"} 67"), "{page}");
}

#[test]
fn a_client_certificate_does_for_a_token_and_only_of_the_right_authority() {
    let (authority, other) = (Authority::new(), Authority::new());
    let pair = authority.signs("plimsoll.example");
    let more = format!("token_file = 'token'\n{TLS}client_ca = 'ca.crt'\n");
    let server = serving(&pair, &more, &[("ca.crt", &authority.pem), ("token", "0123456789abcdef")]);
    let status = |shown: Option<&Pair>, header: &str| {
        let sent = good().replacen("\r\n", &format!("\r\n{header}"), 1);
        ask(server.at.api, &authority.client(shown), &sent).map(|(reply, _)| reply.status)
    };
    assert_eq!(status(None, ""), Some(401));
    assert_eq!(status(None, "Authorization: Bearer 0123456789abcdef\r\n"), Some(200));
    assert_eq!(status(Some(&authority.signs("ci.example")), ""), Some(200));
    assert_eq!(status(Some(&other.signs("ci.example")), ""), None);
}

#[test]
fn only_a_certificate_with_a_listed_name_does_for_a_token() {
    let authority = Authority::new();
    let pair = authority.signs("plimsoll.example");
    let tls = format!("{TLS}client_ca = 'ca.crt'\nclient_names = ['ci.example', '192.0.2.7']\n");
    let files = [("ca.crt", authority.pem.as_str()), ("token", "0123456789abcdef")];
    for (more, without) in [(String::new(), 200), ("token_file = 'token'\n".to_owned(), 401)] {
        let server = serving(&pair, &format!("{more}{tls}"), &files);
        let asked = |shown: Option<&Pair>, header: &str| {
            let sent = good().replacen("\r\n", &format!("\r\n{header}"), 1);
            ask(server.at.api, &authority.client(shown), &sent).unwrap().0
        };
        for (name, status) in [("ci.example", 200), ("192.0.2.7", 200), ("other.example", 403), ("ci.example.org", 403)] {
            let reply = asked(Some(&authority.signs(name)), "");
            assert_eq!(reply.status, status, "{name} {reply:?}");
            assert!(status == 200 || reply.code().1 == "client-not-listed", "{reply:?}");
        }
        // on loopback, without a token, who shows nothing is let in as ever
        assert_eq!(asked(None, "").status, without);
        let token = "Authorization: Bearer 0123456789abcdef\r\n";
        let both = asked(Some(&authority.signs("other.example")), token).status;
        assert_eq!(both, if without == 401 { 200 } else { 403 }, "a token does for a certificate");
    }
}

#[test]
fn an_address_that_others_reach_answers_nobody_without_token_or_certificate() {
    let authority = Authority::new();
    let pair = authority.signs("plimsoll.example");
    let text = format!("{START}{TLS}{REGISTRY}").replacen("127.0.0.1:0", "0.0.0.0:0", 1);
    let server = Running::with(&text, &[("tls.crt", &pair.cert), ("tls.key", &pair.key)]);
    let at = SocketAddr::from(([127, 0, 0, 1], server.at.api.port()));
    let (reply, _) = ask(at, &authority.client(None), &good()).unwrap();
    assert_eq!(reply.code(), (403, "no-token-configured".into()));
}

#[test]
fn plain_http_and_nonsense_on_a_listener_with_tls_are_no_requests() {
    let authority = Authority::new();
    let server = serving(&authority.signs("plimsoll.example"), TLS, &[]);
    for sent in [good().as_bytes(), b"\x16\x03\x01\xff\xff".as_slice(), b"\0".as_slice()] {
        let mut stream = connected(server.at.api);
        let _ = stream.write_all(sent);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let answer = rest(&mut stream);
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    assert_eq!(ask(server.at.api, &authority.client(None), &good()).unwrap().0.status, 200);
}

#[test]
fn many_requests_share_one_connection_of_http_2() {
    use http_body_util::{BodyExt as _, Full};
    use hyper::Request;
    use hyper::body::Bytes;
    use hyper::client::conn::http2;
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let authority = Authority::new();
    let server = serving(&authority.signs("plimsoll.example"), TLS, &[]);
    let mut client = authority.client(None).as_ref().clone();
    client.alpn_protocols = vec![b"h2".to_vec()];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(server.at.api).await.unwrap();
        let name = ServerName::try_from("plimsoll.example").unwrap();
        let stream = tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, socket).await.unwrap();
        let executor = TokioExecutor::new();
        let (sender, connection) = http2::handshake::<_, _, Full<Bytes>>(executor, TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let mut sender = sender.clone();
            asked.spawn(async move {
                let body = r#"{"image": "registry.example/slow:1", "wait_ms": 60000}"#;
                let request = Request::post("https://plimsoll.example/v1/verify").body(Full::from(body)).unwrap();
                let response = sender.send_request(request).await.unwrap();
                let status = response.status().as_u16();
                (status, response.into_body().collect().await.unwrap().to_bytes())
            });
        }
        for (status, body) in asked.join_all().await {
            assert_eq!(status, 200, "{body:?}");
        }
    });
}
