//! What this project promises to answer: the documented places, in their order, read exactly.
//!
//! It is written for these vectors alone and shares nothing with the reader but numbers and units, so
//! that neither a rule nor an equal answer hides a mistake of the reader.

mod claims;
mod values;

use array_core::is_channel_axis;
use geometry::{Decimal, LengthUnit};
use serde_json::Value;

use super::vector::Vector;
use claims::{Claim, claims};
pub(super) use values::exact;
use values::{Axes, Units, named, names, numbers, units};

/// The answer that is promised.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Promise {
    pub(super) voxel_size: Vec<Decimal>,
    pub(super) offset: Vec<Decimal>,
    pub(super) axes: Vec<String>,
    pub(super) channel_dims: usize,
    pub(super) size_from: &'static str,
    pub(super) offset_from: &'static str,
    /// The key of a transform that says its order.
    pub(super) order_key: Option<&'static str>,
    /// Voxel size and offset before the axes were converted to one unit.
    pub(super) written: (Vec<Decimal>, Vec<Decimal>),
}

/// Why an error is promised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// No place says a voxel size.
    NoVoxelSize,
    /// A value has the wrong form or length, or a size is not positive.
    Malformed,
    /// Names do not name the axes, stand twice, or put channels behind space.
    Axes,
    /// A number is no decimal fraction.
    NotDecimal,
    /// A number does not fit 64 bits in the world unit.
    Beyond64Bits,
    /// Something that is not read at all.
    Unsupported,
}

pub(super) fn promise(vector: &Vector) -> Result<Promise, Fault> {
    let own = &vector.attrs;
    let (claims, place_axes) = claims(vector);
    let known: Vec<&Claim> = claims.iter().flatten().collect();
    let winner = match claims.first() {
        None => return Err(Fault::NoVoxelSize),
        Some(Err(fault)) => return Err(*fault),
        Some(Ok(claim)) => claim,
    };
    let (names, channel_dims) = axes(vector, place_axes, winner.voxel_size.len())?;
    let dims = names.len() - channel_dims;
    let spatial = |values: &[Decimal]| match values.len() {
        length if length == dims => Ok(values.to_vec()),
        length if length == names.len() => Ok(values[channel_dims..].to_vec()),
        _ => Err(Fault::Malformed),
    };
    let sizes = spatial(&winner.voxel_size)?;
    let own_offset = numbers(own.get("offset"))?;
    let offset_from = match (&own_offset, &winner.offset) {
        (Some(_), _) => "offset",
        (None, Some(_)) => winner.offset_from,
        (None, None) => "default",
    };
    let offsets = match own_offset.as_ref().or(winner.offset.as_ref()) {
        Some(values) => spatial(values)?,
        None => vec![Decimal::ZERO; dims],
    };

    let named = |claim: &&&Claim| claim.units.iter().flatten().any(Option::is_some);
    let same = |claim: &&&Claim| claim.voxel_size == winner.voxel_size;
    let units_of = Some(&winner).filter(|claim| named(claim));
    let units_of = units_of.or_else(|| known.iter().filter(same).find(named)).unwrap_or(&winner);
    let per_axis = |units: &Option<Units>| {
        units.as_ref().map(|units| per_axis(units, channel_dims, dims)).transpose()
    };
    let size_units = per_axis(&units_of.units)?;
    let offset_units = per_axis(&if offset_from == "offset" {
        units(own.get("units"))?
    } else {
        winner.units.clone()
    })?;
    let size_units =
        size_units.or_else(|| offset_units.clone()).unwrap_or_else(|| vec![None; dims]);
    let offset_units = offset_units.unwrap_or_else(|| size_units.clone());
    let power = |unit: &Option<LengthUnit>| unit.and_then(LengthUnit::power_of_ten_to_meter);
    let finest = size_units.iter().chain(&offset_units).filter_map(power).min();
    let convert = |values: &[Decimal], units: &[Option<LengthUnit>]| {
        let one = |(value, unit): (&Decimal, &Option<LengthUnit>)| match power(unit).zip(finest) {
            Some((from, to)) => {
                value.times_power_of_ten(from - to).map_err(|_| Fault::Beyond64Bits)
            }
            None => Ok(*value),
        };
        values.iter().zip(units).map(one).collect::<Result<Vec<_>, _>>()
    };
    let (voxel_size, offset) = (convert(&sizes, &size_units)?, convert(&offsets, &offset_units)?);
    if !fits_64_bits(&voxel_size, &offset, &vector.shape[channel_dims..]) {
        return Err(Fault::Beyond64Bits);
    }
    if names.iter().enumerate().any(|(index, name)| names[..index].contains(name)) {
        return Err(Fault::Axes);
    }
    Ok(Promise {
        voxel_size,
        offset,
        axes: names,
        channel_dims,
        size_from: winner.from,
        offset_from,
        order_key: winner.order_key,
        written: (sizes, offsets),
    })
}

