//! Decoding of manifests, indexes and configs.

use super::*;

const BOUNDS: Bounds = Bounds { depth: 64, members: 1000 };

fn hex() -> String {
    "0123456789abcdef".repeat(4)
}

fn code_of<T: std::fmt::Debug>(result: Result<T, Error>) -> (Code, String) {
    match result.unwrap_err() {
        Error::Wrong { code, at, .. } => (code, at),
        other => panic!("{other}"),
    }
}

#[test]
fn a_config_with_every_optional_null_is_read() {
    let text = r#"{"architecture":"arm64","os":"linux","variant":null,"created":null,"history":null,"rootfs":{"type":"layers",
        "diff_ids":null},"config":{"User":null,"Env":null,"Cmd":null,"Entrypoint":null,"Labels":null,"Healthcheck":null,
        "ExposedPorts":null,"Volumes":null,"OnBuild":null,"Shell":null,"StopSignal":null,"WorkingDir":null}}"#;
    let config = config(text.as_bytes(), BOUNDS).unwrap();
    assert_eq!(config.runtime, RuntimeConfig::default());
    assert_eq!(config.platform.to_string(), "linux/arm64");
}

#[test]
fn docker_s_extensions_are_read() {
    let text = r#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:HEX"]},
        "config":{"User":"1000:1000","Entrypoint":"one","Cmd":["a","b"],"Labels":{"b":"2","a":null},"ArgsEscaped":true,
        "ExposedPorts":{"80/tcp":{}},"Volumes":{"/v":{}},"Shell":["/bin/bash","-c"],"OnBuild":["RUN x"],
        "Healthcheck":{"Test":["CMD","x"],"Interval":30000000000,"Timeout":1,"StartPeriod":2,"StartInterval":4,"Retries":3}},
        "history":[{"created_by":"RUN x","empty_layer":true,"comment":"c","author":"a","created":"t"},{}],
        "moby.buildkit.buildinfo.v1":"xyz","container_config":{"Cmd":null}}"#
        .replace("HEX", &hex());
    let config = config(text.as_bytes(), BOUNDS).unwrap();
    assert_eq!(config.runtime.entrypoint, ["one"]);
    assert_eq!(config.runtime.cmd, ["a", "b"]);
    assert_eq!(config.runtime.labels, [("a".to_owned(), String::new()), ("b".to_owned(), "2".to_owned())]);
    assert_eq!(config.runtime.exposed_ports, ["80/tcp"]);
    assert_eq!(config.runtime.volumes, ["/v"]);
    assert_eq!(config.runtime.shell, ["/bin/bash", "-c"]);
    assert_eq!(config.runtime.on_build, ["RUN x"]);
    let healthcheck = config.runtime.healthcheck.unwrap();
    assert_eq!(
        (healthcheck.interval, healthcheck.timeout, healthcheck.start_period, healthcheck.retries),
        (30_000_000_000, 1, 2, 3)
    );
    assert_eq!(config.diff_ids.len(), 1);
    assert!(config.history[0].empty_layer);
    assert_eq!(config.history[1], History::default());
}

