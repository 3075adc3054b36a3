//! Credentials in JSON. What is no JSON holds none that its program could read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Credential;

/// Credentials of one file whose places are looked for.
const PLACED: usize = 64;

/// Texts of the members called one of `names`, wherever they are; an object's own texts for a member that is an object.
pub(super) fn members(text: &str, names: &[&str]) -> Vec<Credential> {
    let Ok(document) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let mut found = Vec::new();
    let mut stack = vec![&document];
    while let Some(value) = stack.pop() {
        match value {
            Value::Array(items) => stack.extend(items),
            Value::Object(members) => {
                for (name, member) in members {
                    if let Some(value) = member.as_str().filter(|_| names.contains(&name.as_str())) {
                        found.push(credential(text, value, found.len()));
                    }
                    stack.push(member);
                }
            }
            _ => {}
        }
    }
    found
}

/// Logins of registries: `auths`, or the whole document in `.dockercfg` (containers-auth.json(5)).
pub(super) fn auths(text: &str) -> Vec<Credential> {
    let Ok(Value::Object(document)) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let registries = match document.get("auths") {
        Some(Value::Object(registries)) => registries,
        Some(_) => return Vec::new(),
        None => &document,
    };
    let mut found = Vec::new();
    for registry in registries.values() {
        let member = |name: &str| registry.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        let has_password = |value: &&str| {
            let plain = STANDARD.decode(value.trim()).unwrap_or_default();
            plain.iter().position(|byte| *byte == b':').is_some_and(|at| at.saturating_add(1) < plain.len())
        };
        let one = ["identitytoken", "registrytoken", "password"].into_iter().find_map(member);
        if let Some(value) = member("auth").filter(has_password).or(one) {
            found.push(credential(text, value, found.len()));
        }
    }
    found
}

/// Of the first ones the place is looked for; so many more are only counted.
fn credential(text: &str, value: &str, found: usize) -> Credential {
    let at = if found < PLACED { text.find(value) } else { None };
    Credential { at: at.unwrap_or(text.len()), name: String::new(), value: value.to_owned() }
}
