//! Rectangles whose areas are as their weights, and which are as square as they can be.
//!
//! The squarified layout of Bruls, Huizing and van Wijk (2000): rows along the shorter side of what is left, each as long as its
//! worst shape gets better.

/// A rectangle in the units of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    /// The same, with a margin cut off on every side; never less than nothing.
    pub(super) fn inset(self, margin: f64) -> Self {
        let margin = margin.min(self.width / 4.0).min(self.height / 4.0);
        Self { x: self.x + margin, y: self.y + margin, width: self.width - 2.0 * margin, height: self.height - 2.0 * margin }
    }

    fn shorter(self) -> f64 {
        self.width.min(self.height)
    }

    /// Cuts a strip of this surface off along the shorter side: the strip, and what is left.
    fn cut(self, surface: f64) -> (Self, Self) {
        let thickness = if self.shorter() > 0.0 { surface / self.shorter() } else { 0.0 };
        if self.width >= self.height {
            let width = thickness.min(self.width);
            (Self { width, ..self }, Self { x: self.x + width, width: self.width - width, ..self })
        } else {
            let height = thickness.min(self.height);
            (Self { height, ..self }, Self { y: self.y + height, height: self.height - height, ..self })
        }
    }
}

/// One area for each of `weights`, which are positive and the heaviest first.
pub(super) fn squarified(weights: &[f64], area: Area) -> Vec<Area> {
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return vec![Area { width: 0.0, height: 0.0, ..area }; weights.len()];
    }
    let scale = area.width * area.height / total;
    let mut found = Vec::with_capacity(weights.len());
    let (mut rest, mut left) = (area, weights);
    while let Some((first, behind)) = left.split_first() {
        let side = rest.shorter();
        let (mut surface, mut length) = (first * scale, 1_usize);
        for weight in behind {
            let wider = surface + weight * scale;
            if worst(first * scale, weight * scale, wider, side)
                > worst(first * scale, smallest(left, length) * scale, surface, side)
            {
                break;
            }
            (surface, length) = (wider, length.saturating_add(1));
        }
        let (row, others) = left.split_at(length.min(left.len()));
        let (strip, remaining) = rest.cut(surface);
        lay(row, scale, strip, rest.width >= rest.height, &mut found);
        (rest, left) = (remaining, others);
    }
    found
}

fn smallest(row: &[f64], length: usize) -> f64 {
    row.get(length.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// The worst ratio of sides in a row of this surface, whose largest and smallest members are given.
fn worst(largest: f64, smallest: f64, surface: f64, side: f64) -> f64 {
    let (surface, side) = (surface * surface, side * side);
    (side * largest / surface).max(surface / (side * smallest))
}

fn lay(row: &[f64], scale: f64, strip: Area, is_column: bool, found: &mut Vec<Area>) {
    let (mut x, mut y) = (strip.x, strip.y);
    for weight in row {
        if is_column {
            let height = if strip.width > 0.0 { weight * scale / strip.width } else { 0.0 };
            found.push(Area { x, y, width: strip.width, height });
            y += height;
        } else {
            let width = if strip.height > 0.0 { weight * scale / strip.height } else { 0.0 };
            found.push(Area { x, y, width, height: strip.height });
            x += width;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area { x: 10.0, y: 20.0, width: 600.0, height: 400.0 };

    fn assert_fits(weights: &[f64]) -> Vec<Area> {
        let total: f64 = weights.iter().sum();
        let areas = squarified(weights, AREA);
        assert_eq!(areas.len(), weights.len());
        for (area, weight) in areas.iter().zip(weights) {
            let expected = weight / total * 240_000.0;
            assert!((area.width * area.height - expected).abs() < 0.01 + expected * 1e-6, "{area:?} for {weight}");
            assert!(
                area.x >= 9.99 && area.y >= 19.99 && area.x + area.width <= 610.01 && area.y + area.height <= 420.01,
                "{area:?}"
            );
        }
        areas
    }

    #[test]
    fn areas_are_as_the_weights_and_fill_the_whole() {
        assert_fits(&[6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0]);
        assert_fits(&[1.0]);
        assert_fits(&[1e15, 1.0, 1.0]);
        assert!(squarified(&[], AREA).is_empty());
        assert!(squarified(&[0.0, 0.0], AREA).iter().all(|area| area.width == 0.0));
    }

    #[test]
    fn equal_weights_make_shapes_near_squares() {
        for area in assert_fits(&[1.0; 24]) {
            assert!((0.6..1.7).contains(&(area.width / area.height)), "{area:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_two_areas_overlap(mut weights in proptest::collection::vec(1.0..1e6_f64, 1..40)) {
            weights.sort_by(|a, b| b.total_cmp(a));
            let areas = assert_fits(&weights);
            for (index, one) in areas.iter().enumerate() {
                for other in &areas[index + 1..] {
                    let wide = (one.x + one.width).min(other.x + other.width) - one.x.max(other.x);
                    let high = (one.y + one.height).min(other.y + other.height) - one.y.max(other.y);
                    proptest::prop_assert!(wide < 0.001 || high < 0.001, "{one:?} {other:?}");
                }
            }
        }
    }
}
