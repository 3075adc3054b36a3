//! Bodies of passwd(5) and shadow(5) are kept without their hashed passwords: whether a field is empty is all that anybody asks.

/// Fields of a line of passwd and of shadow.
const FORMS: [usize; 2] = [7, 9];

/// The body with `x` for every password, when it has the form of one of the two files; as it is otherwise.
pub(in crate::layer) fn without_passwords(body: Vec<u8>) -> Vec<u8> {
    let first = body.split(|byte| *byte == b'\n').find(|line| !line.is_empty() && !line.starts_with(b"#"));
    if !first.is_some_and(|line| FORMS.contains(&fields(line))) {
        return body;
    }
    let mut clean = Vec::with_capacity(body.len());
    for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            clean.push(b'\n');
        }
        push(&mut clean, line);
    }
    clean
}

fn fields(line: &[u8]) -> usize {
    line.split(|byte| *byte == b':').count()
}

fn push(clean: &mut Vec<u8>, line: &[u8]) {
    let is_account = FORMS.contains(&fields(line));
    for (number, field) in line.split(|byte| *byte == b':').enumerate() {
        if number > 0 {
            clean.push(b':');
        }
        let is_locked = field.iter().all(|byte| matches!(byte, b'!' | b'*' | b'x'));
        clean.extend_from_slice(if is_account && number == 1 && !is_locked { b"x" } else { field });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(body: &str) -> String {
        String::from_utf8(without_passwords(body.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn hashes_are_not_kept_and_empty_and_locked_fields_are() {
        let shadow =
            "root:$6$salt$hash:19000:0:99999:7:::\nopen::19000::::::\nlocked:!:19000::::::\nbin:*:1::::::\nold:!$1$a$b:1::::::\n";
        let expected = "root:x:19000:0:99999:7:::\nopen::19000::::::\nlocked:!:19000::::::\nbin:*:1::::::\nold:x:1::::::\n";
        assert_eq!(clean(shadow), expected);
        assert_eq!(clean("# n\nroot:abJnggxhB/yWI:0:0:root:/root:/bin/sh"), "# n\nroot:x:0:0:root:/root:/bin/sh");
    }

    #[test]
    fn other_files_are_kept_as_they_are() {
        for body in ["", "root:x:0:\n", "Package: a\nStatus: b\n", "a:b:c:d:e:f\n", "key=value\nroot:$6$x:1::::::\n"] {
            assert_eq!(clean(body), body);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_clean_stays_as_it_is(body in "[a-z$:!*x\n]{0,200}") {
            let once = clean(&body);
            proptest::prop_assert_eq!(clean(&once), once);
        }
    }
}
