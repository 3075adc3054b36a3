//! Secrets in instruction texts: values of names that say so, and passwords in URLs, are masked before anything prints them.

/// Words of a name that make its value a secret.
const SECRET_WORDS: [&str; 13] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "token",
    "apikey",
    "credential",
    "credentials",
    "auth",
    "authorization",
    "bearer",
    "privatekey",
];

/// What stands in for a value.
const MASK: &str = "****";

/// What may follow `scheme://`, as far as it is read: `user:password`.
#[derive(Debug, Clone, Copy, Default)]
struct Authority {
    /// Where the colon behind the user stands.
    colon: Option<usize>,
}

/// The text with secret values masked. Length and content of a value are not told. Takes time in proportion to the text.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut authority: Option<Authority> = None;
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':', '@']) {
        let (before, after) = rest.split_at(at);
        let mut following = after.chars();
        let sign = following.next().unwrap_or('=');
        authority = authority.filter(|_| !before.contains(ends_authority));
        out.push_str(before);
        rest = following.as_str();
        if let (':', Some(behind)) = (sign, rest.strip_prefix("//")) {
            out.push_str("://");
            rest = behind;
            authority = Some(Authority::default());
            continue;
        }
        let start = out.len();
        match (sign, authority) {
            ('@', Some(Authority { colon: Some(colon) })) => {
                out.truncate(colon.saturating_add(1));
                out.push_str(MASK);
                out.push('@');
                continue;
            }
            (':', Some(Authority { colon: None })) => authority = Some(Authority { colon: Some(start) }),
            _ => {}
        }
        let is_secret = sign != '@' && is_secret_name(&out) && !rest.starts_with("//");
        out.push(sign);
        if is_secret {
            rest = mask_value(&mut out, rest);
        }
        authority = authority.filter(|_| !out.get(start..).unwrap_or_default().contains(ends_authority));
    }
    out.push_str(rest);
    out
}

fn ends_authority(c: char) -> bool {
    c.is_whitespace() || "/?#\"'".contains(c)
}

/// Whether the word that `text` ends in is a name whose value is a secret: split at `_`, `-` and `.`, or the pair `api key`.
fn is_secret_name(text: &str) -> bool {
    let start = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).map_or(0, |at| at.saturating_add(1));
    let name = text.get(start..).unwrap_or_default().to_ascii_lowercase();
    let words: Vec<&str> = name.split(['_', '-', '.']).filter(|word| !word.is_empty()).collect();
    // where a secret is kept, or what it is called, is none
    if words.last().is_some_and(|last| matches!(*last, "file" | "path" | "name" | "dir" | "url")) {
        return false;
    }
    let pair = words.windows(2).any(|pair| matches!(pair, ["api" | "access" | "private" | "secret" | "signing", "key"]));
    pair || words.iter().any(|word| SECRET_WORDS.contains(word))
}

/// Masks up to the value's end: its closing quote, or white space, or a shell operator.
fn mask_value<'a>(out: &mut String, rest: &'a str) -> &'a str {
    let value = rest.trim_start_matches(' ');
    out.push_str(rest.get(..rest.len().saturating_sub(value.len())).unwrap_or_default());
    let (quote, body) = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => (Some(quote), value.get(1..).unwrap_or_default()),
        _ => (None, value),
    };
    // a header's value goes on after a blank, to the quote that its name stands in
    let is_header = out.trim_end().ends_with(':');
    let ends = |c: char| quote.map_or((c.is_whitespace() && !is_header) || ";&|\"'\n".contains(c), |quote| c == quote);
    let end = body.find(ends).unwrap_or(body.len());
    let (secret, after) = body.split_at(end);
    out.extend(quote);
    // a variable's name is no secret
    out.push_str(if secret.is_empty() || secret.starts_with('$') { secret } else { MASK });
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_names_are_masked() {
        for (text, expected) in [
            ("ENV DB_PASSWORD=hunter2 A=b", "ENV DB_PASSWORD=**** A=b"),
            ("RUN TOKEN='a b' make && x", "RUN TOKEN='****' make && x"),
            ("RUN curl -H \"Authorization: Bearer abc\" u", "RUN curl -H \"Authorization: ****\" u"),
            ("ENV AWS_SECRET_ACCESS_KEY=wJalr", "ENV AWS_SECRET_ACCESS_KEY=****"),
            ("RUN tool --api-key=123", "RUN tool --api-key=****"),
            ("RUN git clone https://me:s3cret@host/x", "RUN git clone https://me:****@host/x"),
            ("RUN a https://me:s3@cr=e:t@host/x b@c", "RUN a https://me:****@host/x b@c"),
            ("ENV U=ftp://x:y@z,http://a:b@c", "ENV U=ftp://x:****@z,http://a:****@c"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    #[test]
    fn what_is_no_secret_is_left_alone() {
        for text in [
            "ENV PATH=/usr/bin:/bin",
            "ENV KEYCLOAK_URL=http://x GPG_KEY=E3FF",
            "ENV PASSWORD_FILE=/run/secrets/pw",
            "RUN TOKEN=$TOKEN make",
            "RUN pip install flask==2.0 && echo a@b",
            "COPY --chown=1000:1000 . /app",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn a_text_of_megabytes_takes_no_longer_than_its_length() {
        for text in ["@", "a://@", "x:", "token=", "a://b:c@"] {
            assert!(redact(&text.repeat(2 << 20)).len() <= 40 << 20, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_secret_never_survives_in_any_surroundings(before in "[ -~]{0,20}", secret in "[a-z0-9]{8,20}", after in "[ -~]{0,20}") {
            let text = format!("{before} DB_PASSWORD={secret} {after}");
            proptest::prop_assume!(!before.contains(&secret) && !after.contains(&secret));
            proptest::prop_assert!(!redact(&text).contains(&secret), "{}", redact(&text));
        }
    }
}
