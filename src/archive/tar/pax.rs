//! The records of a PAX extended header (POSIX.1-2008, pax, "pax Extended Header"), checked as Go checks them.

use std::collections::BTreeMap;

use super::number::decimal;

/// The records of one header: the last value of every key, sorted by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Records {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// A key that came twice, with different values.
    pub(super) repeated: Option<Vec<u8>>,
}

impl Records {
    /// Reads the content of an `x` or `g` header. Err says what is wrong with it.
    pub(super) fn parse(mut content: &[u8]) -> Result<Self, &'static str> {
        let mut records = Self::default();
        let mut sparse_map: Vec<&[u8]> = Vec::new();
        while !content.is_empty() {
            let (key, value, rest) = record(content).ok_or("a PAX record is malformed")?;
            content = rest;
            match key {
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    // sparse format 0.0: pairs of records, in this order
                    let is_offset_next = sparse_map.len().is_multiple_of(2);
                    if (key == b"GNU.sparse.offset") != is_offset_next || value.contains(&b',') {
                        return Err("the sparse records are out of order");
                    }
                    sparse_map.push(value);
                }
                _ => records.insert(key, value),
            }
        }
        if !sparse_map.is_empty() {
            records.values.insert(b"GNU.sparse.map".to_vec(), sparse_map.join(&b','));
        }
        Ok(records)
    }

    fn insert(&mut self, key: &[u8], value: &[u8]) {
        let previous = self.values.insert(key.to_vec(), value.to_vec());
        if previous.is_some_and(|previous| previous != value) {
            self.repeated = Some(key.to_vec());
        }
    }

    /// The value of a key; an empty value counts as none.
    pub(super) fn text(&self, key: &str) -> Option<&[u8]> {
        self.values.get(key.as_bytes()).map(Vec::as_slice).filter(|value| !value.is_empty())
    }

    /// The value of a numeric key. Err when it is no 64-bit decimal.
    pub(super) fn integer(&self, key: &str) -> Result<Option<i64>, String> {
        let Some(value) = self.text(key) else { return Ok(None) };
        decimal(value).map(Some).ok_or_else(|| format!("the PAX record {key} is no number"))
    }

    /// Err when a time that readers parse is none.
    pub(super) fn check_times(&self) -> Result<(), String> {
        match ["atime", "mtime", "ctime"].into_iter().find(|key| self.text(key).is_some_and(|value| !is_time(value))) {
            Some(key) => Err(format!("the PAX record {key} is no time")),
            None => Ok(()),
        }
    }

    /// The non-empty records whose keys start with `prefix`, without it; sorted.
    pub(super) fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.values
            .range(prefix.as_bytes().to_vec()..)
            .map_while(move |(key, value)| Some((key.strip_prefix(prefix.as_bytes())?, value.as_slice())))
            .filter(|(_, value)| !value.is_empty())
    }

    /// The keys, sorted.
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.values.keys().map(Vec::as_slice)
    }
}

/// `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record: key, value and what follows.
fn record(content: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = content.iter().position(|b| *b == b' ')?;
    let length = usize::try_from(decimal(content.get(..space)?)?).ok()?;
    if length < 5 {
        return None;
    }
    let (whole, rest) = content.split_at_checked(length)?;
    let text = whole.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|b| *b == b'=')?;
    let (key, value) = (text.get(..equals)?, text.get(equals.checked_add(1)?..)?);
    let is_string = matches!(key, b"path" | b"linkpath" | b"uname" | b"gname");
    let is_valid = !key.is_empty() && !if is_string { value } else { key }.contains(&0);
    is_valid.then_some((key, value, rest))
}

/// Decimal seconds with an optional fraction.
fn is_time(value: &[u8]) -> bool {
    let mut parts = value.splitn(2, |b| *b == b'.');
    let seconds = parts.next().unwrap_or_default();
    decimal(seconds).is_some() && parts.next().unwrap_or_default().iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_key_counts_and_an_empty_one_is_none() {
        let records = Records::parse(b"10 path=a\n10 path=b\n8 uid=7\n7 gid=\n").unwrap();
        assert_eq!(records.text("path"), Some(b"b".as_slice()));
        assert_eq!(records.repeated.as_deref(), Some(b"path".as_slice()));
        assert_eq!(records.integer("uid"), Ok(Some(7)));
        assert_eq!(records.integer("gid"), Ok(None));
        assert_eq!(records.keys().count(), 3);
    }

    #[test]
    fn malformed_records_are_refused() {
        for bad in [
            b"8 path=a\n".as_slice(),
            b"11 path=a\n",
            b"-10 path=a\n",
            b"x path=a\n",
            b"path=a\n",
            b"9 patha \n",
            b"5 =a\n",
            b"4 =\n",
            b"12 path=a\0b\n",
            b"8 a\0=b\n",
            b"10 path=a\n\0\0",
            b"0 \n",
            b"99999999999999999999 a=b\n",
        ] {
            assert!(Records::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_nul_is_allowed_in_values_that_are_no_names() {
        let records = Records::parse(b"26 SCHILY.xattr.user.a=\0\x01\n").unwrap();
        assert_eq!(records.with_prefix("SCHILY.xattr.").collect::<Vec<_>>(), [(b"user.a".as_slice(), b"\0\x01".as_slice())]);
    }

    #[test]
    fn sparse_0_0_records_become_a_map_and_must_alternate() {
        let pair = b"23 GNU.sparse.offset=0\n25 GNU.sparse.numbytes=5\n";
        assert_eq!(Records::parse(pair).unwrap().text("GNU.sparse.map"), Some(b"0,5".as_slice()));
        assert!(Records::parse(b"25 GNU.sparse.numbytes=5\n").is_err());
        assert!(Records::parse(b"25 GNU.sparse.offset=0,5\n").is_err());
    }

    #[test]
    fn times_are_decimal_seconds_with_a_fraction() {
        for (time, is_valid) in
            [("1", true), ("-1.5", true), ("1.", true), ("", false), (".5", false), ("1.5e3", false), ("1.-5", false)]
        {
            assert_eq!(is_time(time.as_bytes()), is_valid, "{time}");
        }
    }
}
