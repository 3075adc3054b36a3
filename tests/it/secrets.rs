//! Values of secrets: found in images, and in no report of any format.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::{self, list};
use crate::recipe;

const FORMATS: [&str; 10] =
    ["text", "json", "in-toto", "dotenv", "sarif", "markdown", "junit", "github", "gitlab-codequality", "html"];

/// The ids of the checks of secrets.
const CHECKS: [&str; 6] =
    ["buried-secret", "credential-file", "private-key", "secret-in-environment", "secret-in-history", "secret-token"];

/// An image that says its secrets wherever an image can, also under no name that tells them.
const LOUD: &str = r#"
about = "Secrets in the config, in the history, in labels, in the health check, and in files."
containers = ["oci"]

[[layer]]
entries = [
    { file = "app/.env", text = 'DB_PASSWORD=tr0ub4dor-and-3\x0aAPI_KEY="q8w7e6r5t4y3u2i1"\x0a' },
    { file = "app/.netrc", text = 'machine h login me password netrc-hunter2\x0a' },
]

[[layer]]
entries = [{ whiteout = "app/.netrc" }]

[[document]]
name = "config"
text = '''{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/true"],
"Env":["DB_PASSWORD=env-hunter2-long","SITE=https://me:url-hunter2@h.test/"],
"Labels":{"my.token":"label-hunter2"},
"Healthcheck":{"Test":["CMD-SHELL","probe --password=health-hunter2 env-hunter2-long"]}},
"rootfs":{"type":"layers","diff_ids":["$layer0.diff_id","$layer1.diff_id"]},
"history":[
{"created_by":"|1 BUILD_TOKEN=argument-hunter2 /bin/sh -c echo argument-hunter2 env-hunter2-long > /x"},
{"created_by":"RUN curl -H 'Authorization: Bearer header-hunter2' https://me:history-hunter2@h.test/ --token option-hunter2 && deploy label-hunter2 # buildkit"}]}'''

[expect]
verdict = "accept"
"#;

const VALUES: [&str; 12] = [
    "tr0ub4dor",
    "q8w7e6r5",
    "netrc-hunter2",
    "env-hunter2",
    "url-hunter2",
    "label-hunter2",
    "health-hunter2",
    "argument-hunter2",
    "header-hunter2",
    "history-hunter2",
    "option-hunter2",
    "hunter2",
];

/// Runs of letters and digits of a recipe that are long enough to be values: bodies of keys, tokens, passwords.
fn values(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|word| word.len() >= 20 && word.bytes().any(|byte| byte.is_ascii_digit()))
        .map(|word| word[..12].to_owned())
        .collect()
}

fn reports(image: &std::path::Path) -> Vec<(&'static str, String)> {
    let report = |format: &'static str| {
        let output = program::run(&["check", image.to_str().unwrap(), "--format", format]);
        (format, String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    FORMATS.into_iter().map(report).collect()
}

#[test]
fn no_report_of_any_format_holds_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("loud.tar");
    std::fs::write(&image, recipe::oci_archive(&recipe::of_text(LOUD))).unwrap();
    let mut wrong = Vec::new();
    for (format, report) in reports(&image) {
        assert!(report.len() > 40, "{format}: {report}");
        wrong.extend(VALUES.iter().filter(|value| report.contains(*value)).map(|value| format!("{format}: {value}")));
    }
    for id in CHECKS {
        let recipe = recipe::of_check(id, "fires");
        let path = recipe::folder().join(format!("../checks/{id}.fires.toml"));
        let values = values(&std::fs::read_to_string(path).unwrap());
        assert!(!values.is_empty(), "{id}");
        std::fs::write(&image, recipe::oci_archive(&recipe)).unwrap();
        for (format, report) in reports(&image) {
            wrong.extend(values.iter().filter(|value| report.contains(*value)).map(|value| format!("{id} {format}: {value}")));
        }
    }
    program::assert_none(&wrong);
}

#[test]
fn everything_that_an_image_says_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("loud.tar");
    std::fs::write(&image, recipe::oci_archive(&recipe::of_text(LOUD))).unwrap();
    let checked = program::check(&image, &[]);
    let mut found: Vec<(String, String)> = list(&checked.images()[0]["findings"])
        .filter_map(|one: &Value| {
            Some((one["check"].as_str()?.to_owned(), one["subject"].as_str().unwrap_or_default().to_owned()))
        })
        .filter(|(check, _)| CHECKS.contains(&check.as_str()))
        .collect();
    found.sort();
    let expected = [
        ("buried-secret", "/app/.netrc"),
        ("credential-file", "/app/.env"),
        ("secret-in-environment", "DB_PASSWORD"),
        ("secret-in-environment", "SITE"),
        ("secret-in-history", "Authorization"),
        ("secret-in-history", "BUILD_TOKEN"),
        ("secret-in-history", "a-password-in-a-url"),
        ("secret-in-history", "label my.token"),
        ("secret-in-history", "token"),
    ];
    assert_eq!(found, expected.map(|(check, subject)| (check.to_owned(), subject.to_owned())));
}

/// Images whose secrets the recipe of the shared images planted.
#[test]
fn planted_secrets_of_the_shared_images_are_found_and_no_other() {
    let Some(shared) = program::shared_images() else { return };
    let layout = shared.join("small/layouts/images.oci");
    let planted: &[(&str, &[(&str, &str)])] = &[
        (
            "f-secrets-env",
            &[
                ("secret-in-environment", "AWS_SECRET_ACCESS_KEY"),
                ("secret-in-environment", "DATABASE_URL"),
                ("secret-in-environment", "DB_PASSWORD"),
                ("secret-in-history", "BUILD_TOKEN"),
            ],
        ),
        (
            "f-secrets-final",
            &[
                ("credential-file", "/app/.env"),
                ("credential-file", "/root/.aws/credentials"),
                ("credential-file", "/root/.npmrc"),
                ("private-key", "/etc/tls/server.key"),
                ("private-key", "/home/app/.ssh/id_rsa"),
            ],
        ),
        ("f-secrets-lower", &[("buried-secret", "/app/.env"), ("buried-secret", "/root/.ssh/id_rsa")]),
        ("c-decoys", &[]),
    ];
    for (name, expected) in planted {
        let checked = program::check(&layout, &["--image", name]);
        let mut found: Vec<(&str, &str)> = list(&checked.images()[0]["findings"])
            .filter_map(|one| Some((one["check"].as_str()?, one["subject"].as_str().unwrap_or_default())))
            .filter(|(check, _)| CHECKS.contains(check))
            .collect();
        found.sort_unstable();
        assert_eq!(found, *expected, "{name}");
    }
}
