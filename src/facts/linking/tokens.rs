//! `$ORIGIN`, `$LIB` and `$PLATFORM` in search paths and names (ld.so(8), "Dynamic string tokens").

/// What the tokens stand for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tokens<'t> {
    /// The folder of the object that the text stands in; None when it may not be used.
    pub(super) origin: Option<&'t [u8]>,
    pub(super) lib: &'t [u8],
    pub(super) platform: &'t [u8],
}

/// Expands a text as glibc does. None when it names what may not be used, or grows beyond a path. What is no token stays.
pub(super) fn expand(text: &[u8], tokens: Tokens<'_>, most: usize) -> Option<Vec<u8>> {
    let mut expanded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'$', rest) {
        let (before, after) = rest.split_at_checked(at)?;
        expanded.extend_from_slice(before);
        let names = [(&b"ORIGIN"[..], tokens.origin), (b"LIB", Some(tokens.lib)), (b"PLATFORM", Some(tokens.platform))];
        let found = names.into_iter().find_map(|(name, value)| Some((value, after_token(after, name)?)));
        if let Some((value, behind)) = found {
            expanded.extend_from_slice(value?);
            rest = behind;
        } else {
            expanded.push(b'$');
            rest = after.get(1..).unwrap_or_default();
        }
        if expanded.len() > most {
            return None;
        }
    }
    expanded.extend_from_slice(rest);
    (expanded.len() <= most).then_some(expanded)
}

/// What follows `$NAME` or `${NAME}`; a longer name is another.
fn after_token<'t>(text: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
    let text = text.strip_prefix(b"$")?;
    if let Some(inner) = text.strip_prefix(b"{") {
        return inner.strip_prefix(name)?.strip_prefix(b"}");
    }
    let rest = text.strip_prefix(name)?;
    let is_longer = rest.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    (!is_longer).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Option<String> {
        let tokens = Tokens { origin: Some(b"/opt/app"), lib: b"lib64", platform: b"x86_64" };
        expand(text.as_bytes(), tokens, 64).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn tokens_are_expanded_with_and_without_braces() {
        assert_eq!(expanded("$ORIGIN/../${LIB}").as_deref(), Some("/opt/app/../lib64"));
        assert_eq!(expanded("/x/${PLATFORM}$LIB").as_deref(), Some("/x/x86_64lib64"));
        assert_eq!(expanded("/plain").as_deref(), Some("/plain"));
    }

    #[test]
    fn what_is_no_token_stays() {
        for text in ["$ORIGINAL", "${ORIGIN", "$", "$$", "a$HOME", "$LIB_X"] {
            assert_eq!(expanded(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_may_not_be_used_or_grows_too_long_is_nothing() {
        let tokens = Tokens { origin: None, lib: b"lib", platform: b"" };
        assert_eq!(expand(b"$ORIGIN/x", tokens, 64), None);
        assert_eq!(expanded(&"$ORIGIN".repeat(9)), None);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_texts_never_panic_and_stay_short(text: Vec<u8>) {
            let tokens = Tokens { origin: Some(b"/o"), lib: b"lib", platform: b"" };
            if let Some(text) = expand(&text, tokens, 50) {
                proptest::prop_assert!(text.len() <= 50);
            }
        }
    }
}
