//! Crop groups: one array for each class instead of one array of labels.

use std::collections::BTreeSet;
use std::sync::Arc;

use array_core::{Array, ArrayInfo, BlockGrid};
use serde_json::{Map, Value};

use crate::class_annotation::ClassAnnotation;
use crate::class_groups::ClassGroups;
use crate::class_table::ClassTable;
use crate::error::MaskError;
use crate::finding::{Finding, Severity};
use crate::grouping::Grouping;
use crate::labels::kind;

mod arrays;
mod cached;
mod metadata;
mod plan;
pub(crate) mod states;

pub use arrays::{CropMask, CropMaskAndTarget, CropTarget};

/// One class of a crop group: its array, and what the values of the array mean.
#[derive(Clone, Debug)]
pub struct CropClass<A> {
    /// The name of the class, which is that of its group.
    pub name: String,
    /// The voxels: integers, without channels.
    pub array: A,
    /// What the values mean.
    pub annotation: ClassAnnotation,
}

impl<A: Array> CropClass<A> {
    /// The class `name`, annotated as the attributes of the array say, or else those of its group.
    ///
    /// # Errors
    ///
    /// Those of [`ClassAnnotation::from_attrs`].
    pub fn from_attrs(
        name: impl Into<String>,
        array: A,
        group_attrs: &Map<String, Value>,
    ) -> Result<Self, MaskError> {
        let name = name.into();
        let annotation = ClassAnnotation::from_attrs(&name, array.info().attrs(), group_attrs)?;
        Ok(Self { name, array, annotation })
    }
}

/// A crop in which each class has an array of its own, all over the same voxels.
///
/// Per voxel, a class is present, absent or unknown, as the encoding of its array says. A composite
/// class (one that the class table makes of others) is what its own array says where that is known;
/// where it is unknown or there is no array, it is the three-valued OR of its constituents. A class
/// without an array and without constituents is unknown everywhere.
///
/// [`CropMaskAndTarget`] makes masks and targets of it.
#[derive(Clone, Debug)]
pub struct CropGroup<A> {
    name: String,
    attrs: Arc<Map<String, Value>>,
    classes: Vec<CropClass<A>>,
    listed: Vec<String>,
    table: Option<ClassTable>,
    // What the arrays have in common.
    info: ArrayInfo,
    findings: Vec<Finding>,
}

impl<A: Array> CropGroup<A> {
    /// The crop `name` of these classes, in which `attrs` (those of the crop group) list all classes
    /// that were looked at, as `cellmap.annotation.class_names`.
    ///
    /// # Errors
    ///
    /// [`MaskError::CropMalformed`] if there is no array, if a class stands twice (also in two
    /// spellings of the class table), if an array has channels or is not of integers, or if the list
    /// of classes is none; [`MaskError::ClassesDiffer`] if two arrays do not cover the same voxels.
    pub fn new(
        name: impl Into<String>,
        attrs: Arc<Map<String, Value>>,
        classes: Vec<CropClass<A>>,
        table: Option<ClassTable>,
    ) -> Result<Self, MaskError> {
        let name = name.into();
        let malformed = |reason: String| MaskError::CropMalformed { crop: name.clone(), reason };
        let listed = listed_classes(&attrs).map_err(malformed)?;
        let info = common_info(&name, &classes)?;
        for (index, class) in classes.iter().enumerate() {
            let same = |other: &&CropClass<A>| {
                let spelled = table.as_ref().and_then(|table| table.class(&class.name));
                other.name == class.name || spelled.is_some_and(|c| c.is_called(&other.name))
            };
            if let Some(other) = classes[..index].iter().find(same) {
                let (one, two) = (&other.name, &class.name);
                return Err(malformed(format!("{one:?} and {two:?} are the same class")));
            }
        }
        let findings = metadata::findings(&classes, listed.as_deref(), table.as_ref());
        let mut all: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        all.extend(listed.iter().flatten().filter(|name| seen.insert(*name)).cloned());
        for class in &classes {
            if !all.iter().any(|name| metadata::is_called(class, name, table.as_ref())) {
                all.push(class.name.clone());
            }
        }
        Ok(Self { listed: all, info, name, attrs, classes, table, findings })
    }

    /// The name of the crop.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The attributes of the crop group.
    #[must_use]
    pub fn attrs(&self) -> &Arc<Map<String, Value>> {
        &self.attrs
    }

    /// The classes that have an array.
    #[must_use]
    pub fn classes(&self) -> &[CropClass<A>] {
        &self.classes
    }

