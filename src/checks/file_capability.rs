//! `file-capability`: files that give whoever starts them a part of root's power.

use super::{Check, Family, Reference, evidence, set_id, tools, wording};
use crate::facts::Image;
use crate::finding::{Observation, Severity};
use crate::oci::escape;
use crate::rootfs::Inode;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "file-capability",
    title: "Files with capabilities",
    family: Family::Privilege,
    severity: Severity::High,
    what: "A regular file has the attribute `security.capability` with at least one capability: whoever starts it has these powers of \
           root. `cap_net_bind_service` alone is low; what distributions ship with capabilities instead of set-user-ID bits (`ping`, \
           `newuidmap`, ...), owned by its package, is medium.",
    why: "A fault in such a program, or its arguments, hands the powers on to any user of the container; an interpreter with capabilities \
          hands them to every script.",
    fix: "Remove the capability in the final stage, and give the container what it needs with `cap_add` or a security context.",
    example: "RUN setcap -r /usr/bin/ping\n\n# listen on a high port instead of cap_net_bind_service\nEXPOSE 8080\n",
    references: &[
        Reference { name: "capabilities(7)", url: "https://man7.org/linux/man-pages/man7/capabilities.7.html" },
        Reference { name: "CIS Docker 4.8", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "CWE-250", url: "https://cwe.mitre.org/data/definitions/250.html" },
    ],
    since: "0.1.0",
    run,
};

