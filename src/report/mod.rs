//! What was found, written for people and for machines. Decides nothing: every format is written from [`model::Report`].

pub mod checks_page;
pub mod compare;
pub mod dotenv;
pub mod explain;
#[cfg(test)]
mod generated;
pub mod github;
pub mod gitlab;
pub mod html;
pub mod in_toto;
pub mod json;
pub mod junit;
pub mod known_bases;
pub mod listing;
pub mod markdown;
pub mod model;
mod placed;
pub mod policy_page;
pub mod quantity;
#[cfg(test)]
pub(crate) mod samples;
pub mod sarif;
pub mod schema;
pub mod text;
pub mod why;
mod wording;
