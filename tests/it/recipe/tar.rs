//! One line of a recipe to the tar blocks it stands for, header field by header field.

use serde::Deserialize;

use super::text::bytes;

/// A tar member, or bytes among the members. Exactly one of the fields up to `zero_blocks` is given; it names the kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Entry {
    file: Option<String>,
    dir: Option<String>,
    symlink: Option<String>,
    hardlink: Option<String>,
    char: Option<String>,
    block: Option<String>,
    fifo: Option<String>,
    /// What `.wh.` is put before.
    whiteout: Option<String>,
    /// The folder that `.wh..wh..opq` is put into, empty for the root.
    opaque: Option<String>,
    /// Any other type: the name, with `type`.
    member: Option<String>,
    /// Records of a PAX header for the next member.
    pax: Option<Vec<(String, String)>>,
    /// The text of such a header, when it is to be malformed.
    pax_text: Option<String>,
    /// Records of a global PAX header; its own name is `name`.
    global: Option<Vec<(String, String)>>,
    gnu_long_name: Option<String>,
    gnu_long_link: Option<String>,
    /// Bytes as they are.
    raw: Option<String>,
    zero_blocks: Option<usize>,

    /// Target of a link.
    to: String,
    text: String,
    /// Zero bytes as content.
    zeros: usize,
    mode: Option<String>,
    uid: i64,
    gid: i64,
    mtime: Option<i64>,
    device: Option<(u32, u32)>,
    name: Option<String>,
    r#type: Option<String>,
    /// The size field, when it is not the length of the content.
    size: Option<i64>,
    /// `ustar` (default), `gnu` or `v7`.
    format: Option<String>,
    prefix: String,
    /// `signed`, or `wrong`: one too many.
    checksum: Option<String>,
    /// Bytes written over the header at these offsets, before the checksum.
    patch: Vec<(usize, String)>,
}

/// Seconds since 1970 of every member that does not say otherwise.
const MTIME: i64 = 1_700_000_000;

struct Member<'a> {
    name: Vec<u8>,
    type_flag: u8,
    mode: &'a str,
    content: Vec<u8>,
    format: &'a str,
    mtime: i64,
}

