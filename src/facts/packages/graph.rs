//! Which package needs which: requirements resolved to installed packages, by name.
//!
//! A name is met by the packages of that name, or, when there is none, by those that provide it, or by the package that owns the file
//! of that path. Of alternatives every installed one counts: what is told to be needed may be more than is, never less. Versions are not
//! compared, since a manager lets nothing else stand. Everything is linear in packages and edges, and nothing recurses.

use std::collections::HashMap;

use super::Package;
use crate::limits::{LimitHit, Limits};

/// Edges between packages, by index into [`super::Packages::list`].
#[derive(Debug, Clone, Default)]
pub struct Graph {
    needs: Edges,
    needed_by: Edges,
    is_root: Vec<bool>,
}

/// Targets of package `n` are `targets[starts[n]..starts[n + 1]]`.
#[derive(Debug, Clone, Default)]
struct Edges {
    starts: Vec<usize>,
    targets: Vec<usize>,
}

impl Edges {
    fn of(&self, package: usize) -> &[usize] {
        let range = || Some(*self.starts.get(package)?..*self.starts.get(package.checked_add(1)?)?);
        range().and_then(|range| self.targets.get(range)).unwrap_or_default()
    }

    fn reversed(&self, packages: usize) -> Self {
        let mut starts = vec![0_usize; packages.saturating_add(1)];
        for target in &self.targets {
            if let Some(count) = starts.get_mut(target.saturating_add(1)) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0_usize;
        for start in &mut starts {
            sum = sum.saturating_add(*start);
            *start = sum;
        }
        let mut free = starts.clone();
        let mut targets = vec![0; self.targets.len()];
        for package in 0..packages {
            for target in self.of(package) {
                let Some(at) = free.get_mut(*target) else { continue };
                if let Some(place) = targets.get_mut(*at) {
                    *place = package;
                }
                *at = at.saturating_add(1);
            }
        }
        Self { starts, targets }
    }
}

/// Who goes by a name.
#[derive(Default)]
struct Candidates {
    named: Vec<usize>,
    providing: Vec<usize>,
}

impl Graph {
    /// Resolves the requirements of all packages. `owner` tells which package owns a path.
    ///
    /// # Errors
    ///
    /// There are more requirements and edges than `package-relations` allows: nothing is known then.
    pub(super) fn of(list: &[Package], limits: &Limits, mut owner: impl FnMut(&str) -> Option<usize>) -> Result<Self, LimitHit> {
        let mut work = Work { limits, done: 0 };
        let mut names: HashMap<&str, Candidates> = HashMap::new();
        for (index, package) in list.iter().enumerate() {
            names.entry(&package.name).or_default().named.push(index);
            for provided in package.provides.iter().flat_map(super::Relation::alternatives) {
                work.step(1)?;
                let candidates = names.entry(provided.name).or_default();
                // names that a package provides twice, at two versions, follow one another or cost one edge
                if candidates.providing.last() != Some(&index) {
                    candidates.providing.push(index);
                }
            }
        }
        let mut needs = Edges { starts: vec![0], targets: Vec::new() };
        for (index, package) in list.iter().enumerate() {
            let start = needs.targets.len();
            for wanted in package.requires.iter().flat_map(super::Relation::alternatives) {
                work.step(1)?;
                match names.get(wanted.name) {
                    Some(found) => {
                        let met = if found.named.is_empty() { &found.providing } else { &found.named };
                        work.step(met.len())?;
                        needs.targets.extend(of_architecture(list, package, met).filter(|target| *target != index));
                    }
                    None if wanted.name.starts_with('/') => {
                        needs.targets.extend(owner(wanted.name).filter(|target| *target != index));
                    }
                    None => {}
                }
            }
            let mut mine = needs.targets.split_off(start);
            mine.sort_unstable();
            mine.dedup();
            needs.targets.append(&mut mine);
            needs.starts.push(needs.targets.len());
        }
        let needed_by = needs.reversed(list.len());
        let is_root = |(index, package): (usize, &Package)| {
            package.is_base || package.asked_for.unwrap_or_else(|| needed_by.of(index).is_empty())
        };
        let is_root = list.iter().enumerate().map(is_root).collect();
        Ok(Self { needs, needed_by, is_root })
    }

    /// What a package requires, sorted.
    #[must_use]
    pub fn needs(&self, package: usize) -> &[usize] {
        self.needs.of(package)
    }

    /// What requires a package, sorted.
    #[must_use]
    pub fn needed_by(&self, package: usize) -> &[usize] {
        self.needed_by.of(package)
    }

