//! Credentials in lines: `NAME=value`, `key: value`, .netrc, .pgpass, URLs, single words, and elements of XML.

use super::Credential;

/// Elements of one kind that are looked at in one file.
const MOST_ELEMENTS: usize = 1_000;

/// Lines that name a value by `=` or `:`, without comments. Values lose their quotes and what stands behind them.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = Credential> {
    let mut at = 0_usize;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = at;
        at = at.saturating_add(line.len());
        pair(line.trim()).map(|(name, value)| Credential { at: start, name, value })
    })
}

fn pair(line: &str) -> Option<(String, String)> {
    if line.starts_with(['#', ';']) || line.is_empty() {
        return None;
    }
    let line = line.strip_prefix("export ").or_else(|| line.strip_prefix("- ")).unwrap_or(line);
    // `:rubygems_api_key: x`, and `//registry/:_authToken=x`, whose colons are no signs
    let line = line.strip_prefix(':').unwrap_or(line);
    let sign = if line.starts_with("//") { line.find('=') } else { line.find(['=', ':']) };
    let sign = sign.or_else(|| line.find("\" \"").map(|at| at.saturating_add(1)))?;
    let (name, rest) = line.split_at_checked(sign)?;
    let value = rest.get(1..).unwrap_or_default().trim();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value.get(1..).unwrap_or_default().split(quote).next().unwrap_or_default(),
        _ => value.split(" #").next().unwrap_or_default().trim(),
    };
    Some((name.trim().trim_matches(['"', '\'']).to_owned(), value.to_owned()))
}

/// Whether a key is one of `keys`: its last part, without regard to case; `_api_key` is also the end of `rubygems_api_key`.
pub(super) fn is_one_of(key: &str, keys: &[&str]) -> bool {
    let key = key.rsplit(':').next().unwrap_or_default().trim().to_ascii_lowercase();
    keys.iter().any(|wanted| key == *wanted || (wanted.starts_with('_') && key.ends_with(wanted)))
}

/// Passwords of URLs, also in the form of git's store.
pub(super) fn urls(text: &str) -> Vec<Credential> {
    let credential = |one: crate::secret::Assigned| {
        let value = text.get(one.value.clone()).unwrap_or_default().to_owned();
        one.name.is_none().then(|| Credential { at: one.value.start, name: String::new(), value })
    };
    crate::secret::assigned(text).into_iter().filter_map(credential).collect()
}

/// Words after `password` (netrc(5)).
pub(super) fn netrc(text: &str) -> Vec<Credential> {
    let mut found = Vec::new();
    let mut is_password = false;
    let mut at = 0_usize;
    for word in text.split(char::is_whitespace) {
        let start = at;
        at = start.saturating_add(word.len()).saturating_add(1);
        if word.is_empty() {
            continue;
        }
        if is_password {
            found.push(Credential { at: start.min(text.len()), name: String::new(), value: word.to_owned() });
        }
        is_password = word == "password" && !is_password;
    }
    found
}

/// The fifth field of each line (libpq's password file).
pub(super) fn pgpass(text: &str) -> Vec<Credential> {
    let mut at = 0_usize;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let start = at;
        at = at.saturating_add(line.len());
        let mut fields = line.trim_end().splitn(5, ':');
        if let Some(password) = fields.nth(4).filter(|_| !line.starts_with('#')) {
            found.push(Credential { at: start, name: String::new(), value: password.to_owned() });
        }
    }
    found
}

/// What stands in the elements called `element`.
pub(super) fn xml(text: &str, element: &str) -> Vec<Credential> {
    let open = format!("<{element}>");
    let value = |(at, _): (usize, &str)| {
        let start = at.saturating_add(open.len());
        let value = text.get(start..)?.split('<').next()?.trim();
        Some(Credential { at: start, name: String::new(), value: value.to_owned() })
    };
    text.match_indices(&open).take(MOST_ELEMENTS).filter_map(value).collect()
}

/// What stands in `value` beside `key="..."`.
pub(super) fn attribute(text: &str, key: &str) -> Vec<Credential> {
    let key = format!("key=\"{key}\"");
    let value = |(at, _): (usize, &str)| {
        let start = at.saturating_add(key.len());
        let element = text.get(start..)?.split('>').next()?;
        let value = element.split_once("value=\"")?.1.split('"').next()?;
        Some(Credential { at: start, name: String::new(), value: value.to_owned() })
    };
    text.match_indices(&key).take(MOST_ELEMENTS).filter_map(value).collect()
}

/// The only word of the file.
pub(super) fn whole(text: &str) -> Option<Credential> {
    let word = text.trim();
    let is_word = word.len() >= 16 && !word.contains(char::is_whitespace);
    is_word.then(|| Credential { at: 0, name: String::new(), value: word.to_owned() })
}
