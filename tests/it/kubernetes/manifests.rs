//! The manifests: they ask about every kind that makes pods, and cannot lock a cluster out of itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::root;
use crate::in_process::HOST;

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join("deploy").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a YAML file.
fn documents(path: &str) -> Vec<Value> {
    let text = text(path);
    let parts = text.split("\n---\n").map(|part| serde_saphyr::from_str(part).unwrap_or_else(|error| panic!("{path}: {error}")));
    parts.collect()
}

fn only(path: &str) -> Value {
    let mut documents = documents(path);
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

fn webhooks() -> Vec<Value> {
    let of = |document: Value| document["webhooks"].as_array().unwrap().clone();
    let webhooks: Vec<Value> = documents("kustomize/webhooks.yaml").into_iter().flat_map(of).collect();
    assert_eq!(webhooks.len(), 2);
    webhooks
}

/// `group/resource` of every rule.
fn resources(rules: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rule in rules.as_array().unwrap() {
        let group = rule["apiGroups"][0].as_str().unwrap();
        found.extend(
            rule["resources"].as_array().unwrap().iter().map(|resource| format!("{group}/{}", resource.as_str().unwrap())),
        );
    }
    found
}

#[test]
fn the_rules_name_every_kind_that_makes_pods_and_never_all() {
    let expected = [
        "/pods",
        "/pods/ephemeralcontainers",
        "/podtemplates",
        "/replicationcontrollers",
        "apps/daemonsets",
        "apps/deployments",
        "apps/replicasets",
        "apps/statefulsets",
        "batch/cronjobs",
        "batch/jobs",
    ];
    let expected: BTreeSet<String> = expected.into_iter().map(str::to_owned).collect();
    let of_chart = only("helm/plimsoll/files/rules.yaml");
    for rules in webhooks().iter().map(|webhook| &webhook["rules"]).chain([&of_chart]) {
        assert_eq!(resources(rules), expected);
        assert!(!rules.to_string().contains('*'), "{rules}");
        for rule in rules.as_array().unwrap() {
            assert_eq!(
                (&rule["operations"], &rule["scope"], &rule["apiVersions"]),
                (&json!(["CREATE", "UPDATE"]), &json!("Namespaced"), &json!(["v1"]))
            );
        }
    }
}

#[test]
fn it_fails_closed_only_where_a_label_asks_for_it() {
    for webhook in webhooks() {
        let selector = webhook["namespaceSelector"]["matchExpressions"].as_array().unwrap().clone();
        let label = selector.iter().find(|one| one["key"] == "plimsoll.dev/admission").unwrap();
        let (path, expected) = match webhook["failurePolicy"].as_str().unwrap() {
            "Fail" => ("/k8s/v1/validate/default", json!(["enforce"])),
            _ => ("/k8s/v1/validate/warn", json!(["warn"])),
        };
        assert_eq!((&label["operator"], &label["values"]), (&json!("In"), &expected));
        assert_eq!(webhook["clientConfig"]["service"]["path"], path);
    }
}

#[test]
fn its_own_namespace_and_that_of_the_control_plane_are_never_asked_about() {
    let namespace = only("kustomize/namespace.yaml")["metadata"]["name"].clone();
    for webhook in webhooks() {
        let selector = webhook["namespaceSelector"]["matchExpressions"].as_array().unwrap().clone();
        let names = selector.iter().find(|one| one["key"] == "kubernetes.io/metadata.name").unwrap();
        assert_eq!(names["operator"], "NotIn");
        let excluded = names["values"].as_array().unwrap();
        assert!(excluded.contains(&namespace) && excluded.contains(&json!("kube-system")), "{excluded:?}");
        // users write the labels of objects: these select nothing
        assert!(webhook.get("objectSelector").is_none());
        assert_eq!((&webhook["sideEffects"], &webhook["matchPolicy"]), (&json!("None"), &json!("Equivalent")));
        assert!(webhook["timeoutSeconds"].as_u64().is_some_and(|seconds| (1..=10).contains(&seconds)));
        assert_eq!(webhook["clientConfig"]["service"]["namespace"], namespace);
    }
    let chart = text("helm/plimsoll/templates/webhooks.yaml");
    assert!(chart.contains("kubernetes.io/metadata.name") && chart.contains("concat (list .Release.Namespace \"kube-system\")"));
    assert!(!chart.contains("objectSelector"));
}

#[test]
fn the_pods_have_no_rights_and_are_more_than_one() {
    let deployment = only("kustomize/deployment.yaml");
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert!(deployment["spec"]["replicas"].as_u64().is_some_and(|replicas| replicas >= 2));
    assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0);
    assert_eq!((&pod["automountServiceAccountToken"], &pod["securityContext"]["runAsNonRoot"]), (&json!(false), &json!(true)));
    let own = &container["securityContext"];
    assert_eq!((&own["readOnlyRootFilesystem"], &own["allowPrivilegeEscalation"]), (&json!(true), &json!(false)));
    assert_eq!(own["capabilities"]["drop"], json!(["ALL"]));
    assert_eq!(container["readinessProbe"]["httpGet"], json!({ "path": "/readyz", "port": "operations" }));
    assert_eq!(container["livenessProbe"]["httpGet"], json!({ "path": "/livez", "port": "operations" }));
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&only("kustomize/service.yaml")["spec"]["selector"], labels);
    assert_eq!(&only("kustomize/poddisruptionbudget.yaml")["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(only("kustomize/serviceaccount.yaml")["automountServiceAccountToken"], false);
    assert_eq!(only("kustomize/networkpolicy.yaml")["spec"]["podSelector"]["matchLabels"], *labels);
}

#[test]
fn everything_that_is_listed_is_there() {
    let list = only("kustomize/kustomization.yaml");
    let mut listed: Vec<&str> = list["resources"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    listed.extend(["kustomization.yaml", "plimsoll.toml"]);
    listed.sort_unstable();
    let mut there: Vec<String> = std::fs::read_dir(root().join("deploy/kustomize"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(listed, there);
}

#[test]
fn the_configuration_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::generate_simple_self_signed(vec!["plimsoll.plimsoll-system.svc".to_owned()]).unwrap();
    std::fs::write(folder.path().join("tls.crt"), pair.cert.pem()).unwrap();
    std::fs::write(folder.path().join("tls.key"), pair.signing_key.serialize_pem()).unwrap();
    let text = text("kustomize/plimsoll.toml").replace("/etc/plimsoll/tls", &folder.path().to_string_lossy());
    let path = folder.path().join("plimsoll.toml");
    std::fs::write(&path, text).unwrap();
    let config = plimsoll::serve::config::load(&path, &HOST).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert!(config.profiles.contains_key("default") && config.profiles.contains_key("warn"));
}

#[test]
fn the_values_of_the_chart_fit_its_schema() {
    let schema: Value = serde_json::from_str(&text("helm/plimsoll/values.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let values = only("helm/plimsoll/values.yaml");
    let wrong: Vec<String> = validator.iter_errors(&values).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    for (pointer, bad) in [("/replicas", json!(1)), ("/enforce/timeoutSeconds", json!(60)), ("/unknown", json!(1))] {
        let mut values = values.clone();
        let key = pointer.rsplit('/').next().unwrap();
        let parent = values.pointer_mut(pointer.rsplit_once('/').unwrap().0).unwrap();
        parent[key] = bad;
        assert!(!validator.is_valid(&values), "{pointer}");
    }
    let chart = only("helm/plimsoll/Chart.yaml");
    assert_eq!((chart["appVersion"].as_str(), chart["apiVersion"].as_str()), (Some(env!("CARGO_PKG_VERSION")), Some("v2")));
}