fn per_axis(
    units: &Units,
    channel_dims: usize,
    dims: usize,
) -> Result<Vec<Option<LengthUnit>>, Fault> {
    let all = channel_dims + dims;
    let units = match units.len() {
        length if length == dims => units.clone(),
        length if length == all => units[channel_dims..].to_vec(),
        1 => vec![units[0].clone(); dims],
        _ => return Err(Fault::Malformed),
    };
    Ok(units.iter().map(|unit| LengthUnit::parse(unit.as_ref()?)).collect())
}

/// The names of all axes, channels first, and the number of channels.
fn axes(
    vector: &Vector,
    of_places: Option<Axes>,
    listed: usize,
) -> Result<(Vec<String>, usize), Fault> {
    let ndim = vector.shape.len();
    let own = &vector.attrs;
    let (axis_names, plain) = (names(own.get("axis_names"))?, names(own.get("axes"))?);
    let unmarked = |name: &String| name.trim_end_matches('^').to_owned();
    let same_axes = |marked: &Vec<String>, plain: &Vec<String>| {
        marked.iter().map(unmarked).eq(plain.iter().cloned())
            && marked.iter().zip(plain).all(|(a, b)| is_channel_axis(a) == is_channel_axis(b))
    };
    let found = match (axis_names, plain) {
        (Some(marked), Some(plain)) if same_axes(&marked, &plain) => Some(plain),
        (axis_names, plain) => axis_names.or(plain),
    };
    let found = found.map(named).or(of_places);
    let found = match found {
        Some(found) => Some(found),
        None => names(own.get("_ARRAY_DIMENSIONS"))?.map(named),
    };
    let channels = |count: usize| -> Vec<String> {
        if count == 1 {
            vec!["c".into()]
        } else {
            (0..count).map(|axis| format!("c{axis}^")).collect()
        }
    };
    // One text is no list of types.
    let types = match own.get("types") {
        Some(Value::String(_)) => return Err(Fault::Malformed),
        types => names(types)?,
    };
    let usual = |dims: usize| -> Vec<String> {
        let usual = |axis: usize| match dims {
            0..=3 => ["z", "y", "x"][3 - dims + axis].to_owned(),
            _ => format!("d{axis}"),
        };
        (0..dims).map(usual).collect()
    };
    if let (None, Some(types)) = (&found, &types) {
        // The types say which axes are channels, also of axes without names.
        let is_space = |kind: &&String| *kind != "channel" && *kind != "sample";
        let channel_dims = types.len() - types.iter().rev().take_while(is_space).count();
        if types.len() != ndim {
            return Err(Fault::Malformed);
        }
        if types[..channel_dims].iter().any(|kind| is_space(&kind)) || channel_dims == ndim {
            return Err(Fault::Axes);
        }
        if channel_dims > 0 {
            let dims = ndim - channel_dims;
            let mut all = channels(channel_dims);
            all.extend(usual(dims));
            return Ok((all, channel_dims));
        }
    }
    let Some(mut found) = found else {
        let dims = if listed < ndim { listed } else { ndim.min(3) };
        let mut all = channels(ndim - dims);
        all.extend(usual(dims));
        return Ok((all, ndim - dims));
    };
    if let Some(types) = types {
        if types.len() != ndim {
            return Err(Fault::Malformed);
        }
        if found.len() == ndim {
            for (axis, kind) in found.iter_mut().zip(&types) {
                axis.1 |= kind == "channel" || kind == "sample";
            }
        }
    }
    let only_space = found.len() < ndim && !found.iter().any(|(_, is_channel)| *is_channel);
    if (found.len() != ndim && !only_space) || (only_space && listed == ndim) {
        return Err(Fault::Axes);
    }
    let missing = channels(ndim - found.len());
    let channel_dims =
        missing.len() + found.iter().take_while(|(_, is_channel)| *is_channel).count();
    let all: Axes = named(missing).into_iter().chain(found).collect();

    if all[channel_dims..].iter().any(|(_, is_channel)| *is_channel) || channel_dims == ndim {
        return Err(Fault::Axes);
    }
    Ok((all.into_iter().map(|(name, _)| name).collect(), channel_dims))
}

/// Whether sizes, offsets and ends are integers of 64 bits in the coarsest decimal fraction of the unit.
fn fits_64_bits(sizes: &[Decimal], offsets: &[Decimal], shape: &[usize]) -> bool {
    let digits = sizes.iter().chain(offsets).map(|value| value.fractional_digits()).max();
    let scaled = |value: &Decimal| -> Option<i64> {
        let scaled = value.times_power_of_ten(i32::from(digits?)).ok()?;
        scaled.to_string().parse().ok()
    };
    sizes.iter().zip(offsets).zip(shape).all(|((size, offset), length)| {
        let length = i64::try_from(*length).ok();
        let extent = scaled(size).zip(length).and_then(|(size, length)| size.checked_mul(length));
        extent
            .zip(scaled(offset))
            .is_some_and(|(extent, offset)| offset.checked_add(extent).is_some())
    })
}
