//! Histories as builders write them.

use super::super::tests::diff_ids;
use super::*;

/// A line: its builder, whether it made a layer, its day, its text.
fn line(builder: &str, made: bool, day: u32, text: &str) -> History {
    let (comment, author, created_by) = match builder {
        "buildkit" => ("buildkit.dockerfile.v0", "", format!("{text} # buildkit")),
        "classic" if text.starts_with("RUN ") => ("", "", text.replacen("RUN ", "/bin/sh -c ", 1)),
        "classic" => ("", "", format!("/bin/sh -c #(nop) {text}")),
        "debuerreotype" => ("debuerreotype 0.15", "", text.to_owned()),
        "jib" => ("classes", "Jib", text.to_owned()),
        "ko" => ("go build output", "ko", text.to_owned()),
        "kaniko" => ("", "kaniko", text.to_owned()),
        "bazel" => ("", "Bazel", text.to_owned()),
        comment => (comment, "", format!("/bin/sh -c #(nop) {text}")),
    };
    let created = if day == 0 { "0001-01-01T00:00:00Z".to_owned() } else { format!("2026-05-{day:02}T10:00:00Z") };
    History { created_by, empty_layer: !made, comment: comment.to_owned(), author: author.to_owned(), created }
}

/// How many layers are the base's.
fn cut(history: &[History]) -> Option<usize> {
    guess(history).map(|base| base.layers)
}

fn guess(history: &[History]) -> Option<Base> {
    let layers = history.iter().filter(|entry| !entry.empty_layer).count();
    let numbers: Vec<u8> = (0..u8::try_from(layers).unwrap()).collect();
    base(&Making { diff_ids: &diff_ids(&numbers), layer_digests: &[], history, provenance: &[] })
}

fn debian(builder: &str) -> Vec<History> {
    vec![line(builder, true, 1, "ADD file:0123 in / "), line(builder, false, 1, "CMD [\"bash\"]")]
}

fn python(builder: &str) -> Vec<History> {
    let own = [
        line(builder, false, 2, "ENV LANG=C"),
        line(builder, true, 2, "RUN make install"),
        line(builder, true, 2, "RUN pip"),
        line(builder, false, 2, "CMD [\"python3\"]"),
    ];
    [debian("classic"), own.to_vec()].concat()
}

fn own(builder: &str) -> Vec<History> {
    vec![
        line(builder, false, 9, "WORKDIR /app"),
        line(builder, true, 9, "COPY . ."),
        line(builder, true, 9, "RUN make"),
        line(builder, false, 9, "CMD [\"app\"]"),
    ]
}

#[test]
fn buildah_names_the_image_that_a_build_began_from() {
    let history = [
        line("", true, 1, "ADD file:0123 in /"),
        line("FROM d696d19be736", false, 1, "CMD [\"bash\"]"),
        line("FROM docker.io/library/debian:12", true, 1, "RUN a"),
        line("FROM c38d1ab2f0c4", false, 1, "CMD [\"python3\"]"),
        line("FROM docker.io/library/python:3", false, 1, "WORKDIR /app"),
        line("FROM 06329afa9ee6", true, 1, "COPY . ."),
        line("FROM 06329afa9ee7", false, 1, "CMD [\"x\"]"),
        line("FROM 06329afa9ee8", true, 1, "RUN more"),
    ];
    let base = guess(&history).unwrap();
    assert_eq!((base.name.as_deref(), base.layers), (Some("docker.io/library/python:3"), 2));
    assert_eq!((base.told_by, base.confidence), (ToldBy::History, Confidence::Guess));
    assert_eq!(base.reason, "the comment of history line 4 says FROM this image, as buildah writes it");
    assert_eq!(cut(&history[..2]), None, "from scratch");
    assert_eq!(cut(&history[..4]), Some(1));
}

#[test]
fn another_builder_on_top_of_buildahs_names_is_later() {
    let history = [
        line("FROM docker.io/library/debian:12", true, 1, "RUN a"),
        line("FROM c38d1ab2f0c4", true, 1, "RUN b"),
        line("buildkit", true, 1, "RUN c"),
    ];
    assert_eq!(cut(&history), Some(2));
    let classic = [history[..2].to_vec(), own("classic")].concat();
    assert_eq!(cut(&classic), Some(2));
}

