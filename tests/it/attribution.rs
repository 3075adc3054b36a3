//! Findings on lines of the Dockerfile, measured: against the lines that BuildKit recorded, and with that record taken away.
//!
//! The table of `docs/attribution.md` is what `the_table_of_the_docs` prints:
//! `cargo test --test it attribution -- --nocapture`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use plimsoll::build::attribution::{AtHand, Attribution, Dockerfiles, FoundBy, Token, attribute};
use plimsoll::build::base::Making;
use plimsoll::limits::Limits;
use plimsoll::oci::{DiffId, History};
use serde_json::Value;

use crate::program::{self, list, text};

/// An image with provenance of the highest mode, the layers of its base, and the line of the FROM that brought them and what
/// ONBUILD of the base set off.
struct Recorded {
    name: &'static str,
    inherited: usize,
    from: usize,
}

const RECORDED: [Recorded; 3] = [
    // two layers of the base, and two of its ONBUILD, which this BuildKit puts on line 1
    Recorded { name: "docker26-provenance-v0.2.oci.tar.gz", inherited: 4, from: 12 },
    Recorded { name: "buildkit0.32-provenance-v1.oci.tar.gz", inherited: 0, from: 0 },
    Recorded { name: "buildkit0.32-type-docker.tar.gz", inherited: 0, from: 0 },
];

/// The first lines of the classic builder's layers: two of the base and two of its ONBUILD, and the own ones, in classic.Dockerfile.
const CLASSIC: [usize; 9] = [8, 8, 8, 8, 12, 13, 14, 15, 16];

/// Every JSON document in an archive.
fn documents(path: &Path) -> Vec<Value> {
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()));
    let mut found = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut bytes = Vec::new();
        entry.unwrap().read_to_end(&mut bytes).unwrap();
        found.extend(serde_json::from_slice::<Value>(&bytes));
    }
    found
}

/// The line that BuildKit recorded for each layer: of the one output whose chain of layers ends with it.
fn recorded_lines(documents: &[Value], recorded: &Recorded, layers: usize) -> Vec<usize> {
    let metadata = documents.iter().find_map(|document| {
        let old = &document["predicate"]["metadata"]["https://mobyproject.org/buildkit@v1#metadata"];
        let new = &document["predicate"]["runDetails"]["metadata"]["buildkit_metadata"];
        [old, new].into_iter().find(|metadata| metadata["source"].is_object())
    });
    let metadata = metadata.unwrap();
    let line = |layer: usize| {
        if layer < recorded.inherited {
            return recorded.from;
        }
        let chains = metadata["layers"].as_object().unwrap();
        let ends: Vec<&String> =
            chains.iter().filter(|(_, chains)| list(&chains[0]).count() == layer + 1).map(|(output, _)| output).collect();
        assert_eq!(ends.len(), 1, "layer {layer}");
        let step = ends[0].split(':').next().unwrap();
        let ranges = &metadata["source"]["locations"][step]["locations"][0]["ranges"];
        usize::try_from(ranges[0]["start"]["line"].as_u64().unwrap()).unwrap()
    };
    (0..layers).map(line).collect()
}

/// History and diff_ids of the image's config in an archive: the one with the most layers.
fn config(documents: &[Value]) -> (Vec<History>, Vec<DiffId>) {
    let configs = documents.iter().filter(|document| document["history"].is_array() && document["rootfs"].is_object());
    let config = configs.max_by_key(|config| list(&config["rootfs"]["diff_ids"]).count()).unwrap();
    let diff_ids = list(&config["rootfs"]["diff_ids"]).map(|id| id.as_str().unwrap().parse().unwrap()).collect();
    (history(&config["history"]), diff_ids)
}

fn history(value: &Value) -> Vec<History> {
    let field = |entry: &Value, name: &str| text(&entry[name]).unwrap_or_default();
    let entry = |entry: &Value| History {
        created_by: field(entry, "created_by"),
        empty_layer: entry["empty_layer"] == true,
        comment: field(entry, "comment"),
        author: field(entry, "author"),
        ..History::default()
    };
    list(value).map(entry).collect()
}

fn given(path: &Path) -> Dockerfiles {
    let file = AtHand { path: "Dockerfile".to_owned(), bytes: std::fs::read(path).unwrap() };
    Dockerfiles { files: vec![file], found_by: FoundBy::Given, cut: None }
}

/// What the history alone tells.
fn of_history(history: &[History], diff_ids: &[DiffId], dockerfile: &Path) -> Attribution {
    let making = Making { diff_ids, layer_digests: &[], history, provenance: &[] };
    attribute(&making, None, &given(dockerfile), &Limits::default())
}

/// The layers of one kind of image: how many have the right line, and how many a wrong one that is claimed to be aligned or exact.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    layers: usize,
    right: usize,
    wrong: usize,
}

