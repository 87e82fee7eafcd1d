//! A sample crop: a corner of a cell, as geometry.
//!
//! Every voxel is computed from its place alone, so the crop is the same on every machine and for
//! any number of threads.

use ndarray::Array3;
use rayon::prelude::*;

/// The extent of the sample crop along each axis, in voxels.
pub(crate) const SIZE: usize = 128;

/// One class of the sample: label id, long name, short name, and whether it was annotated.
pub(crate) struct Class {
    pub(crate) id: u8,
    pub(crate) long: &'static str,
    pub(crate) short: &'static str,
    pub(crate) annotated: &'static str,
}

/// The classes that are in the sample, with the ids of the CellMap project.
///
/// Vesicles, microtubules and heterochromatin can be seen in the image, but nobody labelled them.
pub(crate) const CLASSES: [Class; 17] = [
    class(1, "Extracellular space", "ECS", "dense"),
    class(2, "Plasma membrane", "Plasma membrane", "dense"),
    class(3, "Mitochondrial membrane", "Mito membrane", "dense"),
    class(4, "Mitochondrial lumen", "Mito lumen", "dense"),
    class(8, "Vesicle membrane", "Vesicle membrane", "empty"),
    class(9, "Vesicle lumen", "Vesicle lumen", "empty"),
    class(12, "Lysosome membrane", "Lyso membrane", "dense"),
    class(13, "Lysosome lumen", "Lyso lumen", "dense"),
    class(16, "Endoplasmic reticulum membrane", "ER membrane", "dense"),
    class(17, "Endoplasmic reticulum lumen", "ER lumen", "dense"),
    class(20, "Nuclear envelope membrane", "NE membrane", "dense"),
    class(21, "Nuclear envelope lumen", "NE lumen", "dense"),
    class(24, "Heterochromatin", "HChrom", "empty"),
    class(28, "Nucleoplasm", "Nucleoplasm", "sparse"),
    class(30, "Microtubule", "Microtubule", "empty"),
    class(35, "Cytosol", "Cytosol", "dense"),
    class(37, "Nucleus combined", "Nucleus", "dense"),
];

const fn class(id: u8, long: &'static str, short: &'static str, annotated: &'static str) -> Class {
    Class { id, long, short, annotated }
}

/// The sample: what is there (as an EM image would show it) and what was labelled.
pub(crate) struct Sample {
    pub(crate) raw: Array3<u8>,
    pub(crate) labels: Array3<u8>,
}

/// Computes the sample.
pub(crate) fn sample() -> Sample {
    let cell = Cell::new();
    let voxel = |index: usize| {
        let [z, y, x] = [index / SIZE / SIZE, index / SIZE % SIZE, index % SIZE];
        let class = cell.class_at([z, y, x].map(unit));
        (grey(class, index), label(class))
    };
    let (raw, labels) = (0..SIZE * SIZE * SIZE).into_par_iter().map(voxel).unzip();
    let volume = |voxels| {
        Array3::from_shape_vec([SIZE; 3], voxels).expect("there are as many voxels as indices")
    };
    Sample { raw: volume(raw), labels: volume(labels) }
}

/// The label that annotators gave a class: none for those they left out, but for heterochromatin,
/// which they labelled as nucleus without telling it from the rest.
fn label(class: u8) -> u8 {
    if class == 24 {
        return 37;
    }
    let annotated = |c: &&Class| c.id == class && c.annotated != "empty";
    CLASSES.iter().find(annotated).map_or(0, |class| class.id)
}

/// The brightness of a class in the image, with noise.
fn grey(class: u8, index: usize) -> u8 {
    let base: u64 = match class {
        1 => 205,
        2 | 3 | 8 | 12 | 16 | 20 => 62,
        4 => 112,
        13 => 84,
        9 | 17 | 21 => 176,
        24 => 96,
        30 => 70,
        28 => 138,
        _ => 150,
    };
    let noise = (0..3).map(|k| hash(index * 3 + k) % 23).sum::<u64>();
    u8::try_from(base + noise - 33).unwrap_or(u8::MAX)
}

/// A voxel index as a place between 0 and 1.
fn unit(index: usize) -> f64 {
    let index = u16::try_from(index).unwrap_or(u16::MAX);
    let size = u16::try_from(SIZE).unwrap_or(u16::MAX);
    (f64::from(index) + 0.5) / f64::from(size)
}

