//! The answer of `plimsoll why` for people.

use super::listing;
use super::model::why::{
    FolderReport, LinkReport, OwnerReport, PackageRemoval, PackagesReport, PartReport, VersionReport, Why, WriterReport,
};
use super::model::{EntryReport, LocationReport};
use super::quantity::{bytes, count};
use super::text::page::{ALARM, Page, STRONG};
use super::text::{Look, components};

/// Names of many packages that are shown; JSON has more.
const PACKAGES: usize = 6;
/// Findings that are shown; JSON has more.
const FINDINGS: usize = 8;
/// Lines of one instruction.
const LINES: usize = 3;

/// The whole answer as text.
#[must_use]
pub fn render(why: &Why, look: Look) -> String {
    let mut page = Page::new(look);
    let image = why.reference.as_ref().unwrap_or(&why.source);
    page.headline(STRONG, &why.entry.path, "", image);
    if why.asked != why.entry.path {
        page.field("asked", &format!("{} (folders on the way are links)", why.asked));
    }
    if let Some(deleted_by) = &why.deleted_by {
        let (shipped, gone) = (why.written_by.layer, deleted_by.layer);
        page.headline(
            ALARM,
            "GONE",
            &format!("from what a container sees since layer {gone}; layer {shipped} still ships it"),
            "",
        );
    }
    page.field("is", &what(&why.entry));
    for name in why.names.iter().take(FINDINGS) {
        page.item("", name, "the same file (hard link)");
    }
    let more = why.name_count.saturating_sub(as_u64(why.names.len().min(FINDINGS)));
    if more > 0 {
        page.field("", &format!("and {} more names of the same file", count(more)));
    }
    if let Some(link) = &why.link {
        leads(&mut page, link);
    }
    writer(&mut page, if why.folder.is_some() { "made in" } else { "layer" }, &why.written_by, why.layers);
    for version in &why.earlier {
        page.field_cut("earlier", &earlier(version), LINES);
    }
    if let Some(deleted_by) = &why.deleted_by {
        writer(&mut page, "deleted", deleted_by, why.layers);
    }
    match &why.package {
        Some(owner) => package(&mut page, owner),
        None if why.present && why.folder.is_none() => page.field("package", "none owns it"),
        None => {}
    }
    if let Some(component) = &why.component {
        page.field("part of", &components::described(component));
    }
    if let Some(folder) = &why.folder {
        inside(&mut page, folder, why.present);
    }
    beside(&mut page, why);
    findings(&mut page, why);
    removal(&mut page, why);
    page.finish()
}

