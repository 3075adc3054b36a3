//! Whatever is sent: an answer, and never an image that was not asked about.

use proptest::prelude::*;

use super::*;

/// Values whose keys are, every now and then, those of pods.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof!["[a-z]{1,6}", Just("r.example/good".to_owned()), Just("r.example/bad:1".to_owned()), ".{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        name.prop_map(Value::from)
    ];
    leaf.prop_recursive(6, 60, 5, |inner| {
        let key = prop_oneof![
            Just("image"),
            Just("reference"),
            Just("spec"),
            Just("template"),
            Just("containers"),
            Just("initContainers"),
            Just("ephemeralContainers"),
            Just("volumes"),
            Just("rbd"),
            Just("labels"),
            Just("metadata"),
            Just("annotations"),
            Just("x"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

/// Every string below `value` that is called `image`, but in the places that hold labels and block devices.
fn images(value: &Value, path: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let is_free = matches!(path, [.., "metadata", "labels" | "annotations"]);
            let is_rbd = matches!(path, ["volumes", "[]", "rbd"]);
            for (key, value) in fields.iter().filter(|_| !is_free) {
                if let ("image", Value::String(name), false) = (key.as_str(), value, is_rbd) {
                    found.push(name.clone());
                }
                images(value, &[path, &[key.as_str()]].concat(), found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| images(value, &[path, &["[]"]].concat(), found)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let hooks = Hooks::new();
        prop_assert_eq!(hooks.post("/k8s/v1/validate/default", bytes.clone()).0, 400);
        prop_assert_eq!(hooks.post("/k8s/v1/imagereview/default", bytes).0, 400);
    }

    #[test]
    fn any_object_gets_an_answer(
        object in any_json(),
        old in any_json(),
        operation in prop::sample::select(vec!["CREATE", "UPDATE", "DELETE", "OTHER"]),
        kind in prop::sample::select(vec![("", "Pod"), ("apps", "Deployment"), ("", "EphemeralContainers"), ("x", "Y")]),
    ) {
        let mut review = review(kind.0, kind.1, object);
        review["request"]["oldObject"] = old;
        review["request"]["operation"] = json!(operation);
        let hooks = Hooks::new();
        for profile in ["default", "warn", "off", "auto"] {
            let response = hooks.answer(profile, &review);
            let told = response["status"]["message"].as_str().is_some_and(|message| !message.is_empty());
            prop_assert!(response["allowed"] == true || told, "{}", response);
            prop_assert!(texts(&response["warnings"]).iter().all(|text| !text.is_empty() && text.len() <= 256));
        }
    }

    #[test]
    fn what_is_allowed_was_asked_about(extra in any_json(), key in prop::sample::select(vec!["volumes", "later", "initContainers"])) {
        let mut pod = pod(&["r.example/good"]);
        pod["spec"][key] = extra;
        let mut named = Vec::new();
        images(&pod["spec"], &[], &mut named);
        let hooks = Hooks::new();
        if hooks.is_allowed("default", &review("", "Pod", pod)) {
            let asked = hooks.asked();
            for name in named {
                let whole = super::super::reference::Reference::parse(&name).expect("what names nothing is refused");
                let one = format!("{} {}", whole.repository(), whole.subject());
                prop_assert!(asked.contains(&one), "{} was not asked about: {:?}", name, asked);
                prop_assert_eq!(whole.repository(), "r.example/good");
            }
        }
    }

    #[test]
    fn any_name_is_an_image_or_refused(name in "\\PC{0,40}") {
        if let Ok(reference) = super::super::reference::Reference::parse(&name) {
            let again = super::super::reference::Reference::parse(&reference.whole());
            prop_assert_eq!(again.map(|again| again.whole()), Ok(reference.whole()));
        }
    }
}
