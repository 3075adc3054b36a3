//! `setuid-file`: regular files with the set-user-ID bit.

use super::set_id::{self, Bit};
use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "setuid-file",
    title: "Set-user-ID files",
    family: Family::Privilege,
    severity: Severity::High,
    what: "A regular file has the set-user-ID bit, so that it runs with its owner's rights whoever starts it. The set that \
           distributions ship (`su`, `passwd`, `mount`, ...) is one finding of medium weight; a file outside it, changed, owned by no \
           package or replaceable by others is high. Where the kernel ignores the bit (scripts, no execute bit) the finding is medium.",
    why: "Any fault in such a program turns an ordinary user of the container into root. A service needs none of them.",
    fix: "Remove the bits in the final stage, and run with `no-new-privileges`.",
    example: "RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +\nUSER 65532:65532\n",
    references: &[
        Reference { name: "CIS Docker 4.8", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference {
            name: "OWASP Docker rule 4",
            url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
        },
        Reference { name: "CWE-250", url: "https://cwe.mitre.org/data/definitions/250.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let (known, inert, unknown) = (Severity::Medium, Severity::Medium, Severity::High);
    set_id::observe(image, Bit { mask: 0o4000, label: "set-user-ID", known, inert, unknown })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    fn program(path: &str, mode: u16, uid: u32) -> Builder {
        let mut builder = Builder::default();
        builder.program(path, 9).with_mode(path, mode, uid);
        builder
    }

    fn severities(builder: &mut Builder) -> Vec<Option<Severity>> {
        builder.run(&CHECK).iter().map(|observation| observation.severity).collect()
    }

    #[test]
    fn fires_once_and_lightly_on_the_distribution_s_own_set() {
        let mut builder = program("/usr/bin/su", 0o4755, 0);
        builder.program("/usr/bin/passwd", 9).with_mode("/usr/bin/passwd", 0o4755, 0);
        builder.in_package("login", &["/usr/bin/su"]).in_package_with_mode("passwd", &["/usr/bin/passwd"], Some(0o104_755));
        let seen = builder.run(&CHECK);
        assert_eq!((seen.len(), seen[0].severity), (1, Some(Severity::Medium)));
        assert_eq!(seen[0].message, "2 files of the distribution's usual set-user-ID set: passwd, su");
        assert_eq!(seen[0].subject, "distribution");
    }

    #[test]
    fn fires_hard_on_a_file_that_no_package_owns() {
        let mut builder = program("/app/helper", 0o4755, 0);
        builder.hard_link("/app/helper2", "/app/helper");
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "/app/helper is set-user-ID (4755 0:0): no package owns it");
        assert_eq!((seen[0].severity, seen[0].subject.as_str()), (Some(Severity::High), "/app/helper"));
        assert_eq!(paths(&seen[0]), ["/app/helper", "/app/helper2"], "every hard link is a way in");
        assert_eq!(seen[0].evidence.iter().map(|one| one.bytes).sum::<u64>(), 9);
    }

    #[test]
    fn fires_hard_on_a_package_s_file_that_was_changed_or_is_unusual() {
        let high = [Some(Severity::High)];
        let own = |mut builder: Builder, path: &str, mode| severities(builder.in_package_with_mode("p", &[path], mode));
        assert_eq!(own(program("/usr/bin/su", 0o4755, 0), "/usr/bin/su", Some(0o755)), high, "another mode than the package's");
        assert_eq!(own(program("/usr/bin/su", 0o4755, 7), "/usr/bin/su", None), high, "not root's");
        assert_eq!(own(program("/usr/bin/su", 0o4775, 0), "/usr/bin/su", None), high, "writable");
        assert_eq!(own(program("/usr/bin/find", 0o4755, 0), "/usr/bin/find", None), high, "not a usual name");
        let mut linked = program("/usr/bin/su", 0o4755, 0);
        linked.hard_link("/app/helper", "/usr/bin/su");
        assert_eq!(own(linked, "/usr/bin/su", None), high, "a further name elsewhere");
        assert_eq!(own(program("/opt/su", 0o4755, 0), "/opt/su", None), high, "not a usual place");
    }

    #[test]
    fn fires_hard_below_a_folder_that_everybody_may_write_to() {
        let mut builder = Builder::default();
        builder.directory("/usr/lib/x", 0o1777).program("/usr/lib/x/su", 9).with_mode("/usr/lib/x/su", 0o4755, 0);
        builder.in_package("login", &["/usr/lib/x/su"]);
        assert!(builder.run(&CHECK)[0].message.ends_with("it lies below /usr/lib/x, which everybody may write to"));
    }

    #[test]
    fn fires_lightly_where_the_kernel_ignores_the_bit() {
        assert_eq!(severities(&mut program("/bin/s", 0o4644, 0)), [Some(Severity::Medium)]);
        let mut script = Builder::default();
        script.script("/bin/s", 9).with_mode("/bin/s", 0o4755, 0);
        let seen = script.run(&CHECK);
        assert_eq!(seen[0].message, "/bin/s is set-user-ID (4755 0:0): inert, since Linux ignores the bit on scripts");
    }

    #[test]
    fn is_silent_without_the_bit_on_folders_and_on_links() {
        let mut builder = program("/usr/bin/su", 0o2755, 0);
        builder.directory("/srv", 0o4755).link("/bin/su", "/usr/bin/su");
        assert!(builder.run(&CHECK).is_empty());
    }
}
