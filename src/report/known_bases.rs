//! Base images as a policy lists them.

use std::fmt::Write as _;

use crate::build::base::Known;

/// One `[[base.allowed]]` block for each, to be pasted into a policy (TOML 1.0).
#[must_use]
pub fn toml(bases: &[Known]) -> String {
    let mut out = String::new();
    for (index, base) in bases.iter().enumerate() {
        let blank = if index == 0 { "" } else { "\n" };
        // writing to a String cannot fail
        let _ = writeln!(out, "{blank}[[base.allowed]]\nname = \"{}\"\ndiff_ids = [", quoted(&base.name));
        for diff_id in &base.diff_ids {
            let _ = writeln!(out, "  \"{}\",", quoted(diff_id));
        }
        out.push_str("]\n");
    }
    out
}

/// The inside of a basic string: quotes, backslashes and whatever a terminal may obey are written as escapes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='~' => out.push(character),
            // writing to a String cannot fail
            other => drop(write!(out, "\\U{:08X}", u32::from(other))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::base::ToldBy;

    fn known(name: &str, diff_ids: &[&str]) -> Known {
        let diff_ids = diff_ids.iter().map(|text| (*text).to_owned()).collect();
        Known { name: name.to_owned(), diff_ids, told_by: ToldBy::Given }
    }

    #[test]
    fn a_block_is_what_a_policy_takes() {
        let bases = [known("debian:12 (linux/amd64)", &["sha256:aa", "sha256:bb"]), known("x", &["sha256:cc"])];
        let expected = "[[base.allowed]]\nname = \"debian:12 (linux/amd64)\"\ndiff_ids = [\n  \"sha256:aa\",\n  \"sha256:bb\",\n]\n\n\
                        [[base.allowed]]\nname = \"x\"\ndiff_ids = [\n  \"sha256:cc\",\n]\n";
        assert_eq!(toml(&bases), expected);
    }

    proptest::proptest! {
        #[test]
        fn every_name_survives_and_stays_one_line_of_ascii(name: String) {
            let text = toml(&[known(&name, &["sha256:aa"])]);
            proptest::prop_assert!(text.lines().count() == 5 && text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
            let read: toml::Table = text.parse().unwrap();
            proptest::prop_assert_eq!(read["base"]["allowed"][0]["name"].as_str(), Some(name.as_str()));
        }
    }
}
