//! A server in the process of the tests, for those of the API, the gate and the hooks of Kubernetes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plimsoll::policy::{self, Date};
use plimsoll::serve::config;
use plimsoll::serve::engine::{Opened, Problem, Resolved};
use plimsoll::serve::host::Host;
use plimsoll::serve::key::sha256;
use plimsoll::serve::run::{Addresses, Assemble, Server};
use plimsoll::serve::{Ask, verdict::Subject};
use plimsoll::source;
use tokio::sync::{Notify, watch};

/// The world as the command line has it.
pub(crate) const HOST: Host = Host {
    read: |path, _| std::fs::read_to_string(path).map_err(|error| error.to_string()),
    open_policy: |name| {
        policy::load(name, &mut |path| std::fs::read_to_string(path).map_err(|error| error.to_string()), |_| Ok(()))
    },
    today: || Date::of_unix_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()),
};

/// A server in this process; it ends with its value.
pub(crate) struct InProcess {
    pub(crate) at: Addresses,
    /// Has it read its files again.
    pub(crate) again: Arc<Notify>,
    /// How often it was told to end.
    pub(crate) end: watch::Sender<u32>,
    thread: Option<JoinHandle<()>>,
}

impl InProcess {
    /// With the configuration that stands there.
    pub(crate) fn start(path: &Path, assemble: Assemble) -> Self {
        let path = path.to_owned();
        let config = config::load(&path, &HOST).unwrap_or_else(|faults| panic!("{faults:?}"));
        let (end, ending) = watch::channel(0);
        let (bound, started) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(&path, config, HOST, assemble).await.unwrap();
                bound.send((server.addresses(), Arc::clone(&server.again))).unwrap();
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
        let (at, again) = started.recv().unwrap();
        Self { at, again, end, thread: Some(thread) }
    }

    /// Tells it to end, and waits until it has.
    pub(crate) fn finish(mut self) {
        self.end.send_modify(|count| *count += 1);
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.end.send_modify(|count| *count += 2);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The last part of a repository, by which stand-ins know how to behave.
pub(crate) fn last(ask: &Ask) -> &str {
    ask.repository.rsplit('/').next().unwrap()
}

/// An image that is there: every tag has a digest of its own.
#[expect(clippy::unnecessary_wraps, reason = "the shape of what an image is resolved to")]
pub(crate) fn resolved(ask: &Ask) -> Result<Resolved, Problem> {
    let digest = match &ask.subject {
        Subject::Digest(digest) => digest.clone(),
        other => sha256(format!("{} {other}", ask.repository).as_bytes()),
    };
    Ok(Resolved { digest, bytes: None })
}

/// An image of `testdata/images` in place of one in a registry.
#[expect(clippy::unnecessary_wraps, reason = "the shape of what an image is opened as")]
pub(crate) fn opened(name: &str) -> Result<Opened, Problem> {
    let input = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/images/{name}.tar"));
    Ok(Opened::Request(Box::new(source::Request { input, ..source::Request::default() })))
}
