//! The stacked tree after each of its layers, for those who ask how a name came to be what it is.

use super::node::Rootfs;
use super::sayings::Sayings;
use super::walk::Budget;
use super::{overlay, upper};
use crate::layer::LayerIndex;
use crate::limits::{LimitHit, Limits};

/// Lays the layers over one another as [`super::merge`] does, and shows `visit` the tree after each, with the layer's number. What
/// that one refuses or remarks on is not said again here. Err when the work is more than allowed.
pub fn each_stage(layers: &[&LayerIndex], limits: &Limits, mut visit: impl FnMut(usize, &Rootfs)) -> Result<(), LimitHit> {
    let mut tree = Rootfs::default();
    let mut budget = Budget::new(limits);
    let mut sayings = Sayings::default();
    for (layer, changes) in layers.iter().enumerate() {
        let upper = upper::unpack(layer, changes, &mut budget, &mut sayings)?;
        overlay::lay_over(&upper, &mut tree, layer, &mut sayings);
        visit(layer, &tree);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::merge;
    use super::super::testing::{Plain, dir, file, layer, line, opaque, whiteout};
    use super::*;

    fn stages(layers: &[Vec<Plain>]) -> Vec<String> {
        let indexes: Vec<LayerIndex> = layers.iter().map(|entries| layer(entries)).collect();
        let mut lines = Vec::new();
        let seen = each_stage(&indexes.iter().collect::<Vec<_>>(), &Limits::default(), |_, tree| lines.push(line(tree)));
        assert!(seen.is_ok());
        lines
    }

    #[test]
    fn every_stage_is_the_tree_of_the_layers_so_far() {
        let layers = [
            vec![dir("d"), file("d/a", 1), file("b", 2)],
            vec![whiteout("b"), file("d/a", 3)],
            vec![dir("d"), opaque("d"), file("b", 4)],
        ];
        assert_eq!(stages(&layers), ["b=2 d/ d/a=1", "d/ d/a=3", "b=4 d/"]);
        for count in 1..=layers.len() {
            let indexes: Vec<LayerIndex> = layers[..count].iter().map(|entries| layer(entries)).collect();
            let merged = merge(&indexes.iter().collect::<Vec<_>>(), &Limits::default());
            assert_eq!(line(&merged.stacked), stages(&layers)[count - 1]);
        }
    }

    #[test]
    fn the_work_is_bounded() {
        let indexes = [layer(&[file("a/b/c", 1)])];
        let limits = Limits { merge_steps: 1, ..Limits::default() };
        assert!(each_stage(&indexes.iter().collect::<Vec<_>>(), &limits, |_, _| {}).is_err());
    }
}
