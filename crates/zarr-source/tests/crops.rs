//! The 305 crops of the CellMap segmentation challenge: voxel size, corner and region are exact, and lie on the grid
//! of the raw data as the challenge says.
//!
//! `crops.csv` holds the published facts of each crop: `v*` is the voxel size and `t*` the translation in
//! nanometres, spelled as the floats of its OME-NGFF metadata, and `n*` the shape. (The data of the challenge are
//! under the BSD 3-clause licence.) What is expected is worked out here in integers of 10^-6 nm.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use array_core::{Array, ArrayExt};
use geometry::{Coordinate, LengthUnit, Roi, Snap, VoxelGrid, VoxelSize, WorldUnit};
use zarr_source::{Convention, OpenOptions, ZarrArray, ZarrError};

/// The raw voxel size of each dataset in nanometres, z, y, x.
///
/// The table does not hold them. They are the published ones where these are known, and what the law needs where
/// not: see the test that they are the only ones with which it holds.
const RAW_VOXEL_SIZES: &[(&str, [&str; 3])] = &[
    ("jrc_cos7-1a", ["2", "2", "2"]),
    ("jrc_cos7-1b", ["2", "2", "2"]),
    ("jrc_ctl-id8-1", ["3.48", "4", "4"]),
    ("jrc_fly-mb-1a", ["4", "4", "4"]),
    ("jrc_fly-vnc-1", ["4", "4", "4"]),
    ("jrc_hela-2", ["5.24", "4", "4"]),
    ("jrc_hela-3", ["3.24", "4", "4"]),
    ("jrc_jurkat-1", ["3.44", "4", "4"]),
    ("jrc_macrophage-2", ["3.36", "4", "4"]),
    ("jrc_mus-heart-1", ["8", "8", "8"]),
    ("jrc_mus-kidney", ["8", "8", "8"]),
    ("jrc_mus-kidney-3", ["8", "8", "8"]),
    ("jrc_mus-kidney-glomerulus-2", ["4", "4", "4"]),
    ("jrc_mus-liver", ["8", "8", "8"]),
    ("jrc_mus-liver-3", ["8", "8", "8"]),
    ("jrc_mus-liver-zon-1", ["8", "8", "8"]),
    ("jrc_mus-liver-zon-2", ["8", "8", "8"]),
    ("jrc_mus-nacc-1", ["4", "4", "4"]),
    ("jrc_sum159-1", ["4.56", "4", "4"]),
    ("jrc_sum159-4", ["8", "8", "8"]),
    ("jrc_ut21-1413-003", ["8", "8", "8"]),
    ("jrc_zf-cardiac-1", ["8", "8", "8"]),
];

/// How many of the units of this file make a nanometre.
const NANOMETRE: i128 = 1_000_000;

/// Lengths along z, y and x.
type Lengths = [i128; 3];

/// A row of the table, numbers as they are spelled and in units of 10^-6 nm.
struct Row {
    name: String,
    dataset: String,
    spelled_voxel_size: [String; 3],
    spelled_translation: [String; 3],
    voxel_size: Lengths,
    translation: Lengths,
    shape: [usize; 3],
}

impl Row {
    /// The first corner: half a voxel before the centre that a translation of OME-NGFF is.
    fn corner(&self) -> Lengths {
        each(|axis| {
            assert_eq!(self.voxel_size[axis] % 2, 0);
            self.translation[axis] - self.voxel_size[axis] / 2
        })
    }

    fn end(&self) -> Lengths {
        let corner = self.corner();
        each(|axis| {
            corner[axis] + self.voxel_size[axis] * i128::try_from(self.shape[axis]).unwrap()
        })
    }

    fn raw_voxel_size(&self) -> Lengths {
        let raw = RAW_VOXEL_SIZES.iter().find(|(dataset, _)| *dataset == self.dataset);
        raw.unwrap_or_else(|| panic!("no raw voxel size of {}", self.dataset)).1.map(exact)
    }
}

fn each<T: std::fmt::Debug>(of: impl Fn(usize) -> T) -> [T; 3] {
    [of(0), of(1), of(2)]
}

