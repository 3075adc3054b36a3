//! The rules of lines, keywords and heredocs.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Dockerfile {
    parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn refused(text: &str) -> String {
    parse(text.as_bytes(), &Limits::default()).unwrap_err().to_string()
}

/// The instructions behind `FROM x`, which stands on line 1.
fn behind(text: &str) -> Vec<Instruction> {
    read(&format!("FROM x\n{text}")).stages.remove(0).instructions
}

fn all(dockerfile: &Dockerfile) -> impl Iterator<Item = &Instruction> {
    let staged = dockerfile.stages.iter().flat_map(|stage| std::iter::once(&stage.from).chain(&stage.instructions));
    dockerfile.global.iter().chain(staged)
}

/// Keyword, first and last line of every instruction.
fn places(dockerfile: &Dockerfile) -> Vec<(&'static str, usize, usize)> {
    all(dockerfile).map(|found| (found.keyword, found.start, found.end)).collect()
}

#[test]
fn stages_have_name_base_and_platform() {
    let found = read("ARG V=1\nfrom --platform=$BUILDPLATFORM a:1 As Build\nRUN x\n\nFROM build\n# y\nUSER 1\n");
    assert_eq!(places(&found), [("ARG", 1, 1), ("FROM", 2, 2), ("RUN", 3, 3), ("FROM", 5, 5), ("USER", 7, 7)]);
    assert_eq!(found.global.len(), 1);
    let stages: Vec<_> =
        found.stages.iter().map(|stage| (stage.name.as_deref(), stage.base.as_str(), stage.platform.as_deref())).collect();
    assert_eq!(stages, [(Some("build"), "a:1", Some("$BUILDPLATFORM")), (None, "build", None)]);
}

#[test]
fn continued_lines_join_without_comments_and_empty_lines() {
    let found = behind("run a \\\n  # c\n\n  && b \\ \t\n  && c\nUSER 1");
    assert_eq!((found[0].keyword, found[0].start, found[0].end), ("RUN", 2, 6));
    assert_eq!(found[0].arguments, "a   && b   && c");
    assert_eq!((found[1].start, found[1].end), (7, 7));
}

