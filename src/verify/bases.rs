//! Base images that the user has as files: their diff_ids, read from verified documents; no layer is read.

use std::io::Read;

use super::{Request, translate};
use crate::build::base::{Known, ToldBy};
use crate::limits::Limits;
use crate::oci::{Algorithm, Place};
use crate::report::model::Report;
use crate::source::{self, BlobId, BlobVisitor, Error, ImageRecord};

/// The layers of the images of one source, one [`Known`] for each platform. They are called what the source calls them, or
/// after its file; with several platforms the name says which.
///
/// # Errors
/// A report of the error, when the source cannot be read or one of its images is not whole.
pub fn known(source: &source::Request, limits: &Limits) -> Result<Vec<Known>, Box<Report>> {
    let report = |error: &Error| Box::new(translate::refused(&Request { source: source.clone(), ..Request::default() }, error));
    let opened = source::open(source, &mut PassBy, limits).map_err(|error| report(&for_base(error)))?;
    let has_several = opened.images().len() > 1;
    let of_image = |record: &ImageRecord| match record.errors.first() {
        Some(error) => Err(report(error)),
        None => of_image(record, opened.name(), has_several).map_err(|error| report(&error)),
    };
    opened.images().iter().map(of_image).collect()
}

fn of_image(record: &ImageRecord, file: &str, has_several: bool) -> Result<Known, Error> {
    let refuse = |found: &str, advice: &str| Error::NotAnImage {
        place: Place::document("config"),
        found: found.to_owned(),
        advice: advice.to_owned(),
    };
    let config = record.config.as_ref().ok_or_else(|| refuse("the base image has no config that can be read", ""))?;
    if config.diff_ids.is_empty() {
        return Err(refuse("the base image has no layers", "leave it out, since no image can be told to be built on it"));
    }
    let name = record.reference.as_deref().unwrap_or(file);
    let name = if has_several { format!("{name} ({})", config.platform) } else { name.to_owned() };
    Ok(Known { name, diff_ids: config.diff_ids.iter().map(ToString::to_string).collect(), told_by: ToldBy::Given })
}

/// What opening a source advises is meant for images to check.
fn for_base(error: Error) -> Error {
    match error {
        Error::NotAnImage { place, found, .. } if found.starts_with("there is no file") => {
            let advice = "a base image is read from a file: type `docker save NAME > base.tar` first".to_owned();
            Error::NotAnImage { place, found, advice }
        }
        other => other,
    }
}

/// Leaves blobs that stream by unread.
struct PassBy;

impl BlobVisitor for PassBy {
    fn visit(&mut self, _: &BlobId, _: Algorithm, _: &mut (dyn Read + Send)) {}
}
