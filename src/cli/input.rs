//! The arguments that choose an image and its limits, shared by the subcommands that read one.

use std::path::PathBuf;

use super::registry::Registry;
use crate::limits::Limits;
use crate::oci::Platform;
use crate::policy::likest;
use crate::report::quantity;
use crate::source;
use crate::source::registry::Access;

/// What to read, and within which limits.
#[derive(Debug, clap::Args)]
pub(super) struct Input {
    /// A docker, podman or OCI archive, an OCI layout folder, - for standard input, or an image in a registry, as HOST/NAME:TAG
    #[arg(value_name = "IMAGE")]
    image_file: PathBuf,

    /// Which image, when the file holds several: a tag, a full name, or a digest or the start of one
    #[arg(long, value_name = "NAME")]
    image: Option<String>,

    /// Which platform of an index, such as linux/arm64; without it, check verifies all that are present
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<Platform>,

    /// Change a limit, such as layer-bytes=64GiB; `plimsoll limits` lists them (may be given several times)
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = limit)]
    limits: Vec<(&'static str, u64)>,

    #[command(flatten)]
    registry: Registry,
}

impl Input {
    /// The choice of image, for the conductor.
    pub(super) fn request(&self) -> source::Request {
        source::Request {
            input: self.image_file.clone(),
            image: self.image.clone(),
            platforms: self.platform.iter().cloned().collect(),
            access: self.access(),
            ..source::Request::default()
        }
    }

    /// How registries are reached.
    pub(super) fn access(&self) -> Access {
        self.registry.access()
    }

    /// The limits; of several values for one name the last counts.
    pub(super) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for (name, value) in &self.limits {
            limits.set(name, *value);
        }
        limits
    }
}

/// Reads `NAME=VALUE`.
pub(super) fn limit(text: &str) -> Result<(&'static str, u64), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as layer-bytes=64GiB")?;
    let Some((name, ..)) = Limits::ALL.iter().find(|(known, ..)| *known == name) else {
        let alike = likest(name, Limits::ALL.iter().map(|(known, ..)| *known));
        let advice = if alike.is_empty() { String::new() } else { format!("did you mean {}? ", alike.join(" or ")) };
        return Err(format!("there is no limit of that name; {advice}`plimsoll limits` lists them all"));
    };
    let value = quantity::parse(value).ok_or("the value must be a whole number, with KiB, MiB or GiB where wanted")?;
    Ok((name, value))
}
