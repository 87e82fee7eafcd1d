//! Crop groups for tests, and a slow model of what they say, voxel by voxel.

use std::path::{Path, PathBuf};

use array_core::{ArrayExt, ArrayInfo};
use geometry::{LengthUnit, VoxelGrid, VoxelSize, WorldUnit};
use ndarray::{ArrayD, Axis, IxDyn};
use serde_json::{Map, Value, json};
use zarr_source::{ImageOptions, Staging, ZarrFormat};

use super::{Place, WHOLE, decimals, json_file, labels, object, typed, write_json};

/// What is known of a class at a voxel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Present,
    Absent,
    Unknown,
}

use State::{Absent, Present, Unknown};

/// Whose attributes say how a class is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Array,
    Group,
    Both,
}

/// A class with an array.
#[derive(Clone)]
pub struct Class {
    pub name: &'static str,
    pub voxels: ArrayD<i128>,
    pub is_instances: bool,
    pub absent: i128,
    pub present: Option<i128>,
    pub unknown: Option<i128>,
    pub says: Says,
    /// `complement_counts`, if there are any.
    pub counts: Option<Value>,
}

impl Class {
    /// A semantic class whose voxels are 0 (absent), 1 (present) or 255 (unknown); `seed` shifts them.
    pub fn semantic(name: &'static str, shape: &[usize], seed: usize) -> Self {
        Self::of(name, shifted(shape, &[0, 1, 255, 0, 1, 0, 1], seed))
    }

    /// A semantic class with these voxels.
    pub fn of(name: &'static str, voxels: ArrayD<i128>) -> Self {
        Self {
            name,
            voxels,
            is_instances: false,
            absent: 0,
            present: Some(1),
            unknown: Some(255),
            says: Says::Array,
            counts: None,
        }
    }

    /// A class of objects with many ids.
    pub fn instances(name: &'static str, shape: &[usize], seed: usize) -> Self {
        let voxels = shifted(shape, &[0, 3, 70_000, 0, 12, 65_535, 1], seed);
        Self { is_instances: true, present: None, unknown: Some(65_535), ..Self::of(name, voxels) }
    }

    /// What the voxel says, as DOMAIN defines it.
    pub fn state(&self, index: &IxDyn) -> State {
        let value = self.voxels[index];
        if value == self.absent {
            Absent
        } else if Some(value) == self.unknown {
            Unknown
        } else if self.is_instances || self.present.is_none_or(|present| present == value) {
            Present
        } else {
            Unknown
        }
    }

    fn attrs(&self) -> Value {
        let mut encoding = json!({"absent": number(self.absent)});
        for (name, value) in [("present", self.present), ("unknown", self.unknown)] {
            if let Some(value) = value {
                encoding[name] = number(value);
            }
        }
        let kind = if self.is_instances { "instance" } else { "semantic" };
        let mut annotation = json!({
            "class_name": self.name,
            "annotation_type": {"type": format!("{kind}_segmentation"), "encoding": encoding},
        });
        if let Some(counts) = &self.counts {
            annotation["complement_counts"] = counts.clone();
        }
        json!({"cellmap": {"annotation": annotation}})
    }
}

fn number(value: i128) -> Value {
    json!(i64::try_from(value).unwrap())
}

/// Voxels without a period that differ for each seed.
fn shifted(shape: &[usize], values: &[i128], seed: usize) -> ArrayD<i128> {
    let mut long = shape.to_vec();
    long[0] += seed;
    let all = labels(&long, values);
    all.slice_axis(Axis(0), ndarray::Slice::from(seed..)).to_owned()
}

/// A container with one crop, `crop1`.
pub struct CropGroup {
    pub format: ZarrFormat,
    pub place: Place,
    pub chunks: Vec<usize>,
    pub classes: Vec<Class>,
    /// The list of classes in the attributes of the crop.
    pub listed: Vec<&'static str>,
}

pub const SHAPE: [usize; 3] = [7, 9, 8];

impl CropGroup {
    /// The classes that most tests are about: `er` is composite and has an array of its own, `mito` is
    /// composite and has none, `nuc` is listed but has no array, and `cell` has objects.
    pub fn usual(format: ZarrFormat) -> Self {
        let classes = vec![
            Class::semantic("er", &SHAPE, 1),
            Class::semantic("er_mem", &SHAPE, 2),
            Class { says: Says::Group, ..Class::semantic("er_lum", &SHAPE, 3) },
            Class::semantic("mito_mem", &SHAPE, 4),
            Class { says: Says::Both, ..Class::semantic("mito_lum", &SHAPE, 5) },
            Class::instances("cell", &SHAPE, 6),
        ];
        Self {
            format,
            place: WHOLE,
            chunks: vec![4, 5, 3],
            classes,
            listed: vec!["mito_mem", "er_mem", "nuc", "er", "er_lum", "mito_lum", "cell"],
        }
    }

    /// Writes the container, and returns the path of the crop.
    pub fn store(&self, container: &Path) -> PathBuf {
        let staging = Staging::new(container, false).unwrap();
        for class in &self.classes {
            self.store_class(&staging, class);
        }
        let crop = staging.commit(&Map::new()).unwrap().join("crop1");
        let annotation = json!({"class_names": self.listed, "notes": "made for a test"});
        set_attr(&crop, self.format, "cellmap", &json!({"annotation": annotation}));
        crop
    }

