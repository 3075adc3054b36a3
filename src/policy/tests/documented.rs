//! The reference page: its examples load, and it names every key.

use super::*;

const PAGE: &str = include_str!("../../../docs/policy.md");

/// The blocks of TOML, each with the file name that its first line gives as a comment.
fn blocks() -> Vec<(String, &'static str)> {
    let blocks = PAGE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks
        .enumerate()
        .map(|(number, text)| {
            let named = text.lines().next().unwrap().strip_prefix("# ").filter(|name| name.contains(".toml"));
            (named.map_or_else(|| format!("block{number}.toml"), ToOwned::to_owned), text)
        })
        .collect()
}

#[test]
fn every_example_of_the_page_loads() {
    let blocks = blocks();
    assert!(blocks.len() >= 8);
    let files: Vec<(&str, &str)> = blocks.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    for (index, (name, _)) in blocks.iter().enumerate() {
        let mut turned = files.clone();
        turned.rotate_left(index);
        loaded(&turned).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
    }
}

#[test]
fn every_key_of_the_schema_is_on_the_page() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let tables = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for table in tables {
        for key in table["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
            assert!(PAGE.contains(&format!("`{key}`")), "{key}");
        }
    }
    let measures = Measure::ALL.iter().map(|measure| measure.as_str());
    for name in measures.chain(requirement::REQUIREMENTS.iter().map(|one| one.id)) {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}
