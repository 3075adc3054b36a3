//! Formats that are more than a start and a run of one alphabet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Span;
use super::alphabet::{alphanumeric, base64, entropy, is_plausible, is_start, lower_hex, run, upper_or_digit, url_safe};
use super::formats::Hit;
use super::kind::Kind;

/// Bytes on either side of an access key's identifier in which its secret is looked for.
const PAIRED: usize = 512;
/// Bytes after a vendor's name in which its key is looked for.
const BESIDE: usize = 120;
/// Bytes of each part of a JSON web token.
const JWT_PART: usize = 8 * 1024;
/// Claims of the samples of jwt.io, of RFC 7519 and of libraries, which documents and tests are full of.
const JWT_SAMPLES: [&[u8]; 6] = [b"1234567890", b"John Doe", b"\"joe\"", b"example", b"\"test", b"{\"some\":\"payload\"}"];

/// An access key's identifier, when its secret is near: the identifier alone opens nothing.
pub(super) fn aws(text: &[u8], start: Span) -> Option<Hit> {
    let rest = run(text, start.end, upper_or_digit, 16);
    if rest.len() != 16 || !is_start(text, start.start) || text.get(rest.end).is_some_and(|byte| url_safe(*byte)) {
        return None;
    }
    let id = text.get(start.start..rest.end)?;
    if !is_plausible(id) {
        return None;
    }
    let before = start.start.saturating_sub(PAIRED)..start.start;
    let after = rest.end..rest.end.saturating_add(PAIRED).min(text.len());
    // the secret follows its identifier nearly everywhere
    aws_secret(text, after).or_else(|| aws_secret(text, before))?;
    Some(Hit::new(Kind::AwsKey, start.start..rest.end))
}

/// Forty characters of base64: of any kind where the name before them says secret, else of all kinds mixed.
fn aws_secret(text: &[u8], within: Span) -> Option<Span> {
    let mut at = within.start;
    while at < within.end {
        let found = run(text, at, base64, PAIRED);
        if found.len() == 40 && text.get(found.end).is_none_or(|byte| !matches!(byte, b'=' | b'_' | b'-')) {
            let value = text.get(found.clone())?;
            let line = text.get(within.start..found.start)?;
            let line = line.rsplit(|byte| *byte == b'\n').next().unwrap_or_default().to_ascii_lowercase();
            let is_named = memchr::memmem::find(&line, b"secret").is_some();
            let has = |test: fn(&u8) -> bool| value.iter().any(test);
            let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
            if is_plausible(value) && (is_named || (is_mixed && entropy(value) > 4.2)) {
                return Some(found);
            }
        }
        at = found.end.saturating_add(1);
    }
    None
}

pub(super) fn azure_storage(text: &[u8], start: Span) -> Option<Hit> {
    padded(text, start, 86, b"==").map(|range| Hit::new(Kind::AzureStorageKey, range))
}

pub(super) fn azure_shared(text: &[u8], start: Span) -> Option<Hit> {
    padded(text, start, 43, b"=").map(|range| Hit::new(Kind::AzureSharedKey, range))
}

fn padded(text: &[u8], start: Span, length: usize, padding: &[u8]) -> Option<Span> {
    let found = run(text, start.end, base64, length);
    let is_whole = found.len() == length && text.get(found.end..)?.starts_with(padding);
    (is_whole && is_plausible(text.get(found.clone())?)).then(|| found.start..found.end.saturating_add(padding.len()))
}

/// Three characters, a digit and `Q~`, then 31 to 34 more.
pub(super) fn azure_client(text: &[u8], start: Span) -> Option<Hit> {
    let set = |byte: u8| url_safe(byte) || matches!(byte, b'.' | b'~');
    let first = start.start.checked_sub(3)?;
    let rest = run(text, start.end, set, 34);
    let is_edge = first.checked_sub(1).and_then(|at| text.get(at)).is_none_or(|byte| !set(*byte));
    let is_whole = text.get(first..start.start)?.iter().all(|byte| set(*byte)) && (31..=34).contains(&rest.len());
    (is_edge && is_whole && is_plausible(text.get(rest.clone())?)).then(|| Hit::new(Kind::AzureClientSecret, first..rest.end))
}

