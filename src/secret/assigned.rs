//! Where a line of shell, of a Dockerfile or of a configuration gives a value to a name that says that it is a secret.

use super::Span;
use super::names::is_masked_name;

/// A value, and what names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The name; None for the password in a URL.
    pub name: Option<Span>,
    /// The value, without its quotes.
    pub value: Span,
}

/// What may follow `scheme://`, as far as it is read: `user:password`.
#[derive(Debug, Clone, Copy, Default)]
struct Authority {
    /// Where the colon behind the user stands.
    colon: Option<usize>,
}

/// Values that are given to names of secrets by `=`, `:` or as `--name value`, and passwords in URLs; in order, without overlaps.
/// Takes time in proportion to the text.
#[must_use]
pub fn assigned(text: &str) -> Vec<Assigned> {
    let mut found: Vec<Assigned> = Vec::new();
    let mut authority: Option<Authority> = None;
    let mut at = 0;
    while let Some(sign_at) = text.get(at..).and_then(|rest| rest.find(['=', ':', '@'])).map(|found| at.saturating_add(found)) {
        let sign = text.get(sign_at..).and_then(|rest| rest.chars().next()).unwrap_or('=');
        authority = authority.filter(|_| !text.get(at..sign_at).unwrap_or_default().contains(ends_authority));
        at = sign_at.saturating_add(1);
        let rest = text.get(at..).unwrap_or_default();
        if sign == ':' && rest.starts_with("//") {
            at = at.saturating_add(2);
            authority = Some(Authority::default());
            continue;
        }
        match (sign, authority) {
            ('@', Some(Authority { colon: Some(colon) })) => {
                let value = colon.saturating_add(1)..sign_at;
                while found.last().is_some_and(|last| last.value.start >= value.start) {
                    found.pop();
                }
                found.push(Assigned { name: None, value });
                continue;
            }
            (':', Some(Authority { colon: None })) => authority = Some(Authority { colon: Some(sign_at) }),
            _ => {}
        }
        if sign == '@' || rest.starts_with("//") {
            continue;
        }
        let name = name_before(text, sign_at);
        if is_masked_name(text.get(name.clone()).unwrap_or_default()) {
            let value = value_after(text, at, sign == ':');
            authority = authority.filter(|_| !text.get(sign_at..value.start).unwrap_or_default().contains(ends_authority));
            at = value.end;
            // a variable's name is no secret
            if !value.is_empty() && !text.get(value.clone()).unwrap_or_default().starts_with('$') {
                found.push(Assigned { name: Some(name), value });
            }
        }
    }
    with_options(text, found)
}

fn ends_authority(c: char) -> bool {
    c.is_whitespace() || "/?#\"'".contains(c)
}

/// The word that ends at `end`.
fn name_before(text: &str, end: usize) -> Span {
    let before = text.get(..end).unwrap_or_default();
    // "name": of JSON
    let before = before.strip_suffix(['"', '\'']).unwrap_or(before);
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let start = before.char_indices().rev().take_while(|(_, c)| is_part(*c)).last().map_or(before.len(), |(at, _)| at);
    // of an option, without its hyphens
    let dashes = before.get(start..).unwrap_or_default().bytes().take_while(|byte| *byte == b'-').count();
    start.saturating_add(dashes)..before.len()
}

/// Up to the value's end: its closing quote, or white space, or a shell operator.
fn value_after(text: &str, at: usize, is_header: bool) -> Span {
    let rest = text.get(at..).unwrap_or_default();
    let value = rest.trim_start_matches(' ');
    let start = at.saturating_add(rest.len().saturating_sub(value.len()));
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let start = start.saturating_add(quote.map_or(0, char::len_utf8));
    let body = text.get(start..).unwrap_or_default();
    // a header's value goes on after a blank, to the quote that its name stands in
    let ends = |c: char| quote.map_or((c.is_whitespace() && !is_header) || ";&|\"'\n".contains(c), |quote| c == quote);
    start..start.saturating_add(body.find(ends).unwrap_or(body.len()))
}

/// Adds the words that follow `--password` and its like.
fn with_options(text: &str, mut found: Vec<Assigned>) -> Vec<Assigned> {
    let mut named: Option<Span> = None;
    let mut at = 0_usize;
    let mut options = Vec::new();
    for word in text.split(char::is_whitespace) {
        let span = at..at.saturating_add(word.len());
        at = span.end.saturating_add(text.get(span.end..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
        if word.is_empty() {
            continue;
        }
        if let Some(name) = named.take().filter(|_| !word.starts_with(['-', '$', '"', '\''])) {
            options.push(Assigned { name: Some(name), value: span.clone() });
        }
        if let Some(name) = word.strip_prefix("--").filter(|name| !name.contains('=') && is_masked_name(name)) {
            named = Some(span.end.saturating_sub(name.len())..span.end);
        }
    }
    found.extend(options);
    found.sort_by_key(|assigned| assigned.value.start);
    let mut end = 0;
    found.retain(|assigned| {
        let is_apart = assigned.value.start >= end;
        end = if is_apart { assigned.value.end } else { end };
        is_apart
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(&str, &str)> {
        let pair = |one: Assigned| (one.name.map_or("", |name| &text[name]), &text[one.value]);
        assigned(text).into_iter().map(pair).collect()
    }

    #[test]
    fn names_and_their_values_are_found_in_every_spelling() {
        assert_eq!(pairs("ENV DB_PASSWORD=hunter2 A=b"), [("DB_PASSWORD", "hunter2")]);
        assert_eq!(pairs("RUN TOKEN='a b' make && x"), [("TOKEN", "a b")]);
        assert_eq!(pairs("-H \"Authorization: Bearer abc\" u"), [("Authorization", "Bearer abc")]);
        assert_eq!(pairs("git clone https://me:s3cret@host/x"), [("", "s3cret")]);
        assert_eq!(pairs("tool --api-key=123 --password hunter2 x"), [("api-key", "123"), ("password", "hunter2")]);
        assert_eq!(pairs("{\"token\": \"abc\"}"), [("token", "abc")]);
        assert_eq!(pairs("TOKEN=$TOKEN --password $P --token-file /x PATH=/bin:/x a@b"), []);
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_values_in_order_without_overlaps(text in "\\PC{0,60}|[ -~=:@/\"']{0,60}") {
            let found = assigned(&text);
            for pair in found.windows(2) {
                proptest::prop_assert!(pair[0].value.end <= pair[1].value.start);
            }
            for one in found {
                proptest::prop_assert!(text.get(one.value).is_some() && one.name.is_none_or(|name| text.get(name).is_some()));
            }
        }
    }
}
