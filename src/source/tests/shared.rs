//! The shared images and edge cases, when they are there.

use std::path::{Path, PathBuf};

use super::super::*;

struct Ignore;

impl BlobVisitor for Ignore {
    fn visit(&mut self, _: &BlobId, _: Algorithm, _: &mut (dyn Read + Send)) {}
}

fn images_folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tells tests where the shared images are")]
    let named = std::env::var("PLIMSOLL_SHARED").map(PathBuf::from).ok();
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/images"));
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no shared images");
    None
}

fn codes(input: &Path) -> Vec<String> {
    let request = Request { input: input.to_owned(), ..Request::default() };
    match open(&request, &mut Ignore, &Limits::default()) {
        Err(error) => vec![error.code().to_string(), error.to_string()],
        Ok(source) => {
            let mut codes = Vec::new();
            for image in source.images() {
                codes.extend(image.errors.iter().map(|error| format!("{} {error}", error.code())));
                codes.extend(image.remarks.iter().map(|remark| remark.code.to_string()));
            }
            codes
        }
    }
}

#[test]
fn list_all() {
    let Some(folder) = images_folder() else { return };
    let mut names: Vec<PathBuf> = Vec::new();
    for sub in ["small/images", "small/layouts", "small/malformed", "small/thirdparty", "small/realdocker"] {
        for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
            let path = entry.unwrap().path();
            if sub == "small/malformed" {
                names.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                names.push(path);
            }
        }
    }
    names.sort();
    for name in names {
        println!("{}: {:?}", name.file_name().unwrap().display(), codes(&name));
    }
}
