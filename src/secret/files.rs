//! Files that programs read their credentials from, told by their paths, and the credentials in them.
//!
//! A file counts for what it holds: `.npmrc` without a token, a Docker config without `auths`, a `.env` with `${...}` only, and
//! samples such as `.env.example` hold nothing.

mod json;
mod lines;

use super::kind::Kind;
use super::names::{is_placeholder, is_secret_name};

/// A credential in a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Credential {
    /// Where it stands, as far as that is known.
    pub(super) at: usize,
    /// What names it; empty for nothing.
    pub(super) name: String,
    /// What it is.
    pub(super) value: String,
}

/// What a path says that a file holds.
#[derive(Debug, Clone, Copy)]
pub struct CredentialFile {
    kind: Kind,
    form: Form,
}

/// How credentials are written in a file.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// `NAME=value` or `NAME: value`, of names that say that they are secrets.
    Names,
    /// Lines of `key = value` or `key: value`; the ends of the keys that count.
    Keys(&'static [&'static str]),
    /// Passwords in URLs.
    Urls,
    /// JSON: members that count, wherever they are.
    Json(&'static [&'static str]),
    /// JSON with `auths` (containers-auth.json(5)).
    Auths,
    /// `password VALUE`, anywhere.
    Netrc,
    /// `host:port:database:user:password`.
    Pgpass,
    /// XML elements that count.
    Xml(&'static [&'static str]),
    /// XML: the value of the element that has this key.
    Attribute(&'static str),
    /// The whole file is one word.
    Whole,
}

/// Ends of paths, from a component on, and what such a file holds.
const PATHS: &[(&str, Kind, Form)] = &[
    (".aws/credentials", Kind::AwsFile, Form::Keys(&["aws_secret_access_key", "aws_session_token"])),
    (".aws/config", Kind::AwsFile, Form::Keys(&["aws_secret_access_key", "aws_session_token"])),
    ("gcloud/application_default_credentials.json", Kind::GcloudFile, Form::Json(&["refresh_token", "client_secret"])),
    (".azure/accessTokens.json", Kind::AzureFile, Form::Json(&["accessToken", "refreshToken"])),
    (".azure/msal_token_cache.json", Kind::AzureFile, Form::Json(&["secret"])),
    (".docker/config.json", Kind::RegistryFile, Form::Auths),
    (".dockercfg", Kind::RegistryFile, Form::Auths),
    ("containers/auth.json", Kind::RegistryFile, Form::Auths),
    (".npmrc", Kind::NpmFile, Form::Keys(&["_authtoken", "_auth", "_password"])),
    ("etc/npmrc", Kind::NpmFile, Form::Keys(&["_authtoken", "_auth", "_password"])),
    (".yarnrc", Kind::NpmFile, Form::Keys(&["_authtoken", "_auth", "_password"])),
    (".yarnrc.yml", Kind::NpmFile, Form::Keys(&["npmauthtoken", "npmauthident"])),
    (".pypirc", Kind::PypiFile, Form::Keys(&["password"])),
    ("pip.conf", Kind::PypiFile, Form::Urls),
    (".netrc", Kind::NetrcFile, Form::Netrc),
    ("_netrc", Kind::NetrcFile, Form::Netrc),
    (".pgpass", Kind::PgpassFile, Form::Pgpass),
    (".my.cnf", Kind::MysqlFile, Form::Keys(&["password"])),
    (".git-credentials", Kind::GitFile, Form::Urls),
    ("git/credentials", Kind::GitFile, Form::Urls),
    (".kube/config", Kind::KubeFile, Form::Keys(&["client-key-data", "token", "password"])),
    ("kubeconfig", Kind::KubeFile, Form::Keys(&["client-key-data", "token", "password"])),
    ("kubernetes/admin.conf", Kind::KubeFile, Form::Keys(&["client-key-data", "token", "password"])),
    (".cargo/credentials", Kind::CargoFile, Form::Keys(&["token"])),
    (".cargo/credentials.toml", Kind::CargoFile, Form::Keys(&["token"])),
    (".gem/credentials", Kind::GemFile, Form::Keys(&["_api_key", "api_key"])),
    ("composer/auth.json", Kind::ComposerFile, Form::Json(&["password", "github.com", "gitlab.com"])),
    (".m2/settings.xml", Kind::MavenFile, Form::Xml(&["password", "passphrase"])),
    (".composer/auth.json", Kind::ComposerFile, Form::Json(&["password", "github.com", "gitlab.com"])),
    ("NuGet.Config", Kind::NugetFile, Form::Attribute("ClearTextPassword")),
    ("nuget.config", Kind::NugetFile, Form::Attribute("ClearTextPassword")),
    (".gradle/gradle.properties", Kind::NamedSecret, Form::Names),
    (".terraformrc", Kind::TerraformFile, Form::Keys(&["token"])),
    (".terraform.d/credentials.tfrc.json", Kind::TerraformFile, Form::Json(&["token"])),
    ("gh/hosts.yml", Kind::ForgeFile, Form::Keys(&["oauth_token"])),
    ("glab-cli/config.yml", Kind::ForgeFile, Form::Keys(&["token"])),
    (".s3cfg", Kind::StorageFile, Form::Keys(&["secret_key"])),
    (".boto", Kind::StorageFile, Form::Keys(&["aws_secret_access_key", "gs_secret_access_key", "gs_oauth2_refresh_token"])),
    ("rclone.conf", Kind::StorageFile, Form::Keys(&["secret_access_key", "pass", "client_secret"])),
    (".vault-token", Kind::VaultFile, Form::Whole),
    ("config/master.key", Kind::RailsFile, Form::Whole),
];

