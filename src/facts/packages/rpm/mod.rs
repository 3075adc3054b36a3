//! rpm's databases: the same header blobs in SQLite, ndb or Berkeley DB files. Read-only, and only their table of packages.

mod bdb;
mod header;
mod ndb;
mod numbers;
mod rich;
mod sqlite;

#[cfg(test)]
mod tests;

use super::asked;
use super::collect::Collector;
use super::{DatabaseKind, Report, Take};
use crate::limits::LimitHit;

/// Folders, in use by: Fedora until 35 and RHEL; Fedora and SUSE since; rpm-ostree.
const FOLDERS: [&str; 3] = ["/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm"];

const FILES: [(&str, DatabaseKind); 3] =
    [("rpmdb.sqlite", DatabaseKind::RpmSqlite), ("Packages.db", DatabaseKind::RpmNdb), ("Packages", DatabaseKind::RpmBdb)];

/// Every path at which a database may be.
pub(super) fn candidates() -> impl Iterator<Item = (Vec<u8>, DatabaseKind)> {
    FOLDERS.into_iter().flat_map(|folder| FILES.map(|(file, kind)| (format!("{folder}/{file}").into_bytes(), kind)))
}

pub(super) fn read(collector: &mut Collector<'_, '_>) {
    let before = collector.count();
    for (path, kind) in candidates() {
        let wal = collector.file_size(&[&*path, b"-wal"].concat()).unwrap_or(0);
        collector.read(kind, &path, |body, take| {
            let mut report = packages(kind, body, take);
            if kind == DatabaseKind::RpmSqlite && wal > 0 {
                let unapplied = format!("WAL not applied: {wal} bytes beside the database may hold later changes");
                report.failure = report.failure.take().or(Some(unapplied));
            }
            report
        });
    }
    if collector.count() > before
        && let Some(states) = collector.body(asked::DNF)
    {
        let mut report = Report::default();
        asked::mark_dnf(states, collector.added_since(before), &mut report);
        report.notes.iter().for_each(|note| collector.note(|database| is_rpm(database.kind), note));
    }
    if collector.databases().iter().filter(|database| is_rpm(database.kind)).count() > 1 {
        collector.note(|database| is_rpm(database.kind), "the image has more than one rpm database");
    }
}

fn is_rpm(kind: DatabaseKind) -> bool {
    matches!(kind, DatabaseKind::RpmSqlite | DatabaseKind::RpmNdb | DatabaseKind::RpmBdb)
}

/// Takes one header blob.
type Blob<'b> = dyn FnMut(&[u8]) -> Result<(), LimitHit> + 'b;

/// Why the rest of a database cannot be read.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{what} at byte {offset}")]
    Form { what: &'static str, offset: usize },
    #[error(transparent)]
    Limit(#[from] LimitHit),
}

fn broken(what: &'static str, offset: usize) -> Broken {
    Broken::Form { what, offset }
}

fn packages(kind: DatabaseKind, body: &[u8], take: &mut Take<'_>) -> Report {
    let mut report = Report::default();
    let mut failure = None;
    let mut blob = |bytes: &[u8]| match header::parse(bytes) {
        Ok((package, files)) => {
            if package.version.is_empty() {
                report.note("a package has no version");
            }
            take(package, &mut files.iter())
        }
        Err(reason) => {
            failure.get_or_insert_with(|| format!("a package's header cannot be read: {reason}"));
            Ok(())
        }
    };
    let end = match kind {
        DatabaseKind::RpmSqlite => sqlite::blobs(body, &mut blob),
        DatabaseKind::RpmNdb => ndb::blobs(body, &mut blob),
        _ => bdb::blobs(body, &mut blob),
    };
    report.failure = end.err().map(|error| error.to_string()).or(failure);
    report
}
