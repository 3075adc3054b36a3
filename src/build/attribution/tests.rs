//! Histories of every builder against Dockerfiles, and statements of BuildKit.

use super::*;
use crate::build::base::{self, ToldBy};
use crate::oci::{DiffId, History};

mod properties;
mod statements;

/// An entry: text, `!` in front where it made no layer.
fn entry(text: &str) -> History {
    let (created_by, empty_layer) = text.strip_prefix('!').map_or((text, false), |text| (text, true));
    History { created_by: created_by.to_owned(), empty_layer, ..History::default() }
}

fn history(texts: &[&str]) -> Vec<History> {
    texts.iter().map(|text| entry(text)).collect()
}

fn diff_ids(count: usize) -> Vec<DiffId> {
    (0..count).map(|number| format!("sha256:{number:064x}").parse().unwrap()).collect()
}

fn given(text: &str) -> Dockerfiles {
    let file = AtHand { path: "docker/Dockerfile".to_owned(), bytes: text.as_bytes().to_vec() };
    Dockerfiles { files: vec![file], found_by: FoundBy::Given, cut: None }
}

fn below_root(files: &[(&str, &str)]) -> Dockerfiles {
    let file = |(path, text): &(&str, &str)| AtHand { path: (*path).to_owned(), bytes: text.as_bytes().to_vec() };
    Dockerfiles { files: files.iter().map(file).collect(), found_by: FoundBy::SourceRoot, cut: None }
}

fn of(history: &[History], at_hand: &Dockerfiles) -> Attribution {
    let layers = history.iter().filter(|entry| !entry.empty_layer).count();
    let diff_ids = diff_ids(layers);
    let making = Making { diff_ids: &diff_ids, layer_digests: &[], history, provenance: &[] };
    attribute(&making, None, at_hand, &Limits::default())
}

/// Line and confidence of each layer: `12 aligned`.
fn lines(found: &Attribution, layers: usize) -> Vec<String> {
    let line = |layer| found.of_layer(layer, &[]).map(|it| format!("{} {}", it.line, it.confidence.as_str())).unwrap_or_default();
    (0..layers).map(line).collect()
}

fn detail(found: &Attribution) -> &str {
    found.dockerfile.as_ref().map_or("", |found| found.detail.as_str())
}

const DOCKERFILE: &str = "\
ARG BASE=lab/base:1
FROM ${BASE} AS build
ARG VER
RUN mkdir -p /out \\
    # a comment
    && make DESTDIR=/out

FROM ${BASE} AS final
ARG VER
ENV A=${VER} B=c
WORKDIR /w
COPY --from=build /out/app /usr/bin/app
RUN apt-get update \\
 && apt-get install -y \\
    gcc \\
    curl \\
 && chmod 4755 /usr/bin/app
