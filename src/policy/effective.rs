//! The values of a policy with everything that it extends, each with its place: what `plimsoll policy show` shows.

use serde_json::Value;

use super::place::{Place, Text};
use super::tree::{Kind, Node};

/// A policy's values, in sections as TOML has them.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// Values outside of all tables first, then every table that holds values.
    pub sections: Vec<Section>,
    /// The files, the outermost first.
    pub files: Vec<String>,
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Keys that lead to it; empty for the values outside of all tables.
    pub path: Vec<String>,
    /// For an element of a list of tables: its number in the list, from 0.
    pub number: Option<usize>,
    /// Its values.
    pub settings: Vec<Setting>,
    /// Where it starts.
    pub place: Place,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its key in the section.
    pub key: String,
    /// What it is.
    pub value: Value,
    /// Where it comes from.
    pub place: Place,
}

impl Effective {
    pub(super) fn new(mut tree: Node, texts: &[Text]) -> Self {
        // it is laid under already
        tree.forget(&["extends"]);
        let mut effective = Self { sections: Vec::new(), files: texts.iter().map(|text| text.name.clone()).collect() };
        effective.table(&tree, &[], None, texts);
        effective
    }

    /// A table, its values before the tables in it. No deeper than the structs of the file.
    fn table(&mut self, table: &Node, path: &[String], number: Option<usize>, texts: &[Text]) {
        let place = |node: &Node| match texts.get(node.key.file) {
            Some(text) => text.place(node.key.offset),
            None => Place::start_of(""),
        };
        let entries = table.in_order();
        let (values, tables): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(_, node)| !node.is_table() && !node.is_list_of_tables());
        if !values.is_empty() || number.is_some() || (tables.is_empty() && !path.is_empty()) {
            let setting = |(key, node): (&str, &Node)| Setting { key: key.to_owned(), value: node.to_json(), place: place(node) };
            let settings = values.into_iter().map(setting).collect();
            self.sections.push(Section { path: path.to_vec(), number, settings, place: place(table) });
        }
        for (key, node) in tables {
            let below = [path, &[key.to_owned()]].concat();
            match &node.kind {
                Kind::List(elements) => {
                    for (number, element) in elements.iter().enumerate() {
                        self.table(element, &below, Some(number), texts);
                    }
                }
                _ => self.table(node, &below, None, texts),
            }
        }
    }
}
