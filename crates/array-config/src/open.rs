//! Opening what lies at a location, whatever it is: an array, a crop group, or a container.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotation_mask::{ClassTable, CropClass, CropGroup, Grouping, MaskError, cellmap_annotation};
use array_core::{Array, ArrayError, ArrayExt};
use geometry::Roi;
use serde_json::{Map, Value};
use zarr_source::{Location, OpenOptions, ZarrArray, ZarrError, ZarrGroup, ZarrNode};

use crate::text_file::read_text;

/// Why something could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The storage, or what is stored in it.
    #[error(transparent)]
    Zarr(#[from] ZarrError),
    /// What the metadata say about labels or classes.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// The region of a crop.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        source: std::io::Error,
    },
    /// A file is no table of classes.
    #[error("{} is no table of classes", path.display())]
    ClassTable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        source: Box<MaskError>,
    },
}

/// What lies at a location.
#[derive(Debug)]
pub enum Opened {
    /// An array, or a scale level of an image.
    Array(Arc<ZarrArray>),
    /// A crop in which each class has an array of its own; or one such class.
    Crop(Box<OpenedCrop>),
    /// A container or group of something else.
    Group(Box<ZarrGroup>),
}

/// A crop group over Zarr arrays.
#[derive(Debug)]
pub struct OpenedCrop {
    /// The crop.
    pub crop: CropGroup<Arc<dyn Array>>,
    /// The stored arrays of its classes, in the order of [`CropGroup::classes`].
    pub arrays: Vec<Arc<ZarrArray>>,
    /// Where it lies: an absolute path, or a URL without secrets.
    pub path: PathBuf,
    /// The classes that have a group but cannot be opened, and why; none unless [`open_crop_partly`] was
    /// asked for.
    pub failed: Vec<(String, OpenError)>,
    /// The channels that a config makes of it; no group if it was not opened by one that has some.
    pub grouping: Grouping,
}

impl OpenedCrop {
    /// The part of the crop inside `roi` (world units).
    ///
    /// # Errors
    ///
    /// Those of [`array_core::Crop::new`].
    pub fn crop_to(self, roi: &Roi) -> Result<CropGroup<Arc<dyn Array>>, OpenError> {
        let class = |class: &CropClass<Arc<dyn Array>>| {
            let array: Arc<dyn Array> = Arc::new(Arc::clone(&class.array).crop(roi)?);
            Ok::<_, ArrayError>(CropClass { array, ..class.clone() })
        };
        let classes = self.crop.classes().iter().map(class).collect::<Result<_, _>>()?;
        let (name, attrs) = (self.crop.name(), Arc::clone(self.crop.attrs()));
        Ok(CropGroup::new(name, attrs, classes, self.crop.table().cloned())?)
    }
}

/// Opens what lies at `location`.
///
/// A group that lists classes (`cellmap.annotation.class_names`) is a crop, and so is the group or the
/// array of a single class that says how it is encoded; `table` says what composite classes of a crop
/// consist of. A group with scale levels is the level that `options` ask for, or the finest.
///
/// # Errors
///
/// Those of [`ZarrArray::open_with`], and of [`CropGroup::new`].
pub fn open(
    location: impl Into<Location>,
    options: &OpenOptions,
    table: Option<&ClassTable>,
) -> Result<Opened, OpenError> {
    open_through(open_crop, location.into(), options, table)
}

/// Opens what lies at `location` as [`open`] does, but a crop also where some of its classes cannot be
/// opened: see [`open_crop_partly`].
///
/// # Errors
///
/// Those of [`open`] and [`open_crop_partly`].
pub fn open_partly(
    location: impl Into<Location>,
    options: &OpenOptions,
    table: Option<&ClassTable>,
) -> Result<Opened, OpenError> {
    open_through(open_crop_partly, location.into(), options, table)
}

type OpenCrop = fn(&ZarrGroup, &OpenOptions, Option<&ClassTable>) -> Result<OpenedCrop, OpenError>;

