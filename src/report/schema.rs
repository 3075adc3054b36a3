//! The JSON Schemas of the report, of a line of `plimsoll ls` and of policy files, generated from the structs that write or read them.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::json::{COMPARISON_SCHEMA_URL, ENTRY_SCHEMA_URL, SCHEMA_URL, WHY_SCHEMA_URL};
use super::model::why::Why;
use super::model::{Comparison, EntryReport, Report};
use crate::policy::file::PolicyFile;

/// The schema of `plimsoll check --format json`, as `docs/schema/report-1.3.0.json` holds it.
#[must_use]
pub fn report() -> String {
    published::<Report>("Report of plimsoll check", SCHEMA_URL)
}

/// The schema of one line of `plimsoll ls --format json`, as `docs/schema/ls-1.0.0.json` holds it.
#[must_use]
pub fn entry() -> String {
    published::<EntryReport>("One line of plimsoll ls", ENTRY_SCHEMA_URL)
}

/// The schema of `plimsoll compare --format json`, as `docs/schema/compare-1.0.0.json` holds it.
#[must_use]
pub fn comparison() -> String {
    published::<Comparison>("Report of plimsoll compare", COMPARISON_SCHEMA_URL)
}

/// The schema of `plimsoll why --format json`, as `docs/schema/why-1.0.0.json` holds it.
#[must_use]
pub fn why() -> String {
    published::<Why>("Answer of plimsoll why", WHY_SCHEMA_URL)
}

/// Where the schema of policy files is published.
pub const POLICY_SCHEMA_URL: &str = "https://github.com/plimsoll/plimsoll/blob/main/docs/schema/policy-1.0.0.json";

/// The schema of a policy file, as `docs/schema/policy-1.0.0.json` holds it.
#[must_use]
pub fn policy() -> String {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(without_null));
    titled(settings.into_generator().into_root_schema_for::<PolicyFile>(), "Policy of plimsoll", POLICY_SCHEMA_URL)
}

/// TOML has no null: a value that may be absent is absent.
fn without_null(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(kinds)) = schema.get_mut("anyOf") {
        kinds.retain(|kind| kind.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = kinds.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.insert(key, value);
            }
        }
    }
}

fn published<T: JsonSchema>(title: &str, url: &str) -> String {
    titled(SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>(), title, url)
}

fn titled(mut schema: Schema, title: &str, url: &str) -> String {
    schema.insert("$id".to_owned(), url.into());
    schema.insert("title".to_owned(), title.into());
    // the alternate form of a JSON value is its indented text
    format!("{:#}\n", schema.to_value())
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    /// Every schema within `root` that has properties, the definitions included.
    fn objects(root: &Value) -> Vec<&Value> {
        let definitions = root["$defs"].as_object().map(|defs| defs.values().collect()).unwrap_or_default();
        [vec![root], definitions].concat().into_iter().filter(|schema| schema["properties"].is_object()).collect()
    }

    #[test]
    fn every_property_is_described() {
        for text in [report(), entry(), comparison(), why(), policy()] {
            let schema: Value = serde_json::from_str(&text).unwrap();
            let objects = objects(&schema);
            assert!(!objects.is_empty());
            for object in objects {
                for (name, property) in object["properties"].as_object().unwrap() {
                    let described = property["description"].as_str().is_some_and(|description| !description.is_empty());
                    assert!(described, "{name} has no description");
                }
            }
        }
    }

    #[test]
    fn a_policy_has_no_null() {
        assert!(!policy().contains("null"));
    }

    #[test]
    fn every_report_is_valid_by_the_schema() {
        let schema = jsonschema::validator_for(&serde_json::from_str(&report()).unwrap()).unwrap();
        for (name, sample) in samples::all() {
            let value = serde_json::to_value(&sample).unwrap();
            let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
        assert!(!schema.is_valid(&serde_json::json!({ "schema": {} })));
    }

    #[test]
    fn every_answer_is_valid_by_the_schema() {
        let schema = jsonschema::validator_for(&serde_json::from_str(&why()).unwrap()).unwrap();
        for (name, sample) in samples::whys() {
            let value = serde_json::to_value(&sample).unwrap();
            let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
            assert_eq!(serde_json::from_value::<Why>(value).unwrap(), sample, "{name}");
        }
        assert!(!schema.is_valid(&serde_json::json!({ "path": "/etc" })));
    }

    #[test]
    fn every_entry_is_valid_by_the_schema() {
        let schema = jsonschema::validator_for(&serde_json::from_str(&entry()).unwrap()).unwrap();
        for sample in samples::entries() {
            assert!(schema.is_valid(&serde_json::to_value(&sample).unwrap()), "{}", sample.path);
        }
        assert!(!schema.is_valid(&serde_json::json!({ "path": "/etc" })));
    }
}
