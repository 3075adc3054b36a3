//! A Dockerfile, a history and a statement of provenance, a NUL between each: no panic, and lines within the file. In the history each
//! line is an entry; `!` in front of it says that it made no layer, and a tab parts the comment from it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::build::attribution::{AtHand, Dockerfiles, FoundBy, Token, attribute};
use plimsoll::build::base::{self, Making};
use plimsoll::build::provenance;
use plimsoll::limits::Limits;
use plimsoll::oci::{DiffId, History};

fn entry(line: &str) -> History {
    let (line, empty_layer) = line.strip_prefix('!').map_or((line, false), |line| (line, true));
    let (created_by, comment) = line.split_once('\t').unwrap_or((line, ""));
    let author = if comment == "kaniko" { "kaniko" } else { "" };
    History {
        created_by: created_by.to_owned(),
        empty_layer,
        comment: comment.to_owned(),
        author: author.to_owned(),
        ..History::default()
    }
}

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default().to_vec();
    let (dockerfile, history, statement) = (part(), part(), part());
    let history: Vec<History> = String::from_utf8_lossy(&history).lines().map(entry).collect();
    let layers = history.iter().filter(|entry| !entry.empty_layer).count();
    let diff_ids: Vec<DiffId> = (0..layers).map(|layer| format!("sha256:{layer:064x}").parse().unwrap()).collect();
    let provenance = provenance::read(&[statement], &Limits::default());
    let layer_digests: Vec<Option<String>> = diff_ids.iter().map(|id| Some(id.to_string())).collect();
    let making = Making { diff_ids: &diff_ids, layer_digests: &layer_digests, history: &history, provenance: &provenance };
    let base = base::find(&[], &making);
    let count = dockerfile.split(|byte| *byte == b'\n').count();
    let named = Dockerfiles {
        files: vec![AtHand { path: "Dockerfile".to_owned(), bytes: dockerfile }],
        found_by: FoundBy::Given,
        cut: None,
    };
    let none = Dockerfiles::default();
    for (at_hand, is_named) in [(&named, true), (&none, false)] {
        let found = attribute(&making, base.as_ref(), at_hand, &Limits::default());
        let tokens = [Token::Mode("a".to_owned()), Token::Name("a".to_owned())];
        let of_layers = (0..layers).filter_map(|layer| found.of_layer(layer, &tokens));
        let of_config = ["config.User", "config.Env.A", "config.x"].into_iter().filter_map(|field| found.of_config(field));
        for location in of_layers.chain(of_config).chain(found.of_image()) {
            let lines = location.instruction.start..=location.instruction.end;
            assert!(location.instruction.start >= 1 && lines.contains(&location.line));
            assert!(!is_named || location.instruction.end <= count);
        }
    }
});
