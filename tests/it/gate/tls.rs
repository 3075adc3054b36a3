//! TLS and HTTP/2 before the gate, TLS behind it.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use super::stand_ins::{Scripted, body, say};
use super::*;

/// Writes an authority's certificate, and pairs that it signed: for 127.0.0.1, and `other` for somebody else.
fn certificates(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    std::fs::write(folder.join("ca.pem"), &ca).unwrap();
    for (start, name) in [("", "127.0.0.1"), ("other-", "other.example")] {
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap().pem();
        std::fs::write(folder.join(format!("{start}cert.pem")), cert).unwrap();
        std::fs::write(folder.join(format!("{start}key.pem")), key.serialize_pem()).unwrap();
    }
}

/// A client that trusts the authority of this folder and shows one of its pairs.
fn client(folder: &Path, shown: Option<&str>) -> ClientConfig {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&read("ca.pem")).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let Some(start) = shown else { return builder.with_no_client_auth() };
    let chain = vec![CertificateDer::from_pem_slice(&read(&format!("{start}cert.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&read(&format!("{start}key.pem"))).unwrap();
    builder.with_client_auth_cert(chain, key).unwrap()
}

/// A registry that tells what it was asked.
fn telling() -> Scripted {
    Scripted::start(|head, stream, after| {
        let length = body(head, stream, after).len();
        let host = head.to_lowercase().split("\r\nx-forwarded-host: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned();
        let told = format!("{} {length}\n{head}", head.lines().next().unwrap());
        let location = format!("Location: https://{host}/v2/a/blobs/uploads/u?x=y\r\n");
        say(stream, "201 Created", &location, told.as_bytes());
    })
}

fn before_with_tls(registry: &Scripted, folder: &Path) -> Gate {
    let shown = folder.display();
    Gate::with(&registry.host(), &format!("[gate.tls]\ncert = '{shown}/cert.pem'\nkey = '{shown}/key.pem'"), "")
}

#[test]
fn a_registry_over_tls_is_asked_when_its_authority_is_known_and_otherwise_not() {
    let (folder, registry) = (tempfile::tempdir().unwrap(), telling());
    certificates(folder.path());
    // a gate with TLS stands in for a registry with TLS
    let inner = before_with_tls(&registry, folder.path());
    let url = format!("https://{}", inner.address());
    let known = format!("[registries.'{}']\nca = '{}/ca.pem'", inner.address(), folder.path().display());
    let outer = Gate::with(&url, "", &known);
    let reply = outer.put("/v2/tls/good/manifests/1", OCI_MANIFEST, &image("tls"));
    assert_eq!(reply.status, 201, "{reply:?}");
    let told = reply.text().to_lowercase();
    // each gate adds what it saw, and what the client came by stays known
    assert!(told.contains("x-forwarded-proto: https") && told.matches("127.0.0.1").count() >= 2, "{told}");
    assert_eq!(reply.header("location"), Some(format!("http://{}/v2/a/blobs/uploads/u?x=y", outer.address()).as_str()));
    let blind = Gate::with(&url, "", "");
    let reply = blind.ask(
        "PUT",
        "/v2/tls/good/manifests/1",
        &[("Authorization", "Bearer x"), ("Content-Type", OCI_MANIFEST)],
        &image("tls"),
    );
    assert_eq!(reply.code(), (502, "UNAVAILABLE".into()));
}

#[test]
fn a_client_over_http_2_pushes_as_one_over_http_1() {
    let (folder, registry) = (tempfile::tempdir().unwrap(), telling());
    certificates(folder.path());
    let gate = before_with_tls(&registry, folder.path());
    let mut config = client(folder.path(), None);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let address = gate.address();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        for (repository, status) in [("two/good", 201), ("two/bad", 403)] {
            let request = axum::http::Request::put(format!("https://{address}/v2/{repository}/manifests/1"))
                .header("content-type", OCI_MANIFEST)
                .header("authorization", "Bearer x")
                .body(Body::from(image("two")))
                .unwrap();
            let answer = sender.send_request(request).await.unwrap();
            assert_eq!(answer.status(), status);
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let told = String::from_utf8_lossy(&body).to_lowercase();
            if status == 201 {
                for line in [
                    format!("x-forwarded-host: {address}"),
                    "x-forwarded-proto: https".into(),
                    format!("host: {}", registry.host()),
                ] {
                    assert!(told.contains(&format!("\r\n{line}\r\n")), "{line} {told}");
                }
            } else {
                assert!(told.contains("secret, root-user"), "{told}");
            }
        }
        let request =
            axum::http::Request::patch(format!("https://{address}/v2/a/blobs/uploads/u")).body(Body::from(vec![0; 3_000_000]));
        let answer = sender.send_request(request.unwrap()).await.unwrap();
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        assert_eq!(location, format!("https://{address}/v2/a/blobs/uploads/u?x=y"));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(body.starts_with(b"PATCH /v2/a/blobs/uploads/u HTTP/1.1 3000000\n"));
    });
}

#[test]
fn where_clients_have_certificates_only_those_with_a_listed_name_pass() {
    let (folder, registry) = (tempfile::tempdir().unwrap(), telling());
    certificates(folder.path());
    let shown = folder.path().display();
    let tls = |names: &str| {
        let files = format!("cert = '{shown}/cert.pem'\nkey = '{shown}/key.pem'\nclient_ca = '{shown}/ca.pem'");
        Gate::with(&registry.host(), &format!("[gate.tls]\n{files}\n{names}"), "")
    };
    let asked = |gate: &Gate, pair: Option<&str>| {
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut session = ClientConnection::new(Arc::new(client(folder.path(), pair)), name).unwrap();
        let mut socket = connected(gate.address());
        let mut stream = Stream::new(&mut session, &mut socket);
        let sent = head("GET", "/v2/a/blobs/uploads/u", &gate.address().to_string(), &[], None);
        stream.write_all(sent.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let reply = Reply::read(&answer).unwrap();
        (reply.status, if reply.status == 403 { reply.error().2 } else { String::new() })
    };
    let gate = tls("client_names = ['127.0.0.1', 'ci.example']");
    assert_eq!(asked(&gate, Some("")).0, 201);
    let other = asked(&gate, Some("other-"));
    assert_eq!(other, (403, "the client certificate has none of the names of `client_names`".into()));
    assert_eq!(asked(&gate, None), (403, "show a client certificate: the gate asks for one".into()));
    let all = tls("");
    assert_eq!([asked(&all, Some("")).0, asked(&all, Some("other-")).0, asked(&all, None).0], [201, 201, 403]);
}
