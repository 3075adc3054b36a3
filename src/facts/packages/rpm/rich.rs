//! Requirements of rpm: plain ones with flags and a version, and boolean ones such as `(a >= 1 or b)` (rpm's manual, "Boolean
//! Dependencies").

use super::super::relations::Writer;

/// Bits of `rpmsenseFlags`.
const LESS: u32 = 1 << 1;
const GREATER: u32 = 1 << 2;
const EQUAL: u32 = 1 << 3;

/// Writes one requirement. Of a boolean one everything that may meet it counts, also both sides of `or`: what is told to be needed
/// may be more than is, never less. What an `if`, `unless` or `without` names is not needed.
pub(super) fn write(name: &str, flags: u32, version: &str, writer: &mut Writer) {
    if name.starts_with('(') {
        return boolean(name, writer);
    }
    // what rpm itself can do, not what a package provides
    if name.starts_with("rpmlib(") {
        return;
    }
    let operator = match (flags & LESS != 0, flags & GREATER != 0, flags & EQUAL != 0) {
        (true, false, true) => "<=",
        (false, true, true) => ">=",
        (true, false, false) => "<",
        (false, true, false) => ">",
        (false, false, true) => "=",
        _ => "",
    };
    let constraint = (!operator.is_empty() && !version.is_empty()).then_some((operator, version));
    writer.one(name, constraint);
}

fn boolean(text: &str, writer: &mut Writer) {
    let (mut is_condition, mut is_version) = (false, false);
    for word in text.split_whitespace() {
        let word = unwrapped(word);
        match word {
            "" => {}
            "or" => is_condition = false,
            "and" | "with" | "else" => {
                is_condition = false;
                writer.end();
            }
            "if" | "unless" | "without" => is_condition = true,
            "<" | "<=" | "=" | ">=" | ">" => is_version = true,
            _ if std::mem::take(&mut is_version) || is_condition => {}
            name => writer.alternative(name, None),
        }
    }
    writer.end();
}

/// A word without the parentheses of expressions around it: those of a name, `perl(strict)`, are balanced.
fn unwrapped(word: &str) -> &str {
    let word = word.trim_start_matches('(');
    let count = |text: &str, one: char| text.chars().filter(|c| *c == one).count();
    let surplus = count(word, ')').saturating_sub(count(word, '('));
    let (mut word, mut left) = (word, surplus);
    while let Some(shorter) = word.strip_suffix(')').filter(|_| left > 0) {
        (word, left) = (shorter, left.saturating_sub(1));
    }
    word
}

#[cfg(test)]
mod tests {
    use super::super::super::relations::shown;
    use super::*;

    fn read(name: &str, flags: u32, version: &str) -> Vec<String> {
        let mut writer = Writer::default();
        write(name, flags, version, &mut writer);
        shown(&writer.finish())
    }

    #[test]
    fn plain_requirements_have_constraints() {
        assert_eq!(read("libc.so.6(GLIBC_2.34)(64bit)", 0, ""), ["libc.so.6(GLIBC_2.34)(64bit)"]);
        assert_eq!(read("bash", GREATER | EQUAL, "5.1"), ["bash (>= 5.1)"]);
        assert_eq!(read("bash", LESS, "6"), ["bash (< 6)"]);
        assert!(read("rpmlib(CompressedFileNames)", LESS | EQUAL, "3").is_empty());
    }

    #[test]
    fn of_boolean_ones_all_that_may_meet_them_counts() {
        assert_eq!(read("(a or b >= 2)", 0, ""), ["a | b"]);
        assert_eq!(read("(a and perl(strict))", 0, ""), ["a", "perl(strict)"]);
        assert_eq!(read("(gconv-extra if (rpm-config or x))", 0, ""), ["gconv-extra | x"]);
        assert_eq!(read("((a or b) and (c with c < 3))", 0, ""), ["a | b", "c", "c"]);
        assert_eq!(read("(a if b else c)", 0, ""), ["a", "c"]);
        assert_eq!(read("(", 0, ""), Vec::<String>::new());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text: String, flags: u32, version: String) {
            let _ = read(&text, flags, &version);
            let _ = read(&format!("({text}"), flags, &version);
        }
    }
}
