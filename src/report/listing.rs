//! The long form of `plimsoll ls`: one line an entry, in the manner of `ls -l`.

use std::fmt::Write as _;

use super::model::EntryReport;
use super::quantity::count;
use super::text::page::disarm;

/// The line above the entries.
pub const HEADER: &str = "mode        owner:group          size  layer  path";

/// One entry as one line, without its newline: type and mode, owner and group, size (or device numbers), layer, path, and
/// ` -> target` of a symbolic link, ` link to /path` of a further name of a file, ` (implied)` of a directory that no entry names.
#[must_use]
pub fn line(entry: &EntryReport) -> String {
    let owner = format!("{}:{}", entry.uid, entry.gid);
    let size = match (entry.size, entry.dev) {
        (Some(size), _) => count(size),
        (None, Some([major, minor])) => format!("{major}, {minor}"),
        (None, None) => "-".to_owned(),
    };
    let mut line = format!("{}  {owner:<11} {size:>13}  {:>5}  {}", mode(entry), entry.layer, entry.path);
    // writing to a String cannot fail
    if let Some(target) = &entry.linktarget {
        let _ = write!(line, " -> {target}");
    }
    if let Some(first) = &entry.hardlink_of {
        let _ = write!(line, " link to {first}");
    }
    if entry.implied {
        line.push_str(" (implied)");
    }
    disarm(&line)
}

/// `drwxr-xr-x`, with `s`, `S`, `t` and `T` as ls(1) shows them.
pub(super) fn mode(entry: &EntryReport) -> String {
    let kind = match entry.r#type.as_str() {
        "file" => '-',
        "dir" => 'd',
        "symlink" => 'l',
        "char" => 'c',
        "block" => 'b',
        "fifo" => 'p',
        _ => '?',
    };
    let Ok(mode) = u32::from_str_radix(&entry.mode, 8) else {
        return format!("{kind}?????????");
    };
    let mut shown = String::from(kind);
    for (read, special, letter) in [(0o400, 0o4000, 's'), (0o040, 0o2000, 's'), (0o004, 0o1000, 't')] {
        shown.push(if mode & read == 0 { '-' } else { 'r' });
        shown.push(if mode & (read >> 1) == 0 { '-' } else { 'w' });
        shown.push(match (mode & (read >> 2) != 0, mode & special != 0) {
            (true, false) => 'x',
            (false, false) => '-',
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
        });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn modes_are_shown_as_ls_shows_them() {
        let shown = |r#type: &str, octal: &str| {
            mode(&EntryReport { r#type: r#type.to_owned(), mode: octal.to_owned(), ..samples::entry("/x") })
        };
        assert_eq!(shown("file", "4755"), "-rwsr-xr-x");
        assert_eq!(shown("dir", "1777"), "drwxrwxrwt");
        assert_eq!(shown("file", "6644"), "-rwSr-Sr--");
        assert_eq!(shown("dir", "1770"), "drwxrwx--T");
        assert_eq!(shown("fifo", "0000"), "p---------");
    }

    #[test]
    fn the_listing_for_people() {
        let lines: Vec<String> = samples::entries().iter().map(line).collect();
        insta::assert_snapshot!(format!("{HEADER}\n{}", lines.join("\n")));
    }

    #[test]
    fn a_listed_name_cannot_give_commands() {
        let hostile = EntryReport { linktarget: Some("##[add-path]/x\u{1b}[2J".into()), ..samples::entry("/a") };
        let shown = line(&hostile);
        assert!(!shown.contains("##[") && !shown.chars().any(char::is_control));
    }
}
