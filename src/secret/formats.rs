//! Tokens of known formats: one automaton for the starts of all, and a rule for what follows each.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::Span;
use super::alphabet::{Set, alphanumeric, has_checksum, is_plausible, is_start, lower_hex, run, upper_or_digit, url_safe};
use super::kind::Kind;
use super::{pem, shapes};

/// Beginnings whose surroundings are looked at, in one text: so many near-matches are an attempt to take time.
pub(super) const MOST_LOOKS: usize = 20_000;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// Where its value stands.
    pub range: Span,
    /// A key that a passphrase protects.
    pub is_encrypted: bool,
}

impl Hit {
    pub(super) fn new(kind: Kind, range: Span) -> Self {
        Self { kind, range, is_encrypted: false }
    }
}

/// What follows a start.
#[derive(Clone, Copy)]
enum Rest {
    /// So many bytes of the set, and then another byte.
    Run { set: Set, least: usize, most: usize },
    /// 36 alphanumerics, the last six the checksum of the others.
    Checksum,
    /// Runs of these lengths, with a byte between each.
    Parts { set: Set, lengths: &'static [usize], between: u8 },
    /// Looked at by a function of its own, which is given where the start begins and ends.
    Shape(fn(&[u8], Span) -> Option<Hit>),
}

/// A format: what it starts with, and what follows.
struct Format {
    kind: Kind,
    start: &'static [u8],
    rest: Rest,
}

const fn exact(kind: Kind, start: &'static [u8], set: Set, length: usize) -> Format {
    Format { kind, start, rest: Rest::Run { set, least: length, most: length } }
}

const fn between(kind: Kind, start: &'static [u8], set: Set, least: usize, most: usize) -> Format {
    Format { kind, start, rest: Rest::Run { set, least, most } }
}

const fn shape(kind: Kind, start: &'static [u8], shape: fn(&[u8], Span) -> Option<Hit>) -> Format {
    Format { kind, start, rest: Rest::Shape(shape) }
}

/// Every format, of the vendors' own documents where these say it. No start is a part of another, and none is shorter than three
/// bytes: the automaton's prefilter looks at the first three.
static FORMATS: &[Format] = &[
    shape(Kind::UnreadKey, pem::BEGIN, pem::key),
    shape(Kind::PuttyKey, b"PuTTY-User-Key-File-", shapes::putty),
    exact(Kind::AgeKey, b"AGE-SECRET-KEY-1", upper_or_digit, 58),
    shape(Kind::AwsKey, b"AKIA", shapes::aws),
    shape(Kind::AwsKey, b"ASIA", shapes::aws),
    exact(Kind::GoogleApiKey, b"AIza", url_safe, 35),
    exact(Kind::GoogleOauthSecret, b"GOCSPX-", url_safe, 28),
    shape(Kind::AzureStorageKey, b"AccountKey=", shapes::azure_storage),
    shape(Kind::AzureSharedKey, b"SharedAccessKey=", shapes::azure_shared),
    shape(Kind::AzureClientSecret, b"7Q~", shapes::azure_client),
    shape(Kind::AzureClientSecret, b"8Q~", shapes::azure_client),
    Format { kind: Kind::GithubToken, start: b"ghp_", rest: Rest::Checksum },
    Format { kind: Kind::GithubToken, start: b"gho_", rest: Rest::Checksum },
    Format { kind: Kind::GithubToken, start: b"ghu_", rest: Rest::Checksum },
    Format { kind: Kind::GithubToken, start: b"ghs_", rest: Rest::Checksum },
    Format { kind: Kind::GithubToken, start: b"ghr_", rest: Rest::Checksum },
    Format {
        kind: Kind::GithubToken,
        start: b"github_pat_",
        rest: Rest::Parts { set: alphanumeric, lengths: &[22, 59], between: b'_' },
    },
    shape(Kind::GitlabToken, b"glpat-", shapes::gitlab),
    shape(Kind::GitlabToken, b"gldt-", shapes::gitlab),
    shape(Kind::GitlabToken, b"glrt-", shapes::gitlab),
    shape(Kind::GitlabToken, b"glsoat-", shapes::gitlab),
    exact(Kind::GitlabToken, b"glptt-", lower_hex, 40),
    shape(Kind::SlackToken, b"xoxb-", shapes::slack),
    shape(Kind::SlackToken, b"xoxp-", shapes::slack),
    shape(Kind::SlackToken, b"xoxa-", shapes::slack),
    shape(Kind::SlackToken, b"xoxr-", shapes::slack),
    shape(Kind::SlackWebhook, b"hooks.slack.com/services/", shapes::slack_webhook),
    between(Kind::StripeKey, b"sk_live_", alphanumeric, 24, 247),
    between(Kind::StripeKey, b"rk_live_", alphanumeric, 24, 247),
    Format { kind: Kind::NpmToken, start: b"npm_", rest: Rest::Checksum },
    between(Kind::PypiToken, b"pypi-AgEIcHlwaS5vcmc", url_safe, 50, 1_000),
    shape(Kind::Jwt, b"eyJhbGciOi", shapes::jwt),
    shape(Kind::Jwt, b"eyJ0eXAiOi", shapes::jwt),
    shape(Kind::Jwt, b"eyJraWQiOi", shapes::jwt),
    Format { kind: Kind::SendgridKey, start: b"SG.", rest: Rest::Parts { set: url_safe, lengths: &[22, 43], between: b'.' } },
    shape(Kind::TwilioKey, b"twilio", shapes::twilio),
    shape(Kind::TwilioKey, b"TWILIO", shapes::twilio),
    between(Kind::AnthropicKey, b"sk-ant-", url_safe, 90, 140),
    shape(Kind::OpenaiKey, b"T3BlbkFJ", shapes::openai),
    exact(Kind::DigitalOceanToken, b"dop_v1_", lower_hex, 64),
    exact(Kind::DigitalOceanToken, b"doo_v1_", lower_hex, 64),
    exact(Kind::DigitalOceanToken, b"dor_v1_", lower_hex, 64),
    exact(Kind::HuggingFaceToken, b"hf_", alphanumeric, 34),
    between(Kind::VaultToken, b"hvs.", url_safe, 90, 200),
    between(Kind::VaultToken, b"hvb.", url_safe, 130, 400),
    shape(Kind::TerraformToken, b".atlasv1.", shapes::terraform),
    exact(Kind::DockerToken, b"dckr_pat_", url_safe, 27),
    exact(Kind::DockerToken, b"dckr_oat_", url_safe, 32),
    between(Kind::AtlassianToken, b"ATATT3xFfGF0", shapes::atlassian, 150, 250),
    exact(Kind::ShopifyToken, b"shpat_", lower_hex, 32),
    exact(Kind::ShopifyToken, b"shpss_", lower_hex, 32),
    exact(Kind::DatabricksToken, b"dapi", lower_hex, 32),
    Format {
        kind: Kind::GrafanaToken,
        start: b"glsa_",
        rest: Rest::Parts { set: alphanumeric, lengths: &[32, 8], between: b'_' },
    },
    exact(Kind::NewRelicKey, b"NRAK-", upper_or_digit, 27),
    exact(Kind::ArtifactoryKey, b"AKCp", alphanumeric, 69),
    exact(Kind::RubygemsKey, b"rubygems_", lower_hex, 48),
    exact(Kind::LinearKey, b"lin_api_", alphanumeric, 40),
    Format { kind: Kind::PostmanKey, start: b"PMAK-", rest: Rest::Parts { set: lower_hex, lengths: &[24, 34], between: b'-' } },
    exact(Kind::GroqKey, b"gsk_", alphanumeric, 52),
    exact(Kind::SentryToken, b"sntryu_", lower_hex, 64),
    shape(Kind::DopplerToken, b"dp.pt.", shapes::doppler),
    between(Kind::PlanetscaleToken, b"pscale_tkn_", url_safe, 32, 64),
    exact(Kind::FigmaToken, b"figd_", url_safe, 40),
    shape(Kind::TelegramToken, b":AA", shapes::telegram),
];

static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let starts = FORMATS.iter().map(|format| format.start);
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(starts).ok()
});

