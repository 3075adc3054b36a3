//! What a failed request is called: one code for each thing that a user can do something about.

use std::io;

use super::access::Secret;
use super::reach::OutOfBounds;
use super::retry::{Again, Failure};
use crate::oci::{Code, Place, escape_text};
use crate::source::Error;

/// Characters of what a registry says that are repeated.
const MAX_SAID: usize = 300;

/// An error about a registry.
pub(super) fn error(code: Code, host: &str, detail: String, advice: String) -> Error {
    Error::Registry { code, place: Place::document(host), detail, advice }
}

/// An answer that no registry gives.
pub(super) fn nonsense(host: &str, detail: impl std::fmt::Display) -> Failure {
    Failure::lasting(error(Code::RegistryError, host, format!("{host} {detail}"), String::new()))
}

/// Nobody, or not who was needed.
pub(super) fn unauthorized(host: &str, said: Option<&str>, told: &str) -> Failure {
    let said = said.map(|said| format!(" ({said})")).unwrap_or_default();
    let detail = format!("{host} does not let this image be read{said}; who asked: {told}");
    let advice = format!("type `docker login {host}`, or set PLIMSOLL_REGISTRY_USERNAME and PLIMSOLL_REGISTRY_PASSWORD");
    Failure::lasting(error(Code::RegistryUnauthorized, host, detail, advice))
}

/// What a status other than success means; `what` was asked for.
pub(super) fn of_status(host: &str, what: &str, status: u16, said: Option<&str>, told: &str, again: Again) -> Failure {
    let words = said.map(|said| format!(": {said}")).unwrap_or_default();
    match status {
        401 | 403 => unauthorized(host, said, told),
        404 => {
            let detail = format!("{host} has no {what}{words}");
            let advice = if told.is_empty() { "" } else { "registries also say so of images that one may not see" };
            Failure::lasting(error(Code::RegistryNotFound, host, detail, advice.to_owned()))
        }
        _ => {
            let error = error(
                Code::RegistryError,
                host,
                format!("{host} answers {status} to the request for {what}{words}"),
                String::new(),
            );
            Failure { error, again }
        }
    }
}

/// The first error that a registry states in its JSON (distribution-spec, "Error Codes"), escaped and cut.
pub(super) fn said(body: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let first = value.get("errors").and_then(|errors| errors.get(0)).unwrap_or(&value);
    let field = |name: &str| first.get(name).and_then(serde_json::Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let text = match (field("code").or(field("error")), field("message").or(field("details")).or(field("error_description"))) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => return None,
    };
    Some(escape_text(&text).chars().take(MAX_SAID).collect())
}

/// The same, unless it repeats what must not be shown.
pub(super) fn said_without(body: &[u8], secret: Option<&Secret>) -> Option<String> {
    let holds =
        |said: &String| secret.is_some_and(|secret| secret.reveal().split(' ').any(|word| word.len() > 3 && said.contains(word)));
    said(body).filter(|said| !holds(said))
}

/// What a request that got no answer met.
pub(super) fn of_transport(host: &str, is_https: bool, error: &ureq::Error) -> Failure {
    let unreachable = |reason: String, advice: String, again| {
        let detail = format!("{host} cannot be reached: {reason}");
        Failure { error: self::error(Code::RegistryUnreachable, host, detail, advice), again }
    };
    match error {
        ureq::Error::Io(cause) => of_io(host, is_https, cause, &unreachable),
        ureq::Error::Rustls(cause) => of_tls(host, cause, &unreachable),
        ureq::Error::Timeout(_) => unreachable("it does not answer in time".to_owned(), String::new(), Again::Soon),
        ureq::Error::HostNotFound => unreachable("there is no host of that name".to_owned(), String::new(), Again::Soon),
        ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => unreachable(
            "the proxy that the environment names refuses".to_owned(),
            "see HTTPS_PROXY and NO_PROXY".to_owned(),
            Again::Never,
        ),
        ureq::Error::ConnectionFailed => unreachable("the connection failed".to_owned(), String::new(), Again::Soon),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) | ureq::Error::Http(_) => {
            nonsense(host, "does not answer with HTTP that can be read")
        }
        _ => nonsense(host, "could not be asked"),
    }
}

fn of_io(host: &str, is_https: bool, cause: &io::Error, unreachable: &dyn Fn(String, String, Again) -> Failure) -> Failure {
    let inner = cause.get_ref();
    if let Some(reason) = inner.and_then(|inner| inner.downcast_ref::<OutOfBounds>()) {
        return unreachable(reason.to_string(), String::new(), Again::Never);
    }
    if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return of_tls(host, tls, unreachable);
    }
    let text: String = escape_text(&cause.to_string()).chars().take(MAX_SAID).collect();
    let advice = if is_https && cause.kind() == io::ErrorKind::UnexpectedEof { plain_advice(host) } else { String::new() };
    unreachable(text, advice, Again::Soon)
}

fn plain_advice(host: &str) -> String {
    format!("if it speaks plain HTTP, add --plain-http {host}")
}

fn of_tls(host: &str, cause: &rustls::Error, unreachable: &dyn Fn(String, String, Again) -> Failure) -> Failure {
    match cause {
        rustls::Error::InvalidCertificate(reason) => {
            let reason: String =
                escape_text(&format!("its certificate is not trusted ({reason})")).chars().take(MAX_SAID).collect();
            let advice = "if it has a certificate authority of its own, give the authority's PEM file with --registry-ca FILE";
            unreachable(reason, advice.to_owned(), Again::Never)
        }
        rustls::Error::InvalidMessage(_) => unreachable("it does not speak TLS".to_owned(), plain_advice(host), Again::Never),
        _ => unreachable("TLS failed".to_owned(), String::new(), Again::Soon),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_of_a_registry_is_repeated_escaped_and_cut() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no \u001b[2J\u202e way","detail":{}},{"code":"X"}]}"#;
        assert_eq!(said(body).unwrap(), "DENIED: no \\x1b[2J\\xe2\\x80\\xae way");
        assert_eq!(said(br#"{"details":"incorrect username or password"}"#).unwrap(), "incorrect username or password");
        let long = format!(r#"{{"errors":[{{"message":"{}"}}]}}"#, "a".repeat(5_000));
        assert_eq!(said(long.as_bytes()).unwrap().len(), MAX_SAID);
        for body in ["", "<html>", "[]", "{}", r#"{"errors":[]}"#, r#"{"errors":[{"code":1}]}"#, r#"{"errors":"x"}"#] {
            assert_eq!(said(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_registry_that_repeats_a_secret_is_not_quoted() {
        let secret = Secret::new("Basic aHVudGVyMg==".to_owned());
        let body = br#"{"errors":[{"code":"X","message":"bad header aHVudGVyMg=="}]}"#;
        assert_eq!(said_without(body, Some(&secret)), None);
        assert!(said_without(body, None).is_some());
    }
}
