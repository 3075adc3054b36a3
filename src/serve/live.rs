//! The configuration as it is now; who has begun with one goes on with it.

use std::sync::Arc;

use tokio::sync::watch;

use super::config::Config;

/// A view of the configuration that is always the newest.
#[derive(Debug, Clone)]
pub struct Live(watch::Receiver<Arc<Config>>);

impl Live {
    /// The configuration, and the handle that replaces it.
    #[must_use]
    pub fn new(config: Config) -> (watch::Sender<Arc<Config>>, Self) {
        let (sender, receiver) = watch::channel(Arc::new(config));
        (sender, Self(receiver))
    }

    /// The configuration as it is now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.0.borrow())
    }
}
