//! Secrets in instruction texts are masked before anything prints them: values of names that say so, passwords in URLs, and tokens of known
//! formats.

use crate::secret::{assigned, tokens};

/// What stands in for a value.
const MASK: &str = "****";

/// The text with secret values masked. Length and content of a value are not told. Takes time in proportion to the text.
#[must_use]
pub fn redact(text: &str) -> String {
    let named = assigned(text).into_iter().map(|one| one.value);
    let formed = tokens(text.as_bytes()).into_iter().map(|hit| hit.range);
    let mut spans: Vec<_> = named.chain(formed).collect();
    spans.sort_by_key(|span| (span.start, span.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        // a token inside a value that is masked already, or one that goes on behind it
        if let Some(before) = text.get(at..span.start) {
            out.push_str(before);
            out.push_str(MASK);
        }
        at = at.max(span.end);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
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
            ("RUN tool login --token abcdef x", "RUN tool login --token **** x"),
            ("RUN echo {\"token\": \"abc\"} > x", "RUN echo {\"token\": \"****\"} > x"),
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
    fn tokens_are_masked_whatever_they_are_called() {
        let token = "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";
        assert_eq!(redact(&format!("RUN x {token} TOKEN={token} y")), "RUN x **** TOKEN=**** y");
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