/// Ends of the names of files that show how one is to be written.
const SAMPLES: [&str; 8] = ["example", "sample", "template", "tmpl", "dist", "default", "defaults", "schema"];

impl CredentialFile {
    /// What a file at this absolute path holds; None for a path of no such file.
    #[must_use]
    pub fn at(path: &[u8]) -> Option<Self> {
        let path = std::str::from_utf8(path).ok()?;
        let is_end = |end: &str| path.strip_suffix(end).is_some_and(|rest| rest.ends_with('/'));
        let listed = PATHS.iter().find(|(end, _, _)| is_end(end));
        listed.map(|&(_, kind, form)| Self { kind, form }).or_else(|| Self::environment(path))
    }

    /// `.env`, `.env.production`, `prod.env`.
    fn environment(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        let mut parts = name.split('.').filter(|part| !part.is_empty());
        let is_environment = name.starts_with(".env.") || name.rsplit_once('.').is_some_and(|(_, end)| end == "env");
        let is_sample = parts.any(|part| SAMPLES.contains(&part) || part.ends_with("-example"));
        (is_environment && !is_sample).then_some(Self { kind: Kind::NamedSecret, form: Form::Names })
    }

    /// What the credentials in it are.
    pub(super) fn kind(self) -> Kind {
        self.kind
    }

    /// The credentials in the file's text, in order.
    pub(super) fn credentials(self, text: &[u8]) -> Vec<Credential> {
        let Ok(text) = std::str::from_utf8(text) else { return Vec::new() };
        let mut found: Vec<Credential> = match self.form {
            Form::Names => lines::pairs(text).filter(|pair| is_secret_name(&pair.name)).collect(),
            Form::Keys(keys) => lines::pairs(text).filter(|pair| lines::is_one_of(&pair.name, keys)).collect(),
            Form::Urls => lines::urls(text),
            Form::Json(members) => json::members(text, members),
            Form::Auths => json::auths(text),
            Form::Netrc => lines::netrc(text),
            Form::Pgpass => lines::pgpass(text),
            Form::Xml(elements) => elements.iter().flat_map(|element| lines::xml(text, element)).collect(),
            Form::Attribute(key) => lines::attribute(text, key),
            Form::Whole => lines::whole(text).into_iter().collect(),
        };
        found.retain(|credential| !is_placeholder(&credential.value));
        found.sort();
        found.dedup();
        if self.kind != Kind::NamedSecret {
            for credential in &mut found {
                credential.name.clear();
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
