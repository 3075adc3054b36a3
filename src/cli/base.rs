//! `plimsoll base IMAGE`, the block that makes an image known to a policy; and `--base`, which makes one known to a check.

use std::path::PathBuf;

use super::input::Input;
use super::output;
use super::reference::Refusal;
use super::{Context, DONE, UNVERIFIABLE};
use crate::report::model::Report;
use crate::report::{known_bases, text};
use crate::source;
use crate::verify::{self, Request};

const AFTER_HELP: &str = "\
Examples:
  docker save debian:12-slim | plimsoll base -
  plimsoll base company-base.tar >> policy.toml

Where an image's first layers are those of a known base, findings in these
layers alone are marked as inherited, all others as yours. To name a base for
one check only, give its file: plimsoll check shop.tar --base company-base.tar

Exit codes:
  0  written    2  wrong use    3  the image could not be read";

/// Write an image's layers as a known base, for a policy
///
/// Prints a [[base.allowed]] block with the image's name and the digests of its
/// layers (diff_ids), one block for each platform. Layers are not read.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(flatten)]
    input: Input,
}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    match verify::known_bases(&args.input.request(), &args.input.limits()) {
        Ok(bases) => output::to_stdout(DONE, |out| out.write_all(known_bases::toml(&bases).as_bytes())),
        Err(report) => refuse(&report, context),
    }
}

fn refuse(report: &Report, context: Context) -> u8 {
    output::complain(&text::render_errors(report, output::look_of_errors(context.color)));
    UNVERIFIABLE
}

/// Base images that a check is told of.
#[derive(Debug, clap::Args)]
pub(super) struct Given {
    /// The base image, as an archive, layout or name in a registry: findings in its layers are marked as inherited (may be given several times)
    #[arg(long = "base", value_name = "IMAGE", value_parser = file)]
    bases: Vec<PathBuf>,
}

impl Given {
    /// Reads their layers' digests into `request`.
    pub(super) fn read_into(&self, request: &mut Request, context: Context) -> Result<(), Refusal> {
        for path in &self.bases {
            let source =
                source::Request { input: path.clone(), access: request.source.access.clone(), ..source::Request::default() };
            let known = verify::known_bases(&source, &request.limits).map_err(|report| {
                let errors = text::render_errors(&report, output::look_of_errors(context.color));
                (UNVERIFIABLE, format!("the base image could not be read\n{errors}"))
            })?;
            request.bases.extend(known);
        }
        Ok(())
    }
}

/// Standard input is left to the image that is checked.
pub(super) fn file(text: &str) -> Result<PathBuf, String> {
    if text == "-" {
        return Err("a base image is read from a file or folder, not from standard input".to_owned());
    }
    Ok(PathBuf::from(text))
}