fn open_through(
    open_crop: OpenCrop,
    location: Location,
    options: &OpenOptions,
    table: Option<&ClassTable>,
) -> Result<Opened, OpenError> {
    let group = match ZarrNode::open_with(location, options)? {
        ZarrNode::Group(group) => group,
        ZarrNode::Array(array) => {
            let array: Arc<ZarrArray> = array.into();
            let (path, group_attrs) = (array.metadata().path(), array.group_attrs());
            // A level is called `s0`; its group has the name of the class.
            let group = path.parent().filter(|_| !group_attrs.is_empty());
            let name = group.unwrap_or(path);
            return open_single(Arc::clone(&array), group_attrs, name, table);
        }
    };
    if is_crop(group.attrs()) {
        return Ok(Opened::Crop(Box::new(open_crop(&group, options, table)?)));
    }
    if options.level.is_none() && group.levels()?.is_empty() {
        return Ok(Opened::Group(group));
    }
    let array = Arc::new(group.open_array("", options)?);
    open_single(array, group.attrs(), group.path(), table)
}

/// An array by itself: of labels, or of one class if it or its group says how it is encoded. A class without
/// a name is called as the folder `path`.
fn open_single(
    array: Arc<ZarrArray>,
    group_attrs: &Map<String, Value>,
    path: &Path,
    table: Option<&ClassTable>,
) -> Result<Opened, OpenError> {
    // What annotators say of many labels goes before what is said of one class.
    if array.attrs().contains_key("labels") {
        return Ok(Opened::Array(array));
    }
    let said = [array.attrs(), group_attrs]
        .into_iter()
        .find_map(|attrs| cellmap_annotation(attrs)?.get("class_name")?.as_str());
    let folder = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = said.map(str::to_owned).or(folder).unwrap_or_default();
    let class = match CropClass::from_attrs(name, Arc::clone(&array) as Arc<dyn Array>, group_attrs)
    {
        Ok(class) => class,
        Err(MaskError::NoEncoding { .. }) => return Ok(Opened::Array(array)),
        Err(error) => return Err(error.into()),
    };
    let listed = serde_json::json!({"cellmap": {"annotation": {"class_names": [&class.name]}}});
    let attrs = listed.as_object().cloned().unwrap_or_default();
    let name = class.name.clone();
    let crop = CropGroup::new(name, Arc::new(attrs), vec![class], table.cloned())?;
    Ok(Opened::Crop(Box::new(OpenedCrop {
        crop,
        arrays: vec![array],
        path: path.to_owned(),
        failed: Vec::new(),
        grouping: Grouping::default(),
    })))
}

/// Opens the crop group `group`: the array of each class that it lists, at the level that `options` ask
/// for.
///
/// Listed classes without a group are left out: they are unknown everywhere.
///
/// # Errors
///
/// Those of [`ZarrArray::open_with`], [`CropClass::from_attrs`] and [`CropGroup::new`].
pub fn open_crop(
    group: &ZarrGroup,
    options: &OpenOptions,
    table: Option<&ClassTable>,
) -> Result<OpenedCrop, OpenError> {
    let mut opened = open_crop_partly(group, options, table)?;
    if opened.failed.is_empty() {
        return Ok(opened);
    }
    Err(opened.failed.swap_remove(0).1)
}

