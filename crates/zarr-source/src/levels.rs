//! Scale levels: the arrays of one image in several resolutions, and which of them is meant.

mod find;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use array_core::{Array, ArrayInfo};
use geometry::{Decimal, LengthUnit};

pub(crate) use self::find::{normal_path, paths};
use crate::array::ZarrArray;
use crate::error::ZarrError;
use crate::node::{Node, NodeKind, path_inside};
use crate::options::OpenOptions;
use crate::remark::{Remark, RemarkKind};
use crate::store::Container;

/// Which scale level of an image is meant.
///
/// ```
/// use zarr_source::Level;
///
/// for text in ["5.24x4x4 nm", "5.24,4,4nm", "5.24 x 4 x 4nm"] {
///     assert_eq!(text.parse::<Level>()?.to_string(), "5.24 x 4 x 4 nm");
/// }
/// assert_eq!("s1".parse::<Level>()?, Level::Name("s1".to_owned()));
/// # Ok::<_, zarr_source::ZarrError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Level {
    /// The level of this name or path inside its group, such as `s1` or `scale1/image`.
    Name(String),
    /// The level with voxels of this size.
    VoxelSize {
        /// A length for each spatial axis, or one for all.
        voxel_size: Vec<Decimal>,
        /// The unit of the lengths.
        unit: LengthUnit,
    },
}

/// Reads lengths with a unit behind them, such as `8nm`, `5.24x4x4 nm` or `8,8,8 nm`, as a voxel size, and
/// anything else as a name.
impl FromStr for Level {
    type Err = ZarrError;

    fn from_str(text: &str) -> Result<Self, ZarrError> {
        let invalid = |reason: &str| ZarrError::InvalidLevel {
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(invalid("it is empty"));
        }
        let Some((voxel_size, unit)) = lengths(trimmed) else {
            return Ok(Self::Name(trimmed.to_owned()));
        };
        if voxel_size.iter().any(|size| !size.is_positive()) {
            return Err(invalid("a voxel size must be greater than zero"));
        }
        Ok(Self::VoxelSize { voxel_size, unit })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::VoxelSize { voxel_size, unit } => f.write_str(&size_text(voxel_size, *unit)),
        }
    }
}

/// What a scale level is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LevelInfo {
    /// Its path inside the group.
    pub path: String,
    /// Its voxel size in `unit`, for the spatial axes; none if nothing says it.
    pub voxel_size: Option<Vec<Decimal>>,
    /// The unit of the voxel size.
    pub unit: LengthUnit,
    /// The extents of all axes.
    pub shape: Vec<usize>,
}

impl fmt::Display for LevelInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, voxel_size, unit, .. } = self;
        match voxel_size {
            Some(voxel_size) => write!(f, "{path} ({})", size_text(voxel_size, *unit)),
            None => write!(f, "{path} (voxel size unknown)"),
        }
    }
}

/// The array that is meant.
pub(crate) struct Chosen {
    pub(crate) dir: PathBuf,
    /// What lies there.
    pub(crate) node: Option<Node>,
    pub(crate) warnings: Vec<Remark>,
}

/// The levels of a group, in the order in which its metadata lists them; none if it is no image.
pub(crate) fn list(container: &Container, group: &Node) -> Result<Vec<LevelInfo>, ZarrError> {
    list_with(container, group, &OpenOptions::default())
}

