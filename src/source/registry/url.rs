//! Addresses that a registry names: where a token is had, where a blob really is. Read strictly; shown by their host alone,
//! since their queries may hold signatures.

/// Longest address that is followed.
const MAX_BYTES: usize = 16 * 1024;

/// `http(s)://host[:port]/path?query`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) is_https: bool,
    /// Host and port, in lower case.
    pub(super) host: String,
    /// Path and query; starts with a slash.
    pub(super) path: String,
}

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.host)
    }
}

impl Url {
    /// Reads an absolute address without user, password or fragment.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains(['#', '\\']) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at_checked(end)?;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        crate::oci::is_host(host).then(|| Self { is_https, host: host.to_ascii_lowercase(), path })
    }

    /// What `location` means in an answer from here: another address, or another path of this one.
    pub(super) fn join(&self, location: &str) -> Option<Self> {
        if location.starts_with('/') && !location.starts_with("//") {
            return Self::parse(&format!("{}{location}", self.origin()));
        }
        Self::parse(location)
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", if self.is_https { "https" } else { "http" }, self.host)
    }

    /// Whether both are of one scheme, host and port.
    pub(super) fn is_same_origin(&self, other: &Self) -> bool {
        let port = if self.is_https { ":443" } else { ":80" };
        let bare = |host: &str| host.strip_suffix(port).unwrap_or(host).to_owned();
        self.is_https == other.is_https && bare(&self.host) == bare(&other.host)
    }

    /// The same address with `name=value` in its query.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(&form(&[(name, value)]));
        self
    }

    /// All of it.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }
}

/// `application/x-www-form-urlencoded`.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                // writing to a String cannot fail
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(url: &str) -> Option<String> {
        Url::parse(url).map(|url| url.text())
    }

    #[test]
    fn absolute_addresses_of_the_web_are_read() {
        assert_eq!(text("https://R.example:5000/a?b=c").as_deref(), Some("https://r.example:5000/a?b=c"));
        assert_eq!(text("HTTP://[::1]:80").as_deref(), Some("http://[::1]:80/"));
        assert_eq!(text("https://r.example?x").as_deref(), Some("https://r.example/?x"));
        for url in [
            "",
            "/a",
            "//r.example/a",
            "ftp://r.example/",
            "file:///etc/passwd",
            "https:///a",
            "https://u:p@r.example/",
            "https://r.example\\@x/",
            "https://r.example/a b",
            "https://r.example/\n",
            "https://r.example/#x",
            "https://r_x.example/",
            "unix:/x",
            "https://\u{e9}.example/",
            &format!("https://r.example/{}", "a".repeat(20_000)),
        ] {
            assert_eq!(text(url), None, "{url}");
        }
    }

    #[test]
    fn locations_may_be_paths_and_origins_are_scheme_host_and_port() {
        let base = Url::parse("https://r.example/v2/x").unwrap();
        assert_eq!(base.join("/y?z").unwrap().text(), "https://r.example/y?z");
        assert!(base.join("//evil.example/y").is_none() && base.join("y").is_none() && base.join("").is_none());
        let is_same = |other: &str| base.is_same_origin(&Url::parse(other).unwrap());
        assert!(is_same("https://r.example:443/y") && is_same("https://R.EXAMPLE"));
        assert!(!is_same("http://r.example/y") && !is_same("https://r.example:444/y") && !is_same("https://x.r.example/y"));
    }

    #[test]
    fn queries_are_encoded_and_addresses_are_shown_by_their_host() {
        let url = Url::parse("https://r.example/t").unwrap().with("service", "a&b c").with("scope", "repository:x/y:pull");
        assert_eq!(url.text(), "https://r.example/t?service=a%26b%20c&scope=repository%3Ax%2Fy%3Apull");
        assert_eq!(format!("{url:?}"), "r.example");
    }
}
