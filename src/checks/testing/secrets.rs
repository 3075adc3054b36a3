//! Images with secrets: in files, in lower layers, in the history.

use std::sync::Arc;

use super::Builder;
use crate::facts::Content;
use crate::oci::History;
use crate::rootfs::{Hidden, InodeKind};
use crate::secret::{CredentialFile, Secrets, search};

fn content(path: &str, text: &str) -> Content {
    let (secrets, _) = search(text.as_bytes(), CredentialFile::at(path.as_bytes()));
    Content { secrets: Some(secrets).filter(|secrets: &Secrets| !secrets.is_empty()).map(Box::new), ..Content::default() }
}

impl Builder {
    /// A text file of mode 0644, searched as layers are.
    pub(in crate::checks) fn searched(&mut self, path: &str, text: &str) -> &mut Self {
        self.add(path, InodeKind::File { size: text.len() as u64 }, 0o644, content(path, text))
    }

    /// A text file that layer `layer` ships, and that `removed_in` takes away.
    pub(in crate::checks) fn hidden(&mut self, path: &str, text: &str, layer: usize, removed_in: Option<usize>) -> &mut Self {
        let content = Arc::new(content(path, text));
        self.hidden.push(Hidden { layer, path: path.as_bytes().to_vec(), content, removed_in });
        self
    }

    /// A variable of the config.
    pub(in crate::checks) fn env(&mut self, entry: &str) -> &mut Self {
        self.runtime.env.push(entry.to_owned());
        self
    }

    /// The next line of the history.
    pub(in crate::checks) fn history(&mut self, created_by: &str) -> &mut Self {
        self.history.push(History { created_by: created_by.to_owned(), ..History::default() });
        self
    }
}
