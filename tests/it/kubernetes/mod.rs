//! The hooks of Kubernetes over real sockets: requests as API servers send them, answered by a server with images that behave as
//! they are called; and the manifests that install it.

mod live;
mod manifests;
mod replay;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plimsoll::policy::{self, Date};
use plimsoll::serve::config;
use plimsoll::serve::engine::{Images, Opened, Problem, Resolved};
use plimsoll::serve::host::Host;
use plimsoll::serve::key::sha256;
use plimsoll::serve::kubernetes;
use plimsoll::serve::live::Live;
use plimsoll::serve::metrics::Metrics;
use plimsoll::serve::run::{Assemble, Parts, Server};
use plimsoll::serve::{Ask, verdict::Subject};
use plimsoll::source;
use tokio::sync::watch;

/// The world as the command line has it.
const HOST: Host = Host {
    read: |path, _| std::fs::read_to_string(path).map_err(|error| error.to_string()),
    open_policy: |name| {
        policy::load(name, &mut |path| std::fs::read_to_string(path).map_err(|error| error.to_string()), |_| Ok(()))
    },
    today: || Date::of_unix_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()),
};

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
        match ask.repository.rsplit('/').next().unwrap() {
            "missing" => Err(Problem::Refused { reason: "registry.example has no such image".into() }),
            "down" => Err(Problem::Unavailable { reason: "registry.example answers 503".into(), retry_after: None }),
            _ => {
                let digest = match &ask.subject {
                    Subject::Digest(digest) => digest.clone(),
                    other => sha256(format!("{} {other}", ask.repository).as_bytes()),
                };
                Ok(Resolved { digest, bytes: None })
            }
        }
    }

    fn open(&self, ask: &Ask, _: &str) -> Result<Opened, Problem> {
        let file = match ask.repository.rsplit('/').next().unwrap() {
            "bad" => "demo",
            "slow" => {
                sleep(Duration::from_secs(4));
                "good"
            }
            _ => "good",
        };
        let input = root().join(format!("testdata/images/{file}.tar"));
        Ok(Opened::Request(Box::new(source::Request { input, ..source::Request::default() })))
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of what a server is assembled by")]
fn parts(_: &Live, _: &Arc<Metrics>, _: &Host) -> Result<Parts, String> {
    Ok(Parts { hooks: vec![kubernetes::routes], ..Parts::new(Arc::new(Named)) })
}

/// A server in this process; it ends with its value.
struct Running {
    api: SocketAddr,
    end: watch::Sender<u32>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(path: &Path, assemble: Assemble) -> Self {
        let path = path.to_owned();
        let config = config::load(&path, &HOST).unwrap_or_else(|faults| panic!("{faults:?}"));
        let (end, ending) = watch::channel(0);
        let (bound, started) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(&path, config, HOST, assemble).await.unwrap();
                bound.send(server.addresses().api).unwrap();
                let mut asked = 0;
                server
                    .serve(move || {
                        asked += 1;
                        let (mut ending, wanted) = (ending.clone(), asked);
                        async move { drop(ending.wait_for(|count| *count >= wanted).await) }
                    })
                    .await;
            });
            runtime.shutdown_timeout(Duration::from_millis(100));
        });
        Self { api: started.recv().unwrap(), end, thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end.send_modify(|count| *count += 2);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
