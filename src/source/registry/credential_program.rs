//! Programs that keep credentials (`docker-credential-NAME`): run with `get`, given a host, bounded in output and time.

use std::io::{Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;

use super::access::{Credential, Secret};

/// What a helper may write.
const MAX_OUTPUT: u64 = 64 * 1024;
/// How long it may take: some ask a service for a token.
const TIMEOUT: Duration = Duration::from_secs(30);
/// What a helper says, with a failing exit, of a host that it does not know.
const NOT_FOUND: &str = "credentials not found";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks a helper for the credential of `address`; None when it has none.
pub(super) fn get(name: &str, address: &str) -> Result<Option<Credential>, String> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_word) {
        return Err("its name is no word".to_owned());
    }
    ask(&format!("docker-credential-{name}"), address, TIMEOUT)
}

fn ask(program: &str, address: &str, timeout: Duration) -> Result<Option<Credential>, String> {
    let shown = crate::oci::escape_text(program.rsplit('/').next().unwrap_or(program));
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{shown} cannot be run: {}", error.kind()))?;
    // one line, which a pipe takes at once; a helper that reads nothing closes it
    let _ = child.stdin.take().map(|mut input| input.write_all(address.as_bytes()));
    let output = read(&mut child, timeout);
    if output.is_none() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| format!("{shown} cannot be waited for: {}", error.kind()))?;
    let Some(output) = output else { return Err(format!("{shown} did not end in {} s, or wrote too much", timeout.as_secs())) };
    if !status.success() {
        let is_unknown = String::from_utf8_lossy(&output).contains(NOT_FOUND);
        return if is_unknown { Ok(None) } else { Err(format!("{shown} failed")) };
    }
    let answer: Answer = serde_json::from_slice(&output).map_err(|_| format!("{shown} did not answer with its JSON"))?;
    if answer.secret.is_empty() {
        return Ok(None);
    }
    let secret = Secret::new(answer.secret);
    let is_identity = answer.username == "<token>";
    Ok(Some(if is_identity {
        Credential::Identity(secret)
    } else {
        Credential::Basic { username: answer.username, password: secret }
    }))
}

/// All that it writes until it closes its output; None when that is too much, or takes too long.
fn read(child: &mut Child, timeout: Duration) -> Option<Vec<u8>> {
    let output = child.stdout.take()?;
    let (sender, receiver) = mpsc::sync_channel(1);
    // ends with the helper's output, at the latest when the helper is killed
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let result = output.take(MAX_OUTPUT.saturating_add(1)).read_to_end(&mut bytes);
        let _ = sender.send(result.ok().map(|_| bytes));
    });
    let bytes = receiver.recv_timeout(timeout).ok()??;
    (u64::try_from(bytes.len()).unwrap_or(u64::MAX) <= MAX_OUTPUT).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A helper of this script, asked for `r.example`.
    fn asked(script: &str, timeout: Duration) -> Result<Option<Credential>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-test");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        // another test's fork may hold the script open for writing for a moment
        for _ in 0..50 {
            match ask(path.to_str().unwrap(), "r.example", timeout) {
                Err(reason) if reason.contains("busy") => std::thread::sleep(Duration::from_millis(20)),
                other => return other,
            }
        }
        panic!("the script stays busy");
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_name_with_a_password_or_a_token_is_taken() {
        let script = r#"[ "$1 $(cat)" = "get r.example" ] && echo '{"ServerURL":"r.example","Username":"me","Secret":"pass"}'"#;
        let Ok(Some(Credential::Basic { username, password })) = asked(script, LONG) else { panic!() };
        assert_eq!((username.as_str(), password.reveal()), ("me", "pass"));
        let Ok(Some(Credential::Identity(token))) = asked(r#"echo '{"Username":"<token>","Secret":"t"}'"#, LONG) else {
            panic!()
        };
        assert_eq!(token.reveal(), "t");
    }

    #[test]
    fn a_host_that_it_does_not_know_is_no_failure() {
        assert!(matches!(asked("echo credentials not found in native keychain; exit 1", LONG), Ok(None)));
        assert!(asked("echo no luck; exit 1", LONG).unwrap_err().contains("failed"));
    }

    #[test]
    fn one_that_talks_or_waits_without_end_is_ended_and_nothing_of_it_is_repeated() {
        let started = std::time::Instant::now();
        assert!(asked("exec sleep 60", Duration::from_millis(200)).is_err());
        assert!(asked("exec yes hunter2", LONG).is_err());
        assert!(started.elapsed() < Duration::from_secs(10));
        let error = asked("echo hunter2", LONG).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn names_that_are_no_words_are_not_run() {
        for name in ["", "../evil", "a b", "a/b", "x;y", "\u{e9}", &"a".repeat(65)] {
            assert_eq!(get(name, "r.example").unwrap_err(), "its name is no word");
        }
        assert!(get("surely-not-installed-here", "r.example").unwrap_err().contains("cannot be run"));
    }
}