#[test]
fn wrong_types_and_variants_in_a_config_are_refused() {
    assert_eq!(code_of(config(br#"{"config":{"User":0}}"#, BOUNDS)), (Code::JsonMalformed, "config.User".into()));
    assert_eq!(code_of(config(br#"{"config":{"USER":"0"}}"#, BOUNDS)), (Code::JsonCaseVariantKey, "config".into()));
    assert_eq!(code_of(config(br#"{"config":{},"Config":{}}"#, BOUNDS)).0, Code::JsonCaseVariantKey);
    assert_eq!(
        code_of(config(br#"{"rootfs":{"diff_ids":["sha256:x"]}}"#, BOUNDS)),
        (Code::DigestMalformed, "rootfs.diff_ids[0]".into())
    );
    assert_eq!(code_of(config(br#"{"rootfs":{"type":"layers+base"}}"#, BOUNDS)).0, Code::NotAnImage);
    let huge = br#"{"config":{"Healthcheck":{"Interval":18446744073709551615}}}"#;
    assert_eq!(code_of(config(huge, BOUNDS)).0, Code::JsonMalformed);
}

/// Members of the `config` object, and whether Docker's decoder in Go takes them.
#[test]
fn values_of_the_config_are_taken_as_go_takes_them() {
    for (members, is_taken) in [
        (r#""Cmd":"one word""#, true),
        (r#""Env":[]"#, true),
        (r#""Env":{"A":"b"}"#, false),
        (r#""Env":"A=b""#, false),
        (r#""ExposedPorts":{}"#, true),
        (r#""ExposedPorts":{"80/tcp":null}"#, true),
        (r#""ExposedPorts":["80/tcp"]"#, false),
        (r#""Volumes":{"/v":{}},"Labels":{}"#, true),
        (r#""Labels":["a=b"]"#, false),
        (r#""Healthcheck":{}"#, true),
        (r#""Healthcheck":{"Test":null,"Interval":9223372036854775807}"#, true),
        (r#""Healthcheck":{"Interval":-1}"#, true),
        (r#""Healthcheck":{"Interval":9223372036854775808}"#, false),
        (r#""Healthcheck":{"Interval":1e9}"#, false),
        (r#""Healthcheck":{"Interval":"30s"}"#, false),
        (r#""Healthcheck":{"Interval":1000000000000000000000000000000}"#, false),
        (r#""Healthcheck":{"Retries":3.0}"#, false),
        (r#""OnBuild":[],"ArgsEscaped":true,"StopTimeout":10,"Unknown":{"a":[1,2]}"#, true),
    ] {
        let text = format!(r#"{{"os":"linux","architecture":"amd64","config":{{{members}}}}}"#);
        assert_eq!(config(text.as_bytes(), BOUNDS).is_ok(), is_taken, "{members}");
    }
}

/// Go reads them as empty values; no builder writes them, and other readers differ.
#[test]
fn nulls_in_lists_are_refused() {
    for text in [r#"{"config":{"Cmd":["a",null]}}"#, r#"{"config":{"Env":[null]}}"#, r#"{"history":[null]}"#] {
        assert_eq!(code_of(config(text.as_bytes(), BOUNDS)).0, Code::JsonMalformed, "{text}");
    }
}

#[test]
fn a_config_may_say_little_or_much_more_than_is_read() {
    for text in [
        "{}",
        r#"{"config":null,"rootfs":null,"history":null}"#,
        r#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":null}}"#,
        r#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers"}}"#,
        r#"{"os":"windows","architecture":"amd64","os.version":"10.0.1","os.features":["win32k"],"rootfs":{"diff_ids":[]}}"#,
        r#"{"os":"linux","os.features":null,"history":[{}],"rootfs":{"diff_ids":[]}}"#,
        r#"{"id":"x","parent":"y","container":"z","docker_version":"1.9","Size":1,"container_config":{"Cmd":["x"],"Healthcheck":1},
            "history":[{"created":"2015-10-31T22:22:54Z","author":"a","created_by":"/bin/sh -c #(nop) ADD file:x in /","v1":1}]}"#,
    ] {
        let found = config(text.as_bytes(), BOUNDS);
        assert!(found.as_ref().is_ok_and(|config| config.diff_ids.is_empty()), "{text}: {found:?}");
    }
}

#[test]
fn manifests_of_docker_and_with_fields_of_later_versions_are_read() {
    let descriptor =
        |kind: &str| format!(r#"{{"mediaType":"application/vnd.docker.{kind}","size":1,"digest":"sha256:{}"}}"#, hex());
    let docker = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{},"layers":[{}],
            "subject":null,"annotations":null,"artifactType":"","later":{{"a":[null]}}}}"#,
        descriptor("container.image.v1+json"),
        descriptor("image.rootfs.diff.tar.gzip"),
    );
    let found = graph(docker.as_bytes(), BOUNDS).unwrap();
    assert_eq!(found.layers.unwrap()[0].as_ref().unwrap().media_type, "application/vnd.docker.image.rootfs.diff.tar.gzip");
    assert!(found.config.unwrap().is_ok() && found.manifests.is_none() && found.artifact_type.is_none());
    for (layers, number) in [(r#","layers":null"#, None), ("", None), (r#","layers":[]"#, Some(0))] {
        let text = format!(r#"{{"schemaVersion":2,"config":{}{layers}}}"#, descriptor("container.image.v1+json"));
        assert_eq!(graph(text.as_bytes(), BOUNDS).unwrap().layers.map(|layers| layers.len()), number, "{text}");
    }
    let scratch = docker_manifests(br#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":null}]"#, BOUNDS).unwrap();
    assert!(scratch[0].layers.is_empty());
}

#[test]
fn a_malformed_descriptor_spares_its_neighbours() {
    let text = r#"{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"sha256:../../x","size":1},
        {"mediaType":"m","digest":"sha256:HEX","size":-1},
        {"digest":"sha256:HEX","size":7,"annotations":{"a":"b","n":null},"platform":{"os":"windows","architecture":"amd64",
         "os.version":"10.0"}}]}"#
        .replace("HEX", &hex());
    let manifests = graph(text.as_bytes(), BOUNDS).unwrap().manifests.unwrap();
    assert_eq!(code_of(manifests[0].clone()), (Code::DigestMalformed, "manifests[0].digest".into()));
    assert_eq!(code_of(manifests[1].clone()), (Code::JsonMalformed, "manifests[1]".into()));
    let good = manifests[2].clone().unwrap();
    assert_eq!((good.size, good.media_type.as_str(), good.os_version.as_deref()), (7, "", Some("10.0")));
    assert_eq!(good.platform.unwrap().to_string(), "windows/amd64");
    assert_eq!(good.annotations.len(), 1);
}

#[test]
fn manifest_json_with_null_tags_is_read() {
    let images = docker_manifests(br#"[{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar"]}]"#, BOUNDS).unwrap();
    assert_eq!((images[0].config.as_str(), images[0].repo_tags.len(), images[0].layers.len()), ("c.json", 0, 1));
    assert!(docker_manifests(b"null", BOUNDS).is_err());
    assert_eq!(code_of(docker_manifests(b"[]\n[]", BOUNDS)).0, Code::JsonTrailingData);
}

proptest::proptest! {
    #[test]
    fn arbitrary_documents_never_panic(bytes: Vec<u8>) {
        let _ = config(&bytes, BOUNDS);
        let _ = graph(&bytes, BOUNDS);
        let _ = docker_manifests(&bytes, BOUNDS);
    }
}
