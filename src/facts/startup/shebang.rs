//! The first line of a script as Linux reads it (fs/binfmt_script.c): 256 bytes, the interpreter, at most one argument.

/// Bytes that the kernel looks at, `#!` included (BINPRM_BUF_SIZE since Linux 5.1; 128 before).
const KERNEL_BYTES: usize = 256;

/// What a script names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shebang {
    /// The interpreter's path.
    pub(super) interpreter: Vec<u8>,
    /// All that follows it, white space inside included, as one argument.
    pub(super) argument: Option<Vec<u8>>,
}

/// Reads the line without `#!` and without its newline. None when the kernel finds no interpreter in it: there is none, or the line
/// is so long that its name may be cut.
pub(super) fn parse(line: &[u8]) -> Option<Shebang> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let room = KERNEL_BYTES.saturating_sub(2);
    let is_cut = line.len() >= room;
    // the last byte of the buffer is kept for a NUL
    let seen = if is_cut { line.get(..room.saturating_sub(1)).unwrap_or(line) } else { line };
    let start = seen.iter().position(|byte| !is_blank(byte))?;
    let text = seen.get(start..)?;
    let text = text.get(..text.iter().rposition(|byte| !is_blank(byte))?.saturating_add(1))?;
    let end = text.iter().position(|byte| is_blank(byte) || *byte == 0);
    if is_cut && end.is_none() && !seen.last().is_some_and(is_blank) {
        return None;
    }
    let (interpreter, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    let rest = if rest.first() == Some(&0) { &[] } else { rest };
    let argument = rest.iter().position(|byte| !is_blank(byte)).and_then(|start| rest.get(start..));
    // strings end at a NUL
    let argument = argument.and_then(|argument| argument.split(|byte| *byte == 0).next());
    Some(Shebang { interpreter: interpreter.to_vec(), argument: argument.map(<[u8]>::to_vec) })
}

/// Whether the line has the end that Windows gives it. The kernel takes the carriage return for a part of the last word.
pub(super) fn ends_with_carriage_return(line: &[u8]) -> bool {
    line.ends_with(b"\r")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<(String, Option<String>)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        parse(line.as_bytes()).map(|found| (text(found.interpreter), found.argument.map(text)))
    }

    fn of(interpreter: &str, argument: Option<&str>) -> (String, Option<String>) {
        (interpreter.to_owned(), argument.map(str::to_owned))
    }

    #[test]
    fn all_behind_the_interpreter_is_one_argument() {
        assert_eq!(parsed("/bin/sh"), Some(of("/bin/sh", None)));
        assert_eq!(parsed(" \t/bin/sh \t"), Some(of("/bin/sh", None)));
        assert_eq!(parsed("/bin/sh -e  -x "), Some(of("/bin/sh", Some("-e  -x"))));
        assert_eq!(parsed("/usr/bin/env\t-S a b"), Some(of("/usr/bin/env", Some("-S a b"))));
    }

    #[test]
    fn a_carriage_return_belongs_to_the_last_word() {
        assert_eq!(parsed("/bin/sh\r"), Some(of("/bin/sh\r", None)));
        assert_eq!(parsed("/bin/sh -e\r"), Some(of("/bin/sh", Some("-e\r"))));
        assert!(ends_with_carriage_return(b"/bin/sh\r") && !ends_with_carriage_return(b"/bin/sh"));
    }

    #[test]
    fn a_line_without_an_interpreter_is_none() {
        assert_eq!((parsed(""), parsed(" \t ")), (None, None));
    }

    #[test]
    fn a_long_line_is_cut_in_its_argument_and_refused_in_its_name() {
        let long = format!("/bin/sh {}", "x".repeat(400));
        assert_eq!(parsed(&long).unwrap().1.unwrap().len(), 253 - 8);
        assert_eq!(parsed(&format!("/{}", "x".repeat(400))), None);
        assert_eq!(
            parsed(&format!("/{}", "x".repeat(252))),
            Some(of(&format!("/{}", "x".repeat(252)), None)),
            "the newline is the last byte"
        );
        assert_eq!(parsed(&format!("/{}", "x".repeat(253))), None);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_lines_never_panic_and_name_what_they_hold(line: Vec<u8>) {
            if let Some(found) = parse(&line) {
                let is_inside = line.windows(found.interpreter.len().max(1)).any(|part| part == found.interpreter);
                proptest::prop_assert!(is_inside || found.interpreter.is_empty());
            }
        }
    }
}
