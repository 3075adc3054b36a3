//! What the input is, told by its content; and, when it is no image, what it is instead and what to type.

use std::fs::File;
use std::io::{BufReader, Cursor, IsTerminal as _, Read};
use std::path::Path;

use super::archive_members::ArchiveMembers;
use super::layout::LayoutFolder;
use super::members::{Members, Oddities};
use super::oci_graph::Walked;
use super::stream::StreamMembers;
use super::walk::fill;
use super::{BlobVisitor, Error, Kind, Opened, Request, candidate, docker_archive, oci_graph, registry};
use crate::archive::compression::{self, Compression};
use crate::limits::Limits;
use crate::oci::{Place, Reference, escape};

const HEAD: usize = 512;
const HOW_TO_SAVE: &str = "write it with `docker save IMAGE`, `podman save IMAGE` or `buildx --output type=oci`";

/// Opens the input.
pub(super) fn open(request: &Request, visitor: &mut dyn BlobVisitor, limits: &Limits) -> Result<Opened, Error> {
    let path = request.input.as_path();
    let shown = name(path);
    if let Some(asked) = &request.in_registry {
        return registry::open(asked, &shown, request, limits);
    }
    if path.as_os_str() == "-" {
        let input = std::io::stdin();
        if input.is_terminal() {
            return Err(refuse(&shown, "standard input is a terminal", "type `docker save IMAGE | plimsoll check -`"));
        }
        return open_stream(input, &shown, request, visitor, limits);
    }
    let io = |cause| Error::Io { what: shown.clone(), cause };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return open_registry(path, request, limits),
        Err(error) => return Err(io(error)),
    };
    if metadata.is_dir() {
        return open_folder(path, shown, request, limits);
    }
    let mut file = File::open(path).map_err(io)?;
    if !metadata.is_file() {
        return open_stream(file, &shown, request, visitor, limits);
    }
    let mut head = [0; HEAD];
    let filled = fill(&mut file, &mut head).map_err(io)?;
    let head = head.get(..filled).unwrap_or_default();
    if compression::sniff(head) != Compression::None {
        let rest = Cursor::new(head.to_vec()).chain(file);
        return open_stream(rest, &shown, request, visitor, limits);
    }
    check_tar(head, &shown)?;
    let mut members = ArchiveMembers::open(file, limits)?;
    let oddities = members.take_oddities();
    assemble(Box::new(members), oddities, shown, request, limits)
}

/// What reports call the input: the last part of a path, since reports hold no path of the host; a reference without its
/// scheme, and without what stands before an `@` where no reference may have one.
pub(super) fn name(path: &Path) -> String {
    let text = escape(path.as_os_str().as_encoded_bytes());
    if let Some(reference) = reference_text(&text).filter(|_| !path.exists()) {
        let host = reference.split('/').next().unwrap_or(reference);
        return host
            .rsplit_once('@')
            .map_or(reference, |(secret, _)| reference.get(secret.len().saturating_add(1)..).unwrap_or(""))
            .to_owned();
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    escape(name.as_encoded_bytes())
}

/// The reference that a name is meant as when there is no file of it: after `docker://`, or when it starts with a registry and
/// does not look like a path.
fn reference_text(text: &str) -> Option<&str> {
    let is_path = text.starts_with(['/', '.', '~']) || text.contains("//") || is_archive_name(text);
    text.strip_prefix("docker://").or_else(|| (Reference::names_host(text) && !is_path).then_some(text))
}

fn is_archive_name(text: &str) -> bool {
    [".tar", ".tgz", ".gz", ".zst", ".xz", ".json", ".img"].iter().any(|ending| text.ends_with(ending))
}

/// An image in a registry, when the name of what is no file says so.
fn open_registry(path: &Path, request: &Request, limits: &Limits) -> Result<Opened, Error> {
    let Some(text) = path.to_str().filter(|text| reference_text(text).is_some()) else { return Err(not_found(path)) };
    let asked = name(path);
    let text = reference_text(text).unwrap_or(text);
    if !Reference::names_host(text) {
        return Err(short_name(&asked, text));
    }
    match text.parse::<Reference>() {
        Ok(reference) => registry::open(&registry::Asked { reference, manifest: None }, &asked, request, limits),
        Err(error) => {
            let found = format!("there is no file \"{asked}\", and it is no reference of an image: {error}");
            Err(refuse(&asked, found, "write HOST/REPOSITORY:TAG, such as registry.example/shop/cart:1.4"))
        }
    }
}

/// Which registry a short name means differs from host to host, so none is guessed.
fn short_name(asked: &str, text: &str) -> Error {
    let text = escape(text.as_bytes());
    let library = if text.contains('/') { "" } else { "library/" };
    let advice = format!(
        "write its registry too, as in `plimsoll check docker.io/{library}{text}`, or type `docker save {text} | plimsoll check -`"
    );
    refuse(asked, format!("there is no file \"{asked}\", and as the name of an image it lacks the registry"), advice)
}

fn refuse(place: &str, found: impl Into<String>, advice: impl Into<String>) -> Error {
    Error::NotAnImage { place: Place::document(place), found: found.into(), advice: advice.into() }
}

fn not_found(path: &Path) -> Error {
    let text = escape(path.as_os_str().as_encoded_bytes());
    let schemes = ["docker-daemon:", "containers-storage:"];
    let local = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let remote = ["oci://", "registry:", "https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    if let Some(reference) = remote {
        let advice = format!("leave what stands before the registry out, as in `plimsoll check {reference}`");
        return refuse(&text, format!("there is no file \"{text}\""), advice);
    }
    for scheme in ["docker-archive:", "oci-archive:", "oci-dir:", "oci:", "file://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            let advice = format!("the kind of a file is detected: leave \"{scheme}\" out, as in `plimsoll check {rest}`");
            return refuse(&text, format!("there is no file \"{text}\""), advice);
        }
    }
    if let Some(image) = local {
        let advice = format!("type `docker save {image} | plimsoll check -`, or the same with podman");
        return refuse(&text, format!("there is no file \"{text}\""), advice);
    }
    if looks_like_reference(&text) {
        return short_name(&text, &text);
    }
    let cause = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such file or folder");
    // the name alone: reports hold no path of the host
    Error::Io { what: name(path), cause }
}

