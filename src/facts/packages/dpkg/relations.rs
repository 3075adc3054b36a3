//! `Depends`, `Pre-Depends` and `Provides` (deb-control(5)): `a (>= 1) | b:any, c [amd64] <!nocheck>`.

use super::super::relations::{Relations, Writer};

pub(super) fn parse(field: &[u8]) -> Relations {
    let text = String::from_utf8_lossy(field);
    let mut writer = Writer::default();
    for requirement in text.split(',') {
        for alternative in requirement.split('|') {
            one(alternative.trim(), &mut writer);
        }
        writer.end();
    }
    writer.finish()
}

/// Restrictions to architectures and build profiles are for source packages, and are left out.
fn one(text: &str, writer: &mut Writer) {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '<')).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    let inside = rest.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside.trim());
    let constraint = inside.map(|inside| {
        let version = inside.trim_start_matches(['<', '>', '=']);
        (inside.strip_suffix(version).unwrap_or_default(), version.trim())
    });
    writer.alternative(name, constraint);
}

#[cfg(test)]
mod tests {
    use super::super::super::relations::shown;
    use super::*;

    #[test]
    fn alternatives_versions_and_qualifiers_are_read() {
        let field = b"libc6 (>= 2.36), debconf (>= 0.5) | debconf-2.0, python3:any (>=3.11~), a [amd64] <!nocheck>, zlib1g(= 1:1.2),, |x,\n y";
        let expected =
            ["libc6 (>= 2.36)", "debconf (>= 0.5) | debconf-2.0", "python3 (>= 3.11~)", "a", "zlib1g (= 1:1.2)", "x", "y"];
        assert_eq!(shown(&parse(field)), expected);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_parsed(field: Vec<u8>) {
            let _ = shown(&parse(&field));
        }

        #[test]
        fn what_is_shown_is_parsed_to_the_same(names in proptest::collection::vec("[a-z][a-z0-9+.-]{1,8}( \\(>= [0-9.]{1,5}\\))?( \\| [a-z]{2,5})?", 0..9)) {
            proptest::prop_assert_eq!(shown(&parse(names.join(", ").as_bytes())), names);
        }
    }
}
