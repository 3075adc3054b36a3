//! Sources of every kind, built in memory and on scratch folders.

mod shared;
