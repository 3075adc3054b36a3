//! Names and values that say that they are secrets, and their neighbours that do not.

use super::*;

#[test]
fn names_are_told_by_whole_words() {
    for name in [
        "DB_PASSWORD",
        "password",
        "apiKey",
        "API_KEY",
        "APIKEY",
        "npm-token",
        "AWS_SECRET_ACCESS_KEY",
        "clientSecret",
        "JWT_SECRET",
        "SECRET_KEY_BASE",
        "GITHUB_TOKEN",
        "spring.datasource.password",
        "DB_PASS",
        "MYSQL_ROOT_PWD",
        "dbPassword2",
        "ENCRYPTION_KEY",
        "storage_account_key",
        "//registry/:_authToken",
        "_password",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in [
        "GPG_KEY",
        "KEYCLOAK_URL",
        "PYTHON_PIP_VERSION",
        "PASSWORD_FILE",
        "TOKENIZERS_PARALLELISM",
        "SSH_AUTH_SOCK",
        "PWD",
        "COMPASS",
        "BYPASS",
        "SECRET_NAME",
        "TOKEN_URL",
        "AWS_ACCESS_KEY_ID",
        "MAX_TOKENS",
        "PASSWORD_MIN_LENGTH",
        "SECRETARY",
        "NEXT_PUBLIC_API_KEY",
        "disabled-password",
        "ALLOW_EMPTY_PASSWORD",
        "STRIPE_PUBLISHABLE_TOKEN",
        "KEY",
        "AUTHOR",
        "TOKEN_TTL",
        "PASS_THROUGH",
        "MONKEY",
        "",
    ] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn stand_ins_and_pointers_are_no_values() {
    for value in [
        "",
        " ",
        "changeme",
        "change-me",
        "CHANGE_ME",
        "\"\"",
        "'secret'",
        "${TOKEN}",
        "$TOKEN",
        "<token>",
        "{{ token }}",
        "{encrypted}",
        "****",
        "xxxxxxxx",
        "your-api-key",
        "your_token_here",
        "/run/secrets/pw",
        "true",
        "no",
        "1",
        "3600",
        "null",
        "vault:secret/data/x",
        "op://vault/item",
        "https://host/x",
        "AKIAIOSFODNN7EXAMPLE",
        "ENC[a]${x}",
        "replace-me",
        "./keys/private.pem",
        "None",
        "--",
        "ab",
    ] {
        assert!(is_placeholder(value), "{value}");
    }
    for value in [
        "hunter2-for-the-test",
        "fakefakefakefakefakefakefakefakefakefake",
        "fake-token-0123456789",
        "postgres",
        "123456",
        "abc",
        "s3cr3t!",
        "/abc+def/ghi=",
        "ca9b080b4bd50cf5a9a1",
        "P@ssw0rd",
    ] {
        assert!(!is_placeholder(value), "{value}");
    }
}

#[test]
fn more_is_masked_than_is_said() {
    for name in ["authorization", "HTTP_AUTH", "apiKey", "TOKEN", "AWS_SECRET_ACCESS_KEY"] {
        assert!(is_masked_name(name), "{name}");
    }
    assert!(!is_masked_name("PASSWORD_FILE") && !is_masked_name("GPG_KEY"));
}
