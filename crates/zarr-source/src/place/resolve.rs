//! Deciding between the places that say where the voxels lie.

use std::path::Path;

use geometry::{Decimal, LengthUnit, VoxelGrid, VoxelSize, WorldUnit};

use super::axes::{Axes, Axis};
use super::claim::{Claim, ClaimResult, corner};
use super::compare::{Decision, disagreements};
use super::report::{Convention, GeometryReport, GeometrySource};
use super::units::AxisUnits;
use super::values::{Attributes, List};
use super::{dimension_units, n5_group, ome, own_keys, transform, units};
use crate::error::ZarrError;
use crate::node::{Node, ZarrFormat};
use crate::options::OpenOptions;
use crate::remark::{Remark, RemarkKind};
use crate::spec::{ArraySpec, MemoryOrder};

/// What lies around an array: its own metadata and the groups that enclose it, the nearest first.
pub(crate) struct Surroundings<'a> {
    pub(crate) node: &'a Node,
    pub(crate) spec: &'a ArraySpec,
    pub(crate) groups: &'a [Node],
    pub(crate) root: &'a Path,
}

/// Where the voxels of an array lie.
pub(crate) struct Place {
    pub(crate) axes: Vec<String>,
    pub(crate) grid: VoxelGrid,
    pub(crate) unit: WorldUnit,
    pub(crate) report: GeometryReport,
    pub(crate) warnings: Vec<Remark>,
}

