//! The strict reader, rule by rule.

use super::*;

static INNER: Shape = Shape::Object(&[("size", &Shape::Integer), ("annotations", &Shape::Map(&Shape::Text))]);
static OUTER: Shape =
    Shape::Object(&[("layers", &Shape::List(&INNER)), ("kind", &Shape::Text), ("cmd", &Shape::Texts), ("on", &Shape::Flag)]);

const BOUNDS: Bounds = Bounds { depth: 8, members: 100 };

fn refusal(text: &str) -> (Code, String) {
    match read(text.as_bytes(), &OUTER, BOUNDS).unwrap_err() {
        Error::Wrong { code, at, .. } => (code, at),
        other => panic!("{other}"),
    }
}

#[test]
fn a_key_that_is_there_twice_is_refused_at_every_level() {
    assert_eq!(refusal(r#"{"kind":"a","kind":"a"}"#), (Code::JsonDuplicateKey, String::new()));
    assert_eq!(refusal(r#"{"kind":"a","\u006bind":"a"}"#).0, Code::JsonDuplicateKey);
    assert_eq!(refusal(r#"{"layers":[{"size":1},{"size":1,"size":2}]}"#), (Code::JsonDuplicateKey, "layers[1]".into()));
    assert_eq!(refusal(r#"{"layers":[{"annotations":{"a":"","a":""}}]}"#).0, Code::JsonDuplicateKey);
    assert_eq!(refusal(r#"{"unknown":{"a":{"b":1,"b":2}}}"#), (Code::JsonDuplicateKey, "unknown.a".into()));
}

#[test]
fn a_key_that_go_folds_to_a_known_one_is_refused() {
    for text in [r#"{"Layers":[]}"#, r#"{"layerſ":[]}"#, "{\"\u{212A}ind\":\"\"}", r#"{"kind":"","KIND":""}"#] {
        assert_eq!(refusal(text).0, Code::JsonCaseVariantKey, "{text}");
    }
    assert_eq!(refusal(r#"{"layers":[{"Size":1}]}"#), (Code::JsonCaseVariantKey, "layers[0]".into()));
    assert_eq!(refusal(r#"{"new":1,"New":2}"#).0, Code::JsonCaseVariantKey);
}

#[test]
fn keys_of_free_form_maps_may_differ_by_case() {
    let text = r#"{"layers":[{"annotations":{"a":"1","A":"2","layers":"3"}}],"unknown":{"x":1,"X":2}}"#;
    assert!(read(text.as_bytes(), &OUTER, BOUNDS).is_ok());
}

#[test]
fn data_after_the_value_is_refused_and_white_space_is_not() {
    assert_eq!(refusal("{} {}").0, Code::JsonTrailingData);
    assert_eq!(refusal("{}\0").0, Code::JsonTrailingData);
    assert!(read(b"{}\n \t\r\n", &OUTER, BOUNDS).is_ok());
}

#[test]
fn a_wrong_type_is_named_with_its_path() {
    assert_eq!(refusal(r#"{"layers":[{},{"size":"1"}]}"#), (Code::JsonMalformed, "layers[1].size".into()));
    assert_eq!(refusal(r#"{"layers":[{"size":1.5}]}"#).1, "layers[0].size");
    assert_eq!(refusal(r#"{"layers":[null]}"#).1, "layers[0]");
    assert_eq!(refusal(r#"{"layers":{}}"#).1, "layers");
    assert_eq!(refusal(r#"{"kind":[]}"#).1, "kind");
    assert_eq!(refusal(r#"{"cmd":["a",1]}"#).1, "cmd[1]");
    assert_eq!(refusal(r#"{"on":"true"}"#).1, "on");
    assert_eq!(refusal("[]").1, "");
    assert_eq!(refusal("null").1, "");
}

#[test]
fn what_is_no_json_or_no_utf8_is_malformed() {
    for text in ["", "{", r#"{"kind":}"#, "{'kind':1}", r#"{"kind":"\ud800"}"#, "\u{feff}{}"] {
        assert_eq!(refusal(text).0, Code::JsonMalformed, "{text}");
    }
    let error = read(b"{\"kind\":\"\xff\"}", &OUTER, BOUNDS).unwrap_err();
    assert!(matches!(error, Error::Wrong { code: Code::JsonMalformed, .. }));
}

#[test]
fn null_is_unset_in_objects_with_known_keys() {
    let value = read(br#"{"kind":null,"cmd":null,"layers":null}"#, &OUTER, BOUNDS).unwrap();
    assert_eq!(value, serde_json::json!({}));
}

#[test]
fn depth_and_members_are_bounded() {
    let nested = format!("{{\"x\":{}{}}}", "[".repeat(8), "]".repeat(8));
    assert_eq!(read(nested.as_bytes(), &OUTER, BOUNDS), Err(Error::TooDeep { found: 9 }));
    let fits = format!("{{\"x\":{}{}}}", "[".repeat(7), "]".repeat(7));
    assert!(read(fits.as_bytes(), &OUTER, BOUNDS).is_ok());
    let wide = format!("{{\"x\":[{}0]}}", "0,".repeat(99));
    assert_eq!(read(wide.as_bytes(), &OUTER, BOUNDS), Err(Error::TooManyMembers { found: 101 }));
    let abyss = "[".repeat(100_000);
    assert!(read(abyss.as_bytes(), &Shape::Any, Bounds { depth: u64::MAX, members: u64::MAX }).is_err());
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = read(&bytes, &OUTER, BOUNDS);
    }

    #[test]
    fn nearly_json_never_panics(text in r#"[\{\}\[\]":,a-c0-9 \\uklayersLS.-]{0,60}"#) {
        let _ = read(text.as_bytes(), &OUTER, BOUNDS);
    }
}