/// Whether a name that is no file may be meant as an image's: no path of a usual shape, lower case up to the tag.
fn looks_like_reference(text: &str) -> bool {
    let is_path = text.starts_with(['/', '.', '~']) || text.contains("//");
    let name = text.rsplit_once('@').map_or(text, |(name, _)| name);
    let last = name.rsplit('/').next().unwrap_or(name);
    let repository = last.split(':').next().unwrap_or(last);
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    !is_path && !is_archive_name(text) && !repository.is_empty() && repository.bytes().all(is_word)
}

fn open_folder(path: &Path, shown: String, request: &Request, limits: &Limits) -> Result<Opened, Error> {
    let members = LayoutFolder::new(path.to_owned());
    let has = |name: &str| path.join(name).exists();
    if members.find("index.json")?.is_none() {
        return Err(if has("oci-layout") {
            refuse(&shown, "an OCI layout folder without its index.json", HOW_TO_SAVE)
        } else if has("manifest.json") {
            let folder = escape(path.as_os_str().as_encoded_bytes());
            refuse(&shown, "the unpacked files of a docker archive", format!("type `tar -C {folder} -c . | plimsoll check -`"))
        } else {
            refuse(&shown, "a folder without oci-layout and index.json, so no OCI layout", HOW_TO_SAVE)
        });
    }
    let walked = oci_graph::walk(&members, limits)?;
    walked.check_any()?;
    let images = candidate::select(walked.candidates, walked.remarks, request)?;
    Ok(Opened { kind: Kind::OciLayout, name: shown, images, members: Box::new(members) })
}

fn open_stream(
    mut input: impl Read + Send,
    shown: &str,
    request: &Request,
    visitor: &mut dyn BlobVisitor,
    limits: &Limits,
) -> Result<Opened, Error> {
    let io = |cause| super::walk::outer(compression::into_error(cause));
    let mut head = vec![0; HEAD];
    let filled = fill(&mut input, &mut head).map_err(io)?;
    head.truncate(filled);
    let compressed = compression::sniff(&head);
    let input = BufReader::with_capacity(256 * 1024, Cursor::new(head).chain(input));
    let mut input = compression::decoder(compressed, input, limits)?;
    let mut head = vec![0; HEAD];
    let filled = fill(&mut input, &mut head).map_err(io)?;
    head.truncate(filled);
    check_tar(&head, shown)?;
    let mut members = StreamMembers::read(BufReader::new(Cursor::new(head).chain(input)), visitor, limits)?;
    let oddities = members.take_oddities();
    assemble(Box::new(members), oddities, shown.to_owned(), request, limits)
}

