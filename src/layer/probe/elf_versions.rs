//! Tables of symbol versions, DT_VERNEED and DT_VERDEF, as glibc follows them: from entry to entry by offsets, until one is zero
//! (Linux Standard Base, "Symbol Versioning"). Counts are looked at by nobody.

use super::elf_dynamic::Strings;
use super::elf_facts::{NeededVersion, VersionNeed};

/// Bytes that one table may span; those of libc and libstdc++ have less than 4 KiB.
pub(super) const MOST_BYTES: u64 = 256 * 1024;

/// Entries that are followed in one table: offsets may lead into the middle of other entries.
const MOST_ENTRIES: u32 = 16 * 1024;

const WEAK: u16 = 2;

/// One table and how far it was followed.
struct Table<'b> {
    bytes: &'b [u8],
    is_little_endian: bool,
    entries: u32,
}

/// Why a table was left.
type Fault = String;

impl<'b> Table<'b> {
    fn new(bytes: &'b [u8], is_little_endian: bool) -> Self {
        Self { bytes, is_little_endian, entries: 0 }
    }

    /// Counts an entry at `at`.
    fn enter(&mut self, at: u64) -> Result<u64, Fault> {
        self.entries = self.entries.saturating_add(1);
        if self.entries > MOST_ENTRIES {
            return Err(format!("its version tables have more than {MOST_ENTRIES} entries"));
        }
        Ok(at)
    }

    fn field<const N: usize>(&self, at: u64, offset: u64) -> Result<[u8; N], Fault> {
        let start = usize::try_from(at.saturating_add(offset)).unwrap_or(usize::MAX);
        let bytes = self.bytes.get(start..).and_then(|bytes| bytes.first_chunk::<N>());
        bytes.copied().ok_or_else(|| "its version tables lead beyond their segment".to_owned())
    }

