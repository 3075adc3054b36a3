//! `plimsoll explain ID`: what a check, a requirement or a code means.

use super::{Context, DONE, USAGE, output};
use crate::oci::escape_text;
use crate::report::explain;

/// Explain a check, a requirement of policies or a finding code
///
/// What it looks for, why it matters, how to fix it, and where to read more.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  plimsoll explain compiler       a check\n  plimsoll explain opaque-root    a finding code")]
pub(super) struct Args {
    /// A check's or requirement's id, or a code such as digest-mismatch
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    let Some(text) = explain::explain(&args.id, output::look(context.color)) else {
        output::complain(&unknown(&args.id));
        return USAGE;
    };
    output::to_stdout(DONE, |out| out.write_all(text.as_bytes()))
}

/// What is said of an id that nobody knows.
pub(super) fn unknown(id: &str) -> String {
    let alike = explain::alike(id);
    let advice = if alike.is_empty() {
        "`plimsoll checks` lists the checks".to_owned()
    } else {
        format!("did you mean {}?", alike.join(" or "))
    };
    format!("error: there is no check or code '{}'; {advice}\n", escape_text(id))
}
