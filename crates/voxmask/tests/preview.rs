//! `voxmask preview`: a picture in which the voxels can be recognised.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::path::Path;

use common::{Crop, IDS, Place, Sandbox, WHOLE, labels, typed};
use ndarray::{ArrayD, IxDyn};
use serde_json::json;
use zarr_source::ZarrFormat;

type Colour = [u8; 3];

const KNOWN: Colour = [132, 168, 204];
const UNKNOWN: Colour = [58, 60, 70];
const POSITIVE: Colour = [255, 196, 61];
const UNLABELLED: Colour = [24, 24, 28];
/// The pixels of each colour in the key below the planes.
const KEY: usize = 12 * 12;
/// The longer side of the planes of a channel, and of the labels.
const SIDE: usize = 168;
const LABELS_SIDE: usize = 300;

const LABELS: &str = "crop.zarr/all/s0";

struct Picture {
    width: usize,
    pixels: Vec<Colour>,
}

impl Picture {
    fn read(path: &Path) -> Self {
        let file = BufReader::new(fs::File::open(path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(
            (frame.color_type, frame.bit_depth),
            (png::ColorType::Rgb, png::BitDepth::Eight)
        );
        let pixels: Vec<Colour> =
            bytes[..frame.buffer_size()].chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect();
        let width = usize::try_from(frame.width).unwrap();
        assert!(width > 0 && pixels.len() > width, "the picture has a size");
        Self { width, pixels }
    }

    fn count(&self, colour: Colour) -> usize {
        self.pixels.iter().filter(|&&pixel| pixel == colour).count()
    }

    /// How many pixels of the colour each column has.
    fn columns(&self, colour: Colour) -> BTreeMap<usize, usize> {
        let mut columns = BTreeMap::new();
        for (index, _) in self.pixels.iter().enumerate().filter(|(_, pixel)| **pixel == colour) {
            *columns.entry(index % self.width).or_default() += 1;
        }
        columns
    }
}

/// Labels that are 3 in the left half of each plane and 0 in the right one, but in the last plane 17
/// everywhere.
fn halves(sandbox: &Sandbox, place: Place) {
    let voxels = ArrayD::from_shape_fn(IxDyn(&[3, 8, 16]), |index| match (index[0], index[2]) {
        (2, _) => 17_i128,
        (_, x) if x < 8 => 3,
        _ => 0,
    });
    Crop { place, ..Crop::default() }.store(&sandbox.path("crop.zarr"), &typed::<u8>(&voxels));
}

fn draw(sandbox: &Sandbox, args: &[&str]) -> Picture {
    let run =
        sandbox.succeeds(&[&["preview", LABELS, "-o", "p.png", "--overwrite"], args].concat());
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("wrote p.png\n", ""));
    Picture::read(&sandbox.path("p.png"))
}

#[test]
fn a_kept_channel_shows_its_known_and_positive_voxels() {
    let sandbox = Sandbox::new();
    halves(&sandbox, WHOLE);
    let picture = draw(&sandbox, &["--group", "mito=3,4"]);
    // Planes of 8 x 16 voxels that are as high as wide: the left half is known, and positive.
    let half = SIDE / 2 * SIDE / 2;
    assert_eq!(picture.count(KNOWN), half + KEY);
    assert_eq!(picture.count(UNKNOWN), half + KEY);
    assert_eq!(picture.count(POSITIVE), half + KEY);
    // In the target, among the labels, in the legend and in the key.
    let of_labels = LABELS_SIDE / 2 * LABELS_SIDE / 2;
    assert_eq!(picture.count(UNLABELLED), half + of_labels + 2 * KEY);
    let from = |colour| *picture.columns(colour).iter().find(|(_, n)| **n >= SIDE / 2).unwrap().0;
    let (known, unknown, positive) = (from(KNOWN), from(UNKNOWN), from(POSITIVE));
    assert!(known < unknown && unknown < positive, "mask left half, mask right half, target");
    assert_eq!(unknown - known, SIDE / 2);
}

#[test]
fn a_masked_channel_shows_no_known_voxel() {
    let sandbox = Sandbox::new();
    halves(&sandbox, WHOLE);
    let picture = draw(&sandbox, &["--group", "er=3,17"]);
    assert_eq!(picture.count(KNOWN), KEY);
    assert_eq!(picture.count(UNKNOWN), SIDE * SIDE / 2 + KEY);
    assert_eq!(picture.count(POSITIVE), SIDE / 2 * SIDE / 2 + KEY);
    // The rule of the mask is the rule of the picture.
    let kept = ["--group", "er=3,17", "--rule", "generic", "--generic-ids", "3"];
    let picture = draw(&sandbox, &kept);
    assert_eq!(picture.count(KNOWN), SIDE / 2 * SIDE / 2 + KEY);
}

#[test]
fn voxels_have_their_true_proportions() {
    let sandbox = Sandbox::new();
    let square = Place { voxel_size: &["8", "4", "2"], corner: &["0", "0", "0"] };
    halves(&sandbox, square);
    let picture = draw(&sandbox, &["--group", "mito=3"]);
    assert_eq!(picture.count(KNOWN), SIDE * SIDE / 2 + KEY);
}

#[test]
fn the_slice_goes_through_the_voxel_that_holds_the_place() {
    let sandbox = Sandbox::new();
    halves(&sandbox, WHOLE);
    // Planes at 80, 88 and 96 nm; positive are 17 in the last one.
    let positive =
        |slice: &str| draw(&sandbox, &["--group", "er=17", "--slice", slice]).count(POSITIVE) - KEY;
    let plane = SIDE * SIDE / 2;
    assert_eq!(positive("z=80"), 0);
    assert_eq!(positive("z=95.99"), 0);
    assert_eq!(positive("z=96"), plane);
    assert_eq!(positive("z=103.999"), plane);
    // Across: 3 planes of 8 nm beside 8 rows of 4 nm, of which the last plane is positive.
    let across = positive("x=-40");
    assert!((SIDE * SIDE / 4 - SIDE..SIDE * SIDE / 4 + SIDE).contains(&across), "{across}");
    assert_eq!(positive("x=-40"), positive("x=23"));
    assert_eq!(positive("y = 0"), positive("y=31.5"));
}

#[test]
fn the_middle_of_the_first_axis_is_shown_if_nothing_is_said() {
    let sandbox = Sandbox::new();
    halves(&sandbox, WHOLE);
    sandbox.succeeds(&["preview", LABELS, "--group", "mito=3", "-o", "middle.png"]);
    let at = |place: &str, out: &str| {
        let slice = format!("z={place}");
        sandbox.succeeds(&["preview", LABELS, "--group", "mito=3", "-o", out, "--slice", &slice]);
        fs::read(sandbox.path(out)).unwrap()
    };
    let middle = fs::read(sandbox.path("middle.png")).unwrap();
    assert_eq!(middle, at("88", "second.png"));
    assert_ne!(middle, at("80", "first.png"));
}

#[test]
fn a_place_or_axis_that_is_not_there_is_refused_by_name() {
    let sandbox = Sandbox::new();
    halves(&sandbox, WHOLE);
    let refuses = |slice: &str, code: i32, needles: &[&str]| {
        let args = ["preview", LABELS, "--group", "a=3", "-o", "p.png", "--slice", slice];
        sandbox.refuses(&args, code, needles);
    };
    refuses("q=90", 2, &["\"q\"", "\"z\", \"y\", \"x\""]);
    refuses("z", 2, &["\"z\"", "AXIS=PLACE"]);
    refuses("z=high", 2, &["z=high", "AXIS=PLACE"]);
    refuses("z=104", 1, &["z=104", "from 80 to 104"]);
    refuses("z=79.9", 1, &["z=79.9", "from 80 to 104"]);
    refuses("x=-40.5", 1, &["x=-40.5", "from -40 to 24"]);
    refuses("z=1e300", 2, &["z=1e300"]);
}

#[test]
fn labels_in_a_plane_are_shown_whole() {
    let sandbox = Sandbox::new();
    let voxels = ArrayD::from_shape_fn(IxDyn(&[8, 16]), |at| if at[1] < 8 { 3_i128 } else { 0 });
    let place = Place { voxel_size: &["2.5", "2.5"], corner: &["0", "0"] };
    Crop { axes: &["y", "x"], chunks: &[4, 4], place, ..Crop::default() }
        .store(&sandbox.path("crop.zarr"), &typed::<i32>(&voxels));
    let picture = draw(&sandbox, &["--group", "mito=3"]);
    assert_eq!(picture.count(POSITIVE), SIDE / 2 * SIDE / 2 + KEY);
    let args = ["preview", LABELS, "--group", "a=3", "-o", "q.png", "--slice", "y=1"];
    sandbox.refuses(&args, 2, &["--slice", "plane"]);
}

#[test]
fn an_image_is_shown_beside_the_labels() {
    let sandbox = Sandbox::new();
    halves(&sandbox, WHOLE);
    // From black to white along x.
    let shades =
        ArrayD::from_shape_fn(IxDyn(&[3, 8, 16]), |at| i128::try_from(at[2]).unwrap() * 10);
    let image = Crop { format: ZarrFormat::V3, attrs: json!({}), ..Crop::default() };
    image.store(&sandbox.path("raw.zarr"), &typed::<u16>(&shades));
    let without = draw(&sandbox, &["--group", "mito=3"]);
    let with = draw(&sandbox, &["--group", "mito=3", "--raw", "raw.zarr/all/s0"]);
    // One of 16 columns of voxels, on 150 rows of pixels.
    let column = LABELS_SIDE / 16 * (LABELS_SIDE / 2);
    for shade in [0, 255, 7 * 255 / 15] {
        let shade = [u8::try_from(shade).unwrap(); 3];
        assert!(with.count(shade) >= without.count(shade) + column, "{shade:?}");
    }
}

#[test]
fn an_image_that_does_not_cover_the_slice_on_its_voxels_is_refused() {
    let sandbox = Sandbox::new();
    halves(&sandbox, WHOLE);
    let coarse = Place { voxel_size: &["8", "8", "8"], corner: &["80", "0", "-40"] };
    let away = Place { voxel_size: &["8", "4", "4"], corner: &["8000", "0", "-40"] };
    let voxels = typed::<u8>(&labels(&[3, 8, 16], &IDS));
    Crop { place: coarse, ..Crop::default() }.store(&sandbox.path("coarse.zarr"), &voxels);
    Crop { place: away, ..Crop::default() }.store(&sandbox.path("away.zarr"), &voxels);
    let refuses = |raw: &str, needle: &str| {
        let args = ["preview", LABELS, "--group", "a=3", "-o", "p.png", "--raw", raw];
        sandbox.refuses(&args, 1, &[needle]);
    };
    refuses("coarse.zarr/all/s0", "its voxels are not those of the labels");
    refuses("away.zarr/all/s0", "is not inside");
    refuses("nowhere.zarr", "nowhere.zarr");
}

#[test]
fn a_picture_that_exists_is_replaced_only_if_asked() {
    let sandbox = Sandbox::new();
    halves(&sandbox, WHOLE);
    let args = ["preview", LABELS, "--group", "a=3", "-o", "p.png"];
    sandbox.succeeds(&args);
    sandbox.refuses(&args, 1, &["p.png", "exists", "--overwrite"]);
    sandbox.succeeds(&[&args[..], &["--overwrite"]].concat());
    Picture::read(&sandbox.path("p.png"));
}

#[test]
fn a_picture_for_labels_of_any_number_of_channels_can_be_drawn() {
    let sandbox = Sandbox::new();
    halves(&sandbox, WHOLE);
    let groups: Vec<String> = (0..30).map(|id| format!("--group=channel {id}={id}")).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let picture = draw(&sandbox, &groups);
    assert_eq!(picture.count(POSITIVE), 2 * (SIDE / 2 * SIDE / 2) + KEY, "of 0 and of 3");
}
