//! Images that start and images that do not, against what Linux did with the same trees (`testdata/startup.toml`).

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};

use super::program::{self, list};
use super::recipe;

/// The checks of starting.
const CHECKS: [&str; 4] = ["broken-script-entrypoint", "missing-entrypoint", "missing-interpreter", "wrong-architecture"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    variant: Vec<Variant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    about: String,
    #[serde(default)]
    entries: String,
    cmd: Vec<String>,
    #[serde(default)]
    workdir: String,
    #[serde(default)]
    user: String,
    path: Option<String>,
    linux: String,
    check: Option<String>,
}

/// A program of headers alone, for recipes.
fn elf(machine: u8, interpreter: Option<&str>) -> String {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend([2, 0, machine, 0, 1, 0, 0, 0]);
    bytes.extend(0x40_00b0_u64.to_le_bytes());
    bytes.extend(64_u64.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend([0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 64, 0, 0, 0, 0, 0]);
    let path = interpreter.map(|path| [path.as_bytes(), b"\0"].concat()).unwrap_or_default();
    let length = path.len() as u64;
    for (kind, offset, length) in [(if interpreter.is_some() { 3_u32 } else { 0 }, 176, length), (1, 0, 176 + length)] {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(5_u32.to_le_bytes());
        for word in [offset, 0x40_0000 + offset, 0x40_0000 + offset, length, length, 0x1000] {
            bytes.extend(word.to_le_bytes());
        }
    }
    bytes.extend(path);
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "\\x{byte:02x}").unwrap();
        text
    })
}

fn recipe_of(variant: &Variant) -> recipe::Recipe {
    let mut config = json!({ "Cmd": variant.cmd, "WorkingDir": variant.workdir, "User": variant.user });
    if let Some(path) = &variant.path {
        config["Env"] = json!([format!("PATH={path}")]);
    }
    let entries = format!(
        "{{ file = 'bin/sh', mode = '0755', text = 'ELF' }}, {{ file = 'usr/bin/env', mode = '0755', text = 'ELF' }}, \
         {{ file = 'usr/bin/true', mode = '0755', text = 'ELF' }}, \
         {{ file = 'etc/passwd', text = 'root:x:0:0::/:/bin/sh\\x0aapp:x:1000:1000::/:/bin/sh\\x0a' }}, \
         {{ file = 'etc/group', text = 'root:x:0:\\x0aapp:x:1000:\\x0aextra:x:2000:app\\x0a' }}, {}",
        variant.entries
    );
    let programs = [("'ELF'", elf(62, None)), ("'ARM64'", elf(183, None)), ("'LINKED'", elf(62, Some("/lib/ld.so")))];
    let entries = programs.iter().fold(entries, |entries, (name, bytes)| entries.replace(name, &format!("'{bytes}'")));
    recipe::of_text(&format!(
        r#"about = "x"
containers = ["oci"]
[[layer]]
entries = [{entries}]
[[document]]
name = "config"
text = '''{{"architecture":"amd64","os":"linux","config":{config},"rootfs":{{"type":"layers","diff_ids":["$layer0.diff_id"]}},"history":[{{"created_by":"x"}}]}}'''
[expect]
verdict = "accept"
"#
    ))
}

#[test]
fn what_is_said_of_starting_is_what_linux_did() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/startup.toml")).unwrap();
    let book: Book = toml::from_str(&text).unwrap();
    assert!(book.variant.len() > 40);
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for variant in &book.variant {
        let image = folder.path().join("oci.tar");
        std::fs::write(&image, recipe::oci_archive(&recipe_of(variant))).unwrap();
        let checked = program::check(&image, &[]);
        let findings = checked.images().iter().flat_map(|image| list(&image["findings"])).cloned().collect::<Vec<Value>>();
        let said: Vec<&str> =
            findings.iter().filter_map(|one| one["check"].as_str()).filter(|check| CHECKS.contains(check)).collect();
        if said != variant.check.as_deref().into_iter().collect::<Vec<_>>() {
            wrong.push(format!("{}: {said:?} {:?}", variant.about, checked.error_codes()));
        }
        if (variant.linux == "exit 0") != variant.check.is_none() {
            wrong.push(format!("{}: a check is expected when it does not start", variant.about));
        }
    }
    program::assert_none(&wrong);
}
