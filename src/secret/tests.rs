//! Every format in its place, its near-misses, and laws that hold for all texts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::testing::{ALPHANUMERIC, HEX, checksummed, der, framed, noise, rsa_key};
use super::*;

fn kinds(text: &str) -> Vec<Kind> {
    tokens(text.as_bytes()).into_iter().map(|hit| hit.kind).collect()
}

fn alnum(length: usize) -> String {
    noise(ALPHANUMERIC, length, 7)
}

fn hex(length: usize) -> String {
    noise(HEX, length, 7)
}

fn jwt(header: &str, claims: &str, signature: usize) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", encode(header), encode(claims), URL_SAFE_NO_PAD.encode(vec![0xA5; signature]))
}

/// A token of each format.
fn samples() -> Vec<(Kind, String)> {
    let upper = |length| noise(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", length, 3);
    vec![
        (Kind::AwsKey, format!("AKIA{}\naws_secret_access_key = {}", upper(16), alnum(40))),
        (Kind::GoogleApiKey, format!("AIza{}", alnum(35))),
        (Kind::GoogleOauthSecret, format!("GOCSPX-{}", alnum(28))),
        (Kind::AzureStorageKey, format!("AccountKey={}==", alnum(86))),
        (Kind::AzureSharedKey, format!("SharedAccessKey={}=", alnum(43))),
        (Kind::AzureClientSecret, format!("aB~8Q~{}", alnum(34))),
        (Kind::GithubToken, checksummed("ghp_", 1)),
        (Kind::GithubToken, checksummed("ghs_", 2)),
        (Kind::GithubToken, format!("github_pat_{}_{}", alnum(22), alnum(59))),
        (Kind::GitlabToken, format!("glpat-{}", alnum(20))),
        (Kind::GitlabToken, format!("glpat-{}.0z{}", alnum(40), alnum(7))),
        (Kind::SlackToken, format!("xoxb-2934857201934-2930485720193-{}", alnum(24))),
        (Kind::SlackWebhook, format!("https://hooks.slack.com/services/T{0}/B{0}/{1}", upper(9), alnum(24))),
        (Kind::StripeKey, format!("sk_live_{}", alnum(24))),
        (Kind::NpmToken, checksummed("npm_", 3)),
        (Kind::PypiToken, format!("pypi-AgEIcHlwaS5vcmc{}", alnum(120))),
        (Kind::Jwt, jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"svc-7","role":"admin"}"#, 32)),
        (Kind::SendgridKey, format!("SG.{}.{}", alnum(22), alnum(43))),
        (Kind::TwilioKey, format!("twilio_key = \"SK{}\"", hex(32))),
        (Kind::AnthropicKey, format!("sk-ant-api03-{}AA", alnum(93))),
        (Kind::OpenaiKey, format!("sk-proj-{}T3BlbkFJ{}", alnum(74), alnum(74))),
        (Kind::DigitalOceanToken, format!("dop_v1_{}", hex(64))),
        (Kind::HuggingFaceToken, format!("hf_{}", alnum(34))),
        (Kind::VaultToken, format!("hvs.{}", alnum(92))),
        (Kind::TerraformToken, format!("{}.atlasv1.{}", alnum(14), alnum(67))),
        (Kind::DockerToken, format!("dckr_pat_{}", alnum(27))),
        (Kind::DatabricksToken, format!("dapi{}", hex(32))),
        (Kind::GrafanaToken, format!("glsa_{}_{}", alnum(32), hex(8))),
        (Kind::TelegramToken, format!("1726354810:AA{}", alnum(33))),
        (Kind::AgeKey, format!("AGE-SECRET-KEY-1{}", upper(58))),
        (Kind::RsaKey, rsa_key(5)),
    ]
}

#[test]
fn a_token_of_each_format_is_found_between_other_words() {
    for (kind, token) in samples() {
        for text in [format!("x = '{token}'\n"), token.clone(), format!("{{\"a\": \"{token}\", b}}"), format!("A={token};B")] {
            assert_eq!(kinds(&text), [kind], "{text}");
        }
    }
}

#[test]
fn a_token_that_goes_on_or_is_cut_or_begins_inside_a_word_is_none() {
    for (kind, token) in samples() {
        if matches!(kind, Kind::AwsKey | Kind::TwilioKey | Kind::RsaKey | Kind::SlackWebhook) {
            continue;
        }
        let cut: String = token.chars().take(token.len() / 3).collect();
        assert_eq!(kinds(&cut), [], "{cut}");
        let inside = format!("word{token}");
        if !matches!(kind, Kind::AzureStorageKey | Kind::AzureSharedKey) {
            assert_eq!(kinds(&inside), [], "{inside}");
        }
    }
    assert_eq!(kinds(&format!("ghp_{}", alnum(36))), [], "a checksum that is wrong");
    assert_eq!(kinds(&format!("npm_{}", alnum(36))), [], "a checksum that is wrong");
    assert_eq!(kinds(&format!("AKIA{} and nothing else", "Q3ZV7RT5MW2KX4LB")), [], "an identifier opens nothing");
    assert_eq!(kinds("AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), [], "the vendor's example");
}

#[test]
fn a_web_token_needs_a_signature_as_long_as_its_algorithm_makes_it() {
    let token = |header: &str, claims: &str, signature| kinds(&jwt(header, claims, signature));
    assert_eq!(token(r#"{"alg":"RS256"}"#, r#"{"a":"b"}"#, 256), [Kind::Jwt]);
    for (header, claims, signature) in [
        (r#"{"alg":"HS256"}"#, r#"{"a":"b"}"#, 31),
        (r#"{"alg":"none"}"#, r#"{"a":"b"}"#, 0),
        (r#"{"alg":"HS256"}"#, r#"{"sub":"1234567890","name":"John Doe"}"#, 32),
        (r#"{"alg":"HS256"}"#, "{}", 32),
        (r#"{"alg":"HS256"}"#, "no json", 32),
    ] {
        assert_eq!(token(header, claims, signature), [], "{header} {claims}");
    }
}

#[test]
fn keys_are_told_by_what_their_frames_hold() {
    let openssh = |cipher: &str| {
        let mut bytes = b"openssh-key-v1\0\0\0\0".to_vec();
        bytes.push(u8::try_from(cipher.len()).unwrap());
        [bytes, cipher.as_bytes().to_vec(), noise(ALPHANUMERIC, 200, 1).into_bytes()].concat()
    };
    let pkcs8 = |label: &str, first: &[u8]| {
        let noise = noise(ALPHANUMERIC, 200, 2);
        let length = u8::try_from(first.len() + noise.len()).unwrap();
        framed(label, &[&[0x30, 0x81, length][..], first, noise.as_bytes()].concat())
    };
    for (text, kind, is_encrypted) in [
        (framed("RSA PRIVATE KEY", &der(600, 1)), Kind::RsaKey, false),
        (framed("EC PRIVATE KEY", &der(118, 1)), Kind::EcKey, false),
        (pkcs8("PRIVATE KEY", &[2, 1, 0]), Kind::Pkcs8Key, false),
        (pkcs8("ENCRYPTED PRIVATE KEY", &[0x30, 7]), Kind::Pkcs8Key, true),
        (framed("OPENSSH PRIVATE KEY", &openssh("none")), Kind::OpenSshKey, false),
        (framed("OPENSSH PRIVATE KEY", &openssh("aes256-ctr")), Kind::OpenSshKey, true),
        (framed("PGP PRIVATE KEY BLOCK", &[&[0x95, 0x03][..], &[7; 300]].concat()), Kind::PgpKey, false),
        (
            framed("RSA PRIVATE KEY", &[9; 608])
                .replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"),
            Kind::RsaKey,
            true,
        ),
        (rsa_key(3).replace('\n', "\\n"), Kind::RsaKey, false),
        (rsa_key(3).replace('\n', "\r\n    "), Kind::RsaKey, false),
        (
            format!(
                "{{\"type\": \"service_account\", \"private_key\": \"{}\"}}",
                pkcs8("PRIVATE KEY", &[2, 1, 0]).replace('\n', "\\n")
            ),
            Kind::GcpServiceAccount,
            false,
        ),
        (framed("RSA PRIVATE KEY", noise(ALPHANUMERIC, 400, 1).as_bytes()), Kind::UnreadKey, false),
    ] {
        let hits = tokens(text.as_bytes());
        assert_eq!(hits.iter().map(|hit| (hit.kind, hit.is_encrypted)).collect::<Vec<_>>(), [(kind, is_encrypted)], "{text}");
    }
}

#[test]
fn frames_without_a_key_are_none() {
    let cut = rsa_key(1);
    for text in [
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE...\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
        "grep -- '-----BEGIN PRIVATE KEY-----' x",
        "-----BEGIN PRIVATE KEY-----\n<your key>\n-----END PRIVATE KEY-----\n",
        &cut[..cut.len() - 40],
        &cut.replace("RSA PRIVATE KEY", "CERTIFICATE"),
        &format!("x = '''{}'''", framed("RSA PRIVATE KEY", noise(ALPHANUMERIC, 400, 1).as_bytes())),
        &framed("RSA PRIVATE KEY", &[b'A'; 400]),
        &framed("PGP PUBLIC KEY BLOCK", &[0x99; 300]),
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
}

#[test]
fn what_is_kept_is_not_the_value() {
    let token = checksummed("ghp_", 1);
    let (secrets, is_whole) = search(format!("\n\nx = {token}\n").as_bytes(), None);
    let kept = &secrets.found[0];
    assert!(is_whole);
    assert_eq!((kept.kind, kept.line, kept.length, &*kept.preview), (Kind::GithubToken, 3, 40, "ghp_"));
    assert!(!format!("{secrets:?}").contains(&token[4..10]));
    let (short, _) = search(b"DB_PASSWORD=hunter2\n", CredentialFile::at(b"/a/.env"));
    assert_eq!((&*short.found[0].preview, short.found[0].name.as_deref(), short.found[0].length), ("", Some("DB_PASSWORD"), 7));
}

#[test]
fn the_same_secret_is_known_again_and_another_is_not() {
    let of = |seed| search(checksummed("ghp_", seed).as_bytes(), None).0.found.remove(0);
    assert!(of(1).is_same(&of(1)) && !of(1).is_same(&of(2)));
}

#[test]
fn many_secrets_are_counted_and_not_all_kept() {
    let text: String = (0..40).map(|seed| checksummed("ghp_", seed) + "\n").collect();
    let (secrets, _) = search(text.as_bytes(), None);
    assert_eq!((secrets.found.len(), secrets.more), (MOST_KEPT, 24));
}

#[test]
fn tokens_of_a_file_of_credentials_are_not_said_twice() {
    let text = format!("GITHUB_TOKEN={}\n", checksummed("ghp_", 1));
    let (secrets, _) = search(text.as_bytes(), CredentialFile::at(b"/a/.env"));
    assert_eq!(secrets.found.iter().map(|secret| secret.kind).collect::<Vec<_>>(), [Kind::NamedSecret]);
    let (secrets, _) = search(text.as_bytes(), CredentialFile::at(b"/a/.netrc"));
    assert_eq!(secrets.found.iter().map(|secret| secret.kind).collect::<Vec<_>>(), [Kind::GithubToken]);
}

fn keys_in_pieces(text: &[u8], piece: usize) -> Secrets {
    let mut keys = Keys::default();
    keys.start();
    text.chunks(piece.max(1)).for_each(|piece| keys.push(piece));
    keys.finish()
}

#[test]
fn keys_of_large_texts_are_found_with_their_lines_wherever_windows_end() {
    for before in [0, 1_000, 262_100, 262_140, 262_144, 300_000, 600_000] {
        let text = format!("{}{}{}{}", "-----BEGIN\n".repeat(before / 11), rsa_key(1), "y\n".repeat(40_000), rsa_key(2));
        let expected = search(text.as_bytes(), None).0;
        assert_eq!(expected.found.len(), 2);
        for piece in [1_000, 65_536, usize::MAX] {
            assert_eq!(keys_in_pieces(text.as_bytes(), piece), expected, "{before} {piece}");
        }
    }
}

#[test]
fn hostile_texts_take_time_in_proportion_to_their_length() {
    for text in [
        "-----BEGIN RSA PRIVATE KEY-----",
        ".eyJhbGciOi",
        "AKIA ",
        "twilio ",
        "8Q~",
        ":AA",
        "T3BlbkFJ",
        "a",
        "-----BEGIN ",
        "xoxb-1",
    ] {
        let text = text.repeat((1 << 20) / text.len());
        let _ = search(text.as_bytes(), CredentialFile::at(b"/a/.env"));
        let _ = keys_in_pieces(text.as_bytes(), 4_096);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_searched_and_hits_are_in_order(text in prop::collection::vec(any::<u8>(), 0..400), number in 0_usize..30) {
        let (_, token) = &samples()[number];
        for text in [text.clone(), [&text[..text.len() / 2], token.as_bytes(), &text[text.len() / 2..]].concat()] {
            let hits = tokens(&text);
            prop_assert!(hits.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
            prop_assert!(hits.iter().all(|hit| text.get(hit.range.clone()).is_some_and(|value| !value.is_empty())));
        }
    }

    #[test]
    fn a_planted_token_is_found(before in "[ -~\n]{0,200}", after in "[ -~\n]{0,200}", number in 0_usize..31) {
        let (kind, token) = &samples()[number];
        let text = format!("{before}\n{token}\n{after}");
        prop_assert!(kinds(&text).contains(kind), "{text}");
    }

    #[test]
    fn how_a_text_comes_in_does_not_matter(text in prop::collection::vec(any::<u8>(), 0..3_000), piece in 1_usize..500, seed: u64) {
        let text = [&text[..], rsa_key(seed).as_bytes(), &text[..]].concat();
        prop_assert_eq!(keys_in_pieces(&text, piece), keys_in_pieces(&text, usize::MAX));
    }
}