    fn half(&self, at: u64, offset: u64) -> Result<u16, Fault> {
        let bytes = self.field(at, offset)?;
        Ok(if self.is_little_endian { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn word(&self, at: u64, offset: u64) -> Result<u64, Fault> {
        let bytes = self.field(at, offset)?;
        Ok(u64::from(if self.is_little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }))
    }

    fn name(&self, at: u64, offset: u64, strings: &mut Strings<'_>) -> Result<Box<[u8]>, Fault> {
        let name = self.word(at, offset)?;
        strings.at(name).map_err(|_| "its version tables name strings that are not there".to_owned())
    }

    /// The entry after that at `at`, whose distance stands at `offset`.
    fn next(&self, at: u64, offset: u64) -> Result<Option<u64>, Fault> {
        let distance = self.word(at, offset)?;
        Ok((distance != 0).then(|| at.saturating_add(distance)))
    }
}

/// What DT_VERNEED asks for, as far as it can be followed.
pub(super) fn needs(bytes: &[u8], is_little_endian: bool, strings: &mut Strings<'_>) -> (Vec<VersionNeed>, Option<Fault>) {
    let mut found = Vec::new();
    let mut table = Table::new(bytes, is_little_endian);
    let fault = follow_needs(&mut table, strings, &mut found).err();
    (found, fault)
}

fn follow_needs(table: &mut Table<'_>, strings: &mut Strings<'_>, found: &mut Vec<VersionNeed>) -> Result<(), Fault> {
    let mut next = (!table.bytes.is_empty()).then_some(0);
    while let Some(at) = next {
        table.enter(at)?;
        if table.half(at, 0)? != 1 {
            return Err("its version needs are of an unknown form".to_owned());
        }
        let mut need = VersionNeed { file: table.name(at, 4, strings)?, versions: Vec::new() };
        let mut auxiliary = Some(at.saturating_add(table.word(at, 8)?));
        while let Some(at) = auxiliary {
            table.enter(at)?;
            let is_weak = table.half(at, 4)? & WEAK != 0;
            need.versions.push(NeededVersion { name: table.name(at, 8, strings)?, is_weak });
            auxiliary = table.next(at, 12)?;
        }
        found.push(need);
        next = table.next(at, 12)?;
    }
    Ok(())
}

/// The names that DT_VERDEF defines, as far as it can be followed.
pub(super) fn definitions(bytes: &[u8], is_little_endian: bool, strings: &mut Strings<'_>) -> (Vec<Box<[u8]>>, Option<Fault>) {
    let mut found = Vec::new();
    let mut table = Table::new(bytes, is_little_endian);
    let fault = follow_definitions(&mut table, strings, &mut found).err();
    (found, fault)
}

fn follow_definitions(table: &mut Table<'_>, strings: &mut Strings<'_>, found: &mut Vec<Box<[u8]>>) -> Result<(), Fault> {
    let mut next = (!table.bytes.is_empty()).then_some(0);
    while let Some(at) = next {
        table.enter(at)?;
        if table.half(at, 0)? != 1 {
            return Err("its version definitions are of an unknown form".to_owned());
        }
        // the first name is the version's own, the others are those it is derived from
        let auxiliary = at.saturating_add(table.word(at, 12)?);
        found.push(table.name(auxiliary, 0, strings)?);
        next = table.next(at, 16)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRINGS: &[u8] = b"\0libc.so.6\0GLIBC_2.36\0GLIBC_2.2.5\0libm.so.6\0";

    fn need(next: u32, file: u32) -> Vec<u8> {
        let mut bytes = [1_u16.to_le_bytes(), 9_u16.to_le_bytes()].concat();
        bytes.extend([file, 16, next].iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }

    fn auxiliary(flags: u16, name: u32, next: u32) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        bytes.extend(flags.to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend([name, next].iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }

    fn read(bytes: &[u8]) -> (Vec<String>, Option<String>) {
        let (needs, fault) = needs(bytes, true, &mut Strings::of(STRINGS, 1_000));
        let text = |need: &VersionNeed| {
            let version = |one: &NeededVersion| format!("{}{}", one.name.escape_ascii(), if one.is_weak { "?" } else { "" });
            format!("{}: {}", need.file.escape_ascii(), need.versions.iter().map(version).collect::<Vec<_>>().join(" "))
        };
        (needs.iter().map(text).collect(), fault)
    }

    #[test]
    fn needs_are_followed_from_file_to_file_whatever_the_counts_say() {
        let bytes = [need(48, 1), auxiliary(0, 11, 16), auxiliary(2, 22, 0), need(0, 34), auxiliary(0, 22, 0)].concat();
        assert_eq!(read(&bytes), (vec!["libc.so.6: GLIBC_2.36 GLIBC_2.2.5?".into(), "libm.so.6: GLIBC_2.2.5".into()], None));
        assert_eq!(read(b""), (vec![], None));
    }

    #[test]
    fn tables_that_lead_nowhere_are_faults_and_keep_what_came_before() {
        let first = [need(32, 1), auxiliary(0, 11, 0)].concat();
        assert_eq!(read(&first).1.as_deref(), Some("its version tables lead beyond their segment"));
        assert_eq!(read(&first).0, ["libc.so.6: GLIBC_2.36"]);
        let other = [first.clone(), vec![2, 0]].concat();
        assert_eq!(read(&other).1.as_deref(), Some("its version needs are of an unknown form"));
        let nameless = [need(0, 1_000), auxiliary(0, 11, 0)].concat();
        assert_eq!(read(&nameless).1.as_deref(), Some("its version tables name strings that are not there"));
    }

    #[test]
    fn entries_that_overlap_end() {
        // an entry of ones is a need whose next is one byte further
        let bytes = vec![1; 200_000];
        let strings = vec![b'a'; 0x0101_0102].into_iter().chain([0]).collect::<Vec<_>>();
        let (_, fault) = needs(&bytes, true, &mut Strings::of(&strings, 1_000));
        assert!(fault.is_some());
        let chain = [need(0, 1), auxiliary(0, 11, 1), [0, 1, 0, 0, 0].repeat(40_000)].concat();
        assert!(read(&chain).0.is_empty(), "a need that cannot be followed is not told");
    }

    #[test]
    fn definitions_are_named_by_their_first_auxiliary_entry() {
        let mut bytes = vec![1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0];
        bytes.extend([20_u32, 0, 11, 0].iter().flat_map(|word| word.to_le_bytes()));
        let (names, fault) = definitions(&bytes, true, &mut Strings::of(STRINGS, 1_000));
        assert_eq!((names, fault), (vec![b"GLIBC_2.36"[..].into()], None));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_tables_never_panic_and_names_are_bounded(bytes: Vec<u8>, strings: Vec<u8>, is_little_endian: bool) {
            let (needs, _) = needs(&bytes, is_little_endian, &mut Strings::of(&strings, 64));
            let versions = needs.iter().flat_map(|need| &need.versions).map(|version| version.name.len());
            proptest::prop_assert!(needs.iter().map(|need| need.file.len()).chain(versions).sum::<usize>() <= 64);
            definitions(&bytes, is_little_endian, &mut Strings::of(&strings, 64));
        }
    }
}