/// The array that a path and `options.level` mean: that of the path itself, or a level of its group.
///
/// What is neither array nor image is left as it is, for others to tell. `node` is what lies at the path.
pub(crate) fn choose(
    container: &Container,
    dir: &Path,
    node: Option<Node>,
    options: &OpenOptions,
) -> Result<Chosen, ZarrError> {
    let as_it_is = |node| Chosen { dir: dir.to_owned(), node, warnings: Vec::new() };
    let level_at = |path: &str, warnings| {
        let dir = dir.join(path);
        Ok(Chosen { node: Node::read(container, &dir)?, dir, warnings })
    };
    let Some(node) = node else {
        return Ok(as_it_is(None));
    };
    if node.kind == NodeKind::Array {
        if let Some(level) = &options.level {
            check_array(container, dir, level, options)?;
        }
        return Ok(as_it_is(Some(node)));
    }
    let paths = find::paths(container, &node)?;
    let Some(first) = paths.first() else {
        if let Some(found) = find::collection(&node) {
            return Err(ZarrError::NotAZarrArray { path: dir.to_owned(), found });
        }
        return match &options.level {
            Some(Level::Name(name)) if find::is_array_inside(container, dir, name)? => {
                level_at(&normal_path(name), Vec::new())
            }
            Some(level) => Err(no_level(dir, level, "the group has no scale levels".to_owned())),
            None => Ok(as_it_is(Some(node))),
        };
    };
    let (path, warnings) = match &options.level {
        Some(level) => (level_of(container, &node, &paths, level, options)?, Vec::new()),
        None if paths.len() == 1 => (first.clone(), Vec::new()),
        None => {
            let others = paths.get(1..).unwrap_or_default().join(", ");
            let told =
                format!("{}: took the scale level {first}; there are also {others}", dir.display());
            (first.clone(), vec![RemarkKind::LevelTaken.says(told)])
        }
    };
    level_at(&path, warnings)
}

/// The path of a level in its group.
fn level_of(
    container: &Container,
    group: &Node,
    paths: &[String],
    level: &Level,
    options: &OpenOptions,
) -> Result<String, ZarrError> {
    if let Level::Name(name) = level {
        if let Some(path) = find::named(paths, name) {
            return Ok(path.to_owned());
        }
        if find::is_array_inside(container, &group.dir, name)? {
            return Ok(normal_path(name));
        }
    }
    let levels = list_with(container, group, options)?;
    let fits = levels.iter().find(|info| fits(info, level));
    fits.map(|info| info.path.clone())
        .ok_or_else(|| no_level(&group.dir, level, format!("its levels are {}", texts(&levels))))
}

/// Checks that the array at a path is the level that is wanted.
fn check_array(
    container: &Container,
    dir: &Path,
    level: &Level,
    options: &OpenOptions,
) -> Result<(), ZarrError> {
    let groups = Node::enclosing_groups(container, dir)?;
    let mut siblings = None;
    for group in &groups {
        let inside = path_inside(&group.dir, dir);
        let paths = find::paths(container, group)?;
        if let Level::Name(name) = level
            && find::named(&paths, name) == Some(&inside)
        {
            return Ok(());
        }
        if paths.contains(&inside) {
            siblings = Some(group);
            break;
        }
    }
    let own = info(container, dir, path_inside(container.root(), dir), options)?;
    let is_named = |name: &str| Path::new(&own.path).ends_with(normal_path(name));
    if matches!(level, Level::Name(name) if is_named(name)) || fits(&own, level) {
        return Ok(());
    }
    let found = match siblings {
        Some(group) => {
            let levels = texts(&list_with(container, group, options)?);
            let group = group.dir.display();
            format!("it is the array {own}; name its group {group}, whose levels are {levels}")
        }
        None => format!("it is the array {own}, which is no level of an image"),
    };
    Err(no_level(dir, level, found))
}

fn no_level(path: &Path, level: &Level, found: String) -> ZarrError {
    ZarrError::NoSuchLevel { path: path.to_owned(), level: level.to_string(), found }
}

fn list_with(
    container: &Container,
    group: &Node,
    options: &OpenOptions,
) -> Result<Vec<LevelInfo>, ZarrError> {
    let paths = find::paths(container, group)?.into_iter();
    paths.map(|path| info(container, &group.dir.join(&path), path, options)).collect()
}