/// The decimal that a float stands for, such as 13282.29 for 13282.289999999999, in units of 10^-6 nm: its digits,
/// rounded to the sixth after the point.
fn exact(spelled: &str) -> i128 {
    let (sign, size) = spelled.strip_prefix('-').map_or((1, spelled), |size| (-1, size));
    let (whole, fraction) = size.split_once('.').unwrap_or((size, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    assert!(!whole.is_empty() && is_number(whole) && is_number(fraction), "{spelled}");
    let digits: String = fraction.chars().chain("0000000".chars()).take(7).collect();
    let tenths: i128 = format!("{whole}{digits}").parse().unwrap();
    let rounded = (tenths + 5) / 10;
    // The rounding takes away the noise of a float, and nothing else.
    let noise = (rounded * 10 - tenths).abs();
    assert!(noise <= 1, "{spelled} is no float of a decimal with six digits");
    sign * rounded
}

fn rows() -> Vec<Row> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crops.csv");
    let table = fs::read_to_string(file).unwrap();
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), header.len(), "{line}");
        let field = |name: &str| fields[header.iter().position(|field| *field == name).unwrap()];
        let three =
            |letter: char| ['z', 'y', 'x'].map(|axis| field(&format!("{letter}{axis}")).to_owned());
        let (spelled_voxel_size, spelled_translation) = (three('v'), three('t'));
        Row {
            name: format!("{}/crop{}", field("dataset"), field("crop")),
            dataset: field("dataset").to_owned(),
            voxel_size: each(|axis| exact(&spelled_voxel_size[axis])),
            translation: each(|axis| exact(&spelled_translation[axis])),
            spelled_voxel_size,
            spelled_translation,
            shape: three('n').map(|n| n.parse().unwrap()),
        }
    };
    lines.map(row).collect()
}

/// Writes the metadata of a crop, without voxels: the group `crop` of OME-NGFF 0.4 or 0.5, and its array `s0`.
fn write(row: &Row, version: &str, root: &Path) {
    let axes: Vec<String> = ["z", "y", "x"]
        .iter()
        .map(|name| format!(r#"{{"name": "{name}", "type": "space", "unit": "nanometer"}}"#))
        .collect();
    // The numbers stand in the document as they stand in the table.
    let multiscales = format!(
        r#"[{{"version": "{version}", "axes": [{}], "datasets": [{{"path": "s0", "coordinateTransformations": [
            {{"type": "scale", "scale": [{}]}}, {{"type": "translation", "translation": [{}]}}]}}]}}]"#,
        axes.join(", "),
        row.spelled_voxel_size.join(", "),
        row.spelled_translation.join(", "),
    );
    let array = root.join("crop/s0");
    fs::create_dir_all(&array).unwrap();
    let shape = row.shape.map(|n| n.to_string()).join(", ");
    if version == "0.4" {
        fs::write(root.join("crop/.zgroup"), r#"{"zarr_format": 2}"#).unwrap();
        let attrs = format!(r#"{{"multiscales": {multiscales}}}"#);
        fs::write(root.join("crop/.zattrs"), attrs).unwrap();
        let metadata = format!(
            r#"{{"zarr_format": 2, "shape": [{shape}], "chunks": [64, 64, 64], "dtype": "|u1", "order": "C",
                "fill_value": 0, "compressor": null, "filters": null, "dimension_separator": "/"}}"#
        );
        fs::write(array.join(".zarray"), metadata).unwrap();
    } else {
        let group = format!(
            r#"{{"zarr_format": 3, "node_type": "group",
                "attributes": {{"ome": {{"version": "{version}", "multiscales": {multiscales}}}}}}}"#
        );
        fs::write(root.join("crop/zarr.json"), group).unwrap();
        let metadata = format!(
            r#"{{"zarr_format": 3, "node_type": "array", "shape": [{shape}], "data_type": "uint8", "fill_value": 0,
                "chunk_grid": {{"name": "regular", "configuration": {{"chunk_shape": [64, 64, 64]}}}},
                "chunk_key_encoding": {{"name": "default"}}, "codecs": [{{"name": "bytes"}}]}}"#
        );
        fs::write(array.join("zarr.json"), metadata).unwrap();
    }
}

fn open(row: &Row, version: &str, options: &OpenOptions) -> Result<ZarrArray, ZarrError> {
    let folder = tempfile::tempdir().unwrap();
    write(row, version, folder.path());
    ZarrArray::open_with(folder.path().join("crop/s0"), options)
}