/// The tokens and keys of a text, in order, without overlaps.
#[must_use]
pub fn tokens(text: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    each(text, &mut |hit| hits.push(hit));
    hits
}

/// Gives every token and key of a text, in order, without overlaps. False when there were more beginnings than are looked at.
pub(super) fn each(text: &[u8], take: &mut dyn FnMut(Hit)) -> bool {
    let Some(automaton) = AUTOMATON.as_ref() else { return false };
    let mut at = 0;
    let mut looks = 0_usize;
    while let Some(found) = automaton.find(Input::new(text).range(at..)) {
        looks = looks.saturating_add(1);
        if looks > MOST_LOOKS {
            return false;
        }
        // a value may begin before its mark, but not inside the one before it
        let floor = at;
        at = found.end();
        let Some(format) = FORMATS.get(found.pattern().as_usize()) else { continue };
        if let Some(hit) = format.hit(text, found.range()).filter(|hit| hit.range.start >= floor) {
            at = at.max(hit.range.end);
            take(hit);
        }
    }
    true
}

impl Format {
    fn hit(&self, text: &[u8], start: Span) -> Option<Hit> {
        let end = match self.rest {
            Rest::Shape(shape) => return shape(text, start),
            Rest::Run { set, least, most } => {
                let rest = run(text, start.end, set, most);
                (least..=most).contains(&rest.len()).then_some(rest.end)?
            }
            Rest::Checksum => {
                let rest = run(text, start.end, alphanumeric, 36);
                (rest.len() == 36 && has_checksum(text.get(rest.clone())?)).then_some(rest.end)?
            }
            Rest::Parts { set, lengths, between } => parts(text, start.end, set, lengths, between)?,
        };
        let is_token = is_start(text, start.start) && is_plausible(text.get(start.end..end)?);
        is_token.then(|| Hit::new(self.kind, start.start..end))
    }
}

fn parts(text: &[u8], at: usize, set: Set, lengths: &[usize], between: u8) -> Option<usize> {
    let mut at = at;
    for (number, length) in lengths.iter().enumerate() {
        if number > 0 {
            at = (text.get(at) == Some(&between)).then(|| at.saturating_add(1))?;
        }
        let part = run(text, at, set, *length);
        at = (part.len() == *length).then_some(part.end)?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_start_hides_another_and_all_are_long_enough_for_the_prefilter() {
        for (at, one) in FORMATS.iter().enumerate() {
            assert!(one.start.len() >= 3);
            for (_, other) in FORMATS.iter().enumerate().filter(|(number, _)| *number != at) {
                assert!(!one.start.windows(other.start.len()).any(|part| part == other.start), "{:?}", one.start);
            }
        }
        assert!(AUTOMATON.is_some());
    }

    #[test]
    fn so_many_beginnings_are_not_all_looked_at_and_that_is_said() {
        let text = b"AKIA ".repeat(MOST_LOOKS + 1);
        assert!(!each(&text, &mut |_| {}));
        assert!(each(&text[..text.len() - 5], &mut |_| {}));
    }
}