    fn store_class(&self, staging: &Staging, class: &Class) {
        let voxels = if class.voxels.iter().any(|&value| value > 255) {
            typed::<u32>(&class.voxels)
        } else {
            typed::<u8>(&class.voxels)
        };
        let (sizes, corner) = (decimals(self.place.voxel_size), decimals(self.place.corner));
        let all = [sizes.as_slice(), &corner].concat();
        let unit = WorldUnit::fit(LengthUnit::Nanometer, &all).unwrap();
        let sizes = VoxelSize::new(unit.coordinate(&sizes).unwrap()).unwrap();
        let grid = VoxelGrid::new(unit.coordinate(&corner).unwrap(), sizes).unwrap();
        let info = ArrayInfo::new(voxels.dtype(), &["z", "y", "x"], voxels.shape(), grid).unwrap();
        let attrs = |says: &[Says]| {
            let says = says.contains(&class.says);
            if says { object(class.attrs()) } else { Map::new() }
        };
        let options = ImageOptions {
            zarr_format: self.format,
            chunk_shape: Some(self.chunks.clone()),
            attrs: attrs(&[Says::Array, Says::Both]),
            group_attrs: attrs(&[Says::Group, Says::Both]),
            ..ImageOptions::default()
        };
        let name = format!("crop1/{}", class.name);
        let image = staging.create_image(&name, &info.with_unit(unit), &options).unwrap();
        image.write(image.roi(), &voxels.view()).unwrap();
    }

    /// What the crop says of a class at a voxel: `table` names the parts of composite classes.
    pub fn state(&self, name: &str, table: Table<'_>, index: &IxDyn) -> State {
        let own = self.classes.iter().find(|class| class.name == name);
        match own.map_or(Unknown, |class| class.state(index)) {
            Unknown => match table.iter().find(|(composite, _)| *composite == name) {
                Some((_, parts)) => any(parts.iter().map(|part| self.state(part, table, index))),
                None => Unknown,
            },
            known => known,
        }
    }

    /// Mask and target, voxel by voxel.
    pub fn model(&self, groups: Groups<'_>, table: Table<'_>) -> (ArrayD<u8>, ArrayD<u8>) {
        let shape = self.classes[0].voxels.shape();
        let states: Vec<ArrayD<State>> = groups
            .iter()
            .map(|(_, classes)| {
                ArrayD::from_shape_fn(IxDyn(shape), |index| {
                    any(classes.iter().map(|class| self.state(class, table, &index)))
                })
            })
            .collect();
        let channels = |is_one: fn(State) -> bool| {
            let planes: Vec<ArrayD<u8>> =
                states.iter().map(|plane| plane.map(|&state| u8::from(is_one(state)))).collect();
            let views: Vec<_> = planes.iter().map(|plane| plane.view()).collect();
            ndarray::stack(Axis(0), &views).unwrap()
        };
        (channels(|state| state != Unknown), channels(|state| state == Present))
    }
}

/// Composite classes and their parts.
pub type Table<'a> = &'a [(&'a str, &'a [&'a str])];

/// Channels and their classes.
pub type Groups<'a> = &'a [(&'a str, &'a [&'a str])];

/// Present if any is, absent if all are, else unknown.
fn any(states: impl Iterator<Item = State>) -> State {
    let states: Vec<State> = states.collect();
    if states.contains(&Present) {
        Present
    } else if states.iter().all(|state| *state == Absent) {
        Absent
    } else {
        Unknown
    }
}

/// A table of the classes of [`CropGroup::usual`], and some more.
pub const CLASSES_CSV: &str = "\
id,name,docs_name,long_name,kind,constituent_ids
3,mito_mem,mito_mem,mitochondrial membrane,atomic,
4,mito_lum,mito_lum,mitochondrial lumen,atomic,
16,er_mem,er_mem,ER membrane,atomic,
17,er_lum,er_lum,ER lumen,atomic,
20,ne_mem,ne_mem,nuclear envelope membrane,atomic,
37,nuc,nuc,nucleus,group,20
50,mito,mito,mitochondria,group,3 4
51,er,er,endoplasmic reticulum,group,16 17
55,vesicle,ves,vesicles,atomic,
60,cell,cell,cells,group,50 51
";

/// What [`CLASSES_CSV`] says of composites.
pub const COMPOSITES: Table<'_> = &[
    ("nuc", &["ne_mem"]),
    ("mito", &["mito_mem", "mito_lum"]),
    ("er", &["er_mem", "er_lum"]),
    ("cell", &["mito", "er"]),
];

/// The attributes of a group or an array, changed.
pub fn edit_attrs(node: &Path, format: ZarrFormat, change: impl FnOnce(&mut Value)) {
    match format {
        ZarrFormat::V2 => {
            let file = node.join(".zattrs");
            let mut attrs = if file.exists() { json_file(&file) } else { json!({}) };
            change(&mut attrs);
            write_json(&file, &attrs);
        }
        ZarrFormat::V3 => {
            let file = node.join("zarr.json");
            let mut document = json_file(&file);
            change(&mut document["attributes"]);
            write_json(&file, &document);
        }
        ZarrFormat::N5 => {
            let file = node.join("attributes.json");
            let mut attrs = json_file(&file);
            change(&mut attrs);
            write_json(&file, &attrs);
        }
    }
}

/// Sets one attribute of a group or an array.
pub fn set_attr(node: &Path, format: ZarrFormat, key: &str, value: &Value) {
    edit_attrs(node, format, |attrs| attrs[key] = value.clone());
}

/// The attributes of a group or an array of Zarr version 3.
pub fn attrs_v3(node: &Path) -> Value {
    json_file(&node.join("zarr.json"))["attributes"].clone()
}
