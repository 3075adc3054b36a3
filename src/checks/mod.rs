//! One file per check; here the type of a check and the list.
//!
//! A check observes and nothing else: it does no I/O, reads no clock, returns no error, knows no policy and no other check. Two
//! observations of one image differ in check, code or subject, so that the next build's can be told to be the same.

mod access;
mod ambiguous_image;
mod ambiguous_layer;
mod apt_lists;
mod broken_healthcheck;
mod broken_script_entrypoint;
mod build_leftovers;
mod build_tool;
mod buried_files;
mod buried_secret;
mod compiler;
mod contents;
mod credential_file;
mod debug_symbols;
mod debugger;
mod development_files;
mod documentation;
mod duplicate_id;
mod elf_files;
mod empty_password;
mod end_of_life_os;
mod evidence;
mod executable_stack;
mod file_capability;
mod insecure_environment;
mod insecure_runpath;
mod language_package_manager;
mod missing_entrypoint;
mod missing_healthcheck;
mod missing_interpreter;
mod missing_library;
mod missing_package_database;
mod missing_source_label;
mod missing_symbol_version;
mod non_numeric_user;
mod onbuild_trigger;
mod os_package_manager;
mod package_cache;
mod private_key;
mod privilege_tool;
mod privileged_port;
mod remarks;
mod remote_add;
mod root_user;
mod secret_in_environment;
mod secret_in_history;
mod secret_token;
mod secret_words;
mod sensitive_volume;
mod set_id;
mod setgid_file;
mod setuid_file;
mod shell;
mod shell_form_command;
mod ssh_server;
mod start;
mod temporary_files;
mod test_dependencies;
#[cfg(test)]
mod testing;
mod tools;
mod unknown_user;
mod user_writable_code;
mod vacuous_healthcheck;
mod version_control;
mod weak_hardening;
mod weakened_repository_trust;
mod wording;
mod world_writable;
mod wrong_architecture;

pub use end_of_life_os::last_end as last_end_of_life;
pub use remarks::notes;
pub(crate) use wording::bytes;

use crate::facts::Image;
use crate::finding::{Observation, Severity};

/// One rule, with all that is said about it anywhere: reports, `plimsoll explain`, `docs/checks.md`.
#[derive(Debug)]
pub struct Check {
    /// Kebab-case, names the bad thing, for ever.
    pub id: &'static str,
    /// A few words, as a heading.
    pub title: &'static str,
    /// The section of the catalogue.
    pub family: Family,
    /// The default severity.
    pub severity: Severity,
    /// When it fires, in one or two sentences of Markdown.
    pub what: &'static str,
    /// Why it matters, in one to three sentences of Markdown.
    pub why: &'static str,
    /// How to mend it: one sentence.
    pub fix: &'static str,
    /// A Dockerfile fragment that shows the fix.
    pub example: &'static str,
    /// CIS Docker Benchmark, NIST SP 800-190, OWASP, CWE: name and address.
    pub references: &'static [Reference],
    /// The release that brought it.
    pub since: &'static str,
    /// Looks at an image.
    pub run: fn(&Image) -> Vec<Observation>,
}

/// A published rule or text that a check follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// Such as `CIS Docker 4.1` or `CWE-250`.
    pub name: &'static str,
    /// Where it can be read.
    pub url: &'static str,
}

/// Sections of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Programs that build programs.
    Toolchain,
    /// Package managers, their lists and caches.
    Packages,
    /// Users, set-id bits.
    Privilege,
    /// Keys, passwords and tokens.
    Secrets,
    /// The image config.
    Config,
    /// Whether the container can start.
    Startup,
    /// The form of layers, manifests and archives.
    Layers,
    /// How machine code was built.
    Binaries,
    /// What was left behind.
    Hygiene,
}

impl Family {
    /// All families, in the order of the catalogue.
    pub const ALL: [Self; 9] = [
        Self::Toolchain,
        Self::Packages,
        Self::Privilege,
        Self::Secrets,
        Self::Config,
        Self::Startup,
        Self::Layers,
        Self::Binaries,
        Self::Hygiene,
    ];

