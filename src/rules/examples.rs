//! The examples of `docs/rules.md` on images of their own, and its tables against the schema.

use serde::Deserialize;

use super::schema::{Of, RECORDS, RecordType};
use super::testing::Builder;
use crate::facts::Image;
use crate::limits::Limits;
use crate::policy::{Rule, Severity};

const PAGE: &str = include_str!("../../docs/rules.md");

#[derive(Deserialize)]
struct Document {
    rules: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    id: String,
    title: String,
    severity: String,
    when: String,
    message: String,
    fix: String,
}

fn examples() -> Vec<Rule> {
    let blocks = PAGE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let rule = |block: &str| {
        let Example { id, title, severity, when, message, fix } = toml::from_str::<Document>(block).unwrap().rules.remove(0);
        let severity = Severity::ALL.into_iter().find(|known| known.as_str() == severity).unwrap();
        assert!(![&title, &message, &fix].iter().any(|text| text.is_empty()), "{id}");
        assert!(crate::limits::Limits::default().rule_bytes(when.len() as u64).is_ok());
        Rule { id, title, severity, when, message, fix }
    };
    blocks.map(rule).collect()
}

/// An image on which the example fires, and one like it on which it does not.
fn images(id: &str) -> (Builder, Builder) {
    let new = Builder::default;
    let label = |name: &'static str, value: &'static str| {
        new().config(move |config| config.labels = vec![(name.to_owned(), value.to_owned())])
    };
    let ports = |port: &'static str| new().config(move |config| config.exposed_ports = vec!["8080/tcp".into(), port.into()]);
    let words = |words: &'static [&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let modules = |count: usize| (0..count).fold(new(), |image, n| image.file(&format!("/app/node_modules/{n}"), 0o644, 0));
    let base = "org.opencontainers.image.base.name";
    match id {
        "user-in-range" => (new().user(Some(999)), new().user(Some(10_001))),
        "debug-package" => (new().package("netcat-openbsd", &[]), new().package("libnetcat", &[])),
        "shell" => (new().file("/bin/dash", 0o755, 0), new().file("/bin/dashboard", 0o755, 0).file("/doc/sh", 0o644, 0)),
        "writable-application" => {
            (new().file("/app/a.py", 0o644, 10_001), new().file("/app/a.py", 0o644, 0).file("/var/a", 0o666, 10_001))
        }
        "team-label" => (label("team", "x"), label("team", "team-blue")),
        "floating-base" => (label(base, "docker.io/library/debian:latest"), label(base, "docker.io/library/debian:13-slim")),
        "piped-download" => {
            (new().history("RUN curl -fsSL https://a.b/x | bash"), new().history("RUN curl -o x https://a.b/x && sh x"))
        }
        "platform" => (new().architecture("s390x"), new().architecture("arm64")),
        "readable-secret" => (new().file("/srv/tls.key", 0o644, 0), new().file("/srv/tls.key", 0o400, 0)),
        "port" => (ports("22/tcp"), ports("8443/tcp")),
        "shell-form" => (
            new().config(|config| config.entrypoint = words(&["/bin/sh", "-c", "server"])),
            new().config(|config| (config.entrypoint, config.cmd) = (words(&["/app/server"]), words(&["sh"]))),
        ),
        "many-modules" => (modules(20_001), modules(20_000)),
        "unlisted-set-id" => (new().file("/app/x", 0o4755, 0), new().file("/usr/bin/su", 0o4755, 0)),
        "distribution" => (new().distribution("alpine", "3.22"), new().distribution("debian", "13")),
        _ => panic!("no images for the example {id}"),
    }
}

#[test]
fn every_example_fires_on_one_image_and_is_silent_on_another() {
    let examples = examples();
    assert!(examples.len() >= 10);
    for rule in examples {
        let (bad, good) = images(&rule.id);
        let seen = |image: Image| {
            let evaluated = super::evaluate(std::slice::from_ref(&rule), &image, &Limits::default());
            assert!(evaluated.not_evaluated.is_empty(), "{}: {:?}", rule.id, evaluated.not_evaluated);
            evaluated.findings.len()
        };
        assert_eq!((seen(bad.image()), seen(good.image())), (1, 0), "{}", rule.id);
    }
}

fn named(of: Of) -> String {
    match of {
        Of::Bool => "bool".to_owned(),
        Of::Int => "int".to_owned(),
        Of::Text => "string".to_owned(),
        Of::Ints => "list of int".to_owned(),
        Of::Texts => "list of string".to_owned(),
        Of::Map => "map".to_owned(),
        Of::Record(record) => format!("`{}`", record.name),
        Of::Records(record) => format!("list of {}", record.name),
    }
}

fn table(record: &RecordType) -> String {
    let row = |field: &super::schema::Field| format!("| `{}` | {} | {} |\n", field.name, named(field.of), field.about);
    let rows: String = record.fields.iter().map(row).collect();
    format!("### `{}`\n\n| field | type | meaning |\n|---|---|---|\n{rows}\n", record.name)
}

#[test]
fn the_page_lists_every_fact() {
    for record in RECORDS {
        assert!(PAGE.contains(&table(record)), "docs/rules.md lacks:\n{}", table(record));
    }
}

#[test]
fn the_page_lists_every_limit_of_rules() {
    for (name, value, _) in Limits::ALL.iter().filter(|(name, ..)| name.starts_with("rule-")) {
        let digits = value.to_string();
        let row = PAGE.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).expect(name);
        assert!(row.replace(',', "").contains(&format!("| {digits} |")), "{row}");
    }
}

#[test]
fn every_fact_can_be_read_and_is_of_its_type() {
    let image = || Builder::default().file("/bin/x", 0o755, 0).package("p", &["/bin/x"]).image();
    let roots = [("file", "files[0]"), ("package", "packages[0]"), ("executable", "executables[0]")];
    for record in RECORDS {
        let root = roots.iter().find(|(name, _)| *name == record.name).map_or(record.name, |(_, root)| root);
        for field in record.fields {
            let read = format!("{root}.{}", field.name);
            let when = match field.of {
                Of::Bool => format!("{read} || true"),
                Of::Int => format!("{read} >= 0"),
                Of::Text | Of::Ints | Of::Texts | Of::Map | Of::Records(_) => format!("{read}.size() >= 0"),
                Of::Record(record) => format!("{read}.{}.size() >= 0 || true", record.fields.last().unwrap().name),
            };
            assert_eq!(super::testing::fires(&when, &image()), Ok(true), "{when}");
        }
    }
}
