//! `privileged-port`: a port below 1024 is exposed.

use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};

/// The first port that every user may listen on.
const FIRST_ORDINARY: u16 = 1024;

/// The port of SSH.
const SSH: u16 = 22;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "privileged-port",
    title: "A privileged port is exposed",
    family: Family::Config,
    severity: Severity::Low,
    what: "`EXPOSE` names a port below 1024. Port 22, which is SSH's, is of medium weight.",
    why: "To listen there a process needs root or CAP_NET_BIND_SERVICE on most clusters, which keeps the image from running with no \
          privileges at all. SSH into a container goes around everything that watches it.",
    fix: "Listen on a port from 1024 on, and map it to the public one when the container is started.",
    example: "ENV PORT=8080\nEXPOSE 8080\n# docker run -p 80:8080 ...\n",
    references: &[
        Reference { name: "CIS Docker 5.8", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "Dockerfile: EXPOSE", url: "https://docs.docker.com/reference/dockerfile/#expose" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut seen = Vec::new();
    for exposed in &image.config.runtime.exposed_ports {
        let Some((first, last, protocol)) = parse(exposed).filter(|(first, ..)| (1..FIRST_ORDINARY).contains(first)) else {
            continue;
        };
        let is_ssh = (first..=last).contains(&SSH) && protocol == "tcp";
        let ports =
            if first == last { format!("Port {first}/{protocol}") } else { format!("Port range {first}-{last}/{protocol}") };
        let subject = if first == last { format!("{first}/{protocol}") } else { format!("{first}-{last}/{protocol}") };
        let message =
            if is_ssh { format!("{ports} is exposed: SSH") } else { format!("{ports} is exposed, below {FIRST_ORDINARY}") };
        let severity = is_ssh.then_some(Severity::Medium);
        let evidence = vec![Evidence::of_config("config.ExposedPorts")];
        if !seen.iter().any(|one: &Observation| one.subject == subject) {
            seen.push(Observation { severity, subject, message, evidence, ..Observation::default() });
        }
    }
    seen
}

/// `80`, `80/tcp`, `80-82/udp`: first port, last port, protocol. None for anything else: what cannot be read exposes nothing.
fn parse(exposed: &str) -> Option<(u16, u16, &'static str)> {
    let (ports, protocol) = exposed.split_once('/').unwrap_or((exposed, "tcp"));
    let protocol = ["tcp", "udp", "sctp"].into_iter().find(|known| protocol.eq_ignore_ascii_case(known))?;
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last, protocol))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    fn seen(ports: &[&str]) -> Vec<(String, Option<Severity>)> {
        let mut builder = Builder::default();
        builder.runtime.exposed_ports = ports.iter().map(|&port| port.to_owned()).collect();
        builder.run(&CHECK).into_iter().map(|one| (one.message, one.severity)).collect()
    }

    #[test]
    fn fires_below_1024() {
        assert_eq!(seen(&["1023/tcp"]), [("Port 1023/tcp is exposed, below 1024".to_owned(), None)]);
        assert_eq!(seen(&["53/udp", "80", "80/TCP", "443/tcp", "8080/tcp"]).len(), 3);
        assert_eq!(seen(&["1000-1100/tcp"])[0].0, "Port range 1000-1100/tcp is exposed, below 1024");
    }

    #[test]
    fn fires_harder_on_ssh() {
        assert_eq!(seen(&["22/tcp"]), [("Port 22/tcp is exposed: SSH".to_owned(), Some(Severity::Medium))]);
        assert_eq!(seen(&["22/udp"])[0].1, None);
    }

    #[test]
    fn is_silent_from_1024_on_and_on_what_is_no_port() {
        assert_eq!(seen(&["1024/tcp", "8080", "65535/udp", "0/tcp", "", "x", "-1", "99999", "80/", "/tcp", "90-80"]), []);
    }
}
