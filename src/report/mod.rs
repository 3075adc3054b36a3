//! What was found, written for people and for machines. Decides nothing: every format is written from [`model::Report`].

pub mod model;

/// Version of the report's format: readers of the same first number can read it.
pub const SCHEMA_VERSION: &str = "1.0.0";

/// Where the JSON Schema of the report is published: a path in this project's repository.
pub const SCHEMA_URL: &str = "https://github.com/plimsoll/plimsoll/blob/main/docs/schema/report-1.0.0.json";
