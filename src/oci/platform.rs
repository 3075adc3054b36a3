//! Platforms as the image-spec writes them.

use std::fmt;
use std::str::FromStr;

/// `os/architecture[/variant]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// GOOS value.
    pub os: String,
    /// GOARCH value.
    pub architecture: String,
    /// Variant of the architecture, such as `v8`.
    pub variant: Option<String>,
}

impl Platform {
    /// The variant that is meant when none is written: arm64 is v8, arm is v7, amd64 is v1.
    #[must_use]
    pub fn normal_variant(&self) -> Option<&str> {
        match (self.architecture.as_str(), self.variant.as_deref()) {
            ("arm64", None) => Some("v8"),
            ("arm", None) => Some("v7"),
            ("amd64", None) => Some("v1"),
            (_, variant) => variant,
        }
    }

    /// Whether both name one platform.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.distance(other) == Some(0)
    }

    /// How far this platform is from the one asked for: 0 when it is the same, more for an older variant of 32-bit ARM,
    /// whose programs the newer ones run too (v8, v7, v6, v5, as containerd looks for them). None when it is another.
    #[must_use]
    pub fn distance(&self, asked: &Self) -> Option<usize> {
        const ARM: [&str; 4] = ["v8", "v7", "v6", "v5"];
        if self.os != asked.os || self.architecture != asked.architecture {
            return None;
        }
        let (own, wanted) = (self.normal_variant(), asked.normal_variant());
        if own == wanted {
            return Some(0);
        }
        let age = |variant: Option<&str>| ARM.iter().position(|known| Some(*known) == variant);
        age(own)?.checked_sub(age(wanted)?).filter(|_| self.architecture == "arm")
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(os), Some(architecture), variant, None) if ![Some(os), Some(architecture), variant].contains(&Some("")) => {
                Ok(Self { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned) })
            }
            _ => Err(format!("{text:?} is no platform: write os/architecture[/variant], such as linux/amd64")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arm64_and_arm64_v8_are_one_platform() {
        let plain: Platform = "linux/arm64".parse().unwrap();
        assert!(plain.is_same(&"linux/arm64/v8".parse().unwrap()));
        assert!(!plain.is_same(&"linux/arm/v7".parse().unwrap()));
    }

    #[test]
    fn older_variants_of_arm_stand_in_for_newer_ones_and_no_others_do() {
        let distance = |own: &str, asked: &str| own.parse::<Platform>().unwrap().distance(&asked.parse().unwrap());
        assert_eq!(distance("linux/arm", "linux/arm/v7"), Some(0));
        assert_eq!(distance("linux/arm/v5", "linux/arm"), Some(2));
        assert_eq!(distance("linux/arm/v6", "linux/arm/v8"), Some(2));
        assert_eq!(distance("linux/arm/v8", "linux/arm"), None);
        assert_eq!(distance("linux/arm/v9", "linux/arm/v7"), None);
        assert_eq!(distance("linux/arm/v7", "linux/arm64"), None);
        assert_eq!(distance("linux/amd64/v1", "linux/amd64/v3"), None);
        assert_eq!(distance("windows/arm/v7", "linux/arm/v7"), None);
    }

    #[test]
    fn half_a_platform_is_refused() {
        for text in ["linux", "linux/", "/amd64", "linux/arm/v7/x", ""] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