/// Finds out where the voxels lie.
pub(crate) fn resolve(
    around: &Surroundings<'_>,
    options: &OpenOptions,
) -> Result<Place, ZarrError> {
    let dir = &around.node.dir;
    let own = own_attributes(around.node);
    let claims = claims(around);
    let mut warnings = Vec::new();
    let failed = |source| ZarrError::Geometry { path: dir.clone(), source };

    let winner = winner(&claims, around, options)?;
    let listed = winner.voxel_size.as_ref().map(|list| list.values.len());
    let axes = axes(around, &own, &claims, options, listed)?;
    if axes.source == GeometrySource::Default {
        let names = axes.names.join(", ");
        let text = format!("{}: the axes have no names; taken as {names}", dir.display());
        warnings.push(RemarkKind::Axes.says(text));
    }
    warnings.extend(axes_without_lengths(around, &axes)?);
    let apart = ome::levels_apart(around.groups, around.root, dir);
    warnings.extend(apart.into_iter().map(|text| RemarkKind::Levels.says(text)));
    let order = [axes_in_array_order(around, &axes), unnamed_order(&winner, &own)];
    warnings.extend(order.into_iter().flatten().map(|text| RemarkKind::Axes.says(text)));
    let (channel_dims, dims) = (axes.channel_dims, axes.dims());

    let voxel_size = match &winner.voxel_size {
        Some(list) => list.spatial(&winner.file, channel_dims, dims)?,
        None => vec![Decimal::from(1); dims],
    };
    let offset = offset(&own, &claims, &winner, options)?;
    let position = match &offset.list {
        Some(list) => list.spatial(&offset.file, channel_dims, dims)?,
        None => vec![Decimal::ZERO; dims],
    };

    let mut read_units = |names: &Option<Vec<Option<String>>>, file: &Path| match names {
        Some(names) => units::spatial(names, file, channel_dims, dims, &mut warnings).map(Some),
        None => Ok(None),
    };
    let (unit_source, mut size_units, mut offset_units) = if let Some(unit) = options.unit {
        let given: AxisUnits = vec![Some(unit).filter(|unit| *unit != LengthUnit::Unknown); dims];
        (GeometrySource::Caller, given.clone(), given)
    } else {
        let (source, names, file) = unit_claim(&winner, &claims);
        let size_units = read_units(names, file)?;
        let offset_units = read_units(&offset.units, &offset.file)?;
        let source = if size_units.is_some() { source } else { GeometrySource::Default };
        let none = || vec![None; dims];
        let size_units = size_units.or_else(|| offset_units.clone()).unwrap_or_else(none);
        (source, size_units.clone(), offset_units.unwrap_or(size_units))
    };
    let unit = units::finest(size_units.iter().chain(&offset_units));
    if unit == LengthUnit::Unknown {
        let text = format!("{}: world unit unknown; numbers are taken as they are", dir.display());
        warnings.push(RemarkKind::Unit.says(text));
    } else {
        // What is not out of the metadata counts in the one unit that is shown.
        if matches!(winner.source, GeometrySource::Caller | GeometrySource::Default) {
            size_units = vec![Some(unit); dims];
        }
        if offset.source == GeometrySource::Caller {
            offset_units = vec![Some(unit); dims];
        }
        let known = size_units.iter().zip(&offset_units).map(|(size, at)| size.and(*at).is_some());
        for (name, _) in axes.spatial().iter().zip(known).filter(|(_, known)| !known) {
            let unit = unit.name();
            let text = format!("{}: axis {name} has no unit; taken as {unit}", dir.display());
            warnings.push(RemarkKind::Unit.says(text));
        }
    }
    let voxel_size = units::convert(&voxel_size, &size_units, unit).map_err(failed)?;
    let position = units::convert(&position, &offset_units, unit).map_err(failed)?;
    let corner = corner(&position, &voxel_size, offset.convention).map_err(failed)?;

    let mut report = GeometryReport {
        voxel_size_source: winner.source.clone(),
        offset_source: offset.source,
        axes_source: axes.source,
        unit_source,
        convention: offset.convention,
        disagreements: Vec::new(),
    };
    let decision = Decision {
        voxel_size: &voxel_size,
        corner: &corner,
        unit,
        voxel_size_source: &report.voxel_size_source,
        offset_source: &report.offset_source,
        channel_dims,
        translation: options.translation,
    };
    let mut found = Vec::new();
    for claim in &claims {
        match claim {
            Ok(claim) => found.extend(disagreements(claim, &decision)),
            Err((source, error)) => {
                let text = format!("{source} cannot be used: {error}");
                found.push(RemarkKind::Unreadable.says(text));
            }
        }
    }
    let other_units = other_units(&own, &size_units, &report, channel_dims);
    found.extend(other_units.map(|text| RemarkKind::Unit.says(text)));
    let ignored_order = ignored_order(around, &own, &voxel_size, &corner);
    found.extend(ignored_order.map(|text| RemarkKind::Axes.says(text)));
    report.disagreements = found;

    let unit = WorldUnit::fit(unit, &[&voxel_size[..], &corner].concat()).map_err(failed)?;
    let size = VoxelSize::new(unit.coordinate(&voxel_size).map_err(failed)?).map_err(failed)?;
    let grid = VoxelGrid::new(unit.coordinate(&corner).map_err(failed)?, size).map_err(failed)?;
    Ok(Place { axes: axes.names, grid, unit, report, warnings })
}

fn own_attributes(node: &Node) -> Attributes<'_> {
    let attributes =
        Attributes { file: &node.attrs_file, prefix: "", object: &node.attrs, reversed: false };
    let reversed = node.format == ZarrFormat::N5 && !own_keys::is_in_array_order(&attributes);
    Attributes { reversed, ..attributes }
}

/// All that the metadata says, in the order in which it wins.
fn claims(around: &Surroundings<'_>) -> Vec<ClaimResult> {
    let own = own_attributes(around.node);
    let mut claims = own_keys::claims(&own);
    claims.extend(transform::claim(&own));
    claims.extend(ome::claim(around.groups, around.root, &around.node.dir));
    claims.extend(own_keys::pixel_resolution(&own));
    let parent = around.groups.first();
    if let Some(parent) = parent.filter(|group| around.node.dir.parent() == Some(&group.dir)) {
        claims.extend(n5_group::claims(around.node, around.groups, around.root));
        if !n5_group::differs_from_group(around.node, around.groups) {
            claims.extend(own_keys::parent_claim(&own_attributes(parent)));
        }
    }
    claims.extend(dimension_units::claim(&own));
    claims
}

