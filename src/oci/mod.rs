//! Nouns of the image-spec, pure data: digests, descriptors, manifests, configs, platforms, and the codes of what is wrong with them.

mod code;
mod config;
mod date;
mod digest;
pub mod document;
mod escape;
pub mod json;
mod place;
mod platform;
mod reference;
mod shapes;

pub use code::{Code, Tier};
pub use config::{Healthcheck, History, ImageConfig, RuntimeConfig};
pub use date::Date;
pub use digest::{Algorithm, BlobDigest, DiffId, Digest, MalformedDigest};
pub use escape::{escape, escape_text, escape_unprintable, unescape};
pub use place::{Place, Remark};
pub use platform::Platform;
pub use reference::{MalformedReference, Reference, is_host, is_repository, is_tag};
