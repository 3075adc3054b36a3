//! Secrets of whole images, made of plain data.

use super::*;
use crate::oci::{History, Platform, RuntimeConfig};
use crate::rootfs::{Inode, InodeKind};
use crate::secret::testing::checksummed;
use crate::secret::{Kind, Secret};

fn content(kind: Kind, value: &[u8]) -> Arc<Content> {
    let secrets = Secrets { found: vec![Secret::new(kind, 1, value)], more: 0 };
    Arc::new(Content { secrets: Some(Box::new(secrets)), ..Content::default() })
}

fn config(env: &[&str], history: &[&str], labels: &[(&str, &str)]) -> ImageConfig {
    let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
    let runtime = RuntimeConfig {
        env: env.iter().map(|&entry| entry.into()).collect(),
        labels: labels.iter().map(|&(name, value)| (name.into(), value.into())).collect(),
        ..RuntimeConfig::default()
    };
    let entry = |text: &&str| History { created_by: (*text).to_owned(), ..History::default() };
    let history = history.iter().map(entry).collect();
    ImageConfig { platform, runtime, diff_ids: Vec::new(), history, created: None, author: None }
}

fn told(config: &ImageConfig) -> Vec<(ExposedIn, Kind, String)> {
    let name = |one: &Exposed| one.secret.name.as_deref().unwrap_or_default().to_owned();
    exposed::exposed(config).into_iter().map(|one| (one.place.clone(), one.secret.kind, name(&one))).collect()
}

#[test]
fn a_buried_file_is_told_unless_the_one_that_has_its_path_holds_the_same() {
    let hidden =
        |value: &[u8]| Hidden { layer: 1, path: b"/a/k".to_vec(), content: content(Kind::RsaKey, value), removed_in: Some(2) };
    let mut rootfs = Rootfs::default();
    let mut inode = Inode::new(InodeKind::File { size: 1 }, 0o644, 2);
    inode.content = Some(content(Kind::RsaKey, b"one"));
    rootfs.insert(b"/a/k", inode);
    let of = |rootfs: &Rootfs, value: &[u8]| {
        let facts = SecretFacts::of(&config(&[], &[], &[]), rootfs, &Packages::default(), &[hidden(value)]);
        facts.buried.iter().map(|one| (one.layer, one.removed_in, one.is_replaced)).collect::<Vec<_>>()
    };
    assert_eq!(of(&rootfs, b"one"), []);
    assert_eq!(of(&rootfs, b"two"), [(1, Some(2), true)]);
    assert_eq!(of(&Rootfs::default(), b"one"), [(1, Some(2), false)]);
}

#[test]
fn hard_links_are_one_file_and_the_strictest_name_decides() {
    let mut rootfs = Rootfs::default();
    let mut inode = Inode::new(InodeKind::File { size: 1 }, 0o644, 0);
    inode.content = Some(content(Kind::RsaKey, b"one"));
    let node = rootfs.insert(b"/usr/lib/x/test/key.pem", inode);
    let standing = |rootfs: &Rootfs| {
        let facts = SecretFacts::of(&config(&[], &[], &[]), rootfs, &Packages::default(), &[]);
        facts.files.iter().map(|file| (file.names.len(), file.standing)).collect::<Vec<_>>()
    };
    assert_eq!(standing(&rootfs), [(1, Standing::Published)]);
    rootfs.insert_hard_link(b"/app/key.pem", node);
    assert_eq!(standing(&rootfs), [(2, Standing::Own)]);
}

#[test]
fn the_environment_tells_by_names_tokens_and_urls() {
    let token = checksummed("ghp_", 1);
    let env = [
        "PATH=/bin",
        "DB_PASSWORD=hunter2-for-the-test",
        "PASSWORD_FILE=/run/secrets/pw",
        "GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568",
        "KEYCLOAK_URL=https://sso.test",
        "API_KEY=changeme",
        "DATABASE_URL=postgres://app:fake-pw@db.test/app",
        "CACHE=redis://:@cache.test",
        &format!("X={token}"),
        "TOKEN",
    ];
    let place = |name: &str| ExposedIn::Environment(name.to_owned());
    assert_eq!(
        told(&config(&env, &[], &[])),
        [
            (place("DB_PASSWORD"), Kind::NamedSecret, "DB_PASSWORD".to_owned()),
            (place("DATABASE_URL"), Kind::UrlPassword, "DATABASE_URL".to_owned()),
            (place("X"), Kind::GithubToken, "X".to_owned()),
        ]
    );
}