/// The claim that gives the voxel size: the first one that has one, if it can be read.
fn winner(
    claims: &[ClaimResult],
    around: &Surroundings<'_>,
    options: &OpenOptions,
) -> Result<Claim, ZarrError> {
    let dir = &around.node.dir;
    if let Some(values) = &options.voxel_size {
        if values.iter().any(|value| !value.is_positive()) {
            let list = List { key: "the given voxel size".to_owned(), values: values.clone() };
            let reason = format!("{} {list} is not greater than zero", list.key);
            return Err(ZarrError::malformed(dir, reason));
        }
        let mut claim = Claim::new(GeometrySource::Caller, dir, Convention::Corner);
        let key = "the given voxel size".to_owned();
        claim.voxel_size = Some(List { key, values: values.clone() });
        // The unit of the metadata counts, if there is one.
        let known = claims.iter().flatten().find(|claim| claim.names_units());
        claim.units = known.and_then(|claim| claim.units.clone());
        return Ok(claim);
    }
    for claim in claims {
        match claim {
            Ok(claim) if claim.voxel_size.is_some() => return Ok(claim.clone()),
            Ok(_) => {}
            Err((_, error)) => return Err(repeated(error)),
        }
    }
    if options.unit_voxels {
        return Ok(Claim::new(GeometrySource::Default, dir, Convention::Corner));
    }
    Err(ZarrError::NoGeometry { path: dir.clone(), looked_for: looked_for(around) })
}

/// The same error once more: errors cannot be cloned, for the sake of the ones with an I/O cause.
fn repeated(error: &ZarrError) -> ZarrError {
    match error {
        ZarrError::Unsupported { path, what } => {
            ZarrError::Unsupported { path: path.clone(), what: what.clone() }
        }
        ZarrError::MetadataMalformed { file, reason } => {
            ZarrError::MetadataMalformed { file: file.clone(), reason: reason.clone() }
        }
        // Claims fail for no other reason.
        other => ZarrError::malformed(Path::new(""), other.to_string()),
    }
}

fn looked_for(around: &Surroundings<'_>) -> Vec<String> {
    let node = around.node;
    let file = node.attrs_file.file_name().map(|name| name.to_string_lossy().into_owned());
    let file = file.unwrap_or_default();
    let keys = own_keys::VOXEL_SIZE_KEYS.join(", ");
    let mut places =
        vec![format!("{keys}, transform, pixelResolution and dimension_units in {file}")];
    for group in around.groups {
        let name = group.attrs_file.display();
        places.push(format!("an entry for the array in multiscales of {name}"));
    }
    if around.groups.is_empty() {
        places.push("multiscales of an enclosing group, of which there is none".to_owned());
    } else {
        let keys = "pixelResolution (with scales or downsamplingFactors) and resolution";
        places.push(format!("{keys} of the group that holds the array"));
    }
    places
}

/// The stored position of voxel 0, and what it means.
struct Offset {
    source: GeometrySource,
    list: Option<List>,
    file: std::path::PathBuf,
    convention: Convention,
    units: Option<Vec<Option<String>>>,
}

fn offset(
    own: &Attributes<'_>,
    claims: &[ClaimResult],
    winner: &Claim,
    options: &OpenOptions,
) -> Result<Offset, ZarrError> {
    if let Some(values) = &options.offset {
        let list = List { key: "the given offset".to_owned(), values: values.clone() };
        return Ok(Offset {
            source: GeometrySource::Caller,
            list: Some(list),
            file: winner.file.clone(),
            convention: Convention::Corner,
            units: winner.units.clone(),
        });
    }
    let meant = |convention| options.translation.unwrap_or(convention);
    if let Some(list) = own_keys::own_offset(own)? {
        return Ok(Offset {
            source: GeometrySource::Own { key: "offset" },
            list: Some(list),
            file: own.file.to_owned(),
            convention: meant(Convention::Corner),
            units: own.units("units")?,
        });
    }
    // A voxel size that is not out of the metadata corrects the one beside the offset, or its absence.
    let claim = if matches!(winner.source, GeometrySource::Caller | GeometrySource::Default) {
        let sized = claims.iter().flatten().find(|claim| claim.voxel_size.is_some());
        let placed = || claims.iter().flatten().find(|claim| claim.offset.is_some());
        sized.or_else(placed).unwrap_or(winner)
    } else {
        winner
    };
    let source = match (&claim.offset, &claim.source) {
        (Some(_), GeometrySource::Parent { .. }) => GeometrySource::Parent { key: "offset" },
        (Some(_), source) => source.clone(),
        (None, _) => GeometrySource::Default,
    };
    Ok(Offset {
        source,
        list: claim.offset.clone(),
        file: claim.file.clone(),
        convention: meant(claim.convention),
        units: claim.units.clone(),
    })
}

