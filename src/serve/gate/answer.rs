//! What the gate itself says to clients: errors as the distribution-spec has them, the reason phrase, the warning.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::WARNING;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use hyper::ext::ReasonPhrase;

use crate::oci::escape_text;
use crate::serve::http::answer::later;
use crate::serve::http::json;
use crate::serve::request;

/// Bytes of a reason phrase: it is part of one line.
const PHRASE_BYTES: usize = 240;
/// Bytes of a `Warning`, with its name, as the distribution-spec has it.
const WARNING_BYTES: usize = 4096;

/// A request that is refused for what it is, whatever any policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// Of the distribution-spec, "Error Codes".
    pub(super) code: &'static str,
    /// One sentence.
    pub(super) message: String,
}

impl Refusal {
    /// There is nothing here.
    pub(super) fn no_endpoint(message: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "UNSUPPORTED", message: message.to_owned() }
    }

    /// The request is not in order.
    pub(super) fn malformed(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    /// The path does not take this method.
    pub(super) fn method() -> Self {
        let message = "the distribution API has no such method here".to_owned();
        Self { status: StatusCode::METHOD_NOT_ALLOWED, code: "UNSUPPORTED", message }
    }

    /// Who asks may not.
    pub(super) fn client(message: &str) -> Self {
        Self { status: StatusCode::FORBIDDEN, code: "DENIED", message: message.to_owned() }
    }

    /// Who asks has too many requests already.
    pub(super) fn crowd() -> Self {
        let message = "too many requests of this client at once".to_owned();
        Self { status: StatusCode::TOO_MANY_REQUESTS, code: "TOOMANYREQUESTS", message }
    }

    /// It cannot be answered now.
    pub(super) fn unready(message: &str) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, code: "UNAVAILABLE", message: message.to_owned() }
    }

    /// The body has more bytes than it may have.
    pub(super) fn too_long() -> Self {
        let message = "a manifest may have 4 MiB".to_owned();
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, code: "SIZE_INVALID", message }
    }

    /// The answer.
    pub(super) fn answer(&self) -> Response<Body> {
        error(self.status, self.code, &self.message)
    }
}

/// `{"errors": [{"code", "message", "detail"}]}`.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let detail = serde_json::json!({ "request": request::id() });
    let errors = serde_json::json!({ "errors": [{ "code": code, "message": message, "detail": detail }] });
    let mut response = json(status, &errors);
    response
        .headers_mut()
        .insert(HeaderName::from_static("docker-distribution-api-version"), HeaderValue::from_static("registry/2.0"));
    response
}

/// 403: the image is refused.
pub(super) fn denied(message: &str, has_reason_phrase: bool) -> Response<Body> {
    let mut response = error(StatusCode::FORBIDDEN, "DENIED", message);
    if has_reason_phrase && let Ok(phrase) = ReasonPhrase::try_from(phrase(message)) {
        response.extensions_mut().insert(phrase);
    }
    response
}

/// 503: the client is to come again.
pub(super) fn not_now(message: &str, after: Duration) -> Response<Body> {
    later(error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message), after)
}

/// 502: the registry behind the gate does not answer as it should.
pub(super) fn no_upstream(message: &str) -> Response<Body> {
    error(StatusCode::BAD_GATEWAY, "UNAVAILABLE", message)
}

fn phrase(message: &str) -> Vec<u8> {
    let text = format!("Forbidden: {}", escape_text(message));
    let plain = |byte: u8| if byte.is_ascii_graphic() || byte == b' ' { byte } else { b'?' };
    text.bytes().take(PHRASE_BYTES).map(plain).collect()
}

/// Adds `Warning: 299 - "text"` to what the registry answered.
pub(super) fn warn(headers: &mut HeaderMap, message: &str) {
    if let Ok(value) = HeaderValue::try_from(warning(message)) {
        headers.append(WARNING, value);
    }
}

fn warning(message: &str) -> String {
    const START: &str = "299 - \"";
    // with `Warning: ` before, and the closing quote
    let most = WARNING_BYTES.saturating_sub("Warning: ".len()).saturating_sub(START.len()).saturating_sub(1);
    let mut quoted = String::new();
    for character in escape_text(message).chars() {
        let piece = match character {
            '"' | '\\' => format!("\\{character}"),
            ' '..='~' => character.to_string(),
            _ => "?".to_owned(),
        };
        if quoted.len().saturating_add(piece.len()) > most {
            break;
        }
        quoted.push_str(&piece);
    }
    format!("{START}{quoted}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_phrase_is_one_bounded_line_of_ascii() {
        let text = String::from_utf8(phrase("a\r\nSet-Cookie: x\u{e9}\0")).unwrap();
        assert_eq!(text, "Forbidden: a\\x0d\\x0aSet-Cookie: x??\\x00");
        assert_eq!(phrase(&"x".repeat(9_000)).len(), 240);
        assert!(ReasonPhrase::try_from(phrase(&(0..=0x2ff).filter_map(char::from_u32).collect::<String>())).is_ok());
    }

    #[test]
    fn a_warning_is_a_quoted_string_of_at_most_4096_bytes() {
        assert_eq!(warning("say \"no\""), "299 - \"say \\\"no\\\"\"");
        assert_eq!(warning("a\nb"), "299 - \"a\\\\x0ab\"");
        for message in ["x".repeat(9_000), "\"".repeat(9_000), "\u{4e2d}".repeat(3_000), "\\".repeat(4_030)] {
            let value = warning(&message);
            assert!(format!("Warning: {value}").len() <= 4096 && value.ends_with('"'));
            let inner = value.strip_prefix("299 - \"").unwrap().strip_suffix('"').unwrap();
            // every quote and backslash inside is escaped by a backslash of its own
            let mut characters = inner.chars();
            while let Some(character) = characters.next() {
                assert_ne!(character, '"');
                assert!(character != '\\' || matches!(characters.next(), Some('"' | '\\')));
            }
            assert!(HeaderValue::try_from(value).is_ok());
        }
    }

    #[test]
    fn only_a_denial_that_may_has_a_phrase_of_its_own() {
        assert!(denied("no", true).extensions().get::<ReasonPhrase>().is_some());
        assert!(denied("no", false).extensions().get::<ReasonPhrase>().is_none());
    }
}