/// Names of the capabilities by number (linux/capability.h, 6.x).
const NAMES: &[&str] = &[
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// What the attribute says (linux/capability.h, `vfs_cap_data` and `vfs_ns_cap_data`).
#[derive(Debug, Clone, PartialEq, Eq)]
enum Attribute {
    /// Capabilities, lowest first, and the root of the user namespace that they hold in, when it is not the first.
    Capabilities { names: Vec<String>, root: Option<u32> },
    /// Bytes that the kernel refuses.
    Malformed,
}

fn run(image: &Image) -> Vec<Observation> {
    let mut seen: Vec<Observation> = Vec::new();
    let mut inodes: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
    for (path, node) in image.rootfs.entries() {
        let inode = image.rootfs.inode(node);
        let Some(attribute) = attribute(inode) else { continue };
        let number = image.rootfs.inode_number(node);
        let mut evidence = evidence::of_node(image, path.clone(), node);
        if let Some(known) = inodes.get(&number).and_then(|place| seen.get_mut(*place)) {
            evidence.bytes = 0;
            known.evidence.push(evidence);
            continue;
        }
        let is_usual =
            tools::owner(image, node).is_some() && set_id::is_usual(&path) && inode.uid == 0 && inode.mode & 0o022 == 0;
        let Some((severity, gives)) = judged(&attribute, is_usual) else { continue };
        let message = format!("{} {gives}", escape(&path));
        let fix = Some(format!("Remove the capability in the final stage: setcap -r {}", escape(&path)));
        inodes.insert(number, seen.len());
        let subject = wording::path_key(&path);
        seen.push(Observation {
            severity: Some(severity),
            subject,
            message,
            evidence: vec![evidence],
            fix,
            ..Observation::default()
        });
    }
    seen
}

/// How much an attribute matters, and what is said of it; None when it gives nothing.
fn judged(attribute: &Attribute, is_usual: bool) -> Option<(Severity, String)> {
    match attribute {
        Attribute::Malformed => {
            Some((Severity::Medium, "has a capability attribute that the kernel refuses: what was meant is not known".to_owned()))
        }
        Attribute::Capabilities { names, .. } if names.is_empty() => None,
        Attribute::Capabilities { names, root } => {
            let severity = if *names == ["cap_net_bind_service"] {
                Severity::Low
            } else if is_usual {
                Severity::Medium
            } else {
                Severity::High
            };
            let within = root.map(|root| format!(", within the user namespace of uid {root}")).unwrap_or_default();
            Some((severity, format!("gives whoever runs it {}{within}", names.join(", "))))
        }
    }
}

fn attribute(inode: &Inode) -> Option<Attribute> {
    if !inode.is_file() {
        return None;
    }
    let xattr = inode.xattrs.iter().flat_map(|xattrs| xattrs.iter()).find(|xattr| xattr.name == b"security.capability")?;
    Some(parse(&xattr.value).unwrap_or(Attribute::Malformed))
}

/// Revision 1 has 32 capabilities, 2 has 64, 3 a root id as well; permitted and inheritable sets alternate in words of 32 bits.
fn parse(value: &[u8]) -> Option<Attribute> {
    let word = |index: usize| {
        let start = index.checked_mul(4)?;
        let bytes: [u8; 4] = value.get(start..start.checked_add(4)?)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    let revision = word(0)? >> 24;
    let words = match (revision, value.len()) {
        (1, 12) => 3,
        (2, 20) => 5,
        (3, 24) => 6,
        _ => return None,
    };
    let pair = |index: usize| Some(u64::from(word(index)? | word(index.saturating_add(1))?));
    let low = pair(1)?;
    let high = if words >= 5 { pair(3)? } else { 0 };
    let set = low | (high << 32);
    let root = if words == 6 { word(5).filter(|root| *root != 0) } else { None };
    let name = |number: usize| NAMES.get(number).map_or_else(|| format!("capability {number}"), |name| (*name).to_owned());
    let names = (0..64_usize).filter(|number| set >> number & 1 == 1).map(name).collect();
    Some(Attribute::Capabilities { names, root })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::super::testing::plain::xattr;
    use super::*;

    fn value(revision: u8, low: u32, high: u32) -> Vec<u8> {
        let words = [u32::from(revision) << 24 | 1, low, 0, high, 0];
        words.iter().flat_map(|word| word.to_le_bytes()).take(if revision == 1 { 12 } else { 20 }).collect()
    }

    fn with(path: &str, value: &[u8]) -> Builder {
        let mut builder = Builder::default();
        builder.program(path, 9);
        xattr(&mut builder, path, "security.capability", value);
        builder
    }

    fn seen(path: &str, value: &[u8]) -> (Option<Severity>, String) {
        let seen = with(path, value).run(&CHECK);
        (seen[0].severity, seen[0].message.clone())
    }

    #[test]
    fn fires_on_every_revision_with_names() {
        let (severity, message) = seen("/app/server", &value(2, 1 << 13 | 1 << 21, 1 << 7));
        assert_eq!(severity, Some(Severity::High));
        assert_eq!(message, "/app/server gives whoever runs it cap_net_raw, cap_sys_admin, cap_bpf");
        assert_eq!(seen("/x", &value(1, 1, 0)).1, "/x gives whoever runs it cap_chown");
        let third = [value(3, 1 << 10, 0), 100_000_u32.to_le_bytes().to_vec()].concat();
        assert_eq!(
            seen("/x", &third).1,
            "/x gives whoever runs it cap_net_bind_service, within the user namespace of uid 100000"
        );
        assert!(seen("/x", &value(2, 0, 1 << 31)).1.ends_with("capability 63"));
    }

    #[test]
    fn fires_lightly_on_low_ports_alone() {
        assert_eq!(seen("/x", &value(2, 1 << 10, 0)).0, Some(Severity::Low));
        assert_eq!(seen("/x", &value(2, 1 << 10 | 1 << 12, 0)).0, Some(Severity::High));
    }

    #[test]
    fn fires_at_medium_on_the_distribution_s_own() {
        let raw = value(2, 1 << 13, 0);
        assert_eq!(
            with("/usr/bin/ping", &raw).in_package("iputils-ping", &["/usr/bin/ping"]).run(&CHECK)[0].severity,
            Some(Severity::Medium)
        );
        assert_eq!(
            with("/usr/bin/python3", &raw).in_package("python3", &["/usr/bin/python3"]).run(&CHECK)[0].severity,
            Some(Severity::High)
        );
        assert_eq!(seen("/usr/bin/ping", &raw).0, Some(Severity::High), "owned by no package");
    }

    #[test]
    fn fires_once_for_all_names_and_on_what_the_kernel_refuses() {
        let seen = with("/a", &value(2, 1, 0)).hard_link("/b", "/a").run(&CHECK);
        assert_eq!((seen.len(), seen[0].evidence.len()), (1, 2));
        for broken in [&b""[..], b"\x01\0\0\x02", &[0; 20], &value(2, 1, 0)[..19]] {
            assert_eq!(with("/x", broken).run(&CHECK)[0].severity, Some(Severity::Medium));
        }
    }

    #[test]
    fn is_silent_without_a_capability() {
        assert!(with("/x", &value(2, 0, 0)).run(&CHECK).is_empty());
        let mut builder = Builder::default();
        builder.program("/x", 9);
        xattr(&mut builder, "/x", "user.note", b"security.capability");
        assert!(builder.run(&CHECK).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_attribute_is_read(value: Vec<u8>) {
            parse(&value);
        }
    }
}
