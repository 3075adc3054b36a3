//! Damaged containers through the library, with a fixed seed: no panic, and never a verdict on other bytes than the digests name.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use plimsoll::report::model::{Report, Verdict};
use plimsoll::verify::{Progress, Request, verify};

use crate::recipe;

/// Damaged copies, at most.
const RUNS: u64 = 3000;
/// And no longer than this, for slow machines.
const TIME: Duration = Duration::from_secs(20);

/// A small generator of reproducible numbers (xorshift64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap()
    }
}

/// Flips, cuts, repeats or moves some bytes.
pub(crate) fn damage(bytes: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let at = numbers.below(out.len());
    let length = numbers.below(700).min(out.len() - at);
    match numbers.below(6) {
        0 => out[at] ^= 1 << numbers.below(8),
        1 => out[at] = [0, 0xff, b'0', b'7', b'/', b'"'][numbers.below(6)],
        2 => out.truncate(at),
        3 => drop(out.drain(at..at + length)),
        4 => {
            let piece = out[at..at + length].to_vec();
            let to = numbers.below(out.len());
            out.splice(to..to, piece);
        }
        _ => out[at..at + length].fill(0),
    }
    out
}

fn report(input: &Path) -> Report {
    let mut request = Request::default();
    request.source.input = input.to_path_buf();
    verify(&request, &Progress::default())
}

/// Digests of config and layers of every image that was judged.
fn judged(report: &Report) -> Vec<(Option<String>, Vec<String>)> {
    let images = report.images.iter().filter(|image| image.verdict != Verdict::Unverifiable);
    images.map(|image| (image.config_digest.clone(), image.layers.iter().map(|layer| layer.diff_id.clone()).collect())).collect()
}

#[test]
fn damaged_containers_never_panic_and_are_never_judged_on_other_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    let mut seeds = Vec::new();
    for name in ["opq_first", "gzip_members", "zstd_frames", "sparse_pax_1_0", "names_long", "user_and_group"] {
        let recipe = recipe::named(name);
        let bytes = recipe::oci_archive(&recipe);
        std::fs::write(&path, &bytes).unwrap();
        let sound = judged(&report(&path));
        assert_eq!(sound.len(), 1, "{name}");
        seeds.push((bytes, Some(sound)));
        if recipe.is_for("docker") {
            seeds.push((recipe::docker_archive(&recipe), None));
        }
    }
    let mut numbers = Numbers(0x5eed_0f91_3501);
    let started = Instant::now();
    let mut runs = 0;
    while runs < RUNS && started.elapsed() < TIME {
        let (seed, sound) = &seeds[numbers.below(seeds.len())];
        std::fs::write(&path, damage(seed, &mut numbers)).unwrap();
        let report = catch_unwind(AssertUnwindSafe(|| report(&path)));
        let Ok(report) = report else { panic!("run {runs} panicked") };
        // An index names its image by digest: whatever is still judged is that image. A docker-save tar pins nothing.
        if let Some(sound) = sound {
            let judged = judged(&report);
            assert!(judged.iter().all(|image| sound.contains(image)), "run {runs}: {judged:?}");
        }
        runs += 1;
    }
    eprintln!("{runs} damaged containers");
    assert!(runs >= 100);
}
