//! Databases made by a small writer here.
