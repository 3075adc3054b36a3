//! The hooks of Kubernetes over real sockets: requests as API servers send them, answered by a server with images that behave as
//! they are called; and the manifests that install it.

mod live;
mod manifests;
mod replay;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use plimsoll::serve::Ask;
use plimsoll::serve::engine::{Images, Opened, Problem, Resolved};
use plimsoll::serve::host::Host;
use plimsoll::serve::kubernetes;
use plimsoll::serve::live::Live;
use plimsoll::serve::metrics::Metrics;
use plimsoll::serve::run::Parts;

use crate::in_process::{last, opened, resolved};

/// Profiles and registries of every server here.
const PROFILES: &str = "\
[profiles.default]
mode = 'enforce'
[profiles.warn]
mode = 'warn'
[profiles.strict]
mode = 'enforce'
enforce_workloads = true
require_digest = 'warn'
[profiles.guarded]
mode = 'enforce'
[profiles.guarded.break_glass]
annotation = 'plimsoll.example/break-glass'
groups = ['on-call']
image_reviews = true
[registries.'registry.example']
";

/// Images of `registry.example`, each as its repository is called.
struct Named;

impl Images for Named {
    fn resolve(&self, ask: &Ask) -> Result<Resolved, Problem> {
        match last(ask) {
            "missing" => Err(Problem::Refused { reason: "registry.example has no such image".into() }),
            "down" => Err(Problem::Unavailable { reason: "registry.example answers 503".into(), retry_after: None }),
            _ => resolved(ask),
        }
    }

    fn open(&self, ask: &Ask, _: &str) -> Result<Opened, Problem> {
        opened(match last(ask) {
            "bad" => "demo",
            "slow" => {
                sleep(Duration::from_secs(4));
                "good"
            }
            _ => "good",
        })
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of what a server is assembled by")]
fn parts(_: &Live, _: &Arc<Metrics>, _: &Host) -> Result<Parts, String> {
    Ok(Parts { hooks: vec![kubernetes::routes], ..Parts::new(Arc::new(Named)) })
}