impl Tally {
    fn add(&mut self, found: &Attribution, truth: &[usize]) {
        for (layer, line) in truth.iter().enumerate() {
            let location = found.of_layer(layer, &[]);
            let is_right = location.as_ref().is_some_and(|it| it.instruction.start == *line);
            let is_claimed = location.is_some_and(|it| matches!(it.confidence.as_str(), "exact" | "aligned"));
            self.layers += 1;
            self.right += usize::from(is_right);
            self.wrong += usize::from(is_claimed && !is_right);
        }
    }
}

fn shared(name: &str) -> Option<PathBuf> {
    Some(program::shared_images()?.join("provenance").join(name))
}

fn dockerfile_of(name: &str) -> PathBuf {
    let dockerfile = if name.starts_with("docker26") { "app.Dockerfile" } else { "bkapp.Dockerfile" };
    shared(dockerfile).unwrap()
}

#[test]
fn with_provenance_every_layer_and_every_finding_is_on_the_line_that_it_records() {
    for recorded in &RECORDED {
        let Some(path) = shared(recorded.name) else { return };
        let report = program::check(&path, &[]).report;
        let image = &report["images"][0];
        let truth = recorded_lines(&documents(&path), recorded, list(&image["layers"]).count());
        let start = |location: &Value| usize::try_from(location["start_line"].as_u64().unwrap()).unwrap();
        for (layer, line) in list(&image["layers"]).zip(&truth) {
            let location = &layer["location"];
            assert_eq!(start(location), *line, "{} {layer}", recorded.name);
            let index = usize::try_from(layer["index"].as_u64().unwrap()).unwrap();
            assert_eq!(location["confidence"], if index < recorded.inherited { "base" } else { "exact" });
        }
        let mut placed = 0;
        for finding in list(&image["findings"]).chain(list(&image["notes"])) {
            for evidence in list(&finding["evidence"]) {
                let index = usize::try_from(evidence["location"].as_u64().unwrap()).unwrap();
                let location = &finding["locations"][index];
                if let Some(layer) = evidence["layer"].as_u64() {
                    assert_eq!(start(location), truth[usize::try_from(layer).unwrap()], "{} {finding}", recorded.name);
                    placed += 1;
                }
            }
            assert!(!list(&finding["locations"]).collect::<Vec<_>>().is_empty(), "{finding}");
        }
        assert!(placed > 0, "{}", recorded.name);
        let dockerfile = &image["dockerfile"];
        assert_eq!(
            (&dockerfile["found_by"], &dockerfile["confidence"], &dockerfile["target"]),
            (&"provenance".into(), &"exact".into(), &"final".into())
        );
    }
}

/// By kind of history, what is told with the record of the lines taken away.
fn measured() -> Option<BTreeMap<&'static str, Tally>> {
    let mut table: BTreeMap<&'static str, Tally> = BTreeMap::new();
    for recorded in &RECORDED {
        let path = shared(recorded.name)?;
        let documents = documents(&path);
        let (history, diff_ids) = config(&documents);
        let truth = recorded_lines(&documents, recorded, diff_ids.len());
        let kind = if recorded.inherited > 0 { "BuildKit 0.13" } else { "BuildKit 0.32" };
        table.entry(kind).or_default().add(&of_history(&history, &diff_ids, &dockerfile_of(recorded.name)), &truth);
    }
    let (history, diff_ids) = config(&documents(&shared("classic-builder.docker.tar.gz")?));
    let found = of_history(&history, &diff_ids, &shared("classic.Dockerfile")?);
    table.entry("classic builder").or_default().add(&found, &CLASSIC);
    for (name, kind) in [("layers", "buildah --layers"), ("squashed", "buildah, one layer per stage")] {
        for dockerfile in ["chained", "onbuild"] {
            let (found, layers) = recorded_by_buildah(dockerfile, name);
            let truth: Vec<usize> = layers.iter().map(|files| line_of(dockerfile, name, files)).collect();
            table.entry(kind).or_default().add(&found, &truth);
        }
    }
    Some(table)
}

/// A history of `testdata/attribution`, and the files of each layer.
fn recorded_by_buildah(dockerfile: &str, kind: &str) -> (Attribution, Vec<Vec<String>>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/attribution");
    let file = folder.join(format!("histories/{dockerfile}-{kind}.json"));
    let recorded: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let layers: Vec<Vec<String>> = list(&recorded["layers"]).map(|files| list(files).filter_map(text).collect()).collect();
    let diff_ids: Vec<DiffId> = (0..layers.len()).map(|layer| format!("sha256:{layer:064x}").parse().unwrap()).collect();
    let found = of_history(&history(&recorded["history"]), &diff_ids, &folder.join(format!("{dockerfile}.Dockerfile")));
    (found, layers)
}

/// Which line the files of a layer name; of a whole stage, its FROM.
fn line_of(dockerfile: &str, kind: &str, files: &[String]) -> usize {
    let named: Vec<usize> = files.iter().filter_map(|file| file.strip_prefix("line-")?.split('-').next()?.parse().ok()).collect();
    match (kind, dockerfile, named.as_slice()) {
        ("squashed", "chained", [first, ..]) => {
            if *first < 13 {
                2
            } else {
                13
            }
        }
        ("squashed", "onbuild", [_, ..]) => 7,
        ("squashed", "onbuild", []) => 1,
        (_, "chained", []) => 3,
        (_, "onbuild", []) => 2,
        (_, _, numbers) => numbers[0],
    }
}

