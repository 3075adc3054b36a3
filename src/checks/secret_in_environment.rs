//! `secret-in-environment`: a variable of the config holds a secret.

use std::collections::BTreeMap;

use super::{Check, Family, Reference, secret_words, wording};
use crate::facts::{ExposedIn, Image};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape_text;
use crate::secret::Kind;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "secret-in-environment",
    title: "A variable of the image holds a secret",
    family: Family::Secrets,
    severity: Severity::High,
    what: "A variable in `config.Env` has a name that says that it is a secret, by whole words (`password`, `secret`, `token`, \
           `apikey`, `api_key`; not `GPG_KEY`, `KEYCLOAK_URL`, `PASSWORD_FILE`), and a value that is no stand-in such as `changeme`; \
           or its value is a token of a known format, or a URL with a password.",
    why: "The config travels with the image in the clear: whoever can pull it, and whoever can inspect the image or its containers, \
          reads the value. Every process of the container inherits it.",
    fix: "Change the secret, take the ENV out, and give the value to the container when it runs.",
    example: "# not: ENV DB_PASSWORD=...\n# docker run --env-file secrets.env app, or a secret of the orchestrator mounted as a file:\nENV DB_PASSWORD_FILE=/run/secrets/db_password\n",
    references: &[
        Reference { name: "CIS Docker 4.10", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.4", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CWE-526", url: "https://cwe.mitre.org/data/definitions/526.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut by_name = BTreeMap::new();
    for exposed in &image.secrets.exposed {
        if let ExposedIn::Environment(name) = &exposed.place {
            // of a name that is there twice, the last is what a process sees
            by_name.insert(name.as_str(), &exposed.secret);
        }
    }
    let observe = |(name, secret): (&str, &crate::secret::Secret)| {
        let what = if secret.kind == Kind::NamedSecret { "a secret" } else { secret.kind.label() };
        let shown = escape_text(name);
        Observation {
            subject: wording::path_key(name.as_bytes()),
            message: format!("the variable {shown} holds {what} ({})", secret_words::masked(secret)),
            evidence: vec![Evidence::of_config(&format!("config.Env.{shown}"))],
            ..Observation::default()
        }
    };
    by_name.into_iter().map(observe).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    #[test]
    fn fires_on_names_that_say_so_with_their_variable() {
        let seen = Builder::default().env("PATH=/bin").env("DB_PASSWORD=hunter2-for-the-test").run(&CHECK);
        assert_eq!((seen.len(), seen[0].subject.as_str()), (1, "DB_PASSWORD"));
        assert_eq!(seen[0].message, "the variable DB_PASSWORD holds a secret (hunt..., 20 characters)");
        assert_eq!(seen[0].evidence, [Evidence::of_config("config.Env.DB_PASSWORD")]);
    }

    #[test]
    fn fires_on_urls_with_a_password_and_on_a_name_once() {
        let mut builder = Builder::default();
        builder.env("DATABASE_URL=postgres://app:fake-pw@db.test/app").env("A_TOKEN=abc123").env("A_TOKEN=abc1234");
        let messages: Vec<_> = builder.run(&CHECK).into_iter().map(|one| one.message).collect();
        assert_eq!(
            messages,
            [
                "the variable A_TOKEN holds a secret (7 characters)",
                "the variable DATABASE_URL holds a password in a URL (7 characters)"
            ]
        );
    }

    #[test]
    fn is_silent_on_names_that_only_look_like_it_and_on_stand_ins() {
        let mut builder = Builder::default();
        for entry in [
            "GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568",
            "KEYCLOAK_URL=https://sso.test",
            "PYTHON_PIP_VERSION=23.0.1",
            "PASSWORD_FILE=/run/secrets/pw",
            "API_KEY=changeme",
            "SECRET=",
            "MYSQL_ALLOW_EMPTY_PASSWORD=yes",
            "DATABASE_URL=postgres://db.test/app",
        ] {
            builder.env(entry);
        }
        assert!(builder.run(&CHECK).is_empty());
    }
}
