//! Properties: no bytes panic, chunks do not matter, archives of the `tar` crate come back.

use proptest::prelude::*;

use super::build::{Raw, end, member, pax, read_in};
use super::{EntryKind, Limits};

/// Pieces that are likely to combine into something interesting, some of them damaged.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let key =
        prop::sample::select(vec!["path", "size", "uid", "mtime", "GNU.sparse.map", "GNU.sparse.numblocks", "GNU.sparse.major"]);
    let value = "[0-9,ab/]{0,6}";
    let type_flag = prop::sample::select(b"0\x001234567xgLKS".to_vec());
    let header = (type_flag, "[a-c/]{0,4}", prop::collection::vec(any::<u8>(), 0..1100)).prop_map(|(type_flag, name, body)| {
        let header = member(type_flag, &name, &body);
        if type_flag == b'5' { Raw::new(type_flag, &name, 3).done() } else { header }
    });
    prop_oneof![
        4 => header,
        3 => prop::collection::vec((key, value), 0..4).prop_map(|records| {
            pax(&records.iter().map(|(key, value)| (*key, value.as_str())).collect::<Vec<_>>())
        }),
        1 => Just(vec![0; 512]),
        1 => prop::collection::vec(any::<u8>(), 0..600),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, chunk in 1_usize..2000) {
        let _ = read_in(chunk, &Limits::default(), &bytes);
    }

    #[test]
    fn chunks_do_not_change_what_is_seen(pieces in prop::collection::vec(piece(), 0..8), chunk in 1_usize..1500) {
        let bytes = pieces.concat();
        let limits = Limits::default();
        let (whole, pieced) = (read_in(usize::MAX, &limits, &bytes), read_in(chunk, &limits, &bytes));
        let words = |result| match result { Ok(trailer) => format!("{trailer:?}"), Err(error) => format!("{error}") };
        prop_assert_eq!(words(whole.1), words(pieced.1));
        prop_assert_eq!(whole.0, pieced.0);
    }

    #[test]
    fn archives_of_the_tar_crate_come_back(
        files in prop::collection::vec(("[a-z]{1,90}(/[a-z]{1,90}){0,3}", prop::collection::vec(any::<u8>(), 0..1500)), 0..6),
    ) {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, body) in &files {
            let mut header = tar::Header::new_gnu();
            header.set_size(body.len() as u64);
            header.set_mode(0o640);
            builder.append_data(&mut header, path, body.as_slice()).unwrap();
        }
        let bytes = builder.into_inner().unwrap();
        let (seen, result) = read_in(700, &Limits::default(), &bytes);
        prop_assert!(result.is_ok());
        prop_assert_eq!(seen.entries.len(), files.len());
        for ((entry, content), (path, body)) in seen.entries.iter().zip(&files) {
            prop_assert_eq!((&entry.path[..], content, entry.mode, entry.kind), (path.as_bytes(), body, 0o640, EntryKind::File));
            prop_assert!(entry.remarks.is_empty());
        }
    }
}

#[test]
fn an_archive_of_many_entries_is_read_to_its_end() {
    let bytes = [member(b'0', "f", b"x").repeat(1000), end()].concat();
    assert_eq!(read_in(usize::MAX, &Limits::default(), &bytes).0.ended, 1000);
}