#[test]
fn two_escape_characters_do_not_continue_a_line() {
    let found = behind("RUN a \\\\\nUSER 1");
    assert_eq!(found.iter().map(|found| found.end).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn an_escape_character_alone_continues_a_line() {
    assert_eq!(places(&read("\\\nFROM \\\nx")), [("FROM", 1, 3)]);
}

#[test]
fn a_continuation_at_the_end_takes_what_is_left() {
    assert_eq!(places(&read("FROM x \\\n# y\n\n")), [("FROM", 1, 3)]);
}

#[test]
fn the_escape_directive_sets_what_continues() {
    let found = read("# syntax=a/b:1\n#escape = `\n# check=skip=all\nFROM x\nRUN a `\nb\nRUN c:\\\nUSER 1");
    assert_eq!(found.escape, '`');
    let directives: Vec<_> = found.directives.iter().map(|found| (found.name, found.value.as_str(), found.line)).collect();
    assert_eq!(directives, [("syntax", "a/b:1", 1), ("escape", "`", 2), ("check", "skip=all", 3)]);
    assert_eq!(places(&found), [("FROM", 4, 4), ("RUN", 5, 6), ("RUN", 7, 7), ("USER", 8, 8)]);
}

#[test]
fn directives_end_at_the_first_line_that_is_none() {
    for before in ["# a comment\n", "\n", "FROM y\n", "# unknown=1\n"] {
        let found = read(&format!("{before}# escape=`\nFROM x\nRUN a `\nUSER 1"));
        assert_eq!(found.escape, '\\', "{before}");
        assert!(found.directives.is_empty());
    }
}

#[test]
fn wrong_and_repeated_directives_are_refused() {
    assert_eq!(refused("# escape=x\nFROM a"), "line 1: the escape directive must be \\ or `");
    assert_eq!(refused("# escape=\\\n# Escape=`\nFROM a"), "line 2: the directive escape stands twice");
}

#[test]
fn byte_order_mark_and_carriage_returns_do_not_count() {
    let found = parse(b"\xef\xbb\xbf# escape=`\r\nFROM x\r\nRUN a `\r\n b\r\nRUN <<E\r\nc\r\nE\r\n", &Limits::default()).unwrap();
    assert_eq!(places(&found), [("FROM", 2, 2), ("RUN", 3, 4), ("RUN", 5, 7)]);
    assert_eq!(found.stages[0].instructions[0].arguments, "a  b");
}

#[test]
fn flags_end_where_the_arguments_begin() {
    let found = behind("COPY --from=build --chown='a b':c --link a --b /d\nRUN -- --x");
    assert_eq!(found[0].flags, ["--from=build", "--chown=a b:c", "--link"]);
    assert_eq!(found[0].arguments, "a --b /d");
    assert_eq!((found[1].flags.len(), found[1].arguments.as_str()), (0, "--x"));
}

#[test]
fn onbuild_holds_the_instruction_it_sets_off() {
    let found = behind("onbuild copy --from=a b c\nONBUILD RUN <<E\nx\nE\n");
    let trigger = found[0].trigger.as_ref().unwrap();
    assert_eq!((trigger.keyword, trigger.arguments.as_str()), ("COPY", "b c"));
    assert_eq!(trigger.flags, ["--from=a"]);
    assert_eq!((found[1].end, found[1].heredocs.len()), (5, 1));
    for wrong in ["ONBUILD", "ONBUILD ONBUILD RUN x", "ONBUILD FROM x", "ONBUILD MAINTAINER x"] {
        assert!(refused(&format!("FROM x\n{wrong}")).starts_with("line 2: ONBUILD takes"), "{wrong}");
    }
}

#[test]
fn heredocs_have_the_lines_of_their_bodies() {
    let found = behind("RUN <<A cat > /a && <<-\"B\" cat > /b\nFROM y\nA\n\tx\n\tB\nCOPY <<'C' 3<<D /x/\nC\nD\nUSER 1");
    let of = |index: usize| -> Vec<_> {
        let heredocs = &found[index].heredocs;
        heredocs.iter().map(|found| (found.name.as_str(), found.strips_tabs, found.expands, found.body.clone())).collect()
    };
    assert_eq!(of(0), [("A", false, true, 3..4), ("B", true, false, 5..6)]);
    assert_eq!(of(1), [("C", false, false, 8..8), ("D", false, true, 9..9)]);
    assert_eq!(found.iter().map(|found| (found.start, found.end)).collect::<Vec<_>>(), [(2, 6), (7, 9), (10, 10)]);
}

#[test]
fn heredocs_begin_after_continued_lines() {
    let found = behind("RUN a \\\n <<E \\\n > b\nc \\\n# d\nE\nUSER 1");
    assert_eq!((found[0].end, found[0].heredocs[0].body.clone()), (7, 5..7));
}

#[test]
fn what_only_looks_like_a_heredoc_is_none() {
    for text in [
        "RUN cat <<<E",
        "RUN echo $((1<<4))",
        "RUN [\"a\", \"<<E\"]",
        "RUN echo \"a <<E\"",
        "RUN echo 'a <<E b'",
        "RUN cat <<E don't",
        "RUN echo ${x^^} <<E",
        "RUN echo a\\ <<E",
        "RUN echo << E",
        "RUN echo <<''",
        "ENV A=<<E",
        "CMD <<E",
    ] {
        let found = behind(&format!("{text}\nUSER 1"));
        assert_eq!((found.len(), found[0].end, found[0].heredocs.len()), (2, 2, 0), "{text}");
    }
}

#[test]
fn variables_and_escapes_do_not_hide_a_heredoc() {
    for text in ["RUN ${x:-\"a b\"} <<E", "RUN $x ${y} \\' <<E", "RUN \"${x:-'a'}\" <<\\E", "RUN [ a ] <<E"] {
        let found = behind(&format!("{text}\nUSER 1\nE"));
        assert_eq!((found.len(), found[0].end), (1, 4), "{text}");
    }
}

#[test]
fn what_is_wrong_is_refused_with_its_line() {
    for (text, reason) in [
        ("", "there is no FROM"),
        ("# x\n", "there is no FROM"),
        ("ARG a", "there is no FROM"),
        ("FROM x\n\nFETCH \\\n y", "line 3: unknown instruction \"FETCH\""),
        ("FROM x\nONBUILD FETCH y", "line 2: unknown instruction \"FETCH\""),
        ("\\\n", "line 1: unknown instruction \"\""),
        ("RUN x\nFROM y", "line 1: RUN stands before the first FROM"),
        ("FROM", "line 1: FROM takes a base, or a base, AS and a name"),
        ("FROM a b", "line 1: FROM takes a base, or a base, AS and a name"),
        ("FROM a IN b", "line 1: FROM takes a base, or a base, AS and a name"),
        ("FROM x\nRUN <<E\nx", "line 2: a heredoc does not end"),
        ("FROM x\nRUN <<E${x:-a b}\nx", "line 2: the word after << cannot be read"),
    ] {
        assert_eq!(refused(text), reason, "{text}");
    }
}

#[test]
fn bytes_lines_and_their_lengths_are_limited() {
    for (name, value) in [("dockerfile-bytes", 8), ("dockerfile-lines", 1), ("dockerfile-line-bytes", 6)] {
        let mut limits = Limits::default();
        limits.set(name, value);
        let hit = parse(b"FROM x\nRUN y\n", &limits).unwrap_err();
        assert!(matches!(hit, DockerfileError::Limit(ref hit) if hit.name == name), "{name}: {hit}");
    }
}

/// Lines that make most texts of them Dockerfiles.
fn text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "FROM x",
        "RUN a \\",
        "RUN <<E",
        "E",
        "",
        "# c",
        "  && b",
        "COPY <<-\"E\" <<F /",
        "\tE",
        "F",
        "ONBUILD RUN <<E",
        "USER 1\r",
        "ARG a",
        "RUN ${a:-",
        "\\",
        "# escape=`",
        "RUN a `",
        "ADD --x='a b' c d",
    ]);
    prop::collection::vec(line, 0..20).prop_map(|lines| format!("ARG a\nFROM x\n{}", lines.join("\n")))
}