USER 1000
CMD [\"x\"]
";

const CLASSIC: [&str; 10] = [
    "/bin/sh -c #(nop) ADD file:12 in / ",
    "!/bin/sh -c #(nop)  CMD [\"sh\"]",
    "/bin/sh -c echo fired",
    "!/bin/sh -c #(nop)  ARG VER",
    "!/bin/sh -c #(nop)  ENV A=1 B=c",
    "/bin/sh -c #(nop) WORKDIR /w",
    "/bin/sh -c #(nop) COPY file:12 in /usr/bin/app ",
    "|1 VER=1 /bin/sh -c apt-get update  && apt-get install -y     gcc     curl  && chmod 4755 /usr/bin/app",
    "!/bin/sh -c #(nop)  USER 1000",
    "!/bin/sh -c #(nop)  CMD [\"x\"]",
];

#[test]
fn the_history_of_the_classic_builder_is_aligned_and_what_onbuild_of_the_base_set_off_is_the_bases() {
    let found = of(&history(&CLASSIC), &given(DOCKERFILE));
    assert_eq!(lines(&found, 5), ["8 base", "8 base", "11 aligned", "12 aligned", "13 aligned"]);
    let dockerfile = found.dockerfile.as_ref().unwrap();
    assert_eq!((dockerfile.target.as_deref(), dockerfile.confidence), (Some("final"), Some(Confidence::Aligned)));
    assert_eq!(dockerfile.detail, "the history ends with the 7 instructions of stage final");
}

#[test]
fn a_copy_from_a_stage_names_the_instruction_there() {
    let copied = of(&history(&CLASSIC), &given(DOCKERFILE)).of_layer(3, &[]).unwrap();
    assert_eq!(copied.instruction.text, "COPY --from=build /out/app /usr/bin/app");
    let related = Lined { start: 4, end: 6, text: "RUN mkdir -p /out && make DESTDIR=/out".to_owned() };
    assert_eq!(copied.related, [related]);
}

#[test]
fn fields_of_the_config_are_on_the_last_line_that_sets_them_else_on_the_from() {
    let found = of(&history(&CLASSIC), &given(DOCKERFILE));
    let line = |field: &str| found.of_config(field).map(|it| (it.line, it.confidence)).unwrap();
    assert_eq!(line("config.User"), (18, Confidence::Aligned));
    assert_eq!(line("config.Cmd"), (19, Confidence::Aligned));
    assert_eq!((line("config.Env.B"), line("config.Env")), ((10, Confidence::Aligned), (10, Confidence::Aligned)));
    assert_eq!(line("config.Env.PATH"), (8, Confidence::Stage));
    assert_eq!((line("config.Healthcheck"), line("config.Other")), ((8, Confidence::Stage), (8, Confidence::Stage)));
    assert_eq!(found.of_image().unwrap().line, 8);
}

#[test]
fn a_name_on_one_line_of_an_instruction_picks_that_line() {
    let found = of(&history(&CLASSIC), &given(DOCKERFILE));
    let line = |tokens: &[Token]| found.of_layer(4, tokens).unwrap().line;
    assert_eq!(line(&[Token::Name("gcc".into())]), 15);
    assert_eq!(line(&[Token::Mode("/usr/bin/app".into()), Token::Name("gcc".into())]), 17);
    assert_eq!(line(&[Token::Mode("curl".into()), Token::Name("apt-get".into()), Token::Name("cur".into())]), 13);
    let hash = |line| found.of_layer(4, &[Token::Name(line)]).unwrap().line_hash.unwrap();
    assert_ne!(hash("gcc".to_owned()), hash("curl".to_owned()));
}

#[test]
fn the_longest_stage_that_fits_is_the_image_and_one_from_scratch_has_nothing_before_it() {
    let with_short_stage = format!("{DOCKERFILE}\nFROM scratch\nCMD [\"x\"]\nFROM debian\nCMD [\"x\"]\n");
    assert_eq!(lines(&of(&history(&CLASSIC), &given(&with_short_stage)), 5)[4], "13 aligned");
    let found = of(&history(&CLASSIC), &given("FROM scratch\nUSER 1000\nCMD [\"x\"]\n"));
    assert_eq!(found.dockerfile.as_ref().unwrap().confidence, Some(Confidence::Given));
    assert!(detail(&found).contains("cannot be its base image"), "{}", detail(&found));
}

#[test]
fn stages_that_fit_equally_well_are_none() {
    let twice = "FROM a AS one\nRUN x\nFROM a AS two\nRUN x\n";
    let found = of(&history(&["ADD x /", "RUN x"]), &below_root(&[("Dockerfile", twice)]));
    assert_eq!(lines(&found, 2), ["", ""]);
    assert_eq!(detail(&found), "the history fits several stages equally well: Dockerfile (stage one), Dockerfile (stage two)");
    let found =
        of(&history(&["ADD x /", "RUN x"]), &below_root(&[("a/Dockerfile", "FROM a\nRUN x"), ("b/Dockerfile", "FROM b\nRUN x")]));
    assert!(detail(&found).ends_with("a/Dockerfile (stage 0), b/Dockerfile (stage 0)"));
    assert_eq!(found.of_image(), None);
}

#[test]
fn of_stages_that_fit_equally_well_the_one_whose_commands_are_those_of_the_history_word_for_word_is_taken() {
    let files = [
        ("a/Dockerfile", "FROM a\nRUN npm \\\n  # why\n  ci\nUSER 1\n"),
        ("b/Dockerfile", "FROM a\nRUN pip install x\nUSER 1\n"),
    ];
    let of_command = |command: &str| of(&history(&["ADD x /", command, "!USER 1"]), &below_root(&files)).dockerfile.unwrap();
    for command in ["RUN /bin/sh -c npm   ci # buildkit", "/bin/sh -c npm     ci", "|1 A=b /bin/sh -c npm ci"] {
        let found = of_command(command);
        assert_eq!((found.path.as_str(), found.confidence), ("a/Dockerfile", Some(Confidence::Aligned)));
    }
    assert_eq!(of_command("RUN /bin/sh -c npm cit # buildkit").confidence, None);
}

#[test]
fn of_files_below_a_root_the_one_that_fits_is_found() {
    let files = [("a/Dockerfile", "FROM a\nCOPY x y\nCMD z\n"), ("b/Dockerfile", DOCKERFILE), ("c/Dockerfile", "no Dockerfile")];
    let found = of(&history(&CLASSIC), &below_root(&files));
    let dockerfile = found.dockerfile.as_ref().unwrap();
    assert_eq!((dockerfile.path.as_str(), dockerfile.found_by), ("b/Dockerfile", FoundBy::SourceRoot));
    let found = of(&history(&["ADD x /", "RUN x"]), &below_root(&files));
    assert_eq!(
        detail(&found),
        "none of 3 Dockerfiles fits; of b/Dockerfile: the history has ADD where the Dockerfile has ARG (line 3)"
    );
}

#[test]
fn a_named_file_that_does_not_fit_is_shown_at_its_from_and_says_why() {
    let found = of(&history(&CLASSIC), &given("FROM a\nRUN x\nENV a=b\nUSER 1000\nCMD x\n"));
    assert_eq!(lines(&found, 5), ["1 given"; 5]);
    assert_eq!(found.of_config("config.User").unwrap().confidence, Confidence::Given);
    assert_eq!(detail(&found), "the history has RUN where the Dockerfile has ENV (line 3)");
    let found = of(&history(&CLASSIC), &given("FROM a\nRIN x\n"));
    assert_eq!(detail(&found), "it cannot be read as a Dockerfile: line 2: unknown instruction \"RIN\"");
    assert_eq!(found.of_image(), None);
}

#[test]
fn histories_without_a_dockerfile_are_not_aligned() {
    for text in ["bazel build ...", "jib-maven-plugin:3.4.0", "ko build ko://x", "", "Application Layer"] {
        let found = of(&history(&[text]), &below_root(&[("Dockerfile", DOCKERFILE)]));
        assert_eq!(detail(&found), "the image's history was not written by a builder that reads Dockerfiles", "{text}");
        assert_eq!(lines(&found, 1), [""]);
    }
    assert_eq!(detail(&of(&[], &given(DOCKERFILE))), "the image has no history");
    let diff_ids = diff_ids(2);
    let history = history(&CLASSIC);
    let making = Making { diff_ids: &diff_ids, layer_digests: &[], history: &history, provenance: &[] };
    let found = attribute(&making, None, &given(DOCKERFILE), &Limits::default());
    assert_eq!(detail(&found), "the history tells of 5 layers, and the image has 2");
    assert_eq!(attribute(&making, None, &Dockerfiles::default(), &Limits::default()), Attribution::default());
}

#[test]
fn a_stage_does_not_begin_within_layers_that_are_the_bases_for_certain() {
    let history = history(&["ADD x /", "RUN y", "RUN z"]);
    let diff_ids = diff_ids(3);
    let making = Making { diff_ids: &diff_ids, layer_digests: &[], history: &history, provenance: &[] };
    let of_base = |layers| {
        let base =
            Base { name: None, layers, told_by: ToldBy::Given, confidence: base::Confidence::Certain, reason: String::new() };
        lines(&attribute(&making, Some(&base), &given("FROM a\nRUN y\nRUN z\n"), &Limits::default()), 3)
    };
    assert_eq!(of_base(1), ["1 base", "2 aligned", "3 aligned"]);
    assert_eq!(of_base(2), ["1 given"; 3]);
}

const CHAINED: &str = "\
FROM scratch AS base
COPY hello /base.txt
LABEL l=1
FROM base AS build
ARG VER=9
COPY hello /out/app
FROM base AS final
ARG VER=9
ENV A=$VER
WORKDIR /w/$VER
COPY --from=build /out/app /usr/bin/app
ADD hello /h
RUN install -m 4755 a /bin/tool
USER 1000
CMD [\"--x\"]
";

fn from(text: &str, comment: &str) -> History {
    History { comment: comment.to_owned(), ..entry(text) }
}

#[test]
fn layers_of_buildah_are_aligned_through_stages_that_build_on_stages() {
    let history = [
        from("/bin/sh -c #(nop) COPY file:1 in /base.txt ", ""),
        from("!/bin/sh -c #(nop) LABEL l=1", "FROM ea8a390a5a43"),
        from("!/bin/sh -c #(nop) ARG VER", "FROM a98fb341ff2d"),
        from("!/bin/sh -c #(nop) ENV A=$VER", "FROM e814732c182a"),
        from("!/bin/sh -c #(nop) WORKDIR /w/$VER", "FROM b8b0995eba1a"),
        from("/bin/sh -c #(nop) COPY file:9 in /usr/bin/app ", "FROM cb52f53b761e"),
        from("/bin/sh -c #(nop) ADD file:6 in /h ", "FROM 268933a85f7b"),
        from("|1 VER=9 /bin/sh -c install -m 4755 a /bin/tool", "FROM 268933a85f7c"),
        from("!/bin/sh -c #(nop) USER 1000", "FROM b759fe344dde"),
        from("!/bin/sh -c #(nop) CMD [\"--x\"]", "FROM 4957bb578498"),
    ];
    let found = of(&history, &given(CHAINED));
    assert_eq!(lines(&found, 4), ["2 aligned", "11 aligned", "12 aligned", "13 aligned"]);
    assert_eq!(found.of_config("config.Labels.l").unwrap().line, 3);
}

#[test]
fn one_layer_of_a_whole_stage_is_said_to_be_one_and_a_name_finds_its_instruction() {
    let history = [
        entry("!/bin/sh -c #(nop) COPY file:1 in /base.txt "),
        entry("/bin/sh -c #(nop) LABEL l=1"),
        entry("!/bin/sh -c #(nop) ARG VER"),
        entry("!/bin/sh -c #(nop) ENV A=$VER"),
        entry("!/bin/sh -c #(nop) WORKDIR /w/$VER"),
        entry("!/bin/sh -c #(nop) COPY file:9 in /usr/bin/app "),
        entry("!/bin/sh -c #(nop) ADD file:6 in /h "),
        entry("!|1 VER=9 /bin/sh -c install -m 4755 a /bin/tool"),
        entry("!/bin/sh -c #(nop) USER 1000"),
        from("/bin/sh -c #(nop) CMD [\"--x\"]", "FROM 237d1cd90bba"),
    ];
    let found = of(&history, &given(CHAINED));
    assert_eq!(lines(&found, 2), ["1 stage", "7 stage"]);
    assert_eq!(found.dockerfile.as_ref().unwrap().confidence, Some(Confidence::Stage));
    assert_eq!(found.of_config("config.User").map(|it| (it.line, it.confidence)), Some((14, Confidence::Aligned)));
    let tool = found.of_layer(1, &[Token::Mode("/bin/tool".into())]).unwrap();
    assert_eq!((tool.line, tool.instruction.start, tool.confidence), (13, 13, Confidence::Stage));
    // a last instruction that changes files, behind others that did
    let run_last = [entry("ADD x /"), entry("!/bin/sh -c a"), from("/bin/sh -c b", "FROM docker.io/library/debian:13")];
    assert_eq!(lines(&of(&run_last, &given("FROM debian:13\nRUN a\nRUN b\n")), 2), ["1 base", "1 stage"]);
    // the classic builder makes no layer of a RUN that changes nothing
    let classic = [entry("ADD x /"), entry("!/bin/sh -c a"), entry("/bin/sh -c b")];
    assert_eq!(lines(&of(&classic, &given("FROM debian:13\nRUN a\nRUN b\n")), 2), ["1 base", "3 aligned"]);
}

#[test]
fn kaniko_writes_only_what_changes_files() {
    let kaniko = |text: &str| History { author: "kaniko".into(), ..entry(text) };
    let text = "FROM a\nENV x=y\nWORKDIR /w\nCOPY a b\nRUN make\nCMD x\n";
    for (entries, expected) in [
        (vec![entry("ADD x /"), kaniko("COPY a b"), kaniko("RUN make")], vec!["1 base", "4 aligned", "5 aligned"]),
        (
            vec![entry("ADD x /"), kaniko("WORKDIR /w"), kaniko("COPY a b"), kaniko("RUN make")],
            vec!["1 base", "3 aligned", "4 aligned", "5 aligned"],
        ),
    ] {
        assert_eq!(lines(&of(&entries, &given(text)), expected.len()), expected);
    }
}

#[test]
fn a_dockerfile_of_very_many_stages_is_not_taken_apart() {
    let text = "FROM scratch\n".repeat(1_001);
    let found = of(&history(&["COPY a b # buildkit"]), &given(&text));
    assert!(detail(&found).contains("dockerfile-stages"), "{}", detail(&found));
    assert_ne!(lines(&found, 1), ["1 aligned"]);
}

#[test]
fn a_dockerfile_of_the_same_shape_with_other_commands_is_another_one() {
    let image = history(&["ADD x /", "RUN /bin/sh -c make all # buildkit", "!CMD [\"x\"]"]);
    let found = of(&image, &given("FROM a\nRUN npm ci\nCMD x\n"));
    assert_eq!(lines(&found, 2), ["1 given", "1 given"]);
    assert_eq!(detail(&found), "the history has none of the Dockerfile's commands, such as that of line 2");
    let found = of(&image, &given("FROM a\nRUN make \\\n  # all of it\n  all\nCMD x\n"));
    assert_eq!(lines(&found, 2), ["1 base", "2 aligned"]);
    let bash = history(&["ADD x /", "!SHELL [bash -c]", "RUN bash -c make all # buildkit", "RUN bash -c x # buildkit"]);
    let found = of(&bash, &given("FROM a\nSHELL [\"bash\", \"-c\"]\nRUN make all\nRUN y\n"));
    assert_eq!(lines(&found, 3), ["1 base", "3 aligned", "4 aligned"]);
    let heredoc = history(&["ADD x /", "RUN <<EOT (make...)"]);
    assert_eq!(lines(&of(&heredoc, &given("FROM a\nRUN <<EOT\nmake\nEOT\n")), 2), ["1 base", "2 aligned"]);
}
