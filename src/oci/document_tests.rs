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
