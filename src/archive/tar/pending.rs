//! The extension headers before an entry, and how they change it.

use super::header::Header;
use super::number::until_nul;
use super::pax::Records;
use super::sparse::{Fault, Map, announced};
use super::{Entry, EntryKind};
use crate::archive::Error;
use crate::limits::Limits;
use crate::oci::{Code, escape};

/// What an octal size field can say at most; writers of larger files put this or 0 there, and the size into a PAX record.
const OCTAL_SIZE_MAX: i64 = 0o777_7777_7777;

/// Names and values, sorted by name.
type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// Extension headers in a row, waiting for their entry.
#[derive(Debug, Default)]
pub(super) struct Pending {
    records: Option<Records>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    count: u64,
    remarks: Vec<(Code, String)>,
}

/// An entry with its extension headers applied, before its content.
pub(super) struct Prepared {
    pub(super) entry: Entry,
    /// Bytes of content in the tar, map included.
    pub(super) stored: u64,
    /// Logical bytes, which a sparse file's records may set; negative ones are refused with the map.
    pub(super) size: i64,
    pub(super) map: Option<Map>,
}

impl Pending {
    /// Counts one more extension header. Err when there are too many in a row.
    pub(super) fn count(&mut self, limits: &Limits) -> Result<(), Error> {
        self.count = self.count.saturating_add(1);
        Ok(limits.tar_extensions(self.count)?)
    }

    /// Notes once that a header of these has a checksum over signed bytes.
    pub(super) fn note_signed_checksum(&mut self) {
        self.remark(Code::TarSignedChecksum, || "the header's checksum is right over signed bytes alone".into());
    }

    /// Takes a complete extension header of type `x`, `L` or `K`.
    pub(super) fn add(&mut self, type_flag: u8, content: &[u8]) -> Result<(), &'static str> {
        let (replaced, kind) = match type_flag {
            b'L' => (self.long_name.replace(until_nul(content).to_vec()).is_some(), "GNU long names"),
            b'K' => (self.long_link.replace(until_nul(content).to_vec()).is_some(), "GNU long link targets"),
            _ => (self.records.replace(Records::parse(content)?).is_some(), "PAX headers"),
        };
        if replaced {
            self.remark(Code::MixedExtensionHeaders, || format!("several {kind} for one entry, the last counts"));
        }
        if self.records.is_some() && (self.long_name.is_some() || self.long_link.is_some()) {
            self.remark(Code::MixedExtensionHeaders, || "PAX and GNU headers for one entry, the GNU names count".into());
        }
        Ok(())
    }

    /// A global header: an entry of its own, which drops the extension headers before it.
    pub(super) fn into_global(mut self, header: Header, content: &[u8], offset: u64) -> Result<Entry, String> {
        if self.records.is_some() || self.long_name.is_some() || self.long_link.is_some() {
            self.remark(Code::MixedExtensionHeaders, || "a global PAX header drops the extension headers before it".into());
        }
        let records = Records::parse(content)?;
        // Go ignores a bad value here, and then applies the others in random order
        for key in ["uid", "gid", "size"] {
            records.integer(key)?;
        }
        records.check_times()?;
        let mut keys = records.keys().filter(|key| *key != b"comment");
        if let Some(key) = keys.next() {
            let more = keys.count();
            self.remark(Code::PaxGlobalRecord, || match more {
                0 => format!("the record {}", escape(key)),
                _ => format!("the record {} and {more} more", escape(key)),
            });
        }
        self.note_repeated(&records);
        Ok(Entry {
            kind: EntryKind::PaxGlobal,
            path: records.text("path").map_or(header.name, <[u8]>::to_vec),
            link: Vec::new(),
            mode: 0,
            uid: 0,
            gid: 0,
            size: 0,
            dev_major: 0,
            dev_minor: 0,
            xattrs: Vec::new(),
            is_sparse: false,
            remarks: self.remarks,
            offset,
        })
    }

    /// Applies the extension headers to the entry's own header.
    pub(super) fn into_entry(mut self, mut header: Header, offset: u64, limits: &Limits) -> Result<Prepared, Error> {
        let malformed = |reason: &str| Error::Tar { offset, reason: reason.into() };
        let header_size = header.size;
        if header_size < 0 && !header.is_bodyless() {
            return Err(malformed("the size is negative"));
        }
        let records = self.records.take().unwrap_or_default();
        merge(&mut header, &records).map_err(|reason| malformed(&reason))?;
        self.apply_names(&mut header);
        if header.type_flag == 0 {
            header.type_flag = if header.name.ends_with(b"/") { b'5' } else { b'0' };
        }
        let stored =
            if header.is_bodyless() { 0 } else { u64::try_from(header.size).map_err(|_| malformed("the size is negative"))? };
        self.note_sizes(&header, header_size);
        self.note_repeated(&records);

        let map = announced(&records, limits).map_err(|fault| fault.at(offset))?;
        if map.is_some() {
            if header.is_bodyless() {
                return Err(malformed("an entry without content has a sparse map"));
            }
            sparse_fields(&mut header, &records).map_err(malformed)?;
            self.remark(Code::TarSparse, || format!("{stored} bytes are stored of {}", header.size));
        }
        let kind = kind(&header, offset)?;
        if kind == EntryKind::File && header.name.ends_with(b"/") {
            self.remark(Code::FileNameTrailingSlash, || "type 0 with a trailing slash, runtimes make a file".into());
        }
        let xattrs = xattrs(&records, limits)?;
        if records.with_prefix("LIBARCHIVE.xattr.").next().is_some() {
            self.remark(Code::XattrLibarchive, || "runtimes read SCHILY.xattr records alone".into());
        }
        let size = header.size;
        let entry = Entry {
            kind,
            path: header.name,
            link: header.link,
            mode: header.mode,
            uid: header.uid,
            gid: header.gid,
            size: if kind == EntryKind::File { u64::try_from(size).unwrap_or_default() } else { 0 },
            dev_major: header.dev_major,
            dev_minor: header.dev_minor,
            xattrs,
            is_sparse: map.is_some(),
            remarks: self.remarks,
            offset,
        };
        Ok(Prepared { entry, stored, size, map })
    }

    /// GNU long names beat those of PAX records.
    fn apply_names(&mut self, header: &mut Header) {
        if let Some(name) = self.long_name.take().filter(|name| !name.is_empty()) {
            header.name = name;
            header.has_gnu_prefix = false;
        }
        if let Some(link) = self.long_link.take().filter(|link| !link.is_empty()) {
            header.link = link;
        }
        if header.has_gnu_prefix {
            self.remark(Code::GnuHeaderPrefix, || "the name is read with a prefix, which other readers do not see".into());
        }
    }

    fn note_sizes(&mut self, header: &Header, header_size: i64) {
        let size = header.size;
        if header.is_bodyless() && (size != 0 || header_size != 0) {
            let claimed = if size == 0 { header_size } else { size };
            self.remark(Code::SizeOnBodylessEntry, || format!("the header claims {claimed} bytes"));
        }
        let cannot_be_octal = size > OCTAL_SIZE_MAX && (header_size == 0 || header_size == OCTAL_SIZE_MAX);
        if size != header_size && !cannot_be_octal {
            self.remark(Code::PaxSizeDiffers, || format!("the PAX record says {size} bytes, the header {header_size}"));
        }
    }

    fn note_repeated(&mut self, records: &Records) {
        if let Some(key) = &records.repeated {
            self.remark(Code::MixedExtensionHeaders, || format!("the PAX record {} comes twice, the last counts", escape(key)));
        }
    }

    /// Every code at most once.
    fn remark(&mut self, code: Code, detail: impl FnOnce() -> String) {
        if self.remarks.iter().all(|(noted, _)| *noted != code) {
            self.remarks.push((code, detail()));
        }
    }
}

