//! `onbuild-trigger`: instructions wait in the image for whoever builds on it.

use super::{Check, Family, Reference, wording};
use crate::build::redact;
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape_text;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "onbuild-trigger",
    title: "ONBUILD triggers",
    family: Family::Config,
    severity: Severity::Low,
    what: "The config holds `ONBUILD` triggers: instructions that run in every build that starts from this image.",
    why: "They run before anything that the next Dockerfile says, unseen by who reads it. An image that is meant to be run needs none.",
    fix: "Write the instructions into the Dockerfiles that need them, and ship the application from a base without triggers.",
    example: "FROM example.com/base:1.4\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n",
    references: &[
        Reference { name: "Dockerfile: ONBUILD", url: "https://docs.docker.com/reference/dockerfile/#onbuild" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let triggers: Vec<&String> = image.config.runtime.on_build.iter().filter(|trigger| !trigger.trim().is_empty()).collect();
    let Some(first) = triggers.first() else { return Vec::new() };
    let count = wording::counted(wording::count(triggers.len()), "ONBUILD trigger");
    let message = format!("{count}, the first: {}", escape_text(&redact(first.trim())));
    vec![Observation { message, evidence: vec![Evidence::of_config("config.OnBuild")], ..Observation::default() }]
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    fn messages(triggers: &[&str]) -> Vec<String> {
        let mut builder = Builder::default();
        builder.runtime.on_build = triggers.iter().map(|&trigger| trigger.to_owned()).collect();
        builder.run(&CHECK).into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn fires_on_triggers() {
        assert_eq!(messages(&["COPY . /app", "RUN make"]), ["2 ONBUILD triggers, the first: COPY . /app"]);
        assert!(!messages(&["RUN TOKEN=secret1 make"])[0].contains("secret1"));
    }

    #[test]
    fn is_silent_without() {
        assert_eq!(messages(&[]), [] as [&str; 0]);
        assert_eq!(messages(&[" "]), [] as [&str; 0]);
    }
}
