//! What the files of a chain say together becomes a [`Policy`]; everything that names something else is held against what there is.

mod score;

use std::collections::{BTreeMap, BTreeSet};

use super::error::PolicyError;
use super::file::{BaseTable, CheckTable, ControlTable, LabelTable, PolicyFile, RuleTable, WaiverTable};
use super::load::Compile;
use super::place::{Place, Spot, Text};
use super::tree::Node;
use super::{
    BaseRule, CheckRule, Control, Floors, KnownBase, LabelRule, Policy, Rule, SizeRule, Waiver, glob, likeness, requirement,
};
use crate::checks;

/// Faults that are told at once; who has more mends these first.
const MOST_FAULTS: usize = 50;
/// Globs of one policy: each is compiled.
const MOST_GLOBS: usize = 10_000;

/// The policy that `file`, which is `tree` without its places, stands for. Err holds everything that is wrong, up to a bound.
pub(super) fn resolve(
    file: PolicyFile,
    tree: &Node,
    texts: &[Text],
    default_name: String,
    compile: Compile,
) -> Result<Policy, Vec<PolicyError>> {
    let own = file.rules.iter().map(|rule| rule.id.clone());
    let known = built_in().map(ToOwned::to_owned).chain(own).collect();
    let mut resolver = Resolver { tree, texts, known, globs: 0, faults: Vec::new() };
    let default = Policy::default();
    let policy = Policy {
        name: file.name.filter(|name| !name.trim().is_empty()).unwrap_or(default_name),
        fail_on: file.fail_on.map_or(default.fail_on, Into::into),
        fail_on_origin: file.fail_on_origin.map_or(default.fail_on_origin, Into::into),
        allow_incomplete: file.allow_incomplete.unwrap_or(default.allow_incomplete),
        floors: file.floors.map_or(default.floors, |floors| {
            if let Some(score) = floors.score {
                resolver.in_range("floors.score", score, &["floors", "score"]);
            }
            Floors { score: floors.score, grade: floors.grade.map(Into::into) }
        }),
        checks: resolver.checks(file.checks),
        labels: resolver.labels(file.labels),
        base: resolver.base(file.base.unwrap_or_default()),
        sizes: file.sizes.map_or(default.sizes, |sizes| SizeRule {
            shipped: sizes.shipped.map(|size| size.0),
            compressed: sizes.compressed.map(|size| size.0),
            ballast: sizes.ballast.map(|size| size.0),
        }),
        waivers: resolver.waivers(file.waivers),
        rules: resolver.rules(file.rules, compile),
        score: file.score.map_or(default.score, |score| score::rule(score, &mut resolver)),
        controls: resolver.controls(file.controls),
    };
    if resolver.faults.is_empty() { Ok(policy) } else { Err(resolver.faults) }
}

struct Resolver<'t> {
    tree: &'t Node,
    texts: &'t [Text],
    known: BTreeSet<String>,
    /// Globs so far.
    globs: usize,
    faults: Vec<PolicyError>,
}