impl Entry {
    /// The blocks of the entry.
    pub(crate) fn blocks(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return bytes(raw);
        }
        if let Some(count) = self.zero_blocks {
            return vec![0; count * 512];
        }
        let member = self.member();
        let mut out = self.header(&member).to_vec();
        out.extend_from_slice(&member.content);
        out.resize(out.len().next_multiple_of(512), 0);
        out
    }

    fn member(&self) -> Member<'_> {
        let format = self.format.as_deref().unwrap_or("ustar");
        let extension =
            |type_flag, name: &str, content| Member { name: bytes(name), type_flag, mode: "0644", content, format, mtime: MTIME };
        if let Some(records) = &self.pax {
            return extension(b'x', "PaxHeaders/p", pax_records(records));
        }
        if let Some(text) = &self.pax_text {
            return extension(b'x', "PaxHeaders/p", bytes(text));
        }
        if let Some(records) = &self.global {
            return extension(b'g', self.name.as_deref().unwrap_or("pax_global_header"), pax_records(records));
        }
        for (text, type_flag) in [(&self.gnu_long_name, b'L'), (&self.gnu_long_link, b'K')] {
            if let Some(text) = text {
                let content = [bytes(text), vec![0]].concat();
                return Member { mode: "0", format: "gnu", mtime: 0, ..extension(type_flag, "././@LongLink", content) };
            }
        }
        let (name, type_flag, mode) = self.plain();
        let mut content = bytes(&self.text);
        content.resize(content.len() + self.zeros, 0);
        let type_flag = self.r#type.as_ref().map_or(type_flag, |text| bytes(text)[0]);
        let mode = self.mode.as_deref().unwrap_or(mode);
        Member { name, type_flag, mode, content, format, mtime: self.mtime.unwrap_or(MTIME) }
    }

    fn plain(&self) -> (Vec<u8>, u8, &'static str) {
        if let Some(path) = &self.dir {
            return ([bytes(path), b"/".to_vec()].concat(), b'5', "0755");
        }
        if let Some(path) = &self.whiteout {
            let (folder, name) = path.rsplit_once('/').map_or(("", path.as_str()), |(folder, name)| (folder, name));
            let slash = if folder.is_empty() { "" } else { "/" };
            return (bytes(&format!("{folder}{slash}.wh.{name}")), b'0', "0644");
        }
        if let Some(folder) = &self.opaque {
            let slash = if folder.is_empty() { "" } else { "/" };
            return (bytes(&format!("{folder}{slash}.wh..wh..opq")), b'0', "0644");
        }
        let kinds = [
            (&self.file, b'0', "0644"),
            (&self.symlink, b'2', "0777"),
            (&self.hardlink, b'1', "0644"),
            (&self.char, b'3', "0666"),
            (&self.block, b'4', "0660"),
            (&self.fifo, b'6', "0600"),
            (&self.member, b'0', "0644"),
        ];
        let (path, type_flag, mode) =
            kinds.into_iter().find_map(|(path, flag, mode)| Some((path.as_ref()?, flag, mode))).expect("an entry has a kind");
        (bytes(path), type_flag, mode)
    }

    fn header(&self, member: &Member<'_>) -> [u8; 512] {
        let mut header = [0; 512];
        put(&mut header, 0, &member.name);
        let mode = i64::from_str_radix(member.mode, 8).expect("a mode is octal");
        put(&mut header, 100, &number(mode, 8));
        put(&mut header, 108, &number(self.uid, 8));
        put(&mut header, 116, &number(self.gid, 8));
        let size = self.size.unwrap_or(i64::try_from(member.content.len()).expect("content is small"));
        put(&mut header, 124, &number(size, 12));
        put(&mut header, 136, &number(member.mtime, 12));
        header[156] = member.type_flag;
        put(&mut header, 157, &bytes(&self.to));
        match member.format {
            "ustar" => put(&mut header, 257, b"ustar\x0000"),
            "gnu" => put(&mut header, 257, b"ustar  \0"),
            "v7" => {}
            other => panic!("no tar format is called {other}"),
        }
        if let Some((major, minor)) = self.device {
            put(&mut header, 329, &number(major.into(), 8));
            put(&mut header, 337, &number(minor.into(), 8));
        }
        put(&mut header, 345, &bytes(&self.prefix));
        for (offset, text) in &self.patch {
            put(&mut header, *offset, &bytes(text));
        }
        self.seal(&mut header);
        header
    }

    fn seal(&self, header: &mut [u8; 512]) {
        header[148..156].fill(b' ');
        let unsigned: i64 = header.iter().map(|byte| i64::from(*byte)).sum();
        let sum = match self.checksum.as_deref() {
            None => unsigned,
            Some("signed") => header.iter().map(|byte| i64::from(byte.cast_signed())).sum(),
            Some("wrong") => unsigned + 1,
            Some(other) => panic!("no checksum is called {other}"),
        };
        put(header, 148, format!("{sum:06o}\0 ").as_bytes());
    }
}

fn put(header: &mut [u8; 512], offset: usize, field: &[u8]) {
    header[offset..offset + field.len()].copy_from_slice(field);
}

/// Octal digits and a NUL, or base-256 where they do not fit.
fn number(value: i64, width: usize) -> Vec<u8> {
    let octal = format!("{value:0digits$o}\0", digits = width - 1);
    if value >= 0 && octal.len() == width {
        return octal.into_bytes();
    }
    let mut field = vec![if value < 0 { 0xff } else { 0 }; width];
    field[width - 8..].copy_from_slice(&value.to_be_bytes());
    field[0] |= 0x80;
    field
}

/// PAX records: each begins with its own length.
fn pax_records(records: &[(String, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in records {
        let body = [b" ", bytes(key).as_slice(), b"=", &bytes(value), b"\n"].concat();
        let mut length = body.len();
        while length != body.len() + length.to_string().len() {
            length = body.len() + length.to_string().len();
        }
        out.extend_from_slice(length.to_string().as_bytes());
        out.extend_from_slice(&body);
    }
    out
}
