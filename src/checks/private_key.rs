//! `private-key`: the body of a private key lies in the final filesystem.

use super::{Check, Family, Reference, secret_words};
use crate::facts::Image;
use crate::finding::{Observation, Severity};
use crate::secret::Group;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "private-key",
    title: "A private key is in the image",
    family: Family::Secrets,
    severity: Severity::Critical,
    what: "A text file holds a private key: PEM (PKCS #1, SEC 1, PKCS #8, DSA), OpenSSH, PGP, PuTTY or age, told by what its frame \
           holds. A key that a passphrase protects is `high`, one in a folder of the image's own tests `medium`; keys that packages \
           publish with their tests and examples do not count. Text files of any size are searched in all layers; files whose first \
           512 bytes hold a NUL are not text.",
    why: "Whoever can pull the image has the key, and can act as its owner: sign in, decrypt, sign. A key in an image is to be \
          taken as disclosed.",
    fix: "Replace the key, and give the new one to the container when it runs, or to the build as a secret mount.",
    example: "RUN --mount=type=ssh git clone git@example.com:app.git\n# at run time: docker run --mount type=bind,src=server.key,dst=/run/secrets/server.key,readonly ...\n",
    references: &[
        Reference { name: "CIS Docker 4.10", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.4", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CWE-321", url: "https://cwe.mitre.org/data/definitions/321.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    secret_words::files(image, Group::Key, |keys| keys.iter().all(|key| key.is_encrypted).then_some(Severity::High))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;
    use crate::secret::testing::{framed, rsa_key};

    #[test]
    fn fires_on_a_key_with_its_file() {
        let mut builder = Builder::default();
        builder.searched("/etc/tls/server.key", &rsa_key(1)).hard_link("/opt/key.pem", "/etc/tls/server.key");
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "/etc/tls/server.key holds an RSA private key (line 1)");
        assert_eq!((seen[0].subject.as_str(), seen[0].severity), ("/etc/tls/server.key", None));
        assert_eq!(paths(&seen[0]), ["/etc/tls/server.key", "/opt/key.pem"]);
    }

    #[test]
    fn fires_less_on_encrypted_keys_and_on_those_of_own_tests() {
        let encrypted = framed("RSA PRIVATE KEY", &[9; 608]).replacen("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1);
        let seen = Builder::default().searched("/root/key", &encrypted).run(&CHECK);
        assert_eq!(seen[0].severity, Some(Severity::High));
        assert!(seen[0].message.contains("protected by a passphrase"));
        let seen = Builder::default().searched("/app/tests/key.pem", &rsa_key(1)).run(&CHECK);
        assert_eq!(seen[0].severity, Some(Severity::Medium));
    }

    #[test]
    fn is_silent_on_what_packages_publish() {
        let mut builder = Builder::default();
        for path in [
            "/usr/local/lib/python3.11/test/certdata/badkey.pem",
            "/usr/share/go-1.19/src/crypto/tls/testdata/example-key.pem",
            "/app/node_modules/https-proxy-agent/test/ssl-cert-snakeoil.key",
            "/usr/lib/ssl/key.pem",
        ] {
            builder.searched(path, &rsa_key(1));
        }
        builder.in_package("openssl", &["/usr/lib/ssl/key.pem"]);
        assert!(builder.run(&CHECK).is_empty());
    }

    #[test]
    fn is_silent_on_certificates_public_keys_and_mentions() {
        let mut builder = Builder::default();
        builder.searched("/etc/tls/server.crt", &rsa_key(1).replace("RSA PRIVATE KEY", "CERTIFICATE"));
        builder.searched("/app/doc.txt", "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----\n");
        assert!(builder.run(&CHECK).is_empty());
    }
}
