//! The documents' fields, as the runtimes' own types declare them (image-spec and Docker): what the strict reader calls known.

use super::json::Shape::{self, Any, Flag, Integer, List, Map, Object, Text, Texts};

/// image-spec `platform`.
pub(super) static PLATFORM: Shape = Object(&[
    ("architecture", &Text),
    ("os", &Text),
    ("os.version", &Text),
    ("os.features", &List(&Text)),
    ("variant", &Text),
    ("features", &List(&Text)),
]);

/// image-spec descriptor.md.
pub(super) static DESCRIPTOR: Shape = Object(&[
    ("mediaType", &Text),
    ("digest", &Text),
    ("size", &Integer),
    ("urls", &List(&Text)),
    ("annotations", &Map(&Text)),
    ("data", &Text),
    ("platform", &PLATFORM),
    ("artifactType", &Text),
]);

/// image-spec manifest.md and image-index.md in one: a document that has the fields of both must be seen to have them.
pub(super) static GRAPH: Shape = Object(&[
    ("schemaVersion", &Integer),
    ("mediaType", &Text),
    ("artifactType", &Text),
    ("config", &DESCRIPTOR),
    ("layers", &List(&DESCRIPTOR)),
    ("manifests", &List(&DESCRIPTOR)),
    ("subject", &DESCRIPTOR),
    ("annotations", &Map(&Text)),
    // schema 1, to name it when it is refused
    ("fsLayers", &Any),
    ("signatures", &Any),
]);

/// image-spec image-layout.md.
pub(super) static LAYOUT: Shape = Object(&[("imageLayoutVersion", &Text)]);

/// One image of `manifest.json` (moby, image/tarexport).
pub(super) static DOCKER_MANIFEST: Shape = List(&Object(&[
    ("Config", &Text),
    ("RepoTags", &List(&Text)),
    ("Layers", &List(&Text)),
    ("Parent", &Text),
    ("LayerSources", &Map(&DESCRIPTOR)),
]));

static HEALTHCHECK: Shape = Object(&[
    ("Test", &List(&Text)),
    ("Interval", &Integer),
    ("Timeout", &Integer),
    ("StartPeriod", &Integer),
    ("StartInterval", &Integer),
    ("Retries", &Integer),
]);

static RUNTIME: Shape = Object(&[
    ("User", &Text),
    ("ExposedPorts", &Map(&Any)),
    ("Env", &List(&Text)),
    ("Entrypoint", &Texts),
    ("Cmd", &Texts),
    ("Volumes", &Map(&Any)),
    ("WorkingDir", &Text),
    ("Labels", &Map(&Text)),
    ("StopSignal", &Text),
    ("ArgsEscaped", &Any),
    ("Memory", &Any),
    ("MemorySwap", &Any),
    ("CpuShares", &Any),
    ("Healthcheck", &HEALTHCHECK),
    ("Shell", &Texts),
    ("OnBuild", &List(&Text)),
    ("StopTimeout", &Any),
    ("Hostname", &Any),
    ("Domainname", &Any),
    ("AttachStdin", &Any),
    ("AttachStdout", &Any),
    ("AttachStderr", &Any),
    ("Tty", &Any),
    ("OpenStdin", &Any),
    ("StdinOnce", &Any),
    ("Image", &Any),
    ("NetworkDisabled", &Any),
    ("MacAddress", &Any),
]);

static HISTORY: Shape =
    Object(&[("created", &Text), ("author", &Text), ("created_by", &Text), ("comment", &Text), ("empty_layer", &Flag)]);

/// image-spec config.md and Docker's additions.
pub(super) static CONFIG: Shape = Object(&[
    ("created", &Text),
    ("author", &Text),
    ("architecture", &Text),
    ("os", &Text),
    ("os.version", &Text),
    ("os.features", &List(&Text)),
    ("variant", &Text),
    ("config", &RUNTIME),
    ("rootfs", &Object(&[("type", &Text), ("diff_ids", &List(&Text))])),
    ("history", &List(&HISTORY)),
    ("container_config", &Any),
    ("container", &Any),
    ("docker_version", &Any),
    ("id", &Any),
    ("parent", &Any),
    ("comment", &Any),
    ("Size", &Any),
]);
