//! What a score promises, over random small images, in process; and the order of images that were built for real.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use plimsoll::policy::{Measure, Policy};
use plimsoll::report::model::{FindingReport, ImageReport, Measurements};
use plimsoll::source;
use plimsoll::verify::{Progress, Request, verify};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use proptest::test_runner::Config;

use crate::recipe;

const ELF: &str = r"\x7fELF\x02\x01\x01{\x00*9}\x02\x00>\x00\x01\x00\x00\x00x\x00@{\x00*5}@{\x00*19}@\x008\x00\x01{\x00*7}\x01\x00\x00\x00\x05{\x00*13}@{\x00*7}@{\x00*5}x{\x00*7}x{\x00*8}\x10{\x00*6}";

/// Files that come and go together: what they are, whether they are ballast, and each as `KIND PATH REST`. The kinds are `file`,
/// `elf` (mode 0755), `suid` (mode 4755), `script` and `link` (a hard link, with its target).
type Piece = (&'static str, bool, &'static [&'static str]);

const PIECES: &[Piece] = &[
    ("the application", false, &["elf app/server", "file app/data", "file app/lib/module.py"]),
    ("a library", false, &["file usr/lib/libshop.so.1"]),
    ("users", false, &["file etc/nsswitch.conf"]),
    ("a file that is a document too", false, &["file app/help.txt", "link usr/share/doc/shop/help.txt app/help.txt"]),
    ("a cache that is a header too", true, &["file var/cache/shop/x.h", "link usr/include/x.h var/cache/shop/x.h"]),
    ("package cache", true, &["file var/cache/apt/archives/gcc_12_amd64.deb", "file var/cache/apt/pkgcache.bin"]),
    ("package lists", true, &["file var/lib/apt/lists/deb.example_dists_bookworm_InRelease"]),
    ("pip's cache", true, &["file root/.cache/pip/http/0/1"]),
    ("temporary files", true, &["file tmp/build.log", "file var/tmp/x"]),
    ("logs", true, &["file var/log/dpkg.log"]),
    ("documentation", true, &["file usr/share/doc/gcc-12/changelog.gz"]),
    ("manual pages", true, &["file usr/share/man/man1/gcc.1.gz", "file usr/local/man/man1/x.1"]),
    ("translations", true, &["file usr/share/locale/de/LC_MESSAGES/gcc.mo"]),
    ("headers", true, &["file usr/include/stdio.h", "file usr/local/include/x/y.h"]),
    ("static libraries", true, &["file usr/lib/libc.a", "file usr/lib/x86_64-linux-gnu/crt1.o"]),
    ("gcc", true, &["elf usr/bin/gcc-12", "file usr/lib/gcc/x86_64-linux-gnu/12/libgcc.a"]),
    ("tcc", true, &["elf opt/tools/tcc"]),
    ("make", true, &["elf usr/bin/make"]),
    (
        "pip",
        true,
        &[
            "script usr/local/bin/pip",
            "file usr/local/lib/python3.11/site-packages/pip/__init__.py",
            "file usr/local/lib/python3.11/site-packages/pip/__main__.py",
        ],
    ),
    ("apt", true, &["elf usr/bin/apt-get"]),
    ("dpkg", true, &["elf usr/bin/dpkg"]),
    ("a repository", true, &["file srv/shop/.git/HEAD", "file srv/shop/.git/objects/pack/a.pack"]),
    (
        "test tools",
        true,
        &[
            "file usr/local/lib/python3.11/site-packages/pytest-8.0.0.dist-info/METADATA",
            "file usr/local/lib/python3.11/site-packages/pytest/__init__.py",
        ],
    ),
    ("a Node package manager", true, &["file usr/local/lib/node_modules/npm/index.js"]),
];

/// One file of an image.
#[derive(Debug, Clone)]
struct File {
    piece: &'static str,
    is_ballast: bool,
    path: String,
    toml: String,
}

/// Layers of files, and what the config says.
#[derive(Debug, Clone, Default)]
struct Sketch {
    layers: Vec<Vec<File>>,
    config: String,
}

fn file(piece: &'static str, is_ballast: bool, line: &str, zeros: usize) -> File {
    let words: Vec<&str> = line.split(' ').collect();
    let (kind, path) = (words[0], words[1]);
    let toml = match kind {
        "elf" => format!("{{ file = '{path}', mode = '0755', text = '{ELF}', zeros = {zeros} }}"),
        "suid" => format!("{{ file = '{path}', mode = '4755', text = '{ELF}', zeros = {zeros} }}"),
        "script" => format!("{{ file = '{path}', mode = '0755', text = '#!/usr/bin/python3\\x0a', zeros = {zeros} }}"),
        "link" => format!("{{ hardlink = '{path}', to = '{}' }}", words[2]),
        _ => format!("{{ file = '{path}', zeros = {zeros} }}"),
    };
    File { piece, is_ballast, path: format!("/{path}"), toml }
}

impl Sketch {
    /// What is reported of the image, by the default policy. Its unit is a KiB, so that some KiB of ballast move the score as much
    /// as some MiB do in a real image.
    fn checked(&self) -> ImageReport {
        let files = |layer: &Vec<File>| layer.iter().map(|file| file.toml.clone()).collect::<Vec<_>>().join(",\n");
        let layers: Vec<String> = self.layers.iter().map(|layer| format!("[[layer]]\nentries = [{}]\n", files(layer))).collect();
        let layers = layers.concat();
        let config = &self.config;
        let text = format!("about = ''\ncontainers = ['docker']\n[config]\n{config}\n{layers}[expect]\nverdict = 'accept'\n");
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("image.tar");
        std::fs::write(&input, recipe::docker_archive(&recipe::of_text(&text))).unwrap();
        let mut policy = Policy::shipped("default").unwrap();
        policy.score.bytes_unit = 1 << 10;
        let source = source::Request { input, ..source::Request::default() };
        let mut report = verify(&Request { source, policy, ..Request::default() }, &Progress::default());
        assert!(report.errors.is_empty() && report.images[0].errors.is_empty(), "{report:?}");
        report.images.remove(0)
    }

    fn without(&self, is_gone: impl Fn(&File) -> bool) -> Self {
        let layers = self.layers.iter().map(|layer| layer.iter().filter(|file| !is_gone(file)).cloned().collect());
        Self { layers: layers.collect(), config: self.config.clone() }
    }

    /// The pieces of each layer, not torn apart: their hard links need each other.
    fn pieces(&self) -> Vec<Vec<File>> {
        let mut pieces: Vec<Vec<File>> = Vec::new();
        for (number, layer) in self.layers.iter().enumerate() {
            let mut by_name: BTreeMap<(usize, &str), Vec<File>> = BTreeMap::new();
            for file in layer {
                by_name.entry((number, file.piece)).or_default().push(file.clone());
            }
            pieces.extend(by_name.into_values());
        }
        pieces
    }
}

/// Some of the pieces in up to four layers, none twice; a set-user-ID program, and a file that a later layer replaces.
fn sketches() -> impl Strategy<Value = Sketch> {
    let places = proptest::collection::vec((0_usize..4, 0_usize..60_000), PIECES.len());
    let config = prop_oneof![Just("user = '1000'"), Just("")];
    let chosen = subsequence(PIECES, 1..PIECES.len());
    (chosen, places, config, any::<bool>(), proptest::option::of(1_usize..60_000)).prop_map(
        |(chosen, places, config, has_setuid, buried)| {
            let mut layers = vec![Vec::new(); 4];
            for ((name, is_ballast, lines), (layer, zeros)) in chosen.into_iter().zip(places) {
                layers[layer].extend(lines.iter().map(|line| file(name, is_ballast, line, zeros)));
            }
            if has_setuid {
                layers[1].push(file("a set-user-ID program", false, "suid app/helper", 0));
            }
            if let Some(zeros) = buried {
                layers[0].push(file("a replaced file", true, "file app/replaced", zeros));
                layers[3].push(file("what replaced it", false, "file app/replaced", 100));
            }
            Sketch { layers, config: config.to_owned() }
        },
    )
}

fn value(image: &ImageReport) -> f64 {
    image.score.as_ref().unwrap().value
}

/// What neither the order of layers nor their number may change.
fn substance(image: &ImageReport) -> (f64, String, BTreeMap<String, u64>, u64, Measurements) {
    let (score, ballast) = (image.score.as_ref().unwrap(), image.ballast.as_ref().unwrap());
    let mut classes = ballast.by_class.clone();
    // headers and padding depend on how the files are spread
    classes.remove("archive");
    let measured = Measurements { shipped_bytes: 0, compressed_bytes: None, ..image.measurements.clone().unwrap() };
    (score.value, score.grade.clone(), classes, ballast.bytes, measured)
}

/// A few cases each, or as many as PROPTEST_CASES says: an image is written, read and judged some times in every one.
fn few() -> Config {
    let told = Config::default();
    let cases = std::env::var_os("PROPTEST_CASES").map_or(24, |_| told.cases);
    Config { cases, failure_persistence: None, ..told }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn every_byte_is_in_exactly_one_class(sketch in sketches()) {
        let image = sketch.checked();
        let (ballast, measured) = (image.ballast.unwrap(), image.measurements.unwrap());
        prop_assert_eq!(ballast.by_class.values().sum::<u64>(), measured.shipped_bytes);
        let not_ballast: u64 = ["system", "application", "archive"].iter().map(|class| ballast.by_class[*class]).sum();
        prop_assert_eq!(ballast.bytes, measured.shipped_bytes - not_ballast);
        prop_assert_eq!(measured.file_bytes, measured.final_bytes + measured.buried_bytes);
        prop_assert_eq!(ballast.by_class["buried"], measured.buried_bytes);
    }

    #[test]
    fn pieces_are_what_they_are_called(sketch in sketches()) {
        // else the properties would hold of files that are no ballast
        let bytes = |sketch: &Sketch| sketch.checked().ballast.unwrap().bytes;
        prop_assert_eq!(bytes(&sketch.without(|file| file.is_ballast)), 0);
        let only_ballast = sketch.without(|file| !file.is_ballast && file.piece != "what replaced it");
        let image = only_ballast.checked();
        let application = image.ballast.unwrap().by_class["application"];
        prop_assert!(application <= 100, "{} bytes of ballast are taken for the application", application);
    }

    #[test]
    fn removing_ballast_never_lowers_the_score(sketch in sketches(), which: Index) {
        let pieces: BTreeSet<&str> = sketch.layers.iter().flatten().filter(|file| file.is_ballast).map(|file| file.piece).collect();
        let before = value(&sketch.checked());
        if !pieces.is_empty() {
            let gone = which.get(&pieces.into_iter().collect::<Vec<_>>()).to_owned();
            let after = value(&sketch.without(|file| file.piece == gone).checked());
            prop_assert!(after >= before, "without {}: {} after {}", gone, after, before);
        }
        prop_assert!(value(&sketch.without(|file| file.is_ballast).checked()) >= before);
    }

    #[test]
    fn taking_a_setuid_bit_never_lowers_the_score(mut sketch in sketches()) {
        sketch.layers[2].push(file("two", false, "suid app/two", 10));
        let before = value(&sketch.checked());
        for file in sketch.layers.iter_mut().flatten() {
            file.toml = file.toml.replace("'4755'", "'0755'");
        }
        prop_assert!(value(&sketch.checked()) > before);
    }

    #[test]
    fn the_order_of_layers_and_their_number_change_nothing(sketch in sketches(), order in Just(vec![0, 1, 2, 3]).prop_shuffle()) {
        // a file that replaces another must stay above it
        let sketch = sketch.without(|file| file.path == "/app/replaced");
        let before = substance(&sketch.checked());
        let permuted = Sketch { layers: order.iter().map(|layer| sketch.layers[*layer].clone()).collect(), ..sketch.clone() };
        prop_assert_eq!(&substance(&permuted.checked()), &before);
        let split = Sketch { layers: sketch.pieces(), ..sketch.clone() };
        prop_assert_eq!(&substance(&split.checked()), &before);
        let merged = Sketch { layers: vec![sketch.layers.concat()], ..sketch };
        prop_assert_eq!(&substance(&merged.checked()), &before);
    }

    #[test]
    fn splitting_layers_buries_no_more(sketch in sketches()) {
        let split = Sketch { layers: sketch.pieces(), ..sketch.clone() };
        prop_assert_eq!(substance(&split.checked()), substance(&sketch.checked()));
    }

    #[test]
    fn the_points_of_the_parts_add_up(sketch in sketches()) {
        let score = sketch.checked().score.unwrap();
        // a float's last bits aside: each has one decimal
        let is_sum_of = |sum: f64, parts: Vec<f64>| (sum - parts.iter().sum::<f64>()).abs() < 1e-6;
        prop_assert!(is_sum_of(score.value, score.parts.iter().map(|part| part.points).collect()), "{:?}", score);
        prop_assert!(is_sum_of(100.0, score.parts.iter().map(|part| part.most).collect()), "{:?}", score);
    }

    #[test]
    fn what_is_gained_is_at_least_what_was_promised(sketch in sketches(), which: Index) {
        let image = sketch.checked();
        // the program that the usual config names is no piece of a sketch
        let findings: Vec<_> = image.findings.iter().filter(|finding| finding.check != "missing-entrypoint").collect();
        let Some(finding) = (!findings.is_empty()).then(|| *which.get(&findings)) else { return Ok(()) };
        let (promised, gained) = promised_and_gained(&sketch, &image, finding);
        prop_assert!(gained + 1e-6 >= promised, "{}: {} after {} and {:?}", finding.check, gained, value(&image), finding.gain);
    }
}

/// The score that mending a finding promises at least, and the one it gives.
fn promised_and_gained(sketch: &Sketch, image: &ImageReport, finding: &FindingReport) -> (f64, f64) {
    // a tenth, since both numbers are rounded
    (value(image) + finding.gain.unwrap().points - 0.1, value(&mended(sketch, finding).checked()))
}

#[test]
fn a_header_that_stays_as_a_cache_counts_as_one_once_it_is_mended() {
    let (_, is_ballast, lines) = PIECES.iter().find(|(name, ..)| *name == "a cache that is a header too").unwrap();
    for bytes in [475, 50_000] {
        let files: Vec<File> = lines.iter().map(|line| file("", *is_ballast, line, bytes)).collect();
        let sketch = Sketch { layers: vec![files], ..Sketch::default() };
        let image = sketch.checked();
        let finding = image.findings.iter().find(|finding| finding.check == "development-files").unwrap();
        let change = value(&mended(&sketch, finding).checked()) - value(&image);
        assert!((finding.gain.unwrap().points - change).abs() < 0.15, "{bytes}: {change} and {:?}", finding.gain);
    }
}

#[test]
fn a_file_that_keeps_a_name_is_promised_by_no_finding_of_the_other() {
    let (_, is_ballast, lines) = PIECES.iter().find(|(name, ..)| *name == "a cache that is a header too").unwrap();
    let mut files: Vec<File> = lines.iter().map(|line| file("", *is_ballast, line, 50_000)).collect();
    files.push(file("", true, "file usr/include/y.h", 1000));
    let sketch = Sketch { layers: vec![files], ..Sketch::default() };
    let image = sketch.checked();
    let finding = image.findings.iter().find(|finding| finding.check == "development-files").unwrap();
    assert_eq!(finding.gain.unwrap().bytes, 1000);
    let (promised, gained) = promised_and_gained(&sketch, &image, finding);
    assert!(gained >= promised, "{gained} after {finding:?}");
}

/// The image without exactly the evidence of a finding: without its files, or with what its config lacks.
fn mended(sketch: &Sketch, finding: &FindingReport) -> Sketch {
    let paths: Vec<&str> = finding.evidence.iter().filter_map(|evidence| evidence.path.as_deref()).collect();
    let is_below =
        |path: &str, folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let mut after = sketch.without(|file| paths.iter().any(|path| is_below(&file.path, path)));
    match finding.check.as_str() {
        "root-user" => "user = '1000'".clone_into(&mut after.config),
        "missing-healthcheck" => after.config += "\nextra = ',\"Healthcheck\":{\"Test\":[\"CMD\",\"/app/server\"]}'",
        // what stands in the config alone gains nothing
        _ => assert!(!paths.is_empty() || finding.gain.is_some_and(|gain| gain.points < 0.1), "{finding:?}"),
    }
    after
}

#[test]
fn the_documentation_names_every_measurement_class_and_weight() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/score.md")).unwrap();
    let mut missing = Vec::new();
    let mut expect = |text: String| missing.extend((!page.contains(&text)).then_some(text));
    for measure in Measure::ALL {
        expect(format!("\n| `{}` | ", measure.as_str()));
    }
    let sketch = Sketch { layers: vec![vec![file("the application", false, "elf app/server", 0)]], ..Sketch::default() };
    for class in sketch.checked().ballast.unwrap().by_class.keys() {
        expect(format!("\n| `{class}` | "));
    }
    for group in Policy::shipped("default").unwrap().score.groups {
        let weight: f64 = group.weights.iter().map(|(_, weight)| weight).sum();
        expect(format!("\n| {} | {weight} | ", group.name));
        if group.weights.len() > 1 {
            group.weights.iter().for_each(|(measure, weight)| expect(format!("`{}` {weight}", measure.as_str())));
        }
    }
    crate::program::assert_none(&missing);
}

#[test]
fn a_file_capability_counts_as_a_setuid_bit_does() {
    let capability = r"{ pax = [['SCHILY.xattr.security.capability', '\x01\x00\x00\x02\x00\x04{\x00*14}']] }";
    let mut able = file("a capability", false, "elf app/ping", 0);
    able.toml = format!("{capability}, {}", able.toml);
    let sketch = Sketch { layers: vec![vec![able, file("a bit", false, "suid app/su", 0)]], ..Sketch::default() };
    assert_eq!(sketch.checked().measurements.unwrap().setuid_files, 2);
}

/// The images of an application, from the worst to the best; `<` where the next must be better, `<=` where it must not be worse.
const ORDERS: [&str; 6] = [
    "django-basic < django-optimized < django-multistage <= django-hardened <= django-distroless",
    "fastapi-single < fastapi-multi < fastapi-advanced",
    "task-api-single < task-api-copyall < task-api-multi <= task-api-distroless <= task-api-scratch",
    "java-single < java-multi <= java-distroless",
    "node-single < node-multi < node-three-stage <= node-distroless",
    "go-single < go-alpine <= go-distroless <= go-scratch",
];

#[test]
fn the_order_of_the_field_comes_out() {
    let Some(folder) = std::env::var_os("PLIMSOLL_IMAGES").map(PathBuf::from) else {
        eprintln!("skipped: PLIMSOLL_IMAGES names no folder with images/");
        return;
    };
    let mut wrong = Vec::new();
    for order in ORDERS {
        let words: Vec<&str> = order.split(' ').collect();
        let scores: Vec<f64> = words.iter().step_by(2).map(|name| score_of(&folder, name)).collect();
        for (pair, relation) in scores.windows(2).zip(words.iter().skip(1).step_by(2)) {
            if !(pair[0] < pair[1] || *relation == "<=" && pair[0] <= pair[1]) {
                wrong.push(format!("{order}: {scores:?}"));
            }
        }
    }
    crate::program::assert_none(&wrong);
}

fn score_of(folder: &Path, name: &str) -> f64 {
    let input = folder.join(format!("images/{name}/{name}.oci"));
    let source = source::Request { input, ..source::Request::default() };
    let policy = Policy::shipped("default").unwrap();
    let report = verify(&Request { source, policy, ..Request::default() }, &Progress::default());
    report.images.first().map_or_else(|| panic!("{name}: {:?}", report.errors), value)
}