/// How many digits after the point of a nanometre are needed for all of these lengths.
fn digits(lengths: &[i128]) -> u8 {
    let fits = |digits: &u8| {
        lengths.iter().all(|length| length % (NANOMETRE / 10_i128.pow((*digits).into())) == 0)
    };
    (0..=6).find(fits).unwrap()
}

/// Lengths in units of 10^-`digits` nm.
fn scaled(lengths: Lengths, digits: u8) -> Coordinate {
    let unit = NANOMETRE / 10_i128.pow(digits.into());
    Coordinate::from(lengths.map(|length| {
        assert_eq!(length % unit, 0);
        i64::try_from(length / unit).unwrap()
    }))
}

fn nanometres(digits: u8) -> WorldUnit {
    WorldUnit::new(LengthUnit::Nanometer, digits).unwrap()
}

#[test]
fn every_crop_has_its_exact_voxel_size_corner_and_region() {
    let rows = rows();
    assert_eq!(rows.len(), 305);
    for row in &rows {
        let digits = digits(&[row.voxel_size, row.corner()].concat());
        for version in ["0.4", "0.5"] {
            let name = format!("{} of OME-NGFF {version}", row.name);
            let array = open(row, version, &OpenOptions::default()).unwrap();
            let (info, report) = (array.info(), array.geometry_report());
            assert_eq!(info.unit(), nanometres(digits), "{name}");
            assert_eq!(info.axes(), ["z", "y", "x"], "{name}");
            assert_eq!(info.shape(), row.shape, "{name}");
            let voxel_size = scaled(row.voxel_size, digits);
            assert_eq!(info.grid().voxel_size().as_coordinate(), &voxel_size, "{name}");
            assert_eq!(info.grid().offset(), &scaled(row.corner(), digits), "{name}");
            let roi = Roi::from_bounds(scaled(row.corner(), digits), scaled(row.end(), digits));
            assert_eq!(array.roi(), &roi.unwrap(), "{name}");
            assert_eq!(report.convention, Convention::Centre, "{name}");
            let source = format!("ome {version} multiscales of the container");
            assert_eq!(report.voxel_size_source.to_string(), source, "{name}");
            assert_eq!(report.disagreements, [""; 0], "{name}");
        }
    }
}

#[test]
fn voxel_sizes_are_read_with_the_digits_that_they_have() {
    let mut counts = BTreeMap::new();
    for row in rows() {
        let array = open(&row, "0.4", &OpenOptions::default()).unwrap();
        let text = array.info().unit().decimals(array.info().grid().voxel_size().as_coordinate());
        let text: Vec<String> = text.iter().map(ToString::to_string).collect();
        *counts.entry((text[0].clone(), array.info().unit().exponent())).or_insert(0) += 1;
    }
    let fractional = |exponent: u8| -> usize {
        counts.iter().filter(|((_, digits), _)| *digits == exponent).map(|(_, count)| count).sum()
    };
    // A third of the crops has a voxel size that an integer of nanometres truncates.
    assert_eq!((fractional(0), fractional(2)), (202, 103));
    assert_eq!(counts[&("2.62".to_owned(), 2)], 26);
    assert_eq!(counts[&("13.92".to_owned(), 2)], 1);
}

#[test]
fn a_caller_moves_a_crop_by_half_a_voxel_by_calling_its_translation_a_corner() {
    let options = OpenOptions { translation: Some(Convention::Corner), ..OpenOptions::default() };
    for row in rows() {
        let array = open(&row, "0.4", &options).unwrap();
        let digits = digits(&[row.voxel_size, row.translation].concat());
        assert_eq!(array.info().grid().offset(), &scaled(row.translation, digits), "{}", row.name);
    }
}

