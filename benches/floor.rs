//! Measures `plimsoll check` against the floor of the work: inflate, SHA-256 of the stored bytes, SHA-256 of the uncompressed ones.
//!
//! ```text
//! cargo bench --bench floor -- LAYOUT [ROUNDS]
//! ```
//!
//! `LAYOUT` is an OCI layout folder with gzip layers; `benches/make-image.sh` makes one. Every round measures the floor and the
//! whole process in turn, so that a noisy machine disturbs both; medians and their ratio are printed.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads files and looks at the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Seconds that one layer's three pieces take on one core.
struct Pieces {
    inflate: f64,
    hash_stored: f64,
    hash_uncompressed: f64,
    bytes: u64,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(layout) = arguments.next().map(PathBuf::from) else {
        println!("floor: skipped, no image given; see benches/floor.rs");
        return Ok(());
    };
    let rounds = arguments.next().map_or(Ok(5), |rounds| rounds.parse())?;
    let layers = layers(&layout)?;
    let cores = f64::from(u32::try_from(thread::available_parallelism()?.get())?);
    let (mut floors, mut walls, mut peak) = (Vec::new(), Vec::new(), 0);
    let mut bytes = 0;
    for _ in 0..=rounds {
        let pieces = layers.iter().map(|layer| measure(layer)).collect::<Result<Vec<_>>>()?;
        bytes = pieces.iter().map(|piece| piece.bytes).sum();
        let work: f64 = pieces.iter().map(|piece| piece.inflate + piece.hash_stored + piece.hash_uncompressed).sum();
        let longest = pieces.iter().map(|piece| piece.inflate).fold(0.0, f64::max);
        floors.push((work / cores).max(longest));
        let (wall, resident) = whole_process(&layout)?;
        walls.push(wall);
        peak = peak.max(resident);
    }
    // the first round warms the page cache
    let (floor, wall) = (median(&mut floors[1..]), median(&mut walls[1..]));
    println!(
        "image: {} layers, {:.2} GB uncompressed; {cores} cores; medians of {rounds} rounds",
        layers.len(),
        gigabytes(bytes)
    );
    println!("floor            {floor:.3} s");
    println!(
        "plimsoll check   {wall:.3} s   {:.2} x floor   {:.0} MB/s   peak {} MiB",
        wall / floor,
        gigabytes(bytes) * 1e3 / wall,
        peak / 1024
    );
    Ok(())
}

fn layers(layout: &Path) -> Result<Vec<PathBuf>> {
    let read = |path: PathBuf| -> Result<serde_json::Value> { Ok(serde_json::from_reader(BufReader::new(File::open(path)?))?) };
    let blob = |digest: &serde_json::Value| -> Result<PathBuf> {
        let digest = digest.as_str().ok_or("a descriptor without a digest")?;
        Ok(layout.join("blobs").join(digest.replace(':', "/")))
    };
    let index = read(layout.join("index.json"))?;
    let manifest = read(blob(&index["manifests"][0]["digest"])?)?;
    let layers = manifest["layers"].as_array().ok_or("the first manifest of the index has no layers")?;
    layers.iter().map(|layer| blob(&layer["digest"])).collect()
}

/// One core, one pass, 256 KiB buffers: what any verifier of this layer has to do.
fn measure(layer: &Path) -> Result<Pieces> {
    let mut stored = Vec::new();
    File::open(layer)?.read_to_end(&mut stored)?;
    let start = Instant::now();
    std::hint::black_box(Sha256::digest(&stored));
    let hash_stored = start.elapsed().as_secs_f64();
    let mut decoder = MultiGzDecoder::new(stored.as_slice());
    let mut buffer = vec![0; 256 * 1024];
    let mut hash = Sha256::new();
    let (mut inflating, mut hashing, mut bytes) = (Duration::ZERO, Duration::ZERO, 0);
    loop {
        let start = Instant::now();
        let read = decoder.read(&mut buffer)?;
        let between = Instant::now();
        inflating += between - start;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        hashing += between.elapsed();
        bytes += u64::try_from(read)?;
    }
    std::hint::black_box(hash.finalize());
    Ok(Pieces { inflate: inflating.as_secs_f64(), hash_stored, hash_uncompressed: hashing.as_secs_f64(), bytes })
}

/// Wall seconds and peak resident KiB of the whole program.
fn whole_process(layout: &Path) -> Result<(f64, u64)> {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["check", "--no-cache", "--format", "json"])
        .arg(layout)
        .stdout(Stdio::null())
        .spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    loop {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        }
        if child.try_wait()?.is_some() {
            return Ok((start.elapsed().as_secs_f64(), peak));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "two digits are printed")]
fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}
