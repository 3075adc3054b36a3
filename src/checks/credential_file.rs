//! `credential-file`: a file that programs read their credentials from holds some.

use super::{Check, Family, Reference, secret_words};
use crate::facts::Image;
use crate::finding::{Observation, Severity};
use crate::secret::Group;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "credential-file",
    title: "A file of credentials is in the image",
    family: Family::Secrets,
    severity: Severity::High,
    what: "A file that a program reads its credentials from holds some: `.aws/credentials`, `.docker/config.json` with `auths`, \
           `.npmrc` with a token, `.pypirc`, `pip.conf` with a password in its index, `.netrc`, `.pgpass`, `.my.cnf`, \
           `.git-credentials`, a kube config with a key or token, `.env` with values of secret names, and their like. Without \
           credentials, with `${VARIABLES}` or stand-ins such as `changeme` in their place, a file is silent, and so are samples such \
           as `.env.example`. In a folder of the image's own tests it is `medium`.",
    why: "Whoever can pull the image can use the credentials, until they are changed.",
    fix: "Change the credentials, and mount the file when the container runs, or into the step that needs it.",
    example: "RUN --mount=type=secret,id=npmrc,target=/app/.npmrc npm ci\n",
    references: &[
        Reference { name: "CIS Docker 4.10", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.4", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CWE-538", url: "https://cwe.mitre.org/data/definitions/538.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    secret_words::files(image, Group::File, |_| None)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    #[test]
    fn fires_on_files_with_credentials_and_names_no_value() {
        let seen = Builder::default()
            .searched("/app/.env", "A=1\nDB_PASSWORD=hunter2\nAPI_TOKEN=ddb2afaa7608aaa62773d4f1\n")
            .run(&CHECK);
        let expected = "/app/.env holds a value of DB_PASSWORD (7 characters, line 2), \
                        a value of API_TOKEN (ddb2..., 24 characters, line 3)";
        assert_eq!((seen.len(), seen[0].message.as_str()), (1, expected));
        let npmrc = "//r.test/:_authToken=npm_e9f40dd603e77ec3321b4c5df9c63d3b0f42\n";
        let seen = Builder::default().searched("/app/.npmrc", npmrc).run(&CHECK);
        assert_eq!(seen[0].message, "/app/.npmrc holds a token of an npm registry (npm_..., 40 characters, line 1)");
    }

    #[test]
    fn is_silent_on_the_same_files_without() {
        let mut builder = Builder::default();
        builder.searched("/app/.env", "NODE_ENV=production\nDB_PASSWORD=${DB_PASSWORD}\nAPI_KEY=changeme\n");
        builder.searched("/app/.npmrc", "registry=https://r.test/\n//r.test/:_authToken=${NPM_TOKEN}\n");
        builder.searched("/app/.docker/config.json", "{\"auths\":{\"r.test\":{}},\"credsStore\":\"pass\"}");
        builder.searched("/app/.env.example", "DB_PASSWORD=hunter2\n");
        assert!(builder.run(&CHECK).is_empty());
    }
}
