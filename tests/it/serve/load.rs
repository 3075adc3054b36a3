//! How many reviews a second, with `wrk`; the figure stands in docs/performance.md.

use std::process::Command;

use super::{Running, verify};

/// Seconds that the load lasts.
const SECONDS: &str = "10s";

#[test]
#[ignore = "needs wrk, and says something only of an optimised build: cargo test --release --test it serve::load -- --ignored --nocapture"]
fn warm_reviews_a_second() {
    let server = Running::start();
    let body = r#"{"image": "registry.example/demo:1", "wait_ms": 60000}"#;
    let said = verify(server.at.api, body).json();
    let digest = said["digest"].as_str().unwrap();
    let script = server.file("post.lua");
    for (name, image) in
        [("by tag", "registry.example/demo:1".to_owned()), ("by digest", format!("registry.example/demo@{digest}"))]
    {
        let text = format!(
            "wrk.method = 'POST'\nwrk.body = '{{\"image\": \"{image}\", \"wait_ms\": 5000}}'\n\
             wrk.headers['Content-Type'] = 'application/json'\n"
        );
        std::fs::write(&script, text).unwrap();
        let url = format!("http://{}/v1/verify", server.at.api);
        let arguments = ["-t2", "-c64", "--latency", "-d", SECONDS, "-s", script.to_str().unwrap(), &url];
        let output = Command::new("wrk").args(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        eprintln!("{name}:\n{told}");
        assert!(output.status.success() && !told.contains("Non-2xx") && !told.contains("Socket errors"), "{told}");
    }
    let page = server.metrics();
    let line = |start: &str| page.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned();
    for edge in ["0.001", "0.0025", "0.005", "0.01", "0.025", "+Inf"] {
        eprintln!("{}", line(&format!("plimsoll_admission_duration_seconds_bucket{{le=\"{edge}\",hook=\"api\",source=\"l1\"}}")));
    }
}