#[test]
fn without_provenance_lines_are_the_same_and_no_wrong_one_is_claimed() {
    let Some(table) = measured() else { return };
    for (kind, Tally { layers, right, wrong }) in &table {
        assert_eq!(*wrong, 0, "{kind}");
        assert!(right * 100 >= layers * 95, "{kind}: {right} of {layers}");
    }
}

#[test]
fn the_table_of_the_docs() {
    let Some(table) = measured() else { return };
    let rows: Vec<String> =
        table.iter().map(|(kind, Tally { layers, right, wrong })| format!("| {kind} | {layers} | {right} | {wrong} |")).collect();
    println!("{}", rows.join("\n"));
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/attribution.md")).unwrap();
    let missing: Vec<String> = rows.into_iter().filter(|row| !docs.contains(row.as_str())).collect();
    program::assert_none(&missing);
}

#[test]
fn in_a_layer_of_a_whole_stage_a_name_finds_its_instruction() {
    let (found, layers) = recorded_by_buildah("chained", "squashed");
    for (layer, file) in layers.iter().enumerate().flat_map(|(layer, files)| files.iter().map(move |file| (layer, file))) {
        let Some(line) = file.strip_prefix("line-") else { continue };
        let location = found.of_layer(layer, &[Token::Name(format!("/{file}"))]).unwrap();
        let within = location.instruction.start..=location.instruction.end;
        assert!(within.contains(&line.parse().unwrap()), "{file} {location:?}");
        assert_eq!(location.confidence.as_str(), "stage");
    }
}

#[test]
fn the_program_finds_the_dockerfile_of_an_image_without_provenance() {
    let Some(image) = shared("classic-builder.docker.tar.gz") else { return };
    let folder = image.parent().unwrap().to_str().unwrap().to_owned();
    let named = shared("classic.Dockerfile").unwrap();
    for (arguments, found_by) in [
        (vec!["--dockerfile", named.to_str().unwrap(), "--source-root", &folder], "given"),
        (vec!["--source-root", &folder], "source-root"),
    ] {
        let report = program::check(&image, &arguments).report;
        let image = &report["images"][0];
        let dockerfile = &image["dockerfile"];
        assert_eq!(
            (&dockerfile["file"], &dockerfile["found_by"]),
            (&"classic.Dockerfile".into(), &found_by.into()),
            "{dockerfile}"
        );
        let lines: Vec<u64> = list(&image["layers"]).filter_map(|layer| layer["location"]["line"].as_u64()).collect();
        assert_eq!(lines, CLASSIC.map(|line| line as u64));
        let health = list(&image["findings"]).find(|finding| finding["check"] == "root-user");
        assert!(health.is_none(), "the image runs as 1000");
    }
    let report = program::check(&image, &[]).report;
    assert!(report["images"][0]["dockerfile"].is_null());
    let output = program::run(&["check", image.to_str().unwrap(), "--dockerfile", "/etc/hostname"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--source-root DIR"), "{stderr}");
}

/// Images of buildah and of BuildKit beside the Dockerfiles that they were built from: the words of a RUN must be in the entry of
/// the history that made the layer, which no line was found by.
#[test]
fn the_small_images_are_aligned_with_their_own_dockerfiles() {
    let Some(shared) = program::shared_images() else { return };
    let layout = shared.join("small/layouts/images.oci");
    let (mut aligned, mut wrong) = (0, Vec::new());
    for dockerfile in
        std::fs::read_dir(shared.join("build/flaws")).unwrap().map(|entry| entry.unwrap().path()).collect::<BTreeSet<_>>()
    {
        let Some(name) = dockerfile.file_name().unwrap().to_str().unwrap().strip_suffix(".Dockerfile").map(str::to_owned) else {
            continue;
        };
        let root = dockerfile.parent().unwrap().to_str().unwrap();
        let arguments = ["--image", name.as_str(), "--dockerfile", dockerfile.to_str().unwrap(), "--source-root", root];
        let report = program::check(&layout, &arguments).report;
        let image = &report["images"][0];
        if image.is_null() {
            continue;
        }
        let confidence = text(&image["dockerfile"]["confidence"]).unwrap_or_default();
        if confidence != "aligned" {
            wrong.push(format!("{name}: {}", image["dockerfile"]));
        }
        for layer in list(&image["layers"]).filter(|layer| layer["location"]["confidence"] == "aligned") {
            aligned += 1;
            let (made, line) = (text(&layer["instruction"]).unwrap(), text(&layer["location"]["instruction"]).unwrap());
            // a COPY keeps its destination only
            let word = |text: &str| text.split_whitespace().next_back().map(str::to_owned);
            if word(&made) != word(&line) || made[..3] != line[..3] {
                wrong.push(format!("{name}: {made} is not {line}"));
            }
        }
    }
    program::assert_none(&wrong);
    assert!(aligned > 40, "{aligned}");
}
