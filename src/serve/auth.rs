//! Who may ask: the bearer token of the configuration, a client certificate, or, without a token, whoever is on this machine.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use super::client::Client;
use super::context::Context;
use super::http::{Peer, error};
use crate::limits::KIB;

/// Bytes of a file with a token.
const MOST_TOKEN_BYTES: u64 = 64 * KIB;

/// What a client is told whose certificate is of the right authority and has none of the right names.
pub(super) const NOT_LISTED: &str = "the client certificate has none of the names of `client_names`";

/// Lets the caller in, or is the answer to give.
pub async fn admit(context: &Context, peer: &Peer, headers: &HeaderMap) -> Result<(), Response<Body>> {
    if peer.client.is_some_and(Client::is_listed) {
        return Ok(());
    }
    let config = context.live.config();
    let Some(file) = config.server.token_file.clone() else {
        if peer.client.is_some() {
            return Err(not_listed());
        }
        if peer.listener.ip().is_loopback() {
            return Ok(());
        }
        let advice = "set `token_file` in [server], or `client_ca` in [server.tls]";
        return Err(error(StatusCode::FORBIDDEN, "no-token-configured", &format!("nobody may ask here: {advice}")));
    };
    let read = context.host.read;
    let token = tokio::task::spawn_blocking(move || read(&file, MOST_TOKEN_BYTES)).await;
    let Ok(Ok(token)) = token else {
        tracing::error!("the token cannot be read: nobody is let in");
        return Err(error(StatusCode::SERVICE_UNAVAILABLE, "token-unreadable", "the server cannot read its token; see its log"));
    };
    let token = token.trim();
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    if !token.is_empty() && shown.is_some_and(|shown| is_same(shown, token)) {
        return Ok(());
    }
    if peer.client.is_some() {
        return Err(not_listed());
    }
    let mut refused = error(StatusCode::UNAUTHORIZED, "unauthorized", "send the header `Authorization: Bearer TOKEN`");
    refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    Err(refused)
}

fn not_listed() -> Response<Body> {
    error(StatusCode::FORBIDDEN, "client-not-listed", NOT_LISTED)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether two tokens are the same, in a time that tells nothing of where they differ: their digests are compared, all of them.
#[must_use]
pub fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (Sha256::digest(a.as_bytes()), Sha256::digest(b.as_bytes()));
    a.iter().zip(b.iter()).fold(0_u8, |differing, (a, b)| differing | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_same_or_they_are_not() {
        assert!(is_same("abc", "abc") && is_same("", ""));
        for (a, b) in [("abc", "abd"), ("abc", "ab"), ("abc", ""), ("abc", "ABC")] {
            assert!(!is_same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_bearer_token_is_behind_its_scheme() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for bad in ["abc", "Basic abc", "Bearerabc", ""] {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }
}