/// An archive's images, by `manifest.json`, `index.json` or both.
fn assemble(
    members: Box<dyn Members>,
    oddities: Oddities,
    name: String,
    request: &Request,
    limits: &Limits,
) -> Result<Opened, Error> {
    let store = members.as_ref();
    let is_there = |name: &str| Ok::<_, Error>(store.find(name)?.is_some());
    let (has_docker, has_index) = (is_there("manifest.json")?, is_there("index.json")?);
    if !has_docker && !has_index {
        return Err(no_image(store, &name)?);
    }
    if let Some(fault) = oddities.fault {
        return Err(fault);
    }
    let docker = if has_docker { Some(docker_archive::manifests(store, limits)?) } else { None };
    if let Some(images) = &docker {
        docker_archive::check_one(images, request)?;
    }
    let mut walked = if has_index { oci_graph::walk(store, limits)? } else { Walked::default() };
    match docker {
        None => walked.check_any()?,
        // docker save of an image without a tag leaves the index empty
        Some(images) if walked.candidates.is_empty() => walked.candidates = docker_archive::candidates(store, images, limits),
        Some(images) => docker_archive::reconcile(store, &images, &mut walked, limits)?,
    }
    walked.remarks.extend(oddities.remarks);
    let images = candidate::select(walked.candidates, walked.remarks, request)?;
    let kind = if has_docker { Kind::DockerArchive } else { Kind::OciArchive };
    Ok(Opened { kind, name, images, members })
}

fn no_image(members: &dyn Members, name: &str) -> Result<Error, Error> {
    if members.find("repositories")?.is_some() {
        let advice = "load it with a Docker before 25 and save it again";
        return Ok(refuse(name, "an archive of docker save 1.9 or older, which has no manifest.json", advice));
    }
    if members.find("oci-layout")?.is_some() {
        return Ok(refuse(name, "an OCI archive without its index.json", HOW_TO_SAVE));
    }
    let sample = members.sample();
    let holds = if sample.is_empty() { "nothing".to_owned() } else { sample.join(", ") };
    let found =
        format!("a tar without manifest.json and index.json (it holds {holds}): a single layer or any other tar, not an image");
    Ok(refuse(name, found, HOW_TO_SAVE))
}

/// Refuses what does not start like a tar, by its own name.
fn check_tar(head: &[u8], name: &str) -> Result<(), Error> {
    if head.is_empty() {
        return Err(refuse(name, "an empty file", HOW_TO_SAVE));
    }
    if is_tar(head) {
        return Ok(());
    }
    let known: [(&[u8], &str, &str); 12] = [
        (b"PK\x03\x04", "a zip file", HOW_TO_SAVE),
        (b"QFI\xfb", "a QCOW2 disk image of a virtual machine", "container images are read, not disks"),
        (b"KDMV", "a VMDK disk image of a virtual machine", "container images are read, not disks"),
        (b"BZh", "a bzip2 file", "type `bzip2 -dc FILE | plimsoll check -`"),
        (b"\x04\x22\x4d\x18", "an lz4 file", "type `lz4 -dc FILE | plimsoll check -`"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z file", HOW_TO_SAVE),
        (b"\x7fELF", "a program", HOW_TO_SAVE),
        (b"hsqs", "a squashfs filesystem", "pack it as an image first"),
        (b"!<arch>\n", "a Debian package or static library", HOW_TO_SAVE),
        (b"\xed\xab\xee\xdb", "an RPM package", HOW_TO_SAVE),
        (b"{", "a JSON document, perhaps one blob of an image", "name the whole layout folder or archive"),
        (b"[", "a JSON document, perhaps a manifest.json", "name the whole archive"),
    ];
    let (_, found, advice) = known.iter().find(|(magic, ..)| head.starts_with(magic)).copied().unwrap_or((
        b"",
        "no tar and no layout folder",
        HOW_TO_SAVE,
    ));
    Err(refuse(name, found, advice))
}

/// A tar header's checksum, unsigned or signed, or the zero block of an empty tar. Less than a block is no tar.
fn is_tar(head: &[u8]) -> bool {
    let Some(field) = head.get(148..156).filter(|_| head.len() == HEAD) else { return false };
    if head.iter().all(|byte| *byte == 0) {
        return true;
    }
    let digits: String = field.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| char::from(*byte)).collect();
    let Ok(written) = i64::from_str_radix(&digits, 8) else { return false };
    let at = |(index, byte): (usize, &u8)| if (148..156).contains(&index) { b' ' } else { *byte };
    let unsigned: i64 = head.iter().enumerate().map(at).map(i64::from).sum();
    let signed: i64 = head.iter().enumerate().map(at).map(|byte| i64::from(byte.cast_signed())).sum();
    written == unsigned || written == signed
}
