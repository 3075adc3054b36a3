//! Images in registries, real ones and hostile ones: the same verdict as from a file, or an error that says what to do.

mod hostile;
mod login;
mod real;
mod streams;

use std::process::Command;

use crate::program::{self, Checked};
use crate::registry_server::Server;

/// Waits and stalls as short as they can be.
const FAST: [&str; 4] = ["--limit", "registry-wait-seconds=0", "--limit", "registry-stall-seconds=1"];

/// `plimsoll check HOST/shop/cart:1 --format json`, with nothing of the caller's environment.
fn command(server: &Server, tag: &str, more: &[&str]) -> Command {
    let reference = format!("{}/shop/cart{tag}", server.host);
    bare(&[&["check", &reference, "--format", "json", "--plain-http", &server.host], FAST.as_slice(), more].concat())
}

/// The program with an empty home, without credentials and proxies.
fn bare(arguments: &[&str]) -> Command {
    let mut command = program::command(arguments);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", "/nonexistent")
        .env("PLIMSOLL_NO_CACHE", "1");
    command
}

fn check(server: &Server, more: &[&str]) -> Checked {
    program::checked(&command(server, ":1", more).output().unwrap())
}

/// The errors of a check that could not be done: their codes, sorted, and all that is said of them.
fn refusal(checked: &Checked) -> (String, String) {
    assert_eq!(checked.exit, Some(3), "{}", checked.report);
    assert_eq!(checked.report["verdict"], "unverifiable");
    let codes: Vec<String> = checked.error_codes().into_iter().collect();
    let of_images = checked.images().iter().flat_map(|image| program::list(&image["errors"]));
    let messages: Vec<String> =
        program::list(&checked.report["errors"]).chain(of_images).filter_map(|error| program::text(&error["message"])).collect();
    (codes.join(","), messages.join("\n"))
}

/// Whether the image was examined whole.
fn is_examined(checked: &Checked) -> bool {
    checked.error_codes().is_empty() && matches!(checked.exit, Some(0 | 1))
}