type UnitClaim<'a> = (GeometrySource, &'a Option<Vec<Option<String>>>, &'a Path);

/// The claim that gives the unit: the winner, or one that gives the same numbers and a unit.
fn unit_claim<'a>(winner: &'a Claim, claims: &'a [ClaimResult]) -> UnitClaim<'a> {
    let numbers = |claim: &'a Claim| claim.voxel_size.as_ref().map(|list| &list.values[..]);
    let mut others = claims.iter().flatten().filter(|other| other.names_units());
    let same = others.find(|other| match (numbers(winner), numbers(other)) {
        // One of them may leave out the channels.
        (Some(one), Some(other)) => one.ends_with(other) || other.ends_with(one),
        (one, other) => one == other,
    });
    let claim = if winner.names_units() { winner } else { same.unwrap_or(winner) };
    (claim.source.clone(), &claim.units, &claim.file)
}

/// The names of the axes, from the first place that has some.
fn axes(
    around: &Surroundings<'_>,
    own: &Attributes<'_>,
    claims: &[ClaimResult],
    options: &OpenOptions,
    listed: Option<usize>,
) -> Result<Axes, ZarrError> {
    let ndim = around.spec.shape.len();
    if ndim == 0 {
        return Err(ZarrError::unsupported(&around.node.dir, "an array without axes"));
    }
    let named = |names: &[String]| names.iter().map(Axis::named).collect::<Vec<_>>();
    let mut found = None;
    if let Some(names) = &options.axes {
        found = Some((GeometrySource::Caller, named(names), &around.node.dir));
    }
    if found.is_none() {
        found = own_keys::axes(own)?.map(|(source, axes)| (source, axes, &around.node.attrs_file));
    }
    if found.is_none() {
        let claim = claims.iter().flatten().find(|claim| claim.axes.is_some());
        found =
            claim.and_then(|claim| Some((claim.source.clone(), claim.axes.clone()?, &claim.file)));
    }
    if found.is_none() {
        let names = around.spec.dimension_names();
        let names = names.and_then(|names| names.iter().cloned().collect::<Option<Vec<_>>>());
        let names = match names {
            Some(names) => Some(names),
            // That of xarray, which counts in array order everywhere.
            None => Attributes { reversed: false, ..*own }.names("_ARRAY_DIMENSIONS", false)?,
        };
        found = names
            .map(|names| (GeometrySource::DimensionNames, named(&names), &around.node.attrs_file));
    }
    let channels = own_keys::channel_types(own)?;
    if let Some(channels) = channels.as_ref().filter(|channels| channels.len() != ndim) {
        let reason = format!("types has {} entries for {ndim} axes", channels.len());
        return Err(ZarrError::malformed(own.file, reason));
    }
    let Some((source, mut axes, file)) = found else {
        return Axes::usual(ndim, listed, channels.as_deref(), own.file);
    };
    // Other names do not make a time a length, except for a caller who knows better.
    let typed = claims.iter().flatten().find_map(|claim| claim.axes.as_ref());
    if let Some(typed) = typed.filter(|typed| typed.len() == axes.len())
        && source != GeometrySource::Caller
    {
        for (axis, typed) in axes.iter_mut().zip(typed) {
            axis.no_length.clone_from(&typed.no_length);
        }
    }
    if let Some(channels) = channels.filter(|channels| channels.len() == axes.len()) {
        for (axis, is_channel) in axes.iter_mut().zip(channels) {
            axis.is_channel |= is_channel;
        }
    }
    Axes::from_names(axes, ndim, listed, source, file)
}

