//! `ld.so.cache`: where ldconfig says that libraries lie (glibc's `dl-cache.h`). Only the form that glibc has written since 2.2 is
//! read, also behind the older one that stood before it until 2.32.

use std::collections::HashMap;

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const HEADER_BYTES: usize = 48;
const ENTRY_BYTES: usize = 24;

const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";
const OLD_HEADER_BYTES: usize = 16;
const OLD_ENTRY_BYTES: usize = 12;

/// Names and paths are no longer (NAME_MAX, PATH_MAX).
const NAME_BYTES: usize = 255;
const PATH_BYTES: usize = 4_095;

/// One library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'b> {
    /// Kind of library and machine.
    pub(super) flags: u32,
    /// What the processor must be able to do; 0 for any.
    pub(super) hwcap: u64,
    /// Absolute path.
    pub(super) path: &'b [u8],
}

/// The libraries by name, in the order of the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cache<'b> {
    entries: HashMap<&'b [u8], Vec<Entry<'b>>>,
}

impl<'b> Cache<'b> {
    /// Reads a cache, written on a machine of this byte order. Err says why a loader takes nothing, or not all, from it; glibc
    /// goes on without.
    pub(super) fn parse(bytes: &'b [u8], is_little_endian: bool) -> Result<Self, &'static str> {
        let number = |at: usize| u32_at(bytes, at, is_little_endian);
        let bytes = if bytes.starts_with(OLD_MAGIC.get(..11).unwrap_or(OLD_MAGIC)) {
            let count = usize::try_from(number(12).ok_or("it is cut off")?).unwrap_or(usize::MAX);
            let end = count.saturating_mul(OLD_ENTRY_BYTES).saturating_add(OLD_HEADER_BYTES);
            // aligned as the machine aligns 64-bit numbers
            let starts = [end.checked_next_multiple_of(8), end.checked_next_multiple_of(4)];
            let new = starts.into_iter().flatten().filter_map(|start| bytes.get(start..)).find(|rest| rest.starts_with(MAGIC));
            new.ok_or("it is of a form that glibc has not written since 2.2")?
        } else {
            bytes
        };
        if !bytes.starts_with(MAGIC) {
            return Err("it is no cache of glibc");
        }
        Self::parse_new(bytes, is_little_endian)
    }

    fn parse_new(bytes: &'b [u8], is_little_endian: bool) -> Result<Self, &'static str> {
        const LITTLE: u8 = 2;
        const BIG: u8 = 3;
        let order = bytes.get(28).map(|flags| flags & 3);
        if order == Some(if is_little_endian { BIG } else { LITTLE }) {
            return Err("it is of another byte order");
        }
        let count = usize::try_from(u32_at(bytes, 20, is_little_endian).ok_or("it is cut off")?).unwrap_or(usize::MAX);
        let rest = bytes.get(HEADER_BYTES..).ok_or("it is cut off")?;
        let table = count.checked_mul(ENTRY_BYTES).and_then(|length| rest.get(..length)).ok_or("it is cut off")?;
        let mut entries: HashMap<&[u8], Vec<Entry<'_>>> = HashMap::new();
        for entry in table.chunks_exact(ENTRY_BYTES) {
            let number = |at| u32_at(entry, at, is_little_endian).unwrap_or_default();
            let (high, low) = if is_little_endian { (20, 16) } else { (16, 20) };
            let hwcap = u64::from(number(high)) << 32 | u64::from(number(low));
            let name = text(bytes, number(4), NAME_BYTES).ok_or("it names strings that are not there")?;
            let path = text(bytes, number(8), PATH_BYTES).ok_or("it names strings that are not there")?;
            entries.entry(name).or_default().push(Entry { flags: number(0), hwcap, path });
        }
        Ok(Self { entries })
    }

    /// The paths of a library, those for any processor first.
    pub(super) fn paths<'c>(&'c self, name: &[u8], flags: &'c [u32]) -> impl Iterator<Item = &'b [u8]> + 'c {
        let found = self.entries.get(name).map(Vec::as_slice).unwrap_or_default();
        let of_machine = move |entry: &&Entry<'b>| flags.is_empty() || entry.flags == 1 || flags.contains(&entry.flags);
        let plain = found.iter().filter(|entry| entry.hwcap == 0);
        let other = found.iter().filter(|entry| entry.hwcap != 0);
        plain.chain(other).filter(of_machine).map(|entry| entry.path)
    }
}

fn u32_at(bytes: &[u8], at: usize, is_little_endian: bool) -> Option<u32> {
    let bytes = *bytes.get(at..)?.first_chunk()?;
    Some(if is_little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
}

/// The text at an offset, of at most so many bytes before its NUL.
fn text(bytes: &[u8], at: u32, most: usize) -> Option<&[u8]> {
    let rest = bytes.get(usize::try_from(at).ok()?..)?;
    let rest = rest.get(..=most).unwrap_or(rest);
    rest.get(..memchr::memchr(0, rest)?)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A cache of flags, hwcap, name and path.
    #[expect(clippy::arithmetic_side_effects, reason = "a few entries")]
    pub(in crate::facts::linking) fn written(libraries: &[(u32, u64, &str, &str)], is_little_endian: bool) -> Vec<u8> {
        let word = |value: u32| if is_little_endian { value.to_le_bytes() } else { value.to_be_bytes() };
        let long = |value: u64| if is_little_endian { value.to_le_bytes() } else { value.to_be_bytes() };
        let mut strings = Vec::new();
        let strings_at = HEADER_BYTES + libraries.len() * ENTRY_BYTES;
        let mut add = |text: &str| {
            let at = strings_at + strings.len();
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
            word(u32::try_from(at).unwrap())
        };
        let mut table = Vec::new();
        for (flags, hwcap, name, path) in libraries {
            let (name, path) = (add(name), add(path));
            table.extend([word(*flags), name, path, word(0)].concat());
            table.extend(long(*hwcap));
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend(word(u32::try_from(libraries.len()).unwrap()));
        bytes.extend(word(0));
        bytes.push(if is_little_endian { 2 } else { 3 });
        bytes.resize(HEADER_BYTES, 0);
        bytes.extend(table);
        bytes.extend(strings);
        bytes
    }

    fn paths(bytes: &[u8], name: &str, flags: &[u32]) -> Vec<String> {
        let cache = Cache::parse(bytes, true).unwrap();
        cache.paths(name.as_bytes(), flags).map(|path| path.escape_ascii().to_string()).collect()
    }

    #[test]
    fn libraries_are_found_by_name_and_machine_those_for_any_processor_first() {
        let bytes = written(
            &[
                (0x303, 1 << 62, "liba.so.1", "/lib/glibc-hwcaps/x86-64-v3/liba.so.1"),
                (3, 0, "liba.so.1", "/lib32/liba.so.1"),
                (0x303, 0, "liba.so.1", "/lib/liba.so.1"),
            ],
            true,
        );
        assert_eq!(paths(&bytes, "liba.so.1", &[0x303]), ["/lib/liba.so.1", "/lib/glibc-hwcaps/x86-64-v3/liba.so.1"]);
        assert_eq!(paths(&bytes, "liba.so.1", &[]).len(), 3);
        assert!(paths(&bytes, "libb.so.1", &[]).is_empty());
    }

    #[test]
    fn the_older_form_before_it_is_passed_over() {
        for entries in [1, 2] {
            let mut bytes = b"ld.so-1.7.0\0".to_vec();
            bytes.extend(u32::to_le_bytes(entries));
            bytes.resize((16 + 12 * entries as usize).next_multiple_of(8), 0);
            bytes.extend(written(&[(0x303, 0, "a", "/a")], true));
            assert_eq!(paths(&bytes, "a", &[0x303]), ["/a"]);
        }
        assert!(Cache::parse(b"ld.so-1.7.0\0\0\0\0\0", true).unwrap_err().contains("since 2.2"));
    }

    #[test]
    fn byte_orders_are_told_apart() {
        let big = written(&[(0x403, 0, "a", "/a")], false);
        assert_eq!(Cache::parse(&big, true), Err("it is of another byte order"));
        assert!(Cache::parse(&big, false).unwrap().paths(b"a", &[0x403]).eq([b"/a"]));
    }

    #[test]
    fn what_is_cut_off_or_leads_nowhere_is_an_error() {
        let bytes = written(&[(0x303, 0, "a", "/a")], true);
        for cut in [0, 5, 22, 40, 60] {
            assert!(Cache::parse(&bytes[..cut], true).is_err(), "{cut}");
        }
        assert_eq!(Cache::parse(&bytes[..bytes.len() - 1], true), Err("it names strings that are not there"));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, is_little_endian: bool, has_magic: bool) {
            let bytes = if has_magic { [MAGIC, &bytes].concat() } else { bytes };
            if let Ok(cache) = Cache::parse(&bytes, is_little_endian) {
                proptest::prop_assert!(cache.entries.values().map(Vec::len).sum::<usize>() <= bytes.len() / ENTRY_BYTES);
            }
            let _ = Cache::parse(&[OLD_MAGIC, &bytes].concat(), is_little_endian);
        }
    }
}