#[test]
fn the_history_tells_what_the_environment_does_not() {
    let history = [
        "/bin/sh -c #(nop) ENV DB_PASSWORD=hunter2-for-the-test",
        "|1 BUILD_TOKEN=fake-token-0123456789 /bin/sh -c echo \"$BUILD_TOKEN\" | wc -c",
        "RUN /bin/sh -c curl -H \"Authorization: Bearer x\" https://me:s3cret@host/x # buildkit",
        "ENV OLD_SECRET=abcdef123",
        "LABEL my.api.key=abcdef99",
        "RUN curl -H \"Authorization: Bearer 0123abcd4567\" u",
    ];
    let found = told(&config(&["DB_PASSWORD=hunter2-for-the-test"], &history, &[("my.api.key", "abcdef99")]));
    assert_eq!(
        found[1..],
        [
            (ExposedIn::Argument(1), Kind::NamedSecret, "BUILD_TOKEN".to_owned()),
            (ExposedIn::Instruction(2), Kind::UrlPassword, String::new()),
            (ExposedIn::Instruction(3), Kind::NamedSecret, "OLD_SECRET".to_owned()),
            (ExposedIn::Instruction(5), Kind::NamedSecret, "Authorization".to_owned()),
            (ExposedIn::Label("my.api.key".to_owned()), Kind::NamedSecret, "my.api.key".to_owned()),
        ]
    );
}

#[test]
fn usual_instructions_tell_nothing() {
    let history = [
        "RUN apt-get install -y passwd=1:4.13+dfsg1-1 pass=1.7.4 libpam0g",
        "RUN pip install token==1.0 secret-store==2.1",
        "RUN adduser --disabled-password --gecos '' app && adduser --disabled-password app",
        "RUN echo 'passwd: files' > /etc/nsswitch.conf && sed -i 's/password = .*/password = x/' /etc/x",
        "RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci",
        "RUN TOKEN=$(cat /run/secrets/token) make && unset TOKEN && export GNUPGHOME=\"$(mktemp -d)\"",
        "RUN gpg --batch --keyserver hkps://keys.openpgp.org --recv-keys \"$GPG_KEY\" && PASSWORD=${PASSWORD:-} x",
        "COPY --chown=1000:1000 file:cc619ecbb4d46386d902d6a0804ba60e22f95a999dccbe384a5675d457d68a04 in /root/.npmrc",
        "ENV PYTHON_PIP_VERSION=23.0.1 KEYCLOAK_URL=http://x TOKENIZERS_PARALLELISM=false MAX_TOKENS=4096",
        "HEALTHCHECK &{[\"CMD-SHELL\" \"mysqladmin ping --password=$MYSQL_ROOT_PASSWORD\"] \"5s\"}",
        "ARG NPM_TOKEN",
    ];
    assert_eq!(told(&config(&[], &history, &[("maintainer", "a@b"), ("org.label.token-url", "https://x")])), []);
}

#[test]
fn values_are_given_to_be_masked_longest_first() {
    let values = exposed_values(&config(&["A_TOKEN=abcdef", "B_TOKEN=abcdef123"], &[], &[]));
    assert_eq!(values, ["abcdef123", "abcdef"]);
}

proptest::proptest! {
    #[test]
    fn any_config_is_read(env in "\\PC{0,40}", text in "\\PC{0,80}", label in "\\PC{0,20}") {
        let _ = told(&config(&[&env], &[&text, &format!("|1 {text}")], &[(&label, &text)]));
    }
}
