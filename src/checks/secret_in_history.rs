//! `secret-in-history`: an instruction, a build argument or a label holds a secret.

use std::collections::BTreeMap;

use super::{Check, Family, Reference, secret_words, wording};
use crate::facts::{Exposed, ExposedIn, Image};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape_text;
use crate::secret::Kind;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "secret-in-history",
    title: "The history or a label of the image holds a secret",
    family: Family::Secrets,
    severity: Severity::High,
    what: "An instruction in the image's history, a build argument that the builder wrote beside it (`|1 TOKEN=...`), or a label \
           gives a value to a name that says that it is a secret, holds a token of a known format, or a URL with a password. What \
           `config.Env` still holds is said by `secret-in-environment`.",
    why: "The history travels with the image in the clear, and `docker history` shows it to whoever can pull it. A build argument \
          stays there though nothing of it is in the filesystem.",
    fix: "Change the secret, and give it to the build as a secret mount instead of a build argument or in the text of an instruction.",
    example: "# not: ARG NPM_TOKEN\nRUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci\n",
    references: &[
        Reference { name: "CIS Docker 4.10", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.4", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CWE-538", url: "https://cwe.mitre.org/data/definitions/538.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut by_subject: BTreeMap<String, Vec<&Exposed>> = BTreeMap::new();
    for exposed in image.secrets.exposed.iter().filter(|exposed| !matches!(exposed.place, ExposedIn::Environment(_))) {
        by_subject.entry(subject(exposed)).or_default().push(exposed);
    }
    by_subject.into_iter().filter_map(|(subject, exposed)| observe(image, subject, &exposed)).collect()
}

/// One argument stands in every line after it: its name tells it, or what a nameless one is.
fn subject(exposed: &Exposed) -> String {
    let secret = &exposed.secret;
    match (&exposed.place, &secret.name) {
        (ExposedIn::Label(name), _) => format!("label {name}"),
        (_, Some(name)) => name.to_string(),
        _ => wording::key(secret.kind.label()),
    }
}

fn observe(image: &Image, subject: String, exposed: &[&Exposed]) -> Option<Observation> {
    let first = exposed.first()?;
    let secret = &first.secret;
    let what = if secret.kind == Kind::NamedSecret { "a secret" } else { secret.kind.label() };
    let name = secret.name.as_deref().map(escape_text).unwrap_or_default();
    let holder = match &first.place {
        ExposedIn::Label(name) => format!("the label {}", escape_text(name)),
        ExposedIn::Argument(_) => format!("the build argument {name}"),
        _ if name.is_empty() => "an instruction".to_owned(),
        _ => format!("an instruction, as {name},"),
    };
    let message = format!("{holder} holds {what} ({})", secret_words::masked(secret));
    let evidence = exposed.iter().map(|exposed| evidence_of(image, &exposed.place)).collect();
    Some(Observation { subject, message, evidence, ..Observation::default() })
}

fn evidence_of(image: &Image, place: &ExposedIn) -> Evidence {
    match place {
        ExposedIn::Environment(name) => Evidence::of_config(&format!("config.Env.{}", escape_text(name))),
        ExposedIn::Label(name) => Evidence::of_config(&format!("config.Labels.{}", escape_text(name))),
        ExposedIn::Instruction(index) | ExposedIn::Argument(index) => Evidence {
            history: Some(*index),
            layer: image.steps.iter().position(|step| step.history == Some(*index)),
            ..Evidence::of_config(&format!("history[{index}]"))
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    #[test]
    fn fires_on_a_build_argument_once_with_all_its_lines() {
        let mut builder = Builder::default();
        builder.history("ADD x /");
        for command in ["make", "make install"] {
            builder.history(&format!("|1 BUILD_TOKEN=fake-token-0123456789 /bin/sh -c {command}"));
        }
        let seen = builder.run(&CHECK);
        assert_eq!((seen.len(), seen[0].subject.as_str()), (1, "BUILD_TOKEN"));
        assert_eq!(seen[0].message, "the build argument BUILD_TOKEN holds a secret (fake..., 21 characters)");
        let places: Vec<_> = seen[0].evidence.iter().map(|one| (one.history, one.layer, one.config.as_deref())).collect();
        assert_eq!(places, [(Some(1), Some(0), Some("history[1]")), (Some(2), None, Some("history[2]"))]);
    }

    #[test]
    fn fires_on_instructions_and_labels() {
        let mut builder = Builder::default();
        builder.history("RUN git clone https://me:s3cret@host.test/x").history("RUN X_TOKEN=abcdef make");
        builder.runtime.labels = vec![("app.api-key".to_owned(), "abcdef".to_owned())];
        let messages: Vec<_> = builder.run(&CHECK).into_iter().map(|one| one.message).collect();
        assert_eq!(
            messages,
            [
                "an instruction, as X_TOKEN, holds a secret (6 characters)",
                "an instruction holds a password in a URL (6 characters)",
                "the label app.api-key holds a secret (6 characters)",
            ]
        );
    }

    #[test]
    fn is_silent_on_what_the_environment_tells_and_on_usual_instructions() {
        let mut builder = Builder::default();
        builder.env("DB_PASSWORD=hunter2").history("ENV DB_PASSWORD=hunter2").history("ARG NPM_TOKEN");
        builder.history("RUN apt-get install -y passwd=1:4.13 && TOKEN=$(cat /run/secrets/t) make");
        builder.history("|1 VERSION=1.2.3 /bin/sh -c make");
        assert!(builder.run(&CHECK).is_empty());
    }
}