/// Every line is of exactly one instruction, or is empty or a comment.
fn assert_covered(text: &[u8], found: &Dockerfile) {
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).collect();
    let mut last = 0;
    for instruction in all(found) {
        assert!(last < instruction.start && instruction.start <= instruction.end && instruction.end <= lines.len());
        for line in &lines[last..instruction.start.saturating_sub(1)] {
            let line = line.trim_start_matches('\u{feff}').trim_start();
            assert!(line.is_empty() || line.starts_with('#'), "{line:?}");
        }
        let mut body = instruction.start;
        for heredoc in &instruction.heredocs {
            assert!(body < heredoc.body.start && heredoc.body.start <= heredoc.body.end);
            body = heredoc.body.end;
        }
        assert!(body <= instruction.end);
        last = instruction.end;
    }
    for line in &lines[last..] {
        let line = line.trim_start();
        assert!(line.is_empty() || line.starts_with('#'), "{line:?}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        for text in [bytes.clone(), [b"FROM x\nRUN <<E ".as_slice(), &bytes, b"\nE\n"].concat()] {
            if let Ok(found) = parse(&text, &Limits::default()) {
                assert_covered(&text, &found);
            }
        }
    }

    #[test]
    fn line_ranges_increase_and_cover_all_that_is_no_comment(text in text()) {
        if let Ok(found) = parse(text.as_bytes(), &Limits::default()) {
            assert_covered(text.as_bytes(), &found);
        }
    }
}