/// Twenty characters, or a routable token: its payload, and after a dot its length and checksum.
pub(super) fn gitlab(text: &[u8], start: Span) -> Option<Hit> {
    let payload = run(text, start.end, url_safe, 300);
    let is_old = payload.len() == 20 || (start.len() > 6 && payload.len() == 64);
    let end = if text.get(payload.end) == Some(&b'.') && (27..=300).contains(&payload.len()) {
        let check = run(text, payload.end.saturating_add(1), url_safe, 9);
        (check.len() == 9).then_some(check.end)?
    } else {
        is_old.then_some(payload.end)?
    };
    (is_start(text, start.start) && is_plausible(text.get(payload)?)).then(|| Hit::new(Kind::GitlabToken, start.start..end))
}

/// Numbers and a secret, with hyphens between: `xoxb-NUMBER-NUMBER-SECRET`.
pub(super) fn slack(text: &[u8], start: Span) -> Option<Hit> {
    let all = run(text, start.end, |byte| byte.is_ascii_alphanumeric() || byte == b'-', 250);
    let value = text.get(all.clone())?;
    let mut parts = value.split(|byte| *byte == b'-');
    let is_number = |part: &[u8]| (9..=15).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    let is_numbered = parts.next().is_some_and(is_number);
    let is_secret = parts.next_back().is_some_and(|part| part.len() >= 16 && is_plausible(part) && !is_number(part));
    (is_start(text, start.start) && is_numbered && is_secret).then(|| Hit::new(Kind::SlackToken, start.start..all.end))
}

/// `T.../B.../SECRET`.
pub(super) fn slack_webhook(text: &[u8], start: Span) -> Option<Hit> {
    let all = run(text, start.end, |byte| byte.is_ascii_alphanumeric() || byte == b'/', 80);
    let value = text.get(all.clone())?;
    let mut parts = value.split(|byte| *byte == b'/');
    let is_id = |part: &[u8], first: u8| part.len() >= 9 && part.first() == Some(&first);
    let is_whole = parts.next().is_some_and(|part| is_id(part, b'T'))
        && parts.next().is_some_and(|part| is_id(part, b'B'))
        && parts.next().is_some_and(|part| part.len() == 24 && is_plausible(part));
    is_whole.then(|| Hit::new(Kind::SlackWebhook, all))
}

/// A token whose header names an algorithm and whose signature is as long as that makes it (RFC 7515, 7518).
pub(super) fn jwt(text: &[u8], start: Span) -> Option<Hit> {
    if !is_start(text, start.start) {
        return None;
    }
    let header = run(text, start.start, url_safe, JWT_PART);
    let payload = run(text, next_part(text, &header)?, url_safe, JWT_PART);
    let signature = run(text, next_part(text, &payload)?, url_safe, JWT_PART);
    let bytes = |part: &Span| URL_SAFE_NO_PAD.decode(text.get(part.clone())?).ok();
    let header: serde_json::Value = serde_json::from_slice(&bytes(&header)?).ok()?;
    let claims = bytes(&payload)?;
    let parsed: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    let length = bytes(&signature)?.len();
    let is_real = match header.get("alg")?.as_str()? {
        "HS256" => length == 32,
        "HS384" => length == 48,
        "HS512" | "ES256" | "ES256K" | "EdDSA" | "Ed25519" => length == 64,
        "ES384" => length == 96,
        "ES512" => length == 132,
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => (128..=1_024).contains(&length),
        _ => false,
    };
    let is_sample = JWT_SAMPLES.iter().any(|sample| memchr::memmem::find(&claims, sample).is_some());
    let is_token = is_real && !is_sample && parsed.as_object().is_some_and(|claims| !claims.is_empty());
    is_token.then(|| Hit::new(Kind::Jwt, start.start..signature.end))
}

