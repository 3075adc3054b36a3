//! The kinds of secrets.

use serde::{Deserialize, Serialize};

/// Which check a kind belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// A private key.
    Key,
    /// A token of a known format.
    Token,
    /// Something in a file that programs read their credentials from.
    File,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident $group:ident $label:literal;)+) => {
        /// What a secret is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The kind as a phrase with its article: `a GitHub token`.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$kind => $label,)+
                }
            }

            /// Which check it belongs to.
            #[must_use]
            pub fn group(self) -> Group {
                match self {
                    $(Self::$kind => Group::$group,)+
                }
            }
        }
    };
}

kinds! {
    /// PKCS #1 (RFC 8017).
    RsaKey Key "an RSA private key";
    /// SEC 1 (RFC 5915).
    EcKey Key "an elliptic-curve private key";
    /// OpenSSL's own form.
    DsaKey Key "a DSA private key";
    /// PKCS #8 (RFC 5958).
    Pkcs8Key Key "a private key (PKCS #8)";
    /// openssh-key-v1.
    OpenSshKey Key "an OpenSSH private key";
    /// A transferable secret key (RFC 9580).
    PgpKey Key "a PGP private key";
    /// PuTTY's form.
    PuttyKey Key "a PuTTY private key";
    /// age's identity.
    AgeKey Key "an age identity";
    /// The frame of a private key around a body that is none of the forms.
    UnreadKey Key "a private key of a form that could not be read";
    /// A key's identifier with its secret.
    AwsKey Token "an AWS access key with its secret";
    /// The JSON key file of a service account.
    GcpServiceAccount Token "a Google Cloud service account key";
    /// AIza...
    GoogleApiKey Token "a Google API key";
    /// GOCSPX-...
    GoogleOauthSecret Token "a Google OAuth client secret";
    /// AccountKey= of a connection string.
    AzureStorageKey Token "an Azure storage account key";
    /// SharedAccessKey= of a connection string.
    AzureSharedKey Token "an Azure shared access key";
    /// Of an application in Entra ID.
    AzureClientSecret Token "an Azure client secret";
    /// ghp_, gho_, ghu_, ghs_, ghr_, github_pat_.
    GithubToken Token "a GitHub token";
    /// glpat- and its kin.
    GitlabToken Token "a GitLab token";
    /// xoxb- and its kin.
    SlackToken Token "a Slack token";
    /// An address that takes messages.
    SlackWebhook Token "a Slack webhook";
    /// sk_live_, rk_live_.
    StripeKey Token "a Stripe live key";
    /// npm_.
    NpmToken Token "an npm token";
    /// pypi-, a macaroon.
    PypiToken Token "a PyPI token";
    /// A signed JSON web token.
    Jwt Token "a signed JSON web token";
    /// SG.
    SendgridKey Token "a SendGrid API key";
    /// SK beside the name.
    TwilioKey Token "a Twilio API key";
    /// sk-ant-.
    AnthropicKey Token "an Anthropic API key";
    /// sk-...T3BlbkFJ...
    OpenaiKey Token "an OpenAI API key";
    /// dop_v1_, doo_v1_, dor_v1_.
    DigitalOceanToken Token "a DigitalOcean token";
    /// hf_.
    HuggingFaceToken Token "a Hugging Face token";
    /// hvs., hvb., hvr.
    VaultToken Token "a HashiCorp Vault token";
    /// .atlasv1.
    TerraformToken Token "a Terraform Cloud token";
    /// dckr_pat_, dckr_oat_.
    DockerToken Token "a Docker Hub token";
    /// ATATT3xFfGF0.
    AtlassianToken Token "an Atlassian API token";
    /// shpat_ and its kin.
    ShopifyToken Token "a Shopify token";
    /// dapi.
    DatabricksToken Token "a Databricks token";
    /// glsa_.
    GrafanaToken Token "a Grafana service account token";
    /// NRAK-.
    NewRelicKey Token "a New Relic API key";
    /// AKCp.
    ArtifactoryKey Token "an Artifactory API key";
    /// rubygems_.
    RubygemsKey Token "a RubyGems API key";
    /// lin_api_.
    LinearKey Token "a Linear API key";
    /// PMAK-.
    PostmanKey Token "a Postman API key";
    /// gsk_.
    GroqKey Token "a Groq API key";
    /// sntryu_.
    SentryToken Token "a Sentry token";
    /// dp.pt.
    DopplerToken Token "a Doppler token";
    /// pscale_tkn_, pscale_pw_.
    PlanetscaleToken Token "a PlanetScale token";
    /// figd_.
    FigmaToken Token "a Figma token";
    /// NUMBER:AA...
    TelegramToken Token "a Telegram bot token";
    /// A user and a password in an address.
    UrlPassword Token "a password in a URL";
    /// Of a name that says so.
    NamedSecret File "a value whose name says that it is a secret";
    /// .aws/credentials.
    AwsFile File "credentials of AWS";
    /// gcloud's own files.
    GcloudFile File "credentials of Google Cloud";
    /// Azure's own files.
    AzureFile File "credentials of Azure";
    /// config.json with `auths`.
    RegistryFile File "a registry login";
    /// .npmrc, .yarnrc.yml.
    NpmFile File "a token of an npm registry";
    /// .pypirc, pip.conf.
    PypiFile File "a login of a Python index";
    /// .netrc.
    NetrcFile File "a login of .netrc";
    /// .pgpass.
    PgpassFile File "a PostgreSQL password";
    /// .my.cnf.
    MysqlFile File "a MySQL password";
    /// .git-credentials.
    GitFile File "a login of git";
    /// kubeconfig.
    KubeFile File "a key or token of Kubernetes";
    /// .cargo/credentials.toml.
    CargoFile File "a token of a Cargo registry";
    /// .gem/credentials.
    GemFile File "a key of a RubyGems server";
    /// Composer's auth.json.
    ComposerFile File "a login of Composer";
    /// settings.xml.
    MavenFile File "a password of Maven";
    /// NuGet.Config.
    NugetFile File "a password of NuGet";
    /// .terraformrc, credentials.tfrc.json.
    TerraformFile File "a token of Terraform";
    /// hosts.yml of gh, config.yml of glab.
    ForgeFile File "a token of a command line for GitHub or GitLab";
    /// .s3cfg, .boto, rclone.conf.
    StorageFile File "credentials of an object store";
    /// .vault-token.
    VaultFile File "a HashiCorp Vault token";
    /// config/master.key.
    RailsFile File "the master key of a Rails application";
}