#[test]
fn where_the_builder_changes_the_own_lines_begin() {
    assert_eq!(cut(&[debian("classic"), own("buildkit")].concat()), Some(1));
    assert_eq!(cut(&[python("classic"), own("buildkit")].concat()), Some(3));
    assert_eq!(cut(&[vec![line("debuerreotype", true, 1, "# debian.sh --arch 'amd64'")], own("classic")].concat()), Some(1));
    let distroless = [line("bazel", true, 0, "bazel build ..."), line("bazel", true, 0, "bazel build ...")];
    for builder in ["buildkit", "classic", "kaniko", "jib", "ko"] {
        assert_eq!(cut(&[distroless.to_vec(), vec![line(builder, true, 9, "COPY a b")]].concat()), Some(2), "{builder}");
    }
    // what is not known may be anybody's
    assert_eq!(cut(&[own("buildkit"), vec![line("debuerreotype", true, 9, "commit")]].concat()), None);
}

#[test]
fn within_one_builder_the_last_command_that_layers_follow_is_the_bases() {
    for builder in ["classic", "buildkit"] {
        assert_eq!(cut(&[python(builder), own(builder)].concat()), Some(3), "{builder}");
        let without_command = own(builder)[..3].to_vec();
        assert_eq!(cut(&[python(builder), without_command].concat()), Some(3), "{builder}");
    }
    assert_eq!(cut(&[debian("classic"), own("classic")].concat()), Some(1));
    assert_eq!(
        guess(&[python("buildkit"), own("buildkit")].concat()).unwrap().reason,
        "the image goes on after the CMD before history line 6, and CMD ends most Dockerfiles"
    );
}

#[test]
fn an_image_that_only_adds_to_the_config_has_inherited_all_layers() {
    let only_command = [line("buildkit", false, 9, "WORKDIR /a"), line("buildkit", false, 9, "CMD [\"x\"]")];
    assert_eq!(cut(&[python("buildkit"), only_command.to_vec()].concat()), Some(3));
    // without a command of its own it looks like the base itself
    assert_eq!(cut(&[python("buildkit"), only_command[..1].to_vec()].concat()), None);
    let labels = [line("buildkit", false, 2, "LABEL a=b"), line("buildkit", false, 2, "EXPOSE 80")];
    assert_eq!(cut(&[python("buildkit"), labels.to_vec()].concat()), Some(1), "python itself, on debian");
}

#[test]
fn a_command_among_lines_of_one_hour_may_be_ones_own() {
    let early = [
        line("buildkit", true, 9, "COPY a b"),
        line("buildkit", false, 9, "ENTRYPOINT [\"x\"]"),
        line("buildkit", true, 9, "COPY c d"),
    ];
    assert_eq!(cut(&early), None);
    assert_eq!(cut(&[python("buildkit"), early.to_vec()].concat()), None);
    let twice = [line("buildkit", true, 9, "COPY a b"), line("buildkit", false, 9, "CMD a"), line("buildkit", false, 9, "CMD b")];
    assert_eq!(cut(&twice), None);
}

#[test]
fn a_wider_gap_further_on_says_that_there_is_another_base() {
    // jre: a layer on debian, a day later, without a command
    let jre = [debian("classic"), vec![line("classic", true, 2, "RUN install java")]].concat();
    assert_eq!(cut(&[jre.clone(), own("classic")].concat()), None);
    assert_eq!(cut(&[jre, own("buildkit")].concat()), Some(2));
    // layers from a cache are younger than the base
    let cached = [line("classic", true, 29, "RUN a"), line("classic", true, 30, "RUN b")];
    assert_eq!(cut(&[python("classic"), cached.to_vec()].concat()), Some(3));
}

#[test]
fn a_history_of_other_layers_says_nothing() {
    let history = [debian("classic"), own("buildkit")].concat();
    let making = Making { diff_ids: &diff_ids(&[1, 2]), layer_digests: &[], history: &history, provenance: &[] };
    assert_eq!(base(&making), None);
    assert_eq!(cut(&[]), None);
    assert_eq!(cut(&[line("classic", false, 1, "CMD x")]), None);
    assert_eq!(cut(&[line("buildkit", true, 1, "COPY a b")]), None);
    assert_eq!(cut(&own("buildkit")), None, "from scratch");
}

proptest::proptest! {
    #[test]
    fn a_cut_leaves_the_base_a_layer_and_never_more_than_there_are(lines in proptest::collection::vec((0_usize..10, 0_usize..8, 0_u32..32, proptest::bool::ANY), 0..20)) {
        let builders = ["buildkit", "classic", "debuerreotype", "jib", "kaniko", "bazel", "FROM a/b", "FROM 0123456789ab", "FROM ", "x"];
        let texts = ["CMD a", "ENTRYPOINT b", "RUN c", "COPY d /", "ADD e in /", "", "LABEL f", "é"];
        let history: Vec<History> =
            lines.into_iter().map(|(builder, text, day, made)| line(builders[builder], made, day, texts[text])).collect();
        let layers = history.iter().filter(|entry| !entry.empty_layer).count();
        if let Some(found) = cut(&history) {
            proptest::prop_assert!((1..=layers).contains(&found));
        }
    }
}