/// The same without the classes that cannot be opened, which are told beside the crop: for quality control,
/// which should not stop at the first of them.
///
/// # Errors
///
/// Those of listing the classes, and of [`CropGroup::new`].
pub fn open_crop_partly(
    group: &ZarrGroup,
    options: &OpenOptions,
    table: Option<&ClassTable>,
) -> Result<OpenedCrop, OpenError> {
    let (mut classes, mut arrays, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for name in class_names(group, options)? {
        match open_class(group, &name, options) {
            Ok(Some((class, array))) => {
                classes.push(class);
                arrays.push(array);
            }
            Ok(None) => {}
            Err(error) => failed.push((name, error)),
        }
    }
    // The first error tells more than that there is no class.
    if classes.is_empty() && !failed.is_empty() {
        return Err(failed.swap_remove(0).1);
    }
    let path = group.path().to_owned();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let attrs = Arc::new(group.attrs().clone());
    let crop = CropGroup::new(name.unwrap_or_default(), attrs, classes, table.cloned())?;
    Ok(OpenedCrop { crop, arrays, path, failed, grouping: Grouping::default() })
}

/// The class `name` of a crop group; none if there is nothing of that name.
#[expect(clippy::type_complexity, reason = "a class and the array that it is made of")]
fn open_class(
    group: &ZarrGroup,
    name: &str,
    options: &OpenOptions,
) -> Result<Option<(CropClass<Arc<dyn Array>>, Arc<ZarrArray>)>, OpenError> {
    let (array, group_attrs) = match group.open_group(name) {
        Ok(class) => (class.open_array("", options)?, class.attrs().clone()),
        Err(ZarrError::NotFound { .. }) => return Ok(None),
        // A class may be an array without levels.
        Err(ZarrError::NotAZarrGroup { .. }) => (group.open_array(name, options)?, Map::new()),
        Err(error) => return Err(error.into()),
    };
    let array = Arc::new(array);
    let class = CropClass::from_attrs(name, Arc::clone(&array) as Arc<dyn Array>, &group_attrs)?;
    Ok(Some((class, array)))
}

/// The names of the classes: those that the crop lists, and then those beside them that say how they are
/// encoded.
fn class_names(group: &ZarrGroup, options: &OpenOptions) -> Result<Vec<String>, OpenError> {
    let listed =
        cellmap_annotation(group.attrs()).and_then(|map| map.get("class_names")?.as_array());
    let mut names: Vec<String> = Vec::new();
    for name in listed.into_iter().flatten().filter_map(Value::as_str).map(str::trim) {
        if !names.iter().any(|other| other == name) {
            names.push(name.to_owned());
        }
    }
    let has_list = !names.is_empty();
    let groups = match group.groups() {
        Ok(groups) => groups,
        // Such a server has the classes that are listed.
        Err(ZarrError::NotListable { .. }) if has_list => return Ok(names),
        // What a crop does not list need not be its own.
        Err(error) if has_list => {
            tracing::warn!("looked for no more classes than the crop lists: {error}");
            return Ok(names);
        }
        Err(error) => return Err(error.into()),
    };
    for name in groups.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>() {
        match group.open_group(&name) {
            Ok(class) if is_class(&class, options) => names.push(name),
            Ok(_) => {}
            Err(error) if has_list => tracing::warn!("passed over {name:?} in the crop: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(names)
}

/// Whether a group that the crop does not list is a class: other groups, such as `all`, hold other things.
fn is_class(group: &ZarrGroup, options: &OpenOptions) -> bool {
    let says_so = |attrs: &Map<String, Value>| {
        let keys = ["class_name", "annotation_type"];
        cellmap_annotation(attrs).is_some_and(|map| keys.iter().any(|key| map.contains_key(*key)))
    };
    if says_so(group.attrs()) {
        return true;
    }
    if group.levels().map_or(true, |levels| levels.is_empty()) {
        return false;
    }
    // What a class is does not depend on the level: one that it lacks is told when the class is opened.
    let options = OpenOptions { level: None, ..options.clone() };
    group.open_array("", &options).is_ok_and(|array| says_so(array.attrs()))
}

/// Whether the attributes of a group say that it is a crop group: `cellmap.annotation.class_names`.
#[must_use]
pub fn is_crop(attrs: &Map<String, Value>) -> bool {
    cellmap_annotation(attrs).is_some_and(|annotation| annotation.contains_key("class_names"))
}

/// The table of classes in a CSV file.
///
/// # Errors
///
/// [`OpenError::Io`] if the file cannot be read; those of [`ClassTable::from_csv`].
pub fn read_class_table(path: &Path) -> Result<ClassTable, OpenError> {
    let text = read_text(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    ClassTable::from_csv(&text)
        .map_err(|error| OpenError::ClassTable { path: path.to_owned(), source: Box::new(error) })
}
