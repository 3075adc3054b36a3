//! Lines of a given width: wrapping, labels, colour. Nothing is printed here that a terminal or a log reader would obey.

use anstyle::{AnsiColor, Style};

/// Verdicts and severities that stop a release.
pub(crate) const ALARM: Style = AnsiColor::Red.on_default().bold();
/// Severities that ask for a look.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Severities that seldom matter.
pub(crate) const MILD: Style = AnsiColor::Cyan.on_default().bold();
/// A verdict that lets a release go.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Names that the eye should find.
pub(crate) const STRONG: Style = Style::new().bold();
/// Labels that the eye may skip.
pub(crate) const QUIET: Style = Style::new().dimmed();

/// Column at which labels start.
const INDENT: usize = 2;
/// Column at which the text beside a label starts.
const TEXT: usize = 12;
/// Lines of one text: what an image says of itself can be megabytes long.
const LINES: usize = 24;

/// How text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns that no line exceeds, single long paths excepted; at least 40.
    pub width: usize,
    /// Whether ANSI styles are written.
    pub colour: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { width: 80, colour: false }
    }
}

/// Text under construction.
#[derive(Debug)]
pub(crate) struct Page {
    look: Look,
    out: String,
}

impl Page {
    pub(crate) fn new(look: Look) -> Self {
        Self { look: Look { width: look.width.max(40), ..look }, out: String::new() }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// An empty line, unless there is one already or nothing stands above.
    pub(crate) fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A line that starts with a styled word: `HIGH  compiler`; `tail` is put at the right margin where it fits.
    pub(crate) fn headline(&mut self, style: Style, word: &str, name: &str, tail: &str) {
        let indent = columns(word).saturating_add(2);
        let mut lines = wrap_cut(name, self.look.width.saturating_sub(indent), LINES).into_iter();
        let first = lines.next().unwrap_or_default();
        let used = if first.is_empty() { columns(word) } else { indent.saturating_add(columns(&first)) };
        let room = self.look.width.saturating_sub(used);
        let mut line = self.paint(style, word);
        if !first.is_empty() {
            line = format!("{line}  {}", self.paint(STRONG, &first));
        }
        let fits = !tail.is_empty() && room >= columns(tail).saturating_add(2);
        if fits {
            line.push_str(&" ".repeat(room.saturating_sub(columns(tail))));
            line.push_str(&self.paint(QUIET, tail));
        }
        self.line(0, &line);
        for line in lines {
            let painted = self.paint(STRONG, &line);
            self.line(indent, &painted);
        }
        if !fits && !tail.is_empty() {
            let painted = self.paint(QUIET, tail);
            self.line(indent, &painted);
        }
    }

    /// Wrapped text.
    pub(crate) fn text(&mut self, indent: usize, text: &str) {
        let width = self.look.width.saturating_sub(indent);
        for line in wrap_cut(text, width, LINES) {
            self.line(indent, &line);
        }
    }

    /// A label, and wrapped text beside it.
    pub(crate) fn field(&mut self, label: &str, text: &str) {
        self.field_cut(label, text, LINES);
    }

    /// As [`Page::field`], of at most `most` lines; what is cut is marked with `...`.
    pub(crate) fn field_cut(&mut self, label: &str, text: &str, most: usize) {
        let width = self.look.width.saturating_sub(TEXT);
        for (index, line) in wrap_cut(text, width, most).iter().enumerate() {
            self.labelled(if index == 0 { label } else { "" }, line);
        }
    }

    /// A label, and beside it an item that is never broken, with a remark behind it or, where that is too long, below it.
    pub(crate) fn item(&mut self, label: &str, item: &str, remark: &str) {
        let item = disarm_start(&disarm(item));
        let remark = disarm(remark);
        let used = TEXT.saturating_add(columns(&item)).saturating_add(columns(&remark)).saturating_add(2);
        if remark.is_empty() || used > self.look.width {
            self.labelled(label, &item);
            if !remark.is_empty() {
                for line in wrap(&remark, self.look.width.saturating_sub(TEXT).saturating_sub(2)) {
                    let painted = self.paint(QUIET, &line);
                    self.line(TEXT.saturating_add(2), &painted);
                }
            }
        } else {
            let painted = self.paint(QUIET, &remark);
            self.labelled(label, &format!("{item}  {painted}"));
        }
    }

    /// A line as it is; for what was laid out elsewhere, such as an example.
    pub(crate) fn verbatim(&mut self, indent: usize, line: &str) {
        self.line(indent, &disarm(line));
    }

    /// A row of a table: styled cells, each with its width, and text that is wrapped in the last column.
    pub(crate) fn columns(&mut self, cells: &[(&str, usize, Style)], text: &str) {
        let mut start = String::new();
        let mut used = INDENT;
        for (cell, width, style) in cells {
            let gap = " ".repeat(width.saturating_sub(columns(cell)).saturating_add(2));
            start.push_str(&self.paint(*style, cell));
            start.push_str(&gap);
            used = used.saturating_add((*width).max(columns(cell))).saturating_add(2);
        }
        let mut lines = wrap_cut(text, self.look.width.saturating_sub(used).max(20), LINES).into_iter();
        let first = format!("{start}{}", lines.next().unwrap_or_default());
        self.line(INDENT, &first);
        for line in lines {
            self.line(used, &line);
        }
    }

    /// One line of a table: a styled word in a column of its own width, and text that is cut at the margin.
    pub(crate) fn row(&mut self, style: Style, word: &str, width: usize, text: &str) {
        let text = disarm(text);
        let shown = cut(text.trim_end(), self.look.width.saturating_sub(width.saturating_add(2)));
        let line = format!("{}  {shown}", self.paint(style, &format!("{word:<width$}")));
        self.line(0, &line);
    }

    fn labelled(&mut self, label: &str, text: &str) {
        let gap = " ".repeat(TEXT.saturating_sub(INDENT).saturating_sub(columns(label)).max(1));
        let line = if label.is_empty() { format!("{gap}{text}") } else { format!("{}{gap}{text}", self.paint(QUIET, label)) };
        self.line(INDENT, &line);
    }

    fn line(&mut self, indent: usize, line: &str) {
        if !line.is_empty() {
            self.out.push_str(&" ".repeat(indent));
            self.out.push_str(line);
        }
        self.out.push('\n');
    }

    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.look.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Breaks text at spaces into lines of at most `width` columns; only words that are longer are broken within.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in disarm(text).split_whitespace() {
        let mut word = disarm_start(word);
        if !line.is_empty() && columns(&line).saturating_add(1).saturating_add(columns(&word)) <= width {
            line.push(' ');
            line.push_str(&word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if columns(&word) > width {
            // any piece of it may come to stand at the start of a line
            word = word.replace("::", r"\x3a\x3a");
        }
        // the rest is not measured again for every piece: a word of megabytes would take hours
        let mut rest = word.as_str();
        loop {
            let piece = cut(rest, width);
            let after = rest.get(piece.len()..).unwrap_or_default();
            if after.is_empty() {
                break;
            }
            lines.push(piece.to_owned());
            rest = after;
        }
        rest.clone_into(&mut line);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// As [`wrap`], of at most `most` lines; what is cut is marked with `...`.
fn wrap_cut(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = format!("{} ...", cut(last, width.saturating_sub(4)).trim_end());
        }
    }
    lines
}

/// The start of `text` that is at most `width` columns wide, at least one character.
fn cut(text: &str, width: usize) -> &str {
    let mut used = 0usize;
    for (at, character) in text.char_indices() {
        used = used.saturating_add(columns_of(character));
        if used > width && at > 0 {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// The model's strings are escaped already. What slipped through is replaced here, and `##[` and `##vso[`, which runners
/// of pipelines obey wherever they stand in a log, are written with the escape that the model uses.
pub(crate) fn disarm(text: &str) -> String {
    let printable: String = text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect();
    printable.replace("##[", r"#\x23[").replace("##vso[", r"#\x23vso[")
}

/// `::` at the start of a line is a command to GitHub's runner.
fn disarm_start(text: &str) -> String {
    if text.starts_with("::") { text.replacen("::", r"\x3a:", 1) } else { text.to_owned() }
}

/// Columns of a terminal that `text` takes.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().fold(0, |sum, character| sum.saturating_add(columns_of(character)))
}

/// 2 for the wide and full-width blocks of Unicode's East Asian Width, 1 for all else.
fn columns_of(character: char) -> usize {
    let is_wide = matches!(u32::from(character),
        0x1100..=0x115F | 0x231A..=0x231B | 0x23E9..=0x23F3 | 0x25FD..=0x25FE | 0x2614..=0x27BF | 0x2B1B..=0x2B55
        | 0x2E80..=0x303E | 0x3041..=0xA4CF | 0xA960..=0xA97C | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE10..=0xFE6B
        | 0xFF01..=0xFF60 | 0xFFE0..=0xFFE6 | 0x16FE0..=0x18DFF | 0x1AFF0..=0x1B2FF | 0x1F000..=0x1FAFF | 0x20000..=0x3FFFD);
    if is_wide { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole_where_they_fit_and_broken_where_they_do_not() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("a abcdefghij", 4), ["a", "abcd", "efgh", "ij"]);
        assert_eq!(wrap("中文字", 4), ["中文", "字"]);
        assert!(wrap(" ", 4).is_empty());
    }

    #[test]
    fn a_word_of_megabytes_is_cut_at_once_and_marked() {
        let word = "x".repeat(8 << 20);
        assert_eq!(wrap(&word, 68).len(), (8 << 20) / 68 + 1);
        let mut page = Page::new(Look::default());
        page.field("user", &word);
        page.text(2, &word);
        let text = page.finish();
        assert_eq!(text.lines().count(), 2 * LINES);
        assert_eq!(text.matches(" ...\n").count(), 2);
    }

    #[test]
    fn no_line_starts_with_what_a_runner_of_pipelines_obeys() {
        assert_eq!(wrap("aaa ::error::x", 20), [r"aaa \x3a:error::x"]);
        assert!(wrap("aaaa::error::", 4).iter().all(|line| !line.starts_with("::")));
        assert_eq!(disarm("a ##[error] ##vso[x]\u{1b}"), "a #\\x23[error] #\\x23vso[x]\u{fffd}");
        let mut page = Page::new(Look::default());
        page.item("", "::warning::/x", "");
        assert!(!page.finish().trim_start().starts_with("::"));
    }

    #[test]
    fn colour_does_not_count_as_width() {
        let mut page = Page::new(Look { width: 40, colour: true });
        page.headline(ALARM, "HIGH", "compiler", "1.0 MiB");
        let stripped = anstream::adapter::strip_str(&page.finish()).to_string();
        assert_eq!(stripped, format!("HIGH  compiler{}1.0 MiB\n", " ".repeat(19)));
    }

    proptest::proptest! {
        #[test]
        fn wrapped_lines_are_never_wider_and_never_hold_controls(text: String, width in 2usize..90) {
            for line in wrap(&text, width) {
                proptest::prop_assert!(columns(&line) <= width);
                proptest::prop_assert!(!line.chars().any(char::is_control));
                proptest::prop_assert!(!line.starts_with("::"));
            }
        }
    }
}