    /// The lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Toolchain => "toolchain",
            Self::Packages => "packages",
            Self::Privilege => "privilege",
            Self::Secrets => "secrets",
            Self::Config => "config",
            Self::Startup => "startup",
            Self::Layers => "layers",
            Self::Binaries => "binaries",
            Self::Hygiene => "hygiene",
        }
    }
}

/// Every check, sorted by id.
pub static ALL: &[&Check] = &[
    &ambiguous_image::CHECK,
    &ambiguous_layer::CHECK,
    &apt_lists::CHECK,
    &broken_healthcheck::CHECK,
    &broken_script_entrypoint::CHECK,
    &build_leftovers::CHECK,
    &build_tool::CHECK,
    &buried_files::CHECK,
    &buried_secret::CHECK,
    &compiler::CHECK,
    &credential_file::CHECK,
    &debug_symbols::CHECK,
    &debugger::CHECK,
    &development_files::CHECK,
    &documentation::CHECK,
    &duplicate_id::CHECK,
    &empty_password::CHECK,
    &end_of_life_os::CHECK,
    &executable_stack::CHECK,
    &file_capability::CHECK,
    &insecure_environment::CHECK,
    &insecure_runpath::CHECK,
    &language_package_manager::CHECK,
    &missing_entrypoint::CHECK,
    &missing_healthcheck::CHECK,
    &missing_interpreter::CHECK,
    &missing_library::CHECK,
    &missing_package_database::CHECK,
    &missing_source_label::CHECK,
    &missing_symbol_version::CHECK,
    &non_numeric_user::CHECK,
    &onbuild_trigger::CHECK,
    &os_package_manager::CHECK,
    &package_cache::CHECK,
    &private_key::CHECK,
    &privilege_tool::CHECK,
    &privileged_port::CHECK,
    &remote_add::CHECK,
    &root_user::CHECK,
    &secret_in_environment::CHECK,
    &secret_in_history::CHECK,
    &secret_token::CHECK,
    &sensitive_volume::CHECK,
    &setgid_file::CHECK,
    &setuid_file::CHECK,
    &shell_form_command::CHECK,
    &ssh_server::CHECK,
    &temporary_files::CHECK,
    &test_dependencies::CHECK,
    &unknown_user::CHECK,
    &user_writable_code::CHECK,
    &vacuous_healthcheck::CHECK,
    &version_control::CHECK,
    &weak_hardening::CHECK,
    &weakened_repository_trust::CHECK,
    &world_writable::CHECK,
    &wrong_architecture::CHECK,
];

/// The check called `id`.
#[must_use]
pub fn find(id: &str) -> Option<&'static Check> {
    ALL.iter().copied().find(|check| check.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_sorted_and_their_ids_are_kebab_case_and_unique() {
        let ids: Vec<_> = ALL.iter().map(|check| check.id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        assert!(ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
        assert_eq!(find("compiler").map(|check| check.id), Some("compiler"));
        assert!(find("compilers").is_none());
    }

    #[test]
    fn every_check_is_documented_in_whole_sentences() {
        for check in ALL {
            for text in [check.what, check.why, check.fix] {
                assert!(text.ends_with('.') && !text.contains("  ") && !text.contains('\n'), "{}: {text}", check.id);
            }
            assert!(!check.title.is_empty() && !check.title.ends_with('.'), "{}", check.id);
            assert!(check.example.ends_with('\n'), "{}", check.id);
            assert!(
                !check.references.is_empty() && check.references.iter().all(|one| one.url.starts_with("https://")),
                "{}",
                check.id
            );
        }
    }

    #[test]
    fn an_empty_image_has_no_files_to_report() {
        let image = testing::Builder::default().image();
        let fired: Vec<_> = ALL.iter().filter(|check| !(check.run)(&image).is_empty()).map(|check| check.id).collect();
        assert_eq!(fired, ["missing-entrypoint", "missing-healthcheck", "missing-source-label"]);
    }
}
