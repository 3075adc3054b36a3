//! Paths that are read, and paths that are not.

use proptest::prelude::*;

use super::*;

fn read(path: &str) -> Option<String> {
    Target::parse(path).ok().map(|target| target.to_string())
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn every_endpoint_is_read_and_written_as_it_was() {
    for path in [
        "/v2/".to_owned(),
        "/v2/_catalog".to_owned(),
        "/v2/shop/tags/list".to_owned(),
        "/v2/a/b-c/d__e/f.g/manifests/1.4_x".to_owned(),
        format!("/v2/shop/manifests/{DIGEST}"),
        format!("/v2/shop/manifests/sha512:{}", "a".repeat(128)),
        format!("/v2/shop/blobs/{DIGEST}"),
        "/v2/shop/blobs/uploads/".to_owned(),
        "/v2/shop/blobs/uploads/0a1b-2c~3=".to_owned(),
        "/v2/shop/blobs/upload/x".to_owned(),
        format!("/v2/shop/referrers/{DIGEST}"),
        // words of the API are names of repositories too
        "/v2/blobs/manifests/uploads".to_owned(),
        "/v2/tags/list/manifests/list".to_owned(),
        "/v2/blobs/uploads/manifests/x".to_owned(),
        "/v2/shop/blobs/uploads/manifests".to_owned(),
    ] {
        assert_eq!(read(&path).as_deref(), Some(path.as_str()));
    }
    assert_eq!(read("/v2").as_deref(), Some("/v2/"));
    assert_eq!(read("/v2/shop/blobs/uploads").as_deref(), Some("/v2/shop/blobs/uploads/"));
}

#[test]
fn an_encoding_is_taken_off_once_and_what_it_hides_is_seen() {
    assert_eq!(read("/v2/shop/%6Danifests/x").as_deref(), Some("/v2/shop/manifests/x"));
    assert_eq!(read("/v2/sh%6Fp/manifests/%78").as_deref(), Some("/v2/shop/manifests/x"));
    let encoded = format!("/v2/shop/manifests/{}", DIGEST.replace(':', "%3a"));
    assert_eq!(read(&encoded), Some(format!("/v2/shop/manifests/{DIGEST}")));
    for path in [
        "/v2/shop%2Fmanifests%2Fx",
        "/v2/shop/%256Danifests/x",
        "/v2/shop/manifests/x%00",
        "/v2/shop/manifests/x%",
        "/v2/shop/manifests/x%2",
        "/v2/shop/manifests/x%zz",
        "/v2/shop/manifests/%+1",
        "/v2/shop/manifests/x%3Ftag=y",
        "/v2/shop/manifests/x%23",
        "/v2/shop/manifests/%c3%a9",
        "/v2/shop/manifests/x%5c",
        "/v2/shop/manifests/x%0d%0a",
    ] {
        assert_eq!(read(path), None, "{path}");
    }
}

#[test]
fn a_path_that_two_readers_could_read_differently_is_refused() {
    for path in [
        "",
        "/",
        "*",
        "/v1/x",
        "/V2/shop/manifests/x",
        "/v2/shop/Manifests/x",
        "/v2/shop/MANIFESTS/x",
        "/v2/Shop/manifests/x",
        "//v2/shop/manifests/x",
        "/v2//shop/manifests/x",
        "/v2/shop//manifests/x",
        "/v2/shop/manifests//x",
        "/v2/shop/manifests/x/",
        "/v2/shop/manifests/",
        "/v2/shop/manifests",
        "/v2/manifests/x",
        "/v2/./shop/manifests/x",
        "/v2/shop/../shop/manifests/x",
        "/v2/shop/blobs/../manifests/x",
        "/v2/shop/blobs/uploads/../../manifests/x",
        "/v2/shop/blobs/uploads/..",
        "/v2/shop/blobs/uploads/%2e%2e/manifests/..%2fx",
        "/v2/shop/manifests/manifests/x",
        "/v2/shop/manifests/blobs/uploads/x",
        "/v2/shop/manifests/tags/list",
        "/v2/shop;a/manifests/x",
        "/v2/shop/manifests;a/x",
        "/v2/shop/manifests/x;a",
        "/v2/shop/manifests/x y",
        "/v2/shop\\manifests\\x",
        "/v2/shop/manifests/sha256:00",
        "/v2/shop/manifests/md5:d41d8cd98f00b204e9800998ecf8427e",
        "/v2/shop/blobs/sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        "/v2/_catalog/",
        "/v2/shop/_catalog",
        "/v2/a..b/manifests/x",
        "/v2/a___b/manifests/x",
        "/v2/-a/manifests/x",
        "/v2/a-/manifests/x",
        "/v2/shop/blobs/uploads/x/manifests/",
        "/v2/shop/blobs/uploads/x/y",
        "/v2/service/token",
    ] {
        assert_eq!(read(path), None, "{path}");
    }
    assert!(read(&format!("/v2/{}/manifests/x", "a/".repeat(128).trim_end_matches('/'))).is_some());
    assert_eq!(read(&format!("/v2/{}/manifests/x", "a".repeat(256))), None);
    assert_eq!(read(&format!("/v2/a/manifests/{}", "a".repeat(129))), None);
}

#[test]
fn each_endpoint_takes_its_methods_and_no_other() {
    let takes = |path: &str, method: &str| Target::parse(path).unwrap().takes(&method.parse().unwrap());
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        assert!(takes("/v2/a/manifests/x", method));
    }
    for (path, method) in [
        ("/v2/a/manifests/x", "POST"),
        ("/v2/a/manifests/x", "PATCH"),
        ("/v2/a/manifests/x", "put"),
        ("/v2/a/manifests/x", "OPTIONS"),
        ("/v2/a/blobs/uploads/", "PUT"),
        ("/v2/a/blobs/uploads/x", "POST"),
        ("/v2/", "POST"),
        ("/v2/a/tags/list", "PUT"),
        ("/v2/_catalog", "DELETE"),
    ] {
        assert!(!takes(path, method), "{method} {path}");
    }
}

#[test]
fn a_push_may_name_more_tags_and_nothing_else() {
    let tags = |query: &str| super::tags(&format!("/v2/a/manifests/x?{query}").parse().unwrap()).ok();
    assert_eq!(tags("tag=a&tag=b-1").unwrap(), ["a", "b-1"]);
    assert_eq!(tags("ns=docker.io").unwrap(), [""; 0]);
    assert_eq!(super::tags(&"/v2/a/manifests/x".parse().unwrap()).unwrap(), [""; 0]);
    for query in ["tag=", "tag=a%62", "tag=-a", "tag", "_method=PUT", "digest=x", "tag=a;tag=b", "Tag=a"] {
        assert_eq!(tags(query), None, "{query}");
    }
    assert_eq!(tags(&vec!["tag=a"; 101].join("&")), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same_again(path in "/v2/([a-z%/._:0-9A-F-]{0,12}/){0,4}(manifests|blobs|uploads|tags)/[a-zA-Z0-9%.:/_-]{0,12}") {
        if let Ok(target) = Target::parse(&path) {
            let written = target.to_string();
            prop_assert!(!written.contains('%') && !written.contains("//") && written.split('/').all(|part| part != ".."));
            prop_assert_eq!(Target::parse(&written).unwrap(), target);
        }
    }

    #[test]
    fn nothing_makes_it_panic(path in ".{0,60}") {
        let _ = Target::parse(&path);
    }
}
