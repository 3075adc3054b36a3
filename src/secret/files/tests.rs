//! Files with credentials, and the same files without.

use super::*;

fn values(path: &str, text: &str) -> Vec<String> {
    let file = CredentialFile::at(path.as_bytes()).unwrap_or_else(|| panic!("{path} is no file of credentials"));
    file.credentials(text.as_bytes()).into_iter().map(|credential| credential.value).collect()
}

#[test]
fn files_with_credentials_tell_them() {
    for (path, text, value) in [
        ("/r/.aws/credentials", "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = 67257fd4\n", "67257fd4"),
        ("/r/.docker/config.json", r#"{"auths":{"r.io":{"auth":"bWU6czNjcmV0"}}}"#, "bWU6czNjcmV0"),
        ("/r/.dockercfg", r#"{"r.io":{"password":"s3cret"}}"#, "s3cret"),
        ("/r/containers/auth.json", r#"{"auths":{"r.io":{"auth":"","identitytoken":"tok123"}}}"#, "tok123"),
        ("/r/.npmrc", "registry=https://r/\n//r.test/:_authToken=npm_e9f4\n", "npm_e9f4"),
        ("/r/.yarnrc.yml", "npmAuthToken: \"abc-def\"\n", "abc-def"),
        ("/r/.pypirc", "[pypi]\nusername: me\npassword: hunter2\n", "hunter2"),
        ("/etc/pip.conf", "[global]\nindex-url = https://me:hunter2@pypi.test/simple\n", "hunter2"),
        ("/r/.netrc", "machine a login b\npassword hunter2 machine c login d\n", "hunter2"),
        ("/r/.pgpass", "# x\n*:5432:db:app:p:w\n", "p:w"),
        ("/r/.my.cnf", "[client]\nuser=root\npassword=\"hunter2\"\n", "hunter2"),
        ("/r/.git-credentials", "https://me:ghp_abc@github.com\n", "ghp_abc"),
        ("/r/.kube/config", "users:\n- user:\n    client-key-data: LS0tLS1CRUdJTg==\n", "LS0tLS1CRUdJTg=="),
        ("/r/.cargo/credentials.toml", "[registry]\ntoken = \"cio123\"\n", "cio123"),
        ("/r/.gem/credentials", "---\n:rubygems_api_key: rubygems_12\n", "rubygems_12"),
        ("/r/.config/composer/auth.json", r#"{"github-oauth":{"github.com":"ghp_1"}}"#, "ghp_1"),
        ("/r/.m2/settings.xml", "<server><password>hunter2</password></server>", "hunter2"),
        ("/r/.nuget/NuGet/NuGet.Config", "<add key=\"ClearTextPassword\" value=\"hunter2\" />", "hunter2"),
        ("/r/.composer/auth.json", r#"{"http-basic":{"r":{"username":"u","password":"hunter2"}}}"#, "hunter2"),
        ("/r/.terraform.d/credentials.tfrc.json", r#"{"credentials":{"app":{"token":"a.atlas"}}}"#, "a.atlas"),
        ("/r/.config/gh/hosts.yml", "github.com:\n    oauth_token: gho_1\n", "gho_1"),
        ("/r/.vault-token", "hvs.CAESIJ123456789\n", "hvs.CAESIJ123456789"),
        ("/app/.env", "# x\nPORT=80\nexport DB_PASSWORD='hunter2' # y\nTOKEN_FILE=/run/x\n", "hunter2"),
        ("/app/.env.production", "API_TOKEN=abc123 # prod\n", "abc123"),
    ] {
        assert_eq!(values(path, text), [value], "{path}");
    }
}

#[test]
fn files_without_credentials_are_silent() {
    for (path, text) in [
        ("/r/.aws/credentials", "[default]\naws_secret_access_key = ${SECRET}\n"),
        ("/r/.docker/config.json", r#"{"auths":{"r.io":{}},"credsStore":"desktop"}"#),
        ("/r/.docker/config.json", r#"{"auths":{"r.io":{"auth":"bWU6"}}}"#),
        ("/r/.docker/config.json", "{\"auths\": "),
        ("/r/.npmrc", "registry=https://r/\nalways-auth=true\n//r/:_authToken=${NPM_TOKEN}\n"),
        ("/etc/pip.conf", "[global]\nindex-url = https://pypi.test/simple\n"),
        ("/r/.kube/config", "clusters:\n- cluster:\n    certificate-authority-data: LS0t\n"),
        ("/r/.git-credentials", ""),
        ("/app/.env", "NODE_ENV=production\nDB_PASSWORD=\nAPI_KEY=changeme\nGPG_KEY=E3FF2839\nPASSWORD_FILE=/run/secrets/x\n"),
        ("/r/.m2/settings.xml", "<password>{COQLCE6DU6GtcS5P=}</password><password>${env.PW}</password>"),
        ("/r/.vault-token", "not a token\n"),
    ] {
        assert_eq!(values(path, text), [] as [&str; 0], "{path}");
    }
}

#[test]
fn other_paths_are_no_files_of_credentials() {
    for path in [
        "/app/.env.example",
        "/app/.env.sample",
        "/app/example.env",
        "/app/env",
        "/a/credentials",
        "/a/config.json",
        "/a/x.npmrc",
    ] {
        assert!(CredentialFile::at(path.as_bytes()).is_none(), "{path}");
    }
    assert!(CredentialFile::at(b"/\xff/.env").is_none());
}

#[test]
fn only_values_of_names_keep_their_names() {
    let name = |path: &str, text: &str| CredentialFile::at(path.as_bytes()).unwrap().credentials(text.as_bytes())[0].name.clone();
    assert_eq!(name("/app/.env", "DB_PASSWORD=hunter2"), "DB_PASSWORD");
    assert_eq!(name("/r/.pypirc", "password=hunter2"), "");
}

proptest::proptest! {
    #[test]
    fn any_text_of_any_file_is_read(text in "\\PC{0,80}|[ -~\n]{0,80}", bytes: Vec<u8>, number in 0..PATHS.len()) {
        let (_, kind, form) = PATHS[number];
        let _ = CredentialFile { kind, form }.credentials(text.as_bytes());
        let _ = CredentialFile { kind, form }.credentials(&bytes);
    }
}
