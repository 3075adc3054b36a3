//! Runs the built program and reads its reports and listings.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program with these arguments, without the caller's environment variables that change its output.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(arguments).stdin(Stdio::null());
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    // tests that want a cache ask for one
    command.env("PLIMSOLL_NO_CACHE", "1");
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Runs the program with `input` on its standard input.
pub(crate) fn run_with_stdin(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that refuses its input early closes the pipe: that is no failure of the test.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// A JSON report with the exit code it came with.
pub(crate) struct Checked {
    pub(crate) exit: Option<i32>,
    pub(crate) report: Value,
}

/// `plimsoll check IMAGE --format json`, with more arguments.
pub(crate) fn check(image: &Path, more: &[&str]) -> Checked {
    let image = image.to_str().unwrap();
    checked(&run(&[&["check", image, "--format", "json"], more].concat()))
}

/// The report of a run.
pub(crate) fn checked(output: &Output) -> Checked {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{stderr}", String::from_utf8_lossy(&output.stdout)));
    let checked = Checked { exit: output.status.code(), report };
    assert_none(&checked.repeated());
    checked
}

impl Checked {
    /// The images of the report.
    pub(crate) fn images(&self) -> &[Value] {
        self.report["images"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Codes of all errors, of the source and of its images.
    pub(crate) fn error_codes(&self) -> BTreeSet<String> {
        let of_images = self.images().iter().flat_map(|image| list(&image["errors"]));
        list(&self.report["errors"]).chain(of_images).filter_map(|error| text(&error["code"])).collect()
    }

    /// Check, code and subject that two findings or notes of one image share: none may.
    pub(crate) fn repeated(&self) -> Vec<String> {
        let mut repeated = Vec::new();
        for image in self.images() {
            let mut seen = BTreeSet::new();
            for said in list(&image["findings"]).chain(list(&image["notes"])) {
                let key = format!("{} {} {}", said["check"], said["code"], said["subject"]);
                if !seen.insert(key.clone()) {
                    repeated.push(key);
                }
            }
        }
        repeated
    }

    /// Codes of all findings and notes.
    pub(crate) fn codes(&self) -> BTreeSet<String> {
        let said = self.images().iter().flat_map(|image| list(&image["findings"]).chain(list(&image["notes"])));
        said.filter_map(|finding| text(&finding["code"])).collect()
    }
}

/// The elements of an array, none for anything else.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

/// A string, owned.
pub(crate) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The sorted lines of `plimsoll ls`, one an entry: path, type, mode, owner, and content, target or device.
pub(crate) fn listing(image: &Path, more: &[&str]) -> Vec<String> {
    let output = run(&[&["ls", image.to_str().unwrap(), "--format", "json"], more].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ls {} {more:?}: {} {stderr}", image.display(), output.status);
    let stdout = String::from_utf8(output.stdout).expect("listings are UTF-8");
    let mut lines: Vec<String> = stdout.lines().map(|line| entry_line(&serde_json::from_str(line).unwrap())).collect();
    lines.sort();
    lines
}

/// One entry of a listing, or of a truth file, as a line.
pub(crate) fn entry_line(entry: &Value) -> String {
    let field = |name: &str| text(&entry[name]).unwrap_or_default();
    let line = format!("{} {} {} {}:{}", field("path"), field("type"), field("mode"), entry["uid"], entry["gid"]);
    match field("type").as_str() {
        "file" => line + &format!(" {} {}", entry["size"], field("sha256")),
        "symlink" => line + " -> " + &field("linktarget"),
        "char" | "block" => line + " " + &device(&entry["dev"]),
        _ => line,
    }
}

/// `MAJOR,MINOR` of `[MAJOR, MINOR]` or `"MAJOR:MINOR"`.
fn device(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("{},{}", value[0], value[1]), |text| text.replace(':', ","))
}

/// Lines that only one of two sorted listings has; `-` for the expected one.
pub(crate) fn difference(expected: &[String], found: &[String]) -> Vec<String> {
    let only = |sign, these: &[String], those: &[String]| -> Vec<String> {
        let those: BTreeSet<&String> = those.iter().collect();
        these.iter().filter(|line| !those.contains(line)).map(|line| format!("{sign}{line}")).collect()
    };
    [only('-', expected, found), only('+', found, expected)].concat()
}

/// The folder of shared images beside the project, if it is there.
pub(crate) fn shared_images() -> Option<PathBuf> {
    let folder = std::env::var_os("PLIMSOLL_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/images"), PathBuf::from);
    let found = folder.is_dir();
    if !found {
        eprintln!("skipped: there are no shared images at {}", folder.display());
    }
    found.then_some(folder)
}

/// Fails with all that went wrong, one thing a line.
pub(crate) fn assert_none(failures: &[String]) {
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