#[test]
fn the_law_and_the_powers_of_two_leave_one_raw_voxel_size_to_each_dataset() {
    let mut datasets: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows() {
        datasets.entry(row.dataset.clone()).or_default().push(row);
    }
    assert_eq!(datasets.len(), RAW_VOXEL_SIZES.len());
    for (dataset, rows) in datasets {
        // The raw voxel is 2^k times the smallest one of the crops, along all axes; the smallest that obeys counts,
        // as a raw voxel of twice that size may obey too.
        let smallest = rows.iter().map(|row| row.voxel_size).min().unwrap();
        let candidate = |k: i128| -> Lengths { each(|axis| smallest[axis] * (1 << (k + 4)) / 16) };
        let obeys = |raw: &Lengths| {
            let obeys = |row: &Row, axis: usize| {
                (row.translation[axis] + raw[axis] / 2 - row.voxel_size[axis] / 2)
                    .rem_euclid(row.voxel_size[axis])
                    == 0
            };
            rows.iter().all(|row| (0..3).all(|axis| obeys(row, axis)))
        };
        let found = (-4..4).map(candidate).find(obeys);
        assert_eq!(found, Some(rows[0].raw_voxel_size()), "{dataset}");
    }
}

/// A crop beside the grid of its raw data and the finest grid that both lie on, all in one unit.
struct Pair {
    name: String,
    digits: u8,
    crop: VoxelGrid,
    crop_roi: Roi,
    raw: VoxelGrid,
    fine: VoxelGrid,
    row: Row,
}

impl Pair {
    fn new(row: Row) -> Self {
        let array = open(&row, "0.4", &OpenOptions::default()).unwrap();
        let raw = row.raw_voxel_size();
        let raw_corner = raw.map(|size| -size / 2);
        let raw_digits = digits(&[raw, raw_corner].concat());
        // The raw data have a unit of their own; the finer of both holds either.
        let unit = WorldUnit::finest(&array.info().unit(), &nanometres(raw_digits)).unwrap();
        let digits = unit.exponent();
        let convert = |of: &WorldUnit, corner: &Coordinate, voxel_size: &VoxelSize| {
            let corner = of.convert_coordinate(corner, &unit).unwrap();
            VoxelGrid::new(corner, of.convert_voxel_size(voxel_size, &unit).unwrap()).unwrap()
        };
        let (own, grid) = (array.info().unit(), array.info().grid());
        let fine = each(|axis| row.voxel_size[axis].min(raw[axis]));
        let voxel_size = |lengths, digits| VoxelSize::new(scaled(lengths, digits)).unwrap();
        Self {
            name: row.name.clone(),
            digits,
            crop: convert(&own, grid.offset(), grid.voxel_size()),
            crop_roi: own.convert_roi(array.roi(), &unit).unwrap(),
            raw: convert(
                &nanometres(raw_digits),
                &scaled(raw_corner, raw_digits),
                &voxel_size(raw, raw_digits),
            ),
            fine: VoxelGrid::new(scaled(raw_corner, digits), voxel_size(fine, digits)).unwrap(),
            row,
        }
    }

    /// The unit of the pair in units of 10^-6 nm.
    fn unit(&self) -> i128 {
        NANOMETRE / 10_i128.pow(self.digits.into())
    }

    fn raw_corner(&self) -> Lengths {
        self.row.raw_voxel_size().map(|size| -size / 2)
    }

    fn fine_voxel_size(&self) -> Lengths {
        let (row, raw) = (&self.row, self.row.raw_voxel_size());
        each(|axis| row.voxel_size[axis].min(raw[axis]))
    }

    /// A region in the unit of the pair.
    fn roi(&self, begin: Lengths, end: Lengths) -> Roi {
        Roi::from_bounds(scaled(begin, self.digits), scaled(end, self.digits)).unwrap()
    }
}

/// All pairs, which the tests of regions share.
static PAIRS: LazyLock<Vec<Pair>> = LazyLock::new(|| rows().into_iter().map(Pair::new).collect());

#[test]
fn every_crop_obeys_the_law_of_the_challenge() {
    for pair in PAIRS.iter() {
        let (row, name) = (&pair.row, &pair.name);
        let (raw, origin) = (row.raw_voxel_size(), pair.raw_corner());
        for axis in 0..3 {
            // In the numbers of the table: translation + raw voxel / 2 - crop voxel / 2.
            let from_raw_corner = row.translation[axis] + raw[axis] / 2 - row.voxel_size[axis] / 2;
            assert_eq!(from_raw_corner % row.voxel_size[axis], 0, "{name} axis {axis}");
            // In those that were read: the corner is whole crop voxels away from the corner of the raw data.
            let corner = i128::from(pair.crop.offset()[axis]) * pair.unit();
            let voxel_size = i128::from(pair.crop.voxel_size().as_coordinate()[axis]) * pair.unit();
            assert_eq!((corner - origin[axis]) % voxel_size, 0, "{name} axis {axis}");
            assert_eq!(corner - origin[axis], from_raw_corner, "{name} axis {axis}");
        }
    }
}

