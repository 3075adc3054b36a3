//! `WWW-Authenticate`: what a registry asks for before it answers (RFC 9110 section 11.6.1), read strictly.

/// Longest header that is read.
const MAX_BYTES: usize = 8 * 1024;
const MAX_CHALLENGES: usize = 8;
const MAX_PARAMETERS: usize = 16;

/// A way to log in that a registry offers and that is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A token of the service at `realm`.
    Bearer { realm: String, service: Option<String> },
    /// A name and a password.
    Basic,
}

/// One challenge as it is written.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    scheme: String,
    parameters: Vec<(String, String)>,
}

/// The way to log in out of all headers of an answer: a token where one is offered, else a password. None when the headers
/// are malformed or offer neither.
pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut offered = Vec::new();
    for header in headers.take(MAX_CHALLENGES) {
        offered.extend(Scanner { rest: header }.challenges()?);
    }
    let bearer = offered.iter().find(|written| written.scheme == "bearer").and_then(|written| {
        let service = written.parameter("service").map(str::to_owned);
        Some(Challenge::Bearer { realm: written.parameter("realm")?.to_owned(), service })
    });
    bearer.or_else(|| offered.iter().any(|written| written.scheme == "basic").then_some(Challenge::Basic))
}

impl Written {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What of one header is still to be read.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// A list of challenges: a name after a comma that no `=` follows starts the next.
    fn challenges(mut self) -> Option<Vec<Written>> {
        if self.rest.len() > MAX_BYTES {
            return None;
        }
        let mut found: Vec<Written> = Vec::new();
        self.skip_separators();
        while !self.rest.is_empty() {
            let name = self.token()?.to_ascii_lowercase();
            let spaces = self.skip_spaces();
            match found.last_mut() {
                Some(last) if self.rest.starts_with('=') => {
                    let value = self.value()?;
                    if last.parameter(&name).is_some() || last.parameters.len() >= MAX_PARAMETERS {
                        return None;
                    }
                    last.parameters.push((name, value));
                }
                _ => {
                    let is_ended = self.rest.is_empty() || self.rest.starts_with(',');
                    if (!is_ended && spaces == 0) || found.len() >= MAX_CHALLENGES {
                        return None;
                    }
                    found.push(Written { scheme: name, parameters: Vec::new() });
                    if !is_ended {
                        self.skip_token68();
                        if !self.rest.is_empty() && !self.rest.starts_with(',') {
                            continue;
                        }
                    }
                }
            }
            self.skip_spaces();
            if !self.rest.is_empty() && !self.rest.starts_with(',') {
                return None;
            }
            self.skip_separators();
        }
        Some(found)
    }

    fn take_while(&mut self, is_wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn skip_spaces(&mut self) -> usize {
        self.take_while(|c| c == ' ' || c == '\t').len()
    }

    fn skip_separators(&mut self) {
        self.take_while(|c| matches!(c, ' ' | '\t' | ','));
    }

    fn token(&mut self) -> Option<&'a str> {
        Some(self.take_while(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))).filter(|token| !token.is_empty())
    }

    /// A bare word after the scheme, as Negotiate has: it is passed over when it is the whole of what the scheme says.
    fn skip_token68(&mut self) {
        let before = self.rest;
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        self.take_while(|c| c == '=');
        self.skip_spaces();
        if word.is_empty() || !(self.rest.is_empty() || self.rest.starts_with(',')) {
            self.rest = before;
        }
    }

    fn value(&mut self) -> Option<String> {
        self.rest = self.rest.strip_prefix('=')?;
        self.skip_spaces();
        let Some(quoted) = self.rest.strip_prefix('"') else { return self.token().map(str::to_owned) };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = quoted.get(at.saturating_add(1)..)?;
                    return Some(value);
                }
                '\\' => value.push(characters.next()?.1),
                c if c.is_control() => return None,
                c => value.push(c),
            }
        }
        None
    }
}

/// For the fuzzer: reads one header.
pub(super) fn probe(header: &str) -> bool {
    parse(std::iter::once(header)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(header: &str) -> Option<Challenge> {
        parse(std::iter::once(header))
    }

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.into(), service: service.map(str::to_owned) }
    }

    #[test]
    fn the_challenges_of_known_registries_are_read() {
        let docker = "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a/b:pull\"";
        assert_eq!(one(docker), Some(bearer("https://auth.docker.io/token", Some("registry.docker.io"))));
        assert_eq!(one("Basic realm=\"Registry Realm\""), Some(Challenge::Basic));
        assert_eq!(one("basic"), Some(Challenge::Basic));
        assert_eq!(
            one("bearer REALM = \"https://r.example/a\\\"b\" , error=invalid_token"),
            Some(bearer("https://r.example/a\"b", None))
        );
    }

    #[test]
    fn a_token_is_preferred_to_a_password_wherever_it_stands() {
        let both = "Basic realm=\"x\", Bearer realm=\"https://r.example/t\", service=s";
        assert_eq!(one(both), Some(bearer("https://r.example/t", Some("s"))));
        let two = ["Negotiate", "Negotiate abc==, Basic realm=\"x, Bearer realm=y\""];
        assert_eq!(parse(two.into_iter()), Some(Challenge::Basic));
    }

    #[test]
    fn what_is_malformed_or_unknown_is_no_challenge() {
        let long = format!("Bearer realm=\"{}\"", "a".repeat(9_000));
        let many = ["Bearer a=b"].into_iter().chain(["c=d", "e=f"]).cycle().take(60).collect::<Vec<_>>().join(",");
        for header in [
            "",
            "Digest realm=\"x\"",
            "Bearer",
            "Bearer service=\"s\"",
            "Bearer realm=\"unclosed",
            "Bearer realm=\"a\" service=\"b\"",
            "Bearer realm=\"a\",realm=\"b\"",
            "Bearer realm=",
            "=",
            "Bearer =x",
            "Bearer realm=\"a\u{7}\"",
            "Bearer;realm=x",
            &long,
            &many,
        ] {
            assert_eq!(one(header), None, "{header}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_panics(header in "\\PC{0,80}|(Bearer|Basic|x)[ ,=\"a-z\\\\]{0,40}") {
            one(&header);
        }

        #[test]
        fn a_quoted_realm_reads_back(realm in "[ -~]{0,40}") {
            let quoted = realm.replace('\\', "\\\\").replace('"', "\\\"");
            proptest::prop_assert_eq!(one(&format!("Bearer realm=\"{quoted}\"")), Some(bearer(&realm, None)));
        }
    }
}