/// That an array of N5 seems to name its axes in array order, which every list of N5 reverses.
fn axes_in_array_order(around: &Surroundings<'_>, axes: &Axes) -> Option<String> {
    let is_own = matches!(axes.source, GeometrySource::Own { .. });
    let names: Vec<&str> = axes.spatial().iter().map(String::as_str).collect();
    let reversed = names.first() == Some(&"x") && names.last().is_some_and(|&last| last != "x");
    (around.node.format == ZarrFormat::N5 && is_own && reversed).then(|| {
        let names = names.join(", ");
        let file = around.node.attrs_file.display();
        format!("{file}: N5 lists count x first, so that the axes of the array are {names}")
    })
}

/// That nothing tells the order of a `voxel_size` in N5, of which the only known writer, funlib.persistence
/// from 0.5 on, does not reverse it.
fn unnamed_order(winner: &Claim, own: &Attributes<'_>) -> Option<String> {
    let is_voxel_size = winner.source == GeometrySource::Own { key: "voxel_size" };
    let values = &winner.voxel_size.as_ref()?.values;
    let matters = own.reversed && is_voxel_size && !values.iter().rev().eq(values);
    (matters && own.get("axis_names").is_none()).then(|| {
        let file = own.file.display();
        format!("{file}: voxel_size counts x first, as all lists of N5; axis_names would tell")
    })
}

/// Warns of axes that are not axes of the world, or refuses them if they have an extent.
fn axes_without_lengths(around: &Surroundings<'_>, axes: &Axes) -> Result<Vec<Remark>, ZarrError> {
    let mut warnings = Vec::new();
    for (index, reason) in &axes.no_lengths {
        let name = axes.names.get(*index).map_or("", String::as_str);
        if around.spec.shape.get(*index).is_some_and(|&extent| extent > 1) {
            let what = format!("the axis {name:?}, which is {reason} and not a length,");
            return Err(ZarrError::unsupported(&around.node.dir, what));
        }
        let dir = around.node.dir.display();
        let text = format!("{dir}: axis {name} is {reason}; taken as a length");
        warnings.push(RemarkKind::Unit.says(text));
    }
    Ok(warnings)
}

/// That the array's own `units` are others than those of the voxel size, which stands elsewhere.
fn other_units(
    own: &Attributes<'_>,
    size_units: &AxisUnits,
    report: &GeometryReport,
    channel_dims: usize,
) -> Option<String> {
    if matches!(report.unit_source, GeometrySource::Own { .. } | GeometrySource::Caller) {
        return None;
    }
    let spatial = |names: &[Option<String>]| {
        units::spatial(names, own.file, channel_dims, size_units.len(), &mut Vec::new())
    };
    let found = match own.units("units").and_then(|names| names.as_deref().map(spatial).transpose())
    {
        Ok(found) => found?,
        Err(error) => return Some(format!("own units cannot be used: {error}")),
    };
    let mut pairs = found.into_iter().zip(size_units).filter_map(|(found, unit)| found.zip(*unit));
    let (found, unit) = pairs.find(|(found, unit)| found != unit)?;
    let source = &report.unit_source;
    Some(format!("own units says {}, {source} says {}", found.name(), unit.name()))
}

/// That a memory order does not reverse the metadata, where that makes a difference.
fn ignored_order(
    around: &Surroundings<'_>,
    own: &Attributes<'_>,
    voxel_size: &[Decimal],
    corner: &[Decimal],
) -> Option<String> {
    let symmetric = |values: &[Decimal]| values.iter().rev().eq(values);
    if symmetric(voxel_size) && symmetric(corner) {
        return None;
    }
    // The attribute goes before the order in memory, and a transform has an order of its own.
    let what = match own.get("order").and_then(|order| order.as_str()) {
        Some("F") => "the attribute order \"F\"",
        None if around.spec.order == MemoryOrder::F && own.get("transform").is_none() => {
            "the memory order F"
        }
        _ => return None,
    };
    Some(format!(
        "{what} does not reverse voxel size and offset; old versions of DaCapo reverse them"
    ))
}