    /// Whether a package stands for itself: somebody asked for it, it is part of the base system, or, where nobody remembers who
    /// asked for what, nothing requires it.
    #[must_use]
    pub fn is_root(&self, package: usize) -> bool {
        self.is_root.get(package).copied().unwrap_or_default()
    }

    /// These packages and all that they require, directly or through others; sorted.
    #[must_use]
    pub fn closure(&self, from: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let marks = self.marked(from, &[]);
        indexes(&marks)
    }

    /// The shortest ways up from a package to packages that stand for themselves, the package first and that root last; shorter ways
    /// first, one way for each root, at most `most`. Empty when it is a root itself, or nothing that is one requires it.
    #[must_use]
    pub fn chains(&self, package: usize, most: usize) -> Vec<Vec<usize>> {
        let mut came_from: Vec<Option<usize>> = vec![None; self.is_root.len()];
        let mut chains = Vec::new();
        let mut queue = if self.is_root(package) { Vec::new() } else { vec![package] };
        let mut next = 0_usize;
        while let Some(at) = queue.get(next).copied().filter(|_| chains.len() < most) {
            next = next.saturating_add(1);
            if self.is_root(at) {
                chains.push(way(&came_from, package, at));
                continue;
            }
            for needer in self.needed_by(at) {
                if let Some(before) = came_from.get_mut(*needer).filter(|before| before.is_none() && *needer != package) {
                    *before = Some(at);
                    queue.push(*needer);
                }
            }
        }
        chains
    }

    /// What nothing else needs once these packages are gone: what they require, less what stands for itself and what the packages that
    /// stay require; sorted. Whether something that stays required them is not asked.
    #[must_use]
    pub fn orphans(&self, gone: &[usize]) -> Vec<usize> {
        let below = self.marked(gone.iter().copied(), &[]);
        let is_below = |package: usize| below.get(package).copied().unwrap_or_default();
        let mut sorted = gone.to_vec();
        sorted.sort_unstable();
        let stays = |package: &usize| self.is_root(*package) || !is_below(*package);
        let kept = self.marked((0..self.is_root.len()).filter(stays), &sorted);
        let is_kept = |package: usize| kept.get(package).copied().unwrap_or_default();
        indexes(&below).into_iter().filter(|package| !is_kept(*package) && sorted.binary_search(package).is_err()).collect()
    }

    /// Marks what can be reached, not going through `gone` (sorted).
    fn marked(&self, from: impl IntoIterator<Item = usize>, gone: &[usize]) -> Vec<bool> {
        let mut marks = vec![false; self.is_root.len()];
        let mut stack: Vec<usize> = from.into_iter().collect();
        while let Some(at) = stack.pop() {
            let is_gone = gone.binary_search(&at).is_ok();
            let Some(mark) = marks.get_mut(at).filter(|mark| !**mark && !is_gone) else { continue };
            *mark = true;
            stack.extend(self.needs(at).iter().filter(|needed| marks.get(**needed) == Some(&false)));
        }
        marks
    }
}

fn indexes(marks: &[bool]) -> Vec<usize> {
    marks.iter().enumerate().filter(|(_, is_marked)| **is_marked).map(|(index, _)| index).collect()
}

fn way(came_from: &[Option<usize>], package: usize, root: usize) -> Vec<usize> {
    let mut way = vec![root];
    let mut at = root;
    while let Some(before) = came_from.get(at).copied().flatten() {
        way.push(before);
        at = before;
        if at == package {
            break;
        }
    }
    way.reverse();
    way
}

/// Of packages that go by a name, those of the architecture of who needs it, when there are any: `libc6` of amd64 and of i386.
fn of_architecture<'a>(list: &'a [Package], needer: &'a Package, met: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    let is_for_all = |package: &Package| matches!(package.architecture.as_str(), "all" | "noarch" | "");
    let fits = move |index: &usize| {
        list.get(*index).is_some_and(|package| package.architecture == needer.architecture || is_for_all(package))
    };
    let only_fitting = met.len() > 1 && !is_for_all(needer) && met.iter().any(fits);
    met.iter().copied().filter(move |index| !only_fitting || fits(index))
}

struct Work<'l> {
    limits: &'l Limits,
    done: u64,
}

impl Work<'_> {
    fn step(&mut self, steps: usize) -> Result<(), LimitHit> {
        self.done = self.done.saturating_add(u64::try_from(steps).unwrap_or(u64::MAX));
        self.limits.package_relations(self.done)
    }
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
