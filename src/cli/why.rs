//! `plimsoll why IMAGE PATH`: why a path is there.

use std::ffi::OsString;

use super::cache::{self, Caching};
use super::input::Input;
use super::output::{self, Format};
use super::reference::Refusal;
use super::{Context, DONE, UNVERIFIABLE, USAGE, base, dockerfiles, judging, progress};
use crate::report::{json, text, why};
use crate::verify::{self, Answer, Request};

const AFTER_HELP: &str = "\
Examples:
  plimsoll why shop.tar /usr/bin/gcc
  plimsoll why shop.tar /app/.env
  plimsoll why shop.tar /usr/lib/python3 --dockerfile Dockerfile
  plimsoll why shop.tar /bin/sh --format json | jq -r '.package.chains[0].packages[]'

Chains are read from left to right: `libc6 <- curl (asked for)` says that curl
requires libc6, and that somebody asked for curl. All of it is what the package
databases of the image say.

Exit codes:
  0  told    2  no layer has such a path, or wrong use    3  the image could not be read";

/// Tell why a path is in an image
///
/// Which layer and instruction wrote it, which package owns it and who needs
/// that, what came with it, its earlier versions in lower layers, and what
/// removing it would free. The path may be a folder, or one that is deleted.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(flatten)]
    input: Input,

    /// The path; a relative one starts at the root
    #[arg(value_name = "PATH")]
    path: OsString,

    /// How to write the answer
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text", help_heading = None)]
    format: Format,

    #[command(flatten)]
    bases: base::Given,

    #[command(flatten)]
    source: dockerfiles::Source,

    #[command(flatten)]
    caching: Caching,
}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    let request = match request(args, context) {
        Ok(request) => request,
        Err((code, reason)) => {
            output::refuse(&reason);
            return code;
        }
    };
    let path = args.path.as_encoded_bytes();
    let answer = progress::shown(!context.quiet, |progress| verify::why(&request, path, progress));
    cache::tell(&request.cache, context);
    match answer {
        Answer::Told(told) => output::to_stdout(DONE, |out| match args.format {
            Format::Text => out.write_all(why::render(&told, output::look(context.color)).as_bytes()),
            Format::Json => json::write_why(&told, out),
        }),
        Answer::NoPath(reason) => {
            output::refuse(&reason);
            USAGE
        }
        Answer::Unverifiable(report) => {
            output::complain(&text::render_errors(&report, output::look_of_errors(context.color)));
            UNVERIFIABLE
        }
    }
}

fn request(args: &Args, context: Context) -> Result<Request, Refusal> {
    let limits = args.input.limits();
    let mut request = Request {
        source: args.input.request(),
        policy: judging::policy(judging::DEFAULT)?,
        as_of: judging::today(),
        dockerfiles: args.source.read(&limits)?,
        cache: args.caching.open(context),
        limits,
        ..Request::default()
    };
    args.bases.read_into(&mut request, context)?;
    Ok(request)
}