/// A number from a number, without a pattern (the finaliser of splitmix64).
fn hash(seed: usize) -> u64 {
    let mut z = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number between 0 and 1.
fn random(seed: usize) -> f64 {
    f64::from(u32::try_from(hash(seed) >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

type Point = [f64; 3];

/// The shapes of the sample; lengths as fractions of its extent.
struct Cell {
    mitochondria: Vec<(Point, Point, f64)>,
    lysosomes: Vec<(Point, f64)>,
    vesicles: Vec<(Point, f64)>,
}

const NUCLEUS: Point = [0.45, 0.02, 0.06];
const MEMBRANE: f64 = 0.016;

impl Cell {
    fn new() -> Self {
        let place = |seed: usize| [random(seed), random(seed + 1), 0.15 + 0.6 * random(seed + 2)];
        Self {
            mitochondria: vec![
                ([0.42, 0.74, 0.34], [0.15, 0.13, 0.22], 0.5),
                ([0.60, 0.48, 0.56], [0.24, 0.11, 0.10], -0.3),
                ([0.15, 0.45, 0.66], [0.12, 0.15, 0.09], 0.9),
                ([0.62, 0.90, 0.62], [0.20, 0.08, 0.14], 0.2),
            ],
            lysosomes: vec![([0.52, 0.60, 0.10], 0.08), ([0.85, 0.85, 0.25], 0.08)],
            vesicles: (0..70)
                .map(|k| (place(k * 7 + 3), 0.018 + 0.012 * random(k + 900)))
                .collect(),
        }
    }

    /// The class of a place, from the outside of the cell inwards.
    fn class_at(&self, p: Point) -> u8 {
        let [z, y, x] = p;
        let border = 0.84 + 0.05 * (5.0 * y + 1.0).sin() + 0.04 * (4.0 * z).cos() - x;
        if border < 0.0 {
            return 1;
        }
        if border < MEMBRANE {
            return 2;
        }
        self.nucleus(p)
            .or_else(|| self.mitochondrion(p))
            .or_else(|| shells(p, &self.lysosomes, 12, 13))
            .or_else(|| shells(p, &self.vesicles, 8, 9))
            .or_else(|| microtubule(p))
            .or_else(|| reticulum(p))
            .unwrap_or(35)
    }

    fn nucleus(&self, p: Point) -> Option<u8> {
        let bump = 0.02 * (9.0 * p[0]).sin() * (8.0 * p[2]).cos();
        let depth = 0.46 + bump - distance(p, NUCLEUS);
        match depth {
            d if d < 0.0 => None,
            d if d < MEMBRANE => Some(20),
            d if d < 2.5 * MEMBRANE => Some(21),
            d if d < 3.5 * MEMBRANE => Some(20),
            _ if gyroid(p, 17.0) > 0.55 => Some(24),
            _ => Some(28),
        }
    }

    fn mitochondrion(&self, p: Point) -> Option<u8> {
        self.mitochondria.iter().find_map(|(centre, radii, turn)| {
            let [dz, dy, dx] = [p[0] - centre[0], p[1] - centre[1], p[2] - centre[2]];
            let (sin, cos) = turn.sin_cos();
            let turned = [dz, cos * dy - sin * dx, sin * dy + cos * dx];
            let scaled = [turned[0] / radii[0], turned[1] / radii[1], turned[2] / radii[2]];
            let depth = (1.0 - distance(scaled, [0.0; 3])) * radii[1];
            let crista = (90.0 * turned[2] + 3.0 * (25.0 * turned[1]).sin()).sin() > 0.86;
            match depth {
                d if d < 0.0 => None,
                d if d < MEMBRANE => Some(3),
                d if d < 2.2 * MEMBRANE => Some(4),
                _ => Some(if crista && turned[1] < 0.5 * radii[1] { 3 } else { 4 }),
            }
        })
    }
}

fn shells(p: Point, spheres: &[(Point, f64)], membrane: u8, lumen: u8) -> Option<u8> {
    spheres.iter().find_map(|(centre, radius)| {
        let depth = radius - distance(p, *centre);
        (depth > 0.0).then_some(if depth < 0.7 * MEMBRANE { membrane } else { lumen })
    })
}

/// Sheets of endoplasmic reticulum around the nucleus.
fn reticulum(p: Point) -> Option<u8> {
    let around = distance(p, NUCLEUS);
    if !(0.50..0.80).contains(&around) {
        return None;
    }
    match gyroid(p, 21.0).abs() {
        g if g < 0.16 => Some(17),
        g if g < 0.42 => Some(16),
        _ => None,
    }
}

fn microtubule([z, y, x]: Point) -> Option<u8> {
    let near = |y0: f64, x0: f64| {
        let (dy, dx) = (y - y0 - 0.10 * (3.0 * z).sin(), x - x0 - 0.08 * z);
        dy * dy + dx * dx < 0.000_12
    };
    (near(0.60, 0.40) || near(0.35, 0.58) || near(0.82, 0.45)).then_some(30)
}

/// A surface that divides space into two labyrinths, where it is zero.
fn gyroid(p: Point, frequency: f64) -> f64 {
    let [(sz, cz), (sy, cy), (sx, cx)] = p.map(|v| (v * frequency).sin_cos());
    sx * cy + sy * cz + sz * cx
}

fn distance(a: Point, b: Point) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}