impl Fault {
    pub(super) fn at(self, offset: u64) -> Error {
        match self {
            Self::Malformed(reason) => Error::Tar { offset, reason: reason.into() },
            Self::Other(error) => error,
        }
    }
}

fn merge(header: &mut Header, records: &Records) -> Result<(), String> {
    records.check_times()?;
    if let Some(uid) = records.integer("uid")? {
        header.uid = uid;
    }
    if let Some(gid) = records.integer("gid")? {
        header.gid = gid;
    }
    if let Some(size) = records.integer("size")? {
        header.size = size;
    }
    if let Some(path) = records.text("path") {
        header.name = path.to_vec();
        header.has_gnu_prefix = false;
    }
    if let Some(link) = records.text("linkpath") {
        header.link = link.to_vec();
    }
    Ok(())
}

fn sparse_fields(header: &mut Header, records: &Records) -> Result<(), &'static str> {
    if let Some(name) = records.text("GNU.sparse.name") {
        header.name = name.to_vec();
    }
    let key = if records.text("GNU.sparse.size").is_some() { "GNU.sparse.size" } else { "GNU.sparse.realsize" };
    if let Some(size) = records.integer(key).map_err(|_| "the sparse file's size is no number")? {
        header.size = size;
    }
    Ok(())
}

fn kind(header: &Header, offset: u64) -> Result<EntryKind, Error> {
    Ok(match header.type_flag {
        b'0' => EntryKind::File,
        b'1' => EntryKind::HardLink,
        b'2' => EntryKind::Symlink,
        b'3' => EntryKind::CharDevice,
        b'4' => EntryKind::BlockDevice,
        b'5' => EntryKind::Directory,
        b'6' => EntryKind::Fifo,
        other => {
            return Err(Error::TarEntryType { offset, type_flag: escape(&[other]), path: header.name.clone() });
        }
    })
}

fn xattrs(records: &Records, limits: &Limits) -> Result<Xattrs, Error> {
    let mut total = 0_u64;
    records
        .with_prefix("SCHILY.xattr.")
        .map(|(name, value)| {
            limits.xattr_bytes(value.len() as u64)?;
            total = total.saturating_add(name.len() as u64).saturating_add(value.len() as u64);
            limits.xattrs_bytes(total)?;
            Ok((name.to_vec(), value.to_vec()))
        })
        .collect()
}
