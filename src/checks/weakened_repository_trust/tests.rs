//! What switches verification off, and what does not.

use super::super::testing::Builder;
use super::super::testing::plain::run_on_config;
use super::*;
use crate::oci::History;

fn messages(kind: ConfigKind, body: &str) -> Vec<String> {
    run_on_config(&CHECK, kind, "/etc/x", body).into_iter().map(|one| one.message).collect()
}

#[test]
fn fires_on_sources_of_apt() {
    let line = "# c\ndeb [arch=amd64 trusted=yes] http://x y main\ndeb-src [allow-insecure=yes] http://x y main\n";
    assert_eq!(messages(ConfigKind::AptSources, line), ["/etc/x switches verification off: allow-insecure=yes, trusted=yes"]);
    let stanza = "Types: deb\nURIs: http://x\nTrusted: yes\n\nTypes: deb\nTrusted: yes\nEnabled: no\n";
    assert_eq!(messages(ConfigKind::AptSources, stanza), ["/etc/x switches verification off: Trusted: yes"]);
}

#[test]
fn fires_on_options_of_apt() {
    for line in [
        "Acquire::AllowInsecureRepositories \"true\";",
        "APT::Get::AllowUnauthenticated 1;",
        "Acquire { https { Verify-Peer \"false\"; } }",
        "Acquire::https::deb.example.com::Verify-Host \"false\";",
    ] {
        assert_eq!(messages(ConfigKind::Apt, line).len(), 1, "{line}");
    }
}

#[test]
fn fires_on_repositories_of_dnf_pip_and_npm() {
    assert_eq!(
        messages(ConfigKind::Rpm, "[a]\ngpgcheck = 0\nsslverify=False\n[b]\ngpgcheck=1\n"),
        ["/etc/x switches verification off: gpgcheck=0, sslverify=0"]
    );
    assert_eq!(messages(ConfigKind::Pip, "[global]\ntrusted-host = example.com\n").len(), 1);
    assert_eq!(messages(ConfigKind::Pip, "[global]\ntrusted-host =\n    example.com\n").len(), 1);
    assert_eq!(messages(ConfigKind::Npm, "registry=http://x\nstrict-ssl = false\n").len(), 1);
}

#[test]
fn fires_on_untrusted_packages_of_apk() {
    let seen = |line: &str| {
        let history = History { created_by: line.to_owned(), ..History::default() };
        Builder::default().run_with(&CHECK, |image| image.config.history = vec![history]).len()
    };
    assert_eq!(seen("/bin/sh -c apk add --allow-untrusted /x.apk"), 1);
    assert_eq!(seen("RUN /bin/sh -c cd /x && apk --allow-untrusted add y # buildkit"), 1);
    assert_eq!(seen("/bin/sh -c apk add --no-cache x"), 0);
    assert_eq!(seen("/bin/sh -c #(nop) CMD [\"apk\" \"--allow-untrusted\"]"), 0);
    assert_eq!(seen("/bin/sh -c tool --allow-untrusted"), 0);
}

#[test]
fn is_silent_on_what_verifies() {
    let cases = [
        (
            ConfigKind::AptSources,
            "deb [signed-by=/k] http://x y main\n# deb [trusted=yes] http://x\ndeb [trusted=no] http://x y z",
        ),
        (ConfigKind::AptSources, "Types: deb\nTrusted: no\nSigned-By: /k\n"),
        (
            ConfigKind::Apt,
            "// APT::Get::AllowUnauthenticated \"true\";\nAPT::Get::Assume-Yes \"true\";\nAcquire::https::Verify-Peer \"true\";",
        ),
        (ConfigKind::Rpm, "[a]\ngpgcheck=1\nrepo_gpgcheck=0\nsslverify=1\n"),
        (ConfigKind::Rpm, "[off]\nenabled=0\ngpgcheck=0\n"),
        (ConfigKind::Rpm, "[a]\ngpgcheck=0\ngpgcheck=1\n#sslverify=0\n"),
        (ConfigKind::Pip, "[global]\nindex-url = https://x\n# trusted-host = x\n"),
        (ConfigKind::Pip, "[global]\ntrusted-host =\n[install]\nuser = yes\n"),
        (ConfigKind::Npm, "strict-ssl=true\n;strict-ssl=false\n//registry.example.com/:_authToken=x\n"),
        (ConfigKind::Sudo, "trusted=yes"),
    ];
    for (kind, body) in cases {
        assert!(messages(kind, body).is_empty(), "{body}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(body: String) {
        for kind in [ConfigKind::AptSources, ConfigKind::Apt, ConfigKind::Rpm, ConfigKind::Pip, ConfigKind::Npm] {
            messages(kind, &body);
        }
    }
}
