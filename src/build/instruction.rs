//! The text of an instruction without what builders put around it.

const SHELL: &str = "/bin/sh -c ";
const NO_OPERATION: &str = "#(nop)";
const BUILDKIT: &str = "# buildkit";

/// One line, such as `RUN apt-get update`. None when nothing is left.
///
/// The classic builder and buildah write a command as `/bin/sh -c COMMAND`, and everything else after `#(nop)`; BuildKit
/// ends with `# buildkit`; kaniko writes the instruction itself. Before a command all but kaniko put its build arguments
/// as `|2 A=x B=y`: those are left out, since their values may be secrets.
#[must_use]
pub fn tidy(created_by: &str) -> Option<String> {
    let line = created_by.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.strip_suffix(BUILDKIT).unwrap_or(&line).trim_end();
    let (is_run, rest) = match line.strip_prefix("RUN ") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (has_arguments, rest) = without_arguments(rest);
    let (has_shell, rest) = match rest.strip_prefix(SHELL) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let text = match rest.strip_prefix(NO_OPERATION) {
        Some(rest) if has_shell => rest.trim_start().to_owned(),
        _ if is_run || has_shell || has_arguments => format!("RUN {rest}"),
        _ => rest.to_owned(),
    };
    (!text.is_empty() && text != "RUN ").then_some(text)
}

/// Takes off `|COUNT NAME=value ...`. Values may hold spaces, so the arguments end at the shell, or, for a command in exec
/// form, after as many words with `=` as are counted.
fn without_arguments(text: &str) -> (bool, &str) {
    let Some((count, rest)) = text.strip_prefix('|').and_then(|text| text.split_once(' ')) else { return (false, text) };
    let Ok(count) = count.parse::<usize>() else { return (false, text) };
    if let Some(at) = rest.find(SHELL) {
        return (true, rest.get(at..).unwrap_or_default());
    }
    let mut left = rest;
    for _ in 0..count.min(rest.len()) {
        match left.split_once(' ') {
            Some((argument, after)) if argument.contains('=') => left = after,
            _ => break,
        }
    }
    (true, left)
}

/// The build arguments that a builder put before a command: names and values, in order. A value may hold blanks: it ends at the next
/// word that is an argument, as long as fewer than the builder counted were found.
#[must_use]
pub fn arguments(created_by: &str) -> Vec<(&str, &str)> {
    let rest = created_by.trim_start();
    let rest = rest.strip_prefix("RUN ").unwrap_or(rest).trim_start();
    let Some((count, rest)) = rest.strip_prefix('|').and_then(|text| text.split_once(' ')) else { return Vec::new() };
    let Ok(count) = count.parse::<usize>() else { return Vec::new() };
    let end = rest.find(SHELL);
    let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    let mut found: Vec<(&str, usize, usize)> = Vec::new();
    let mut at = 0_usize;
    for word in text.split(' ') {
        let start = at;
        at = start.saturating_add(word.len()).saturating_add(1);
        if let Some((name, _)) = word.split_once('=').filter(|(name, _)| is_name(name) && found.len() < count) {
            found.push((name, start.saturating_add(name.len()).saturating_add(1), at.saturating_sub(1)));
        } else if let Some(last) = found.last_mut().filter(|_| end.is_some() && !word.is_empty()) {
            // without a shell it could not be told from the command's words
            last.2 = at.saturating_sub(1);
        }
    }
    found.into_iter().filter_map(|(name, start, end)| Some((name, text.get(start..end.min(text.len()))?))).collect()
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tidied(text: &str) -> String {
        tidy(text).unwrap_or_default()
    }

    #[test]
    fn every_builders_run_reads_the_same() {
        for text in [
            "RUN /bin/sh -c make all # buildkit",
            "RUN |1 VER=1.2 /bin/sh -c make all # buildkit",
            "|1 VER=1.2 /bin/sh -c make all",
            "/bin/sh -c make all",
            "RUN make all # buildkit",
            "RUN make all",
            "RUN make \n\tall\n # buildkit",
            "|2 A=x B=y z /bin/sh -c make all",
            "|1 A=x make all",
        ] {
            assert_eq!(tidied(text), "RUN make all", "{text}");
        }
    }

    #[test]
    fn values_of_build_arguments_are_not_shown() {
        for text in
            ["|1 TOKEN=secret1 /bin/sh -c x", "RUN |2 A=b TOKEN=secret1 with spaces /bin/sh -c x # buildkit", "|1 T=secret1 x"]
        {
            assert!(!tidied(text).contains("secret1"), "{text}");
        }
    }

    #[test]
    fn build_arguments_are_told_with_blanks_in_their_values() {
        assert_eq!(arguments("|1 TOKEN=abc /bin/sh -c x"), [("TOKEN", "abc")]);
        assert_eq!(arguments("RUN |2 A=b c d B= /bin/sh -c C=x y # buildkit"), [("A", "b c d"), ("B", "")]);
        assert_eq!(arguments("|1 A=x make B=y"), [("A", "x")]);
        for text in ["RUN A=b make", "|x A=b /bin/sh -c x", "", "|1 ", "COPY |1 a"] {
            assert_eq!(arguments(text), [], "{text}");
        }
    }

    #[test]
    fn other_instructions_lose_only_the_noise() {
        for (text, expected) in [
            ("/bin/sh -c #(nop) COPY file:0123 in /etc ", "COPY file:0123 in /etc"),
            ("/bin/sh -c #(nop)  CMD [\"sh\"]", "CMD [\"sh\"]"),
            ("COPY a b # buildkit", "COPY a b"),
            ("WORKDIR /w/1.2", "WORKDIR /w/1.2"),
            ("/bin/sh -c [\"a\", \"b\"]", "RUN [\"a\", \"b\"]"),
            ("bazel build ...", "bazel build ..."),
            ("# debian.sh --arch 'amd64' out/", "# debian.sh --arch 'amd64' out/"),
            ("|x y", "|x y"),
        ] {
            assert_eq!(tidied(text), expected);
        }
    }

    #[test]
    fn nothing_is_no_instruction() {
        for text in ["", " \n", "# buildkit", "/bin/sh -c #(nop) "] {
            assert_eq!(tidy(text), None, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_text_becomes_one_line(text: String, count: u8) {
            for text in [text.clone(), format!("|{count} {text}"), format!("RUN |{count} {text} # buildkit")] {
                let line = tidied(&text);
                proptest::prop_assert!(!line.contains(['\n', '\r', '\t']));
                proptest::prop_assert!(line.len() <= text.len().saturating_add(4));
                let is_in_it = |(name, value): &(&str, &str)| text.contains(&[name, "=", value].concat());
                proptest::prop_assert!(arguments(&text).iter().all(is_in_it));
            }
        }
    }
}