impl Resolver<'_> {
    fn fault(&mut self, fault: PolicyError) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }

    /// Where the value at `path` starts; of what is not there, the nearest above.
    fn at(&self, path: &[&str]) -> Place {
        self.place(path, |node| node.at)
    }

    /// Where the key of the value at `path` starts.
    fn key_at(&self, path: &[&str]) -> Place {
        self.place(path, |node| node.key)
    }

    fn place(&self, path: &[&str], spot: impl Fn(&Node) -> Spot) -> Place {
        let node = (0..=path.len()).rev().find_map(|length| self.tree.below(path.get(..length)?)).unwrap_or(self.tree);
        let spot = spot(node);
        self.texts.get(spot.file).map_or_else(|| Place::start_of(""), |text| text.place(spot.offset))
    }

    fn filled(&mut self, text: &str, key: &'static str, path: &[&str]) {
        if text.trim().is_empty() {
            let place = self.at(&[path, &[key]].concat());
            self.fault(PolicyError::Empty { place, key });
        }
    }

    fn glob(&mut self, glob: &str, path: &[&str]) {
        self.globs = self.globs.saturating_add(1);
        if self.globs > MOST_GLOBS {
            if self.globs == MOST_GLOBS.saturating_add(1) {
                let place = self.at(path);
                self.fault(PolicyError::TooManyGlobs { place, limit: MOST_GLOBS });
            }
        } else if let Err(problem) = glob::check(glob) {
            let place = self.at(path);
            self.fault(PolicyError::Glob { place, glob: glob.to_owned(), problem });
        }
    }

    fn in_range(&mut self, key: &str, found: f64, path: &[&str]) {
        if !(0.0..=100.0).contains(&found) {
            let place = self.at(path);
            self.fault(PolicyError::Range { place, key: key.to_owned(), found, wanted: "a number from 0 to 100" });
        }
    }

    fn digest(&mut self, digest: &str, path: &[&str]) {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(is_hex)) {
            let place = self.at(path);
            self.fault(PolicyError::Digest { place, found: digest.to_owned() });
        }
    }

    fn known_id(&mut self, id: &str, place: impl Fn(&Self) -> Place) {
        // likeness takes time: not for faults that nobody will see
        if !self.known.contains(id) && self.faults.len() < MOST_FAULTS {
            let words = self.known.iter().map(String::as_str);
            let advice = likeness::advice(id, words, "`plimsoll checks` lists the checks");
            let place = place(self);
            self.fault(PolicyError::UnknownWord { place, what: "check", word: id.to_owned(), advice });
        }
    }

    fn checks(&mut self, checks: BTreeMap<String, CheckTable>) -> BTreeMap<String, CheckRule> {
        let mut rules = BTreeMap::new();
        for (id, check) in checks {
            self.known_id(&id, |this| this.key_at(&["checks", &id]));
            let allow = check.allow.unwrap_or_default();
            for (number, glob) in allow.iter().enumerate() {
                self.glob(glob, &["checks", &id, "allow", &number.to_string()]);
            }
            let rule = CheckRule {
                is_off: check.enabled == Some(false),
                severity: check.severity.map(Into::into),
                min_bytes: check.min_bytes.map(|size| size.0),
                allow,
            };
            rules.insert(id, rule);
        }
        rules
    }

    fn labels(&mut self, labels: BTreeMap<String, LabelTable>) -> BTreeMap<String, LabelRule> {
        let mut rules = BTreeMap::new();
        for (name, label) in labels {
            if let Some(value) = &label.value {
                self.glob(value, &["labels", &name, "value"]);
            }
            if label.required != Some(false) {
                rules.insert(name, LabelRule { value: label.value });
            }
        }
        rules
    }

    fn base(&mut self, base: BaseTable) -> BaseRule {
        let mut allowed = Vec::new();
        for (number, known) in base.allowed.into_iter().enumerate() {
            let number = number.to_string();
            let path = ["base", "allowed", number.as_str()];
            self.filled(&known.name, "name", &path);
            if known.diff_ids.is_empty() {
                let place = self.at(&["base", "allowed", &number, "diff_ids"]);
                self.fault(PolicyError::Empty { place, key: "diff_ids" });
            }
            for (index, digest) in known.diff_ids.iter().enumerate() {
                self.digest(digest, &["base", "allowed", &number, "diff_ids", &index.to_string()]);
            }
            allowed.push(KnownBase { name: known.name, diff_ids: known.diff_ids });
        }
        BaseRule { is_required: base.required == Some(true), allowed }
    }

    fn waivers(&mut self, tables: Vec<WaiverTable>) -> Vec<Waiver> {
        let mut waivers = Vec::new();
        for (number, table) in tables.into_iter().enumerate() {
            let number = number.to_string();
            let path = ["waivers", number.as_str()];
            self.known_id(&table.check, |this| this.at(&["waivers", &number, "check"]));
            self.filled(&table.reason, "reason", &path);
            for (key, glob) in [("path", &table.path), ("image", &table.image)] {
                if let Some(glob) = glob {
                    self.glob(glob, &["waivers", &number, key]);
                }
            }
            if let Some(digest) = &table.digest {
                self.digest(digest, &["waivers", &number, "digest"]);
            }
            waivers.push(Waiver {
                check: table.check,
                path: table.path,
                image: table.image,
                digest: table.digest,
                reason: table.reason,
                expires: table.expires.0,
                owner: table.owner,
                place: self.at(&path).short(),
            });
        }
        waivers
    }

    fn rules(&mut self, tables: Vec<RuleTable>, compile: Compile) -> Vec<Rule> {
        let mut rules = Vec::new();
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for (number, table) in tables.into_iter().enumerate() {
            let number = number.to_string();
            let path = ["rules", number.as_str()];
            let texts = [("title", &table.title), ("when", &table.when), ("message", &table.message), ("fix", &table.fix)];
            for (key, text) in texts {
                self.filled(text, key, &path);
            }
            let place = self.at(&["rules", &number, "id"]);
            if let Some(problem) = wrong_id(&table.id) {
                self.fault(PolicyError::RuleId { place: place.clone(), id: table.id.clone(), problem });
            }
            if let Some(first) = seen.insert(table.id.clone(), number.clone()) {
                let first = self.at(&["rules", &first, "id"]);
                self.fault(PolicyError::Duplicate { place, what: "rule", name: table.id.clone(), first });
            }
            let rule = Rule {
                id: table.id,
                title: table.title,
                severity: table.severity.into(),
                when: table.when,
                message: table.message,
                fix: table.fix,
            };
            if let Err(problem) = compile(&rule) {
                let place = self.at(&["rules", &number, "when"]);
                self.fault(PolicyError::Rule { place, id: rule.id.clone(), problem });
            }
            rules.push(rule);
        }
        rules
    }

    fn controls(&mut self, tables: Vec<ControlTable>) -> Vec<Control> {
        let mut controls = Vec::new();
        let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
        for (number, table) in tables.into_iter().enumerate() {
            let number = number.to_string();
            for (key, text) in [("framework", &table.framework), ("id", &table.id), ("title", &table.title)] {
                self.filled(text, key, &["controls", &number]);
            }
            if let Some(first) = seen.insert((table.framework.clone(), table.id.clone()), number.clone()) {
                let (place, first) = (self.at(&["controls", &number, "id"]), self.at(&["controls", &first, "id"]));
                let name = format!("{} {}", table.framework, table.id);
                self.fault(PolicyError::Duplicate { place, what: "control", name, first });
            }
            for (index, id) in table.checks.iter().enumerate() {
                self.known_id(id, |this| this.at(&["controls", &number, "checks", &index.to_string()]));
            }
            let ControlTable { framework, id, title, checks, note } = table;
            controls.push(Control { framework, id, title, checks, note });
        }
        controls
    }
}

/// Ids of built-in checks and of requirements.
fn built_in() -> impl Iterator<Item = &'static str> {
    checks::ALL.iter().map(|check| check.id).chain(requirement::REQUIREMENTS.iter().map(|one| one.id))
}

/// Why a rule cannot have this id; None when it can.
fn wrong_id(id: &str) -> Option<&'static str> {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !id.split('-').all(is_word) || id.starts_with(|first: char| first.is_ascii_digit()) {
        return Some("write lower-case words with dashes between them, such as `no-curl`");
    }
    built_in().any(|taken| taken == id).then_some("a built-in check has it")
}
