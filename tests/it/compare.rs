//! `plimsoll compare`, own baselines, and `plimsoll baseline`: the program on images and on saved reports.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::program::{self, list, run, text};

fn image(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/images").join(name).to_str().unwrap().to_owned()
}

/// The two images of the repository, and a folder for what is made of them.
struct Desk {
    folder: tempfile::TempDir,
    demo: String,
    good: String,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), demo: image("demo.tar"), good: image("good.tar") }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The saved report of an image.
    fn report(image: &str) -> Value {
        program::checked(&run(&["check", image, "--exit-zero", "--format", "json", "--as-of", "2026-11-21"])).report
    }

    fn saved(&self, name: &str, report: &Value) -> String {
        self.write(name, report.to_string().as_bytes())
    }

    fn record(&self, name: &str, image: &str, stage: &str) -> String {
        let output = run(&["baseline", "record", image, "--family", "shop", "--stage", stage, "--date", "2026-11-21"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        self.write(name, &output.stdout)
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The comparison of a run that exits with `code`; its JSON holds to the published schema.
fn compared(arguments: &[&str], code: i32) -> Value {
    let output = run(&[&["compare", "--format", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    let comparison: Value = serde_json::from_slice(&output.stdout).unwrap();
    valid(&comparison, "compare-1.0.0.json");
    comparison
}

fn valid(value: &Value, schema: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(schema);
    let validator = jsonschema::validator_for(&serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// What the program says when it refuses with code 2.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {}", stderr(&output));
    let said = stderr(&output);
    assert!(said.starts_with("error: ") && !said.contains("panicked"), "{said}");
    said
}

fn scores(comparison: &Value) -> Vec<f64> {
    list(&comparison["images"]).filter_map(|side| side["score"]["value"].as_f64()).collect()
}

#[test]
fn every_format_shows_numbers_and_findings_side_by_side() {
    let desk = Desk::new();
    let shown = |format: &str| stdout(&run(&["compare", &desk.demo, &desk.good, "--format", format]));
    let text = shown("text");
    for line in ["A  demo.tar", "  setuid files", "findings  B against A: 0 added, 6 fixed, 0 kept", "NO WORSE"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let markdown = shown("markdown");
    for line in ["|  | A | B |\n|---|---:|---:|\n| verdict | fail | pass |\n", "| `compiler tcc` | high | - |", "\nNo worse: "] {
        assert!(markdown.contains(line), "{line}: {markdown}");
    }
    let comparison = compared(&[&desk.demo, &desk.good], 0);
    let row = |name: &str| list(&comparison["rows"]).find(|row| row["name"] == name).unwrap()["values"].clone();
    assert_eq!((row("compilers"), row("root")), (serde_json::json!([1, 0]), serde_json::json!([1, 0])));
    assert!(row("ballast")[0].as_u64().unwrap() > 500_000 && row("ballast")[1] == 0);
    assert_eq!(list(&comparison["findings"]).filter(|row| row["change"] == "fixed").count(), 6);
    let scores = scores(&comparison);
    assert!(scores[0] < scores[1], "{scores:?}");
}

#[test]
fn no_worse_fails_on_what_is_worse_and_on_nothing_else() {
    let desk = Desk::new();
    assert_eq!(compared(&[&desk.demo, &desk.good, "--no-worse"], 0)["worse"], serde_json::json!([]));
    assert_eq!(compared(&[&desk.demo, &desk.demo, "--no-worse"], 0)["worse"], serde_json::json!([]));
    let worse = compared(&[&desk.good, &desk.demo, "--no-worse"], 1)["worse"].clone();
    let worse: Vec<String> = list(&worse).filter_map(text).collect();
    assert_eq!(worse.len(), 4, "three findings are high, and the score fell: {worse:?}");
    assert_eq!(compared(&[&desk.good, &desk.demo], 0)["worse"].as_array().unwrap().len(), 4, "shown without the option too");
    // any of the later images
    assert_eq!(compared(&[&desk.good, &desk.demo, &desk.good, "--no-worse"], 1)["worse"].as_array().unwrap().len(), 4);
    let strict = compared(&[&desk.good, &desk.demo, "--no-worse", "--policy", "strict"], 1);
    assert!(strict["worse"].as_array().unwrap().len() > 4);
}

#[test]
fn a_saved_report_is_as_good_as_the_image() {
    let desk = Desk::new();
    let demo = desk.saved("demo.tar.json", &Desk::report(&desk.demo));
    let good = desk.saved("good.tar.json", &Desk::report(&desk.good));
    let mut live = compared(&[&desk.demo, &desk.good], 0);
    let saved = compared(&[&demo, &good], 0);
    for side in live["images"].as_array_mut().unwrap() {
        side["source"] = format!("{}.json", side["source"].as_str().unwrap()).into();
    }
    assert_eq!(live, saved);
    compared(&[&good, &desk.demo, "--no-worse"], 1);
}

#[test]
fn three_images_stand_side_by_side() {
    let desk = Desk::new();
    let comparison = compared(&[&desk.demo, &desk.good, &desk.demo], 0);
    let kept: Vec<u64> = list(&comparison["images"]).filter_map(|side| side["kept"].as_u64()).collect();
    assert_eq!(kept, [6, 0, 6]);
    assert!(list(&comparison["rows"]).all(|row| row["values"].as_array().unwrap().len() == 3));
    let text = stdout(&run(&["compare", &desk.demo, &desk.good, &desk.demo]));
    assert!(text.contains("findings  C against A: 0 added, 0 fixed, 6 kept"), "{text}");
}

/// A report of schema 1.0.0: as it was before there were policies, ballast and scores.
fn of_schema_1_0_0(mut report: Value) -> Value {
    report["schema"]["version"] = "1.0.0".into();
    report.as_object_mut().unwrap().remove("policy");
    for image in report["images"].as_array_mut().unwrap() {
        let fields = image.as_object_mut().unwrap();
        for name in ["ballast", "score", "base", "left_out", "controls"] {
            fields.remove(name);
        }
        for layer in image["layers"].as_array_mut().unwrap() {
            layer.as_object_mut().unwrap().remove("origin");
        }
        let old = ["shipped_bytes", "compressed_bytes", "final_bytes", "buried_bytes", "entries", "os_packages", "executables"];
        image["measurements"].as_object_mut().unwrap().retain(|name, _| old.contains(&name.as_str()));
        for finding in image["findings"].as_array_mut().unwrap() {
            for name in ["gain", "subject", "waived", "origin", "allowed"] {
                finding.as_object_mut().unwrap().remove(name);
            }
        }
    }
    report
}

#[test]
fn a_report_of_schema_1_0_0_is_compared_by_its_findings() {
    let desk = Desk::new();
    let report = of_schema_1_0_0(Desk::report(&desk.demo));
    valid(&report, "report-1.0.0.json");
    let old = desk.saved("old.json", &report);
    let comparison = compared(&[&old, &desk.good, "--no-worse"], 0);
    assert_eq!((&comparison["images"][1]["fixed"], &comparison["images"][0]["score"]), (&6.into(), &Value::Null));
    let compilers = list(&comparison["rows"]).find(|row| row["name"] == "compilers").unwrap();
    assert_eq!(compilers["values"], serde_json::json!([null, 0]));
    // which had no subjects: what was there before is not new
    assert_eq!(compared(&[&old, &desk.demo, "--no-worse"], 0)["images"][1]["kept"], 6);
    compared(&[&desk.good, &old, "--no-worse"], 1);
    // and is no baseline
    let said = refused(&["check", &desk.good, "--single", &old, "--multi", &desk.good]);
    assert!(said.contains("old.json: the report has no measurements of ballast"), "{said}");
}

#[test]
fn a_file_that_is_no_report_is_refused_by_name() {
    let desk = Desk::new();
    let report = Desk::report(&desk.demo);
    let mut later = report.clone();
    later["schema"]["version"] = "2.0.0".into();
    let mut two = report.clone();
    two["images"] = serde_json::json!([report["images"][0], report["images"][0]]);
    let mut odd = report.clone();
    odd["images"][0]["findings"][0]["severity"] = "<script>".into();
    let cases = [
        ("a.json", b"{\"x\": 1}".to_vec(), "a.json: no report of `plimsoll check --format json`: missing field `schema`"),
        ("b.json", b"no JSON".to_vec(), "b.json: no report of"),
        ("c.json", b"\xff\xfe".to_vec(), "c.json: not UTF-8"),
        ("d.json", later.to_string().into_bytes(), "its version is 2.0.0, and this program reads 1.x"),
        ("e.json", two.to_string().into_bytes(), "e.json: it has 2 images: choose one with --platform"),
        ("f.json", odd.to_string().into_bytes(), "there is no severity \"<script>\""),
        ("g.json", "[".repeat(1 << 20).into_bytes(), "g.json: no report of"),
    ];
    for (name, bytes, expected) in cases {
        let path = desk.write(name, &bytes);
        let said = refused(&["compare", &path, &desk.good]);
        assert!(said.contains(expected), "{name}: {said}");
        assert!(refused(&["check", &desk.good, "--single", &path, "--multi", &desk.good]).contains(name));
    }
    let huge = desk.write("huge.json", b"");
    std::fs::File::options().write(true).open(&huge).unwrap().set_len(1 << 40).unwrap();
    assert!(refused(&["compare", &huge, &desk.good]).contains("larger than 64 MiB"));
    assert!(refused(&["compare", "no/such.json", &desk.good]).contains("no/such.json"));
    assert_eq!(run(&["compare", "no/such.tar", &desk.good]).status.code(), Some(3));
    assert!(stderr(&run(&["compare", &desk.good])).contains("2 values required"));
}

#[test]
fn a_saved_report_gives_no_orders_to_terminal_or_page() {
    let desk = Desk::new();
    let mut report = Desk::report(&desk.demo);
    let odd = "\u{1b}[2J\r\n::error::x|`<script>";
    report["images"][0]["reference"] = odd.into();
    report["images"][0]["platform"]["os"] = odd.into();
    for field in ["check", "subject", "message"] {
        report["images"][0]["findings"][0][field] = odd.into();
    }
    let path = desk.saved("odd.json", &report);
    for format in ["text", "markdown"] {
        let shown = stdout(&run(&["compare", &desk.good, &path, "--format", format]));
        assert!(shown.chars().all(|character| character == '\n' || !character.is_control()), "{shown:?}");
        assert!(shown.lines().all(|line| !line.starts_with("::")), "{shown}");
    }
    let markdown = stdout(&run(&["compare", &desk.good, &path, "--format", "markdown"]));
    assert!(!markdown.contains("<script"), "{markdown}");
}

#[test]
fn an_image_that_cannot_be_verified_exits_with_3() {
    let desk = Desk::new();
    let bytes = std::fs::read(&desk.demo).unwrap();
    let cut = desk.write("cut.tar", &bytes[..bytes.len() / 2]);
    assert_eq!(run(&["compare", &desk.good, &cut]).status.code(), Some(3));
    let mut report = Desk::report(&desk.demo);
    report["images"][0]["verdict"] = "unverifiable".into();
    let saved = desk.saved("unverifiable.json", &report);
    compared(&[&saved, &desk.good, "--no-worse"], 3);
    assert_eq!(run(&["check", &desk.good, "--single", &cut, "--multi", &desk.good]).status.code(), Some(3));
}

/// Score of an image against own baselines.
fn score(image: &str, single: &str, multi: &str) -> Value {
    let checked = program::check(Path::new(image), &["--exit-zero", "--single", single, "--multi", multi]);
    checked.images()[0]["score"].clone()
}

#[test]
fn own_baselines_score_0_and_100_whether_images_reports_or_records() {
    let desk = Desk::new();
    let demo =
        [desk.demo.clone(), desk.saved("demo.json", &Desk::report(&desk.demo)), desk.record("demo.toml", &desk.demo, "single")];
    let good =
        [desk.good.clone(), desk.saved("good.json", &Desk::report(&desk.good)), desk.record("good.toml", &desk.good, "multi")];
    for (single, multi) in demo.iter().zip(good.iter().rev()).chain(demo.iter().zip(&good)) {
        let (worst, best) = (score(&desk.demo, single, multi), score(&desk.good, single, multi));
        assert_eq!((&worst["value"], &best["value"]), (&0.0.into(), &100.0.into()), "{single} {multi}");
        assert_eq!((&worst["baseline"]["name"], &worst["grade"], &best["grade"]), (&"own".into(), &"F".into(), &"A".into()));
        let comparison = compared(&[&desk.demo, &desk.good, "--single", single, "--multi", multi], 0);
        assert_eq!(scores(&comparison), [0.0, 100.0]);
    }
}

#[test]
fn a_pair_is_chosen_by_name_whatever_the_image_runs() {
    let desk = Desk::new();
    let checked = program::check(Path::new(&desk.good), &["--baseline", "java"]);
    let baseline = &checked.images()[0]["score"]["baseline"];
    assert_eq!((&baseline["name"], &baseline["chosen_by"]), (&"java".into(), &"--baseline names it".into()));
    assert!(refused(&["check", &desk.good, "--baseline", "cobol"]).contains("there are generic, go, java"));
}

#[test]
fn what_is_no_pair_is_refused() {
    let desk = Desk::new();
    let no_pair = ["check", &desk.good, "--single", &desk.good, "--multi", &desk.demo];
    assert!(refused(&no_pair).contains("these two are no pair"));
    assert!(refused(&["compare", &desk.demo, &desk.good, "--single", &desk.good, "--multi", &desk.good]).contains("no pair"));
    assert!(refused(&["check", &desk.good, "--single", &desk.demo]).contains("--multi"));
    refused(&["check", &desk.good, "--baseline", "go", "--single", &desk.demo, "--multi", &desk.good]);
    let broken = desk.write("broken.toml", b"family = 3\n");
    let said = refused(&["check", &desk.good, "--single", &broken, "--multi", &desk.good]);
    assert!(said.contains("broken.toml: ") && said.contains("plimsoll baseline record"), "{said}");
}

#[test]
fn a_record_is_what_the_image_measures_and_another_image_is_off() {
    let desk = Desk::new();
    let record = desk.record("demo.toml", &desk.demo, "single");
    let same = run(&["baseline", "diff", &record, &desk.demo, "--tolerance", "0"]);
    assert_eq!(same.status.code(), Some(0), "{}", stdout(&same));
    assert!(!stdout(&same).contains("off") && stdout(&same).contains("toolchain_bytes"));
    let other = run(&["baseline", "diff", &record, &desk.good]);
    assert_eq!(other.status.code(), Some(1));
    assert!(stdout(&other).lines().any(|line| line.starts_with("compilers ") && line.ends_with("  off")), "{}", stdout(&other));
    assert!(refused(&["baseline", "diff", &desk.good, &desk.good]).contains("good.tar: "));
    assert_eq!(run(&["baseline", "diff", &record, "no/such.tar"]).status.code(), Some(3));
    let record = std::fs::read_to_string(record).unwrap();
    assert!(record.contains("recipe = \"localhost/plimsoll/demo:latest\"\n") && record.contains("\"dpkg 1.21.23\","), "{record}");
}
