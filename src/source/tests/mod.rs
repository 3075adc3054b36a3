//! Sources of every kind, built in memory and written to scratch folders.

mod archives;
mod build;
mod graph;
mod inputs;
mod shared;
