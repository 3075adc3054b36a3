//! `buried-secret`: a secret that a later layer removed or replaced is still in the layer that brought it.

use std::collections::BTreeMap;

use super::{Check, Family, Reference, secret_words, wording};
use crate::facts::{BuriedSecret, Image, Standing};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::{escape, escape_text};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "buried-secret",
    title: "A removed secret is still in a layer",
    family: Family::Secrets,
    severity: Severity::Critical,
    what: "A layer holds a private key, a token or a file of credentials that a later layer removes or replaces. The same rules hold \
           as for `private-key`, `secret-token` and `credential-file`; where the file that now has the path holds the same secret, \
           that one is told of instead. In a folder of the image's own tests it is `medium`.",
    why: "A layer is a file of its own: whoever can pull the image can unpack it, and what a later layer removes is only hidden. The \
          removal makes it easy to believe that the secret is gone.",
    fix: "Change the secret, and use it in a step that leaves nothing behind: a secret mount, or a stage of which only the result is copied.",
    example: "# not: COPY id_rsa /root/.ssh/ ... RUN rm -r /root/.ssh\nRUN --mount=type=secret,id=deploy_key,target=/root/.ssh/id_rsa git clone git@example.com:app.git\n",
    references: &[
        Reference { name: "CIS Docker 4.10", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.4", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CWE-212", url: "https://cwe.mitre.org/data/definitions/212.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut by_path: BTreeMap<&[u8], Vec<&BuriedSecret>> = BTreeMap::new();
    for buried in image.secrets.buried.iter().filter(|buried| buried.standing != Standing::Published) {
        by_path.entry(&buried.path).or_default().push(buried);
    }
    by_path.into_iter().map(|(path, buried)| observe(image, path, &buried)).collect()
}

/// All versions of one path.
fn observe(image: &Image, path: &[u8], buried: &[&BuriedSecret]) -> Observation {
    let secrets = buried.iter().flat_map(|one| &one.secrets().found);
    let more = buried.iter().fold(0_u32, |sum, one| sum.saturating_add(one.secrets().more));
    let parts: Vec<String> = buried.iter().map(|one| whereabouts(image, one)).collect();
    let message = format!(
        "{} holds {} and can still be taken from the image: {}",
        escape(path),
        secret_words::phrases(secrets, more),
        parts.join("; ")
    );
    let is_test = buried.iter().all(|one| one.standing == Standing::Test);
    let layers = buried.iter().flat_map(|one| [Some(one.layer), one.removed_in]).flatten();
    let evidence = layers.map(|layer| Evidence {
        path: Some(path.to_vec()),
        layer: Some(layer),
        history: image.steps.get(layer).and_then(|step| step.history),
        ..Evidence::default()
    });
    Observation {
        severity: is_test.then_some(Severity::Medium),
        subject: wording::path_key(path),
        message,
        evidence: evidence.collect(),
        ..Observation::default()
    }
}

/// Which layer has it and which removes it, with both instructions.
fn whereabouts(image: &Image, buried: &BuriedSecret) -> String {
    let done = if buried.is_replaced { "replaced" } else { "removed" };
    let end = match buried.removed_in {
        Some(layer) => format!("{done} by layer {layer}{}", keyword(image, layer)),
        None => format!("{done} later"),
    };
    format!("layer {}{} brings it, {end}", buried.layer, keyword(image, buried.layer))
}

/// The instruction's keyword in brackets: its text, which may hold secrets, stands with the layer.
fn keyword(image: &Image, layer: usize) -> String {
    let instruction = image.steps.get(layer).and_then(|step| step.instruction.as_deref()).unwrap_or_default();
    let word = instruction.split(' ').next().unwrap_or_default();
    let is_keyword = !word.is_empty() && word.len() <= 12 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_keyword { format!(" ({})", escape_text(word)) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;
    use crate::secret::testing::rsa_key;

    #[test]
    fn fires_on_a_removed_key_with_both_layers() {
        let seen = Builder::default().hidden("/root/.ssh/id_rsa", &rsa_key(1), 0, Some(2)).run(&CHECK);
        let expected = "/root/.ssh/id_rsa holds an RSA private key (line 1) and can still be taken from the image: \
                        layer 0 (RUN) brings it, removed by layer 2";
        assert_eq!(seen[0].message, expected);
        let layers: Vec<_> = seen[0].evidence.iter().map(|one| (one.layer, one.history, one.bytes)).collect();
        assert_eq!(layers, [(Some(0), Some(1), 0), (Some(2), None, 0)]);
    }

    #[test]
    fn fires_once_for_all_versions_of_a_path() {
        let mut builder = Builder::default();
        builder.hidden("/app/.env", "A_TOKEN=abcdef1\n", 0, Some(1)).hidden("/app/.env", "A_TOKEN=abcdef2\n", 1, None);
        builder.file("/app/.env", 0);
        let seen = builder.run(&CHECK);
        assert_eq!(seen.len(), 1);
        assert!(seen[0].message.ends_with("layer 0 (RUN) brings it, replaced by layer 1; layer 1 brings it, replaced later"));
    }

    #[test]
    fn is_silent_where_the_same_secret_still_shows_and_on_published_files() {
        let mut builder = Builder::default();
        builder.searched("/app/key.pem", &rsa_key(1)).hidden("/app/key.pem", &rsa_key(1), 0, Some(1));
        builder.hidden("/usr/local/lib/python3.11/test/certdata/badkey.pem", &rsa_key(2), 0, Some(1));
        assert!(builder.run(&CHECK).is_empty());
        builder.searched("/app/key.pem", &rsa_key(3)).hidden("/app/key.pem", &rsa_key(1), 0, Some(1));
        assert_eq!(builder.run(&CHECK).len(), 1);
    }
}
