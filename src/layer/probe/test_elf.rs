//! ELF files for the tests of the probe: 64-bit, little-endian, one loaded segment, whatever dynamic entries a test asks for.

#![expect(clippy::arithmetic_side_effects, reason = "tests count on small numbers of their own")]

/// What a file is to hold.
#[derive(Default)]
pub(super) struct TestElf {
    /// More program headers: type, flags, address, length.
    pub(super) headers: Vec<(u32, u32, u64, u64)>,
    /// More dynamic entries.
    pub(super) entries: Vec<(u64, u64)>,
    /// The string table.
    pub(super) strings: Vec<u8>,
    /// Tables of version needs and definitions.
    pub(super) needs: Vec<u8>,
    pub(super) definitions: Vec<u8>,
    /// Loaded bytes after all tables.
    pub(super) more: Vec<u8>,
    /// A section, with its bytes: its name and length.
    pub(super) section: Option<(&'static str, usize)>,
}

/// Bytes of a file header and of a program header.
const HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;

fn words(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn halves(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

impl TestElf {
    /// Address of the dynamic segment.
    pub(super) fn dynamic_at(&self) -> u64 {
        HEADER + (2 + self.headers.len() as u64) * PROGRAM_HEADER
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let count = self.entries.len() as u64 + 3 + u64::from(!self.needs.is_empty()) + u64::from(!self.definitions.is_empty());
        let strings_at = self.dynamic_at() + count * 16;
        let needs_at = strings_at + self.strings.len() as u64;
        let definitions_at = needs_at + self.needs.len() as u64;
        let end = definitions_at + (self.definitions.len() + self.more.len()) as u64;
        let mut dynamic: Vec<u64> = self.entries.iter().flat_map(|(tag, value)| [*tag, *value]).collect();
        for (tag, at, table) in [(0x6fff_fffe, needs_at, &self.needs), (0x6fff_fffc, definitions_at, &self.definitions)] {
            if !table.is_empty() {
                dynamic.extend([tag, at]);
            }
        }
        dynamic.extend([5, strings_at, 10, self.strings.len() as u64, 0, 0]);
        let own = [(1, 5, 0, end), (2, 6, self.dynamic_at(), count * 16)];
        let headers = own.iter().chain(&self.headers);
        let mut loaded = Vec::new();
        for (kind, flags, address, length) in headers {
            loaded.extend(u64::from(*kind).to_le_bytes()[..4].to_vec());
            loaded.extend(flags.to_le_bytes());
            loaded.extend(words(&[*address, *address, *address, *length, *length, 1]));
        }
        loaded.extend(words(&dynamic));
        for table in [&self.strings, &self.needs, &self.definitions, &self.more] {
            loaded.extend(table);
        }
        let sections = self.sections(end);
        let sections_at = if sections.is_empty() { 0 } else { end + sections.len() as u64 - 3 * 64 };
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0".to_vec();
        bytes.extend(words(&[0, HEADER, sections_at]));
        let section_count = if sections.is_empty() { 0 } else { 3 };
        bytes.extend(halves(&[0, 0, 64, 56, 2 + u16::try_from(self.headers.len()).unwrap(), 64, section_count, 2]));
        [bytes, loaded, sections].concat()
    }

    /// The section's bytes, the names, the section headers.
    fn sections(&self, at: u64) -> Vec<u8> {
        let Some((name, length)) = self.section else { return Vec::new() };
        let names = format!("\0{name}\0.shstrtab\0");
        let header = |name: u32, kind: u32, offset: u64, length: u64| {
            let mut bytes = [name.to_le_bytes(), kind.to_le_bytes()].concat();
            bytes.extend(words(&[0, 0, offset, length, 0, 1, 0]));
            bytes
        };
        let mut bytes = vec![b'd'; length];
        bytes.extend(names.as_bytes());
        bytes.extend(header(0, 0, 0, 0));
        bytes.extend(header(1, 1, at, length as u64));
        bytes.extend(header(u32::try_from(name.len()).unwrap() + 2, 3, at + length as u64, names.len() as u64));
        bytes
    }
}
