//! Our evaluation against that of the `cel` crate: random expressions over the same facts have the same value.

#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use std::collections::BTreeMap;

use cel::{Context, Program, Value};
use serde::Serialize;

use super::testing::{Builder, compiled, fires};

#[derive(Serialize)]
struct Document {
    ports: Vec<String>,
    labels: BTreeMap<String, String>,
    layers: i64,
    user: User,
}

#[derive(Serialize)]
struct User {
    uid: i64,
    groups: Vec<i64>,
}

const PORTS: [&str; 3] = ["22/tcp", "80/tcp", "é"];
const LABELS: [(&str, &str); 2] = [("a", "22/tcp"), ("b", "")];

/// What the crate's interpreter says; None for any error.
fn theirs(source: &str) -> Option<bool> {
    let document = Document {
        ports: PORTS.map(str::to_owned).to_vec(),
        labels: LABELS.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        layers: 1,
        user: User { uid: 7, groups: vec![7] },
    };
    let mut context = Context::default();
    context.add_variable("image", document).unwrap();
    match Program::compile(source).unwrap().execute(&context) {
        Ok(Value::Bool(value)) => Some(value),
        Ok(other) => panic!("{source} is {other:?}"),
        Err(_) => None,
    }
}

fn ours(source: &str) -> Option<bool> {
    let image = Builder::default().user(Some(7)).config(|config| {
        config.exposed_ports = PORTS.map(str::to_owned).to_vec();
        config.labels = LABELS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    });
    fires(source, &image.image()).ok()
}

/// Writes expressions of a wanted type; every choice is a number of the test's input, and without any more the smallest is written.
struct Writer<'a> {
    choices: std::slice::Iter<'a, u8>,
    variables: Vec<&'static str>,
}

impl Writer<'_> {
    fn choose(&mut self, among: u8) -> u8 {
        self.choices.next().map_or(0, |choice| choice % among)
    }

    fn truth(&mut self) -> String {
        match self.choose(13) {
            0 => "true".to_owned(),
            1 => "false".to_owned(),
            2 => format!("({} && {})", self.truth(), self.truth()),
            3 => format!("({} || {})", self.truth(), self.truth()),
            4 => format!("!{}", self.truth()),
            5 => format!("({} {} {})", self.number(), self.comparison(), self.number()),
            6 => format!("({} {} {})", self.text(), self.comparison(), self.text()),
            7 => format!(
                "{}.{}({})",
                self.text(),
                ["startsWith", "endsWith", "contains"][usize::from(self.choose(3))],
                self.text()
            ),
            8 => format!("({} in {})", self.text(), self.texts()),
            9 => format!("({} ? {} : {})", self.truth(), self.truth(), self.truth()),
            10 => ["has(image.labels.a)", "has(image.labels.z)", "('b' in image.labels)"][usize::from(self.choose(3))].to_owned(),
            11 => self.each(&["exists", "all", "exists_one"]),
            _ => format!("({} == {})", self.texts(), self.texts()),
        }
    }

    fn comparison(&mut self) -> &'static str {
        ["==", "!=", "<", "<=", ">", ">="][usize::from(self.choose(6))]
    }

    fn number(&mut self) -> String {
        match self.choose(8) {
            0 => "2".to_owned(),
            1 => "image.layers".to_owned(),
            2 => "image.user.uid".to_owned(),
            3 => "9223372036854775807".to_owned(),
            4 => format!("size({})", self.text()),
            5 => format!("{}.size()", self.texts()),
            6 => format!("-({})", self.number()),
            _ => format!("({} {} {})", self.number(), ["+", "-", "*", "/", "%"][usize::from(self.choose(5))], self.number()),
        }
    }

    fn text(&mut self) -> String {
        match self.choose(8) {
            0 => "'22/tcp'".to_owned(),
            1 => "'é'".to_owned(),
            2 => "image.labels.a".to_owned(),
            3 => "image.labels['z']".to_owned(),
            4 => format!("image.ports[{}]", self.number()),
            5 => format!("({} + {})", self.text(), self.text()),
            _ => self.variables.last().map_or("''", |name| name).to_owned(),
        }
    }

    fn texts(&mut self) -> String {
        match self.choose(5) {
            0 => "image.ports".to_owned(),
            1 => format!("[{}, {}]", self.text(), self.text()),
            2 if self.variables.len() < 2 => self.each(&["filter"]),
            3 if self.variables.len() < 2 => {
                let range = self.texts();
                let name = self.enter();
                let result = self.text();
                self.variables.pop();
                format!("{range}.map({name}, {result})")
            }
            _ => "['', 'b']".to_owned(),
        }
    }

    fn each(&mut self, macros: &[&str]) -> String {
        if self.variables.len() == 2 {
            return "true".to_owned();
        }
        let called = macros[usize::from(self.choose(3)) % macros.len()];
        let range = if self.choose(4) == 0 && called != "filter" { "image.labels".to_owned() } else { self.texts() };
        let name = self.enter();
        let test = self.truth();
        self.variables.pop();
        format!("{range}.{called}({name}, {test})")
    }

    fn enter(&mut self) -> &'static str {
        let name = ["x", "y"][self.variables.len()];
        self.variables.push(name);
        name
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
    #[test]
    fn both_evaluations_agree(choices in proptest::collection::vec(0_u8.., 1..60)) {
        let source = Writer { choices: choices.iter(), variables: Vec::new() }.truth();
        if let Err(refused) = compiled(&source) {
            // what only grows with the input
            proptest::prop_assert!(refused.contains("limit rule-"), "{}: {}", source, refused);
            return Ok(());
        }
        let (ours, theirs) = (ours(&source), theirs(&source));
        // where a macro's element has no answer and a later one decides, the crate stops and we, as CEL says, do not
        proptest::prop_assert!(ours == theirs || theirs.is_none(), "{}: {:?}, {:?}", source, ours, theirs);
        if !["exists(", "all("].iter().any(|called| source.contains(called)) {
            proptest::prop_assert_eq!(ours, theirs, "{}", source);
        }
    }
}