/// The multiple of `step` from `origin` at or before `at`.
fn floor_to(at: i128, origin: i128, step: i128) -> i128 {
    origin + (at - origin).div_euclid(step) * step
}

#[test]
fn a_crop_is_a_window_of_the_finest_grid_and_the_way_back_is_exact() {
    for pair in PAIRS.iter() {
        let (row, name) = (&pair.row, &pair.name);
        let (corner, end, origin, fine) =
            (row.corner(), row.end(), pair.raw_corner(), pair.fine_voxel_size());
        let window = pair.fine.window(&pair.crop_roi).unwrap();
        for axis in 0..3 {
            assert_eq!((corner[axis] - origin[axis]) % fine[axis], 0, "{name}");
            let start = (corner[axis] - origin[axis]) / fine[axis];
            let stop = (end[axis] - origin[axis]) / fine[axis];
            assert_eq!(window.start()[axis], usize::try_from(start).unwrap(), "{name}");
            assert_eq!(window.stop()[axis], usize::try_from(stop).unwrap(), "{name}");
        }
        assert_eq!(pair.fine.roi(&window).unwrap(), pair.crop_roi, "{name}");

        // On its own grid the crop is the whole array, and a part of it is the same part as on the finest grid.
        let whole = pair.crop.window(&pair.crop_roi).unwrap();
        assert_eq!((whole.start(), whole.shape()), (&[0, 0, 0][..], &row.shape[..]), "{name}");
        let part = geometry::Window::new(&[1, 0, 3], &[2, 1, 5]).unwrap();
        let roi = pair.crop.roi(&part).unwrap();
        let begin = each(|axis| corner[axis] + [1, 0, 3][axis] * row.voxel_size[axis]);
        let stop = each(|axis| begin[axis] + [2, 1, 5][axis] * row.voxel_size[axis]);
        assert_eq!(roi, pair.roi(begin, stop), "{name}");
        assert_eq!(pair.crop.window(&roi).unwrap(), part, "{name}");
        assert_eq!(pair.fine.roi(&pair.fine.window(&roi).unwrap()).unwrap(), roi, "{name}");
    }
}

#[test]
fn every_crop_begins_and_ends_between_raw_voxels() {
    for pair in PAIRS.iter() {
        for mode in [Snap::Grow, Snap::Shrink, Snap::Closest] {
            assert_eq!(
                pair.raw.snap(&pair.crop_roi, mode).unwrap(),
                pair.crop_roi,
                "{}",
                pair.name
            );
        }
        let window = pair.raw.window(&pair.crop_roi).unwrap();
        assert_eq!(pair.raw.roi(&window).unwrap(), pair.crop_roi, "{}", pair.name);
    }
}

#[test]
fn parts_of_crops_snap_to_the_raw_grid_outwards_inwards_and_to_the_nearest() {
    let mut moved = 0;
    for pair in PAIRS.iter() {
        let (row, name) = (&pair.row, &pair.name);
        let (origin, raw) = (pair.raw_corner(), row.raw_voxel_size());
        let down = |at: Lengths| each(|axis| floor_to(at[axis], origin[axis], raw[axis]));
        let up = |at: Lengths| each(|axis| -floor_to(-at[axis], -origin[axis], raw[axis]));
        // One voxel of the crop less on either side, then one and a half: not always whole raw voxels.
        for halves in [2, 3] {
            let less = row.voxel_size.map(|size| size / 2 * halves);
            let begin = each(|axis| row.corner()[axis] + less[axis]);
            let end = each(|axis| row.end()[axis] - less[axis]);
            let part = pair.roi(begin, end);
            let grown = pair.raw.snap(&part, Snap::Grow).unwrap();
            assert_eq!(grown, pair.roi(down(begin), up(end)), "{name}");
            let shrunk = pair.raw.snap(&part, Snap::Shrink).unwrap();
            assert_eq!(shrunk, pair.roi(up(begin), down(end)), "{name}");
            assert!(grown.contains_roi(&part).unwrap() && part.contains_roi(&shrunk).unwrap());

            let closest = pair.raw.snap(&part, Snap::Closest).unwrap();
            for (found, at) in [(closest.begin(), begin), (closest.end(), end)] {
                for (axis, found) in found.unwrap().iter().enumerate() {
                    let found = i128::from(*found) * pair.unit();
                    assert_eq!((found - origin[axis]) % raw[axis], 0, "{name}");
                    assert!(2 * (found - at[axis]).abs() <= raw[axis], "{name}");
                }
            }
            let aligned = grown == part;
            moved += usize::from(!aligned);
            assert_eq!(pair.raw.window(&part).is_ok(), aligned, "{name}");
            let window = pair.raw.window(&grown).unwrap();
            assert_eq!(pair.raw.roi(&window).unwrap(), grown, "{name}");
        }
    }
    assert!(moved > 305, "{moved} parts are not on the raw grid");
}

