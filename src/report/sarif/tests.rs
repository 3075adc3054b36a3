//! Documents of the samples, and what holds for every document.