/// What the array in a folder is.
fn info(
    container: &Container,
    dir: &Path,
    path: String,
    options: &OpenOptions,
) -> Result<LevelInfo, ZarrError> {
    // Only the unit is said of all levels alike.
    let options = OpenOptions { unit: options.unit, ..OpenOptions::default() };
    let open = |options| ZarrArray::open_in(container.clone(), dir.to_owned(), options);
    let voxel_size =
        |info: &ArrayInfo| info.unit().decimals(info.grid().voxel_size().as_coordinate());
    let (array, is_known) = match open(&options) {
        Err(ZarrError::NoGeometry { .. }) => {
            (open(&OpenOptions { unit_voxels: true, ..options.clone() })?, false)
        }
        array => (array?, true),
    };
    let info = array.info();
    Ok(LevelInfo {
        path,
        voxel_size: is_known.then(|| voxel_size(info)),
        unit: info.unit().unit(),
        shape: info.shape().to_vec(),
    })
}

/// Whether a level has exactly the voxel size that is wanted.
fn fits(info: &LevelInfo, level: &Level) -> bool {
    let (Level::VoxelSize { voxel_size, unit }, Some(found)) = (level, &info.voxel_size) else {
        return false;
    };
    let powers = unit.power_of_ten_to_meter().zip(info.unit.power_of_ten_to_meter());
    let Some((from, to)) = powers else {
        return false;
    };
    let wanted = |axis: usize| match &voxel_size[..] {
        [one] => Some(one),
        sizes => sizes.get(axis),
    };
    let equal = |(axis, found): (usize, &Decimal)| {
        let wanted = wanted(axis)?.times_power_of_ten(from.saturating_sub(to)).ok()?;
        Some(wanted == *found)
    };
    (voxel_size.len() == 1 || voxel_size.len() == found.len())
        && found.iter().enumerate().all(|axis| equal(axis) == Some(true))
}

/// The lengths and the unit of a text such as `5.24x4x4 nm`.
fn lengths(text: &str) -> Option<(Vec<Decimal>, LengthUnit)> {
    let end = text.rfind(|letter: char| letter.is_ascii_digit() || letter == '.')?;
    let (numbers, unit) = text.split_at(end.checked_add(1)?);
    let unit = LengthUnit::parse(unit).filter(|unit| *unit != LengthUnit::Unknown)?;
    let numbers = numbers.split(['x', ',', '×']).map(|number| number.trim().parse().ok());
    Some((numbers.collect::<Option<_>>()?, unit))
}

fn size_text(voxel_size: &[Decimal], unit: LengthUnit) -> String {
    let numbers: Vec<String> = voxel_size.iter().map(Decimal::to_string).collect();
    let unit = match unit {
        LengthUnit::Unknown => "(unit unknown)",
        known => known.symbol(),
    };
    format!("{} {unit}", numbers.join(" x "))
}

fn texts(levels: &[LevelInfo]) -> String {
    levels.iter().map(LevelInfo::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_with_a_unit_are_voxel_sizes_and_all_else_is_a_name() {
        let read = |text: &str| text.parse::<Level>().unwrap();
        let size = |numbers: &[&str], unit| Level::VoxelSize {
            voxel_size: numbers.iter().map(|number| number.parse().unwrap()).collect(),
            unit,
        };
        assert_eq!(read("8nm"), size(&["8"], LengthUnit::Nanometer));
        assert_eq!(read(" 8 nm "), size(&["8"], LengthUnit::Nanometer));
        assert_eq!(read("0.008um"), size(&["0.008"], LengthUnit::Micrometer));
        assert_eq!(read("5.24x4x4 nm"), size(&["5.24", "4", "4"], LengthUnit::Nanometer));
        assert_eq!(read("8, 8, 8 nanometers"), size(&["8", "8", "8"], LengthUnit::Nanometer));
        for name in ["s1", "0", "8", "scale1/image", "4x4x4", "8 parsec", "nm", "level 8nm"] {
            assert_eq!(read(name), Level::Name(name.to_owned()));
        }
        for wrong in ["", "  ", "0nm", "8x-8x8nm"] {
            let error = wrong.parse::<Level>().unwrap_err();
            assert!(matches!(error, ZarrError::InvalidLevel { .. }), "{error}");
        }
    }
}