#[test]
fn regions_of_crops_meet_join_and_grow_exactly() {
    for pair in PAIRS.iter() {
        let (row, name) = (&pair.row, &pair.name);
        let (corner, end, raw) = (row.corner(), row.end(), row.raw_voxel_size());
        // A region of whole raw voxels that covers the second half of the crop, and goes three beyond it.
        let half = each(|axis| {
            floor_to((corner[axis] + end[axis]) / 2, pair.raw_corner()[axis], raw[axis])
        });
        let beyond =
            each(|axis| floor_to(end[axis], pair.raw_corner()[axis], raw[axis]) + 3 * raw[axis]);
        let other = pair.roi(half, beyond);
        let later = each(|axis| corner[axis].max(half[axis]));
        let earlier = each(|axis| corner[axis].min(half[axis]));
        assert_eq!(pair.crop_roi.intersect(&other).unwrap(), pair.roi(later, end), "{name}");
        assert_eq!(pair.crop_roi.union(&other).unwrap(), pair.roi(earlier, beyond), "{name}");
        assert!(pair.crop_roi.intersects(&other).unwrap(), "{name}");
        // What touches the end of the crop has nothing in common with it.
        let beside = pair.roi(end, each(|axis| end[axis] + raw[axis]));
        assert!(pair.crop_roi.intersect(&beside).unwrap().is_empty(), "{name}");

        let context = scaled(raw, pair.digits);
        let grown = pair.crop_roi.grow(context, context).unwrap();
        let around =
            pair.roi(each(|axis| corner[axis] - raw[axis]), each(|axis| end[axis] + raw[axis]));
        assert_eq!(grown, around, "{name}");
        let shifted = pair.crop_roi.shift(context).unwrap();
        let by_raw =
            pair.roi(each(|axis| corner[axis] + raw[axis]), each(|axis| end[axis] + raw[axis]));
        assert_eq!(shifted, by_raw, "{name}");
    }
}

#[test]
fn regions_convert_between_units_exactly_or_not_at_all() {
    let whole = WorldUnit::whole(LengthUnit::Nanometer);
    let micro = WorldUnit::new(LengthUnit::Micrometer, 5).unwrap();
    for pair in PAIRS.iter() {
        let (row, name) = (&pair.row, &pair.name);
        let own = nanometres(pair.digits);
        let picometres = WorldUnit::whole(LengthUnit::Picometer);
        let finer = own.convert_roi(&pair.crop_roi, &picometres).unwrap();
        let expected = Roi::from_bounds(scaled(row.corner(), 3), scaled(row.end(), 3)).unwrap();
        assert_eq!(finer, expected, "{name}");
        assert_eq!(picometres.convert_roi(&finer, &own).unwrap(), pair.crop_roi, "{name}");
        // 10^-5 of a micrometre is 10^-2 of a nanometre.
        let micrometres = own.convert_roi(&pair.crop_roi, &micro).unwrap();
        let expected = Roi::from_bounds(scaled(row.corner(), 2), scaled(row.end(), 2)).unwrap();
        assert_eq!(micrometres, expected, "{name}");
        let is_whole = digits(&[row.corner(), row.end()].concat()) == 0;
        assert_eq!(own.convert_roi(&pair.crop_roi, &whole).is_ok(), is_whole, "{name}");
    }
}