fn next_part(text: &[u8], part: &Span) -> Option<usize> {
    (text.get(part.end) == Some(&b'.')).then(|| part.end.saturating_add(1))
}

/// `SK` and 32 digits of hex on the line of the name.
pub(super) fn twilio(text: &[u8], start: Span) -> Option<Hit> {
    let end = start.end.saturating_add(BESIDE).min(text.len());
    let line = text.get(start.end..end)?.split(|byte| *byte == b'\n').next()?;
    memchr::memmem::find_iter(line, b"SK").find_map(|at| {
        let at = start.end.saturating_add(at);
        let digits = run(text, at.saturating_add(2), lower_hex, 32);
        let is_key = digits.len() == 32 && is_start(text, at) && is_plausible(text.get(digits.clone())?);
        let is_edge = text.get(digits.end).is_none_or(|byte| !url_safe(*byte));
        (is_key && is_edge).then(|| Hit::new(Kind::TwilioKey, at..digits.end))
    })
}

/// The mark in the middle of a key that begins with `sk-`.
pub(super) fn openai(text: &[u8], start: Span) -> Option<Hit> {
    let before = text.get(start.start.saturating_sub(120)..start.start)?;
    let length = before.iter().rev().take_while(|byte| url_safe(**byte)).count();
    let first = start.start.saturating_sub(length);
    let rest = run(text, start.end, url_safe, 120);
    let value = text.get(first..rest.end)?;
    let is_key = value.starts_with(b"sk-") && length >= 23 && (20..=120).contains(&rest.len()) && is_plausible(value);
    is_key.then(|| Hit::new(Kind::OpenaiKey, first..rest.end))
}

/// Fourteen characters before the mark, sixty or more after it.
pub(super) fn terraform(text: &[u8], start: Span) -> Option<Hit> {
    let first = start.start.checked_sub(14)?;
    let is_whole = text.get(first..start.start)?.iter().all(|byte| alphanumeric(*byte)) && is_start(text, first);
    let rest = run(text, start.end, url_safe, 80);
    (is_whole && (60..=80).contains(&rest.len()) && is_plausible(text.get(rest.clone())?))
        .then(|| Hit::new(Kind::TerraformToken, first..rest.end))
}

pub(super) fn atlassian(byte: u8) -> bool {
    url_safe(byte) || byte == b'='
}

pub(super) fn doppler(text: &[u8], start: Span) -> Option<Hit> {
    let rest = run(text, start.end, alphanumeric, 44);
    ((40..=44).contains(&rest.len()) && is_start(text, start.start) && is_plausible(text.get(rest.clone())?))
        .then(|| Hit::new(Kind::DopplerToken, start.start..rest.end))
}

/// Eight to ten digits before the colon, and 35 characters that begin with `AA` after it.
pub(super) fn telegram(text: &[u8], start: Span) -> Option<Hit> {
    let before = text.get(start.start.saturating_sub(11)..start.start)?;
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let first = start.start.saturating_sub(digits);
    let rest = run(text, start.end, url_safe, 33);
    let is_bot = is_start(text, first) || text.get(first.saturating_sub(3)..first) == Some(b"bot");
    ((8..=10).contains(&digits) && is_bot && rest.len() == 33 && is_plausible(text.get(rest.clone())?))
        .then(|| Hit::new(Kind::TelegramToken, first..rest.end))
}

/// A key file of PuTTY, with its private lines.
pub(super) fn putty(text: &[u8], start: Span) -> Option<Hit> {
    const MOST: usize = 16 * 1024;
    let end = start.start.saturating_add(MOST).min(text.len());
    let file = text.get(start.start..end)?;
    let lines = memchr::memmem::find(file, b"Private-Lines: ")?;
    let is_first = start.start == 0 || text.get(start.start.saturating_sub(1)) == Some(&b'\n');
    let is_encrypted = memchr::memmem::find(file, b"Encryption: none").is_none();
    let end = start.start.saturating_add(lines);
    is_first.then(|| Hit { is_encrypted, ..Hit::new(Kind::PuttyKey, start.start..end) })
}
