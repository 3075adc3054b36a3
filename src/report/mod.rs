//! What was found, written for people and for machines. Decides nothing: every format is written from [`model::Report`].

pub mod model;
