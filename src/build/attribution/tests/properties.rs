//! What holds for every history and every Dockerfile.

use proptest::prelude::*;

use super::*;
use crate::build::instruction;

fn instruction() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "RUN a \\\n  # b\n  && c",
        "RUN <<E\nx\nE",
        "COPY --from=0 /a /b",
        "COPY a b",
        "ADD a b",
        "ENV A=b",
        "USER 1",
        "WORKDIR /w",
        "CMD x",
        "ONBUILD RUN x",
        "FROM a AS s",
        "FROM s",
        "FROM scratch",
        "ARG X=s",
        "FROM $X",
        "# c",
    ])
}

fn written() -> impl Strategy<Value = History> {
    let text = prop::sample::select(vec![
        "RUN a # buildkit",
        "/bin/sh -c a",
        "/bin/sh -c #(nop) COPY a in b ",
        "ADD a b",
        "ENV A=b",
        "USER 1",
        "WORKDIR /w",
        "CMD x",
        "",
        "bazel",
    ]);
    let author = prop::sample::select(vec!["", "kaniko"]);
    let comment = prop::sample::select(vec!["", "FROM x", "buildkit.dockerfile.v0"]);
    (text, any::<bool>(), author, comment).prop_map(|(text, empty_layer, author, comment)| History {
        created_by: text.to_owned(),
        empty_layer,
        author: author.to_owned(),
        comment: comment.to_owned(),
        ..History::default()
    })
}

proptest! {
    #[test]
    fn lines_lie_within_the_file_and_aligned_ones_have_the_keyword_of_the_history(
        instructions in prop::collection::vec(instruction(), 0..8),
        entries in prop::collection::vec(written(), 0..8),
        is_given: bool,
    ) {
        let text = format!("FROM a\n{}\n", instructions.join("\n"));
        let found_by = if is_given { FoundBy::Given } else { FoundBy::SourceRoot };
        let at_hand = Dockerfiles { found_by, ..given(&text) };
        let found = of(&entries, &at_hand);
        let made: Vec<&History> = entries.iter().filter(|entry| !entry.empty_layer).collect();
        for (layer, entry) in made.iter().enumerate() {
            let Some(location) = found.of_layer(layer, &[Token::Name("c".into())]) else { continue };
            let Lined { start, end, .. } = location.instruction;
            prop_assert!(1 <= start && start <= location.line && location.line <= end && end <= text.lines().count());
            prop_assert!(location.line_hash.is_some());
            if location.confidence == Confidence::Aligned {
                let keyword = instruction::tidy(&entry.created_by).unwrap();
                let keyword = keyword.split(' ').next().unwrap();
                prop_assert!(location.instruction.text.starts_with(keyword), "{keyword}: {}", location.instruction.text);
            }
        }
    }

    #[test]
    fn what_a_stage_writes_is_aligned_with_it(
        instructions in prop::collection::vec(instruction().prop_filter("one stage", |it| !it.starts_with("FROM") && *it != "# c"), 1..10),
    ) {
        let text = format!("FROM a\n{}\n", instructions.join("\n"));
        let made = |it: &&str| it.starts_with("RUN") || it.starts_with("COPY") || it.starts_with("ADD") || it.starts_with("WORKDIR");
        let mut entries = vec![entry("ADD x /")];
        // no builder writes the comments and line ends of a command
        let said = |it: &str| it.replace("\\\n  # b\n  ", "");
        entries.extend(instructions.iter().map(|it| History { empty_layer: !made(it), ..entry(&said(it)) }));
        let found = of(&entries, &given(&text));
        let layers = entries.iter().filter(|entry| !entry.empty_layer).count();
        for layer in 1..layers {
            prop_assert_eq!(found.of_layer(layer, &[]).unwrap().confidence, Confidence::Aligned);
        }
    }

    #[test]
    fn no_bytes_are_too_odd(bytes: Vec<u8>, entries in prop::collection::vec(written(), 0..8), text: String) {
        let mut at_hand = given("");
        at_hand.files[0].bytes = bytes;
        let _ = of(&entries, &at_hand);
        let odd = History { created_by: text.clone(), ..History::default() };
        let found = of(&[odd], &given(DOCKERFILE));
        let _ = (found.of_config(&text), found.of_layer(0, &[Token::Mode(text)]));
    }
}
