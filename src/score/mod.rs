//! Measurements, ballast, and where an image lies between a single-stage and a multi-stage baseline.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