/// `-rwxr-xr-x 0:0 file, 26.1 MiB (27,367,424 bytes)`
fn what(entry: &EntryReport) -> String {
    let kind = kind(&entry.r#type);
    let size = entry.size.map(|size| format!(", {}", exact(size))).unwrap_or_default();
    let target = entry.linktarget.as_ref().map(|target| format!(" to {target}")).unwrap_or_default();
    let device = entry.dev.map(|[major, minor]| format!(" {major}, {minor}")).unwrap_or_default();
    let implied = if entry.implied { " that no entry of a layer names" } else { "" };
    format!("{} {}:{} {kind}{target}{device}{size}{implied}", listing::mode(entry), entry.uid, entry.gid)
}

fn kind(kind: &str) -> &str {
    match kind {
        "dir" => "folder",
        "symlink" => "link",
        "char" => "character device",
        "block" => "block device",
        "fifo" => "named pipe",
        other => other,
    }
}

/// Bytes, and their exact number where the unit hides it.
fn exact(size: u64) -> String {
    if size < 1024 { bytes(size) } else { format!("{} ({} bytes)", bytes(size), count(size)) }
}

fn leads(page: &mut Page, link: &LinkReport) {
    for hop in link.hops.iter().skip(1) {
        page.item("leads to", &hop.path, &format!("a link to {}", hop.target));
    }
    match (&link.end, &link.problem) {
        (Some(end), _) => {
            let package = link.package.as_ref().map(|package| format!(", of {package}")).unwrap_or_default();
            let size = end.size.map(|size| format!(", {}", bytes(size))).unwrap_or_default();
            page.item("leads to", &end.path, &format!("{}{size}{package}", kind(&end.r#type)));
        }
        (None, problem) => {
            page.field("leads to", &format!("nothing: {}", problem.as_deref().unwrap_or("it does not exist")));
        }
    }
}

/// `3 (of 0 to 9; yours): RUN apt-get install gcc`, and the line below.
fn writer(page: &mut Page, label: &str, writer: &WriterReport, layers: usize) {
    let origin = match writer.origin.as_deref() {
        Some("inherited") => "; of the base image",
        Some("yours") => "; yours",
        _ => "",
    };
    let last = layers.saturating_sub(1);
    let instruction = writer.instruction.as_deref().unwrap_or("the history does not tell what made it");
    page.field_cut(label, &format!("{} (of 0 to {last}{origin}): {instruction}", writer.layer), LINES);
    if let Some(location) = &writer.location {
        line(page, location);
    }
}

fn line(page: &mut Page, location: &LocationReport) {
    let sure = match location.confidence.as_str() {
        "exact" => "the builder's provenance says so",
        "aligned" => "the history and the Dockerfile agree",
        "stage" => "somewhere in this stage",
        "base" => "the base image brought it",
        _ => "the Dockerfile does not agree with the image",
    };
    page.item("line", &format!("{}:{}", location.file, location.line), sure);
    for related in location.related.iter().take(PACKAGES) {
        page.field_cut("", &format!("{}:{}  {}", related.file, related.start_line, related.instruction), 1);
    }
}

fn earlier(version: &VersionReport) -> String {
    let VersionReport { written_by, fate, ended_by, .. } = version;
    let size = version.size.map(bytes).unwrap_or_default();
    let fate = match fate.as_str() {
        "deleted" => format!("deleted in layer {ended_by}"),
        "copied" => format!("copied in layer {ended_by} for another mode or owner"),
        _ => format!("replaced in layer {ended_by}"),
    };
    let instruction = written_by.instruction.as_deref().unwrap_or("the history does not tell what made it");
    format!("layer {} ships {} {size}, {fate}: {instruction}", written_by.layer, kind(&version.r#type))
}

fn package(page: &mut Page, owner: &OwnerReport) {
    let package = &owner.package;
    let title = format!("{} {} {}", package.name, package.version, package.architecture);
    page.field("package", &format!("{}, {}", title.trim_end(), files(&owner.files)));
    if let Some(problem) = &owner.problem {
        page.field("needed by", &format!("not known: {problem}"));
        return;
    }
    let standing = match owner.standing.as_str() {
        "asked-for" => "it was asked for itself",
        "base" => "it is part of the base system",
        "top" => "nothing requires it; nothing in the image tells who asked for it",
        "left" => "nothing requires it: it came along with another package, as a recommendation, or for one that is gone",
        "unknown" => "only packages that nothing else requires",
        _ => "",
    };
    if !standing.is_empty() {
        page.field("needed by", standing);
    }
    for (index, chain) in owner.chains.iter().enumerate() {
        let root = match chain.root.as_str() {
            "asked-for" => "asked for",
            "base" => "base system",
            _ => "nothing requires it",
        };
        page.field(if index == 0 { "needed by" } else { "" }, &format!("{} ({root})", chain.packages.join(" <- ")));
    }
    if owner.more_chains {
        page.field("", "and more");
    }
    if owner.required_by.count > 0 && owner.chains.is_empty() {
        page.field("", &format!("required by {}", named(&owner.required_by)));
    }
}

fn inside(page: &mut Page, folder: &FolderReport, is_present: bool) {
    page.field("holds", &files(&folder.files));
    biggest(page, &folder.files, "");
    for (index, share) in folder.layers.iter().take(PACKAGES).enumerate() {
        let WriterReport { layer, instruction, origin, .. } = &share.written_by;
        let base = if origin.as_deref() == Some("inherited") { " (base image)" } else { "" };
        let part = PartReport { files: share.files, bytes: share.bytes, biggest: Vec::new() };
        let instruction = instruction.as_deref().unwrap_or("the history does not tell what made it");
        let label = if index == 0 { "from" } else { "" };
        page.field_cut(label, &format!("layer {layer}{base}: {}: {instruction}", files(&part)), 2);
    }
    let more = folder.layers.len().saturating_sub(PACKAGES);
    if more > 0 {
        page.field("", &format!("and {more} more layers"));
    }
    if !is_present {
        return;
    }
    for (index, share) in folder.owners.iter().enumerate() {
        let label = if index == 0 { "owned by" } else { "" };
        let part = PartReport { files: share.files, bytes: share.bytes, biggest: Vec::new() };
        page.item(label, &share.package, &files(&part));
    }
    let more = folder.owner_count.saturating_sub(as_u64(folder.owners.len()));
    if more > 0 {
        page.field("", &format!("and {} more packages", count(more)));
    }
    if folder.unowned.files > 0 {
        page.field("unowned", &files(&folder.unowned));
        if !folder.owners.is_empty() {
            biggest(page, &folder.unowned, "");
        }
    }
}

/// What came with it: the package's biggest files, and the layer's.
fn beside(page: &mut Page, why: &Why) {
    if let Some(owner) = &why.package
        && owner.files.files > 1
    {
        page.field("with it", &format!("{} of the package:", files(&owner.files)));
        biggest(page, &owner.files, &why.entry.path);
    }
    // of a folder the layer is only that which made it
    if why.layer_files.files > 1 && why.folder.is_none() {
        let label = if why.package.as_ref().is_some_and(|owner| owner.files.files > 1) { "" } else { "with it" };
        page.field(label, &format!("{} of layer {}:", files(&why.layer_files), why.written_by.layer));
        biggest(page, &why.layer_files, &why.entry.path);
    }
}

fn files(part: &PartReport) -> String {
    let plural = if part.files == 1 { "" } else { "s" };
    format!("{} file{plural}, {}", count(part.files), bytes(part.bytes))
}

/// The biggest files but the one that the answer is about.
fn biggest(page: &mut Page, part: &PartReport, but: &str) {
    for file in part.biggest.iter().filter(|file| file.path != but) {
        page.item("", &file.path, &bytes(file.bytes));
    }
}

fn findings(page: &mut Page, why: &Why) {
    for (index, finding) in why.findings.iter().take(FINDINGS).enumerate() {
        let label = if index == 0 { "findings" } else { "" };
        page.field_cut(label, &format!("{} {}: {}", finding.severity, finding.check, finding.message), 2);
    }
    let more = why.findings.len().saturating_sub(FINDINGS);
    if more > 0 {
        page.field("", &format!("and {more} more: plimsoll check tells them"));
    }
}

fn removal(page: &mut Page, why: &Why) {
    page.blank();
    let alone = why.removal.bytes;
    let because = match (why.entry.r#type.as_str(), why.name_count) {
        ("file", 1..) if why.present => "; the file stays under its other names",
        ("symlink", _) => "; a link takes no bytes of its own",
        _ => "",
    };
    page.field("without", &format!("the {} alone frees {}{because}", kind(&why.entry.r#type), bytes(alone)));
    if let Some(package) = &why.removal.package {
        of_package(page, package, why);
    }
    page.field("", &advice(why));
    if why.removal.earlier_bytes > 0 {
        page.field("", &format!("lower layers ship another {} of its earlier versions", bytes(why.removal.earlier_bytes)));
    }
}

/// Where it has to go from.
fn advice(why: &Why) -> String {
    let shares = why.folder.as_ref().map(|folder| folder.layers.as_slice()).unwrap_or_default();
    let writer = shares.first().map_or(&why.written_by, |share| &share.written_by);
    let WriterReport { layer, instruction, origin, .. } = writer;
    let change = match (origin.as_deref(), instruction) {
        _ if shares.len() > 1 => "change what made the layers above".to_owned(),
        (Some("inherited"), _) => format!("take a base image without it: layer {layer} came with the base"),
        (_, Some(_)) => format!("change the instruction that made layer {layer}"),
        (_, None) => format!("change what made layer {layer}"),
    };
    if why.present {
        format!("to be rid of it, {change}; deleting it in a later layer frees nothing, since every layer is shipped whole")
    } else {
        format!("deleting it freed nothing, since every layer is shipped whole: to be rid of it, {change}")
    }
}

fn of_package(page: &mut Page, package: &PackageRemoval, why: &Why) {
    let name = why.package.as_ref().map_or("", |owner| owner.package.name.as_str());
    page.field("", &format!("the package {name} frees {}", bytes(package.bytes)));
    if package.dependents.count > 0 {
        page.field("", &format!("it takes with it what requires it: {}", named(&package.dependents)));
    }
    if package.orphans.count > 0 {
        page.field("", &format!("and leaves without need: {}", named(&package.orphans)));
    }
    if package.dependents.count > 0 || package.orphans.count > 0 {
        page.field("", &format!("all of these free {}", bytes(package.total_bytes)));
    }
}

/// `3 packages, 12.0 MiB: a, b, c`
fn named(packages: &PackagesReport) -> String {
    let shown = packages.names.iter().take(PACKAGES).cloned().collect::<Vec<_>>();
    let more = packages.count.saturating_sub(as_u64(shown.len()));
    let more = if more > 0 { format!(" and {} more", count(more)) } else { String::new() };
    let plural = if packages.count == 1 { "" } else { "s" };
    format!("{} package{plural}, {}: {}{more}", count(packages.count), bytes(packages.bytes), shown.join(", "))
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{json, samples};
    use super::*;

    #[test]
    fn the_answers_for_people() {
        for (name, why) in samples::whys() {
            insta::assert_snapshot!(format!("why_{name}"), render(&why, Look::default()));
        }
    }

    #[test]
    fn the_answer_for_machines() {
        let mut out = Vec::new();
        json::write_why(&samples::whys().swap_remove(0).1, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }

    #[test]
    fn nothing_of_an_image_gives_orders() {
        for (_, mut why) in samples::whys() {
            why.written_by.instruction = Some("RUN a\u{1b}[2J ##[add-path]/x".into());
            why.entry.linktarget = Some("##vso[x]\u{7}".into());
            why.names = vec!["::error::x\n".into()];
            let text = render(&why, Look::default());
            assert!(!text.contains("##[") && !text.contains("##vso["));
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
            assert!(text.lines().all(|line| !line.trim_start().starts_with("::")));
        }
    }
}
