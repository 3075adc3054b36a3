//! Rust: programs that rustc compiled, with its version where the section `.comment` still holds it.

use super::ComponentKind;
use super::collect::{Collector, Extent, Found};
use super::places::Places;
use crate::layer::probe::Marker;

pub(super) fn read(collector: &mut Collector<'_, '_>, places: &Places) {
    for program in &places.programs {
        let Some(elf) = collector.content(*program).and_then(|content| content.elf.as_deref()) else { continue };
        // a program of C with one library of Rust bears the version too, and so does rustc's own text
        if elf.go.is_some() || !elf.markers.contains(&Marker::RustStd) {
            continue;
        }
        let mut found = Found { extent: Extent::File(*program), ..Found::named(collector.base_name(*program), None) };
        found.detail("rustc", elf.rustc.as_deref().unwrap_or_default());
        collector.add(ComponentKind::RustProgram, *program, *program, found);
    }
}
