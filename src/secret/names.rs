//! Names whose values are secrets, told by whole words, and values that are none.

/// Words of a name that make its value a secret.
const WORDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "secret",
    "token",
    "apikey",
    "credential",
    "credentials",
    "authtoken",
    "accesstoken",
    "privatekey",
];

/// Two words that make it one together.
const PAIRS: [&str; 9] = ["api", "access", "private", "secret", "signing", "encryption", "master", "account", "auth"];

/// Words that only say it where nothing but masking hangs on it.
const MASKED_WORDS: [&str; 3] = ["auth", "authorization", "bearer"];

/// Last words of a name that make it one about a secret: where it is, what it is called, how long it lasts.
const ABOUT: &[&str] = &[
    "file",
    "path",
    "name",
    "dir",
    "directory",
    "url",
    "uri",
    "endpoint",
    "host",
    "port",
    "id",
    "ids",
    "type",
    "kind",
    "header",
    "algorithm",
    "alg",
    "length",
    "size",
    "min",
    "max",
    "limit",
    "ttl",
    "age",
    "expiry",
    "expiration",
    "expires",
    "lifetime",
    "seconds",
    "minutes",
    "hours",
    "days",
    "timeout",
    "interval",
    "policy",
    "required",
    "enabled",
    "disabled",
    "version",
    "issuer",
    "audience",
    "format",
    "prefix",
    "suffix",
    "method",
    "mode",
    "provider",
    "manager",
    "store",
    "env",
    "arn",
    "ref",
    "reference",
    "hash",
    "label",
    "field",
    "param",
    "count",
    "through",
    "thru",
    "strength",
    "rotation",
    "validator",
    "validators",
    "hint",
    "command",
    "cmd",
    "helper",
    "parallelism",
    "regex",
    "pattern",
    "scope",
    "scopes",
];

/// First words of a name that make it a switch: `--disabled-password`, `ALLOW_EMPTY_PASSWORD`.
const SWITCHES: &[&str] = &[
    "disabled", "disable", "no", "without", "empty", "allow", "skip", "ask", "prompt", "random", "generate", "require", "use",
    "enable", "show", "reset", "force", "clear", "has", "is", "if",
];

/// Words that say that a value is for everybody.
const PUBLIC: [&str; 4] = ["public", "publishable", "example", "sample"];

/// Whether the value of this name is a secret: `DB_PASSWORD`, `apiKey`, `npm-token`; never by a part of a word.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    // the shell's own
    if matches!(name, "PWD" | "OLDPWD") {
        return false;
    }
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_about = words.last().is_some_and(|last| ABOUT.contains(last));
    !is_about && !is_switch(&words) && !words.iter().any(|word| PUBLIC.contains(word)) && says_secret(&words)
}

/// Whether a value of this name is not to be shown: more names than [`is_secret_name`], since masking hurts nobody.
pub(super) fn is_masked_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(['_', '-', '.']).filter(|word| !word.is_empty()).collect();
    // where a secret is kept, or what it is called, is none
    if words.last().is_some_and(|last| matches!(*last, "file" | "path" | "name" | "dir" | "url")) || is_switch(&words) {
        return false;
    }
    says_secret(&words) || words.iter().any(|word| MASKED_WORDS.contains(word)) || is_secret_name(&name)
}

fn is_switch(words: &[&str]) -> bool {
    words.first().is_some_and(|first| SWITCHES.contains(first))
}

fn says_secret(words: &[&str]) -> bool {
    let is_pair = |pair: &[&str]| matches!(pair, [first, "key"] if PAIRS.contains(first));
    words.windows(2).any(is_pair) || words.iter().any(|word| WORDS.contains(word))
}

/// The words of a name in lower case: split at what is no letter or digit, and where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars().take(256) {
        let is_new = !c.is_ascii_alphanumeric() || (was_lower && c.is_ascii_uppercase());
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        if is_new {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
    }
    // `PASSWORD2` is one more password
    for word in &mut words {
        word.truncate(word.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whole values that stand for one, or that say something else than a secret.
const STAND_INS: &[&str] = &[
    "changeme",
    "changeit",
    "changethis",
    "placeholder",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "mysecret",
    "mypassword",
    "token",
    "mytoken",
    "apikey",
    "example",
    "dummy",
    "sample",
    "test",
    "testing",
    "default",
    "none",
    "null",
    "nil",
    "undefined",
    "unset",
    "unknown",
    "empty",
    "todo",
    "tbd",
    "fixme",
    "na",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "enabled",
    "disabled",
    "enable",
    "disable",
    "required",
    "optional",
    "redacted",
    "hidden",
    "masked",
    "foo",
    "bar",
    "foobar",
    "value",
    "string",
    "env",
    "vault",
    "file",
    "basic",
    "bearer",
    "plain",
    "inherit",
    "auto",
    "random",
    "local",
    "docker",
    "builtin",
    "development",
    "production",
    "notset",
    "files",
    "compat",
    "systemd",
    "winbind",
    "secretkey",
    "mysecretkey",
    "supersecret",
    "xxx",
];

/// Beginnings of values that say where the secret is, or that there ought to be one.
const POINTERS: &[&str] = &[
    "$",
    "%(",
    "your",
    "insert",
    "replace",
    "enter-",
    "enter_",
    "change-",
    "change_",
    "put-",
    "arn:",
    "vault:",
    "op://",
    "ref+",
    "secretref",
    "file:",
    "env:",
    "ssm:",
    "secretsmanager:",
    "gcpsm:",
    "keyvault",
    "example",
    "http://",
    "https://",
    "/run/secrets/",
    "-----",
];

/// Whether a value is none: empty, a word that stands for one, a variable, an address of where it is kept, a switch.
#[must_use]
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'', '`']).trim();
    let lower = value.to_ascii_lowercase();
    let bare: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    let characters = bare.chars().collect::<std::collections::BTreeSet<_>>().len();
    // nothing, stars, one character over and over
    if characters < 2 || value.chars().count() < 3 {
        return true;
    }
    let is_pointer = POINTERS.iter().any(|start| lower.starts_with(start))
        || value.contains("${")
        || value.contains("{{")
        || value.contains("$(")
        || is_enclosed(value);
    let is_sample =
        lower.contains("example") || lower.contains("xxxx") || lower.contains("placeholder") || lower.contains("changeme");
    // a switch or a count; six digits may be a password
    let is_number = value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    STAND_INS.contains(&bare.as_str()) || is_pointer || is_sample || is_number || is_path(value)
}

/// `<token>`, `[token]`, `{token}`.
fn is_enclosed(value: &str) -> bool {
    [('<', '>'), ('[', ']'), ('{', '}')].into_iter().any(|(open, close)| value.starts_with(open) && value.ends_with(close))
}

/// Whether it is the path of a file, and no base64 that happens to begin with a slash.
fn is_path(value: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.len() <= 32 && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c))
    };
    let rest = value.strip_prefix("./").or_else(|| value.strip_prefix("~/")).or_else(|| value.strip_prefix('/'));
    rest.is_some_and(|rest| rest.trim_end_matches('/').split('/').all(is_name))
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
