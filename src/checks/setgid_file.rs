//! `setgid-file`: regular files with the set-group-ID bit.

use super::set_id::{self, Bit};
use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "setgid-file",
    title: "Set-group-ID files",
    family: Family::Privilege,
    severity: Severity::Medium,
    what: "A regular file has the set-group-ID bit, so that it runs with its group's rights whoever starts it. The set that \
           distributions ship (`chage`, `expiry`, `unix_chkpwd`, ...) is one finding of low weight; any other file is medium. Where the \
           kernel ignores the bit (scripts, no execute bit for the group) the finding is low. Directories do not count.",
    why: "A fault in such a program hands its group's files, such as the password hashes of group `shadow`, to any user of the container.",
    fix: "Remove the bits in the final stage, and run with `no-new-privileges`.",
    example: "RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +\nUSER 65532:65532\n",
    references: &[
        Reference { name: "CIS Docker 4.8", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CWE-250", url: "https://cwe.mitre.org/data/definitions/250.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let (known, inert, unknown) = (Severity::Low, Severity::Low, Severity::Medium);
    set_id::observe(image, Bit { mask: 0o2000, label: "set-group-ID", known, inert, unknown })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    fn severity(mode: u16, package: Option<&str>) -> Vec<Option<Severity>> {
        let mut builder = Builder::default();
        builder.program("/usr/bin/chage", 9).with_mode("/usr/bin/chage", mode, 0);
        if let Some(package) = package {
            builder.in_package(package, &["/usr/bin/chage"]);
        }
        builder.run(&CHECK).iter().map(|observation| observation.severity).collect()
    }

    #[test]
    fn fires_by_origin() {
        assert_eq!(severity(0o2755, Some("passwd")), [Some(Severity::Low)]);
        assert_eq!(severity(0o2755, None), [Some(Severity::Medium)]);
    }

    #[test]
    fn fires_lightly_where_the_group_may_not_execute() {
        assert_eq!(severity(0o2745, None), [Some(Severity::Low)]);
        assert_eq!(severity(0o2644, None), [Some(Severity::Low)]);
    }

    #[test]
    fn is_silent_on_folders_and_on_set_user_id_alone() {
        assert!(severity(0o4755, None).is_empty());
        assert!(Builder::default().directory("/app/docs", 0o2755).run(&CHECK).is_empty());
    }
}
