//! `voxmask demo`: a sample crop and the whole main job on it.

mod volume;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use annotation_mask::{Groups, MaskOptions};
use anstream::stdout;
use anyhow::{Context, Result, bail};
use array_core::{Array, ArrayExt, ArrayInfo, DType};
use geometry::{Decimal, LengthUnit, VoxelGrid, VoxelSize, WorldUnit};
use mask_writer::{Existing, WriteOptions};
use ndarray::Array3;
use serde_json::{Map, Value, json};
use zarr_source::{ImageOptions, OpenOptions, Staging, ZarrArray, ZarrFormat};

use crate::args::DemoArgs;
use crate::demo::volume::{CLASSES, SIZE, sample};
use crate::mask::write_truth;
use crate::preview::{Picture, Slice};
use crate::report::print_channels;
use crate::source;
use crate::truth::Truth;

/// The channels of the sample, with one of each kind.
const GROUPS: &str = r#"# One table for each channel: its name and the label ids that belong to it.
# Generic ids stand for a class as a whole (see `voxmask mask --rule generic`).

[[group]]
name = "ecs"
ids = [1]

[[group]]
name = "plasma membrane"
ids = [2]

[[group]]
name = "mitochondria"
ids = [3, 4]

[[group]]
name = "lysosomes"
ids = [12, 13]

[[group]]
name = "er"
ids = [16, 17]

[[group]]
name = "nucleus"
ids = [20, 21, 24, 28, 37]
generic_ids = [37]

[[group]]
name = "vesicles"
ids = [8, 9]

[[group]]
name = "microtubules"
ids = [30]
"#;

/// The voxel size and the corner of voxel 0, in nm, slowest axis first.
const VOXEL_SIZE: [&str; 3] = ["5.24", "4", "4"];
const CORNER: [&str; 3] = ["1047.38", "420", "396"];

pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let dir = &args.dir;
    check_is_ours(dir)?;
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let crop = dir.join("crop.zarr");
    let groups_file = dir.join("groups.toml");
    // First of all: by it the next run knows the folder as ours, even if this one does not end.
    crate::files::write_whole(&groups_file, |file| {
        std::io::Write::write_all(file, GROUPS.as_bytes()).map_err(Into::into)
    })?;
    write_crop(&crop)?;
    let mut out = stdout();
    writeln!(out, "A sample crop of {SIZE} x {SIZE} x {SIZE} voxels is in {}.\n", crop.display())?;

    let groups = Groups::from_toml(GROUPS).context("the groups of the sample")?;
    let labels_path = crop.join("labels/s0");
    let labels: Arc<dyn Array> = Arc::new(open(&labels_path)?);
    let masks = dir.join("masks.zarr");
    let truth = Truth::of_labels(labels, groups, MaskOptions::default(), 0)?;
    let options =
        WriteOptions { targets: true, existing: Existing::Overwrite, ..WriteOptions::default() };
    let written = write_truth(&truth, &masks, labels_path.display().to_string(), options)?;
    print_channels(&truth, &written.counts)?;

    let preview = dir.join("preview.png");
    let raw = open(&crop.join("raw/s0"))?;
    Picture { truth: &truth, raw: Some(Arc::new(raw)), title: crop.display().to_string() }
        .draw(&Slice::Middle)?
        .write_png(&preview)?;

    writeln!(
        out,
        "
Masked channels are in the crop but nobody labelled them: their mask is 0, so training
learns nothing false there.

  masks and targets  {masks}
  picture            {preview}

Try next:
  voxmask inspect {labels}
  voxmask mask {labels} --groups {groups} --rule generic -o {generic}
  voxmask preview {labels} --group mito=3,4 --slice z=1200 -o {slice}",
        masks = masks.display(),
        preview = preview.display(),
        labels = labels_path.display(),
        groups = groups_file.display(),
        generic = dir.join("generic.zarr").display(),
        slice = dir.join("slice.png").display(),
    )?;
    Ok(())
}

fn open(path: &Path) -> Result<ZarrArray> {
    source::open_array(path, &OpenOptions::default())
}

/// Fails rather than mix the sample with somebody's files.
fn check_is_ours(dir: &Path) -> Result<()> {
    let mut entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read the folder {}", dir.display()));
        }
    };
    let groups = fs::read_to_string(dir.join("groups.toml")).unwrap_or_default();
    if entries.next().is_some() && groups != GROUPS {
        bail!("{} is not empty and holds no sample of voxmask; name another folder", dir.display());
    }
    Ok(())
}

/// Writes image and labels of the sample.
fn write_crop(path: &Path) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let sample = sample();
    let staging = Staging::new(path, true).with_context(context)?;
    let labels = labels_attrs(&sample.labels);
    for (name, voxels, attrs) in
        [("raw", &sample.raw, Map::new()), ("labels", &sample.labels, labels)]
    {
        let info = info()?;
        let options = ImageOptions {
            zarr_format: ZarrFormat::V2,
            chunk_shape: Some(vec![SIZE / 2; 3]),
            attrs,
            ..ImageOptions::default()
        };
        let image = staging.create_image(name, &info, &options).with_context(context)?;
        let data = voxels.view().into_dyn().into();
        image.write(info.roi(), &data).with_context(context)?;
    }
    let origin = json!({"voxmask": {"version": env!("CARGO_PKG_VERSION"), "sample": true}});
    staging.commit(&object(origin)).with_context(context)?;
    Ok(())
}

fn info() -> Result<ArrayInfo> {
    let parse = |texts: [&str; 3]| -> Result<Vec<Decimal>> {
        texts.iter().map(|text| text.parse().map_err(Into::into)).collect()
    };
    let (voxel_size, corner) = (parse(VOXEL_SIZE)?, parse(CORNER)?);
    let unit = WorldUnit::fit(LengthUnit::Nanometer, &[voxel_size.as_slice(), &corner].concat())?;
    let voxel_size = VoxelSize::new(unit.coordinate(&voxel_size)?)?;
    let grid = VoxelGrid::new(unit.coordinate(&corner)?, voxel_size)?;
    Ok(ArrayInfo::new(DType::U8, &["z", "y", "x"], &[SIZE; 3], grid)?.with_unit(unit))
}

fn labels_attrs(labels: &Array3<u8>) -> Map<String, Value> {
    let entry = |class: &volume::Class| {
        let count = labels.iter().filter(|&&label| label == class.id).count();
        json!({
            "value": class.id,
            "name": {"long": class.long, "short": class.short},
            "annotationState": {"present": true, "annotated": class.annotated},
            "count": count,
        })
    };
    object(json!({"labels": CLASSES.iter().map(entry).collect::<Value>()}))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