    /// The names of all classes: those that the crop lists, in its order, then those that have an
    /// array but are not listed.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.listed
    }

    /// The class table that says what composite classes consist of.
    #[must_use]
    pub fn table(&self) -> Option<&ClassTable> {
        self.table.as_ref()
    }

    /// What the class arrays have in common: axes, shape, place and unit. The element type is that of
    /// the first.
    #[must_use]
    pub fn info(&self) -> &ArrayInfo {
        &self.info
    }

    /// What the metadata alone leave open: no voxel has been read.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Those of [`CropGroup::findings`] that are likely mistakes, each in a sentence.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        let likely = |finding: &&Finding| finding.severity > Severity::Info;
        self.findings.iter().filter(likely).map(|finding| finding.message.as_str())
    }

    /// One channel for each class, in the order of [`CropGroup::class_names`].
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] if a class has an empty name.
    pub fn default_groups(&self) -> Result<ClassGroups, MaskError> {
        ClassGroups::one_for_each(&self.listed)
    }

    /// The groups that a user wrote, as classes of this crop.
    ///
    /// # Errors
    ///
    /// Those of [`Grouping::resolve_classes`].
    pub fn resolve(&self, grouping: &Grouping) -> Result<ClassGroups, MaskError> {
        grouping.resolve_classes(self.table.as_ref(), &self.listed)
    }

    /// The index of the class of this name, in any spelling of the class table.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        let exact = self.classes.iter().position(|class| class.name == name);
        exact.or_else(|| {
            let class = self.table.as_ref()?.class(name)?;
            self.classes.iter().position(|other| class.is_called(&other.name))
        })
    }
}

/// The list `cellmap.annotation.class_names`, if the crop has one.
fn listed_classes(attrs: &Map<String, Value>) -> Result<Option<Vec<String>>, String> {
    let annotation = attrs.get("cellmap").and_then(|cellmap| cellmap.get("annotation"));
    let list = match annotation.and_then(|annotation| annotation.get("class_names")) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(other) => {
            let found = kind(other);
            return Err(format!("`cellmap.annotation.class_names` is no list, but {found}"));
        }
    };
    let name = |(index, value): (usize, &Value)| match value.as_str().map(str::trim) {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => {
            let found = kind(value);
            Err(format!("`cellmap.annotation.class_names[{index}]` is no name, but {found}"))
        }
    };
    list.iter().enumerate().map(name).collect::<Result<_, _>>().map(Some)
}

/// What all arrays have in common.
fn common_info<A: Array>(crop: &str, classes: &[CropClass<A>]) -> Result<ArrayInfo, MaskError> {
    let malformed = |reason: String| MaskError::CropMalformed { crop: crop.to_owned(), reason };
    let Some(first) = classes.first() else {
        return Err(malformed("no class has an array".to_owned()));
    };
    let mut info = first.array.info().clone();
    for class in classes {
        let other = class.array.info();
        if other.channel_dims() > 0 {
            let axes = other.axes();
            return Err(malformed(format!("class {:?} has channels: {axes:?}", class.name)));
        }
        if !other.dtype().is_integer() {
            let dtype = other.dtype();
            let reason = format!("class {:?}: elements of type {dtype} are no labels", class.name);
            return Err(malformed(reason));
        }
        let differ = |what, one: String, two: String| MaskError::ClassesDiffer {
            crop: crop.to_owned(),
            classes: Box::new([first.name.clone(), class.name.clone()]),
            what,
            values: Box::new([one, two]),
        };
        if other.axes() != info.axes() {
            let (one, two) = (info.axes().join(", "), other.axes().join(", "));
            return Err(differ("axes", one, two));
        }
        if other.shape() != info.shape() {
            let (one, two) = (format!("{:?}", info.shape()), format!("{:?}", other.shape()));
            return Err(differ("shape", one, two));
        }
        // A place is numbers in a unit: both in the words of the declared unit.
        let place = |info: &ArrayInfo| {
            let unit = info.unit();
            let sizes = unit.decimals(info.grid().voxel_size().as_coordinate());
            let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
            let symbol = unit.unit().symbol();
            (format!("{} {symbol}", sizes.join(" x ")), unit.format_roi(info.roi()))
        };
        if (other.unit(), other.grid().voxel_size()) != (info.unit(), info.grid().voxel_size()) {
            return Err(differ("voxel size", place(&info).0, place(other).0));
        }
        if other.grid() != info.grid() {
            return Err(differ("place", place(&info).1, place(other).1));
        }
        let (mine, theirs) = (info.blocks(), other.blocks());
        let bytes = mine.bytes().max(theirs.bytes());
        let blocks = if (mine.shape(), mine.inside()) == (theirs.shape(), theirs.inside()) {
            Some(mine.clone())
        } else {
            // The larger of both, so that no chunk is decoded for many small blocks.
            let axes = mine.shape().iter().zip(theirs.shape());
            BlockGrid::new(&axes.map(|(&one, &two)| one.max(two)).collect::<Vec<_>>())
        };
        if let Some(blocks) = blocks {
            info = info.with_blocks(blocks.taking(bytes))?;
        }
    }
    Ok(info)
}
