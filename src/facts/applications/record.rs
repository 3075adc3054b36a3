//! RECORD, the list of the files of a Python distribution (PEP 376, PEP 627): lines of CSV with path, digest and size.

use std::collections::BTreeSet;

use super::super::bodies::Bodies;
use crate::limits::Limits;
use crate::rootfs::{NodeId, Rootfs};

/// Longest path of a RECORD that is followed (the kernel's PATH_MAX without its NUL).
const MOST_PATH_BYTES: usize = 4_095;

/// What a RECORD lists.
#[derive(Debug, Default)]
pub(in crate::facts) struct Record {
    /// The names of its regular files that are in the tree.
    pub(in crate::facts) files: BTreeSet<NodeId>,
    /// First components of listed paths.
    pub(super) tops: BTreeSet<Vec<u8>>,
    /// Why not all of it could be read, one clause.
    pub(super) fault: Option<String>,
}

/// Reads the RECORD of the `.dist-info` folder at `folder`; None when there is none, or it could not be read. `lines` counts those of
/// all RECORDs.
pub(in crate::facts) fn read(bodies: &mut Bodies<'_>, folder: NodeId, lines: &mut u64) -> Option<Record> {
    let rootfs = bodies.rootfs;
    let path = rootfs.path(folder);
    let text = bodies.read(&[&path[..], b"/RECORD"].concat(), Limits::kept_file_bytes)?;
    let site = rootfs.folder_of(folder);
    let site_path = rootfs.path(site);
    let mut record = Record::default();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        *lines = lines.saturating_add(1);
        if let Err(hit) = bodies.limits.package_files(*lines) {
            bodies.report(&path, hit.to_string());
            break;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let (listed, rest) = first_field(line);
        if listed.is_empty() || listed.len() > MOST_PATH_BYTES || rest.split(|byte| *byte == b',').count() != 3 {
            record.fault.get_or_insert_with(|| format!("line {} of its RECORD is malformed", number.saturating_add(1)));
        }
        if listed.is_empty() || listed.len() > MOST_PATH_BYTES {
            continue;
        }
        let top = listed.split(|byte| *byte == b'/').next().unwrap_or_default();
        if !record.tops.contains(top) {
            record.tops.insert(top.to_vec());
        }
        let full = if listed.starts_with(b"/") { listed } else { [&site_path[..], b"/", &listed].concat() };
        let file = bodies.links.resolve(&full).filter(|file| rootfs.inode(*file).is_file());
        record.files.extend(file.filter(|file| is_its_own(rootfs, site, *file)));
    }
    Some(record)
}

/// Installers write below the folder of the packages, and commands into `bin`; a record that names other files is not believed.
fn is_its_own(rootfs: &Rootfs, site: NodeId, file: NodeId) -> bool {
    let folder = rootfs.path(rootfs.folder_of(file));
    folder.ends_with(b"/bin") || folder == rootfs.path(site) || folder.starts_with(&[&rootfs.path(site)[..], b"/"].concat())
}

/// The first field of a line of CSV (RFC 4180), without its quotes, and what follows it.
fn first_field(line: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(quoted) = line.strip_prefix(b"\"") else {
        let end = line.iter().position(|byte| *byte == b',').unwrap_or(line.len());
        let (field, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
        return (field.to_vec(), rest);
    };
    let mut field = Vec::new();
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        // a doubled quote is one, and a single one is the end
        if *byte == b'"' {
            if bytes.as_slice().first() != Some(&b'"') {
                break;
            }
            bytes.next();
        }
        field.push(*byte);
    }
    (field, bytes.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_of_csv_is_unquoted() {
        let first = |line: &'static [u8]| {
            let (field, rest) = first_field(line);
            (String::from_utf8(field).unwrap(), std::str::from_utf8(rest).unwrap())
        };
        assert_eq!(first(b"a/b.py,sha256=x,3"), ("a/b.py".to_owned(), ",sha256=x,3"));
        assert_eq!(first(b"\"a,b\"\"c.py\",x,3"), ("a,b\"c.py".to_owned(), ",x,3"));
        assert_eq!(first(b"\"open,x"), ("open,x".to_owned(), ""));
        assert_eq!(first(b"alone"), ("alone".to_owned(), ""));
        assert_eq!(first(b""), (String::new(), ""));
    }
}
